"""Where foreign senders are installed for the tests, each from its own package; nothing of it is part of Tocsin."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".cache" / "senders"
PYTHON_PACKAGES = {
    "pdpyras": ("pdpyras>=5",),
    "pypd": ("pypd>=1.1",),
    "pygerduty": ("pygerduty>=0.38",),
    "apprise": ("apprise>=2.2",),
    "elastalert2": ("elastalert2>=2.19", "pytz"),  # it imports pytz without asking for it
}
NODE_PACKAGES = ("@pagerduty/pdjs@2",)
HOW = "`make senders` installs it"


def python_folder(sender: str) -> Path:
    """The virtual environment of one Python sender: their demands contradict each other."""
    return FOLDER / sender


def python(sender: str) -> Path | None:
    """The interpreter that has `sender`; None where it is not installed."""
    if sender == "pagerduty":
        return Path(sys.executable)
    program = python_folder(sender) / "bin" / "python"
    return program if (python_folder(sender) / ".ready").exists() else None


def node_modules() -> Path | None:
    """The folder to run a Node sender in; None where none is installed."""
    folder = FOLDER / "node"
    return folder if (folder / ".ready").exists() else None
