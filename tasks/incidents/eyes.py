"""Looks at PagerDuty for incidents of alerts it took, many with one call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from tasks.incidents.grouped import milliseconds_of
from tasks.incidents.sightings import ENTRY, OPEN, PAGE
from tasks.utils.identifiers import key_id as id_of_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tasks.incidents.excuses import Excuse, Excuses
    from tasks.incidents.receipt_models import Waiting
    from tasks.utils.rest.client import RestClient

FEW: Final = 3  # so many are asked for one by one, at a glance
SEVERAL: Final = 20  # and so many when it counts
MOST_PAGES: Final = 50
MARGIN: Final = timedelta(seconds=5)
SLACK_MS: Final = 2000  # by which two clocks may differ
Item = Mapping[str, Any]


@dataclass(frozen=True)
class Senses:
    """How incidents are understood.

    `tell` takes in what they say of our alerts. `keys` are the dedup keys that can be told from one alone, `all_keys` asks for those of its
    other alerts, too. `homes` gives the PagerDuty services each key leads to, as far as is known.
    """

    tell: Callable[[Sequence[tuple[Item, Sequence[str]]]], object]
    keys: Callable[[Item], Sequence[str]]
    all_keys: Callable[[RestClient, Item], Sequence[str]]
    homes: Callable[[], Mapping[str, Collection[str]]]


class Eyes:
    """One look. What it finds is told at once, so that whoever waits for it hears of it, too."""

    def __init__(self, rest: RestClient, senses: Senses, excuses: Excuses) -> None:
        self.calls = 0
        self._rest = rest
        self._senses = senses
        self._excuses = excuses
        self._asked: dict[str, bool] = {}
        self._homes: Mapping[str, Collection[str]] | None = None

    def glance(self, rows: Sequence[Waiting]) -> Iterator[Waiting]:
        """Those PagerDuty shows at first sight; it may show others on asking."""
        if len(rows) <= FEW:
            yield from (row for row in rows if self._is_there(row))
            return
        since = datetime.fromtimestamp(min(row.begun for row in rows) / 1000, UTC) - MARGIN
        listed = self._rest.incidents.list(since=since, include=[ENTRY], sort_by="created_at:desc")
        yield from self._among(rows, self._pages(listed), self._senses.keys)

    def search(self, rows: Sequence[Waiting]) -> Iterator[tuple[Waiting, bool]]:
        """Each with whether PagerDuty has an incident of it, whatever it did with it: grouped, merged, resolved."""
        lists = self._open_and_lately_resolved(rows) if len(rows) > SEVERAL else None
        if lists is None:
            yield from ((row, self._is_there(row)) for row in rows)
            return
        there = {row.field for row in self._among(rows, lists, self._all_keys)}
        yield from ((row, row.field in there) for row in rows)

    def excuse(self, row: Waiting) -> Excuse | None:
        """Why PagerDuty may be silent about it."""
        return self._excuses.of(row)

    def _is_there(self, row: Waiting) -> bool:
        if row.field not in self._asked:
            self.calls += 1
            found = self._rest.incidents.list(
                incident_key=row.wire, date_range="all", sort_by="created_at:desc", include=[ENTRY]
            )
            shown = [item for item in islice(found, PAGE) if self._is_of(item, row)]
            self._senses.tell([(item, [row.wire]) for item in shown])
            self._asked[row.field] = bool(shown)
        return self._asked[row.field]

    def _open_and_lately_resolved(self, rows: Sequence[Waiting]) -> list[list[Item]] | None:
        """Every incident that an alert of these may have gone into; None where there are many: a long list moves while it is read.

        In this order: what is resolved between the two is in the second list.
        """
        since = min(row.begun for row in rows) - SLACK_MS
        listed = self._rest.incidents.list(statuses=OPEN, date_range="all", include=[ENTRY])
        found = [self._page(listed)]
        if len(found[0]) == PAGE:
            return None
        resolved = self._rest.incidents.list(
            statuses=["resolved"], date_range="all", sort_by="resolved_at:desc", include=[ENTRY]
        )
        for _ in range(MOST_PAGES):
            page = self._page(resolved)
            found.append(page)
            if len(page) < PAGE or min(map(_changed, page)) < since:
                return found
        return None

    def _page(self, listed: Iterator[Item]) -> list[Item]:
        self.calls += 1
        return list(islice(listed, PAGE))

    def _pages(self, listed: Iterator[Item]) -> Iterator[list[Item]]:
        for _ in range(MOST_PAGES):
            page = self._page(listed)
            yield page
            if len(page) < PAGE:
                return

    def _among(
        self, rows: Sequence[Waiting], pages: Iterable[list[Item]], keys_of: Callable[..., Sequence[str]]
    ) -> Iterator[Waiting]:
        left: dict[str, list[Waiting]] = {}
        for row in rows:
            left.setdefault(row.wire, []).append(row)
        for page in pages:
            told, found = [], []
            for item in page:
                keys = [key for key in keys_of(item) if key in left]
                mine = [row for key in keys for row in left[key] if self._is_of(item, row)]
                if mine:
                    told.append((item, keys))
                    found += mine
            self._senses.tell(told)
            for row in found:
                if row in left.get(row.wire, ()):
                    left[row.wire].remove(row)
                    yield row
            if not any(left.values()):
                return

    def _all_keys(self, item: Item) -> Sequence[str]:
        if (item.get("alert_counts") or {}).get("all", 0) <= 1:
            return self._senses.keys(item)
        self.calls += 1
        return self._senses.all_keys(self._rest, item)

    def _is_of(self, item: Item, row: Waiting) -> bool:
        """Whether the incident may be the one a trigger has opened, or gone into."""
        is_open = item["status"] in OPEN
        was_merged = bool(((item.get("resolve_reason") or {}).get("incident") or {}).get("id"))
        since = (
            row.begun if was_merged else row.newest
        )  # what was resolved before the newest trigger is not what became of it
        if not is_open and _changed(item) < since - SLACK_MS:  # in doubt it is: better no page than a false one
            return False
        channel = (item.get("first_trigger_log_entry") or {}).get("channel") or {}
        if channel.get("incident_key") == row.wire and channel.get("service_key"):
            return id_of_key(channel["service_key"]) == row.key_id
        return self._is_at_home(item, row)

    def _is_at_home(self, item: Item, row: Waiting) -> bool:
        """Whether it is of a service the key leads to. Alerts that were merged into another service's incident keep their own."""
        if self._homes is None:
            self._homes = self._senses.homes()
        homes = self._homes.get(row.key_id)
        if not homes or (item.get("service") or {}).get("id") in homes:
            return True
        if (item.get("alert_counts") or {}).get("all", 0) <= 1:
            return False
        self.calls += 1
        alerts = self._rest.incidents.alerts(item["id"])
        return any(one.get("alert_key") == row.wire and (one.get("service") or {}).get("id") in homes for one in alerts)


def _changed(item: Item) -> int:
    return max(milliseconds_of(item.get(name)) for name in ("last_status_change_at", "created_at", "resolved_at"))
