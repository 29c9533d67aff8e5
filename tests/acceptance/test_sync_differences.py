"""Whatever happens on either side, and whatever is forgotten: after a comparison both sides say the same, and the last word stands."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.acceptance.sync_world import FOREIGN, PRIMARY, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox

KEYS = ("a", "b", "c")
DEEDS = (
    "trigger",
    "resolve",
    "there_resolve",
    "there_acknowledge",
    "lose",
    "sync",
    "primary_fails",
    "primary_works",
    "foreign",
)
WEIGHTED = ("trigger", *DEEDS)
STEP_SECONDS = 10  # by both clocks: what lies closer together two clocks cannot tell apart
BOT = "bot@example.com"


class History:
    """Does things to both sides, and keeps in a plain dict who should have the last word: open or not."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.is_open: dict[str, bool] = {}
        self._numbers = count()

    def do(self, deed: str, key: str) -> None:
        self.world.advance(STEP_SECONDS)
        getattr(self, f"_{deed}")(key)

    def _trigger(self, key: str) -> None:
        self.world.send("trigger", key, summary=f"{key} broke, {next(self._numbers)}")
        self.is_open[key] = True

    def _resolve(self, key: str) -> None:
        self.world.sandbox.heal()  # one that is refused for good is a dead letter, which people see to
        self.world.send("resolve", key)
        self.is_open[key] = False

    def _there_resolve(self, key: str) -> None:
        open_there = self.world.open_incidents(key)
        for incident in open_there:
            self.world.runtime.rest.incidents.resolve(incident["id"], sender=BOT)
        if open_there:
            self.is_open[key] = False

    def _there_acknowledge(self, key: str) -> None:
        for incident in self.world.open_incidents(key):
            if incident["status"] == "triggered":
                self.world.runtime.rest.incidents.acknowledge(incident["id"], sender=BOT)

    def _lose(self, _: str) -> None:
        self.world.lose_everything()
        for key in KEYS:  # whatever was said, nobody knows it any more: what PagerDuty shows is the truth
            self.is_open[key] = bool(self.world.open_incidents(key))

    def _sync(self, _: str) -> None:
        self.world.sync()

    def _primary_fails(self, _: str) -> None:
        self.world.sandbox.heal()
        self.world.sandbox.fault(kind="reject", status=400, key=PRIMARY)

    def _primary_works(self, _: str) -> None:
        self.world.sandbox.heal()

    def _foreign(self, key: str) -> None:
        event = {"routing_key": FOREIGN, "event_action": "trigger", "dedup_key": f"foreign-{key}"}
        payload = {"summary": "theirs", "source": "x", "severity": "critical"}
        self.world.sandbox.http.post("/v2/enqueue", json={**event, "payload": payload}).raise_for_status()

    def end(self) -> None:
        self.world.sandbox.heal()
        self.world.advance(600)
        self.world.work()
        for _ in range(2):
            self.world.advance(STEP_SECONDS)
            report = self.world.sync()
        assert (report.rebuilt, report.closed, report.resolved_again) == (0, 0, 0), report
        for key in KEYS:
            there = {incident["status"] for incident in self.world.open_incidents(key)}
            here = self.world.status(key)
            assert bool(there) == self.is_open.get(key, False), (key, there, here)
            assert (here in ("open", "acknowledged")) == bool(there), (key, there, here)
        proof = self.world.runtime.audit.prove()
        assert proof.broken_count == 0, proof.broken


@pytest.fixture
def world(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, server.url, sandbox) as made:
        yield made


def try_histories(world: World, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.tuples(st.sampled_from(WEIGHTED), st.sampled_from(KEYS)), max_size=18))
    def try_one(deeds: list[tuple[str, str]]) -> None:
        world.begin_anew()
        history = History(world)
        for deed, key in deeds:
            history.do(deed, key)
        history.end()

    try_one()


def test_both_sides_say_the_same_in_the_end(world: World) -> None:
    try_histories(world, 25)


@pytest.mark.slow
def test_both_sides_say_the_same_in_the_end_of_many_histories(world: World) -> None:
    try_histories(world, 150)
