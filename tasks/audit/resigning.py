"""The signed notes beside the records: which keys they need, and their signing anew with the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.audit.anchors import Anchors
from tasks.audit.archive import Archive
from tasks.audit.moved import MovedFiles
from tasks.utils.error_handler import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FOLDERS: Final = ("ledger", "acts", "acts/pagerduty")


class SignedNotes:
    """Those of this machine. The first of `keys` signs, each of them verifies; nobody may clean up meanwhile."""

    def __init__(self, state_dir: Path, keys: Sequence[bytes]) -> None:
        self._folders = [state_dir / name for name in FOLDERS]
        self._keys = keys

    def signers(self) -> Iterator[int]:
        """Of each note the key that verifies it, as its place among those known here; -1 where it is not."""
        for folder in self._folders:
            anchors = Anchors(folder, self._keys)
            yield from anchors.signers()
            yield from MovedFiles(folder, anchors).signers()

    def renew(self) -> None:
        """Sign with the newest key what is as a former one has signed it. TransientError while somebody seals."""
        for folder in self._folders:
            anchors = Anchors(folder, self._keys)
            moved = MovedFiles(folder, anchors)
            if not any((*anchors.signers(), *moved.signers())):
                continue
            with Archive(folder).alone() as is_alone:
                if not is_alone:
                    raise TransientError(
                        f"{folder} is being sealed just now; `tocsin tokens rotate encryption` goes on"
                    )
                anchors.renew()
                moved.renew()
