"""Asking the person at the terminal for something nobody else should read."""

from __future__ import annotations

import sys


def is_attended() -> bool:
    """Whether somebody sits there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def is_watched() -> bool:
    """Whether what is answered, too, goes to their eyes and nowhere else."""
    return is_attended() and sys.stdout.isatty()


def typed(question: str) -> str:
    """What the person types for all to see, in a line of its own behind what was answered so far; nothing if they leave it empty."""
    sys.stdout.flush()
    sys.stderr.write(question)
    sys.stderr.flush()
    try:
        return input().strip()
    except EOFError:
        sys.stderr.write("\n")
        return ""


def ask(question: str) -> str:
    """What the person types, which the terminal does not show; nothing if they leave it empty."""
    from getpass import getpass

    try:
        return getpass(question, stream=sys.stderr).strip()
    except EOFError:
        return ""
