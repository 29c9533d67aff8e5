"""Whatever happens in whatever order: what fires is open where it belongs, what is resolved is closed, and nothing is left over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tasks.audit.service import AuditRules, AuditService
from tasks.utils.identifiers import alert_uid
from tasks.utils.scripts import Scripts
from tests.acceptance.sequence_world import World
from tests.acceptance.sequences import CHANNELS, steps

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

FIRST = int(os.environ.get("TOCSIN_TEST_FIRST_SEQUENCE", "1"))
SEQUENCES = int(os.environ.get("TOCSIN_TEST_SEQUENCES", "12"))  # thousands, for whoever changes the rules


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEQUENCES))
def test_a_sequence_keeps_the_promise(seed: int, client: Any, keys: Keys, sandbox: Sandbox, tmp_path: Path) -> None:
    keeps_the_promise(steps(seed, 40), client, keys, sandbox, tmp_path)


def keeps_the_promise(sequence: list[Any], client: Any, keys: Keys, sandbox: Sandbox, folder: Path) -> None:
    world = World(client, keys, sandbox.url)
    world.start(sandbox)
    try:
        world.run(sequence)
        world.settle()
        check_held(world)
        while world.resolve(causes_only=True):
            world.settle()
        check_rest(world)
        check_open(world)
        check_order(world)
        check_proof(world, folder)
        world.resolve(causes_only=False)
        world.settle()
        assert world.open_incidents() == set()
        check_proof(world, folder)
        check_nothing_is_left(world)
    finally:
        world.delivery.close()


def check_held(world: World) -> None:
    """Behind all that is still held back stands an open alert that is not held back itself."""
    for key in world.client.scan_iter(world.keys.held("*")):
        hold = key.removeprefix(world.keys.held(""))
        assert stands(world, hold, set()), f"nobody who is open causes {hold}"


def stands(world: World, hold: str, seen: set[str]) -> bool:
    causes = world.client.smembers(world.keys.inhibitors(hold)) - seen
    seen |= causes
    held_by = [world.client.hget(world.keys.alert(uid), "held_by") for uid in causes]
    return any(by is None or stands(world, by, seen) for by in held_by)


def check_rest(world: World) -> None:
    """Nothing is held, queued or in hand any more."""
    families = (
        "lane:",
        "held:",
        "inhibitors:",
        "inbox",
        "outbox:due",
        "outbox:leases",
        "outbox:queued",
        "holds:",
        "dead",
    )
    left = [key for key in world.client.scan_iter() if key.removeprefix(world.keys.prefix).startswith(families)]
    assert [key for key in left if not key.endswith("inbox:turn")] == []


def check_open(world: World) -> None:
    """What fires is open at every destination of its episode, what is resolved nowhere."""
    found = world.open_incidents()
    for (service, key), (action, event_id) in world.last.items():
        uid = alert_uid(service, key)
        row = world.client.hgetall(world.keys.alert(uid))
        about = f"{service} {key}: last {action} {event_id}, {row}"
        is_open = {name for name, dedup_key in found if dedup_key == key}
        if action == "resolve":
            assert not is_open, about
            assert row["status"] == "resolved", about
            continue
        assert row["status"] != "resolved", about
        destinations = [line.split(" ")[0] for line in row.get("routes", service).splitlines()]
        where = event_id
        while world.event(where)["state"] == "merged":
            where = world.event(where)["into"]
        assert world.event(where)["state"] == "sent", f"{about}: {world.event(where)} {world.steps(where)}"
        if '"group":"pay"' in world.client.hget(world.keys.labels, uid) and service == "shop":
            assert "shop/desk" in destinations, about
        sent = {to for to in destinations if is_sent(world, place_of(service, key, to), to)}
        for to in sent or destinations:
            assert is_open & set(CHANNELS[to]), f"{about}: not open at {to}, only at {is_open}"


def is_sent(world: World, place: str, destination: str) -> bool:
    """Whether one of the destination's channels took a trigger, not only may have."""
    row = world.client.hgetall(world.keys.alert(place))
    return any(row.get(f"on:{name}|kid-{name}") == "sent" for name in CHANNELS[destination])


def place_of(service: str, key: str, destination: str) -> str:
    return alert_uid(service if destination == service else f"{service}>{destination}", key)


def check_order(world: World) -> None:
    """Each place heard an alert's news in the order it was accepted at first; what was said twice aside.

    A dead letter may have been heard before its last refusal: it counts as news when it is replayed, not as what others must precede.
    """
    ledger = [entry for _, entry in world.client.xrange(world.keys.ledger)]
    order: dict[str, int] = {}
    for n, event_id in enumerate(e["e"] for e in ledger if e["s"] == "accepted"):
        order.setdefault(summary_of(world, event_id), n)
    died = {summary_of(world, e["e"]) for e in ledger if e["s"] == "dead"}
    heard: dict[tuple[str, str], int] = {}
    for entry in world.sandbox.log():
        if entry["outcome"] in ("opened", "updated") and not entry["summary"].endswith("#same"):
            summary = said(entry["summary"])
            place = (entry["routing_key"], entry["dedup_key"])
            assert order[summary] >= heard.get(place, 0), f"{place} heard {summary} too late"
            if summary not in died:
                heard[place] = order[summary]


def summary_of(world: World, event_id: str) -> str:
    """What the sender said by an event, or by the one of which it is a copy."""
    return world.accepted.get(event_id.partition("+")[0], "")


def said(summary: str) -> str:
    """What the sender said, without what was put before it."""
    return summary.rpartition(": ")[2]


def check_proof(world: World, folder: Path) -> None:
    audit = AuditService(world.client, world.keys, AuditRules(folder, (b"k" * 32,)))
    report = audit.prove()
    assert report.holds, report
    assert report.pending.count == 0, report
    assert not report.dead, report
    known = {verdict.event_id for verdict in audit.verdicts()}
    assert world.accepted.keys() <= known


def check_nothing_is_left(world: World) -> None:
    """What is resolved everywhere is forgotten in the end, and nothing of it stays."""
    check_rest(world)
    world.do_advance(3 * 24 * 3600)
    scripts = Scripts(world.client, world.keys)
    scripts.run("archive_alerts", 1000, 10**12, 1000)
    left = [
        key for key in world.client.scan_iter() if key.removeprefix(world.keys.prefix).startswith(("alert:", "alerts"))
    ]
    assert left == [], [(key, world.client.hgetall(key)) for key in left if ":alert:" in key]
