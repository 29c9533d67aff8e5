"""A fleet whose PagerDuty is down: what people read meanwhile, and what must hold at the end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.audit.service import AuditRules, AuditService
from tasks.notifications.channels.protocol import Address
from tasks.utils.breakers import Breakers
from tests.acceptance.group_world import GroupKit
from tests.pipeline import PRIMARY_KEY, STANDBY_KEY, alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

SECOND = timedelta(seconds=1)
DOWN: dict[str, Any] = {"kind": "error", "status": 503, "path": "/v2"}


class Outage(GroupKit):
    """`shop`: PagerDuty, then people at a desk. `twin`: PagerDuty, then a standby of another account and address."""

    sandbox: Sandbox
    clock: MovableClock

    def start(self, *addresses: Address) -> None:
        self.ruled_by()
        self.sandbox.register(PRIMARY_KEY, "Shop")
        self.sandbox.register(STANDBY_KEY, "Shop standby")
        self.sandbox.control("POST", "/limits", {"events_per_minute": None})
        self.delivery.close()
        self.delivery = self.delivered_by(list(addresses) or [self.primary, self.people])

    @property
    def primary(self) -> Address:
        return self.routes()["shop"].addresses[0]

    @property
    def standby(self) -> Address:
        url = f"{self.url}/v2/enqueue".replace("127.0.0.1", "localhost")
        return Address("standby", "pagerduty", url, {"kid-standby": STANDBY_KEY})

    @property
    def people(self) -> Address:
        return Address("desk", "slack", "", {"kid-desk": "secret"})

    @property
    def breakers(self) -> Breakers:
        return Breakers(self.client, self.keys)

    def pass_time(self, seconds: float, step: float = 1) -> list[str]:
        """Let time pass, workers at work; what people get to read meanwhile."""
        read = self.go()
        for _ in range(round(seconds / step)):
            self.clock.advance(step * SECOND)
            read += self.go()
        return read

    def open_breaker(self) -> str:
        """Let PagerDuty fail for as long as it takes; the event it was noticed by."""
        self.sandbox.fault(**DOWN)
        [first] = self.submit(alert("first"))
        while not any(view.is_shut for view in self.breakers.list()):
            self.clock.advance(SECOND)
            self.delivery.drain()
        return str(first.id)

    def asked(self) -> int:
        """Requests at PagerDuty so far."""
        return self.sandbox.count()


def check(
    kit: Outage, accepted: list[str], keys: set[str], resolved: set[str], opened: Any, *, most_twice: int
) -> None:
    """The three witnesses, and what people and PagerDuty know at the end."""
    audit = AuditService(kit.client, kit.keys, AuditRules(kit.folder))
    proof = audit.prove()
    assert proof.holds, proof
    assert (proof.pending.count, proof.dead) == (0, {})
    verdicts = {verdict.event_id: verdict for verdict in audit.verdicts()}
    assert set(accepted) <= set(verdicts)
    read = [member for bundle in kit.desk.taken for member in bundle.members]
    told_of = [member.dedup_key for member in read if member.action == "trigger"]
    taken = [e["dedup_key"] for e in kit.sandbox.log() if e["outcome"] in ("opened", "updated")]
    assert len(told_of) == len(set(told_of)), "told twice"
    assert len(set(told_of) & set(taken)) <= most_twice, "called twice"
    silent = {v.dedup_key for v in verdicts.values() if v.reason in ("resolved_before_send", "nothing_was_sent")}
    assert set(told_of) | set(taken) | silent >= keys
    last = {member.dedup_key: member.action for member in read}
    open_there = {i["incident_key"] for i in kit.sandbox.incidents() if i["status"] != "resolved"}
    open_here = {key for key, action in last.items() if action == "trigger"}
    assert open_here | open_there == keys - resolved
    assert all(bundle.outage for bundle in kit.desk.taken if any(m.action == "trigger" for m in bundle.members))
    late = [
        m for b in kit.desk.taken for m in b.members if m.action == "trigger" and b.at - max(m.at, opened) > 30 * SECOND
    ]
    assert not late, [(m.dedup_key, m.at) for m in late]
