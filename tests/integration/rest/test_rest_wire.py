"""Every documented status, whatever the network does to its answer: by a table."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.error_handler import PermanentError
from tasks.utils.rest import errors
from tests.integration.channels.wire_kit import Listener, answer, drip, flood, hold, listening, reset
from tests.integration.rest.kit import hurried, rest_of

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Callable, Iterator

    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient

TEXT = json.dumps({"user": {"id": "P1"}, "error": {"message": "Because", "code": 2000}}).encode()
LATE = timedelta(seconds=0.3)
FAULTS: dict[str, Callable[[int], Any]] = {
    "whole": lambda status: answer(status, TEXT),
    "empty": answer,
    "html": lambda status: answer(status, b"<html>"),
    "cut short": lambda status: answer(status, TEXT[:9], length=len(TEXT)),
    "dripping": lambda status: drip(answer(status, TEXT)),
    "status only": lambda status: f"HTTP/1.1 {status} Whatever\r\n".encode(),
}
MEANINGS: dict[int, type[Exception] | None] = {
    200: None, 201: None, 204: None, 400: errors.InvalidRequestError, 401: errors.TokenRefusedError,
    402: errors.MissingAbilityError, 403: errors.ForbiddenError, 404: errors.NotFoundError,
    408: errors.ServerFaultError, 409: errors.ConflictError, 413: errors.TooManyItemsError,
    422: errors.InvalidRequestError, 429: errors.ThrottledError, 500: errors.ServerFaultError,
    502: errors.ServerFaultError, 503: errors.ServerFaultError, 504: errors.ServerFaultError,
}  # fmt: skip


def meaning(status: int, fault: str) -> type[Exception] | None:
    """What is to be made of it. A refusal's status says enough, half an answer of a success is none."""
    if fault in {"dripping", "status only"}:
        return errors.NetworkError
    if status == 204:
        return None
    if fault == "cut short" and status < 300:
        return errors.NetworkError
    if fault == "html" and status < 300:
        return errors.ServerFaultError
    return MEANINGS[status]


@pytest.fixture
def ask(client: Any, keys: Keys) -> Iterator[Callable[..., RestClient]]:
    """A client of a server on the wire."""
    made = []

    def ask(address: tuple[str, int], **settings: Any) -> RestClient:
        settings = {"pagerduty.api_timeout": timedelta(seconds=1), **settings}
        rest = rest_of(client, keys, f"http://{address[0]}:{address[1]}", settings)
        made.append(rest)
        return hurried(rest)

    yield ask
    for rest in made:
        rest.close()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("status", MEANINGS)
def test_every_status_has_one_meaning_whatever_becomes_of_its_answer(ask: Any, status: int, fault: str) -> None:
    server = Listener(FAULTS[fault](status))
    once = {"pagerduty.retry_attempts": 1, "pagerduty.api_timeout": LATE}
    expected = meaning(status, fault)

    with listening(server) as address:
        rest = ask(address, **once)
        if expected is None:
            rest.caller.get("/users/P1")
        else:
            with pytest.raises(expected):
                rest.caller.get("/users/P1")

    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [reset, hold, b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 999999 What\r\n\r\n"])
def test_what_is_no_answer_is_asked_for_again(ask: Any, fault: Any) -> None:
    with listening(Listener(fault, answer(200, TEXT))) as address:
        assert ask(address, **{"pagerduty.api_timeout": LATE}).users.get("P1") == {"id": "P1"}


@pytest.mark.parametrize("headers", [["Retry-After: 1"], ["ratelimit-reset: 1"]])
def test_a_429_with_a_short_pause_is_waited_for(ask: Any, headers: list[str]) -> None:
    naps: list[float] = []
    with listening(Listener(answer(429, b"", *headers), answer(200, TEXT))) as address:
        rest = ask(address)
        rest.caller.allowance.sleep.taken = naps

        with pytest.raises(errors.ThrottledError):  # the fleet's clock stands still while the nap takes no time
            rest.limited(patience=timedelta(0)).users.get("P1")

    assert naps == [1.0]


@pytest.mark.parametrize("told", ["soon", "-5", "nan", "inf", "1e400", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_pause_that_is_no_number_of_seconds_is_half_a_minute_at_least(ask: Any, told: str) -> None:
    with (
        listening(Listener(answer(429, b"", f"Retry-After: {told}"))) as address,
        pytest.raises(errors.ThrottledError) as caught,
    ):
        ask(address).users.get("P1")

    assert caught.value.retry_after is not None
    assert 30 <= caught.value.retry_after <= 60


def test_a_redirect_is_not_followed_and_says_what_to_check(ask: Any) -> None:
    server = Listener(answer(302, b"", "Location: https://elsewhere.example/users/P1"))
    with listening(server) as address, pytest.raises(PermanentError, match="PAGERDUTY_API_URL"):
        ask(address).users.get("P1")

    assert len(server.requests) == 1


def test_an_answer_without_end_is_given_up(ask: Any) -> None:
    def endless(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        flood(b"x" * 65_536)(connection, over)

    begun = time.monotonic()
    with listening(Listener(endless)) as address, pytest.raises((PermanentError, errors.NetworkError)):
        ask(address, **{"pagerduty.api_timeout": timedelta(seconds=5), "pagerduty.retry_attempts": 1}).users.get("P1")

    assert time.monotonic() - begun < 6


@pytest.mark.parametrize("item_id", ["", ".", "..", "a\nb", "\ud800"])
def test_what_is_no_id_is_not_asked_for(ask: Any, item_id: str) -> None:
    server = Listener(answer(200, TEXT))
    with listening(server) as address, pytest.raises(PermanentError, match="is no id"):
        ask(address).teams.remove_member(item_id, "P1")

    assert server.requests == []


@pytest.mark.parametrize("item_id", ["../users/P1", "P1/members", "P1?x=1", "P1#x", "%2e%2e", "ü"])
def test_an_id_stays_one_part_of_the_path(ask: Any, item_id: str) -> None:
    server = Listener(answer(200, TEXT))
    with listening(server) as address:
        ask(address).users.get(item_id)

    [line] = [request.split(b"\r\n")[0] for request in server.requests]
    path = line.split()[1]
    assert path.startswith(b"/users/")
    assert path.count(b"/") == 2
    assert not set(b"?#") & set(path)


def test_a_sender_that_no_header_can_hold_is_refused_for_good(ask: Any) -> None:
    server = Listener(answer(200, TEXT))
    with listening(server) as address, pytest.raises(PermanentError, match="no header may hold"):
        ask(address).users.update("P1", {}, sender="a@example.com\r\nX-Evil: 1")

    assert server.requests == []


def test_moments_may_be_written_as_such(ask: Any) -> None:
    server = Listener(answer(200, TEXT))
    with listening(server) as address:
        ask(address).users.update("P1", {"at": datetime(2026, 3, 1, 12, tzinfo=UTC)})

    assert b'"at":"2026-03-01T12:00:00.000Z"' in server.requests[0]


def test_what_is_asked_carries_what_pagerduty_wants(ask: Any) -> None:
    server = Listener(answer(200, TEXT))
    with listening(server) as address:
        rest = ask(address)
        rest.users.get("P1", include=["teams", "contact_methods"])
        rest.users.update("P1", {"name": "Ann"})

    read, written = (request.decode().split("\r\n") for request in server.requests)
    assert read[0] == "GET /users/P1?include%5B%5D=teams&include%5B%5D=contact_methods HTTP/1.1"
    assert "Accept: application/vnd.pagerduty+json;version=2" in read
    assert "Authorization: Token token=tOcSiNtEsT0123456789" in read
    assert not [line for line in read if line.lower().startswith("from:")]
    assert "Content-Type: application/json" in written
    assert "From: bot@example.com" in written
