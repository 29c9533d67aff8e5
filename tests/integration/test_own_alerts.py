"""What Tocsin tells of itself: on the real server, to the sandbox, with the clock moved look by look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from deploy.local.embedded import start_server
from tasks.health.memory import FleetMemory
from tasks.health.models import Finding
from tasks.health.standing import Standing
from tests.integration.own_kit import Fleet, Town, nothing_scheduled, outside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox


@pytest.fixture
def town(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[Town]:
    with Town(tmp_path, server.url, sandbox) as made:
        yield made


@pytest.fixture
def fleet(town: Town, clock: MovableClock) -> Fleet:
    return Fleet(town, clock)


def hasty(folder: Path, server: Server, sandbox: Sandbox) -> Town:
    """A town on a server of its own that tells at the first look."""
    return Town(folder, server.url, sandbox, raise_after="0s", resolve_after="0s", memory_percent="40")


def names(fleet: Fleet) -> list[str]:
    return [one.name for one in fleet.runtime.own_alerts.report().alerts]


def test_a_fleet_that_is_well_tells_nothing(town: Town, fleet: Fleet) -> None:
    fleet.submit("disk")
    fleet.watch(30)

    assert town.told() == []
    assert names(fleet) == []


def test_a_sender_over_its_quota_is_told_once_and_resolved_when_it_is_over(town: Town, fleet: Fleet) -> None:
    for minute in range(3):
        fleet.submit(*(f"disk-{minute}-{number}" for number in range(6)))
        fleet.watch(6)

    assert town.told("sender_over_quota:shop") == [("page", "trigger")]
    [alert] = fleet.runtime.own_alerts.report().alerts
    assert alert.summary == "Sender over its quota: service shop got 6 alerts in a minute, its quota is 5"
    assert alert.is_told

    fleet.watch(36)
    assert town.told("sender_over_quota:shop") == [("page", "trigger"), ("page", "resolve")]
    assert names(fleet) == []


def test_a_quota_refuses_nothing_and_counts_nothing_twice(fleet: Fleet, client: Any, keys: Keys) -> None:
    ids = fleet.submit(*(f"disk-{number}" for number in range(50)))
    again = fleet.runtime.alerts.submit(ids[0].partition(":")[0], [{"service": "shop"}])  # a message that comes twice

    [rates] = [client.hgetall(key) for key in client.scan_iter(f"{keys.prefix}rates:*")]
    assert len(again.alerts) == 1
    assert rates == {"shop": "50"}
    assert client.ttl(next(client.scan_iter(f"{keys.prefix}rates:*"))) > 0


def test_when_pagerduty_is_down_the_next_channel_says_so_once(town: Town, fleet: Fleet) -> None:
    town.sandbox.fault(kind="error", status=503, path="/v2/enqueue")
    fleet.submit("disk")
    for minute in range(5):
        fleet.submit(f"disk-{minute}")
        fleet.watch(6)

    assert [name.partition("-")[0] for name in names(fleet)] == ["delivery_failing:pagerduty"]
    said = [words for channel, words in town.told("chat") if channel == "chat"]
    assert len(said) == 1
    assert "Nothing gets through by PagerDuty since" in said[0]

    town.sandbox.heal()
    fleet.submit("disk-last")
    fleet.watch(60)  # the breaker asks ever more seldom
    assert names(fleet) == []
    assert len([words for channel, words in town.told("chat") if channel == "chat"]) == 2


def test_a_refused_key_and_the_dead_letters_that_follow_are_told(town: Town, fleet: Fleet) -> None:
    town.sandbox.fault(kind="reject", status=403, key="sandboxshop".ljust(32, "0"))
    town.sandbox.fault(kind="reject", status=404, path="/hooks/shop")
    fleet.submit("disk")
    fleet.watch(8)

    assert [name.partition(":")[0] for name in names(fleet)] == ["dead_letters", "key_rejected", "key_rejected"]
    assert sorted(town.told("dead_letters") + town.told("key_rejected")) == [("page", "trigger")] * 3

    town.sandbox.heal()
    fleet.runtime.delivery.replay([one.id for one in fleet.runtime.dead_letters.list().dead_letters])
    for minute in range(11):
        fleet.submit(f"disk-{minute}")
        fleet.watch(6)
    assert "dead_letters" not in names(fleet)
    assert town.told("dead_letters") == [("page", "trigger"), ("page", "resolve")]


def test_workers_that_do_not_work_are_told_past_them(town: Town, fleet: Fleet) -> None:
    fleet.watch(3)
    fleet.watch(20, works=False)

    assert town.told() == [("page", "trigger")]
    assert names(fleet) == ["workers_late:alert"]

    fleet.watch(10)
    assert town.told("workers_late:alert") == [("page", "trigger"), ("page", "resolve")]


def test_two_watchers_tell_once_and_a_new_one_neither_repeats_nor_forgets(town: Town, fleet: Fleet) -> None:
    first, second = town.runtime().own_alerts, town.runtime().own_alerts
    fleet.submit(*(f"disk-{number}" for number in range(6)))
    fleet.watch(4, watchers=[first, second])

    third = town.runtime().own_alerts  # both were killed
    fleet.watch(40, watchers=[third])

    assert town.told("sender_over_quota:shop") == [("page", "trigger"), ("page", "resolve")]


def test_a_proof_that_does_not_hold_and_a_schedule_that_stands_still_are_told(
    town: Town, fleet: Fleet, client: Any, keys: Keys
) -> None:
    client.hset(keys.proof, "hour", json.dumps({"holds": False, "broken_count": 2}))
    watch = fleet.runtime.own_alerts
    for _ in range(25):
        fleet.watch(1, watchers=[_Scheduled(watch)])

    assert names(fleet) == ["proof_broken", "schedule_late"]
    assert town.told("schedule_late") == [("page", "trigger")]


class _Scheduled:
    """A watch that expects a run which nobody claims."""

    def __init__(self, watch: Any) -> None:
        self._watch = watch

    def look(self, _: Any) -> None:
        self._watch.look(lambda now: {"outbox-sweep": now})


def test_memory_that_runs_out_is_told_while_the_inbox_still_takes_it(tmp_path: Path, sandbox: Sandbox) -> None:
    with start_server(tmp_path / "server", persist=False) as own, hasty(tmp_path, own, sandbox) as town:
        runtime = town.runtime()
        used = int(runtime.client.info("memory")["used_memory"])
        runtime.client.config_set("maxmemory", 2 * used)

        runtime.own_alerts.look(nothing_scheduled)

        assert [one.name for one in runtime.own_alerts.report().alerts] == ["redis_memory"]


def test_a_server_that_is_away_is_told_past_it_once_and_its_return_at_the_same_place(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with start_server(tmp_path / "server") as own, hasty(tmp_path, own, sandbox) as town:
        town.runtime().own_alerts.look(nothing_scheduled)
        own.kill()
        for _ in range(3):  # every one a process of its own
            town.runtime().own_alerts.look(nothing_scheduled)

        assert town.told() == [("page", "trigger")]
        report = town.runtime().own_alerts.report()
        assert not report.redis_answers
        assert [(one.name, one.is_told) for one in report.alerts] == [("redis_away", True)]

        own.restart()
        town.runtime().own_alerts.look(nothing_scheduled)
        town.runtime().own_alerts.look(nothing_scheduled)
        assert town.told() == [("page", "trigger"), ("page", "resolve")]
        assert json.loads((tmp_path / "state" / "own-alerts.json").read_text()) == {}


def test_a_server_that_refuses_to_write_is_told_past_it(tmp_path: Path, sandbox: Sandbox) -> None:
    with start_server(tmp_path / "server", persist=False) as own, hasty(tmp_path, own, sandbox) as town:
        watch = town.runtime().own_alerts
        town.runtime().client.config_set("maxmemory", 1)

        watch.look(nothing_scheduled)

        assert town.told("redis_refuses") == [("page", "trigger")]


def test_what_pagerduty_does_not_take_goes_to_the_next_channel_and_is_ended_there(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with start_server(tmp_path / "server") as own, hasty(tmp_path, own, sandbox) as town:
        own.kill()
        sandbox.fault(kind="reject", status=403, path="/v2/enqueue")

        town.runtime().own_alerts.look(nothing_scheduled)
        town.runtime().own_alerts.look(nothing_scheduled)
        sandbox.heal()
        own.restart()
        town.runtime().own_alerts.look(nothing_scheduled)

        assert [channel for channel, _ in town.told()] == ["chat", "chat"]
        assert "does not answer" in town.told("chat")[0][1]


def test_a_state_folder_that_cannot_be_written_makes_nobody_mute(tmp_path: Path, sandbox: Sandbox) -> None:
    with start_server(tmp_path / "server") as own, hasty(tmp_path, own, sandbox) as town:
        (tmp_path / "state").write_text("a file where a folder should be")
        watch = town.runtime().own_alerts
        own.kill()

        for _ in range(3):
            watch.look(nothing_scheduled)

        assert town.told() == [("page", "trigger")]
        own.restart()
        watch.look(nothing_scheduled)
        assert town.told() == [("page", "trigger"), ("page", "resolve")]


def test_the_outside_hears_from_it_only_while_the_whole_chain_works(
    town: Town, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    with outside() as (url, came):
        town.environ["TOCSIN_OWN_ALERTS__DEAD_MAN_URL"] = url
        fleet = Fleet(town, clock)
        fleet.watch(1, works=False)
        assert came == []  # no beat has come through yet

        fleet.watch(2)
        assert came == ["/ping/0123-secret"]  # once a minute

    assert "0123-secret" not in caplog.text
    assert "0123-secret" not in repr(fleet.runtime.settings)


def test_nothing_of_a_key_or_an_address_is_told(town: Town, fleet: Fleet, client: Any, keys: Keys) -> None:
    town.sandbox.fault(kind="reject", status=403)
    fleet.submit("disk")
    fleet.watch(8)

    kept = json.dumps([client.hgetall(keys.own_alerts), fleet.runtime.own_alerts.report().model_dump(mode="json")])
    assert "key_rejected" in kept
    assert "sandboxshop" not in kept
    assert "/hooks/" not in kept


def test_what_was_told_before_redis_lost_everything_does_not_count_as_told_afterwards(client: Any, keys: Keys) -> None:
    finding = Finding("redis_lost", "critical", "Redis lost everything", "see docs/recovery.md")
    told = Standing(finding, seen=1, since=1, is_bad=True, told=1)
    client.set(keys.epoch, "1")
    memory = FleetMemory(client, keys)
    memory.load()

    client.flushall()
    client.set(keys.epoch, "2")
    memory.put(finding.id, told)

    assert memory.load() == {}
    memory.put(finding.id, told)
    assert memory.load() == {finding.id: told}
