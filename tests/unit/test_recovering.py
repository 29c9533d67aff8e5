"""What a recovery does where somebody is at the keys already: a recovery that was killed counts as such for a minute."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tasks.backups.recovery_models import RecoveryReport
from tasks.recovering import Looks, _keys
from tasks.utils.single_flight import BusyError, Holder

if TYPE_CHECKING:
    from tasks.tokens.rotation.taking_up import TakenUp, Unmatched

KILLED = Holder("process 1 on vm", datetime.now(UTC), datetime.now(UTC))


def after(busy: int) -> tuple[RecoveryReport, list[float]]:
    """The report of a look at keys that somebody else is at for so many seconds, and the pauses that were made."""
    report, pauses = RecoveryReport(), list[float]()

    def keys() -> tuple[list[TakenUp], list[Unmatched]]:
        if len(pauses) < busy:
            raise BusyError("tokens.rotate", KILLED)
        return [], []

    def unasked() -> None:
        raise AssertionError("nothing else is looked at")

    _keys(report, Looks(keys, unasked, unasked, unasked), pauses.append)  # type: ignore[arg-type]
    return report, pauses


def test_it_is_waited_for() -> None:
    report, pauses = after(3)

    assert (report.steps, report.todo, pauses) == ([], [], [1, 1, 1])


def test_after_a_minute_it_is_told_who_is_at_it() -> None:
    report, pauses = after(1000)

    assert len(pauses) == 60
    assert "is being done already, by process 1 on vm" in report.steps[0].words
