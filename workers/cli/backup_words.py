"""Backups in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.backups.models import BackupView, ChangeView, Fault

SHORT = 8
SIGNS = {"create": "+", "change": "~", "leave": "=", "cannot": "!"}


def size(count: float) -> str:
    """Bytes as people write them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def row(backup: BackupView) -> Sequence[object]:
    """A line of the list."""
    held = ", ".join(f"{name} {part.items}" for name, part in backup.parts.items())
    encrypted = f"key {backup.key_id}" if backup.is_encrypted else "no"
    made = f"{backup.created.astimezone():%Y-%m-%d %H:%M:%S}"
    note = "DAMAGED" if backup.wrong else backup.note
    return backup.id[:SHORT], made, backup.items, size(backup.bytes), size(backup.added), encrypted, held, note


def fields(backup: BackupView) -> dict[str, object]:
    """What it says of itself."""
    return {
        "backup": backup.id,
        "made": f"{backup.created.astimezone():%Y-%m-%d %H:%M:%S %Z} on {backup.host}, by Tocsin {backup.version}",
        "environment": backup.environment,
        **{name: f"{part.items:,} items, {size(part.bytes)}" for name, part in backup.parts.items()},
        "stored": size(backup.added),
        "encrypted": f"yes, key {backup.key_id}" if backup.is_encrypted else "no",
        "took": f"{backup.took_seconds:.1f} s",
        "note": backup.note,
        "wrong": backup.wrong,
    }


def fault_lines(fault: Fault) -> list[str]:
    """A fault, and what needs the thing that is damaged."""
    lines = [fault.what]
    if fault.items:
        more = f" and {fault.more_items} more" if fault.more_items else ""
        lines.append(f"  needed by {', '.join(fault.items)}{more}")
    if fault.backups:
        lines.append(f"  in backups {', '.join(one[:SHORT] for one in fault.backups)}")
    return lines


def change_line(change: ChangeView) -> str:
    """One step of a restore."""
    title = f"  {change.title}" if change.title else ""
    told = ", ".join(change.fields) if change.verb == "change" else ""
    why = "; ".join(filter(None, (change.why, told)))
    return f"{SIGNS.get(change.verb, '?')} {change.target}/{change.item}{title}{f'  ({why})' if why else ''}"


def count_line(target: str, counts: dict[str, int]) -> str:
    """What a restore does with one part, in numbers."""
    words = {"create": "to create", "change": "to change", "leave": "left as they are", "cannot": "cannot be restored"}
    return f"{target}: " + ", ".join(f"{counts.get(verb, 0)} {word}" for verb, word in words.items())
