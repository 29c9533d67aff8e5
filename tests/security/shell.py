"""Many `tocsin` commands in one process: `python -m tests.security.shell` reads lists of words, a line each, and tells what each said."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

from workers.cli.main import main


def run(words: list[str]) -> tuple[object, str]:
    """Exit code and what was said on both ways."""
    said = io.StringIO()
    sys.argv = ["tocsin", *words]
    with redirect_stdout(said), redirect_stderr(said):
        try:
            main()
        except SystemExit as end:
            return end.code, said.getvalue()
    return 0, said.getvalue()


if __name__ == "__main__":
    told = {" ".join(words): run(words) for words in map(json.loads, sys.stdin.read().splitlines())}
    sys.stdout.write(json.dumps({f"tocsin {name} -> {code}": text for name, (code, text) in told.items()}))
