"""Alerts that are told together, with a desk that people read instead of a network, and random histories of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.alerts.grouping import GroupRule
from tasks.alerts.routing import Routing
from tasks.audit.service import AuditRules, AuditService
from tasks.notifications.channels.protocol import Address
from tasks.notifications.dispatch import Dispatch
from tasks.notifications.letters import Letters
from tasks.notifications.service import DeliveryService, Route
from tasks.notifications.telling import Teller
from tasks.utils.bundles import Bundle, Notice
from tasks.utils.metrics_collector import Metrics
from tasks.utils.rows import Outcome
from tests.pipeline import DEADLINES, Pipeline, alert

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.notifications.channels.protocol import Message
    from tasks.utils.keys import Keys

WAIT = timedelta(seconds=30)
MOST = 5
PEOPLE = GroupRule((), 30_000, MOST, 0, frozenset({"critical"}), for_people=True)


CLUSTERS = replace(PEOPLE, by=("cluster",))


class Grouped:
    """Routes of one service: every alert goes its own way, grouped by this rule."""

    needs_time = False

    def __init__(self, rule: GroupRule) -> None:
        self.rule = rule

    def route(self, service: str, labels: Any, now: Any) -> Routing:
        return Routing({service: self.rule}, ())

    def usual_grouping(self, destination: str) -> GroupRule:
        return self.rule


class Words:
    """Keeps each bundle as it is, for the desk to look at."""

    def notice(self, kind: str, bundle: Bundle, *, locale: str = "en", template: str = "") -> Notice:
        return Notice(told(bundle), told(bundle), document={"bundle": bundle})

    def event(self, bundle: Bundle, *, locale: str = "en", template: str = "") -> dict[str, Any]:
        payload = {"summary": told(bundle), "source": "shop", "severity": bundle.severity}
        return {"event_action": bundle.action, "dedup_key": bundle.dedup_key, "payload": payload}


def told(bundle: Bundle) -> str:
    """A bundle in a line, such as `trigger, 2 open: +disk !cpu -net`."""
    marks = {"trigger": "+", "acknowledge": "!", "resolve": "-"}
    news = " ".join(marks[member.action] + member.dedup_key for member in bundle.members)
    gone = f", {bundle.came_and_went} came and went" if bundle.came_and_went else ""
    return f"{bundle.action}, {bundle.open} open{gone}: {'(reminder)' if bundle.is_reminder else news}"


@dataclass
class Desk:
    """A channel that people read: what it took, and what it is to answer next."""

    taken: list[Bundle] = field(default_factory=list)
    tried: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    answers: list[Outcome] = field(default_factory=list)

    def send(self, message: Message) -> Outcome:
        assert message.notice is not None
        bundle = message.notice.document["bundle"]
        self.tried.append((message.id, tuple(member.event_id for member in bundle.members)))
        answer = self.answers.pop(0) if self.answers else Outcome("sent")
        if answer.verb == "sent" or answer.unclear:
            self.taken.append(bundle)
        return answer

    def close(self) -> None:
        self.answers.clear()


class GroupKit(Pipeline):
    """The pipeline with a desk as the one channel of `shop`."""

    folder: Path
    rule = PEOPLE

    def __post_init__(self) -> None:
        super().__post_init__()
        self.client.set(self.keys.epoch, "1700000000000")
        self.desk = Desk()
        self.ruled_by(router=Grouped(self.rule))
        self.delivery.close()
        self.delivery = self.delivered_by([Address("desk", "slack", "", {"kid-desk": "secret"})])
        self.audit = AuditService(self.client, self.keys, AuditRules(self.folder))
        self.seen = 0

    def delivered_by(self, addresses: list[Address]) -> DeliveryService:
        teller = Teller(Metrics())
        channels: dict[str, Any] = {**self.channels(), "slack": self.desk}
        dispatch = Dispatch(channels, Letters(self.client, self.keys, Words))
        return DeliveryService(
            self.client, self.keys, {"shop": Route(addresses, DEADLINES)}, dispatch, self.delivery._rules, teller
        )

    def go(self) -> list[str]:
        """Seal and send what is due; what the desk got to read, a line a message."""
        self.delivery.drain()
        self.delivery.digest()
        self.delivery.drain()
        fresh = self.desk.taken[self.seen :]
        self.seen = len(self.desk.taken)
        return [told(bundle) for bundle in fresh]


def warning(key: str, action: str = "trigger", **payload: Any) -> dict[str, Any]:
    """An alert that is not urgent."""
    return alert(key, action, **({"severity": "warning", **payload} if action == "trigger" else {}))


def at_desk(kind: type[GroupKit], client: Any, keys: Keys, url: str, folder: Path) -> GroupKit:
    """Such a pipeline, its proofs in that folder."""
    kind.folder = folder
    return kind(client, keys, url)


def proved(kit: GroupKit, *, pending: int = 0) -> bool:
    """Whether the promise holds, with so many pieces of news still to be told."""
    proof = kit.audit.prove()
    assert proof.holds, proof.broken
    return proof.pending.count == pending
