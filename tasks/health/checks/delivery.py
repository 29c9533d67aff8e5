"""Breakers, dead letters, and what this machine keeps in its spool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.utils.health_monitor import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tasks.utils.breakers import BreakerView

SPOOL_FULL: Final = "bring Redis back, or raise spool.max_bytes; once it is full, alerts are refused"


def breaker_lines(breakers: Sequence[BreakerView], name_of: Callable[[str], str]) -> list[Line]:
    """One line, or one for each endpoint that is left alone."""
    shut = [one for one in breakers if one.is_shut]
    mend = (
        "look at the other side's status page and at the network to it; it is asked again by itself, alerts take their next channel: "
        "`tocsin notifications breakers`"
    )
    if not shut:
        return [Line("breakers.open", "ok", "none is open", "none")]
    return [
        Line(
            "breakers.open", "warn", f"{name_of(one.name)} is left alone ({one.state.replace('_', ' ')})", "none", mend
        )
        for one in shut
    ]


def dead_line(count: int) -> Line:
    """How many dead letters there are."""
    mend = "`tocsin notifications dead-letters` says why; mend that, then `tocsin notifications replay`, or purge them"
    return Line("dead.letters", "warn" if count else "ok", f"{count}", "0", mend if count else "")


def spool_line(folder: Path, most: int, percent: int) -> Line:
    """How full the spool of this machine is. Something in it while Redis answers is about to leave it, or stuck."""
    if not most:
        mend = "set spool.max_bytes: while Redis is away every alert is refused"
        return Line("spool.size", "warn", "there is none: spool.max_bytes is 0", "some", mend)
    files = list(folder.glob("*.jsonl")) if folder.is_dir() else []
    size = sum(_size(path) for path in files)
    share, limit = size * 100 // most, f"{percent} % of {most / 1048576:.0f} MB"
    value = f"{size / 1048576:.1f} MB in {len(files)} files, {share} %" if files else "empty"
    if share >= percent:
        return Line("spool.size", "fail", value, limit, SPOOL_FULL)
    mend = "it is drained while Redis answers: look whether `tocsin gateway` runs, and at its log"
    return Line("spool.size", "warn" if files else "ok", value, limit, mend if files else "")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
