"""The one waker: due rows are hinted at once, in time, and not twice."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.audit.epochs import EpochWatch
from tasks.utils.rows import Inbox, InboxRow, new_event_id
from workers.pump import Pump

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys


def hints(client: Any, keys: Keys, queue: str) -> list[dict[str, Any]]:
    return [json.loads(message) for message in client.lrange(keys.queue(queue), 0, -1)]


def test_many_rows_share_one_hint(client: Any, keys: Keys) -> None:
    inbox = Inbox(client, keys)
    for number in range(5):
        inbox.put([InboxRow(new_event_id(), {"n": number}, "test")])

    [hint] = hints(client, keys, "alert")

    assert hint["headers"]["task"] == "alerts.submit"
    assert hint["headers"]["id"] == hint["properties"]["delivery_tag"]


def test_a_lost_hint_is_sent_again_after_a_second(client: Any, keys: Keys, clock: MovableClock, tmp_path: Path) -> None:
    Inbox(client, keys).put([InboxRow(new_event_id(), {}, "test")])
    client.delete(keys.queue("alert"))
    pump = Pump(client, keys, EpochWatch(client, keys, tmp_path))

    pump.look()
    assert hints(client, keys, "alert") == []
    clock.advance(timedelta(seconds=1))
    pump.look()

    assert len(hints(client, keys, "alert")) == 1


@pytest.mark.alone
def test_a_row_due_later_is_left_alone_until_then(client: Any, keys: Keys, clock: MovableClock, tmp_path: Path) -> None:
    client.zadd(keys.outbox_due, {"lane@shop": clock.now_ms() + 400})
    pump = Pump(client, keys, EpochWatch(client, keys, tmp_path))

    assert 0.2 < pump.look() <= 0.4
    assert hints(client, keys, "delivery") == []
    clock.advance(timedelta(milliseconds=400))
    pump.look()

    assert [hint["headers"]["task"] for hint in hints(client, keys, "delivery")] == ["notifications.deliver"]


def test_it_sleeps_no_longer_than_a_second_and_until_the_next_due_row(client: Any, keys: Keys, tmp_path: Path) -> None:
    assert Pump(client, keys, EpochWatch(client, keys, tmp_path)).look() == 1.0


@pytest.mark.alone
def test_an_earlier_row_ends_its_sleep(client: Any, keys: Keys, tmp_path: Path) -> None:
    pump = Pump(client, keys, EpochWatch(client, keys, tmp_path))
    thread = threading.Thread(target=pump.run)
    thread.start()
    while not client.client_list(_type="normal") or not client.info("clients")["blocked_clients"]:
        time.sleep(0.005)
    client.zadd(keys.outbox_due, {"lane@shop": 1})
    client.lpush(keys.wake, "1")

    end = time.monotonic() + 0.5
    while not hints(client, keys, "delivery") and time.monotonic() < end:
        time.sleep(0.005)

    pump.stop()
    thread.join(timeout=5)
    assert len(hints(client, keys, "delivery")) == 1


@pytest.mark.parametrize(("setting", "refuses", "serves"), [("maxmemory", 1, 0), ("min-replicas-to-write", 1, 0)])
def test_it_outlives_a_server_that_refuses_for_a_while(
    client: Any, keys: Keys, setting: str, refuses: int, serves: int, tmp_path: Path
) -> None:
    pump = Pump(client, keys, EpochWatch(client, keys, tmp_path))
    thread = threading.Thread(target=pump.run)
    client.config_set(setting, refuses)
    try:
        thread.start()
        thread.join(timeout=0.2)
    finally:
        client.config_set(setting, serves)
    client.zadd(keys.outbox_due, {"lane@shop": 1})

    end = time.monotonic() + 5
    while not hints(client, keys, "delivery") and time.monotonic() < end:
        time.sleep(0.01)
    pump.stop()
    thread.join(timeout=5)

    assert len(hints(client, keys, "delivery")) == 1


def test_a_server_that_lost_everything_is_noticed_once(client: Any, keys: Keys, tmp_path: Path) -> None:
    pump = Pump(client, keys, EpochWatch(client, keys, tmp_path))
    pump.look()
    client.set(keys.epoch, "1")
    client.flushall()
    pump.look()

    assert int(client.get(keys.epoch)) > 1


def test_a_hold_that_is_over_calls_for_a_worker(client: Any, keys: Keys, clock: MovableClock, tmp_path: Path) -> None:
    client.zadd(keys.holds_due, {"silence:x": clock.now_ms() + 400})
    pump = Pump(client, keys, EpochWatch(client, keys, tmp_path))

    pump.look()
    assert hints(client, keys, "alert") == []
    clock.advance(timedelta(milliseconds=400))
    pump.look()

    assert len(hints(client, keys, "alert")) == 1
