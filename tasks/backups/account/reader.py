"""Reads an account's configuration, with as few calls as it takes, and as of one moment."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.backups.account.crew import Crew
from tasks.backups.account.listings import LISTINGS
from tasks.backups.account.parts import FIELD_VALUES, View
from tasks.backups.account.patience import Patience
from tasks.backups.account.reading import Gap, Reading
from tasks.utils.rest.errors import RefusedError, TokenRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from tasks.backups.account.listings import Listing
    from tasks.backups.items import Item, Progress
    from tasks.utils.rest.client import RestClient

WORKERS: Final = 8
HORIZON: Final = timedelta(days=365)
MOST_ROUNDS: Final = 5
AUDITED: Final = ("users", "teams", "schedules", "escalation_policies", "services")


class AccountReader:
    """One account as a source of items; may be read again and again."""

    name = "account"

    def __init__(
        self,
        rest: RestClient,
        *,
        workers: int = WORKERS,
        horizon: timedelta = HORIZON,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`rest` with the share of the calls that reading may take; `horizon`: stand-ins further ahead are not kept."""
        self._patience = Patience(sleep)
        self._rest = rest
        self._workers = workers
        self._horizon = horizon
        self.gaps: list[Gap] = []

    def read(self, progress: Progress) -> Iterator[Item]:
        """Every item. TransientError: PagerDuty does not answer, or has no calls left; begin again later."""
        reading = self._reading()
        abilities = reading.abilities()
        began = reading.view.since
        with Crew(self._workers) as crew:
            for listing in LISTINGS:
                self._read_list(listing, reading, crew, progress)
            reading.look_for_the_unkept()
            crew.join()
            self._settle(reading, crew, began if "audit_trail" in abilities else None, progress)
        reading.finish(abilities)
        self.gaps = sorted(reading.gaps)
        yield from reading.shelf

    def _reading(self) -> Reading:
        now = self._rest.now().replace(microsecond=0)
        return Reading(View(self._rest, now, now + self._horizon), self._patience)

    def _read_list(self, listing: Listing, reading: Reading, crew: Crew, progress: Progress) -> None:
        for raw in reading.listed(listing):
            self._read_one(listing, raw, reading, crew)
            progress(len(reading.shelf), None, listing.kind)

    def _read_one(self, listing: Listing, raw: Mapping[str, Any], reading: Reading, crew: Crew) -> None:
        reading.take(listing, raw)
        reading.read_parts(listing, str(raw["id"]), crew)
        if listing.kind == "services" and reading.shelf.count("service_custom_fields"):
            crew.do(reading.read_part, listing, FIELD_VALUES, str(raw["id"]))

    def _settle(self, reading: Reading, crew: Crew, began: datetime | None, progress: Progress) -> None:
        """List again until nothing has changed since it was read."""
        for _ in range(MOST_ROUNDS):
            began, since = self._rest.now() if began else None, began
            touched = self._touched(since) if since else set()
            progress(len(reading.shelf), None, "listing again")
            if not self._read_changed(reading, crew, touched):
                return
            crew.join()
        told = "it kept changing while it was read; what is here may not be of one moment"
        reading.gaps.add(Gap("account", told, is_amiss=True))

    def _read_changed(self, reading: Reading, crew: Crew, touched: set[tuple[str, str]]) -> bool:
        """Read what is not as it was listed before, or was touched; whether there was any."""
        before, found = dict(reading.prints), False
        for listing in LISTINGS:
            for raw in reading.listed(listing):
                name = (listing.kind, str(raw["id"]))
                known = before.pop(name, None)
                if known != reading.print_of(listing, raw) or (listing.audited, name[1]) in touched:
                    found = True
                    self._read_one(listing, raw, reading, crew)
        for gone in before:
            reading.forget(gone)
        return found or bool(before)

    def _touched(self, since: datetime) -> set[tuple[str, str]]:
        """What the audit trail says was changed; nothing where we may not see it."""
        try:
            asked = {"since": since, "root_resource_types": list(AUDITED)}
            records = self._patience(lambda: list(self._rest.audit_records.list(**asked)))
        except TokenRefusedError:
            raise
        except RefusedError:
            return set()
        roots = (one.get("root_resource") or {} for one in records)
        return {(_collection(str(root.get("type"))), str(root.get("id"))) for root in roots}


def _collection(kind: str) -> str:
    """Where the trail's roots are listed."""
    noun = kind.removesuffix("_reference").removesuffix("_v3")
    return {"escalation_policy": "escalation_policies"}.get(noun, f"{noun}s")
