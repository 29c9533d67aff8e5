"""What of a call's arguments goes on record: the names of those that were given, and the ids among their values; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Fields that say what an act is done to, the first that was given first.
OBJECTS: Final = (
    "id", "ids", "uid", "event_id", "event_ids", "incidents", "targets", "names", "name", "backup", "backup_id", "entry", "key_id",
    "subscription", "subject", "service", "services", "into", "breaker", "file", "path", "group", "mapping", "account", "release",
)  # fmt: skip
# Fields whose values say how it is done, and nothing of anybody's.
MANNERS: Final = frozenset({
    "action", "verb", "kind", "role", "scope", "scopes", "format", "reason", "environment", "version", "revision", "state", "urgency",
    "since_seconds", "older_than_seconds", "seconds", "duration_seconds", "escalation_policy", "request_id", "into", "keep",
})  # fmt: skip
_ID: Final = re.compile(r"[\w.:@/+=#*-]{1,200}")
MOST_IN_NAME: Final = 3


def object_of(capability: str, arguments: Mapping[str, Any]) -> str:
    """`<kind>/<id>` for what the arguments name first; '' where they name nothing. `capability` is the plural of the kind."""
    for name in OBJECTS:
        ids = list(_ids(arguments.get(name)))
        if ids:
            more = f",+{len(ids) - MOST_IN_NAME}" if len(ids) > MOST_IN_NAME else ""
            return f"{_noun(capability, name)}/{','.join(ids[:MOST_IN_NAME])}{more}"
    return ""


def detail_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The names of the fields that were given, and what may be told of their values."""
    given = {name: value for name, value in arguments.items() if value not in (None, "", [], {}, (), False)}
    told: dict[str, Any] = {}
    for name in sorted(given):
        ids = list(_ids(given[name])) if name in OBJECTS or name in MANNERS else []
        if ids:
            told[name] = ids if len(ids) > 1 else ids[0]
    return {**told, "given": sorted(given)} if given else told


def _ids(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list | tuple | set | frozenset) else (value,):
        if isinstance(one, str | int | float) and not isinstance(one, bool) and _ID.fullmatch(str(one)):
            yield str(one)


def _noun(capability: str, field: str) -> str:
    if field in ("service", "services", "subject", "file", "path", "subscription"):
        return field.removesuffix("s")
    return capability[:-1] if capability.endswith("s") and not capability.endswith("ss") else capability
