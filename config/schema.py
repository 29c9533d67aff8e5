"""JSON Schema of the files, so that an editor completes and checks them while they are written."""

from datetime import timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from config.findings import ELSEWHERE
from config.holidays import Holidays
from config.models import ALIASES, Settings
from config.policies import EscalationPolicy
from config.services import Service
from config.values import format_duration

Kind = Literal["settings", "service", "policy", "holidays"]

MODELS: Final[dict[Kind, type[BaseModel]]] = {
    "settings": Settings,
    "service": Service,
    "policy": EscalationPolicy,
    "holidays": Holidays,
}
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE: Final = {"type": "string", "pattern": r"\$\{|^enc:"}  # ${VAR} or an encrypted one stands for any value
_LEAVES: Final = {"integer", "number", "boolean"}
_ABOUT: Final = ("description", "default", "title")


def json_schema(kind: Kind) -> dict[str, Any]:
    """The schema of `pagerduty.yaml` and `environments/*.yaml` ("settings"), of `services/*.yaml` ("service"), and so on.

    It allows what the loader allows: `${VAR}` in place of any value, lengths of time with units. Nothing is required that
    another file, the environment or the name of the file may give.
    """
    schema = MODELS[kind].model_json_schema(schema_generator=_Generator)
    written: dict[str, Any] = _as_written(schema)
    properties = written["properties"]
    for name in ELSEWHERE if kind == "settings" else ():
        properties.pop(name, None)
    given_elsewhere = {"name", *(Settings.model_fields if kind == "settings" else ())}
    written["required"] = [name for name in written.get("required", ()) if name not in given_elsewhere]
    if kind == "settings":
        properties["environment"]["anyOf"][0]["enum"] += ALIASES
    return {"$schema": _DIALECT, **written, "title": f"Tocsin {kind}"}


class _Generator(GenerateJsonSchema):
    """Pydantic's own, which would refuse kinds that never stand in a file."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:
        del schema, error_info
        return {}


def _as_written(schema: Any) -> Any:
    """The schema of the values as people write them, instead of as Python holds them."""
    if isinstance(schema, list):
        return [_as_written(part) for part in schema]
    return _rule_as_written(schema) if isinstance(schema, dict) else schema


def _rule_as_written(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("format") == "duration":
        return _duration(schema)
    if "$ref" in schema:
        return {
            **_about(schema),
            "anyOf": [{"$ref": schema["$ref"]}, {"type": "null"}],
        }  # an empty heading changes nothing
    if "enum" in schema or "const" in schema or "pattern" in schema or schema.get("type") in _LEAVES:
        rule = {name: part for name, part in schema.items() if name not in _ABOUT}
        return {**_about(schema), "anyOf": [rule, _VARIABLE]}
    if schema.get("writeOnly"):
        return {**_about(schema, but="default"), "type": "string"}
    # An entry that fits several kinds, for its kind is ${VAR}, is no fault.
    return {"anyOf" if name == "oneOf" else name: _as_written(part) for name, part in schema.items()}


def _about(schema: dict[str, Any], *, but: str = "") -> dict[str, Any]:
    return {name: schema[name] for name in _ABOUT if name in schema and name != but}


def _duration(schema: dict[str, Any]) -> dict[str, Any]:
    written = {**_about(schema), "type": ["string", "number"]}
    if isinstance(schema.get("default"), str):
        written["default"] = format_duration(TypeAdapter(timedelta).validate_python(schema["default"]))
    return written
