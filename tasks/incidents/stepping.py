"""Does one thing to many incidents, in as few calls as it takes, and keeps an answer for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tasks.incidents.rows import Step
from tasks.incidents.verbs import CannotTellError, begun
from tasks.utils.error_handler import TransientError
from tasks.utils.rest.errors import (
    AlreadyDoneError,
    ConflictError,
    ForbiddenError,
    MissingAbilityError,
    RefusedError,
    TokenRefusedError,
    UnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from tasks.incidents.loose import LooseRows, WallClock
    from tasks.incidents.rows import ActionRows, Row
    from tasks.incidents.verbs import Deed, Incident
    from tasks.utils.clock import Clock

CONCERNS_ALL: Final = (TokenRefusedError, ForbiddenError, MissingAbilityError)
MOST_FAILURES: Final = 3  # calls in a row; then PagerDuty is away, not one incident odd


Hear = Callable[[Sequence[Mapping[str, Any]]], None]
"""Told of incidents as they are after a call, as PagerDuty's answer has them."""


class OutOfTimeError(TransientError):
    """The turn is over."""


class Stepping:
    """Takes the steps of one action. `turn` is how long it may take; None: as long as it takes. `hear` is told what changed."""

    def __init__(
        self,
        rows: ActionRows | LooseRows,
        row: Row,
        clock: Clock | WallClock,
        turn: timedelta | None,
        hear: Hear = lambda _: None,
    ) -> None:
        self._rows = rows
        self._row = row
        self._clock = clock
        self._hear = hear
        self._end = time.monotonic() + turn.total_seconds() if turn else float("inf")
        self._failure: UnavailableError | None = None
        self._failures = 0

    def do(self, what: str, deed: Deed, targets: Sequence[str], *, is_fine: bool = False, follows: str = "") -> None:
        """One deed for all of them. `is_fine`: that it is so already is no failure. `follows`: where the ids are known from.

        Raises TransientError where some are left for later.
        """
        for target in targets:
            if follows:
                known = self._row.step(follows, target)
                self._row.steps.setdefault(f"{what}:{target}", Step(id=known.id))
        left = [target for target in targets if not self._row.step(what, target).is_over]
        if deed.must_look:
            left = self._unless_done(what, deed, left)
        for start in range(0, len(left), deed.most):
            if time.monotonic() >= self._end:
                raise OutOfTimeError("the turn is over")
            self._try(what, deed, left[start : start + deed.most], is_fine=is_fine)
        if self._failure is not None:
            raise self._failure

    def take_as_done(self, what: str, targets: Iterable[str]) -> None:
        """Nothing is to be done here."""
        steps = {target: self._row.step(what, target) for target in targets}
        self._rows.keep(self._row, what, {t: replace(s, state="done") for t, s in steps.items() if not s.is_over})

    def _unless_done(self, what: str, deed: Deed, targets: Sequence[str]) -> list[str]:
        """Those that no earlier try has done, whose answer was lost."""
        left = []
        for target in targets:
            step = self._row.step(what, target)
            if step.state != "tried":
                left.append(target)
                continue
            try:
                if deed.was_done(step.id, begun(step)):
                    self._rows.keep(self._row, what, {target: replace(step, state="done")})
                else:
                    left.append(target)
            except CannotTellError as error:
                self._close(what, {target: step}, "failed", str(error))
        return left

    def _try(self, what: str, deed: Deed, chunk: Sequence[str], *, is_fine: bool) -> None:
        try:
            self._call(what, deed, chunk, is_fine=is_fine)
        except UnavailableError as error:
            self._failures += 1
            if self._failures >= MOST_FAILURES or error.retry_after:
                raise
            self._failure = error
        else:
            self._failures = 0

    def _call(self, what: str, deed: Deed, chunk: Sequence[str], *, is_fine: bool) -> None:
        before = {target: self._row.step(what, target) for target in chunk}
        if deed.must_look:
            at = self._clock.now_ms()
            self._rows.keep(self._row, what, {t: replace(step, state="tried", at=at) for t, step in before.items()})
        try:
            self._keep(what, before, deed.carry_out([step.id for step in before.values()]))
        except TransientError as error:
            if deed.must_look and not getattr(error, "is_unclear", False):
                self._rows.keep(self._row, what, before)
            raise
        except AlreadyDoneError as error:
            if len(chunk) > 1:
                self._halves(what, deed, chunk, is_fine=is_fine)
            elif is_fine:
                self._close(what, before, "already")
            else:
                self._close(what, before, "failed", str(error))
        except RefusedError as error:
            if isinstance(error, CONCERNS_ALL) or len(chunk) == 1:
                again = isinstance(error, ConflictError) and self._row.tries == 0 and self._row.is_durable
                if again:
                    raise TransientError(str(error)) from error
                self._close(what, before, "failed", in_words(error))
            else:
                self._halves(what, deed, chunk, is_fine=is_fine)

    def _halves(self, what: str, deed: Deed, chunk: Sequence[str], *, is_fine: bool) -> None:
        """PagerDuty refuses all for one's sake: find out which."""
        middle = len(chunk) // 2
        for half in (chunk[:middle], chunk[middle:]):
            self._call(what, deed, half, is_fine=is_fine)

    def _keep(self, what: str, before: Mapping[str, Step], told: Sequence[Incident]) -> None:
        """They are done; what the answer tells of them is kept, too."""
        news = {str(incident.get("id")): incident for incident in told}
        only = next(iter(news.values())) if len(news) == len(before) == 1 else {}
        done = {}
        for target, step in before.items():
            incident = news.get(step.id) or only
            done[target] = replace(
                step,
                state="done",
                id=str(incident.get("id") or step.id),
                number=incident.get("incident_number") or step.number,
                html_url=str(incident.get("html_url") or step.html_url),
            )
        self._rows.keep(self._row, what, done)
        self._hear([incident for incident in told if incident.get("status")])

    def _close(self, what: str, before: Mapping[str, Step], state: str, why: str = "") -> None:
        steps = {target: replace(step, state=state, why=why) for target, step in before.items()}  # type: ignore[arg-type]
        self._rows.keep(self._row, what, steps)


def in_words(error: RefusedError) -> str:
    """What PagerDuty refuses, and how to mend it."""
    if "From header" in error.said.reason:
        return f"{error}; say in whose name: set PAGERDUTY_FROM_EMAIL, or give from_email (--from)"
    return str(error)
