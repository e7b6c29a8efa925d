"""Whether a platform's declaration makes requests that the maker's contract (OpenAPI 3) accepts."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from lifehouse import config
from lifehouse.activation.platforms.calls import Call, Request
from lifehouse.activation.platforms.declaration import Declared
from lifehouse.activation.platforms.listing import Members
from lifehouse.activation.platforms.request import Prepared, prepare
from lifehouse.errors import ConfigError

_INSTALL = "checking against a contract needs openapi-core: pip install 'lifehouse[contracts]'"


@dataclass(frozen=True)
class Sample:
    """A request of a declaration, made with its example; ``problem`` is what the contract has against it."""

    call: str
    prepared: Prepared
    problem: str | None = None


def samples(declared: Declared) -> Iterator[Sample]:
    """Every request that the declaration can make, those of jobs too.

    :raises ConfigError: the example lacks something that they need.
    """
    example = declared.example
    for name, option in declared.options.items():
        if option.required and name not in example.options:
            raise ConfigError(
                f"platform {declared.platform}: the example has no options.{name} ({option.description}), which a sync must say"
            )
    defaults = {name: option.default for name, option in declared.options.items()}
    row = {"row": 0, "key": example.key, "fields": example.fields, "id": "1001"}
    values: dict[str, Any] = {
        **row,
        "options": {**defaults, **example.options},
        "extra": example.extra,
        **{
            "login": "login",
            "secret": "secret",
            "token": "token",
            "job": "j1",
            "sync": "example",
            "batch": "b1",
            "rows": 2,
            "cursor": "1",
        },
    }
    for name, request in _requests(declared):
        is_of_many = request.csv or _rows_at_once(request) > 1
        rows = [{**row, "row": number} for number in range(2 if is_of_many else 1)]
        yield Sample(
            name,
            prepare(
                request,
                values,
                rows,
                headers={**declared.headers, **_credentials(declared)},
                query=declared.auth.query,
            ),
        )


def _requests(declared: Declared) -> Iterator[tuple[str, Request]]:
    for name, call in declared.calls.items():
        yield name, call
        for what, request in (call.job.requests if call.job else {}).items():
            yield f"{name}, its job{what and f', {what}'}", request
    if declared.members:
        yield "members", declared.members
    if declared.opted_out:
        yield "opted out", declared.opted_out


def _rows_at_once(request: Request) -> int:
    if isinstance(request, Members):
        return request.asks or 1
    return request.batch_size if isinstance(request, Call) else 1


def _credentials(declared: Declared) -> dict[str, str]:
    basic = {"Authorization": "Basic bG9naW46c2VjcmV0"} if declared.auth.basic else {}
    return {**declared.auth.headers, **basic}


def against(declared: Declared, contracts: Sequence[Path]) -> list[Sample]:
    """The samples with what the contracts have against them; one that no contract knows says so.

    :raises ConfigError: a contract cannot be read.
    """
    apis = {contract.name: _open(contract) for contract in contracts}
    return [Sample(one.call, one.prepared, _problem(apis, one.prepared)) for one in samples(declared)]


def _open(contract: Path) -> Any:
    try:
        from openapi_core import Config, OpenAPI  # noqa: PLC0415  an extra
        from openapi_core.exceptions import OpenAPIError  # noqa: PLC0415
    except ImportError:
        raise ConfigError(_INSTALL) from None
    try:
        text = contract.read_text(encoding="utf-8")
        told = json.loads(text) if contract.suffix == ".json" else config.read(text)
        if unfit := _unfit(contract, told):
            raise ConfigError(f"{contract}: {unfit}")
        settings = Config(
            spec_validator_cls=None, extra_media_type_deserializers={"text/csv": lambda body: body.decode()}
        )
        return OpenAPI.from_dict(_without_hints(told), base_uri=contract.resolve().as_uri(), config=settings)
    except (OSError, ValueError, yaml.YAMLError, OpenAPIError) as error:
        raise ConfigError(
            f"{contract}: cannot be read as an OpenAPI contract ({type(error).__name__})"
        ) from None


def _unfit(contract: Path, told: Any) -> str | None:
    """Why it is no contract that requests can be checked against, and what to do; None where it is one."""
    keys = set(told) | set(told.get("data") or ()) if isinstance(told, dict) else set()
    if contract.suffix in (".graphql", ".graphqls", ".gql") or "__schema" in keys:
        return (
            "is a GraphQL schema, and requests are checked against OpenAPI 3 alone; "
            "a server refuses a document that its schema does not allow, so try the sync on a sandbox"
        )
    if "swagger" in keys:
        return f"is Swagger {told['swagger']}; convert it to OpenAPI 3 first"
    if "openapi" not in keys or not str(told["openapi"]).startswith("3."):
        return "is no OpenAPI 3 contract: it does not begin with `openapi: 3...`"
    return None


def _without_hints(told: Any) -> Any:
    """The contract without discriminators: they tell readers which of several schemas is meant, and allow or forbid nothing."""
    if isinstance(told, list):
        return [_without_hints(item) for item in told]
    if not isinstance(told, dict):
        return told
    return {
        name: _without_hints(item)
        for name, item in told.items()
        if not (name == "discriminator" and isinstance(item, dict) and "propertyName" in item)
    }


def _problem(apis: dict[str, Any], prepared: Prepared) -> str | None:
    from openapi_core.exceptions import OpenAPIError  # noqa: PLC0415
    from openapi_core.templating.paths.exceptions import PathError  # noqa: PLC0415

    for name, api in apis.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a way to log in that a contract mentions and nobody uses
                api.validate_request(_AsOpenAPI(api, prepared))
        except PathError:
            continue
        except OpenAPIError as error:
            causes = getattr(error.__cause__, "schema_errors", None) or []
            told = "; ".join(
                f"{'.'.join(map(str, cause.path)) or 'body'}: {cause.message}" for cause in causes
            )
            return told or str(error.__cause__ or error)
        except TypeError as error:
            return f"{name} cannot be read here: {error}"
        return None
    return f"no contract knows {prepared.method} {prepared.path}"


class _AsOpenAPI:
    """A request as openapi-core asks for it."""

    def __init__(self, api: Any, prepared: Prepared) -> None:
        from openapi_core.datatypes import RequestParameters  # noqa: PLC0415
        from werkzeug.datastructures import Headers, ImmutableMultiDict  # noqa: PLC0415  comes with openapi-core

        servers = api.spec.read_value().get("servers") or [{"url": "https://localhost"}]
        parts = urlsplit(servers[0]["url"])
        self.host_url = f"{parts.scheme}://{parts.netloc}"
        is_below = prepared.path.startswith("/")  # else it has an address of its own
        self.path = parts.path.rstrip("/") + prepared.path if is_below else urlsplit(prepared.path).path
        self.method = prepared.method.lower()
        self.body = prepared.content
        self.content_type = prepared.headers.get("Content-Type", "application/json")
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(prepared.query),
            header=Headers(prepared.headers),
            cookie=ImmutableMultiDict(),
        )
