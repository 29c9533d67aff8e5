"""Compares our alerts with PagerDuty's open incidents, and mends what differs. Safe at any time, twice, and after being broken off."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from tasks.incidents.comparison import Comparison
from tasks.incidents.sightings import Reader
from tasks.incidents.sync_models import SyncReport
from tasks.utils.error_handler import TransientError
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tasks.incidents.comparison import Answers
    from tasks.incidents.owners import Owners
    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient

log = structlog.get_logger("tocsin.sync")

PATIENCE: Final = timedelta(
    seconds=75
)  # for one call of the list, which is wanted whole: a minute's share may be spent
SHORT_PATIENCE: Final = timedelta(seconds=10)  # for a question about one alert, which can wait for the next run


class TakenOverError(TransientError):
    """Another run has begun meanwhile: this one took longer between two steps than its lease."""


@dataclass(frozen=True)
class SyncRules:
    """See the settings `incidents.sync`."""

    share: float = 0.3
    grace: timedelta = timedelta(minutes=2)
    most_asked: int = 500
    lease: timedelta = timedelta(minutes=2)


@dataclass(frozen=True)
class SyncWorkers:
    """What a run works with. `rest` None: it is not to ask. `rebuilt` is told the uids of alerts made known again, for their timers."""

    rest: RestClient | None
    rest_keys: Mapping[str, str]
    owners: Owners
    answers: Answers
    rebuilt: Sequence[Callable[[Sequence[str]], object]] = ()


class IncidentSync:
    """One run at a time in the whole fleet."""

    def __init__(self, client: Any, keys: Keys, workers: SyncWorkers, rules: SyncRules) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._workers = workers
        self._rules = rules

    def run(self, *, dry_run: bool = False) -> SyncReport:
        """Compare once; `dry_run` changes nothing. Raises what the REST client raises; the next run begins anew."""
        if self._workers.rest is None:
            return SyncReport(state="off", dry_run=dry_run)
        token, started = uuid.uuid4().hex, time.monotonic()
        is_mine, began = self._begin(token)
        if not is_mine:
            return SyncReport(state="busy", dry_run=dry_run)
        kept = ""
        try:
            report = self._compare(self._workers.rest, token, began, dry_run=dry_run)
            report.took_seconds = round(time.monotonic() - started, 3)
            kept = "" if dry_run else report.model_dump_json()
        finally:
            self._scripts.run("sync_end", token, kept, began)
        log.info("incidents_synced", **report.model_dump(exclude_defaults=True, exclude={"began_at", "groups"}))
        if report.groups:
            log.warning(
                "groups_left_open",
                incidents=report.groups,
                meaning="not all of their members are known any more; see to them by hand",
            )
        return report

    def last(self) -> SyncReport | None:
        """What the last run that came to its end has found."""
        kept = self._client.hget(self._keys.sync, "report")
        return SyncReport.model_validate_json(kept) if kept else None

    def _begin(self, token: str) -> tuple[bool, int]:
        is_mine, at = self._scripts.run("sync_begin", token, milliseconds(self._rules.lease))
        return bool(int(is_mine)), int(at)

    def _compare(self, rest: RestClient, token: str, began: int, *, dry_run: bool) -> SyncReport:
        def keep_turn() -> None:
            if not self._begin(token)[0]:
                raise TakenOverError("another comparison with PagerDuty has begun; this one has ended")

        reader = Reader(rest.limited(share=self._rules.share, patience=PATIENCE), self._workers.rest_keys)
        asker = Reader(rest.limited(share=self._rules.share, patience=SHORT_PATIENCE), self._workers.rest_keys)
        report = SyncReport(dry_run=dry_run, began_at=datetime.fromtimestamp(began / 1000, UTC))
        comparison = Comparison(self._client, self._keys, self._workers.owners, self._workers.answers, report, began)
        comparison.look_at_ours(began - milliseconds(self._rules.grace))
        for page in reader.open():
            keep_turn()
            uids = comparison.take(page, reader)
            for tell in self._workers.rebuilt if uids else ():
                tell(uids)
        for one in comparison.doubtful(self._rules.most_asked):
            keep_turn()
            if not comparison.ask(one, asker):
                break
        report.calls = reader.calls + asker.calls
        return report
