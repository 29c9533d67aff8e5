"""When a rotation stands still, and what is said of it."""

from __future__ import annotations

import pytest

from tasks.tokens.rotation.models import Rotation, Step
from tasks.tokens.rotation.progress import Patience, stuck

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
PATIENCE = Patience(stuck_after=HOUR, needed_at_most=2 * DAY)


def rotation(step: Step, waits: str = "", looked: int = 0) -> Rotation:
    return Rotation(id="0a1b2c3d", step=step, began=0, since=0, old="aaa", new="bbb", waits=waits, looked=looked)


@pytest.mark.parametrize("step", ["make", "wait_known", "prove", "switch", "remove"])
def test_a_step_that_nobody_goes_on_from_stands_still_after_an_hour(step: Step) -> None:
    assert stuck("integration", rotation(step), 0, PATIENCE, HOUR) == ("", "")

    why, mend = stuck("integration", rotation(step), 0, PATIENCE, HOUR + MINUTE)

    assert why.startswith("for 61 minutes ")
    assert mend.startswith("`tocsin tokens resume`")


def test_a_step_that_fails_again_and_again_says_why() -> None:
    failed = rotation("prove", waits="PagerDuty answers 403", looked=2 * HOUR)

    why, mend = stuck("integration", failed, 0, PATIENCE, 2 * HOUR)

    assert why.endswith(": PagerDuty answers 403")
    assert mend == "mend that, then `tocsin tokens resume` goes on with it"


def test_a_former_key_that_is_kept_as_long_as_it_should_be_is_nothing_amiss() -> None:
    assert stuck("ingest", rotation("wait_unused"), 7 * DAY, PATIENCE, 7 * DAY) == ("", "")


def test_a_former_key_that_nobody_looks_after_is_told_with_the_schedule_that_would() -> None:
    why, mend = stuck("jwt", rotation("wait_unused"), 10 * MINUTE, PATIENCE, 2 * HOUR)

    assert why == "nobody has looked for 2 hours whether the former key may go"
    assert "tokens-rotate" in mend


@pytest.mark.parametrize(
    ("kind", "how"), [("integration", "resolve the alerts"), ("ingest", "find who sends with the former key")]
)
def test_a_former_key_that_is_needed_for_days_names_what_needs_it(kind: str, how: str) -> None:
    now = 3 * DAY
    needed = rotation("wait_unused", waits="1 alerts are open", looked=now - MINUTE)

    assert stuck("integration", needed, 2 * DAY, PATIENCE, now) == ("", "")
    why, mend = stuck(kind, needed, 10 * MINUTE, PATIENCE, now)  # type: ignore[arg-type]

    assert why == "for 3 days 1 alerts are open"
    assert mend.startswith(how)
