"""The sixty corruptions: written down before the gates were tuned, and not changed to suit them.

What a gate lets pass is listed with its reason in docs/mutations.md; a test pins this list.
"""

from __future__ import annotations

from mutations.corruption import Corruption
from mutations.corruptions_crm import CRM
from mutations.corruptions_marts import MARTS
from mutations.corruptions_shop import SHOP

CORRUPTIONS: tuple[Corruption, ...] = (*SHOP, *CRM, *MARTS)
