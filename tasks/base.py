"""The base of every task: log context, measure, poison guard. No retry loop here: what must be tried again is a row with a due time."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import structlog
from celery import Task
from celery.exceptions import Ignore, Reject, Retry

from tasks.admitted import admit
from tasks.granted import granted
from tasks.utils.act_context import within
from tasks.utils.connect import is_away
from tasks.utils.error_reports import outcome
from tasks.utils.progress import Seldom, shown
from tasks.utils.single_flight import BusyError
from tasks.utils.slots import Call
from tasks.utils.task_acts import act_of_task, arguments_of, carried_by, changes_nothing, within_task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from tasks.runtime import Runtime
    from tasks.utils.acts import Act
    from tasks.utils.error_reports import ErrorReport
    from tasks.utils.progress import Progress

log = structlog.get_logger("tocsin.task")

Args = tuple[Any, ...]
Kwargs = dict[str, Any]

CELERYS_OWN: Final = (Ignore, Reject, Retry)
BEGUN: Final = "tocsin_begun"  # of a request: the work itself has begun
PROGRESS: Final = "PROGRESS"  # state of a task that has said how far it is


class TocsinTask(Task):
    """Binds log context, measures, puts acts on record, counts deliveries, claims a scheduled run; the work is the service's."""

    abstract = True
    authority: str | None = None  # the destructive act its messages need a grant for: tasks/tokens/destructive.py
    survives = False  # whether its message is all there is of what it is about
    has_effect = (
        True  # whether a run goes on the record of acts; what the ledger tells of, and what only looks, does not
    )
    harmless: Mapping[str, Collection[Any]] = {}  # argument -> values with which a run only looks
    tells: tuple[
        str, ...
    ] = ()  # fields of the answer; a run goes on record, once it is over, where one of them is not empty

    @property
    def runtime(self) -> Runtime:
        """The wiring of this process."""
        return self.app.runtime  # type: ignore[no-any-return]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task. While the server is away the message goes back: it must not be acknowledged on a guess."""
        started = time.monotonic()
        structlog.contextvars.bind_contextvars(task=self.name, task_id=self.request.id, **carried_by(self.request))
        state = "done"
        try:
            self.runtime.renew()
            with self._passage(args, kwargs):
                return self._handle(args, kwargs)
        except CELERYS_OWN:
            state = "ignored"
            raise
        except Exception as error:
            if not is_away(error):
                self._never_begun(error, args, kwargs)
                raise
            state = "returned"
            log.warning("server_away", error=type(error).__name__)
            self.runtime.errors.record(error, self.name)
            raise Reject(error, requeue=True) from error
        finally:
            self.runtime.metrics.task_done(self.name, state, time.monotonic() - started)
            structlog.contextvars.clear_contextvars()

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Say what failed, in one line; the arguments are nobody's business."""
        del args, kwargs, einfo
        report = self.runtime.errors.record(exc, self.name)
        known = {"error": report.error, "detail": report.text, "kind": report.kind, "fingerprint": report.fingerprint}
        log.error("task_failed", task=self.name, task_id=task_id, **known)

    def on_retry(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Keep that a worker process died over the task: Celery starts it anew, and nobody else says so."""
        del task_id, args, kwargs, einfo
        self.runtime.errors.record(exc, self.name)

    @property
    def came_back(self) -> bool:
        """Whether the message was in a worker's hands before, which died or let go of it."""
        return bool((self.request.delivery_info or {}).get("redelivered"))

    def needs_authority(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
        """The destructive act that a call with these arguments is, in production; None if it destroys nothing, as a dry run."""
        if self.authority is None:
            return None
        looks = {"dry_run": (True,), **self.harmless}
        return None if changes_nothing(looks, arguments_of(self.run, args, kwargs)) else self.authority

    @staticmethod
    def goes_back(error: Exception) -> bool:
        """Whether the message is not done with by this: Celery will have it come again."""
        return isinstance(error, CELERYS_OWN)

    def last_words(self, reason: str, detail: str, args: Args, kwargs: Kwargs, seen: str = "") -> None:
        """What must be kept of a message that will not be tried again; nothing, where rows are the truth.

        `seen`: when it came, as far as that is known (ms).
        """

    def _passage(self, args: Args, kwargs: Kwargs) -> AbstractContextManager[None]:
        """A message that came back may be what killed its worker: alone, it can take no other along, and a count is of its own deeds."""
        gate = self.runtime.gate
        return gate.alone() if self.survives and self.came_back and (args or kwargs) else gate.beside_others()

    def _handle(self, args: Args, kwargs: Kwargs) -> Any:
        admitted = admit(self, args, kwargs)
        try:
            if self.came_back:
                self._count_delivery(args, kwargs)
        except (Ignore, Reject):
            self._finished(admitted)
            raise
        try:
            with self._slot(), shown(Seldom(self._show)):
                answer = self._witnessed(args, kwargs)
        except Exception as error:
            self._spared()
            if not (is_away(error) or isinstance(error, Reject | Retry)):
                self._finished(admitted)
            raise
        self._spared()
        self._finished(admitted)
        return answer

    def _finished(self, admitted: tuple[str, str] | None) -> None:
        if admitted:
            self.runtime.admission.finished(*admitted)

    def _spared(self) -> None:
        """The message has killed nobody this time. Not said when the process itself is told to end: then it may be why."""
        if self.came_back:
            self.runtime.messages.forget(self.request.id)

    def _show(self, progress: Progress) -> None:
        """Let whoever waits for the result, or looks at the schedule, see how far it is."""
        call = self._call
        try:
            if call:
                self.runtime.slots.progress(call.entry, str(progress))
            if not (self.request.ignore_result or self.request.called_directly):
                self.update_state(state=PROGRESS, meta=progress._asdict())
        except Exception as error:
            if not is_away(error):
                raise

    def _witnessed(self, args: Args, kwargs: Kwargs) -> Any:
        """Run it within the act it is: on record before and after, or part of its caller's where it is none by itself."""
        act = self._act(args, kwargs) if self.has_effect else None
        if act is not None and not self.tells:
            with self.runtime.acts.during(act):
                return self._run(args, kwargs)
        with within(within_task(self.request)):
            answer = self._run(args, kwargs)
        told = {name: answer[name] for name in self.tells if answer.get(name)}
        if act is not None and told:
            self.runtime.acts.record(replace(act, detail={**act.detail, **told}))
        return answer

    def _act(self, args: Args, kwargs: Kwargs) -> Act | None:
        arguments = arguments_of(self.run, args, kwargs)
        return None if changes_nothing(self.harmless, arguments) else act_of_task(self.name, arguments, self.request)

    def _never_begun(self, error: Exception, args: Args, kwargs: Kwargs) -> None:
        """Keep what must be kept also where the task failed on the way to its work, which would have said so."""
        if not getattr(self.request, BEGUN, False):
            self.last_words("task_failed", f"{type(error).__name__}: {error}"[:500], args, kwargs)

    def _run(self, args: Args, kwargs: Kwargs) -> Any:
        setattr(self.request, BEGUN, True)
        try:
            with granted(self, args, kwargs):
                return self.run(*args, **kwargs)
        except CELERYS_OWN:
            raise
        except Exception as error:
            if is_away(error):
                raise
            self.last_words("task_failed", f"{type(error).__name__}: {error}"[:500], args, kwargs)
            raise

    @property
    def _call(self) -> Call | None:
        """The scheduled run this message calls for; none where it is all there is of what it is about, whatever it says."""
        return None if self.survives else Call.read(vars(self.request))

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """Drop a scheduled run that is not for this message, and one somebody else is at already; keep what comes of it."""
        call = self._call
        if call is None:
            yield
            return
        try:
            with self.runtime.slots.run(call, self.request.id) as verdict:
                if verdict not in ("run", "again"):
                    log.info("slot_not_run", slot=str(call), why=verdict)
                    raise Ignore
                yield
        except BusyError as error:
            log.info("slot_busy", slot=str(call), detail=str(error))
            raise Ignore from error

    def _count_delivery(self, args: Args, kwargs: Kwargs) -> None:
        messages = self.runtime.messages
        count, since = messages.delivered(self.request.id)
        if count > messages.most_deliveries:
            log.error("poison_message", deliveries=count)
            self.runtime.errors.note(_poison(self.name))
            detail = f"came back from a dead worker {count} times and was never finished"
            self.last_words("poison", detail, args, kwargs, since)
            messages.forget(self.request.id)
            raise Reject("poison", requeue=False)


def _poison(task: str) -> ErrorReport:
    mend = (
        "its alerts are dead letters: see `tocsin notifications dead-letters`, and the worker's log for what ended it"
    )
    text = "a message was handed to a worker again and again and never finished"
    return outcome("poison_message", task, text, severity="critical", mend=mend)
