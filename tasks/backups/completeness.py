"""Whether a backup holds what it should: what could not be read of the account, and what of that the backup before still has."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tasks.backups.codec import DamagedError
from tasks.backups.listings import read_listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from tasks.backups.account.reading import Gap
    from tasks.backups.manifests import Manifest, Snapshot
    from tasks.backups.objects import Objects
    from tasks.backups.repository import Repository
    from tasks.backups.standing import BackupStanding

ACCOUNT: Final = "account"
AHEAD: Final = timedelta(minutes=5)  # so far may clocks be apart


def suspicions(repository: Repository, standing: BackupStanding, now: datetime) -> list[str]:
    """What is odd about the place before a backup is made: it is empty, though it was not; or it holds what is yet to come."""
    place, found = repository.storage.place, repository.snapshots()
    if not found and standing.has_any("created"):
        return [f"{place} held no backup, although some were made: if it is on a disk of its own, is that there?"]
    if found and found[-1].created > now + AHEAD:
        later = found[-1]
        return [
            f"{later.short} is of a time to come, {later.created:%Y-%m-%d %H:%M} UTC, and so `latest` stays that one: look at the clock"
        ]
    return []


def kinds_before(repository: Repository, snapshots: Sequence[Snapshot]) -> frozenset[str]:
    """The kinds of the account that the newest of these backups has; none where that cannot be said."""
    newest = next((one for one in reversed(snapshots) if ACCOUNT in one.parts), None)
    try:
        return frozenset(repository.manifest(newest).lists[ACCOUNT]) if newest else frozenset()
    except DamagedError:
        return frozenset()


def unseen(manifest: Manifest, objects: Objects) -> list[str]:
    """The kinds of the account that could not be read, or not all of them, when this backup was made, as it says itself."""
    listing = manifest.lists.get(ACCOUNT, {}).get(ACCOUNT)
    documents = [json.loads(objects.read(entry.object)) for entry in read_listing(objects, listing)] if listing else []
    return sorted({gap["kind"] for document in documents for gap in document.get("not_backed_up", ())} - {ACCOUNT})


def gone(before: frozenset[str], gaps: Iterable[Gap]) -> dict[str, str]:
    """What the backup before holds and this one does not: address -> why."""
    return {f"{ACCOUNT}/{gap.kind}": gap.why for gap in gaps if gap.kind in before and gap.kind != ACCOUNT}


def warnings_of(gaps: Iterable[Gap], before: frozenset[str]) -> list[str]:
    """What to say of what is amiss."""
    return [_words(gap, held=gap.kind in before) for gap in gaps if gap.is_amiss or gap.kind in before - {ACCOUNT}]


def _words(gap: Gap, *, held: bool) -> str:
    if gap.kind == ACCOUNT:
        return f"the account: {gap.why}"
    return f"{gap.kind} of the account are not in it{', though the backup before has them' if held else ''}: {gap.why}"
