"""Where the program begins: a probe takes the short way, before anything of size is imported."""

import sys

from workers.cli.interrupts import end_at_once


def main() -> None:
    """Run `tocsin`."""
    end_at_once()
    words = sys.argv[1:]
    if words[:2] == ["health", "--probe"]:
        from workers.probe import main as probe

        sys.exit(probe(words[2:]))
    from workers.cli.main import main as program

    program()
