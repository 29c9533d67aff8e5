"""What a recovery does where somebody is at it already: one that was killed counts as such for a minute."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tasks.recovering import once_free
from tasks.utils.single_flight import BusyError, Holder

KILLED = Holder("process 1 on vm", datetime.now(UTC), datetime.now(UTC))


def after(busy: int, pauses: list[float]) -> str:
    """What is answered once somebody else was at it for so many seconds; the pauses that were made are noted."""

    def do() -> str:
        if len(pauses) < busy:
            raise BusyError("tokens.rotate", KILLED)
        return "done"

    return once_free(do, pauses.append)


def test_it_is_waited_for() -> None:
    pauses: list[float] = []

    assert (after(3, pauses), pauses) == ("done", [1, 1, 1])


def test_after_a_minute_it_is_told_who_is_at_it() -> None:
    pauses: list[float] = []

    with pytest.raises(BusyError, match="is being done already, by process 1 on vm"):
        after(1000, pauses)

    assert len(pauses) == 60
