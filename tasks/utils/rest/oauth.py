"""Tokens of an OAuth app, fetched with its client id and secret, and kept in this process's memory only."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from tasks.utils.error_handler import PermanentError, TocsinError
from tasks.utils.rest.credentials import limit_name
from tasks.utils.rest.errors import (
    RefusedError,
    Said,
    ServerFaultError,
    TokenRefusedError,
    UnavailableError,
    refusal,
)
from tasks.utils.rest.line import Request
from tasks.utils.rest.token_board import NoBoard

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.utils.rest.line import Line
    from tasks.utils.rest.token_board import Board

EARLY: Final = (
    600.0  # seconds before its end at which a token is replaced, or a tenth of its life where that is shorter
)
AGAIN: Final = 30.0  # seconds to the next attempt to replace a token that still lasts; each may cost a time-out

log = structlog.get_logger("tocsin.rest")


@dataclass(frozen=True)
class App:
    """Who asks for tokens: `account` is `us.` or `eu.` and the account's subdomain, `scopes` what the tokens are to allow."""

    client_id: str
    client_secret: str = field(repr=False)
    account: str
    scopes: tuple[str, ...]

    @property
    def form(self) -> dict[str, str]:
        """What to post for a token."""
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": " ".join((f"as_account-{self.account}", *self.scopes)),
        }


@dataclass(frozen=True)
class _Token:
    header: str = field(repr=False)
    renew_at: float
    ends_at: float


class OAuthCredentials:
    """Tokens of one app for one account; a new one is fetched before the old one ends, and when it is refused.

    `line` leads to the address where tokens are given, `read` gives the app anew when its secret is refused: somebody may have
    replaced it in its file. Safe to use from several threads: one fetches, the others wait for it.
    """

    def __init__(
        self,
        read: Callable[[], App],
        line: Line,
        board: Board | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._app = read()
        self._line = line
        self._board = board or NoBoard()
        self._clock = clock
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._again_at = 0.0

    @property
    def limit(self) -> str:
        """One limit for each app and account."""
        return limit_name(f"{self._app.client_id}@{self._app.account}")

    def header(self) -> str:
        """The value of `Authorization`, of a token that still lasts a while."""
        with self._lock:
            token, now = self._token, self._clock()
            if token is None or now >= token.ends_at:
                token = self._fetched()
            elif now >= self._again_at and (now >= token.renew_at or self._board.is_outdated()):
                token = self._renewed(token)
            return token.header

    def renew(self, refused: str) -> bool:
        """Forget the refused token; whether a new one could be had."""
        with self._lock:
            if self._token is None or self._token.header == refused:
                self._fetched()
            return True

    def close(self) -> None:
        """Close the connections to where tokens are given."""
        self._line.close()
        self._board.close()

    def _renewed(self, token: _Token) -> _Token:
        """A new token, or the old one while that is good and there is no new one to be had for now."""
        try:
            return self._fetched()
        except (
            TocsinError
        ) as error:  # also where the app is refused: what it has is good to its end, in which somebody may mend that
            log.warning("oauth_token_not_renewed", limit=self.limit, error=str(error))
            self._again_at = self._clock() + AGAIN
            return token

    def _fetched(self) -> _Token:
        try:
            return self._given()
        except TocsinError as error:
            self._board.failed(str(error))
            raise

    def _given(self) -> _Token:
        """A token for the app as it is known, or as it reads by now."""
        try:
            return self._asked()
        except TokenRefusedError:
            former, self._app = self._app, self._read()
            if self._app == former:
                raise
            return self._asked()

    def _asked(self) -> _Token:
        request = Request("POST", "", form=self._app.form, headers={"Accept": "application/json"})
        answer = self._line.exchange(request)
        if answer.status != 200:
            raise _refused(answer.status, answer.body)
        self._token = self._taken(answer.body)
        return self._token

    def _taken(self, body: bytes) -> _Token:
        try:
            given = json.loads(body)
            header, life = f"Bearer {given['access_token']}", float(given["expires_in"])
        except (ValueError, KeyError, TypeError):
            raise ServerFaultError("the answer to a request for an OAuth token holds none", Said(200)) from None
        granted = str(given.get("scope", "")).split()
        missing = self._missing(granted)
        self._board.fetched([one for one in self._app.scopes if one in granted], missing, life)
        now = self._clock()
        return _Token(header, now + life - min(EARLY, life / 10), now + life)

    def _missing(self, granted: list[str]) -> list[str]:
        """What PagerDuty does not grant: it leaves that out, and says nothing."""
        missing = sorted(set(self._app.scopes) - set(granted))
        if missing and len(missing) == len(self._app.scopes):
            raise PermanentError(
                f"PagerDuty granted none of the scopes asked for ({' '.join(missing)}); give them to the app, "
                "and check pagerduty.oauth.subdomain and .region"
            )
        if missing:
            log.warning("oauth_scopes_missing", missing=missing)
        return missing


def _refused(status: int, body: bytes) -> RefusedError | UnavailableError:
    error = refusal("the request for an OAuth token", status, body)
    if isinstance(error, UnavailableError):
        return error
    text = f"{error}; check pagerduty.oauth: client_id, client_secret, scopes, subdomain and region"
    return TokenRefusedError(text, error.said)
