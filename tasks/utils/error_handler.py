"""Every error raised on purpose, sorted by whether trying again may help; and the handler that keeps count of all errors."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

import redis

from tasks.utils.connect import open_configured
from tasks.utils.error_journal import ErrorEntry, ErrorJournal
from tasks.utils.error_reports import ErrorReport, examine, outcome

if TYPE_CHECKING:
    from datetime import timedelta

    from tasks.utils.keys import Keys

MOST_KINDS: Final = (
    50  # kinds of error kept apart between two writes; a storm of ever new ones must not fill the journal
)
SOON: Final = 0.2  # seconds; what happens meanwhile is counted together
LATER: Final = 5.0  # while the server is away


class TocsinError(Exception):
    """Base of every error raised on purpose; its text is meant for a person."""


class TransientError(TocsinError):
    """May pass by itself. `retry_after` is the other side's own wish, in seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentError(TocsinError):
    """Trying again cannot help: a bad request, an unknown id, a rejected token."""


class InvalidAlertError(PermanentError):
    """An alert that cannot be delivered as it stands; `errors` names every field at fault."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


class InvalidRuleError(PermanentError):
    """A silence or other rule that cannot stand as it is; `errors` names every fault."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


class DeniedError(PermanentError):
    """Whoever asks may not do that, or does not show that they may."""


class UnknownError(PermanentError):
    """There is nothing by that id."""


class ErrorHandler:
    """Sorts errors and keeps them where `tocsin errors` shows them; it neither waits nor raises, whatever happens.

    Without arguments it uses the configured server. Occurrences are counted here for a moment and written together by a
    thread of its own, so that a storm of errors costs a few writes a second. While the server is away they wait here.
    """

    def __init__(self, client: Any = None, keys: Keys | None = None) -> None:
        if client is None or keys is None:
            client, keys = open_configured()
        self._journal = ErrorJournal(client, keys)
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._pending: dict[str, tuple[ErrorReport, int]] = {}
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def record(self, error: BaseException, where: str = "") -> ErrorReport:
        """Keep one error; `where` names the task or door it happened in. Returns what is made of it."""
        report = examine(error, where)
        self.note(report)
        return report

    def note(self, report: ErrorReport, count: int = 1) -> None:
        """Keep so many occurrences of what a report tells."""
        with self._lock:
            self._add(report, count)
            self._arm(SOON)

    def flush(self) -> bool:
        """Write now what is pending; False when the server is away and it stays pending."""
        with self._writing:
            pending = self._take()
            try:
                self._journal.write(list(pending.values()))
            except redis.RedisError:
                self._put_back(pending)
                return False
            return True

    def top(self, since: timedelta | None = None) -> list[ErrorEntry]:
        """What went wrong in the last `since` (None: the last week), most frequent first."""
        self.flush()
        return self._journal.top(since)

    def samples(self, fingerprint: str) -> list[ErrorEntry]:
        """Every kept minute of one kind of error, oldest first."""
        self.flush()
        return self._journal.entries(fingerprint=fingerprint)

    def _add(self, report: ErrorReport, count: int) -> None:
        if report.fingerprint not in self._pending and len(self._pending) >= MOST_KINDS:
            report = _OVERFLOW
        _, before = self._pending.get(report.fingerprint, (report, 0))
        self._pending[report.fingerprint] = (report, before + count)

    def _take(self) -> dict[str, tuple[ErrorReport, int]]:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            pending, self._pending, self._timer = self._pending, {}, None
        return pending

    def _put_back(self, pending: dict[str, tuple[ErrorReport, int]]) -> None:
        with self._lock:
            for report, count in pending.values():
                self._add(report, count)
            self._arm(LATER)

    def _arm(self, seconds: float) -> None:
        """See to it that pending errors are written; a process that ends waits for a soon write, not for a server that is away."""
        if self._timer is None and self._pending:
            self._timer = threading.Timer(seconds, self.flush)
            self._timer.daemon = seconds > SOON
            with suppress(RuntimeError):  # the interpreter is ending and starts no threads any more
                self._timer.start()


_OVERFLOW: Final = outcome(
    "too_many_kinds",
    "error_handler",
    "more different errors at once than are kept apart",
    severity="error",
    mend="look at the most frequent ones first; the log has them all",
)
