"""A fleet whose service `shop` escalates: to a second channel, and to it once more; what became of each alert is read from the ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from tasks.runtime import Runtime
from tasks.utils.identifiers import alert_uid
from tests.fleet import Fleet

if TYPE_CHECKING:
    from pathlib import Path

PRIMARY = "escalationsprimary".ljust(32, "0")
STANDBY = "escalationsstandby".ljust(32, "0")
SERVICE = f"""escalation: nights
channels:
  - {{name: primary, routing_key: {PRIMARY}}}
  - {{name: standby, routing_key: {STANDBY}}}
"""
POLICY = """steps:
  - {{name: one, after: {first}, targets: [{{channel: standby}}]}}
  - {{name: two, after: {second}, targets: [{{channel: standby}}]}}
"""


class EscalationFleet(Fleet):
    """Real processes; `first` and `second` are the delays of the two steps."""

    def __init__(self, folder: Path, *, first: str = "3s", second: str = "3s", **environment: str) -> None:
        config = folder / "config"
        for name, text in {
            "pagerduty.yaml": "default_service: shop\n",
            "services/shop.yaml": SERVICE,
            "policies/nights.yaml": POLICY.format(first=first, second=second),
        }.items():
            (config / name).parent.mkdir(parents=True, exist_ok=True)
            (config / name).write_text(text)
        super().__init__(folder, sandbox_options=("--no-limits",), TOCSIN_CONFIG_DIR=str(config), **environment)

    def tell(self, action: str, *keys: str) -> None:
        """Send news of these alerts."""
        payload = {"summary": "it broke", "source": "web1", "severity": "critical"}
        body: dict[str, Any] = {"payload": payload} if action == "trigger" else {}
        self.submit(*({"service": "shop", "event_action": action, "dedup_key": key, **body} for key in keys))

    def stories(self) -> dict[str, list[str]]:
        """For each alert (uid) that escalated: `step reason` of its escalations, in order."""
        told: dict[str, list[str]] = defaultdict(list)
        for _, entry in self.client.xrange(self.keys.ledger):
            if entry["e"].startswith("escalation-"):
                word = entry["s"] if entry["s"] == "started" else f"{entry['s']} {entry['r']}"
                told[entry["e"].split("-")[1]].append(word)
        return told

    def steps_unsaid(self) -> set[str]:
        """Alerts (uids) a step of which had nothing to say any more: the resolve came before its send, and the ledger names that."""
        return {
            entry["e"].split("-")[1]
            for _, entry in self.client.xrange(self.keys.ledger)
            if entry["e"].startswith("step-") and (entry["s"], entry["r"]) == ("suppressed", "resolved_before_send")
        }

    def alive(self) -> int:
        """How many escalations go on by themselves."""
        return int(self.client.zcount(self.keys.escalations_due, "-inf", "(+inf"))

    def proof(self) -> dict[str, Any]:
        """What the ledger proves."""
        return Runtime(self.settings).audit.prove().model_dump(mode="json")

    def arrivals(self, key: str) -> Counter[str]:
        """How often each dedup key arrived with that routing key as a trigger."""
        return Counter(
            entry["dedup_key"]
            for entry in self.sandbox.log()
            if entry["routing_key"] == key and entry["event_action"] == "trigger"
        )


def uid(key: str) -> str:
    """The short name of an alert of `shop`."""
    return alert_uid("shop", key)
