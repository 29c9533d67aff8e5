"""The state and the configuration as sources of a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.backups.state.folder import NOT_STATE, Folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tasks.backups.items import FileItem, Item, Progress
    from tasks.backups.state.parts import Part


class StateSource:
    """What Tocsin knows: parts of it in Redis, and the files of the state folder."""

    name = "state"

    def __init__(self, parts: Sequence[Part], folder: Folder) -> None:
        self._parts = parts
        self._folder = folder

    def read(self, progress: Progress) -> Iterator[Item | FileItem]:
        """Part after part, then the files."""
        done = 0
        for part in self._parts:
            for item in part.read():
                yield item
                done += 1
                progress(done, None, part.kind)
        for file in self._folder.items():
            yield file
            done += 1
            progress(done, None, "files of the state")


class ConfigSource:
    """The YAML files and templates that say what is set."""

    name = "config"

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def read(self, progress: Progress) -> Iterator[FileItem]:
        """Every file."""
        for done, file in enumerate(self._folder.items(), start=1):
            yield file
            progress(done, None, "files of the configuration")


def state_folder(folder: Path, never: Sequence[str] = ()) -> Folder:
    """The files of a state folder that belong in a backup."""
    return Folder(folder, never=(*NOT_STATE, *never))


def config_folder(folder: Path) -> Folder:
    """The files of a configuration folder; beside them may lie anything, such as the installation's own code."""
    return Folder(folder, only=("*.yaml", "*.j2"), never=(".*", "*/.*"))
