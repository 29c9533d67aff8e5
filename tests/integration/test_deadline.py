"""One HTTP attempt ends in time, whatever the other side does."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tasks.notifications.channels.pagerduty import PagerDutyEvents
from tasks.notifications.channels.protocol import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALERT = {"event_action": "resolve", "dedup_key": "k"}


@contextmanager
def listening(behave: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """A server that treats each connection as told; yields its address."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        behave(connection, over)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v2/enqueue"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=10)


def drip(answer: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """Send an answer one byte at a time, each well within a read time-out."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        for byte in answer:
            connection.sendall(bytes([byte]))
            if over.wait(0.1):
                return

    return behave


def hold(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65536)
    over.wait(30)


@pytest.fixture
def channel() -> Iterator[PagerDutyEvents]:
    second = timedelta(seconds=1)
    made = PagerDutyEvents(deadline=second, attempts=3, throttle_pause=second, key_pause=second)
    yield made
    made.close()


@pytest.mark.alone
@pytest.mark.parametrize(
    "behave",
    [
        drip(b"HTTP/1.1 202 Accepted\r\ncontent-length: 900\r\n\r\n" + b" " * 900),
        drip(b"HTTP/1.1 202 Accepted\r\n" + b"x-slow: y\r\n" * 90),
        hold,
    ],
    ids=["dripping body", "dripping headers", "silence"],
)
def test_a_slow_answer_is_given_up_at_the_deadline_and_may_have_arrived(
    channel: PagerDutyEvents, behave: Callable[[socket.socket, threading.Event], None]
) -> None:
    with listening(behave) as url:
        started = time.monotonic()
        outcome = channel.send(Message(ALERT, url, "k" * 32))
        took = time.monotonic() - started

    assert (outcome.verb, outcome.unclear) == ("retry", True)
    assert took < 1.8


def test_a_server_error_may_hide_an_event_that_was_taken(channel: PagerDutyEvents) -> None:
    def fail(connection: socket.socket, over: threading.Event) -> None:
        del over
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n")

    with listening(fail) as url:
        outcome = channel.send(Message(ALERT, url, "k" * 32))

    assert (outcome.verb, outcome.reason, outcome.unclear) == ("retry", "http:503", True)


def test_nobody_listening_is_a_clear_failure(channel: PagerDutyEvents) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    outcome = channel.send(Message(ALERT, f"http://127.0.0.1:{port}/v2/enqueue", "k" * 32))

    assert (outcome.verb, outcome.reason, outcome.unclear) == ("retry", "network:ConnectError", False)


def test_an_answer_that_never_ends_is_cut_off(channel: PagerDutyEvents) -> None:
    def flood(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 202 Accepted\r\n\r\n")
        while not over.is_set():
            connection.sendall(b"x" * 4096)

    with listening(flood) as url:
        assert channel.send(Message(ALERT, url, "k" * 32)).verb == "sent"
