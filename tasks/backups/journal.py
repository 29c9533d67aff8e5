"""What a restore has done, on disk before it goes on; sealed like the backup itself, and gone once the restore has come to its end."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tasks.backups.codec import DamagedError
from tasks.utils.files import PRIVATE_FILE, PRIVATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.backups.codec import Codec

LABEL: Final = "journal"


class RestoreJournal:
    """One file, a line an entry. Half a line at its end was never written."""

    def __init__(self, path: Path, codec: Codec) -> None:
        self._path = path
        self._codec = codec
        self._file: BinaryIO | None = None

    @property
    def exists(self) -> bool:
        """Whether a restore has begun and not come to its end."""
        return self._path.exists()

    def read(self) -> Iterator[dict[str, Any]]:
        """Every entry, in order. DamagedError: one in the middle cannot be read."""
        if not self.exists:
            return
        with self._path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield json.loads(self._codec.unseal(LABEL, base64.b64decode(line)))
                except (ValueError, DamagedError):
                    raise DamagedError(
                        f"{self._path}: line {number} is damaged; look what is restored already"
                    ) from None

    def write(self, entry: dict[str, Any]) -> None:
        """Add an entry; on disk once this returns."""
        if self._file is None:
            self._file = self._opened()
        line = base64.b64encode(self._codec.seal(LABEL, json.dumps(entry).encode())) + b"\n"
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())

    def _opened(self) -> BinaryIO:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        file = os.fdopen(descriptor, "r+b")
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
        return file

    def end(self) -> None:
        """The restore is over."""
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file; what was written stays."""
        if self._file is not None:
            self._file.close()
            self._file = None
