"""Whether a file is the one that was read: its stamp differs once it was written again, or another took its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Stamp = tuple[int, int]


def stamp_of(path: Path) -> Stamp | None:
    """When it was written (ns) and which file it is; None where there is none to be seen."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # ValueError: no file can have such a name
        return None
    return found.st_mtime_ns, found.st_ino
