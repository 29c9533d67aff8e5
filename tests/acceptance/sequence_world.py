"""A fleet to which a sequence happens, what was asked of it, and what must come of that."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from config.matchers import Matcher
from config.services import Service
from tasks.alerts.acceptance import AlertRules, FlappingRule
from tasks.alerts.holds import Inhibition
from tasks.alerts.routing import Router
from tasks.alerts.service import AlertService
from tasks.notifications.channels.protocol import Address
from tasks.notifications.service import DeliveryService, Route
from tasks.utils.breaker_rules import BreakerRules
from tasks.utils.clock import MovableClock
from tasks.utils.identifiers import alert_uid
from tasks.utils.rows import Inbox
from tests.acceptance.sequences import CHANNELS, KEYS
from tests.pipeline import DEADLINES, Pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.notifications.flights import Flight
    from tasks.notifications.models import DrainReport
    from tasks.utils.rows import Done, Outcome
    from tests.acceptance.sequences import Step
    from tests.conftest import Sandbox

EAGER: Final = BreakerRules(threshold=1)  # so that breakers open often
NIGHT: Final = {"from": "20:00", "to": "08:00"}
ROUTES: Final = [
    {"name": "copy", "match": ["group=pay"], "channels": ["desk"], "continue": True},
    {"name": "test", "match": ["component=test"], "channels": ["desk"]},
    {"name": "night", "severity": ["critical"], "times": [NIGHT], "channels": ["night", "spare"]},
    {"name": "rest", "match": ["group=pay"], "service": "shop"},
]


def inhibition(name: str, source: str, target: str, equal: str) -> Inhibition:
    return Inhibition(name, (Matcher.parse(source),), (Matcher.parse(target),), (equal,))


INHIBITIONS: Final = (
    inhibition("host-down", "class=HostDown", "class!=HostDown", "source"),
    inhibition("net", "class=Net", "class=Net", "component"),
    inhibition("net-down", "class=Net", "class=HostDown", "source"),  # with the first one: a circle
)
FLAPPING: Final = {"shop": FlappingRule(4, timedelta(minutes=10), timedelta(minutes=5))}


class DiedError(Exception):
    """A worker, in mid-delivery."""


class Mortal(DeliveryService):
    """A delivery whose worker can be made to die: `dies` attempts from now, after the send if `after` says so."""

    dies = -1
    after = False

    def _begin(self, *args: Any, **options: Any) -> Any:
        begun = super()._begin(*args, **options)
        self.is_dying = 0 < self.dies <= len(begun[0])
        self.dies -= len(begun[0])
        if self.is_dying and not self.after:
            raise DiedError
        return begun

    def _done(self, flight: Flight, outcome: Outcome, report: DrainReport) -> Done:
        if self.is_dying:
            raise DiedError
        return super()._done(flight, outcome, report)


class World(Pipeline):
    """The pipeline with routes and every kind of hold, two fleets of workers, and what was asked of them."""

    def start(self, sandbox: Sandbox) -> None:
        for name, key in KEYS.items():
            sandbox.register(key, name)
        sandbox.control("POST", "/limits", {"events_per_minute": None})
        self.sandbox = sandbox
        self.clock = MovableClock(self.client, self.keys)
        own = [
            {"name": n, "routing_key": KEYS[n], "routed_only": n not in CHANNELS["shop"]}
            for d in ("shop", "shop/desk", "shop/night")
            for n in CHANNELS[d]
        ]
        self.router = Router([Service.model_validate({"name": "shop", "channels": own, "routes": ROUTES})])
        windows = {"shop": self.window, "solo": timedelta(0)}
        rules = AlertRules(windows, "shop", 500, 5, self.router, INHIBITIONS, FLAPPING)
        self.fleets = [AlertService(self.client, self.keys, rules) for _ in range(2)]
        old = self.delivery
        rules_of_delivery = replace(old._rules, breaker=EAGER)
        self.mortal = Mortal(self.client, self.keys, self.routes(), self.dispatch(), rules_of_delivery, old._teller)
        old.close()
        self.delivery = self.mortal
        self.messages: list[tuple[str, tuple[Any, ...]]] = []
        self.inboxed: list[tuple[str, Any]] = []
        self.last: dict[tuple[str, str], tuple[str, str]] = {}
        self.accepted: dict[str, str] = {}  # event id -> its summary

    def routes(self) -> dict[str, Route]:
        """Every channel with its key; those that are fallen back on at an endpoint of their own."""
        url = f"{self.url}/v2/enqueue"
        urls = dict.fromkeys(("standby", "spare"), url.replace("127.0.0.1", "localhost"))
        of = {n: Address(n, "pagerduty", urls.get(n, url), {f"kid-{n}": key}) for n, key in KEYS.items()}
        return {to: Route([of[name] for name in names], DEADLINES) for to, names in CHANNELS.items()}

    def run(self, steps: Sequence[Step]) -> None:
        for kind, *args in steps:
            getattr(self, f"do_{kind}")(*args)
            self._look_at_inbox()

    def _look_at_inbox(self) -> None:
        while self.inboxed and self.client.hexists(self.keys.event(self.inboxed[0][0]), "state"):
            self._decided(*self.inboxed.pop(0))

    def _decided(self, event_id: str, alert: Any) -> None:
        self.accepted[event_id] = alert.get("payload", {}).get("summary", "")
        if alert["event_action"] in ("trigger", "resolve"):
            self.last[alert["service"], alert["dedup_key"]] = (alert["event_action"], event_id)

    def do_submit(self, fleet: int, alerts: tuple[Any, ...]) -> None:
        message = f"m{len(self.messages)}"
        self.messages.append((message, alerts))
        for n, alert in enumerate(alerts):
            self._decided(f"{message}:{n}", alert)
        self.fleets[fleet].submit(message, [dict(alert) for alert in alerts])

    def do_again(self, where: float, fleet: int) -> None:
        if self.messages:
            message, alerts = self.messages[int(where * len(self.messages))]
            self.fleets[fleet % 2].submit(message, [dict(alert) for alert in alerts])

    def do_receive(self, _: int, alerts: tuple[Any, ...]) -> None:
        self.inboxed += zip(self.receive(*alerts), alerts, strict=True)

    def do_drain(self, _: float, fleet: int) -> None:
        self.fleets[fleet % 2].drain_inbox()

    def do_release(self, _: float, fleet: int) -> None:
        self.fleets[fleet % 2].release()

    def do_die_at_inbox(self, _: float, __: int) -> None:
        Inbox(self.client, self.keys).claim(100, timedelta(seconds=5), "dead")

    def do_deliver(self, *_: Any) -> None:
        self.mortal.dies = -1
        self.mortal.drain()

    def do_die(self, when: float, after: int) -> None:
        self.mortal.dies, self.mortal.after = 1 + int(when * 3), after > 0
        with suppress(DiedError):
            self.mortal.drain()

    def do_advance(self, seconds: float, *_: Any) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def do_silence(self, matcher: str, kind: str, minutes: float, later: float) -> None:
        self.silence(matcher, kind=kind, minutes=minutes, starts_at=self.clock.now() + timedelta(minutes=later))

    def do_expire(self, where: float, *_: Any) -> None:
        if silences := self.silences.list():
            self.silences.expire(silences[int(where * len(silences))].id, "bob")

    def do_fault(self, fault: dict[str, Any]) -> None:
        self.sandbox.fault(**fault)

    def do_heal(self, *_: Any) -> None:
        self.sandbox.heal()

    def do_replay(self, where: float, *_: Any) -> None:
        if dead := self.client.zrange(self.keys.dead, 0, -1):
            self.delivery.replay([dead[int(where * len(dead))]])

    def do_race(self, where: float, news: tuple[Any, ...]) -> None:
        """Let what waits die, replay a dead letter, and let news of its alert come by a message before it is decided on."""
        self.sandbox.fault(kind="reject")
        self.do_deliver()
        self.do_heal()
        if dead := self.client.zrange(self.keys.dead, 0, -1):
            one = dead[int(where * len(dead))]
            body = json.loads(self.event(one)["body"])
            self.delivery.replay([one])
            about = {name: body[name] for name in ("service", "dedup_key")}
            self.do_submit(0, tuple({**new, **about} for new in news if new["event_action"] != "change"))

    def settle(self) -> None:
        """Let everything come to rest: nothing goes wrong, no silence is in force, what died gets another chance."""
        self.do_heal()
        for silence in self.silences.list():
            self.silences.expire(silence.id, "bob")
        busy = (self.keys.inbox_due, self.keys.outbox_due, self.keys.dead, self.keys.holds_due)
        for _ in range(50):
            if dead := self.client.zrange(self.keys.dead, 0, -1):
                self.delivery.replay(dead)
            self.do_drain(0, 0)
            self.do_deliver()
            self._look_at_inbox()
            if not self.client.exists(*busy):
                return
            self.do_advance(660)
        raise AssertionError(f"never quiet: {[(key, self.client.zrange(key, 0, -1, withscores=True)) for key in busy]}")

    def resolve(self, *, causes_only: bool) -> bool:
        """Resolve every alert, or those only that inhibit others; whether there were any."""
        found = False
        for service, key in [*self.last]:
            feeds = self.client.hexists(self.keys.alert(alert_uid(service, key)), "feeds")
            if feeds or not causes_only:
                found = True
                self.do_submit(0, ({"service": service, "event_action": "resolve", "dedup_key": key},))
        return found

    def open_incidents(self) -> set[tuple[str, str]]:
        """Channel and dedup key of each incident that is open."""
        state: dict[tuple[str, str], bool] = {}
        names = {key: name for name, key in KEYS.items()}
        for entry in self.sandbox.log():
            if entry["dedup_key"] and entry["outcome"] in ("opened", "updated", "acknowledged", "resolved"):
                state[names[entry["routing_key"]], entry["dedup_key"]] = entry["outcome"] != "resolved"
        return {place for place, is_open in state.items() if is_open}
