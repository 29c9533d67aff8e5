"""The steps of an escalation as people say them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REASONS: Final[Mapping[str, str]] = {
    "acknowledged": "somebody has acknowledged the alert",
    "resolved": "the alert is resolved",
    "exhausted": "the policy has no more steps, and nobody has answered",
    "auto_resolved": "nobody saw to the alert, and its policy resolves it",
    "by_hand": "a person wants it so",
    "pause_over": "the pause is over",
    "unacknowledged": "the acknowledgement was taken back",
    "acknowledge_timed_out": "the acknowledgement counts no longer",
    "skipped_wait": "a person did not want to wait",
    "no_receipt": "PagerDuty took the alert and shows no incident",
    "waits_for_hours": "its step waits for its hours",
    "superseded": "the next one has begun",
    "alert_forgotten": "the alert is not known any more",
}


def _at(due: str) -> str:
    return f"{datetime.fromtimestamp(int(due) / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC" if due.isdecimal() else ""


def _why(reason: str) -> str:
    return REASONS.get(reason, reason)


ESCALATION_WORDS: Final[dict[str, Callable[[str, str], str]]] = {
    "started": lambda due, _: f"escalation started; its first step is due {_at(due)}",
    "escalated": lambda step, whom: f"nobody has answered: step {step}, to {whom or 'nobody'}",
    "stopped": lambda reason, due: f"escalation waits: {_why(reason)}" + (f"; until {_at(due)}" if due else ""),
    "resumed": lambda reason, due: f"escalation goes on {_at(due)}: {_why(reason)}",
    "ended": lambda reason, _: f"escalation ended: {_why(reason)}",
}
