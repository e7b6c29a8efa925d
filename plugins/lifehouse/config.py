"""YAML at the door: read, validated by pydantic, with file, line and the nearest right spelling in every error."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from lifehouse.errors import ConfigError
from lifehouse.spelling import did_you_mean

#: PyYAML's safe loader in C, ten times as quick; the one in Python where PyYAML was built without it.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
Model = TypeVar("Model", bound="Strict")


class Strict(BaseModel):
    """A declaration without unknown keys: a misspelt key is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class OneKey(Strict):
    """A declaration that has exactly one of its keys."""

    @property
    def kind(self) -> str:
        """The attribute that is set."""
        return next(iter(self.model_fields_set))

    @property
    def node(self) -> Any:
        """What that attribute holds."""
        return getattr(self, self.kind)


def load(path: Path, model: type[Model], *, variables: bool = True) -> Model:
    """The declaration in ``path``, validated as ``model``; ``${NAME}`` and ``${NAME:-default}`` come from the environment.

    With ``variables=False`` they stay as written, for a later :func:`substitute`.

    :raises ConfigError: one line per mistake, each beginning with ``file:line``.
    """
    try:
        text = path.read_text(encoding="utf-8")
        node, data = parsed(text)
        data = data or {}
        data = substitute(data, str(path)) if variables else data
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', error)}") from error
    return validate(data, model, path, node)


def read(text: str) -> Any:
    """What a YAML document says."""
    return parsed(text)[1]


def parsed(text: str) -> tuple[yaml.Node | None, Any]:
    """A YAML document's nodes, which know their lines, and what it says; read once.

    :raises yaml.YAMLError: it is none.
    """
    loader = LOADER(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def validate(
    data: Any, model: type[Model], path: Path, node: yaml.Node | None = None, *, below: str = ""
) -> Model:
    """``data`` as ``model``; mistakes are told with the line that ``node`` (the composed YAML) gives for them.

    ``below`` is the key of the file that holds the data, if it is not the whole: what is missing there is told with its meaning.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(
            "\n".join(_describe(item, model, path, node, below) for item in _meant(error.errors(), data))
        ) from None


def substitute(value: Any, place: str = "") -> Any:
    """``value`` with every ``${NAME}`` in its strings taken from the environment.

    :raises ConfigError: a variable without default is not set.
    """
    if isinstance(value, dict):
        return {key: substitute(item, place) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, place) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        found = os.environ.get(match[1], match[2])
        if found is None:
            raise ConfigError(
                f"{place + ': ' if place else ''}the environment variable {match[1]} is not set"
            )
        return found

    return _VARIABLE.sub(replace, value)


def _meant(errors: Sequence[Any], data: Any) -> list[Any]:
    """Of a value that may be one of several kinds the mistakes in the kind that it is: a mapping, or something plain.

    What pydantic calls the kinds is taken out of the places.
    """
    models, meant = _models(Strict), []
    kinds = [_kind_at(item["loc"], models) for item in errors]
    places = [item["loc"][:at] if at else None for item, at in zip(errors, kinds, strict=True)]
    mappings = {
        place: models[item["loc"][at]]
        for item, at, place in zip(errors, kinds, places, strict=True)
        if at and place and item["loc"][at] in models
    }
    plain = {
        place
        for item, at, place in zip(errors, kinds, places, strict=True)
        if at and item["loc"][at] not in models
    }
    for item, at, place in zip(errors, kinds, places, strict=True):
        if at is None or place is None or place not in mappings:
            meant.append(item)
        elif place not in plain or isinstance(_at(data, place), dict):
            if item["loc"][at] in models:
                meant.append({**item, "loc": place + item["loc"][at + 1 :]})
        elif item["loc"][at] not in models:
            keys = [name for name, field in mappings[place].model_fields.items() if field.is_required()]
            told = f", or a mapping with {', '.join(keys)}" if keys else ", or a mapping"
            meant.append({**item, "loc": place, "msg": item["msg"] + told})
    return meant or list(errors)


def _kind_at(location: Sequence[Any], models: Container[Any]) -> int | None:
    """Where a location names a kind of value instead of a key."""
    plain = {"str", "int", "float", "bool"}
    told = (
        number
        for number, part in enumerate(location)
        if number and (part in models or part in plain or str(part).startswith("literal["))
    )
    return next(told, None)


def _models(model: type[BaseModel]) -> dict[Any, type[BaseModel]]:
    """Every declaration below ``model``, by its name."""
    found: dict[Any, type[BaseModel]] = {model.__name__: model}
    for below in model.__subclasses__():
        found |= _models(below)
    return found


def _at(data: Any, place: Sequence[Any]) -> Any:
    for part in place:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _describe(item: Any, model: type[BaseModel], path: Path, node: yaml.Node | None, below: str) -> str:
    location = [part for part in item["loc"] if not str(part).startswith(("function-", "tagged-union"))]
    where = ".".join(str(part) for part in location)
    line = line_of(node, location)
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        message = f"unknown key {location[-1]!r}{did_you_mean(str(location[-1]), known)}"
        where = ".".join(str(part) for part in location[:-1])
    elif item["type"] == "missing" and below and (field := model.model_fields.get(where)):
        message = f"is required: {field.description or 'a ' + where}"
    where = ".".join(filter(None, [below, where]))
    prefix = f"{path}:{line}" if line else str(path)
    return f"{prefix}: {where + ': ' if where else ''}{message}"


def _known_keys(model: type[BaseModel], location: list[Any]) -> list[str]:
    """The keys that are allowed at ``location``: walks the annotations as far as they are plain models."""
    current: Any = model
    for part in location:
        field = getattr(current, "model_fields", {}).get(part)
        annotation = field.annotation if field else current
        current = next(
            (a for a in _flatten(annotation) if isinstance(a, type) and issubclass(a, BaseModel)), current
        )
    fields = getattr(current, "model_fields", {})
    return [field.alias or name for name, field in fields.items()]


def _flatten(annotation: Any) -> list[Any]:
    inner = getattr(annotation, "__args__", ())
    return [annotation, *(leaf for item in inner for leaf in _flatten(item))]


def line_of(node: yaml.Node | None, location: list[Any]) -> int | None:
    """The 1-based line of the deepest part of ``location`` that the document has."""
    if node is None:
        return None
    line = node.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line
