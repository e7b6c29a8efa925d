"""The decorator of a gate's task: a ``@task`` with a button that leads to its quality pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.providers.standard.decorators.python import _PythonDecoratedOperator
from airflow.sdk.bases.decorator import task_decorator_factory

from lifehouse.orchestration.airflow.links import QualityPages


class _Gate(_PythonDecoratedOperator):
    """The first argument of its callable is the id of the load or run that it judges."""

    custom_operator_name = "@task"
    operator_extra_links = (QualityPages(),)


def gate(function: Callable[..., None]) -> Any:
    """A task that judges."""
    return task_decorator_factory(python_callable=function, decorated_operator_class=_Gate)
