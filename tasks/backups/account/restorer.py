"""Brings an account's configuration back, into the same account or another."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tasks.backups.account.book import Book
from tasks.backups.account.doing import Doing
from tasks.backups.account.matching import match
from tasks.backups.account.planning import AccountPlan, plan_of
from tasks.backups.account.reader import AccountReader
from tasks.backups.account.shelf import Shelf
from tasks.backups.account.verification import differences_from
from tasks.backups.restoring import Outcome
from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tasks.backups.items import FileItem, Item, Progress
    from tasks.backups.restoring import Change, Journal, Plan
    from tasks.utils.rest.client import RestClient

SETTLE: Final = timedelta(seconds=30)
WORKERS: Final = 8
ACCOUNT: Final = "account"


class AccountRestorer:
    """Restores into the account of `rest`, which has the share of the calls that restoring may take.

    `settle`: so long after it was made, PagerDuty's lists may not show an object yet.
    """

    name = ACCOUNT

    def __init__(
        self,
        rest: RestClient,
        *,
        workers: int = WORKERS,
        settle: timedelta = SETTLE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rest = rest
        self._workers = workers
        self._settle = settle
        self._sleep = sleep

    def plan(self, items: Iterable[Item | FileItem], progress: Progress | None = None) -> AccountPlan:
        """What would be done; the account is read for it, and nothing is changed."""
        backup = Shelf(item for item in items if hasattr(item, "document"))  # type: ignore[misc]
        read_at = self._rest.now()
        return plan_of(backup, self._read(progress or _silent), read_at)

    def apply(self, plan: Plan, journal: Journal, progress: Progress) -> Outcome:
        """Do it, going on where the journal ends, and read again what came of it. What the plan says nobody can is no difference."""
        if not isinstance(plan, AccountPlan):
            raise PermanentError("this plan was not made by an AccountRestorer; make one with its `plan`")
        is_same, items = plan.is_same, plan.items
        book = Book(journal, _host(plan.target))
        target = self._settled(plan, book, progress)
        translator = match(items, target, book.made, is_same=is_same)
        doing = Doing(self._rest, book, items, target, translator, workers=self._workers)
        doing.all(progress, lambda: self._after_settling(progress))
        known = doing.hopeless | {(one.kind, one.id) for one in doing.refused}
        found = self._verified(items, doing, known, progress)
        return Outcome(doing.created, doing.changed, (*doing.refused, *found))

    def _settled(self, plan: AccountPlan, book: Book, progress: Progress) -> Shelf:
        """The account as it is once it shows whatever a killed run has made."""
        if not book.open:
            return plan.target
        shown_at = max(book.open.values()) + self._settle
        if plan.read_at >= shown_at:
            return plan.target
        self._sleep(max(0.0, (shown_at - self._rest.now()).total_seconds()))
        return self._read(progress)

    def _after_settling(self, progress: Progress) -> Shelf:
        self._sleep(self._settle.total_seconds())
        return self._read(progress)

    def _verified(
        self, items: Shelf, doing: Doing, known: set[tuple[str, str]], progress: Progress
    ) -> tuple[Change, ...]:
        """What differs although it was restored; looked at once more where PagerDuty may not show it yet."""
        now = self._rest.now()
        found = differences_from(items, self._read(progress), doing.translator, known, now)
        if found and (doing.created or doing.changed):
            found = differences_from(items, self._after_settling(progress), doing.translator, known, now)
        return found

    def _read(self, progress: Progress) -> Shelf:
        return Shelf(AccountReader(self._rest, workers=self._workers, sleep=self._sleep).read(progress))


def _host(target: Shelf) -> str:
    account = target.get(ACCOUNT, ACCOUNT)
    return str(account.document.get("host", "")) if account else ""


def _silent(done: int, total: int | None, what: str) -> None:
    """Nobody looks on."""
