"""The promises of reliable fetch, message by message, on a real server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from kombu import Queue

from tests.integration.transport_kit import ALERT, INFLIGHT, TOO_LONG, Takers, sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis

    from deploy.local.embedded import Server


@pytest.fixture
def taker(server: Server, client: redis.Redis) -> Iterator[Takers]:
    del client  # it empties the server
    takers = Takers(server)
    yield takers
    takers.close()


@pytest.fixture
def send(server: Server, client: redis.Redis) -> Iterator[Callable[..., None]]:
    del client
    with sender(server) as publish:
        yield publish


def test_messages_come_in_the_order_they_were_sent(taker: Takers, send: Callable[..., None]) -> None:
    send(1, 2, 3)

    assert taker().take(3) == [1, 2, 3]


def test_a_message_killed_between_fetch_and_booking_comes_to_a_peer(
    taker: Takers, send: Callable[..., None], client: redis.Redis
) -> None:
    doomed = taker()
    send("wake")
    doomed.fetch_only(client)
    doomed.vanish()

    assert client.llen("t:alert") == 0
    assert taker().take() == ["wake"]


def test_it_comes_before_what_was_sent_later(taker: Takers, send: Callable[..., None], client: redis.Redis) -> None:
    doomed = taker()
    send(1)
    doomed.fetch_only(client)
    doomed.vanish()
    taker().close()  # its sweep sees the message for the first time
    send(2)
    time.sleep(TOO_LONG)  # the server's time is what counts, and it cannot be moved

    assert taker().take(2) == [1, 2]


def test_a_slow_consumer_lets_go_of_what_was_offered_again(
    taker: Takers, send: Callable[..., None], client: redis.Redis
) -> None:
    slow, peer = taker(), taker()
    send("once")
    slow.fetch_only(client)

    assert peer.take() == ["once"]
    slow.look(1)

    assert slow.messages == []
    assert client.hlen("t:unacked") == 1


def test_a_booked_message_is_no_longer_in_flight(taker: Takers, send: Callable[..., None], client: redis.Redis) -> None:
    one = taker()
    send("booked")
    one.take()

    assert (client.llen(INFLIGHT), client.hlen("t:unacked"), client.zcard("t:unacked_index")) == (0, 1, 1)
    one.messages[0].ack()
    assert not client.exists("t:unacked", "t:unacked_index", INFLIGHT, "t:alert")


def test_a_lost_reply_loses_no_message(taker: Takers, send: Callable[..., None], client: redis.Redis) -> None:
    one = taker()
    send("again")
    one.fetch_only(client)
    one.fetcher.client.connection.disconnect()

    assert one.take() == ["again"]


def test_closing_gives_back_what_was_fetched_and_what_was_booked(
    taker: Takers, send: Callable[..., None], client: redis.Redis
) -> None:
    one = taker(prefetch=1)
    send(1, 2)
    one.take()
    one.connection.transport.cycle.on_poll_start()
    one.close()

    assert not client.exists(INFLIGHT, "t:unacked")
    assert taker().take(2) == [1, 2]


def test_a_cancelled_consumer_gives_back_what_it_still_gets(
    taker: Takers, send: Callable[..., None], client: redis.Redis
) -> None:
    one = taker()
    one.look()
    one.consumer.cancel()
    send("for a peer")
    one.look(1)

    assert one.messages == []
    assert taker().take() == ["for a peer"]


def test_a_consumer_can_be_cancelled_and_started_again(taker: Takers, send: Callable[..., None]) -> None:
    one = taker()
    one.consumer.cancel()
    one.consumer.consume()
    send("hello")

    assert one.take() == ["hello"]


def test_two_queues_are_served_side_by_side(taker: Takers, send: Callable[..., None]) -> None:
    delivery, escalation = Queue("delivery", routing_key="delivery"), Queue("escalation", routing_key="escalation")
    both = taker(delivery, escalation)
    send(*range(50), queue=delivery)
    send("urgent", queue=escalation)

    assert "urgent" in both.take(4)


@pytest.mark.alone
def test_an_idle_queue_does_not_delay_another(taker: Takers, send: Callable[..., None]) -> None:
    idle = Queue("idle", routing_key="idle")
    both = taker(idle, ALERT)
    both.look(0.1)
    send("now")
    start = time.monotonic()

    assert both.take() == ["now"]
    assert time.monotonic() - start < 0.5


def test_the_prefetch_limit_is_common_to_all_queues(taker: Takers, send: Callable[..., None]) -> None:
    other = Queue("other", routing_key="other")
    both = taker(other, ALERT, prefetch=3)
    send(*range(5))
    send(*range(5), queue=other)

    both.take(4, seconds=1.5)

    assert len(both.messages) == 3


def test_two_busy_queues_take_turns_for_the_last_slot(taker: Takers, send: Callable[..., None]) -> None:
    other = Queue("other", routing_key="other")
    both = taker(other, ALERT, prefetch=1)
    send(*["alert"] * 20)
    send(*["other"] * 20, queue=other)

    got = []
    for _ in range(10):
        got += both.take()
        both.messages[-1].ack()

    assert {got.count("alert"), got.count("other")} <= {4, 5, 6}


def test_a_worker_without_a_free_slot_keeps_no_message_from_its_peers(
    taker: Takers, send: Callable[..., None], client: redis.Redis
) -> None:
    other = Queue("other", routing_key="other")
    full = taker(other, ALERT, prefetch=1)
    full.look()  # now it waits on both queues
    send("fills the slot", queue=other)
    full.take()
    send("for a peer")
    full.look()

    assert len(full.messages) == 1
    assert (client.llen("t:alert"), client.llen(INFLIGHT)) == (1, 0)
    full.messages[0].ack()
    assert full.take() == ["for a peer"]


def test_a_connection_cut_while_there_was_no_free_slot_is_made_anew(
    taker: Takers, send: Callable[..., None], client: redis.Redis
) -> None:
    full = taker(prefetch=1)
    send(1, 2)
    full.take()
    client.client_kill_filter(_type="normal", skipme=True)
    start = time.process_time()
    full.look(1)
    busy = time.process_time() - start
    full.messages[0].ack()

    assert full.take() == [2]
    assert busy < 0.5


def test_a_message_of_a_dead_worker_comes_back_after_the_visibility_timeout(
    taker: Takers, send: Callable[..., None]
) -> None:
    doomed = taker(visibility_timeout=1)
    send("later")
    doomed.take()
    doomed.vanish()

    assert taker(visibility_timeout=1).take() == ["later"]


def test_a_rejected_message_can_be_requeued(taker: Takers, send: Callable[..., None]) -> None:
    one = taker()
    send("twice")
    one.take()
    one.messages[0].reject(requeue=True)

    assert one.take() == ["twice"]
    assert one.messages[1].headers["redelivered"] is True


def test_a_stock_consumer_may_share_the_queue(taker: Takers, send: Callable[..., None]) -> None:
    ours, theirs = taker(), taker(reliable=False)
    send(*range(20))
    for _ in range(40):
        ours.look(0.05)
        theirs.look(0.05)

    got = [message.payload for message in ours.messages + theirs.messages]
    assert sorted(got) == list(range(20))


def test_what_ours_booked_a_stock_consumer_can_restore(taker: Takers, send: Callable[..., None]) -> None:
    doomed = taker(visibility_timeout=1)
    send({"a": "ü"})
    doomed.take()
    doomed.vanish()

    assert taker(reliable=False, visibility_timeout=1).take() == [{"a": "ü"}]


def test_reply_queues_are_fetched_the_stock_way(taker: Takers, send: Callable[..., None], client: redis.Redis) -> None:
    reply = Queue("reply", routing_key="reply", durable=False, auto_delete=True, expires=10)
    one = taker(reply)
    send("answer", queue=reply)

    assert one.take() == ["answer"]
    assert one.consumer.channel._fetchers == {}


def test_a_prioritised_message_is_not_left_lying(taker: Takers, send: Callable[..., None]) -> None:
    one = taker()
    send("high", priority=9)

    assert one.take() == ["high"]


def test_a_clock_set_back_on_the_server_delays_nothing_in_flight(
    taker: Takers, send: Callable[..., None], client: redis.Redis
) -> None:
    doomed = taker()
    send("wake")
    doomed.fetch_only(client)
    doomed.vanish()
    one = taker()
    for seen in client.hkeys("t:_fetch.seen.alert"):
        client.hset("t:_fetch.seen.alert", seen, 9_999_999_999_999)

    assert one.take() == ["wake"]
