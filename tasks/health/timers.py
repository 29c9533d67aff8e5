"""What may be amiss with the timers of escalations; see `conditions.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.health.models import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.health.facts import Facts

LATE_MS: Final = 10_000
TOLD_MS: Final = 600_000


def timers_late(facts: Facts, _: object) -> Iterator[Finding]:
    """A step of an escalation is due, and nobody takes it."""
    late = 0 if facts.timers_due is None else facts.now - facts.timers_due
    if late > LATE_MS:
        mend = (
            "start `tocsin worker delivery`, or more of them; look at their logs. `tocsin escalations list` shows what is due. "
            "Steps are taken as soon as somebody can, late as they are"
        )
        yield Finding("timers_late", "critical", f"Timers of escalations are {late // 1000} s late", mend)


def nobody_answered(facts: Facts, _: object) -> Iterator[Finding]:
    """A policy was gone through to its end, and nobody has answered."""
    if facts.now - facts.exhausted_at <= TOLD_MS:
        mend = "see to the alert (`tocsin alerts list`), and to who should have answered; `tocsin prove` counts such escalations"
        yield Finding("nobody_answered", "critical", "Nobody has answered an alert: its escalation is at its end", mend)
