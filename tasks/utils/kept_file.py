"""A small document kept beside Redis: it is replaced whole or not at all, and only its owner may read it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any

import structlog

from tasks.utils.files import PRIVATE_FOLDER, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger("tocsin.kept")


class KeptFile:
    """One JSON document in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Any:
        """The document; None where there is none that can be read, which the log says."""
        try:
            return json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("kept_file_unreadable", file=self._path.name, error=type(error).__name__)
            return None

    def write(self, document: Any) -> bool:
        """Replace it; on return the disk has the new one. False, and a line in the log, where that cannot be done."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
            self._replace(json.dumps(document, ensure_ascii=False).encode())
        except OSError as error:
            log.warning("kept_file_not_written", file=self._path.name, error=type(error).__name__)
            return False
        return True

    def _replace(self, content: bytes) -> None:
        draft = f".{self._path.name}."
        # readable by its owner only; its ending is one by which clean-up knows what a killed process has left
        descriptor, name = mkstemp(suffix=".tmp", prefix=draft, dir=self._path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self._path)  # noqa: PTH105 - a name, not a path
            sync_folder(self._path.parent)
        except OSError:
            with suppress(OSError):
                os.unlink(name)  # noqa: PTH108
            raise
