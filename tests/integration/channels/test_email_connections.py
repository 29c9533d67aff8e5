"""Connections to mail servers: kept, shared, slow, broken; nothing hangs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tasks.notifications.channels.email import MailServer
from tests.integration.channels.letters import letter, mailer, sent_by, server
from tests.integration.channels.mail_kit import SENDER
from tests.integration.channels.wire_kit import drip, hold, listening, reset

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.channels.wire_kit import Behaviour
    from tests.tls import Authority


def test_mails_in_a_row_share_a_connection() -> None:
    with server() as (postbox, address), mailer(address) as channel:
        outcomes = [channel.send(letter(id=str(number))).verb for number in range(5)]

    assert outcomes == ["sent"] * 5
    assert postbox.greetings == 1


def test_several_threads_may_send_at_once() -> None:
    with server() as (postbox, address), mailer(address) as channel, ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda number: channel.send(letter(id=str(number))).verb, range(40)))

    assert outcomes == ["sent"] * 40
    assert len({mail["X-Tocsin-Id"] for mail in postbox.mails}) == 40


def test_a_kept_connection_that_the_server_closed_is_replaced(authority: Authority) -> None:
    with server(authority) as (postbox, address), mailer(address) as channel:
        channel.send(letter())
        _, line = channel._idle[-1]
        line._handle.shutdown(2)

        outcome = channel.send(letter(id="2"))

    assert (outcome.verb, outcome.reason) == ("sent", "")
    assert len(postbox.taken) == 2


GREETING = b"220 mail.example ready\r\n"
AFTER_EHLO = b"250-mail.example\r\n250 STARTTLS\r\n"


def talk(*answers: bytes, then: Behaviour) -> Behaviour:
    """Greet, answer one command after the other, then behave as told."""

    def behave(connection: Any, over: Any) -> None:
        connection.sendall(GREETING)
        for answer in answers:
            connection.recv(65536)
            connection.sendall(answer)
        then(connection, over)

    return behave


TO_CONTENT = (b"250 mail.example\r\n", b"250 OK\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n")


@pytest.mark.alone
@pytest.mark.parametrize(
    ("behave", "starttls", "unclear"),
    [
        (hold, False, False),
        (drip(b"220 " + b"x" * 900), False, False),
        (talk(then=hold), False, False),
        (talk(b"250-" + b"x" * 100 + b"\r\n", then=drip(b"250-x\r\n" * 90)), False, False),
        (talk(AFTER_EHLO, b"220 go\r\n", then=hold), True, False),
        (talk(AFTER_EHLO, b"220 go\r\n", b"", then=drip(b"\x16\x03\x03\x10\x00" + b"\x02\x00\x0f\xfc" + b"x" * 900)), True, False),
        (talk(*TO_CONTENT, then=hold), False, True),
        (talk(*TO_CONTENT, then=drip(b"250-x\r\n" * 90)), False, True),
    ],
    ids=["silence", "dripping greeting", "then silence", "dripping EHLO", "silent TLS", "dripping TLS", "no end", "dripping end"],
)  # fmt: skip
def test_a_slow_server_is_given_up_at_the_deadline(behave: Behaviour, starttls: bool, unclear: bool) -> None:  # noqa: FBT001
    with listening(behave) as (host, port):
        started = time.monotonic()
        outcome = sent_by(MailServer(host, port, SENDER, starttls=starttls), seconds=1)
        took = time.monotonic() - started

    assert (outcome.verb, outcome.reason, outcome.unclear) == ("retry", "network:Timeout", unclear)
    assert took < 1.8


@pytest.mark.parametrize(
    ("behave", "reason", "unclear"),
    [
        (reset, "network:", False),
        (talk(then=reset), "network:", False),
        (talk(*TO_CONTENT, then=reset), "network:", True),
        (lambda connection, _: connection.sendall(b"554 go away\r\n"), "smtp:554", False),
        (lambda connection, _: connection.sendall(b"421 busy\r\n"), "smtp:421", False),
        (lambda connection, _: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "smtp:-1", False),
        (lambda connection, _: connection.sendall(b"220 " + b"x" * 100_000), "network:|smtp:", False),
    ],
)
def test_a_broken_connection_is_tried_again(
    behave: Callable[[Any, Any], None], reason: str, unclear: bool  # noqa: FBT001
) -> None:  # fmt: skip
    with listening(behave) as (host, port):
        outcome = sent_by(MailServer(host, port, SENDER, starttls=False))

    assert (outcome.verb, outcome.unclear) == ("retry", unclear)
    assert outcome.reason.startswith(tuple(reason.split("|")))


def test_nobody_listening_is_a_clear_failure() -> None:
    with listening(hold) as (host, port):
        pass

    outcome = sent_by(MailServer(host, port, SENDER))

    assert (outcome.verb, outcome.reason, outcome.unclear) == ("retry", "network:ConnectionRefusedError", False)
