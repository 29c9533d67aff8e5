"""Faults of the server, each planted in a real one: what health says of it, and how to mend it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from deploy.local.embedded import Server, start_server
from tasks.health.checks.server import ServerCheck, ServerRules
from tasks.utils.connect import connect
from tasks.utils.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tasks.utils.health_monitor import Line

RULES = ServerRules("redis://test", is_production=True, memory_percent=80, skew_ms=2000)


@pytest.fixture(scope="module")
def lax(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, without an append-only file."""
    with start_server(tmp_path_factory.mktemp("lax"), persist=False) as running:
        yield running


@pytest.fixture
def own(lax: Server) -> Iterator[Any]:
    with connect(lax.url) as client:
        client.flushall()
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")
        client.config_resetstat()
        yield client


def lines(client: Any, wall: Callable[[], float] = time.time) -> dict[str, Line]:
    return {line.name: line for line in ServerCheck(client, Keys(), RULES, wall)()}


def test_a_fit_server_is_well_in_every_line(client: Any) -> None:
    found = lines(client)

    found.pop("server.aof")  # the tests' server keeps no file
    assert {line.state for line in found.values()} == {"ok"}
    assert found.keys() >= {"server.answer", "server.version", "server.policy", "server.rights", "server.clock"}


def test_a_server_without_an_append_only_file_fails(own: Any) -> None:
    found = lines(own)["server.aof"]

    assert (found.state, found.value) == ("fail", "off")
    assert "appendonly yes" in found.mend


def test_an_append_only_file_that_is_written_late_is_warned_of_in_production(own: Any) -> None:
    own.config_set("appendonly", "yes")
    own.config_set("appendfsync", "everysec")
    try:
        found = lines(own)
    finally:
        own.config_set("appendonly", "no")

    assert found["server.aof"].state == "ok"
    assert (found["server.fsync"].state, found["server.fsync"].value) == ("warn", "everysec")
    assert "appendfsync always" in found["server.fsync"].mend


def test_a_server_that_evicts_fails_also_once_it_is_told_not_to(own: Any) -> None:
    own.config_set("maxmemory-policy", "allkeys-lru")
    own.config_set("maxmemory", int(own.info("memory")["used_memory"]) + 200_000)
    for number in range(400):
        own.set(f"tocsin:event:{number}", "x" * 2000)
    evicting = lines(own)
    own.config_set("maxmemory-policy", "noeviction")
    own.config_set("maxmemory", 0)
    told = lines(own)

    assert (evicting["server.policy"].state, evicting["server.policy"].value) == ("fail", "allkeys-lru")
    assert "noeviction" in evicting["server.policy"].mend
    assert told["server.policy"].state == "ok"
    assert told["server.evicted"].state == "fail"
    assert "tocsin prove" in told["server.evicted"].mend


def test_a_server_that_runs_out_of_memory_is_warned_of(own: Any) -> None:
    own.config_set("maxmemory", int(int(own.info("memory")["used_memory"]) * 1.1))

    found = lines(own)["server.memory"]

    assert found.state == "warn"
    assert "maxmemory" in found.mend


def test_a_user_without_the_rights_it_needs_is_told_which(own: Any, lax: Server) -> None:
    rights = ["~tocsin:*", "&tocsin:*", "+@all", "-xadd", "-publish", "-@dangerous", "+info"]
    own.execute_command("ACL", "SETUSER", "poor", "on", ">sesame", "resetkeys", *rights)
    parts = urlsplit(lax.url)
    with connect(f"redis://poor:sesame@{parts.hostname}:{parts.port}/0") as poor:
        found = lines(poor)["server.rights"]

    assert found.state == "fail"
    assert "publish" in found.value
    assert "xadd" in found.value
    assert "ACL SETUSER" in found.mend


def test_a_clock_that_is_off_is_told_and_one_that_is_far_off_fails(own: Any) -> None:
    near = lines(own, lambda: time.time() - 5)["server.clock"]
    far = lines(own, lambda: time.time() + 3600)["server.clock"]

    assert (near.state, far.state) == ("warn", "fail")
    assert far.value.startswith("-3600.")
    assert "NTP" in far.mend


def test_a_clock_set_forward_by_a_test_fails_in_production_and_names_the_key_under_the_prefix_in_use(own: Any) -> None:
    keys = Keys("bell:")
    own.set(keys.clock, 60_000)

    (found,) = (line for line in ServerCheck(own, keys, RULES)() if line.name == "server.clock")

    assert found.state == "fail"
    assert "`redis-cli DEL bell:clock`" in found.mend


def test_a_server_that_is_away_is_one_failed_line_with_its_address_and_no_password() -> None:
    with connect("redis://:sesame@127.0.0.1:1/0") as nobody:
        [found] = ServerCheck(nobody, Keys(), RULES)()

    assert found.name == "server.answer"
    assert found.state == "fail"
    assert "REDIS_URL" in found.mend
    assert "sesame" not in str(found)
