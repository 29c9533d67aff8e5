"""A process that asks PagerDuty over REST as an OAuth app: one call for each line on stdin, what came of it on stdout."""

from __future__ import annotations

import os
import sys

import structlog

from config.settings import load
from tasks.runtime import Runtime
from tasks.utils.error_handler import TocsinError


def main() -> None:
    """Call as often as there are lines."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with Runtime(load(environ=dict(os.environ))).rest as rest:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for _ in sys.stdin:
            try:
                list(rest.services.list())
                said = "taken"
            except TocsinError as error:
                said = f"{type(error).__name__}: {error}"
            sys.stdout.write(f"{said}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
