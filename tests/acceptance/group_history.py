"""Random histories of alerts that are told together, or fall back on people, and what must hold of them at the end."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tasks.notifications.channels.protocol import Address
from tasks.utils.breaker_rules import BreakerRules
from tasks.utils.rows import Outcome
from tests.acceptance.group_world import CLUSTERS, PEOPLE, Grouped, GroupKit, warning
from tests.pipeline import PRIMARY_KEY

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox


class History(GroupKit):
    """A random history of a few alerts, and what must hold of it at the end."""

    urgent = 0.1  # share of critical alerts

    def play(self, clock: MovableClock, seed: int, steps: int) -> None:
        chance = random.Random(seed)
        self.clock = clock
        self._begin(chance)
        self.status: dict[str, str] = {}
        self.accepted: set[str] = set()
        for _ in range(steps):
            self._step(chance)
        self._settle()
        self._check()

    def _begin(self, chance: random.Random) -> None:
        self.ruled_by(router=Grouped(chance.choice((PEOPLE, CLUSTERS))))

    def _step(self, chance: random.Random) -> None:
        what = chance.choices(
            ("news", "wait", "seal", "send", "fail", "die", "replay", "sweep"), (40, 14, 12, 16, 6, 4, 4, 2)
        )[0]
        getattr(self, f"_{what}")(chance)

    def _news(self, chance: random.Random) -> None:
        key = f"a{chance.randrange(6)}"
        action = chance.choices(("trigger", "acknowledge", "resolve"), (5, 1, 4))[0]
        severity = "critical" if chance.random() < self.urgent else "warning"
        about = {"summary": f"{key} {chance.randrange(3)}", "custom_details": {"cluster": chance.choice("NS")}}
        news = warning(key, action, severity=severity, **about)
        [decision] = self.submit(news)
        self.accepted.add(decision.id)
        if action != "acknowledge":
            self.status[key] = action

    def _wait(self, chance: random.Random) -> None:
        self.clock.advance(timedelta(seconds=chance.choice((1, 5, 31, 70))))

    def _seal(self, chance: random.Random) -> None:
        self.delivery.digest()

    def _send(self, chance: random.Random) -> None:
        self.delivery.drain()

    def _fail(self, chance: random.Random) -> None:
        self.desk.answers += chance.choice(
            (
                [Outcome("retry", "http:500")],
                [Outcome("retry", "network", unclear=True)],
                [Outcome("refused", "http:400")],
                [Outcome("pause", "throttled", delay_ms=20_000)],
                [Outcome("minimal", "content_rejected")],
            )
        )

    def _die(self, chance: random.Random) -> None:
        """A worker claims a lane, begins, and dies before or after the send; its lease runs out."""
        delivery, token = self.delivery, f"dead-{chance.random()}"
        for claim in delivery._outbox.claim(1, timedelta(seconds=30), token):
            for _, attempt in delivery._outbox.begin(
                [(claim, delivery._plan(claim.destination))], token, alone=True
            ).attempts:
                if chance.random() < 0.5:
                    flight = delivery._flight(attempt, claim.destination, 0)
                    flight.channel.send(flight.message)

    def _replay(self, chance: random.Random) -> None:
        dead = self.client.zrange(self.keys.dead, 0, -1)
        self.delivery.replay(dead)
        self.alerts.drain_inbox()

    def _sweep(self, chance: random.Random) -> None:
        self.delivery.sweep()

    def _settle(self) -> None:
        """Everything heals, and time passes until nothing is left to do."""
        self.desk.answers.clear()
        for _ in range(30):
            self._replay(random.Random(0))
            self.go()
            self.clock.advance(timedelta(seconds=61))

    def _check(self) -> None:
        proof = self.audit.prove()
        assert proof.holds, proof.broken
        assert (proof.pending.count, proof.dead) == (0, {})
        assert set(proof.suppressed) <= {"resolved_before_send", "nothing_was_sent", "overtaken"}, proof.suppressed
        verdicts = {verdict.event_id: verdict for verdict in self.audit.verdicts()}
        assert self.accepted <= set(verdicts)
        self._check_bundles(
            {name for name, verdict in verdicts.items() if (verdict.verdict, verdict.reason) == ("delivered", "desk")}
        )
        self._check_last_words()
        self._check_rows()

    def _check_bundles(self, delivered: set[str]) -> None:
        """What is delivered was in a message the desk took; no bundle ever changed; nothing was in two, but for what was replayed."""
        members: dict[str, tuple[str, ...]] = {}
        for bundle_id, ids in self.desk.tried:
            assert members.setdefault(bundle_id, ids) == ids, "a sealed bundle has changed"
        read = {member.event_id for bundle in self.desk.taken for member in bundle.members}
        assert delivered <= read, "delivered, says the ledger, and nobody has read it"
        replayed = {e["e"] for _, e in self.client.xrange(self.keys.ledger) if e["s"] == "replayed"}
        twice = Counter(event for ids in members.values() for event in ids if event not in replayed)
        assert not [event for event, count in twice.items() if count > 1]

    def _check_last_words(self) -> None:
        """The last that people read of an alert is how it stands, and what they never heard of is over."""
        last: dict[tuple[str, str], str] = {}
        for bundle in self.desk.taken:
            for member in bundle.members:
                if member.action != "acknowledge":
                    last[member.dedup_key, bundle.group.get("cluster", "")] = member.action
        for key, action in self.status.items():
            read = [word for (name, _), word in last.items() if name == key]
            open_in = read.count("trigger")
            assert open_in == (action == "trigger"), f"{key}: people read {read}, but it is {action}"

    def _check_rows(self) -> None:
        is_open = sum(action == "trigger" for action in self.status.values())
        groups = self.client.scan_iter(f"{self.keys.prefix}members:*")
        assert sum(self.client.hlen(group) for group in groups) == is_open
        assert not self.client.keys(f"{self.keys.prefix}buffer:*")
        assert not self.client.zcard(self.keys.queued)
        assert not self.client.zcard(self.keys.untold)
        assert not self.client.zcard(self.keys.outbox_due)
        assert not self.client.zcard(self.keys.groups_due)
        for key in self.client.scan_iter(f"{self.keys.prefix}alert:*"):
            assert int(self.client.hget(key, "count") or 0) == 0
            assert not self.client.hexists(key, "unsaid")


class FallingBack(History):
    """PagerDuty first, the desk when that does not take an alert in time: each alert by itself there, together here."""

    sandbox: Sandbox
    urgent = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        self.primary = self.routes()["shop"].addresses[0]

    def _begin(self, chance: random.Random) -> None:
        self.ruled_by()
        self.sandbox.register(PRIMARY_KEY, "Shop")
        self.delivery._rules = replace(self.delivery._rules, breaker=BreakerRules(threshold=chance.choice((1, 2, 5))))
        self.delivery = self.delivered_by([self.primary, Address("desk", "slack", "", {"kid-desk": "secret"})])

    def _fail(self, chance: random.Random) -> None:
        if chance.random() < 0.3:
            super()._fail(chance)
        elif chance.random() < 0.4:
            self.sandbox.heal()
        else:
            kind = chance.choice(("error", "reset", "throttle", "reject"))
            self.sandbox.fault(kind=kind, **({"ingest": True} if kind == "reset" else {}))

    def _settle(self) -> None:
        self.sandbox.heal()
        super()._settle()

    def _check_last_words(self) -> None:
        """What fires is known at one place at least, what is over nowhere any more."""
        open_there: set[str] = set()
        for entry in self.sandbox.log():
            if entry["outcome"] in ("opened", "updated", "acknowledged"):
                open_there.add(entry["dedup_key"])
            elif entry["outcome"] == "resolved":
                open_there.discard(entry["dedup_key"])
        last: dict[str, str] = {}
        for bundle in self.desk.taken:
            last |= {member.dedup_key: member.action for member in bundle.members if member.action != "acknowledge"}
        open_here = {key for key, action in last.items() if action == "trigger"}
        firing = {key for key, action in self.status.items() if action == "trigger"}
        assert open_there | open_here == firing, (open_there, open_here, firing)

    def _check_rows(self) -> None:
        assert not self.client.zcard(self.keys.untold)
        assert not self.client.zcard(self.keys.queued)
        assert not self.client.zcard(self.keys.outbox_due)
