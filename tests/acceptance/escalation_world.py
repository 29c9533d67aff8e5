"""The life of an escalation, driven step by step: the pipeline of alerts with a policy for `shop`, and what goes on with timers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.alerts.rule_store import RuleStore
from tasks.escalations.audit import Auditor
from tasks.escalations.desk import EscalationDesk
from tasks.escalations.freezing import Freezer
from tasks.escalations.messages import Ways
from tasks.escalations.pauses import RulePause
from tasks.escalations.policy import Policy, Step, Target
from tasks.escalations.rows import EscalationRows
from tasks.escalations.service import EscalationService
from tasks.notifications.channels.protocol import Address
from tasks.notifications.service import Route
from tasks.utils.clock import Clock
from tasks.utils.identifiers import alert_uid
from tests.left import Left
from tests.pipeline import DEADLINES, STANDBY_KEY, Pipeline

if TYPE_CHECKING:
    from tasks.escalations.models import AuditReport, EscalationView

MINUTE = timedelta(minutes=1)
UID = alert_uid("shop", "disk")


def policy(**more: Any) -> Policy:
    """After five minutes the standby channel, after ten more it and a user of PagerDuty."""
    steps = (
        Step("backup", 5 * MINUTE, (Target("channel", "standby"),)),
        Step("boss", 10 * MINUTE, (Target("channel", "standby"), Target("pagerduty_user", "PBOSS01"))),
    )
    return Policy(**{"name": "nights", "steps": steps, **more})


@dataclass
class Tower(Pipeline):
    """The pipeline with escalations. `shop/standby` is where a step's channel `standby` leads."""

    policy: Policy | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.began = time.monotonic()
        self.under(self.policy or policy())

    def under(self, chosen: Policy) -> None:
        """Alerts of `shop` escalate by this policy from now on."""
        self.freezer = Freezer({"shop": chosen})
        self.ruled_by(escalates=self.freezer)
        self.rows = EscalationRows(self.client, self.keys)
        self.pause = RulePause(RuleStore(self.client, self.keys), self.client, self.keys)
        self.lateness: list[float] = []
        ways = Ways({"shop": {"primary": "shop", "standby": "shop/standby"}})
        self.escalations = EscalationService(self.rows, ways, self.pause, told=self.lateness.append)
        self.desk = EscalationDesk(self.client, self.keys, ["shop", "solo"])

    def routes(self) -> dict[str, Route]:
        standby = Address("standby", "pagerduty", f"{self.url}/v2/enqueue", {"kid-standby": STANDBY_KEY})
        return {**super().routes(), "shop/standby": Route([standby], DEADLINES)}

    def advance(self) -> int:
        """Take the steps that are due; returns how many were taken."""
        return self.escalations.advance().taken

    def audit(self) -> AuditReport:
        """Look after the timers once."""
        return Auditor(self.client, self.keys, self.freezer, self.pause).run()

    def view(self, uid: str = UID) -> EscalationView:
        """How the alert's escalation stands."""
        return self.desk.of_alerts([uid])[0]

    def state(self, event_id: str = "") -> str:
        """State and reason of an event; without one, of the escalation of `disk`."""
        if event_id:
            return super().state(event_id)
        view = self.view()
        return f"{view.state} {view.reason}".strip()

    def story(self, uid: str = UID) -> list[str]:
        """Steps and reasons of the escalation's story, in order."""
        begins = f"escalation-{uid}-"
        entries = [e for _, e in self.client.xrange(self.keys.ledger) if e["e"].startswith(begins)]
        return [e["s"] if e["s"] == "started" else f"{e['s']} {e['r']}" for e in entries]

    def due_in(self, uid: str = UID) -> Left:
        """Seconds until it goes on."""
        due = self.client.zscore(self.keys.escalations_due, uid)
        return Left((due - Clock(self.client, self.keys).now_ms()) / 1000, self.began)
