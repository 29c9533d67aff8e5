"""Does things to incidents, each once, however often it is asked; what must not get lost is a row with a due time."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from tasks.incidents.models import DrainReport
from tasks.incidents.names import Names
from tasks.incidents.rows import LeaseLostError, Step
from tasks.incidents.stepping import OutOfTimeError, Stepping
from tasks.incidents.verbs import Change, Note, StatusUpdate, deed_of
from tasks.utils.error_handler import PermanentError, TransientError, UnknownError
from tasks.utils.error_reports import outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.incidents.loose import LooseRows, WallClock
    from tasks.incidents.models import ActionReport, Wish
    from tasks.incidents.rows import ActionRows, Row
    from tasks.incidents.stepping import Hear
    from tasks.utils.clock import Clock
    from tasks.utils.error_handler import ErrorHandler
    from tasks.utils.rest.client import RestClient

log = structlog.get_logger("tocsin.incidents")

A_TURN: Final = timedelta(seconds=20)  # then the rest is a new turn, so that a shutdown never waits long
DRAIN_SECONDS: Final = 5.0
SHORTEST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0


@dataclass(frozen=True)
class IncidentRules:
    """Bounds. `places` are PagerDuty's ids of our services, `default_place` that of incidents whose service is not said."""

    give_up_after: timedelta = timedelta(hours=4)
    places: Mapping[str, str] | None = None
    default_place: str = ""


class IncidentService:
    """What people and tasks do with incidents."""

    def __init__(
        self,
        rest: RestClient,
        rows: ActionRows | LooseRows,
        clock: Clock | WallClock,
        rules: IncidentRules,
        errors: ErrorHandler | None = None,
        hear: Hear = lambda _: None,
    ) -> None:
        self._rest = rest
        self._rows = rows
        self._clock = clock
        self._rules = rules
        self._errors = errors
        self._hear = hear
        self._names = Names(rest)

    def ask(self, request_id: str, wish: Wish) -> ActionReport:
        """Carry it out, now or, while PagerDuty is away, later; the same request a second time only tells how it stands."""
        row = self._rows.begin(request_id, wish, self._rules.give_up_after, durable=True)
        return self._carry_on(row) if row.token else row.report()

    def act(self, request_id: str, wish: Wish) -> ActionReport:
        """Carry it out now or not at all."""
        row = self._rows.begin(request_id, wish, self._rules.give_up_after, durable=False)
        return self._carry_on(row) if row.token else row.report()

    def work(self) -> DrainReport:
        """Carry on with what is due, for a while."""
        report = DrainReport()
        end = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < end and (row := self._rows.claim()):
            report.carried += 1
            report.ended += self._carry_on(row).state != "open"
        return report

    def place_of(self, service: str) -> str:
        """PagerDuty's id of a service: of one of ours by its name, else what was given; of none the default's."""
        return (self._rules.places or {}).get(service, service) or self._rules.default_place

    def _carry_on(self, row: Row) -> ActionReport:
        try:
            self._step_by_step(row)
        except LeaseLostError:
            return row.report()
        except OutOfTimeError:
            return self._later(row, "there is more to do than fits into one turn", timedelta(0))
        except TransientError as error:
            return self._wait(row, error)
        except PermanentError as error:
            return self._end(row, str(error))
        return self._end(row)

    def _step_by_step(self, row: Row) -> None:
        wish = row.wish
        stepping = Stepping(self._rows, row, self._clock, A_TURN if row.is_durable else None, self._hear)
        sender = wish.from_email or None
        self._find(row)
        into = str(self._names.find(wish.into)["id"]) if wish.into else ""
        if wish.verb in ("acknowledge", "resolve"):
            self._leave_out_resolved(row)
        deed = deed_of(self._rest, self._with_on_call(wish), sender, into, f"tocsin:{row.id}")
        if not isinstance(deed, Change) or deed.changes_anything:
            stepping.do("main", deed, [*wish.targets] or [""], is_fine=wish.verb in ("acknowledge", "resolve"))
        else:
            stepping.take_as_done("main", wish.targets)
        worked = [target for target in wish.targets if row.step("main", target).state in ("done", "already")]
        if wish.status_update:
            stepping.do("status_update", StatusUpdate(self._rest, sender, wish.status_update), worked, follows="main")
        if wish.note and wish.verb not in ("note", "create"):
            stepping.do("note", Note(self._rest, sender, wish.note), worked, follows="main")

    def _with_on_call(self, wish: Wish) -> Wish:
        """The wish with the names of those who are on call now, where it asks for them."""
        if not wish.on_call:
            return wish
        now = self._clock.now()
        found = self._rest.schedules.users(wish.on_call, now, now + timedelta(seconds=1))
        users = tuple(str(one["id"]) for one in found)
        if not users:
            raise PermanentError(f"nobody is on call in schedule {wish.on_call} now; fill the gap in PagerDuty")
        return wish.model_copy(update={"users": (*wish.users, *users)})

    def _find(self, row: Row) -> None:
        """Find out which incidents are meant; an answer for those that there are not."""
        if row.wish.verb == "create":
            return
        names: dict[str, str] = {}  # of each incident the first it was called by: PagerDuty takes none twice
        for target in row.wish.targets:
            if row.step("main", target).id:
                names.setdefault(row.step("main", target).id, target)
            if row.step("main", target).id or row.step("main", target).is_over:
                continue
            try:
                found = self._names.find(target)
                step = step_of(found)
            except UnknownError as error:
                step = Step("failed", why=str(error))
            first = names.setdefault(step.id, target) if step.id else target
            if first != target:
                step = Step("same", id=step.id, why=first)
            if step.id != target:  # else nothing was found out
                self._rows.keep(row, "main", {target: step})
            else:
                row.steps[f"main:{target}"] = step

    def _leave_out_resolved(self, row: Row) -> None:
        """PagerDuty would reopen a resolved incident that somebody acknowledges, which may be long after it was asked for."""
        waiting = [target for target in row.wish.targets if not row.step("main", target).is_over]
        standing = self._names.standing([row.step("main", target).id for target in waiting])
        over: dict[str, Step] = {}
        for target in waiting:
            step = row.step("main", target)
            incident = standing.get(step.id)
            if incident is None:
                over[target] = replace(
                    step, state="failed", why=f"PagerDuty has no incident {step.id}, or the key may not see it"
                )
            elif incident.get("status") == "resolved":
                why = "" if row.wish.verb == "resolve" else "it is resolved; to acknowledge it would reopen it"
                over[target] = replace(step_of(incident), state="already", why=why)
        self._rows.keep(row, "main", over)

    def _wait(self, row: Row, error: TransientError) -> ActionReport:
        if not row.is_durable:
            return self._end(row, str(error)).model_copy(update={"is_passing": True})
        if self._clock.now_ms() >= row.ends:
            return self._end(row, f"given up: {error}")
        doubled = min(SHORTEST_WAIT * 2 ** min(row.tries, 10), LONGEST_WAIT)
        seconds = max(error.retry_after or 0.0, random.uniform(0.5, 1.0) * doubled)  # noqa: S311 - jitter
        return self._later(row, str(error), timedelta(seconds=seconds))

    def _later(self, row: Row, why: str, wait: timedelta) -> ActionReport:
        self._rows.end(row, "open", why, wait)
        return row.report(self._clock.now() + wait)

    def _end(self, row: Row, why: str = "") -> ActionReport:
        """For good: what is not done by now has failed."""
        state = "failed" if why or any(step.state == "failed" for step in row.steps.values()) else "done"
        self._rows.told(row)
        self._rows.end(row, state, why)  # type: ignore[arg-type]
        report = row.report()
        log.info(
            "incidents_acted", verb=row.wish.verb, author=row.wish.author, state=state, incidents=len(report.answers)
        )
        if report.failed and row.is_durable and self._errors is not None:
            first = report.failed[0]
            text = f"{len(report.failed)} of {len(report.answers)} incidents: {first.why}"
            mend = f"see `tocsin incidents actions {row.id}`, and do by hand what is still wanted"
            self._errors.note(
                outcome("incident_action_failed", f"incidents.{row.wish.verb}", text, severity="error", mend=mend)
            )
        return report


def step_of(incident: Mapping[str, object]) -> Step:
    """A step that knows which incident it is about."""
    number = incident.get("incident_number")
    return Step(
        id=str(incident["id"]),
        number=number if isinstance(number, int) else None,
        html_url=str(incident.get("html_url") or ""),
    )
