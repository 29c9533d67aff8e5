"""The ledger as Python reads it: one stream, five fields an entry. Only Lua writes it (lua/lib/ledger.lua)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.keys import Keys

BEFORE_ALL: Final = "0-0"
PAGE: Final = 1000
_BUNDLE: Final = re.compile(r"bundle-\d+-\d+")
_EPOCH: Final = re.compile(r"epoch-\d+")
_ESCALATION: Final = re.compile(r"escalation-[0-9a-f]{32}-\d+")


class Entry(NamedTuple):
    """One step of one event's story. `id` is the stream's, `at` milliseconds by the one clock."""

    id: str
    at: int
    event: str
    step: str
    reason: str
    detail: str


class Ledger:
    """Reads the stream in pages, so that neither side holds all of it at once."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._key = keys.ledger

    def read(self, after: str = BEFORE_ALL, until: str = "+", *, page: int = PAGE) -> Iterator[list[Entry]]:
        """Pages of the entries behind id `after`, up to id `until` (inclusive), oldest first."""
        while entries := self._page(after, until, page):
            yield entries
            if len(entries) < page:
                return
            after = entries[-1].id

    def last_id(self) -> str:
        """The id of the newest entry; `0-0` when there is none."""
        newest = self._client.xrevrange(self._key, count=1)
        return str(newest[0][0]) if newest else BEFORE_ALL

    def holds(self, entry_id: str) -> bool:
        """Whether this very entry is in the stream."""
        return bool(self._client.xrange(self._key, entry_id, entry_id))

    def _page(self, after: str, until: str, page: int) -> list[Entry]:
        found = self._client.xrange(self._key, f"({after}", until, page)
        return [_entry(entry_id, fields) for entry_id, fields in found]


def is_bundle(event_id: str) -> bool:
    """Whether a story is that of a message that tells of several events, each of which has a story of its own."""
    return _BUNDLE.fullmatch(event_id) is not None


def is_epoch(event_id: str) -> bool:
    """Whether a story is that of a data set as a whole, not of an event."""
    return _EPOCH.fullmatch(event_id) is not None


def is_escalation(event_id: str) -> bool:
    """Whether a story is that of an escalation: of what was done while nobody answered."""
    return _ESCALATION.fullmatch(event_id) is not None


def order(entry_id: str) -> tuple[int, int]:
    """An entry's place in its stream, for comparing."""
    moment, _, number = entry_id.partition("-")
    return int(moment), int(number or 0)


def _entry(entry_id: str, fields: dict[str, str]) -> Entry:
    at = fields.get("t") or entry_id.partition("-")[0]
    read = fields.get
    return Entry(entry_id, int(at), read("e", ""), read("s", ""), read("r", ""), read("d", ""))
