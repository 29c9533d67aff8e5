from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def typed(schema: Mapping[str, Any], raw: str) -> str:
    """What is wrong with a query value by its schema; empty where it fits. The value itself is not told."""
    kind = schema.get("type", "string")
    if kind == "integer" and not _is_within(schema, raw):
        return "must be a whole number within its bounds"
    if kind == "boolean" and raw not in ("true", "false"):
        return "must be true or false"
    if "enum" in schema and raw not in [str(one) for one in schema["enum"]]:
        return "must be one of " + ", ".join(str(one) for one in schema["enum"])
    if schema.get("format") == "date-time" and not _is_date(raw):
        return "must be an ISO 8601 date"
    return ""


def _is_within(schema: Mapping[str, Any], raw: str) -> bool:
    if not raw.lstrip("-").isdecimal():
        return False
    return bool(schema.get("minimum", int(raw)) <= int(raw) <= schema.get("maximum", int(raw)))


def _is_date(raw: str) -> bool:
    try:
        datetime.fromisoformat(raw)
    except ValueError:
        return False
    return True
