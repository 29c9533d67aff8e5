"""Files in a backup: a folder read into items, all but what can be made anew and what must not lie in a backup."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

from tasks.backups.items import FileItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FILES: Final = "files"
# Of the state folder. Keys and secrets belong elsewhere; the rest is made anew, or stands for processes that are gone.
NOT_STATE: Final = (
    "redis/*", "backups/*", "spool/*", "logs/*", "flower/*", "restore/*", "heartbeats/*", "sandbox*.json", "beat-schedule*",
    "*.key", "*.secret", "*.pid", "*.sock",
    "*.lock", "lock", "*/lock", "*.new", "*.tmp", ".*", "*/.*",
)  # fmt: skip


class Folder:
    """The files of one folder as items of the kind `files`, each by its path within it."""

    def __init__(self, folder: Path, *, only: Sequence[str] = ("*",), never: Sequence[str] = ()) -> None:
        self.folder = folder
        self._only = only
        self._never = never

    def items(self) -> Iterator[FileItem]:
        """Every file, the last path first: an archive's anchors (`anchors.jsonl`) are read before its days (`2026-…jsonl`).

        What is sealed meanwhile is then beyond the last anchor, as after a crash, and not a tail that was cut off.
        """
        for path in sorted(self.folder.rglob("*"), reverse=True):
            name = path.relative_to(self.folder).as_posix()
            if self._takes(name) and path.is_file():  # or leads to one: Kubernetes mounts settings as links
                yield FileItem(FILES, name, path)

    def _takes(self, name: str) -> bool:
        return any(fnmatch(name, one) for one in self._only) and not any(fnmatch(name, one) for one in self._never)
