"""Tokens of an OAuth app: fetched once, replaced early, compared with what was asked for, and told to nobody."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
import structlog

from tasks.utils.error_handler import PermanentError
from tasks.utils.rest.errors import NetworkError, Said, ServerFaultError, ThrottledError, TokenRefusedError
from tasks.utils.rest.line import Answer, Request
from tasks.utils.rest.oauth import App, OAuthCredentials

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRET = "s3cr3t-of-the-app"
APP = App("app-1", SECRET, "eu.acme", ("incidents.read", "incidents.write"))
DAY = 86_400


class Identity:
    """Gives tokens 1, 2, 3 and so on; or fails as told."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.status = 200
        self.scope = "as_account-eu.acme incidents.read incidents.write"
        self.error: Exception | None = None
        self.body: bytes | None = None

    def exchange(self, request: Request, authorization: str | None = None) -> Answer:
        self.requests.append(request)
        if self.error:
            raise self.error
        token = {"access_token": f"pdus+{len(self.requests)}", "expires_in": DAY, "scope": self.scope}
        return Answer(self.status, {}, json.dumps(token).encode() if self.body is None else self.body)

    def close(self) -> None:
        pass


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Board:
    """What the credentials say; `asked`: whether somebody wants fresh tokens."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.asked = False

    def is_outdated(self) -> bool:
        return self.asked

    def fetched(self, scopes: Sequence[str], missing: Sequence[str], life: float) -> None:
        self.asked = False
        self.told.append((list(scopes), list(missing), life))

    def failed(self, error: str) -> None:
        self.told.append(error)

    def close(self) -> None:
        self.told.append("closed")


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def identity() -> Identity:
    return Identity()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def credentials(identity: Any, clock: Clock, board: Board) -> OAuthCredentials:
    return OAuthCredentials(lambda: APP, identity, board, clock)


def test_a_token_is_asked_for_with_account_and_scopes(credentials: OAuthCredentials, identity: Identity) -> None:
    assert credentials.header() == "Bearer pdus+1"

    [request] = identity.requests
    assert request.content is not None
    kind, form = request.content
    assert kind == "application/x-www-form-urlencoded"
    assert parse_qs(form.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["app-1"],
        "client_secret": [SECRET],
        "scope": ["as_account-eu.acme incidents.read incidents.write"],
    }


def test_a_token_is_used_until_shortly_before_its_end(credentials: OAuthCredentials, clock: Clock) -> None:
    credentials.header()
    clock.at += DAY - 601
    assert credentials.header() == "Bearer pdus+1"

    clock.at += 2

    assert credentials.header() == "Bearer pdus+2"


def test_threads_that_need_a_token_at_once_share_one(credentials: OAuthCredentials, identity: Identity) -> None:
    with ThreadPoolExecutor(8) as pool:
        headers = set(pool.map(lambda _: credentials.header(), range(40)))

    assert headers == {"Bearer pdus+1"}
    assert len(identity.requests) == 1


def test_a_refused_token_is_replaced_once_for_all_who_had_it(credentials: OAuthCredentials, identity: Identity) -> None:
    refused = credentials.header()

    assert [credentials.renew(refused) for _ in range(3)] == [True] * 3

    assert credentials.header() == "Bearer pdus+2"
    assert len(identity.requests) == 2


@pytest.mark.parametrize("error", [NetworkError("no answer", Said(0)), None])
def test_while_no_new_token_is_to_be_had_the_old_one_serves_to_its_end(
    credentials: OAuthCredentials, identity: Identity, clock: Clock, error: Exception | None
) -> None:
    credentials.header()
    identity.error, identity.status = error, 503
    clock.at += DAY - 300
    assert [credentials.header() for _ in range(5)] == ["Bearer pdus+1"] * 5
    assert len(identity.requests) == 2

    clock.at += 301

    with pytest.raises((NetworkError, ServerFaultError)):
        credentials.header()


def test_an_app_that_is_refused_by_now_is_used_to_the_end_of_its_token(
    credentials: OAuthCredentials, identity: Identity, clock: Clock, board: Board
) -> None:
    credentials.header()
    identity.status, identity.body = 401, b'{"error":"invalid_client"}'
    clock.at += DAY - 300

    assert credentials.header() == "Bearer pdus+1"

    assert "invalid_client" in str(board.told[-1])
    assert SECRET not in str(board.told)
    clock.at += 301
    with pytest.raises(TokenRefusedError):
        credentials.header()


def test_a_secret_that_was_replaced_in_its_file_is_read_when_the_former_one_is_refused(
    identity: Any, clock: Clock
) -> None:
    apps = [APP, replace(APP, client_secret="the-new-one")]
    credentials = OAuthCredentials(lambda: apps.pop(0), identity, clock=clock)
    identity.exchange = lambda request, _=None: Identity.exchange(identity, request) if _secret(request) else REFUSED

    assert credentials.header() == "Bearer pdus+1"


REFUSED = Answer(401, {}, b'{"error":"invalid_client"}')


def _secret(request: Request) -> bool:
    assert request.content is not None
    return b"the-new-one" in request.content[1]


def test_a_fresh_token_that_is_asked_for_is_fetched_before_the_next_call_and_once(
    credentials: OAuthCredentials, identity: Identity, board: Board
) -> None:
    credentials.header()
    board.asked = True

    assert [credentials.header() for _ in range(3)] == ["Bearer pdus+2"] * 3

    assert board.told == [(["incidents.read", "incidents.write"], [], DAY)] * 2
    identity.status, board.asked = 503, True
    assert [credentials.header() for _ in range(3)] == ["Bearer pdus+2"] * 3
    assert len(identity.requests) == 3  # the next attempt has time


def test_no_scope_at_all_is_an_error_that_names_them(credentials: OAuthCredentials, identity: Identity) -> None:
    identity.scope = "openid"

    with pytest.raises(PermanentError, match=r"none of the scopes.*incidents\.read incidents\.write.*subdomain"):
        credentials.header()


def test_a_scope_that_was_not_granted_is_told_to_the_log(credentials: OAuthCredentials, identity: Identity) -> None:
    identity.scope = "incidents.read"

    with structlog.testing.capture_logs() as told:
        credentials.header()

    assert [(one["event"], one["missing"]) for one in told] == [("oauth_scopes_missing", ["incidents.write"])]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"error":"invalid_client","error_description":"unknown"}', TokenRefusedError),
        (401, b"", TokenRefusedError),
        (429, b"", ThrottledError),
        (500, b"", ServerFaultError),
        (200, b"<html>", ServerFaultError),
        (200, b"[]", ServerFaultError),
        (200, b'{"access_token":"x"}', ServerFaultError),
        (200, b'{"access_token":"x","expires_in":"soon"}', ServerFaultError),
    ],
)
def test_whatever_the_answer_the_error_does_not_tell_the_secret(
    credentials: OAuthCredentials, identity: Identity, status: int, body: bytes, kind: type[Exception]
) -> None:
    identity.status, identity.body = status, body

    with pytest.raises(kind) as caught:
        credentials.header()

    assert SECRET not in f"{caught.value!r} {caught.value} {credentials!r} {APP!r} {identity.requests}"


def test_the_limit_belongs_to_the_app_and_the_account_not_to_one_token(credentials: OAuthCredentials) -> None:
    before = credentials.limit
    credentials.renew(credentials.header())

    assert credentials.limit == before
    assert "app-1" not in before
