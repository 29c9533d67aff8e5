"""Slow, endless and oversized requests, over bare sockets: each ends soon, and harms nobody else."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

from deploy.local.embedded import Server
from tests.integration.gateway.bare_sockets import event, read_all, read_answers, request, statuses, unharmed
from tests.integration.gateway_kit import TRIGGER, Gateway, running_gateway

PATIENCE = 0.5  # seconds this gateway waits for headers, and for a body as long again


@pytest.fixture(scope="module")
def running(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(server, tmp_path_factory.mktemp("gateway"), read_timeout=PATIENCE) as gateway:
        yield gateway


@pytest.fixture
def gateway(running: Gateway, server: Server) -> Iterator[Gateway]:
    with unharmed(running, server) as gateway:
        yield gateway


def drip(connection: socket.socket, part: bytes, every: float = PATIENCE / 4) -> None:
    """Send the same bytes again and again until the other side has had enough."""
    end = time.monotonic() + 20
    connection.settimeout(every)
    while time.monotonic() < end:
        try:
            connection.sendall(part)
            if connection.recv(1, socket.MSG_PEEK) is not None:
                return
        except TimeoutError:
            continue
        except OSError:
            return
    raise AssertionError("the connection was held for 20 s")


def test_headers_that_drip_are_given_up(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(b"POST /v2/enqueue HTTP/1.1\r\n")
        drip(connection, b"X-Slow: 1\r\n")

        assert statuses(read_all(connection)) == [408]


def test_a_connection_on_which_nothing_comes_is_closed(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        assert read_all(connection) == b""


def test_empty_lines_for_ever_are_given_up(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        drip(connection, b"\r\n")


def test_the_second_request_of_a_connection_is_watched_like_the_first(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(event("first"))
        assert statuses(read_answers(connection)) == [202]
        connection.sendall(b"POST /v2/enq")
        drip(connection, b"u")

        assert statuses(read_all(connection)) == [408]


@pytest.mark.parametrize("first", [b"", b"{}", json.dumps(TRIGGER).encode()])
def test_nonsense_behind_a_request_is_the_end_of_the_connection(gateway: Gateway, first: bytes) -> None:
    with gateway.connect() as connection:
        connection.sendall(request(body=first) + b"nonsense\r\n\r\n")

        assert statuses(read_all(connection)) == [400]
        time.sleep(PATIENCE / 5)  # for the answer to the request, which nobody is told any more


def test_a_connection_is_kept_open_between_requests(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(event("first"))
        assert statuses(read_answers(connection)) == [202]
        time.sleep(2.5 * PATIENCE)

        connection.sendall(event("second"))
        assert statuses(read_answers(connection)) == [202]


def test_a_body_that_drips_is_answered_408(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(request()[:-50])
        drip(connection, b" ", every=PATIENCE / 3)

        received = read_all(connection)
        assert statuses(received) == [408]
        assert b"the body took longer than 0.5 s" in received


def test_a_body_nobody_reads_cannot_be_dripped_for_ever_either(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(request("/nothing", b"x" * 100_000)[:-90_000])
        assert statuses(read_answers(connection)) == [404]

        drip(connection, b"x")


def test_headers_without_end_are_refused(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(b"POST /v2/enqueue HTTP/1.1\r\n")
        try:
            for _ in range(100):
                connection.sendall(b"X-Long: " + b"x" * 10_000 + b"\r\n")
        except OSError:
            pass
        assert set(statuses(read_all(connection))) <= {431}


LARGE = b"x" * 20_000_000  # more than any buffer between two processes takes


@pytest.mark.parametrize(
    "head",
    [
        f"POST /v2/enqueue HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(LARGE)}\r\n\r\n",
        f"POST /v2/enqueue HTTP/1.0\r\nContent-Length: {len(LARGE)}\r\n\r\n",
        f"POST /v2/enqueue HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{len(LARGE):x}\r\n",
        f"POST /api/v1/alerts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(LARGE)}\r\n\r\n",
        "no HTTP at all\r\n\r\n",
    ],
    ids=["close", "http 1.0", "chunked", "api", "rubbish"],
)
def test_an_answer_given_early_reaches_a_sender_that_first_sends_everything(gateway: Gateway, head: str) -> None:
    with gateway.connect() as connection:
        connection.sendall(head.encode() + LARGE)
        answer = read_all(connection)
    assert answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 401", b"HTTP/1.1 400"))
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["errors"]


def test_a_sender_that_never_ends_is_not_heard_out_for_ever(gateway: Gateway) -> None:
    head = b"POST /v2/enqueue HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9000000000\r\n\r\n"
    started = time.monotonic()
    with gateway.connect() as connection, suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(head)
        while time.monotonic() - started < 30:
            connection.sendall(LARGE)
    assert time.monotonic() - started < 4 * PATIENCE + 2


def test_millions_of_values_are_refused_and_hold_up_no_small_request(gateway: Gateway) -> None:
    """To check them would take seconds, of every other sender's time too."""
    many = json.dumps(
        {**TRIGGER, "payload": {**TRIGGER["payload"], "custom_details": {"x": [{}] * 1_000_000}}}
    ).encode()
    with ThreadPoolExecutor(3) as threads, gateway.client() as client:
        large = [threads.submit(httpx.post, gateway.url + "/v2/enqueue", content=many, timeout=30) for _ in range(3)]
        slowest = 0.0
        while not all(each.done() for each in large):
            answer = client.post("/v2/enqueue", json=TRIGGER)
            assert answer.status_code == 202
            slowest = max(slowest, answer.elapsed.total_seconds())
        refused = large[0].result()
    assert refused.status_code == 413
    assert "100000 values" in refused.json()["errors"][0]
    assert slowest < 2


def test_a_text_may_hold_any_number_of_commas(gateway: Gateway) -> None:
    payload = {**TRIGGER["payload"], "custom_details": {"csv": "[1,2]," * 100_000}}
    assert httpx.post(gateway.url + "/v2/enqueue", json={**TRIGGER, "payload": payload}).status_code == 202
