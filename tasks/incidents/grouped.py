"""What PagerDuty shows of a group: each message of it named its news, so all of them together tell who is in it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.rest.parameters import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

GROUP: Final = "tocsin-group-"  # what the dedup keys of groups begin with, see lua/lib/group.lua
STORM: Final = ":storm"  # what the destinations of storms' summaries end with, see lua/lib/storm.lua


@dataclass(frozen=True)
class Membership:
    """One alert that a group told of, as it was told last. `at`: when that happened to it (ms)."""

    key: str
    action: str
    at: int
    entry: Mapping[str, Any]


@dataclass(frozen=True)
class Story:
    """All alerts a group told of. `is_whole`: nothing was told that is not among them."""

    labels: Mapping[str, str]
    members: Sequence[Membership]
    is_whole: bool


def read_story(messages: Sequence[Any], *, is_whole: bool) -> Story:
    """The group by the details of its messages, the oldest first; `is_whole`: whether these are all there were.

    Details that come again are taken for those of another message, shown in place of its own: what that one told is not known.
    """
    known: dict[str, Membership] = {}
    labels: dict[str, str] = {}
    seen: list[Any] = []
    for details in messages:
        if not isinstance(details, dict) or "counts" not in details:
            is_whole = False
            continue
        labels = details.get("group") or labels
        is_whole = is_whole and details not in seen and _names_all(details)
        seen += [details] if details.get("alerts") else []
        known.update((member.key, member) for member in _news(details))
    return Story(labels, list(known.values()), is_whole)


def milliseconds_of(text: str | None) -> int:
    """A moment as PagerDuty and we write it; 0 for none."""
    return round(moment(text).timestamp() * 1000) if text else 0


def _news(details: Mapping[str, Any]) -> Iterator[Membership]:
    """Oldest first. Where there were many, the others are named by their keys alone; they fired if nothing else happened."""
    listed = list(reversed(details.get("alerts") or ()))
    at = min((milliseconds_of(one.get("at")) for one in listed), default=0)
    if not _has_others(details):
        yield from (Membership(key, "trigger", at, {}) for key in details.get("also") or () if _is_uncut(key))
    for one in listed:
        if _is_uncut(one.get("dedup_key")):
            yield Membership(one["dedup_key"], one.get("action", "trigger"), milliseconds_of(one.get("at")), one)


def _names_all(details: Mapping[str, Any]) -> bool:
    named = not details.get("more") or not _has_others(details)
    keys = [*(one.get("dedup_key") for one in details.get("alerts") or ()), *(details.get("also") or ())]
    return named and all(map(_is_uncut, keys))


def _is_uncut(key: str | None) -> bool:
    """Whether there is a key that names its alert; very long ones end in an ellipsis."""
    return bool(key) and not str(key).endswith("…")


def _has_others(details: Mapping[str, Any]) -> bool:
    """Whether a message told of more than what fires."""
    return any(details["counts"].get(name) for name in ("acknowledged", "resolved"))
