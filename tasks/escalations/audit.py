"""The auditor: whether every open alert of a service with a policy has a living timer, and every timer an open alert."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from tasks.escalations.models import AuditReport
from tasks.escalations.rows import ALIVE, EscalationRows, as_moment
from tasks.utils.clock import Clock
from tasks.utils.kept_labels import recall
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tasks.escalations.freezing import Freezer
    from tasks.escalations.service import Pause
    from tasks.utils.keys import Keys

log = structlog.get_logger("tocsin.escalations")

PAGE: Final = 500
MOST_A_RUN: Final = 20_000  # alerts looked at; the next run goes on where this one ended
LATE: Final = timedelta(minutes=1)
BY_RULE: Final = ("silence:", "maintenance:")


class Auditor:
    """Looks, mends, counts."""

    def __init__(self, client: Any, keys: Keys, freezer: Freezer, pause: Pause) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._rows = EscalationRows(client, keys)
        self._clock = Clock(client, keys)
        self._freezer = freezer
        self._pause = pause

    def run(self) -> AuditReport:
        """Look once. Any number may look at the same time: each thing is mended once."""
        report, found = AuditReport(), Counter[str]()
        now = self._clock.now_ms()
        first = self._client.zrange(self._keys.escalations_due, 0, 0, withscores=True)
        report.late = self._client.zcount(self._keys.escalations_due, "-inf", now - milliseconds(LATE))
        report.late_ms = max(0, now - int(first[0][1])) if first and first[0][1] < now else 0
        for page in self._rows.living(soonest=MOST_A_RUN):
            self._look_at_timers([uid for uid, _ in page], now, report, found)
        look = self._look_at_alerts(report, found)
        self._sum_up(report, found, look)
        return report

    def arm(self, uids: Sequence[str]) -> int:
        """Give these alerts their timers, such as after the loss of Redis; returns how many had none."""
        found = Counter[str]()
        self._look_at(uids, AuditReport(), found)
        return found["started"]

    def _look_at_timers(self, uids: Sequence[str], now: int, report: AuditReport, found: Counter[str]) -> None:
        rows = self._rows.read(uids)
        stands = self._rows.alerts(uids, "status", "service", "dedup_key")
        paused, odd = [], []
        for uid, row, (status, service, dedup_key) in zip(uids, rows, stands, strict=True):
            if not _fits(row.get("state"), status):
                odd.append(uid)
            elif row.get("state") == "paused" and row.get("reason", "").startswith(BY_RULE):
                paused.append((uid, row, service or "", dedup_key or ""))
        report.looked_at += len(uids)
        self._mend([("escalation_mend", uid, "") for uid in odd], found)
        self._resume(paused, now, found)

    def _resume(self, paused: Sequence[tuple[str, dict[str, str], str, str]], now: int, found: Counter[str]) -> None:
        """Those whose silence is over before its time go on."""
        labels = self._client.hmget(self._keys.labels, [uid for uid, *_ in paused]) if paused else []
        for (uid, row, service, dedup_key), kept in zip(paused, labels, strict=True):
            if self._pause(recall(kept or "", service, dedup_key), now) is None:
                found["resumed"] += int(self._scripts.run("escalation_resume", uid, row["fence"], "pause_over", "", ""))

    def _look_at_alerts(self, report: AuditReport, found: Counter[str]) -> int:
        start = int(self._client.hget(self._keys.escalation_counts, "look") or 0)
        offset = start
        while offset < start + MOST_A_RUN:
            uids = self._client.zrange(self._keys.alerts, offset, offset + PAGE - 1)
            self._look_at(uids, report, found)
            if len(uids) < PAGE:
                return 0
            offset += PAGE
        return offset

    def _look_at(self, uids: Sequence[str], report: AuditReport, found: Counter[str]) -> None:
        calls = list(self._doubtful(uids, report)) if uids else []
        self._mend(calls, found)

    def _doubtful(self, uids: Sequence[str], report: AuditReport) -> Iterator[tuple[str, ...]]:
        """Open alerts without a timer, as calls that mend it."""
        alerts = self._rows.alerts(uids, "status", "service", "copy_of", "since", "dedup_key")
        opened = [
            (uid, service or "", int(since or 0), key or "")
            for uid, (status, service, copy, since, key) in zip(uids, alerts, strict=True)
            if status == "open" and copy is None and service in self._freezer.services
        ]
        report.looked_at += len(opened)
        names = [uid for uid, *_ in opened]
        rows = self._rows.read(names)
        dues = self._client.zmscore(self._keys.escalations_due, names) if names else []
        kept = self._client.hmget(self._keys.labels, names) if names else []
        for (uid, service, since, key), row, due, labels in zip(opened, rows, dues, kept, strict=True):
            is_alive = row.get("state") in ALIVE
            if (is_alive and due is not None) or (not is_alive and int(row.get("began", -1)) >= since):
                continue
            severity = recall(labels or "", service, key).get("severity", "")
            yield "escalation_mend", uid, self._freezer.spec(service, severity, as_moment(since))

    def _mend(self, calls: Sequence[tuple[str, ...]], found: Counter[str]) -> None:
        found.update(word for word in (self._scripts.run_many(calls) if calls else ()) if word)

    def _sum_up(self, report: AuditReport, found: Counter[str], look: int) -> None:
        report.started, report.cancelled, report.revived = (found[name] for name in ("started", "cancelled", "revived"))
        report.resumed = found["resumed"] + found["stopped"]
        self._scripts.run("escalation_audited", look, *(part for name in sorted(found) for part in (name, found[name])))
        if report.repaired:
            log.warning("timers_mended", **report.model_dump(exclude_defaults=True))


def _fits(state: str | None, status: str | None) -> bool:
    """Whether a timer's state fits its alert's."""
    if state == "paused":
        return status in ("open", "acknowledged")
    return (state, status) in {("running", "open"), ("acknowledged", "acknowledged")}
