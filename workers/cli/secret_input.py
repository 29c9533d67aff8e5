"""Secrets typed or piped in: never an argument, which every process list shows."""

from __future__ import annotations

import sys

from workers.cli.output import CliError, ExitCode


def read_secret(what: str) -> str:
    """A secret from stdin, without its last line end; on a terminal it is asked for twice and not shown."""
    value = _asked(what) if sys.stdin.isatty() else _piped()
    if not value:
        raise CliError("Nothing was given.\nType the value, or pipe it in: printf %s VALUE | …", ExitCode.USAGE)
    return value


def _piped() -> str:
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        raise CliError("The value is not UTF-8 text.", ExitCode.USAGE) from None
    return text.removesuffix("\n").removesuffix("\r")


def _asked(what: str) -> str:
    import getpass

    first = getpass.getpass(f"{what}: ", sys.stderr)
    if first != getpass.getpass("Once more: ", sys.stderr):
        raise CliError("The two differ; start again.", ExitCode.USAGE)
    return first
