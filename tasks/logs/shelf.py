"""What archives there are: those on the list, and those that a killed run or a lost list left, whose names say what they were."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from tasks.logs.chain import number_of
from tasks.logs.items import KINDS
from tasks.logs.vault import RENEWED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tasks.logs.chain import Link
    from tasks.logs.items import Item, Kind

_NAME: Final = re.compile(rf"({'|'.join(KINDS)})/(\d{{6,}})-(.+?)(?:~[0-9a-f]{{8}})?\.zst(?:\.enc)?")


class ArchiveFile(NamedTuple):
    """An archive as its name tells of it."""

    number: int
    kind: Kind
    name: str
    file: str


class Shelf:
    """What there is when a run begins, and what it adds."""

    def __init__(self, folder: Path, links: Sequence[Link]) -> None:
        self._listed: dict[tuple[str, str], list[Link]] = defaultdict(list)
        self._unlisted: dict[tuple[str, str], list[ArchiveFile]] = defaultdict(list)
        for link in links:
            self._listed[link.kind, link.name].append(link)
        for file in unlisted(folder, links):
            self._unlisted[file.kind, file.name].append(file)
        taken = {number_of(link.stored.file) for link in links} | {file.number for file in archive_files(folder)}
        self._highest = max(taken, default=0)

    def listed(self, item: Item) -> Sequence[Link]:
        """Those on the list of what was called the same."""
        return self._listed[item.kind, item.name]

    def unlisted(self, item: Item) -> Sequence[ArchiveFile]:
        """Those that are not."""
        return self._unlisted[item.kind, item.name]

    def new_number(self) -> int:
        """One that no archive has or had, on the list or not."""
        self._highest += 1
        return self._highest

    def add(self, link: Link) -> None:
        """One more on the list."""
        self._listed[link.kind, link.name].append(link)


def label_of(number: int, item: Item) -> str:
    """The path of an archive within the folder, without its suffix."""
    return f"{item.kind}/{number:06d}-{item.name}"


def archive_files(folder: Path) -> Iterator[ArchiveFile]:
    """Every archive that lies in the folder, on the list or not; no draft of one."""
    for path in folder.glob("*/**/*"):
        found = _NAME.fullmatch(path.relative_to(folder).as_posix())
        if found and not path.name.startswith(".") and path.is_file():
            yield ArchiveFile(int(found[2]), cast("Kind", found[1]), found[3], found[0])


def unlisted(folder: Path, links: Sequence[Link]) -> list[ArchiveFile]:
    """Those that are not on the list, by number. Of one that is encrypted anew there are two files for a while."""
    listed = {RENEWED.sub("", link.stored.file) for link in links}
    return sorted(one for one in archive_files(folder) if RENEWED.sub("", one.file) not in listed)
