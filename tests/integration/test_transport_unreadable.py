"""Whatever lies in a queue is delivered; what is no message, as the bytes it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.transport_kit import INFLIGHT, Takers, wait_for
from workers.unreadable import UNREADABLE_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from deploy.local.embedded import Server


@pytest.fixture
def taker(server: Server, client: redis.Redis) -> Iterator[Takers]:
    del client  # it empties the server
    takers = Takers(server)
    yield takers
    takers.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage",
        b"\xff\xfe",
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"body": "x", "properties": {}}',
        b'{"body": "!", "properties": {"delivery_tag": "1", "body_encoding": "base64", "delivery_info": {}}}',
        b'{"body": "x", "properties": {"delivery_tag": "1", "delivery_info": {"exchange": 1, "routing_key": null}}}',
        b'{"body": "x", "properties": {"delivery_tag": "1", "body_encoding": "rot13", "delivery_info": {}}}',
        b'{"__type__": "uuid", "__value__": 1}',
    ],
)
def test_bytes_that_are_no_message_are_delivered_as_such(taker: Takers, client: redis.Redis, raw: bytes) -> None:
    one = taker()
    client.lpush("t:alert", raw)
    wait_for(lambda: one.look() or one.messages)

    message = one.messages[0]
    assert (message.content_type, message.body) == (UNREADABLE_TYPE, raw)
    assert json.loads(client.hvals("t:unacked")[0])[1:] == ["", "alert"]
    message.ack()
    assert not client.exists("t:unacked", INFLIGHT)


def test_an_unreadable_message_survives_its_worker_too(taker: Takers, client: redis.Redis) -> None:
    doomed = taker(visibility_timeout=1)
    client.lpush("t:alert", b"garbage")
    wait_for(lambda: doomed.look() or doomed.messages)
    doomed.vanish()
    peer = taker(visibility_timeout=1)
    wait_for(lambda: peer.look() or peer.messages)

    assert peer.messages[0].body == b"garbage"
