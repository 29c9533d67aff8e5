"""The load: triggers and later their resolves, over HTTP and as task messages; what was accepted is the first witness."""

from __future__ import annotations

import heapq
import random
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx
import redis
from celery import Celery
from kombu.exceptions import OperationalError

from tests.chaos.kit.stage import ingest_key, service_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.kit.stage import Stage

SEVERITIES: Final = ("critical", "error", "warning", "info")
AGAIN: Final = 0.1  # seconds until a sender tries again
FORGOTTEN: Final = 15.0  # seconds after a loss until no worker can have a trigger in hand that the server has forgotten
LOOK: Final = 0.5  # seconds until a producer looks again whether its trigger has been decided on


@dataclass(frozen=True)
class Description:
    """What is sent: so many events a minute for so many seconds; one alert is a trigger and, some time later, its resolve."""

    seconds: float
    per_minute: float = 2000
    by_task: float = 0.2
    open_for: tuple[float, ...] = (0.0, 0.5, 2.0, 5.0, 15.0)
    """How long an alert is open, in seconds: any of these, within a third."""
    senders: int = 4

    @property
    def longest(self) -> float:
        """The longest time an alert may be open, in seconds."""
        return max(self.open_for) * 1.3

    def alerts(self, seed: int, services: Sequence[str]) -> list[Alert]:
        """Every alert there will be, in order."""
        dice = random.Random(f"load {seed}")
        count = round(self.seconds * self.per_minute / 60 / 2)
        return [
            Alert(
                key=f"alert-{number:05}",
                service=services[number % len(services)],
                severity=dice.choice(SEVERITIES),
                at=self.seconds * number / count,
                open_for=dice.choice(self.open_for) * dice.uniform(0.7, 1.3),
                is_task=dice.random() < self.by_task,
            )
            for number in range(count)
        ]


@dataclass(frozen=True)
class Alert:
    """One alert: triggered so many seconds after the beginning, resolved so many seconds later."""

    key: str
    service: str
    severity: str
    at: float
    open_for: float
    is_task: bool

    def event(self, action: str) -> dict[str, Any]:
        """What is said of it, but for whom it is for."""
        body: dict[str, Any] = {"event_action": action, "dedup_key": self.key}
        if action == "trigger":
            body["payload"] = {"summary": self.key, "source": "chaos", "severity": self.severity}
        return body


@dataclass
class Accepted:
    """The first witness: how often which event was accepted, and how often it is unknown whether it was."""

    events: Counter[tuple[str, str]] = field(default_factory=Counter)  # (dedup key, action)
    perhaps: Counter[tuple[str, str]] = field(default_factory=Counter)
    times: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    """When, by the wall's clock: when the sender asked, and when it had the answer."""
    ids: dict[str, tuple[str, str]] = field(default_factory=dict)  # of events of task messages: their senders know them
    services: dict[str, str] = field(default_factory=dict)  # of each dedup key
    refused: int = 0
    strange: list[str] = field(default_factory=list)  # answers nobody should get
    slowest: float = 0.0

    def note(self, alert: Alert, action: str, asked: float) -> None:
        """One more event was accepted, that was asked for at that time."""
        self.events[alert.key, action] += 1
        self.times[alert.key, action].append((asked, time.time()))
        self.services[alert.key] = alert.service


class Sender(threading.Thread, ABC):
    """Sends its share of the alerts, each event until it is accepted, the resolve never before the trigger was."""

    def __init__(self, stage: Stage, alerts: Sequence[Alert], began: float) -> None:
        super().__init__(daemon=True)
        self.stage = stage
        self.accepted = Accepted()
        self.given_up = threading.Event()
        self._began = began
        self._todo = [(alert.at, number, "trigger", alert) for number, alert in enumerate(alerts)]
        heapq.heapify(self._todo)

    def run(self) -> None:
        while self._todo:
            at, number, action, alert = heapq.heappop(self._todo)
            if self.given_up.wait(max(0.0, self._began + at - time.monotonic())):
                return
            if action == "resolve" and not self.may_resolve(alert):
                heapq.heappush(self._todo, (time.monotonic() - self._began + LOOK, number, action, alert))
                continue
            asked = time.time()
            while not self.is_accepted(action, alert):
                if self.given_up.wait(AGAIN):
                    return
                asked = time.time()
            self.accepted.note(alert, action, asked)
            if action == "trigger":
                heapq.heappush(self._todo, (max(at, self.since) + alert.open_for, number, "resolve", alert))

    @property
    def since(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def may_resolve(self, alert: Alert) -> bool:
        """Whether the resolve cannot overtake its trigger."""
        return True

    @abstractmethod
    def is_accepted(self, action: str, alert: Alert) -> bool:
        """Send once."""


class HttpSender(Sender):
    """Sends to the gateway, as any Events v2 sender does."""

    def run(self) -> None:
        with httpx.Client(timeout=10) as self._client:
            super().run()

    def is_accepted(self, action: str, alert: Alert) -> bool:
        body = {**alert.event(action), "routing_key": ingest_key(alert.service)}
        began = time.monotonic()
        try:
            status = self._client.post(f"{self.stage.gateway_url}/v2/enqueue", json=body).status_code
        except httpx.ConnectError:
            return False
        except httpx.TransportError:
            self.accepted.perhaps[alert.key, action] += 1
            return False
        self.accepted.slowest = max(self.accepted.slowest, time.monotonic() - began)
        if status == 503:
            self.accepted.refused += 1
            self.accepted.perhaps[alert.key, action] += 1
        elif status != 202:
            self.accepted.strange.append(f"HTTP {status} for {action} {alert.key}")
        return status == 202


class TaskSender(Sender):
    """Sends task messages, as any Celery producer does; a resolve only once its trigger has been decided on.

    Task messages whose worker dies are handed out again later: nobody promises that they are decided on in the order they were sent.
    """

    def run(self) -> None:
        self._ids: dict[tuple[str, str], str] = {}
        with Celery("chaos", broker=self.stage.redis_url, set_as_current=False) as self._app:
            options = {
                "global_keyprefix": self.stage.fleet.keys.prefix,
                "socket_timeout": 3,
                "socket_connect_timeout": 3,
            }
            self._app.conf.update(broker_transport_options=options, task_publish_retry=False)
            super().run()

    def may_resolve(self, alert: Alert) -> bool:
        fleet, ((asked, _),) = self.stage.fleet, self.accepted.times[alert.key, "trigger"]
        if any(asked < one.until < time.time() - FORGOTTEN for one in self.stage.emptied):
            return True
        try:
            return bool(fleet.client.exists(fleet.keys.event(f"{self._ids[alert.key, 'trigger']}:0")))
        except redis.RedisError:
            return False

    def is_accepted(self, action: str, alert: Alert) -> bool:
        task_id = self._ids.setdefault(
            (alert.key, action), str(uuid.uuid4())
        )  # again under the same id: it stays one event
        self.accepted.ids[f"{task_id}:0"] = (alert.key, action)
        alerts = [{**alert.event(action), "service": alert.service}]
        try:
            with self._app.connection_for_write() as connection:
                self._app.send_task(
                    "alerts.submit", kwargs={"alerts": alerts}, queue="alert", task_id=task_id, connection=connection
                )
        except (OperationalError, redis.RedisError, OSError):
            return False
        return True


class Load:
    """All senders."""

    def __init__(self, stage: Stage, description: Description, seed: int) -> None:
        self._began = time.monotonic()
        alerts = description.alerts(seed, service_names(stage.shape))
        by_http = [alert for alert in alerts if not alert.is_task]
        shares = [by_http[number :: description.senders] for number in range(description.senders)]
        tasks = TaskSender(stage, [alert for alert in alerts if alert.is_task], self._began)
        self.senders: list[Sender] = [*(HttpSender(stage, share, self._began) for share in shares), tasks]

    def start(self) -> None:
        """Begin to send."""
        for sender in self.senders:
            sender.start()

    @property
    def since(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    def is_done(self) -> bool:
        """Whether everything has been sent."""
        return not any(sender.is_alive() for sender in self.senders)

    def give_up(self) -> None:
        """Stop sending."""
        for sender in self.senders:
            sender.given_up.set()
            sender.join(timeout=15)

    def accepted(self) -> Accepted:
        """What all of them were told, together."""
        total = Accepted()
        for sender in self.senders:
            one = sender.accepted
            total.events += one.events
            total.perhaps += one.perhaps
            total.refused += one.refused
            total.strange += one.strange
            total.times.update(one.times)
            total.services.update(one.services)
            total.ids.update(one.ids)
            total.slowest = max(total.slowest, one.slowest)
        return total
