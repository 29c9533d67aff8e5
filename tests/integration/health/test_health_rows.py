"""What waits too long, is open, dead, late or full: planted in a real server and on a real disk."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from schedules.beat import ENTRIES
from tasks.utils.cron import last_due
from tasks.utils.rows import InboxRow
from tasks.utils.spool import SPOOL_FOLDER, Spool
from tests.integration.health.kit import look, states, wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.runtime import Runtime
    from tasks.utils.clock import MovableClock

MINUTE = timedelta(minutes=1)


@pytest.fixture
def runtime(tmp_path: Path, client: Any, server: Server) -> Iterator[Runtime]:
    made = wire(tmp_path, server.url, TOCSIN_SPOOL__MAX_BYTES="40000")
    made.epochs.ask()
    yield made
    made.delivery.close()
    made.client.close()


def test_a_queue_that_nobody_reads_grows_old_also_where_messages_carry_no_time(
    runtime: Runtime, client: Any, clock: MovableClock
) -> None:
    message = {"headers": {"id": "7ec3f1", "task": "alerts.submit"}, "body": ""}
    client.lpush(runtime.keys.queue("maintenance"), json.dumps(message))
    young = look(runtime, "quick")["queues.maintenance"]
    clock.advance(2 * MINUTE)
    older = look(runtime, "quick")["queues.maintenance"]
    clock.advance(10 * MINUTE)
    old = look(runtime, "quick")["queues.maintenance"]

    assert [line.state for line in (young, older, old)] == ["ok", "warn", "fail"]
    assert older.value.startswith("1 messages, the oldest 12")
    assert "start `tocsin worker maintenance`" in old.mend


def test_a_queue_that_moves_on_is_young_again(runtime: Runtime, client: Any, clock: MovableClock) -> None:
    for name in ("one", "two"):
        client.lpush(runtime.keys.queue("maintenance"), json.dumps({"headers": {"id": name}}))
    look(runtime, "quick")
    clock.advance(2 * MINUTE)
    client.rpop(runtime.keys.queue("maintenance"))

    assert look(runtime, "quick")["queues.maintenance"].state == "ok"


def test_the_age_of_a_hint_and_of_a_scheduled_message_is_read_from_it(runtime: Runtime, client: Any) -> None:
    due = datetime.now(UTC) - 2 * MINUTE
    hint = f"hint-{round(due.timestamp() * 1000)}-17"
    client.lpush(runtime.keys.queue("alert"), json.dumps({"headers": {"id": hint}}))
    planned = {"headers": {"id": "x", "tocsin_slot": f"ledger-seal@{due:%Y-%m-%dT%H:%MZ}"}}
    client.lpush(runtime.keys.queue("maintenance"), json.dumps(planned))

    assert states(look(runtime, "quick"), "queues.alert", "queues.maintenance") == ["warn", "warn"]


def test_an_alert_nobody_decides_on_is_late_and_fails_in_time(runtime: Runtime, clock: MovableClock) -> None:
    from tasks.utils.rows import Inbox, new_event_id

    payload = {"summary": "in trouble", "source": "web1", "severity": "critical"}
    alert = {"service": "shop", "event_action": "trigger", "dedup_key": "disk", "payload": payload}
    Inbox(runtime.client, runtime.keys).put([InboxRow(new_event_id(), alert, "test")])
    clock.advance(2 * MINUTE)

    found = look(runtime, "quick")["late.inbox"]

    assert found.state == "fail"
    assert "tocsin worker alert" in found.mend


def test_a_late_timer_is_told_with_how_late_it_is(runtime: Runtime, client: Any, clock: MovableClock) -> None:
    client.zadd(runtime.keys.escalations_due, {"a" * 32: clock.now_ms()})
    clock.advance(timedelta(seconds=30))
    late = look(runtime, "quick")["late.timers"]  # and what the test itself takes
    clock.advance(2 * MINUTE)
    later = look(runtime, "quick")["late.timers"]

    assert (late.state, later.state) == ("warn", "fail")
    assert re.search(r"the first 3\d s old", late.value)
    assert "tocsin worker delivery" in later.mend


def test_an_open_breaker_is_named_as_people_call_its_endpoint(runtime: Runtime) -> None:
    runtime.breakers.force(runtime.endpoints[0], "open", MINUTE, "ann", "a test")

    found = look(runtime, "quick")["breakers.open"]

    assert found.state == "warn"
    assert found.value.startswith("PagerDuty is left alone")
    assert "tocsin notifications breakers" in found.mend


def test_dead_letters_are_counted(runtime: Runtime) -> None:
    runtime.alerts.submit("m1", [{"service": "shoop", "event_action": "trigger"}])

    found = look(runtime, "quick")

    assert (found["dead.letters"].state, found["dead.letters"].value) == ("warn", "1")
    assert "tocsin notifications replay" in found["dead.letters"].mend


def test_a_spool_that_fills_is_told_before_it_is_full(runtime: Runtime) -> None:
    empty = look(runtime, "quick")["spool.size"]
    spool = Spool(runtime.settings.state_dir / SPOOL_FOLDER, max_bytes=40_000)
    spool.append([[InboxRow("a", {"text": "x" * 5_000}, "test")]])
    some = look(runtime, "quick")["spool.size"]
    spool.append([[InboxRow("b", {"text": "x" * 20_000}, "test")]])
    full = look(runtime, "quick")["spool.size"]
    spool.close()

    assert [line.state for line in (empty, some, full)] == ["ok", "warn", "fail"]
    assert "spool.max_bytes" in full.mend


def test_what_was_scheduled_and_not_run_is_named(runtime: Runtime, client: Any, clock: MovableClock) -> None:
    fresh = look(runtime, "quick")["schedules.missed"]
    clock.advance(timedelta(minutes=12))
    for name, entry in ENTRIES.items():
        if name != "outbox-sweep":
            due = last_due(entry.cron, clock.now())
            client.hset(runtime.keys.schedule(name), "slot", round(due.timestamp() * 1000))
    one = look(runtime, "quick")["schedules.missed"]

    assert fresh.state == "ok"
    assert one.state == "warn"
    assert one.value == "What is scheduled does not run: outbox-sweep"
    assert "tocsin beat" in one.mend


def test_a_check_that_was_kept_is_found_again_and_in_the_history(runtime: Runtime) -> None:
    before = datetime.now(UTC) - MINUTE
    kept = runtime.health.check_and_keep("quick")

    assert runtime.health.last("quick") == kept
    assert runtime.health.last("full") is None
    [run] = runtime.health.runs(before)
    assert (run.depth, run.status) == ("quick", "fail")
    assert "workers.alert" in run.amiss
