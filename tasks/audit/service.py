"""Seals the ledger, relieves Redis of what is over, proves the promise, tells stories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.audit.anchors import Anchors
from tasks.audit.archive import Archive, day_of
from tasks.audit.availability import STEPS, Availability
from tasks.audit.kept import KeptProofs
from tasks.audit.prove import Prover
from tasks.audit.records import Records, uid_in
from tasks.audit.retention import Retention
from tasks.audit.seal import Sealer
from tasks.audit.standing import StandingFile
from tasks.audit.timeline import Timelines
from tasks.audit.trail import Trails
from tasks.utils.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from tasks.audit.models import (
        AlertTrail,
        ArchiveReport,
        AvailabilityReport,
        EventVerdict,
        KeptProof,
        ProofReport,
        SealReport,
        Step,
        VerifyReport,
    )
    from tasks.utils.keys import Keys


@dataclass(frozen=True)
class AuditRules:
    """Where the archive is, who signs, and how long Redis remembers."""

    folder: Path
    signing_keys: tuple[bytes, ...] = ()  # the first signs, all of them verify; see anchors.anchor_key
    retention: timedelta = timedelta(hours=48)
    silence: timedelta = timedelta(days=30)  # after so long without news an open alert is forgotten
    grace: timedelta = timedelta(seconds=60)  # how late an event may be before the promise counts as broken
    lease: timedelta = timedelta(seconds=60)
    seal_batch: int = 5000
    archive_page: int = 500  # rows one script call handles; it holds up the server for a few milliseconds
    archive_pages: int = 100  # calls of each kind in one run


class AuditService:
    """The proof of Tocsin. Sealing is done by one at a time, everything else may run anywhere at any time.

    `ask` looks whether Redis lost everything: done before anything is sealed.
    """

    def __init__(self, client: Any, keys: Keys, rules: AuditRules, ask: Callable[[], object] = lambda: None) -> None:
        clock = Clock(client, keys)
        archive = Archive(rules.folder)
        anchors = Anchors(rules.folder, rules.signing_keys)
        self._rules = rules
        self._clock = clock
        self._standing = StandingFile(client, keys, rules.folder)
        self._sealer = Sealer(client, keys, archive, anchors, rules.lease, ask)
        self._retention = Retention(client, keys, rules)
        self._prover = Prover(client, keys, archive, anchors, clock, rules.grace)
        self._trails = Trails(client, keys, archive)
        self._records = Records(client, keys, archive)
        self._timelines = Timelines(self._records)
        self._kept = KeptProofs(client, keys)

    def seal(self) -> SealReport:
        """Chain, archive and anchor what is new in the ledger, and note what has not ended. Safe at any time, and after any crash."""
        report = self._sealer.seal(self._rules.seal_batch)
        if not report.busy:
            self._standing.note(self._clock.now_ms())
        return report

    def archive(self) -> ArchiveReport:
        """Take out of Redis what is sealed and older than the retention."""
        return self._retention.archive()

    def prove(self, since: timedelta | datetime | None = None) -> ProofReport:
        """Whether every event was delivered, merged, suppressed or dead-lettered, or waits with a due time to come.

        `since`: only events accepted in so long a time, or from that moment on; None means all there ever were.
        """
        return self._prover.prove(since)

    def verdicts(self, since: timedelta | datetime | None = None) -> Iterator[EventVerdict]:
        """What became of each single event."""
        return self._prover.verdicts(since)

    def verify(self, since: timedelta | datetime | None = None) -> VerifyReport:
        """Whether archive and anchors are as they were written; judges no event.

        `since`: only the files from that day on, so that older ones may have been moved away; None means all of them.
        """
        return self._prover.verify(since)

    def story(self, event_id: str) -> list[Step]:
        """Every step of one event in plain words; empty when the ledger does not know it."""
        return self._trails.story(event_id)

    def trails(self, dedup_key: str, services: Iterable[str]) -> list[AlertTrail]:
        """The whole story of each alert of that dedup key, of any of these services, as far back as the archive goes."""
        return self._timelines.find(dedup_key, services)

    def known_alerts(self, uids: Collection[str]) -> set[str]:
        """Those of the alerts of which an event was ever accepted, as far back as the archive goes."""
        return {uid_in(entry) for entry in self._records.accepted(uids)}

    def prove_and_keep(self, since: timedelta | None, name: str) -> ProofReport:
        """A proof whose result is kept under that name, unless the name is empty.

        A kept proof of everything that is broken is made anew on this occasion: it must not look so for a day once that is mended.
        """
        report = self.prove(since)
        if name:
            self._kept.keep(name, report)
            for other in self._kept.all().values():
                if other.name != name and other.since is None and other.broken_count:
                    self._kept.keep(other.name, self.prove())
        return report

    def availability(self, since: datetime, deadline: Callable[[str, str], int]) -> AvailabilityReport:
        """How many alerts accepted since then were delivered in time; `deadline` gives ms for a service and a severity."""
        known, begin = Availability(deadline), round(since.timestamp() * 1000)
        for entry in self._records.everything(day_of(begin)):
            if entry.step in STEPS:
                known.add(entry)
        return known.report(begin, self._clock.now_ms())

    def kept_proofs(self) -> dict[str, KeptProof]:
        """What the last scheduled proofs have found, by name."""
        return self._kept.all()
