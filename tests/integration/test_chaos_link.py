"""The link between the fleet and what it talks to can be disturbed, and healed."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.chaos.kit.link import Link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.embedded import Server


@pytest.fixture
def link(server: Server) -> Iterator[Link]:
    with Link("127.0.0.1", server.port) as running:
        yield running


@pytest.fixture
def caller(server: Server, link: Link) -> Iterator[Any]:
    """A client that goes by the link, and tries nothing twice."""
    url = server.url.replace(f":{server.port}/", f":{link.port}/")
    with redis.Redis.from_url(url, socket_timeout=0.5, retry=Retry(NoBackoff(), 0)) as client:
        client.ping()
        yield client


def test_a_good_link_passes_everything_on(caller: Any) -> None:
    long = "x" * 1_000_000

    caller.set("link", long)

    assert caller.get("link").decode() == long


def test_a_cut_resets_what_is_open_and_welcomes_what_is_new(link: Link, caller: Any) -> None:
    with socket.create_connection(("127.0.0.1", link.port), timeout=5) as plain:
        plain.sendall(b"no command\r\n")
        assert plain.recv(100).startswith(b"-")
        link.cut()

        with pytest.raises(ConnectionResetError):
            plain.recv(100)
    assert caller.ping()


def test_a_slow_link_takes_its_time_both_ways_and_keeps_the_order(link: Link, caller: Any) -> None:
    link.slow(0.05)
    began = time.monotonic()
    caller.delete("link")

    with caller.pipeline() as pipe:
        for number in range(2000):
            pipe.rpush("link", number)
        pipe.execute()

    assert time.monotonic() - began >= 0.2
    assert [int(number) for number in caller.lrange("link", 0, -1)] == list(range(2000))


def test_a_silent_link_answers_neither_old_connections_nor_new_ones(link: Link, caller: Any) -> None:
    link.silence()

    for _ in range(2):
        with pytest.raises(redis.TimeoutError):
            caller.ping()
    link.heal()
    assert caller.ping()


def test_a_link_that_refuses_takes_no_connection_until_it_is_healed(link: Link, caller: Any) -> None:
    link.refuse()

    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            caller.ping()
    link.heal()
    assert caller.ping()


def test_a_server_that_is_away_is_away_behind_the_link_too() -> None:
    with (
        Link("127.0.0.1", 1) as link,
        redis.Redis(port=link.port, retry=Retry(NoBackoff(), 0)) as client,
        pytest.raises(redis.ConnectionError),
    ):
        client.ping()
