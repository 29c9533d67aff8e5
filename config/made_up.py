"""The encryption key that `tocsin up` makes for a machine in development where nobody has set one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from config.errors import Problem
from config.sources import Origin

if TYPE_CHECKING:
    from config.sources import Node
    from config.variables import Report

FILE: Final = "encryption.key"  # in the state folder
_KEY: Final = ("security", "encryption_key")


def take_up(settings: Node, report: Report) -> None:
    """Let that key count in every process on its state folder, before anything is read that it encrypts: settings, rotated keys."""
    named = settings.find(_KEY)
    if named is not None and named.value:
        return
    folder = settings.nearest(("state_dir",)).value
    file = Path(str(folder)) / FILE
    try:
        settings.put(_KEY, file.read_text("utf-8").strip(), Origin(str(file)))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        mend = "work as the user that `tocsin up` runs as, or set ENCRYPTION_KEY"
        report(Problem(str(file), "security.encryption_key", f"cannot be read: {error.strerror}", mend))
