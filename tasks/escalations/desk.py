"""What people do with escalations: see them, pause, resume, skip, cancel."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from tasks.escalations.models import ChangeReport, EscalationView
from tasks.escalations.policy import step
from tasks.escalations.rows import EscalationRows, as_moment, escalation_id
from tasks.utils.clock import Clock
from tasks.utils.error_handler import PermanentError
from tasks.utils.identifiers import alert_uid
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tasks.escalations.audit import Auditor
    from tasks.utils.keys import Keys


class UnknownEscalationError(PermanentError):
    """Nothing escalates under that name."""


class EscalationDesk:
    """Escalations by name: the short name of the alert (uid), the escalation's own, or the dedup key."""

    def __init__(self, client: Any, keys: Keys, services: Iterable[str] = ()) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._rows = EscalationRows(client, keys)
        self._clock = Clock(client, keys)
        self._services = list(services)

    def living(self, *, limit: int = 100, service: str = "") -> list[EscalationView]:
        """Those that live, the next due first."""
        return list(islice((one for one in self._living() if service in ("", one.service)), limit))

    def show(self, name: str, service: str = "") -> list[EscalationView]:
        """The escalation of that name, living or over; UnknownEscalationError where there is none."""
        return self._views(self._named([name], service))

    def of_alerts(self, uids: Sequence[str]) -> list[EscalationView]:
        """Those of these alerts, as far as there are any."""
        return self._views([uid for uid, row in zip(uids, self._rows.read(uids), strict=True) if row])

    def start(self, names: Sequence[str], service: str, auditor: Auditor) -> ChangeReport:
        """Give these alerts their timers where they are missing."""
        report = ChangeReport()
        for name in names:
            uids = [name, *(alert_uid(one, name) for one in ([service] if service else self._services))]
            known = [uid for uid, (status,) in zip(uids, self._rows.alerts(uids, "status"), strict=True) if status]
            for uid in known:
                (report.changed if auditor.arm([uid]) else report.unchanged).append(uid)
            if not known:
                raise UnknownEscalationError(f"there is no alert {name!r}; which there are: `tocsin alerts list`")
        return report

    def pause(self, names: Sequence[str], service: str = "", *, by: str = "", seconds: float = 0) -> ChangeReport:
        """Let them wait, for so long or until somebody resumes them; 0 = the latter."""
        until: int | str = self._clock.now_ms() + round(seconds * 1000) if seconds else ""
        return self._change(names, service, lambda uid: ("escalation_wait", uid, "", "by_hand", until, "", by))

    def resume(self, names: Sequence[str], service: str = "") -> ChangeReport:
        """Let those that wait go on, with the time that was left to their next step."""
        return self._change(names, service, self._if_waiting)

    def skip(self, names: Sequence[str], service: str = "") -> ChangeReport:
        """Have the next step taken now."""
        return self._change(names, service, lambda uid: ("escalation_resume", uid, "", "skipped_wait", 0, ""))

    def cancel(self, names: Sequence[str], service: str = "", *, reason: str = "by_hand") -> ChangeReport:
        """End them; their alerts stay as they are."""
        return self._change(names, service, lambda uid: ("escalation_end", uid, "", "cancelled", reason, ""))

    def _if_waiting(self, uid: str) -> tuple[Any, ...] | None:
        row = self._rows.read([uid])[0]
        waits = row.get("state") in ("paused", "acknowledged")
        return ("escalation_resume", uid, row["fence"], "by_hand", "", "") if waits else None

    def _change(self, names: Sequence[str], service: str, call: Any) -> ChangeReport:
        report = ChangeReport()
        for uid in self._named(names, service):
            asked = call(uid)
            is_changed = bool(asked and int(self._scripts.run(*asked)))
            (report.changed if is_changed else report.unchanged).append(uid)
        return report

    def _named(self, names: Sequence[str], service: str) -> list[str]:
        found = []
        for name in names:
            services = [service] if service else self._services
            bare = name.removeprefix("escalation-").partition("-")[0]
            candidates = [bare, *(alert_uid(one, name) for one in services)]
            known = [uid for uid, row in zip(candidates, self._rows.read(candidates), strict=True) if row]
            if not known:
                raise UnknownEscalationError(f"nothing escalates as {name!r}; what does: `tocsin escalations list`")
            found += known
        return list(dict.fromkeys(found))

    def _living(self) -> Iterator[EscalationView]:
        for page in self._rows.living():
            yield from self._views([uid for uid, _ in page])

    def _views(self, uids: Sequence[str]) -> list[EscalationView]:
        rows, alerts = self._rows.read(uids), self._rows.alerts(uids, "service", "dedup_key")
        dues = self._client.zmscore(self._keys.escalations_due, uids) if uids else []
        now = self._clock.now_ms()
        return [
            self._view(uid, row, service or "", key or "", due, now)
            for uid, row, (service, key), due in zip(uids, rows, alerts, dues, strict=True)
            if row
        ]

    def _view(
        self, uid: str, row: dict[str, str], service: str, key: str, score: float | None, now: int
    ) -> EscalationView:
        policy = self._rows.policies([row["policy"]]).get(row["policy"])
        taken = int(row["taken"])
        is_alive = row["state"] in ("running", "acknowledged", "paused")
        following = step(policy, taken) if policy and is_alive else None
        due = float(row["due"]) if "due" in row else score
        has_time = due is not None and due != float("inf")
        return EscalationView(
            id=escalation_id(uid, row["began"]),
            uid=uid,
            service=service,
            dedup_key=key,
            policy=policy.name if policy else "",
            state=row["state"],
            reason=row.get("reason", ""),
            taken=taken,
            next_step=following.name if following else "",
            reaches=[f"{target.kind} {target.value}" for target in following.targets] if following else [],
            started_at=as_moment(int(row["began"])),
            due_at=as_moment(due) if due is not None and has_time else None,
            left_seconds=int(row["left"]) / 1000 if "left" in row else None,
            late_seconds=max(0.0, (now - due) / 1000) if due is not None and has_time else 0,
            ended_at=as_moment(int(row["ended"])) if "ended" in row else None,
            by=row.get("told", "") if row["state"] == "paused" else "",
        )
