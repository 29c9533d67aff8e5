"""How old keys are and how rotations stand, as lines of health; for the table of `tasks/checking.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.values import format_duration
from tasks.tokens.rotation.models import WORDS
from tasks.tokens.rotation.progress import words
from tasks.utils.health_monitor import Line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from tasks.tokens.rotation.models import KeyView, RotationView
    from tasks.utils.health_monitor import State

BY_HAND: Final = {
    "api": "make a new REST API key in PagerDuty, put it into the secret file, see `rest.answer` of `tocsin health`, delete the old one",
    "oauth": "renew the app's client secret in PagerDuty and put it into the secret file",
    "encryption": "docs/rotation.md, `Encryption keys`: `tocsin config keygen` makes one, `tocsin tokens rotate encryption` ends it",
}


def key_lines(keys: Sequence[KeyView], warn_before: timedelta) -> list[Line]:
    """A line for each kind of key that is set."""
    kinds = dict.fromkeys(key.kind for key in keys)
    lines = [_line(kind, [key for key in keys if key.kind == kind], warn_before) for kind in kinds]
    return lines or [Line("tokens.age", "skip", "no key is set")]


def rotation_line(rotations: Sequence[RotationView], limit: timedelta) -> Line:
    """How the rotations stand that are under way; only those that stand still are told, if any do."""
    if not rotations:
        return Line("tokens.rotations", "ok", "none is under way")
    amiss = [one for one in rotations if one.stuck]
    value = "; ".join(map(rotation_words, amiss or rotations))
    mend = "; ".join(dict.fromkeys(one.mend for one in amiss))
    return Line("tokens.rotations", "warn" if amiss else "ok", value, f"a step within {format_duration(limit)}", mend)


def rotation_words(one: RotationView) -> str:
    """One rotation: which key, since when, and what it waits for."""
    how = one.stuck or one.waits or WORDS[one.step]
    return f"{one.kind} {one.former}, begun {words(round(one.under_way_seconds * 1000))} ago: {how}"


def _line(kind: str, keys: Sequence[KeyView], warn_before: timedelta) -> Line:
    current = [key for key in keys if key.state == "current" and key.age_days is not None]
    if not current:
        return Line(f"tokens.{kind}", "skip", "none is in force")
    oldest = max(current, key=lambda key: key.age_days or 0)
    age, most = oldest.age_days or 0, oldest.max_age_days
    by_hand = oldest.replaced_by != "tocsin"
    left = most - age
    is_due = left < (warn_before.total_seconds() / 86400 if by_hand and most > 2 * warn_before.days else 0)
    state: State = "warn" if is_due else "ok"
    value = f"{len(current)} in force, the oldest {oldest.id}, known for {age:.0f} days"
    mend = BY_HAND.get(kind, f"`tocsin tokens rotate {kind} {oldest.id}`") if is_due else ""
    return Line(f"tokens.{kind}", state, value, f"{most:.0f} days", mend)
