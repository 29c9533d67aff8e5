"""How clean-ups, archives and holds are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from workers.cli.output import CliError, ExitCode

if TYPE_CHECKING:
    from datetime import datetime

    from tasks.logs.items import Kind
    from tasks.logs.models import ArchiveView, ClassReport, Hold

CLASS_HEADERS: Final = ("CLASS", "KEPT FOR", "ITEMS", "BYTES", "ARCHIVED AS", "STAY", "LEFT")
ARCHIVE_HEADERS: Final = ("ID", "CLASS", "NAME", "FROM", "TO", "BYTES", "STORED", "MADE", "")
HOLD_HEADERS: Final = ("ID", "CLASS", "SERVICE", "FROM", "TO", "AUTHOR", "MADE", "WHY", "")
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def class_of(kind: str | None) -> Kind | None:
    """A class by its name; a usage error names those there are."""
    from tasks.logs.items import KINDS

    name = (kind or "").replace("-", "_")
    if kind and name not in KINDS:
        raise CliError(f"There is no class {kind!r}.\nThere are: {', '.join(KINDS)}", ExitCode.USAGE)
    return cast("Kind", name) if kind else None


def class_row(told: ClassReport) -> tuple[str, ...]:
    """One class of a clean-up."""
    seconds = told.retention_seconds
    kept_for = "ever" if seconds is None else f"{seconds / 86400:g} d"
    stored = size(told.stored_bytes) if told.stored_bytes else ""
    left = f"{told.left} (next run)" if told.left else ""
    return told.kind, kept_for, str(told.items), size(told.bytes), stored, str(told.kept_items or ""), left


def archive_row(one: ArchiveView) -> tuple[str, ...]:
    """One archive."""
    state = ("encrypted" if one.is_encrypted else "NOT encrypted") if one.is_there else "MISSING"
    sizes = size(one.bytes), size(one.stored_bytes)
    return one.id, one.kind, one.name, _day(one.first), _day(one.last), *sizes, _day(one.made_at), state


def hold_row(hold: Hold) -> tuple[str, ...]:
    """One hold."""
    ended = f"until {_day(hold.ends_at)}" if hold.ends_at else ""
    ended = f"released by {hold.released_by} {_day(hold.released_at)}" if hold.released_at else ended
    span = _day(hold.since), _day(hold.until)
    return hold.id, hold.kind or "any", hold.service or "any", *span, hold.author, _day(hold.made_at), hold.why, ended


def size(count: float) -> str:
    """Bytes as people read them."""
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return ""


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""
