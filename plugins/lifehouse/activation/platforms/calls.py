"""What is asked of a platform, as its declaration says it: requests, calls for a batch of rows, asynchronous jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, model_validator

from lifehouse import config
from lifehouse.activation.durations import Duration
from lifehouse.activation.platforms import template
from lifehouse.activation.platforms.answers import Answer, Expression


class Table(config.Strict):
    """A CSV file with a line a row (RFC 4180, UTF-8, LF); ``columns`` is filled in for each."""

    columns: dict[str, str] = Field(min_length=1)
    empty: str = Field(default="", description="what stands for a value that is not there")


class Request(config.Strict):
    """What is called. Placeholders may stand in the path, the query, the headers and the body."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: str = Field(min_length=1)
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None
    csv: Table | None = Field(default=None, description="a table of the rows, sent instead of a body")
    largest: int | None = Field(
        default=None, ge=1, description="bytes that it may have; a larger one is split"
    )
    form: dict[str, str] | None = Field(default=None, description="sent as a form instead of a body")


class Reading(Request):
    """What is asked once a job is done, and how the answer is read; a CSV file is a list of objects."""

    answer: Answer = Answer()


class Job(config.Strict):
    """An asynchronous job: polled until it is over; then every row has its end.

    A file job: the call opens it, ``steps`` bring the file and close it, ``abandon`` is called for one that they failed for.
    """

    id: Expression
    steps: tuple[Request, ...] = ()
    abandon: Request | None = None
    poll: Request
    done: Expression
    failed: Expression | None = None
    every: Duration = timedelta(seconds=1)
    slowest: Duration | None = Field(
        default=None, description="the polls become rarer, twice as rare each time, down to this"
    )
    longest: Duration = timedelta(minutes=15)
    answer: Answer = Answer()
    more: Request | None = Field(
        default=None, description="asked once the job is done; `answer` is read from it"
    )
    reads: tuple[Reading, ...] = Field(
        default=(),
        description="asked in turn once the job is done, each for the rows that none before spoke of",
    )

    @property
    def requests(self) -> dict[str, Request]:
        """What it asks, by what that is for."""
        steps = {f"its file {number}": step for number, step in enumerate(self.steps, 1)}
        more = {"its end": self.more} if self.more else {}
        reads = {f"its results {number}": read for number, read in enumerate(self.reads, 1)}
        abandon = {"given up": self.abandon} if self.abandon else {}
        return {**steps, "": self.poll, **more, **reads, **abandon}


class Call(Request):
    """One call for a batch of rows; a body's ``each: ITEM`` is a list with an item for each row."""

    batch_size: int = Field(default=1, ge=1, le=100_000)
    only: Literal["known", "unknown"] | None = Field(
        default=None, description="rows of which the platform's id is known, or is not"
    )
    if_fields: bool = Field(default=False, description="only for syncs that map fields")
    answer: Answer = Answer()
    job: Job | None = None

    @model_validator(mode="after")
    def _says_which_row(self) -> Call:
        steps = self.job.steps if self.job else ()
        if self.batch_size > 1 and not any(
            request.csv or template.has_each(request.body) for request in (self, *steps)
        ):
            raise ValueError("a call for several rows needs `each:` in its body")
        return self


class Login(Request):
    """A call that is made before the others; what they say as ``{token}`` is found in its answer, or is a header of it."""

    token: Expression | None = None
    token_header: str | None = None

    @model_validator(mode="after")
    def _says_where(self) -> Login:
        if (self.token is None) == (self.token_header is None):
            raise ValueError("a login says where the token is: `token` or `token_header`")
        return self
