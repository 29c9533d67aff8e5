"""A process that makes and prunes backups in children, to be killed at any moment: `python -m tests.integration.backups.victim FOLDER`.

Each line it reads is one deed, `create SEED` or `prune KEEP`; it answers with the child's pid and, on another line, how it ended.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tasks.backups.retention import Keep
from tests.integration.backups.repository_kit import KEY, Kit, Shelf, many

ITEMS = 120
PACK_BYTES = 2048


def main() -> None:
    while line := sys.stdin.readline():
        verb, number = line.split()
        pid = os.fork()
        if pid == 0:
            _do(Path(sys.argv[1]), verb, int(number))
        _say(pid)
        sys.stdin.readline()  # until then the dead child's number is nobody else's
        _say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _do(folder: Path, verb: str, number: int) -> None:
    kit = Kit(folder, KEY, pack_bytes=PACK_BYTES)
    if verb == "create":
        kit.create(world(number))
    else:
        kit.prune(Keep(last=number))
    os._exit(0)


def world(seed: int) -> Shelf:
    """What there is to back up at that time: a third of it is new each time."""
    return many(ITEMS, changed=frozenset(range(seed % 3, ITEMS, 3)), version=seed)


if __name__ == "__main__":
    main()
