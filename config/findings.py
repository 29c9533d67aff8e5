"""Turns what pydantic says into problems with a place and a way to mend them."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from config.errors import Problem, UnfitError, did_you_mean
from config.section import fields_of
from config.sources import Node, Path, dotted

ELSEWHERE = {
    "services": "a service is a file of its own: services/NAME.yaml",
    "mappings": "a mapping is a file of its own: mappings/NAME.yaml",
    "config_dir": "set it outside of the files: TOCSIN_CONFIG_DIR",
}
_WHAT = {
    "missing": "is missing",
    "extra_forbidden": "there is no such setting",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "string_type": "must be a single value",
    "model_type": "must be a section of keys and values",
    "tuple_type": "must be a list",
    "too_short": "needs at least one entry",
    "string_pattern_mismatch": "has characters that are not allowed here, or the wrong form",
}


def findings(error: ValidationError, model: type[BaseModel], node: Node) -> Iterator[Problem]:
    """A problem for each error of one validation, placed by the node the values came from."""
    details = error.errors(include_url=False)
    for detail in details:
        path: Path = detail["loc"]
        if _is_told_elsewhere(detail, details, node):
            continue
        origin = node.nearest(path).origin
        field = _field(model, path)
        key = dotted(path)
        if origin.variable:
            key = f"{key} (from ${{{origin.variable}}})"
        yield Problem(str(origin), key, _what(dict(detail), field), _mend(dict(detail), model, path, field))


def _is_told_elsewhere(detail: ErrorDetails, details: list[ErrorDetails], node: Node) -> bool:
    """Whether this follows from another problem: an entry at fault makes its list too short, an unset ${VAR} a gap."""
    path = detail["loc"]
    if any(len(other["loc"]) > len(path) and other["loc"][: len(path)] == path for other in details):
        return True
    found = None if detail["type"] == "extra_forbidden" else node.find(path)
    return found is not None and found.value is None and found.origin.variable is not None


def types_in(annotation: Any) -> set[Any]:
    """Every type that occurs in a type expression."""
    inner = get_args(annotation)
    return set().union(*(types_in(part) for part in inner)) if inner else {annotation}


def _field(model: type[BaseModel], path: Path) -> FieldInfo | None:
    field: FieldInfo | None = None
    at: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int):
            continue
        field = fields_of(at).get(part) if at else None
        at = model_in(field)
    return field


def model_in(field: FieldInfo | None) -> type[BaseModel] | None:
    """The model that a field holds, alone or in a list, if any."""
    kinds = types_in(field.annotation) if field else set()
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _what(detail: dict[str, Any], field: FieldInfo | None) -> str:
    kind = detail["type"]
    message = str(detail["msg"]).replace("Input should be", "must be").replace("datetime.timedelta(0)", "0")
    message = message.removeprefix("Value error, ")
    if detail["input"] is None and kind != "extra_forbidden":
        return "has no value"
    what: str = _WHAT.get(kind) or message[:1].lower() + message[1:]
    is_public = field is not None and SecretStr not in types_in(field.annotation)
    if is_public and isinstance(detail["input"], str | int | float):
        return f"{what}, got {str(detail['input'])[:60]!r}"
    return what


def _mend(detail: dict[str, Any], model: type[BaseModel], path: Path, field: FieldInfo | None) -> str:
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, UnfitError):
        return cause.mend
    if detail["type"] == "extra_forbidden":
        return _mend_unknown(model, path)
    return f"expected: {field.description}" if field and field.description else "see docs/configuration.md"


def _mend_unknown(model: type[BaseModel], path: Path) -> str:
    name = str(path[-1])
    if len(path) == 1 and name in ELSEWHERE:
        return ELSEWHERE[name]
    at = model_in(_field(model, path[:-1])) if path[:-1] else model
    return did_you_mean(name, [known for known in fields_of(at) if known not in ELSEWHERE]) if at else "remove it"
