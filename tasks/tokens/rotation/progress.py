"""Whether a rotation goes its way or stands still, and what a person can do; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tasks.tokens.rotation.models import WORDS

if TYPE_CHECKING:
    from config.keystore import Kind
    from tasks.tokens.rotation.models import Rotation

RESUME: Final = "`tocsin tokens resume` goes on with it"
NEEDED: Final[dict[Kind, str]] = {
    "integration": "resolve the alerts that the former key opened (`tocsin alerts open`)",
    "orchestration": "resolve the alerts that the former key opened (`tocsin alerts open`)",
    "ingest": "find who sends with the former key, and give them the new one",
}


@dataclass(frozen=True)
class Patience:
    """From when on a rotation stands still: nothing holding it up, or its former key being needed all the time (ms)."""

    stuck_after: int
    needed_at_most: int


def stuck(kind: Kind, rotation: Rotation, free_at: int, patience: Patience, now: int) -> tuple[str, str]:
    """Why it ought to be further by now, and what to do; '' where it goes its way. `free_at`: until then the former key is kept anyway."""
    if rotation.step == "wait_unused":
        return _waits(kind, rotation, max(free_at, rotation.since), patience, now)
    if now - rotation.since <= patience.stuck_after:
        return "", ""
    why = f": {rotation.waits}" if rotation.waits else ""
    mend = f"mend that, then {RESUME}" if rotation.waits else f"{RESUME}; it was killed, or nobody went on"
    return f"for {words(now - rotation.since)} {WORDS[rotation.step]}{why}", mend


def _waits(kind: Kind, rotation: Rotation, free_at: int, patience: Patience, now: int) -> tuple[str, str]:
    if now - max(free_at, rotation.looked) > patience.stuck_after:
        what = (
            f"nobody has looked for {words(now - max(rotation.since, rotation.looked))} whether the former key may go"
        )
        return what, f"{RESUME}; the schedule tokens-rotate does so by itself (docs/rotation.md)"
    if now - free_at > patience.needed_at_most:
        return f"for {words(now - rotation.since)} {rotation.waits}", f"{NEEDED.get(kind, 'see why')}, then {RESUME}"
    return "", ""


def words(ms: int) -> str:
    """A span in words."""
    seconds = max(1, round(ms / 1000))
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86400
    if days >= 2:
        return f"{days:.0f} days"
    if hours >= 2:
        return f"{hours:.0f} hours"
    return f"{minutes:.0f} minutes" if minutes >= 2 else f"{seconds} s"
