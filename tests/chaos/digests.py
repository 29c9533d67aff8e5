"""A fleet whose alerts are told together: its configuration, what arrived, and what three witnesses say of it."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fleet import Fleet

SERVICE = """
group_by: [group]
max_wait: {wait}s
max_size: {size}
channels:
  - {{name: desk, kind: webhook, url: "${{PAGERDUTY_EVENTS_URL}}/hooks/desk", secret: 0123456789abcdef, allow_private: true}}
"""


def write_config(folder: Path, *, wait: float, size: int = 50) -> Path:
    """A configuration whose one service tells a desk of its alerts, by the label `group`."""
    config = folder / "config"
    unwanted = shutil.ignore_patterns("*.py", "__pycache__", "services", "policies")
    shutil.copytree(ROOT / "config", config, ignore=unwanted)
    (config / "services").mkdir()
    (config / "services" / "default.yaml").write_text(SERVICE.format(wait=wait, size=size))
    return config


def news(number: int, group: int, action: str = "trigger", severity: str = "warning") -> dict[str, Any]:
    """One alert of a group, as `alerts.submit` takes it."""
    alert: dict[str, Any] = {"service": "default", "event_action": action, "dedup_key": f"alert-{number}"}
    if action == "trigger":
        details = {"group": f"g{group}"}
        payload = {"summary": f"alert {number}", "source": "chaos", "severity": severity, "custom_details": details}
        alert["payload"] = payload
    return alert


@dataclass
class Told:
    """What arrived at the desk: each message's arrival, and its members."""

    arrivals: list[tuple[float, str]] = field(default_factory=list)  # when, which bundle
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)  # bundle -> ids of its events
    keys: dict[str, str] = field(default_factory=dict)  # event -> dedup key
    changed: list[str] = field(default_factory=list)  # bundles that came with other members than before

    @property
    def extras(self) -> int:
        """Messages beyond one a bundle."""
        return len(self.arrivals) - len(self.members)

    @property
    def first_arrival(self) -> dict[str, float]:
        """When each event was told first."""
        found: dict[str, float] = {}
        for at, bundle in sorted(self.arrivals):
            for event in self.members[bundle]:
                found.setdefault(event, at)
        return found

    def told_twice(self) -> list[str]:
        """Events that stand in more than one bundle."""
        count = Counter(event for events in self.members.values() for event in events)
        return [event for event, times in count.items() if times > 1]


def at_desk(fleet: Fleet) -> Told:
    """Everything the desk took."""
    told = Told()
    for entry in fleet.sandbox.log():
        if not entry["path"].startswith("/hooks/") or entry["status"] != 200:
            continue
        body = entry["body"]
        events = tuple(member["event_id"] for member in body["members"])
        told.arrivals.append((entry["at"], body["id"]))
        told.keys |= {member["event_id"]: member["dedup_key"] for member in body["members"]}
        if told.members.setdefault(body["id"], events) != events:
            told.changed.append(body["id"])
    return told


def fates(fleet: Fleet) -> Counter[str]:
    """How every accepted event ended, by its row."""
    found: Counter[str] = Counter()
    ended = {entry.partition(" ")[2] for entry in fleet.client.lrange(fleet.keys.closed, 0, -1)}
    ended.update(fleet.client.zrange(fleet.keys.dead, 0, -1))
    pipe = fleet.client.pipeline(transaction=False)
    for event in ended:
        if not event.startswith("bundle-"):
            pipe.hmget(fleet.keys.event(event), "state", "reason")
    for state, reason in pipe.execute():
        found[state if state == "sent" else f"{state} {reason}"] += 1
    return found


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]
