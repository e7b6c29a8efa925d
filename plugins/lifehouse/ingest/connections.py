"""How a source is reached. Secrets stay ``${NAME}`` here; the environment gives them when it is read."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from lifehouse import config, transport
from lifehouse.errors import ConfigError


class SqlConnection(config.Strict):
    """A database that SQLAlchemy reaches."""

    url: str = Field(description="address from the environment: ${LIFEHOUSE_SHOP_URL}")
    schema_: str | None = Field(None, alias="schema", description="the schema of the tables, e.g. public")
    chunk_rows: int = Field(50_000, ge=1000, description="rows held in memory at a time")


class Paginator(config.Strict):
    """How an API gives its answers page by page."""

    kind: Literal["page", "offset", "cursor", "link", "none"] = "none"
    param: str | None = Field(None, description="query parameter of the page number, offset or cursor")
    first: int = Field(1, description="page: number of the first page")
    size_param: str | None = Field(None, description="query parameter of the page size")
    size: int | None = Field(None, ge=1, description="records a page")
    next: str | None = Field(
        None, description="cursor, link: JSON path of the next one; else the Link header"
    )
    total: str | None = Field(None, description="page, offset: JSON path of the total; else to an empty page")


class RestConnection(config.Strict):
    """An HTTP API that answers JSON."""

    base_url: str
    token: str | None = Field(None, description="bearer token, from the environment: ${CRM_TOKEN}")
    headers: dict[str, str] = Field(default_factory=dict)
    paginator: Paginator = Field(default_factory=lambda: Paginator.model_validate({}))
    timeout_seconds: float = Field(30, gt=0)
    insecure: bool = Field(False, description="allow http:// to another machine, on a network of your own")

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if "${" not in self.base_url:
            try:
                transport.http(self.base_url, "base_url", insecure=self.insecure)
            except ConfigError as error:
                raise ValueError(str(error)) from None
        return self


class FilesConnection(config.Strict):
    """A folder, local or remote, that fsspec reaches."""

    url: str = Field(description="a folder: /data/in, s3://bucket/in, sftp://host/in")
    options: dict[str, Any] = Field(default_factory=dict, description="for fsspec, e.g. key and secret")


def resolved(source: str, connection: config.Model) -> config.Model:
    """The same connection with ``${NAME}`` and ``${NAME:-default}`` taken from the environment.

    :raises ConfigError: a variable is not set.
    """
    try:
        data = config.substitute(connection.model_dump(by_alias=True))
    except ConfigError as error:
        raise ConfigError(f"source {source}: connection: {error}") from None
    try:
        return type(connection).model_validate(data)
    except ValidationError as error:
        said = "; ".join(item["msg"].removeprefix("Value error, ") for item in error.errors())
        raise ConfigError(f"source {source}: connection: {said}") from None
