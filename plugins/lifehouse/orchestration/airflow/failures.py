"""Turns a station's errors into what Airflow shows: a closed gate fails at once, a source that is down is tried again.

Logs and messages never hold personal values: the text of an error that nobody foresaw is kept back unless its kind
speaks about code, and a database error is told by its code, table and constraint.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from lifehouse.errors import BuildError, ConfigError, GateClosed, LifehouseError, SyncRefused
from lifehouse.redaction import described

log = logging.getLogger("lifehouse")

#: Time cures none of these.
_FINAL = (GateClosed, ConfigError, BuildError, SyncRefused)


@contextmanager
def told() -> Iterator[None]:
    """Run a station's call.

    :raises AirflowFailException: no retry would help. :raises LifehouseError: worth a retry.
    """
    try:
        yield
    except _FINAL as error:
        for sentence in sentences(error):
            log.error("%s", sentence)
        raise AirflowFailException(str(error)) from None
    except LifehouseError as error:
        error.__cause__, error.__suppress_context__ = (
            None,
            True,
        )  # a driver's text may hold values or addresses
        raise
    except AirflowException:
        raise
    except Exception as error:
        log.error("unforeseen, at:\n%s", "".join(traceback.format_tb(error.__traceback__)[1:]))
        raise LifehouseError(describe(error)) from None


def is_final(error: BaseException, ti: Any) -> bool:
    """Whether the task will not be tried again after this error."""
    return isinstance(error, (*_FINAL, AirflowFailException)) or ti.try_number > ti.max_tries


def sentences(error: LifehouseError) -> list[str]:
    """What went wrong, one sentence each."""
    return error.failures if isinstance(error, GateClosed) else str(error).splitlines()


def describe(error: BaseException) -> str:
    """An error in words that hold no personal value."""
    if isinstance(error, AirflowException):
        return str(error)
    return described(error)
