"""What every answer means, asked of every channel over HTTP."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.channels.http_kit import (
    FOR_PEOPLE,
    KINDS,
    PATIENT,
    PAUSED_MS,
    SECOND,
    SECRET,
    body_of,
    headers_of,
)
from tests.integration.channels.wire_kit import Listener, answer, drip, flood, hold, listening, reset

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Callable

    from tasks.utils.rows import Outcome
    from tests.integration.channels.http_kit import Kind
    from tests.integration.channels.wire_kit import Behaviour

    Send = Callable[..., Outcome]

STATUSES = [
    *range(200, 209), 226, *range(300, 309), *range(400, 419), *range(421, 427), 428, 429, 431, 451, 499,
    *range(500, 512), *range(520, 528), 530, 598, 599,
]  # fmt: skip
of_every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
of_people = pytest.mark.parametrize("kind", FOR_PEOPLE, ids=str)
ECHO = f"no: {SECRET}, https://hooks.example/services/{SECRET}".encode()  # some servers say what they were asked


def base(address: tuple[str, int]) -> str:
    host, port = address
    return f"http://{host}:{port}"


@of_every_kind
@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_one_meaning(send: Send, kind: Kind, status: int) -> None:
    with listening(Listener(answer(status, ECHO))) as address:
        outcome = send(kind, kind.message(base(address)))

    assert (outcome.verb, outcome.reason, outcome.delay_ms) == kind.expected(status)
    assert outcome.unclear == (outcome.verb == "retry" and (status >= 500 or status == 408))


@of_every_kind
@pytest.mark.parametrize("status", [400, 413])
def test_what_is_refused_in_minimal_form_too_is_refused(send: Send, kind: Kind, status: int) -> None:
    with listening(Listener(answer(status, ECHO))) as address:
        outcome = send(kind, kind.message(base(address), minimal=True))

    assert (outcome.verb, outcome.reason, outcome.delay_ms) == kind.expected(status, minimal=True)


@of_every_kind
@pytest.mark.parametrize(
    ("header", "pause_ms"),
    [
        ("Retry-After: 30", 30_000),
        ("Retry-After: 0", 1_000),
        ("Retry-After: 99999999", 600_000),
        ("Retry-After: soon", PAUSED_MS),
        ("Retry-After: -5", 1_000),
        ("Retry-After: nan", PAUSED_MS),
    ],
)
def test_a_throttled_key_rests_as_long_as_it_is_told_within_reason(
    send: Send, kind: Kind, header: str, pause_ms: int
) -> None:
    with listening(Listener(answer(429, b"", header))) as address:
        outcome = send(kind, kind.message(base(address)))

    assert (outcome.verb, outcome.delay_ms) == ("pause", pause_ms)


@of_every_kind
@pytest.mark.parametrize("code", [100, 101, 102, 103])
def test_a_mere_promise_of_an_answer_is_none(send: Send, kind: Kind, code: int) -> None:
    with listening(Listener(answer(code))) as address:
        outcome = send(kind, kind.message(base(address)))

    assert (outcome.verb, outcome.reason, outcome.unclear) == ("retry", "network:RemoteProtocolError", True)


@of_every_kind
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(send: Send, kind: Kind, code: int) -> None:
    elsewhere = Listener(answer(200, b"ok"))
    with listening(elsewhere) as other:
        here = Listener(answer(code, b"", f"Location: {base(other)}/{SECRET}"))
        with listening(here) as address:
            outcome = send(kind, kind.message(base(address)), attempts=3)

    assert (outcome.verb, outcome.reason, 0) == kind.expected(code)
    assert (len(here.requests), elsewhere.requests) == (1, [])


@of_every_kind
def test_a_server_error_is_tried_again_at_once_with_the_same_message(send: Send, kind: Kind) -> None:
    listener = Listener(answer(503, ECHO), reset, answer(202))
    with listening(listener) as address:
        outcome = send(kind, kind.message(base(address)), attempts=3, deadline=PATIENT)

    first, *others = listener.requests
    assert (outcome.verb, outcome.unclear) == ("sent", False)
    assert len(others) == 2
    assert all(request == first for request in others)


@of_every_kind
def test_nobody_listening_is_a_clear_failure(send: Send, kind: Kind) -> None:
    with listening(hold) as address:
        pass

    outcome = send(kind, kind.message(base(address)))

    assert (outcome.verb, outcome.reason, outcome.unclear) == ("retry", "network:ConnectError", False)


DRIPPING = {
    "silence": hold,
    "dripping status": drip(b"HTTP/1.1 200 " + b"O" * 900),
    "dripping headers": drip(b"HTTP/1.1 200 OK\r\n" + b"x-slow: y\r\n" * 90),
    "dripping error": drip(b"HTTP/1.1 400 Bad\r\ncontent-length: 900\r\n\r\n" + b" " * 900),
}


@pytest.mark.alone
@of_every_kind
@pytest.mark.parametrize("behave", DRIPPING.values(), ids=DRIPPING)
def test_a_slow_answer_is_given_up_at_the_deadline_and_may_have_arrived(
    send: Send, kind: Kind, behave: Behaviour
) -> None:
    with listening(Listener(behave)) as address:
        started = time.monotonic()
        outcome = send(kind, kind.message(base(address)), attempts=3, deadline=SECOND / 2)
        took = time.monotonic() - started

    assert (outcome.verb, outcome.reason, outcome.unclear) == ("retry", "network:ReadTimeout", True)
    assert took < 1.3


@pytest.mark.alone
@of_every_kind
def test_a_server_that_reads_nothing_is_given_up_at_the_deadline(send: Send, kind: Kind) -> None:
    with listening(lambda _, over: over.wait(3) and None) as address:
        started = time.monotonic()
        outcome = send(kind, kind.message(base(address)), attempts=3, deadline=SECOND / 2)
        took = time.monotonic() - started

    assert (outcome.verb, outcome.unclear) == ("retry", True)
    assert took < 1.3


BROKEN = {
    "reset": reset,
    "closed": b"",
    "no HTTP": b"220 mail.example ready\r\n",
    "half a status": b"HTTP/1.1 2",
    "half a header": b"HTTP/1.1 200 OK\r\ncontent-le",
    "endless headers": flood(b"x-more: " + b"y" * 4000 + b"\r\n"),
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    "half an error": answer(400, b"inval", length=500),
    "half a server error": answer(500, b"fa", length=500),
    "odd status": b"HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n",
}


@of_every_kind
@pytest.mark.parametrize("behave", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_tried_again_and_may_have_arrived(send: Send, kind: Kind, behave: bytes | Behaviour) -> None:
    with listening(Listener(behave)) as address:
        outcome = send(kind, kind.message(base(address)))

    assert (outcome.verb, outcome.unclear) == ("retry", True)
    assert outcome.reason.startswith(("network:", "http:999"))


TRUNCATED = answer(202, b"o", length=500)
CHUNKS_CUT = b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel"


def dripping(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 202 Accepted\r\ncontent-length: 900\r\n\r\n")
    drip(b" " * 900)(connection, over)


breaking_off = pytest.mark.parametrize("raw", [TRUNCATED, CHUNKS_CUT, dripping], ids=["length", "chunks", "dripping"])


@of_people
@breaking_off
def test_a_success_whose_text_breaks_off_is_one_for_people_would_read_it_twice(
    send: Send, kind: Kind, raw: bytes | Behaviour
) -> None:
    with listening(Listener(raw)) as address:
        outcome = send(kind, kind.message(base(address)), attempts=3)

    assert (outcome.verb, outcome.unclear) == ("sent", False)


@breaking_off
def test_pagerduty_merges_repeats_so_that_an_event_goes_again_unless_its_answer_is_whole(
    send: Send, raw: bytes | Behaviour
) -> None:
    (pagerduty,) = (kind for kind in KINDS if kind.name == "pagerduty")
    with listening(Listener(raw)) as address:
        outcome = send(pagerduty, pagerduty.message(base(address)))

    assert (outcome.verb, outcome.unclear) == ("retry", True)


BOMB = gzip.compress(b"\0" * 50_000_000)
OVERSIZED = {
    "endless": flood(b"x" * 65_536),
    "declared": answer(202, b"x" * 1_000_000),
    "packed": answer(202, BOMB, "Content-Encoding: gzip"),
}


@of_every_kind
@pytest.mark.parametrize("name", OVERSIZED)
def test_an_oversized_answer_is_read_in_part_only(send: Send, kind: Kind, name: str) -> None:
    def behave(connection: object, over: object) -> None:
        connection.sendall(b"HTTP/1.1 202 Accepted\r\n\r\n")
        OVERSIZED["endless"](connection, over)

    with listening(Listener(behave if name == "endless" else OVERSIZED[name])) as address:
        outcome = send(kind, kind.message(base(address)))

    assert outcome.verb == "sent"


@of_every_kind
def test_answers_are_asked_for_as_they_are_and_requests_say_who_sends(send: Send, kind: Kind) -> None:
    listener = Listener(answer(202))
    with listening(listener) as address:
        send(kind, kind.message(base(address)))

    (request,) = listener.requests
    headers = headers_of(request)
    assert (headers["accept-encoding"], headers["user-agent"]) == ("identity", "tocsin")
    assert headers["content-type"] == "application/json"
    assert isinstance(body_of(request), dict)
