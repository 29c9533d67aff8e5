"""Whether two documents say the same, whatever their parts are numbered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.account.canonical import SUFFIX, is_reference, order_of
from tasks.backups.account.kinds import BY_NAME
from tasks.utils.rest.parameters import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.backups.items import Item

EMPTY: Final[tuple[Any, ...]] = (None, "", [])
ADDED: Final = {"tag_assignments": "labels", "service_custom_field_values": "custom_fields"}
"""What putting in place adds to, and takes nothing from."""
BEGIN: Final = "effective_since"
ASKEW: Final = timedelta(hours=1)  # so far may PagerDuty's clock be ahead of ours
RULES: Final = ("orchestration_rules", "service_orchestrations")
TIMES: Final = (
    "start",
    "end",
    "start_time",
    "end_time",
    "effective_since",
    "effective_until",
    "rotation_virtual_start",
)


def comparable(kind: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without what may differ though it means the same."""
    known = BY_NAME[kind]
    kept = {name: value for name, value in document.items() if value not in EMPTY}
    for name in known.numbered:
        kept[name] = [{key: one for key, one in part.items() if key != "id"} for part in kept.get(name, ())]
    if kind in RULES:
        kept["sets"] = [{**one, "rules": [_without_id(rule) for rule in one["rules"]]} for one in kept["sets"]]
    for name in known.unordered:
        if name in kept:
            kept[name] = sorted(kept[name], key=order_of)
    plain: dict[str, Any] = _plain("", kept)
    return plain


def differing(kind: str, one: Mapping[str, Any], other: Mapping[str, Any], now: datetime | None = None) -> list[str]:
    """The names of the fields that do not say the same.

    `now`, of a restore: it takes nothing away, so the other may have more of what is only added; and a rotation's event that had
    begun has begun, whenever that was, since PagerDuty lets none begin in the past.
    """
    first, second = comparable(kind, one), comparable(kind, other)
    found = sorted(name for name in {*first, *second} if first.get(name) != second.get(name))
    if now and found == [ADDED.get(kind)] and all(part in second.get(found[0], ()) for part in first.get(found[0], ())):
        return []
    if now and kind == "users" and "license" in found and not (first.get("license") and second.get("license")):
        found.remove("license")  # whose allocation cannot be seen
    if now and found == [BEGIN] and all(moment(since[BEGIN]) <= now + ASKEW for since in (one, other)):
        return []
    return found


def key_of(kind: str, document: Mapping[str, Any]) -> tuple[str, ...] | None:
    """By what an object is known in any account; None where it names something that is not there."""
    known = BY_NAME[kind]
    parts = []
    for name in known.key:
        value = document.get(name)
        if value is None and name in ("user", "service", "schedule", "team", known.owner):
            return None
        if isinstance(value, list) and name in known.unordered:
            value = sorted(value, key=order_of)
        parts.append(
            json.dumps(_plain(name, _nameless(value)), sort_keys=True).casefold() if value not in EMPTY else ""
        )
    return tuple(parts)


def title_of(item: Item) -> str:
    """The name people know it by, or its id."""
    value: Any = item.document.get(BY_NAME[item.kind].title)
    if is_reference(value):
        return f"{value['type'].removesuffix(SUFFIX).replace('_', ' ')} {value['id']}"
    return str(value or item.id)


def is_over(kind: str, document: Mapping[str, Any], now: datetime) -> bool:
    """Whether it is a span of time that has passed."""
    ends = {
        "maintenance_windows": "end_time",
        "v3_overrides": "end_time",
        "v3_custom_shifts": "end_time",
        "schedule_overrides": "end",
    }
    return kind in ends and moment(document[ends[kind]]) <= now


def _without_id(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name != "id"}


def _nameless(value: Any) -> Any:
    """Without the ids that parts have of their own."""
    if isinstance(value, list):
        return [_nameless(one) for one in value]
    if isinstance(value, dict) and not is_reference(value):
        return {key: _nameless(one) for key, one in value.items() if key != "id"}
    return value


def _plain(name: str, value: Any) -> Any:
    """References by their ids, and moments in one way of writing."""
    if is_reference(value):
        return value["id"]
    if isinstance(value, dict):
        return {key: _plain(key, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(name, one) for one in value]
    if isinstance(value, str) and name in TIMES:
        return _written(value)
    return value


def _written(text: str) -> str:
    try:
        return moment(text).astimezone(UTC).isoformat()
    except ValueError:
        return text  # a time of day
