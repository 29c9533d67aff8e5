"""Turns what pydantic says into problems with a place and a way to mend them."""

from collections.abc import Iterator
from dataclasses import dataclass
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
    "policies": "a policy is a file of its own: policies/NAME.yaml",
    "holidays": "a list of holidays is a file of its own: holidays/NAME.yaml",
    "config_dir": "set it outside of the files: TOCSIN_CONFIG_DIR",
}
Kinds = dict[str, type[BaseModel]]
_NO_KINDS: Kinds = {}
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


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where in the settings an error is: its path as files have it, the field there, and the models it may belong to, by kind."""

    path: Path
    field: FieldInfo | None
    owner: type[BaseModel] | None
    kinds: Kinds


def findings(error: ValidationError, model: type[BaseModel], node: Node) -> Iterator[Problem]:
    """A problem for each error of one validation, placed by the node the values came from."""
    details = [(detail, _spot(model, detail)) for detail in error.errors(include_url=False)]
    paths = [spot.path for _, spot in details]
    for detail, spot in details:
        if _is_told_elsewhere(detail, spot.path, paths, node):
            continue
        origin = node.nearest(spot.path).origin
        key = dotted(spot.path)
        if origin.variable:
            key = f"{key} (from ${{{origin.variable}}})"
        if origin.is_sealed:
            yield Problem(str(origin), key, "does not fit, once decrypted", _mend_sealed(spot))
            continue
        yield Problem(str(origin), key, _what(dict(detail), spot.field), _mend(dict(detail), spot))


def _is_told_elsewhere(detail: ErrorDetails, path: Path, paths: list[Path], node: Node) -> bool:
    """Whether this follows from another problem: an entry at fault makes its list too short, an unset ${VAR} a gap."""
    if any(len(other) > len(path) and other[: len(path)] == path for other in paths):
        return True
    found = None if detail["type"] == "extra_forbidden" else node.find(path)
    return found is not None and found.value is None and (found.origin.variable is not None or found.origin.is_sealed)


def types_in(annotation: Any) -> set[Any]:
    """Every type that occurs in a type expression."""
    inner = get_args(annotation)
    return set().union(*(types_in(part) for part in inner)) if inner else {annotation}


def _spot(model: type[BaseModel], detail: ErrorDetails) -> _Spot:
    """Follow the place of an error through the models; where one of several kinds was chosen, pydantic names the kind in between."""
    path: list[str | int] = []
    field: FieldInfo | None = None
    at: type[BaseModel] | None = model
    owner, kinds = at, _NO_KINDS
    for part in detail["loc"]:
        if at is None and part in kinds:
            at = kinds[str(part)]
            continue
        path.append(part)
        if isinstance(part, str):
            owner, field = at, fields_of(at).get(part) if at else None
            kinds = _kinds_in(field) or kinds
            at = None if _kinds_in(field) else model_in(field)
    if detail["type"] == "union_tag_invalid":
        path.append("kind")
    return _Spot(tuple(path), field, owner, kinds)


def models_in(field: FieldInfo | None) -> list[type[BaseModel]]:
    """The models that a field may hold, alone or in a list."""
    kinds = types_in(field.annotation) if field else set()
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def model_in(field: FieldInfo | None) -> type[BaseModel] | None:
    """The model that a field holds, alone or in a list, if any."""
    return next(iter(models_in(field)), None)


def _kinds_in(field: FieldInfo | None) -> Kinds:
    """The models of a field that may hold several, by their kind."""
    models = models_in(field)
    return {get_args(one.model_fields["kind"].annotation)[0]: one for one in models} if len(models) > 1 else {}


def _what(detail: dict[str, Any], field: FieldInfo | None) -> str:
    kind = detail["type"]
    message = str(detail["msg"]).replace("Input should be", "must be").replace("datetime.timedelta(0)", "0")
    message = message.removeprefix("Value error, ")
    if detail["input"] is None and kind != "extra_forbidden":
        return "has no value"
    if kind == "union_tag_invalid":
        return f"there is no kind {str(detail['ctx']['tag'])[:60]!r}"
    what: str = _WHAT.get(kind) or message[:1].lower() + message[1:]
    if field is not None and not _may_hold_secret(field) and isinstance(detail["input"], str | int | float):
        return f"{what}, got {str(detail['input'])[:60]!r}"
    return what


def _may_hold_secret(field: FieldInfo) -> bool:
    beneath = (one.annotation for model in models_in(field) for one in model.model_fields.values())
    return any(SecretStr in types_in(annotation) for annotation in (field.annotation, *beneath))


def _mend(detail: dict[str, Any], spot: _Spot) -> str:
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, UnfitError):
        return cause.mend
    if detail["type"] == "union_tag_invalid":
        return did_you_mean(str(detail["ctx"]["tag"]), sorted(spot.kinds))
    if detail["type"] == "extra_forbidden":
        return _mend_unknown(spot)
    return (
        f"expected: {spot.field.description}" if spot.field and spot.field.description else "see docs/configuration.md"
    )


def _mend_sealed(spot: _Spot) -> str:
    """No part of the value is repeated."""
    expected = f" Expected: {spot.field.description}" if spot.field and spot.field.description else ""
    return f"encrypt the right value with `tocsin config encrypt`.{expected}"


def _mend_unknown(spot: _Spot) -> str:
    name = str(spot.path[-1])
    if len(spot.path) == 1 and name in ELSEWHERE:
        return ELSEWHERE[name]
    others = sorted(kind for kind, model in spot.kinds.items() if name in fields_of(model))
    if others:
        return f"remove it, or write `kind: {others[0]}`: {', '.join(others)} has it"
    if spot.owner is None:
        return "remove it"
    return did_you_mean(name, [known for known in fields_of(spot.owner) if known not in ELSEWHERE])
