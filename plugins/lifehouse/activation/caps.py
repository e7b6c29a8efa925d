"""Frequency caps: how often a kind of push may reach the same customer, of all syncs together."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from lifehouse import config
from lifehouse.activation.durations import Duration


class Cap(config.Strict):
    """No more than ``at_most`` adds within any such time; ``caps`` of ``lifehouse.yml`` has one for each kind."""

    at_most: int = Field(ge=1, description="adds that the platforms confirmed or have not answered yet")
    within: Duration = Field(gt=timedelta(0), description="of any length, e.g. 7d; by the clock")
