"""How filters become a query, as PagerDuty wants it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping

Pairs = list[tuple[str, str]]


def query(filters: Mapping[str, Any]) -> Pairs:
    """Names and texts: a list becomes `name[]` once for each member, a datetime ISO 8601; None and empty lists are left out.

    Raises PermanentError for an empty text: PagerDuty takes an empty filter for none and answers with everything.
    """
    pairs: Pairs = []
    for name, value in filters.items():
        if isinstance(value, list | tuple | set | frozenset):
            members = sorted(value) if isinstance(value, set | frozenset) else value
            pairs += [(f"{name.removesuffix('[]')}[]", _text(name, member)) for member in members]
        elif value is not None:
            pairs.append((name, _text(name, value)))
    return pairs


def instant(at: datetime) -> str:
    """A moment as PagerDuty reads it, in UTC to the millisecond."""
    if at.tzinfo is None:
        raise PermanentError(f"{at.isoformat()} has no time zone; say which one is meant")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The moment that PagerDuty wrote."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def path_of(*parts: str) -> str:
    """A path of these parts, each escaped: an id is never more than one part, nor a step up."""
    for part in parts:
        if not part or part in {".", ".."} or not part.isprintable():
            raise PermanentError(f"{part!r} is no id")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = instant(value) if isinstance(value, datetime) else str(value)
    if not text:
        raise PermanentError(f"the filter {name} is empty; leave it out or give a value")
    return text
