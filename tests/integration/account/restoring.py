"""A restore as a process of its own, to be killed: python -m tests.integration.account.restoring REDIS URL ITEMS JOURNAL SETTLE."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tasks.backups.items import Item
from tasks.utils.connect import connect
from tasks.utils.keys import Keys
from tests.integration.account.kit import NO_LIMIT, FileJournal, restorer_of, silent
from tests.integration.rest.kit import rest_of


def main(server: str, url: str, items: str, journal: str, settle: str) -> None:
    """Restore all items, going on where the journal ends."""
    backup = [Item(*one) for one in json.loads(Path(items).read_text())]
    with connect(server) as client, rest_of(client, Keys(), url, NO_LIMIT) as rest:
        restorer = restorer_of(rest, float(settle))
        outcome = restorer.apply(restorer.plan(backup), FileJournal(Path(journal)), silent)
    sys.stdout.write(json.dumps([f"{one.verb} {one.kind} {one.why}" for one in outcome.differences]))


if __name__ == "__main__":
    main(*sys.argv[1:])
