"""What differs between two snapshots, by the names of their objects alone; content is read only of what differs."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tasks.backups.account.differences import difference
from tasks.backups.account.kinds import BY_NAME
from tasks.backups.items import Item
from tasks.backups.listings import FILE
from tasks.backups.models import Difference, DiffReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tasks.backups.manifests import Manifest
    from tasks.backups.objects import Objects
    from tasks.backups.repository import Named, Repository

MOST_FIELDS = 50
MOST_KEPT = 10_000  # items at hand while differences are put into words
ACCOUNT = "account"


class Words:
    """Says for people what became of an item of PagerDuty's. `were` and `are` read items, as they were and as they are."""

    def __init__(self, were: Callable[[str, str], Item | None], are: Callable[[str, str], Item | None]) -> None:
        self._were, self._are = lru_cache(MOST_KEPT)(were), lru_cache(MOST_KEPT)(are)

    def of(self, name: str) -> str:
        """One line; empty where it is not PagerDuty's, or means the same."""
        part, _, rest = name.partition("/")
        kind, _, item_id = rest.partition("/")
        if part != ACCOUNT or kind not in BY_NAME:
            return ""
        found = difference(self._were(kind, item_id), self._are(kind, item_id), self._were, self._are)
        return str(found) if found else ""


class Differ:
    """Compares manifests of one repository. Before and after a key was set the same content has different names."""

    def __init__(self, repository: Repository, objects: Objects) -> None:
        self._repository = repository
        self._objects = objects

    def compare(self, before: Manifest, after: Manifest) -> DiffReport:
        """Every item that was added, removed or changed, with the fields that changed."""
        old = {named.name: named for named in self._repository.named(before, self._objects)}
        new = {named.name: named for named in self._repository.named(after, self._objects)}
        words = Words(self._items(dict(old)), self._items(new))
        report = DiffReport(before=before.snapshot.id, after=after.snapshot.id)
        for named in new.values():
            was = old.pop(named.name, None)
            if was is None:
                report.added += 1
                report.differences.append(Difference(item=named.name, change="added"))
            elif was.object != named.object and (fields := self._fields(was, named)) is not None:
                report.changed += 1
                report.differences.append(Difference(item=named.name, change="changed", fields=fields))
        for name in old:
            report.removed += 1
            report.differences.append(Difference(item=name, change="removed"))
        report.differences.sort(key=lambda one: one.item)
        for one in report.differences:
            one.words = words.of(one.item)
        return report

    def _items(self, known: dict[str, Named]) -> Callable[[str, str], Item | None]:
        """Reads items of the account, by kind and id."""

        def read(kind: str, item_id: str) -> Item | None:
            named = known.get(f"{ACCOUNT}/{kind}/{item_id}")
            return Item(kind, item_id, json.loads(self._objects.read(named.object))) if named else None

        return read

    def _fields(self, was: Named, now: Named) -> list[str] | None:
        """The fields that differ; None where none does."""
        before, after = self._objects.read(was.object), self._objects.read(now.object)
        if before == after:
            return None
        if FILE in (was.form, now.form):
            return []
        return sorted(_changed(json.loads(before), json.loads(after)))[:MOST_FIELDS]


def _changed(before: Any, after: Any, path: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            yield from _changed(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif before != after:
        yield path
