"""The real fleet: while an alert flows each second every kind of key is replaced, by processes that are killed. Nothing fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.rotation_fleet import ROUTING, RotationFleet, Sender

if TYPE_CHECKING:
    from pathlib import Path

STEPS = ("wait_known", "prove", "switch", "wait_unused")


def check(fleet: RotationFleet, sender: Sender) -> set[str]:
    """All that was sent has come to PagerDuty, and every end went to the key that opened; the keys."""
    sender.end()
    fleet.wait(fleet.is_idle, 30, "something is still to be sent")
    told = fleet.witnesses(sender.accepted)
    assert told.nothing_wrong, told
    assert sender.refused == []
    events = [one for one in fleet.sandbox.log() if one["path"] == "/v2/enqueue"]
    assert {one["status"] for one in events} == {202}
    alerts = [one for one in events if one["dedup_key"].startswith("alert-")]
    opened = {one["dedup_key"]: one["routing_key"] for one in alerts if one["event_action"] == "trigger"}
    closed = {one["dedup_key"]: one["routing_key"] for one in alerts if one["event_action"] == "resolve"}
    assert closed == opened
    assert {one["status"] for one in fleet.sandbox.incidents()} == {"resolved"}
    return set(opened.values())


@pytest.mark.slow
def test_every_kind_of_key_is_replaced_by_processes_that_are_killed_while_alerts_flow(tmp_path: Path) -> None:
    with RotationFleet(tmp_path) as fleet:
        fleet.start_all()
        sender = Sender(fleet, every=1.0)
        sender.start()

        killed = 0
        for kind in ("webhook", "integration", "jwt", "ingest"):
            killed += fleet.killed_at_work("make", "rotate", kind)
            killed += sum(fleet.killed_at_work(step, "resume") for step in STEPS)
            if kind == "ingest":
                current = fleet.rotate("resume")["key"]
                fleet.ingest = fleet.tokens("tokens", "reveal", "ingest", current).strip()
            fleet.finish(120)

        keys = check(fleet, sender)
        assert killed >= 12
        assert len(keys) == 2
        assert ROUTING in keys
        assert len(fleet.tokens("webhooks", "list").splitlines()) == 2
