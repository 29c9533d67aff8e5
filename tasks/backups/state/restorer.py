"""Tocsin's state put back: into Redis what it does not know, into the state folder what is not there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from tasks.backups.items import Item
from tasks.backups.restoring import Change, Outcome, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tasks.backups.files import StoredFile
    from tasks.backups.items import Progress
    from tasks.backups.restoring import Journal
    from tasks.backups.state.files_restorer import FilesRestorer
    from tasks.backups.state.parts import Part

PAGE: Final = 200
NOTHING: Final = Plan(())


@dataclass(frozen=True, slots=True)
class StatePlan(Plan):
    """With the items themselves, by kind; and the files."""

    items: tuple[Item, ...] = ()
    files: Plan = NOTHING


class StateRestorer:
    """What is known here already is newer than any backup and stays as it is, so that this can be run at any time, and twice."""

    def __init__(self, parts: Sequence[Part], files: FilesRestorer, origin: str) -> None:
        self._parts = {part.kind: part for part in parts}
        self._files = files
        self._origin = origin

    def plan(self, items: Iterable[Item | StoredFile]) -> StatePlan:
        """What would be put back."""
        documents: list[Item] = []
        files: list[StoredFile] = []
        for item in items:
            documents.append(item) if isinstance(item, Item) else files.append(item)
        documents.sort(key=self._order)
        changes = [change for page in _pages(documents) for change in self._changes(page)]
        of_files = self._files.plan(files)
        return StatePlan((*of_files.changes, *changes), tuple(documents), of_files)

    def _order(self, item: Item) -> tuple[int, str]:
        kinds = list(self._parts)
        return (kinds.index(item.kind) if item.kind in kinds else len(kinds), item.id)

    def _changes(self, page: Sequence[Item]) -> Iterator[Change]:
        kind = page[0].kind
        if kind not in self._parts:
            why = "this version of Tocsin has no such thing"
            yield from (Change("cannot", item.kind, item.id, why=why) for item in page)
            return
        known = self._parts[kind].known([item.id for item in page])
        for item in page:
            here = known.get(item.id)
            if here is None:
                why = self._parts[kind].why_not(item)
                yield Change("cannot" if why else "create", kind, item.id, _title(item), why)
            else:
                differs = tuple(
                    sorted(name for name in item.document if here.document.get(name) != item.document[name])
                )
                why = "what is here is newer" if differs else ""
                yield Change("leave", kind, item.id, _title(item), why, differs)

    def apply(self, plan: Plan, journal: Journal, progress: Progress) -> Outcome:
        """Files first: by them Redis' loss is noticed and told. Then the rest, in the order of the plan."""
        if not isinstance(plan, StatePlan):
            raise TypeError("a plan of another restorer")
        of_files = self._files.apply(plan.files, journal, progress)
        wanted = {(change.kind, change.id) for change in plan.changes if change.verb == "create"}
        items = [item for item in plan.items if (item.kind, item.id) in wanted]
        made = 0
        for done, item in enumerate(items, start=1):
            made += self._parts[item.kind].restore(item, self._origin)
            progress(done, len(items), item.kind)
        wrong = [change for page in _pages(items) for change in self._missing(page)]
        return Outcome(of_files.created + made, of_files.changed, (*of_files.differences, *wrong))

    def _missing(self, page: Sequence[Item]) -> Iterator[Change]:
        known = self._parts[page[0].kind].known([item.id for item in page])
        for item in page:
            if item.id not in known:
                yield Change("create", item.kind, item.id, _title(item), "is not there after it was put back")


def _title(item: Item) -> str:
    document = item.document
    for told in (document, document.get("alert"), document.get("event")):
        if isinstance(told, dict):
            for name in ("dedup_key", "summary", "comment", "name"):
                if told.get(name):
                    return str(told[name])
    return ""


def _pages(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Runs of one kind, none too long."""
    start = 0
    while start < len(items):
        kind = items[start].kind
        page = [item for item in islice(items, start, start + PAGE) if item.kind == kind]
        yield page
        start += len(page)
