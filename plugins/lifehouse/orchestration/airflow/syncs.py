"""The task of a sync: one call of its station, and a question to a person where a guard has tripped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput

from lifehouse import stations
from lifehouse.activation.durations import words
from lifehouse.context import Context
from lifehouse.errors import GuardTripped
from lifehouse.orchestration.airflow import failures, notify
from lifehouse.orchestration.airflow.tasks import connection_of

LET_IT_RUN = "Let it run once"
LEAVE_IT = "Leave it stopped"


class SyncTask(HITLOperator):
    """Brings a platform to the published segment, with the credentials of an Airflow Connection.

    A guard that trips is told to people at once, and the task waits for an answer, in no slot and no pool: what was
    seen is approved for this one run, or the sync stays stopped. Without an answer it does, too.

    :param answer_within: how long it waits; None fails at once, and the CLI can still approve the next run.
    """

    ui_color = "#e8f0e4"

    def __init__(
        self, *, sync: str, connection: str | None, answer_within: timedelta | None, **kwargs: Any
    ) -> None:
        super().__init__(
            subject=f"May the sync {sync} go on?",
            options=[LET_IT_RUN, LEAVE_IT],
            params={"reason": Param("", type="string", title="Reason", description="kept with the approval")},
            response_timeout=answer_within,
            **kwargs,
        )
        self.sync, self.connection = sync, connection

    def execute(self, context: Any) -> None:
        """Sync; where only a person can say whether that is meant, ask."""
        asked = None
        with failures.told():
            try:
                self._run()
            except GuardTripped:
                if self.response_timeout is None:
                    raise
                asked = stations.ask(Context.current(), self.sync)
        if asked is None:
            notify.well()
            return
        notify.ended(context)
        self.body = _question(asked)
        try:
            super().execute(context)
        except TaskAwaitingInput as waiting:
            waiting.method_name, waiting.kwargs = "answered", {"approval_id": asked.approval_id}
            raise

    def answered(self, context: Any, event: dict[str, Any], approval_id: int) -> None:
        """Go on with the answer.

        :raises AirflowFailException: it is no, or there is none: the sync stays stopped.
        """
        if "error" in event:
            within = words(self.response_timeout) if self.response_timeout else "the time given"
            raise AirflowFailException(f"nobody answered within {within}: the sync {self.sync} stays stopped")
        answer = self.execute_complete(context, event)
        by = (event.get("responded_by_user") or {}).get("name") or "somebody"
        if answer["chosen_options"] != [LET_IT_RUN]:
            raise AirflowFailException(f"{by} left the sync {self.sync} stopped")
        reason = str(answer["params_input"].get("reason") or "").strip() or "approved in Airflow"
        with failures.told():
            stations.approve(Context.current(), approval_id, by=by, reason=reason)
            self._run()
        notify.well()

    def _run(self) -> None:
        with notify.watched("sync"):
            stations.sync(Context.current(), self.sync, connection_of(self.connection))


def _question(asked: Any) -> str:
    plan = asked.plan
    seen = [f"- {finding.meaning}, but {finding.observed}" for finding in asked.findings]
    return "\n".join(
        [
            "A guard stopped the sync before its first call:",
            "",
            *seen,
            "",
            f"It would add {plan.adds:,}, change {plan.changes:,} and remove {plan.removes:,} rows of {plan.segment}. A yes "
            f"is for this run alone: release {plan.release.release_id}, these guards, and no more than this.",
        ]
    )
