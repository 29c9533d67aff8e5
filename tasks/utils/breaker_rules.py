"""When a breaker opens, for how long, and what counts as a failure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

Verdict = Literal["failed", "answered", ""]

SECOND: Final = timedelta(seconds=1)
UNKNOWN: Final = ("lease_too_short", "private_address", "invalid_url")  # outcomes of what never was sent
SERVICE_CLOSES: Final = "smtp:421"


@dataclass(frozen=True)
class BreakerRules:
    """`threshold` failures within `window`, and no fewer than there were answers, open a breaker for `pause`.

    The pause doubles up to `longest_pause` while probes fail. What takes longer than `slow_after` is a failure, whatever the answer.
    """

    threshold: int = 5
    window: timedelta = 120 * SECOND
    pause: timedelta = 60 * SECOND
    longest_pause: timedelta = 300 * SECOND
    slow_after: timedelta = 5 * SECOND

    @property
    def spec(self) -> str:
        """As scripts take it."""
        spans = (self.window, self.pause, self.longest_pause)
        return " ".join(str(number) for number in (self.threshold, *(round(span / SECOND * 1000) for span in spans)))

    def verdict(self, verb: str, reason: str, seconds: float) -> Verdict:
        """What an attempt to deliver tells of the endpoint: refusals of content or key are answers, however unwelcome."""
        if reason in UNKNOWN:
            return ""
        if seconds > self.slow_after.total_seconds():
            return "failed"
        refuses_one = reason.startswith("smtp:") and reason != SERVICE_CLOSES  # one mailbox, not the server
        return "failed" if verb == "retry" and not refuses_one else "answered"
