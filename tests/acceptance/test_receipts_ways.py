"""The closed loop with people, storms, a small budget, and without any access to PagerDuty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasks.incidents.excuses import Excuses
from tasks.incidents.receipt_figures import Figures
from tasks.incidents.receipt_models import Waiting
from tasks.utils.identifiers import key_id
from tests.acceptance.loop_world import PEOPLED, Loop
from tests.acceptance.sync_world import PRIMARY, STANDBY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox


@pytest.fixture
def loop(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[Loop]:
    with Loop(tmp_path, server.url, sandbox) as made:
        yield made


def test_people_in_a_chat_read_that_pagerduty_took_it_and_shows_nothing(loop: Loop) -> None:
    loop.swallow(PEOPLED)
    loop.send("trigger", "a", "b", service="peopled")
    loop.pass_time(70)
    loop.runtime.delivery.digest()
    loop.work()

    said = " ".join(loop.read_in_chat())
    assert "a broke" in said
    assert " took this at " in said
    assert "shows no incident; this is told here instead" in said

    loop.send("resolve", "a", "b", service="peopled")
    for _ in range(6):
        loop.pass_time(20)
        loop.runtime.delivery.digest()
        loop.work()
    assert "esolved" in loop.read_in_chat()[-1]
    assert loop.arrived(PEOPLED, "resolve") == {"a": 1, "b": 1}
    assert loop.is_proved()


def test_within_its_share_of_the_calls_everybody_has_a_turn(
    client: Any, server: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    """60 calls a minute: 18 for looks, fewer than there are alerts to ask for."""
    with Loop(tmp_path, server.url, sandbox, TOCSIN_LIMITS__REST_CALLS_PER_MINUTE="60") as loop:
        waited = loop.waits_by_the_clock()
        loop.swallow(PRIMARY)
        keys = [f"k{number}" for number in range(20)]
        loop.send("trigger", *keys)

        loop.pass_time(400)

        assert waited, "the share was never used up"
        assert loop.arrived(STANDBY) == dict.fromkeys(keys, 1)
        assert loop.is_proved()


def test_the_figures_say_how_many_and_how_fast(loop: Loop) -> None:
    loop.send("trigger", "a", "b", "c", "d")
    loop.swallow(PRIMARY)
    loop.send("trigger", "e")
    loop.pass_time(70)

    found = Figures(loop.client, loop.keys, loop.runtime.clock).over(2)

    assert (found.seen, found.missed, found.waiting) == (4, 1, 1)
    assert found.p99_seconds == 1
    view = loop.runtime.current.get(loop.uid("a"))
    assert (view.receipt, view.seen_after_seconds) == ("seen", pytest.approx(0, abs=1))


def test_without_an_api_key_nothing_is_missed_and_nothing_kept(
    client: Any, server: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    with Loop(tmp_path, server.url, sandbox, TOCSIN_RECEIPTS__ENABLED="false") as loop:
        loop.swallow(PRIMARY)
        loop.send("trigger", "a")

        looks = loop.pass_time(400)

        assert looks == []
        assert loop.receipt("a") == "unverified"
        assert loop.arrived(STANDBY) == {}
        assert loop.client.exists(loop.keys.receipts) == 0


def test_in_a_storm_summaries_that_pagerduty_loses_are_said_again_with_all_they_name(
    client: Any, server: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    with Loop(tmp_path, server.url, sandbox, TOCSIN_PAGERDUTY__EVENTS_PER_MINUTE="10") as loop:
        loop.swallow(PRIMARY)
        for number in range(4):
            loop.send("trigger", *(f"k{number}-{one}" for one in range(20)), severity="warning")
        for _ in range(100):
            loop.pass_time(20, step=10)
            loop.runtime.delivery.digest()
            loop.work()

        assert loop.client.exists(loop.keys.receipts) == 0
        assert loop.letters() == []
        proof = loop.runtime.audit.prove()
        assert (proof.holds, proof.pending.count) == (True, 0), proof
        told = str(
            [one for one in loop.sandbox.log() if one.get("routing_key") == STANDBY and one["outcome"] != "throttled"]
        )
        assert sum(f"k{number}-{one}" in told for number in range(4) for one in range(20)) >= 20


def test_the_key_of_an_orchestration_has_the_excuses_of_its_rules_and_of_the_services_they_lead_to(loop: Loop) -> None:
    rest, now = loop.runtime.rest, loop.runtime.clock.now_ms
    made = rest.orchestrations.create({"name": "all"})
    [door] = made["integrations"]
    shop = loop.service()
    rules = [{"id": "start", "rules": [{"conditions": [], "actions": {"route_to": shop["id"]}}]}]
    router = {"type": "router", "sets": rules, "catch_all": {"actions": {"route_to": "unrouted"}}}
    rest.orchestrations.replace_rules(made["id"], "router", router)
    field = f"{key_id(door['parameters']['routing_key'])} uid"
    row = Waiting(field, "a", now(), now(), now(), now(), now(), 0)

    def excuse() -> object:
        return Excuses(rest, dict, now).of(row)

    assert excuse() is None
    loop.change_service(auto_pause_notifications_parameters={"enabled": True, "timeout": 120})
    assert excuse() == ("unverified", "may_be_suppressed")
    loop.change_service(auto_pause_notifications_parameters={"enabled": False, "timeout": 0})
    assert excuse() is None
    quiet = [{"id": "start", "rules": [{"conditions": [], "actions": {"drop_event": True}}]}]
    rest.orchestrations.replace_rules(
        made["id"], "global", {"type": "global", "sets": quiet, "catch_all": {"actions": {}}}
    )
    assert excuse() == ("unverified", "may_be_suppressed")
    assert Excuses(rest, dict, now).of(row._replace(field="unknown uid")) == ("unverified", "unknown_service")
