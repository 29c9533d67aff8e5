"""Makes and changes what a plan says, kind after kind, several at a time; each batch is written down before and after."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.account.adoption import Children
from tasks.backups.account.crew import Crew
from tasks.backups.account.hidden import hidden_kinds
from tasks.backups.account.kinds import BY_NAME, KINDS
from tasks.backups.account.matching import match
from tasks.backups.account.planning import Prospects, waves
from tasks.backups.account.writing import REMADE, Writer
from tasks.backups.items import Item
from tasks.utils.error_handler import TransientError
from tasks.utils.rest.errors import InvalidRequestError, RefusedError, TokenRefusedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tasks.backups.account.book import Book, Made
    from tasks.backups.account.shelf import Name, Shelf
    from tasks.backups.account.translation import Translator
    from tasks.backups.items import Progress
    from tasks.backups.restoring import Change
    from tasks.utils.rest.client import RestClient

ONE_BY_ONE: Final = ("users", "service_dependencies")
"""Of what PagerDuty locks the account or mixes up, where several are made at once."""
BATCH: Final = 64
TRIES: Final = 4
TAKEN: Final = ("already been taken", "must be unique", "already exists")
"""PagerDuty's words where something is there that its lists may not show yet."""


@dataclass(frozen=True)
class Step:
    """One thing to do: an item, in the words of the backup, and what becomes of it."""

    item: Item
    change: Change

    @property
    def is_new(self) -> bool:
        """Whether doing it twice would make two."""
        return self.change.verb == "create" and not BY_NAME[self.item.kind].hangs

    @property
    def name(self) -> tuple[str, str]:
        """The item's."""
        return (self.item.kind, self.item.id)


class Doing:
    """One run of a restore. `created` and `changed` count, `refused` tells what PagerDuty would not do, `hopeless` what nobody can."""

    def __init__(
        self, rest: RestClient, book: Book, items: Shelf, target: Shelf, translator: Translator, *, workers: int
    ) -> None:
        self.translator = translator
        self.created = 0
        self.changed = 0
        self.refused: list[Change] = []
        self.hopeless: set[Name] = set()
        self._prospects = Prospects(items, translator, hidden_kinds(target))
        self._rest = rest
        self._writer = Writer(rest)
        self._book = book
        self._items = items
        self._target = target
        self._workers = workers
        self._children = Children(items)
        self._lock = threading.Lock()
        self._made: list[Made] = []
        self._unmade: list[Step] = []
        self._unclear: dict[tuple[str, str], tuple[Step, Exception]] = {}
        self._stop: TransientError | None = None

    def all(self, progress: Progress, look_again: Callable[[], Shelf]) -> None:
        """Do everything that is left to do. `look_again` reads the account once it shows whatever may have been made."""
        total, done = len(self._items), 0
        self._recognise(list(self._book.open))
        with Crew(self._workers) as crew:
            for kind in KINDS:
                for wave in waves(self._items, kind.name):
                    while batch := list(islice(wave, BATCH)):
                        self._do(crew, list(self._steps(batch)), look_again)
                        done += len(batch)
                        progress(done, total, kind.name)

    def _steps(self, batch: Sequence[Item]) -> Iterator[Step]:
        """What is to be done with these."""
        now = self._rest.now()
        for item in batch:
            change = self._prospects.of(item, self._target, now)
            if change.verb == "create" and (item.kind, item.id) in self.translator.pairs:
                change = replace(change, verb="leave" if item.kind in REMADE else "change", why="")
            if change.verb == "cannot":
                self.hopeless.add((item.kind, item.id))
            elif change.verb != "leave":
                yield Step(item, change)

    def _do(self, crew: Crew, steps: list[Step], look_again: Callable[[], Shelf]) -> None:
        """Do these, again where it is not clear whether they were done, until each is done or refused."""
        for tried in range(1, TRIES + 1):
            self._book.begin((step.name for step in steps if step.is_new), self._rest.now())
            try:
                self._run(crew, steps)
            finally:
                self._write_down()
            if self._stop is not None:
                raise self._stop
            if not self._unclear:
                return
            steps = self._cleared(look_again, is_last=tried == TRIES)

    def _run(self, crew: Crew, steps: list[Step]) -> None:
        together = [step for step in steps if step.item.kind == "service_dependencies"]
        if together and self._depend(together):
            return
        if steps and steps[0].item.kind in ONE_BY_ONE:
            for step in steps:
                self._one(step)
        else:
            crew.all(self._one, steps)

    def _write_down(self) -> None:
        self._book.end(self._made, [step.name for step in self._unmade])
        self._made, self._unmade = [], []

    def _cleared(self, look_again: Callable[[], Shelf], *, is_last: bool) -> list[Step]:
        """Of what may have been made: that which was not, to be tried again."""
        unclear, self._unclear = self._unclear, {}
        self._target = look_again()
        self.translator.pairs.update(match(self._items, self._target, self.translator.pairs, is_same=False).pairs)
        found = self._recognise(unclear)
        left = [(step, error) for name, (step, error) in unclear.items() if name not in found]
        for step, error in left if is_last else ():
            if not isinstance(error, RefusedError):
                raise error
            self._refuse(step, str(error))
        return [*(step for step, _ in left), *self._steps([unclear[name][0].item for name in found])]

    def _recognise(self, names: Iterable[Name]) -> list[Name]:
        """Of what may have been made: that which the account has, written down now with what came along with it."""
        known = set(self._book.made)
        found = [name for name in names if name in self.translator.pairs]
        made = [(*name, self.translator.pairs[name]) for name in found]
        for kind, old, new in list(made):
            made += self._children.adopted_late(kind, old, new, self._target, self.translator.pairs)
        self.translator.pairs.update({(kind, old): new for kind, old, new in made})
        self._book.end(made)
        self.created += sum(name not in known for name in found)
        return found

    def _one(self, step: Step) -> None:
        """Do one; what comes of it is noted."""
        if self._stop is not None:
            self._note(self._unmade, step)
            return
        document, unknown = self.translator.translate(step.item.document)
        if unknown:
            self._refuse(step, f"it names {', '.join(unknown)}, which is not there")
            return
        try:
            self._write(step, Item(step.item.kind, step.item.id, document))
        except TokenRefusedError:
            raise
        except InvalidRequestError as error:
            taken = step.is_new and any(word in str(error) for word in TAKEN)
            self._doubt(step, error) if taken else self._refuse(step, str(error))
        except RefusedError as error:
            self._refuse(step, str(error))
        except TransientError as error:
            if isinstance(error, UnavailableError) and error.is_unclear and step.is_new:
                self._doubt(step, error)
            else:
                self._stop = error
                self._note(self._unmade, step)

    def _write(self, step: Step, item: Item) -> None:
        """In the account's own words."""
        if step.change.verb == "change" and not BY_NAME[item.kind].hangs:
            new = self.translator.pairs[step.name]
            there = self._target.get(item.kind, new)
            self._writer.change(Item(item.kind, new, item.document), there.document if there else {})
        elif step.is_new:
            self._keep(step, self._writer.create(item))
            self._writer.finish(item, self.translator.pairs[step.name])
            return
        else:
            self._writer.put(item)
        with self._lock:
            self.changed += step.change.verb == "change"
            self.created += step.change.verb == "create"

    def _keep(self, step: Step, made: dict[str, Any]) -> None:
        """Know what was made by its new id, and what came along with it."""
        new = str(made["id"])
        with self._lock:
            self.created += 1
            for one in ((*step.name, new), *self._children.adopted(step.item, made)):
                self.translator.pairs.setdefault((one[0], one[1]), one[2])
                self._made.append(one)

    def _depend(self, steps: list[Step]) -> bool:
        """Add dependencies in one call; False where they must be added one by one."""
        told = [self.translator.translate(step.item.document) for step in steps]
        if any(unknown for _, unknown in told):
            return False
        try:
            self._writer.depend([document for document, _ in told])
        except RefusedError:
            return False
        self.created += len(steps)
        return True

    def _doubt(self, step: Step, error: Exception) -> None:
        with self._lock:
            self._unclear[step.name] = (step, error)

    def _refuse(self, step: Step, why: str) -> None:
        with self._lock:
            self.refused.append(replace(step.change, verb="cannot", why=why))
            self._unmade.append(step)

    def _note(self, where: list[Step], step: Step) -> None:
        with self._lock:
            where.append(step)
