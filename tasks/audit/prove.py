"""Proving: every accepted event has one verdict, or is named as a broken promise."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tasks.audit.archive import DAY_MS, day_of
from tasks.audit.escalations import EscalationJudge
from tasks.audit.evidence import Evidence, steadily
from tasks.audit.judge import Judge, Tally, as_datetime
from tasks.audit.losses import Losses
from tasks.audit.models import EventVerdict, ProofReport
from tasks.audit.overdue_holds import add_overdue_holds
from tasks.audit.pending import PendingRows, pages
from tasks.audit.records import Records, service_in, uid_in
from tasks.audit.stories import Stories
from tasks.utils.rows import milliseconds, service_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tasks.audit.anchors import Anchors
    from tasks.audit.archive import Archive
    from tasks.audit.models import Broken, VerifyReport
    from tasks.utils.clock import Clock
    from tasks.utils.keys import Keys
    from tasks.utils.ledger import Entry

MOST_ROUNDS: Final = 10
PAGE: Final = 500
Since = timedelta | datetime | None


class _Case(NamedTuple):
    """Everything one proof rests on."""

    now: int
    begun: int | None
    evidence: Evidence
    stories: Stories
    judge: Judge


class Prover:
    """Reads the ledger and judges. It only reads: any number may run, also while others seal and deliver."""

    def __init__(
        self, client: Any, keys: Keys, archive: Archive, anchors: Anchors, clock: Clock, grace: timedelta
    ) -> None:
        self._client = client
        self._keys = keys
        self._archive = archive
        self._anchors = anchors
        self._clock = clock
        self._grace_ms = milliseconds(grace)
        self._rows = PendingRows(client, keys)
        self._losses = Losses(archive.folder, anchors)
        self._records = Records(client, keys, archive)

    def prove(self, since: Since) -> ProofReport:
        """The proof over events accepted in the last `since`, or from that moment on; over all of them when None."""
        started = time.perf_counter()
        case = self._open_case(since)
        begun = None if case.begun is None else as_datetime(case.begun)
        report = ProofReport(holds=False, checked_at=as_datetime(case.now), since=begun)
        evidence = case.evidence
        tally = Tally(report, evidence.faults)
        for event_id in case.stories.since(case.begun):
            tally.add(event_id, case.judge.judge(event_id))
        before = case.now - self._grace_ms
        add_overdue_holds(self._client, self._keys, before, evidence.faults)
        judge = EscalationJudge(self._client, self._keys, before, case.judge.new_since)
        judge.judge(case.stories.escalations.since(case.begun), report.escalations, evidence.faults)
        self._add_losses(case, report, tally)
        report.broken, report.broken_count = self._named(evidence.faults.told), evidence.faults.count
        report.broken_by = dict(evidence.faults.counts.most_common())
        report.holds = not (report.broken_count or report.lost or report.losses or report.escalations.lost)
        report.sealed_entries, report.live_entries = evidence.archived, evidence.live
        report.anchors, report.notes = evidence.anchors_agreed, evidence.notes
        report.took_seconds = round(time.perf_counter() - started, 3)
        return report

    def verdicts(self, since: Since) -> Iterator[EventVerdict]:
        """The verdict of each event by itself, with what Redis still knows of it."""
        case = self._open_case(since)
        for page in pages(case.stories.since(case.begun), PAGE):
            for event_id, known in zip(page, self._describe(page), strict=True):
                judged = case.judge.judge(event_id)
                due = None if judged.due is None else as_datetime(judged.due)
                yield EventVerdict(
                    event_id=event_id,
                    verdict=judged.verdict,
                    reason=judged.reason,
                    due=due,
                    **known,
                )

    def verify(self, since: Since = None) -> VerifyReport:
        """The check of chain and anchors alone; of the files from the day on that `since` is in."""
        begun = begin_of(since, self._clock.now_ms())
        return steadily(lambda notes: self._evidence(lambda _: None, notes).verify(begun))

    def _evidence(self, tell: Callable[[Entry], None], notes: Sequence[str]) -> Evidence:
        return Evidence(self._client, self._keys, self._archive, self._anchors, tell, notes)

    def _add_losses(self, case: _Case, report: ProofReport, tally: Tally) -> None:
        report.losses = self._losses.since(case.begun, case.stories)
        for event_id in self._losses.unheard_of(report.losses, case.stories):
            report.events += 1
            tally.lose(event_id, "was pending when Redis lost everything; nothing else is known of it (lost history)")
        report.lost_events = self._named(report.lost_events)

    def _named(self, broken: list[Broken]) -> list[Broken]:
        """The same with service and dedup key: as Redis knows them, else as the ledger does."""
        concerned = {one.event_id for one in broken if one.event_id}
        if not concerned:
            return broken
        places = {
            e.event: (service_in(e), uid_in(e)) for e in self._records.of_events(concerned) if e.step == "accepted"
        }
        known: dict[str, dict[str, str]] = {}
        for page in pages(concerned, PAGE):
            uids = [places.get(event_id, ("", ""))[1] for event_id in page]
            for event_id, uid, row in zip(page, uids, self._describe(page, uids), strict=True):
                service = row["service"] or places.get(event_id, ("", ""))[0]
                known[event_id] = {"service": service, "dedup_key": row["dedup_key"], "uid": uid}
        return [one.model_copy(update=known.get(one.event_id, {})) for one in broken]

    def _open_case(self, since: Since) -> _Case:
        now = self._clock.now_ms()
        begun = begin_of(since, now)
        evidence, stories = steadily(lambda notes: self._read(begun, notes))
        new_since = int(self._client.get(self._keys.epoch) or 0)
        judge = Judge(stories, now=now, grace=self._grace_ms, new_since=new_since)
        case = _Case(now, begun, evidence, stories, judge)
        self._look_at_rows(case)
        return case

    def _read(self, begun: int | None, notes: Sequence[str]) -> tuple[Evidence, Stories]:
        """The ledger from a day before `begun`; from earlier still if events were merged into older ones."""
        lead = 1
        while True:
            stories = Stories()
            evidence = self._evidence(stories.add, notes)
            first_day = "" if begun is None else day_of(max(0, begun - lead * DAY_MS))
            evidence.read_live(evidence.read_archive(first_day, begun))
            stories.is_whole = evidence.is_whole
            oldest = self._archive.files()[:1]
            if not oldest or oldest[0].stem >= first_day or not any(stories.strangers(begun)):
                return evidence, stories
            lead *= 4

    def _look_at_rows(self, case: _Case) -> None:
        """Look up what is open. What looks broken may have gone on between two reads: then look again."""
        judge, stories = case.judge, case.stories
        for _ in range(MOST_ROUNDS):
            waiting: set[str] = set()
            dead: list[str] = []
            for event_id in stories.since(case.begun):
                verdict = stories.verdict(event_id)
                if verdict.waits_for:
                    waiting.add(verdict.waits_for)
                elif verdict.state == "dead" and not stories.is_merged(event_id):
                    dead.append(event_id)
            judge.rows = self._rows.look_up(waiting)
            judge.rows |= self._rows.look_up(
                judge.suspects() & waiting
            )  # one may have changed its place between two reads
            judge.unburied = frozenset(self._rows.missing_dead_letters(dead))
            if judge.suspects().isdisjoint(case.evidence.read_on()):
                return

    def _describe(self, event_ids: Sequence[str], uids: Sequence[str] = ()) -> list[dict[str, str]]:
        """Service, action, dedup key and detail of each event; empty where Redis has forgotten it. `uids`: of alerts, where known."""
        pipe = self._client.pipeline(transaction=False)
        for event_id in event_ids:
            pipe.hmget(self._keys.event(event_id), "service", "action", "detail", "uid")
        events = pipe.execute()
        for (*_, uid), other in zip(events, uids or [""] * len(events), strict=True):
            pipe.hmget(self._keys.alert(uid or other), "dedup_key", "service")
        return [
            {
                "service": service or service_of(destination or ""),
                "action": action or "",
                "detail": detail or "",
                "dedup_key": dedup_key or "",
            }
            for (service, action, detail, _), (dedup_key, destination) in zip(events, pipe.execute(), strict=True)
        ]


def begin_of(since: Since, now: int) -> int | None:
    """The first moment (ms) of the span; None: there is none."""
    if since is None:
        return None
    return round(since.timestamp() * 1000) if isinstance(since, datetime) else now - milliseconds(since)
