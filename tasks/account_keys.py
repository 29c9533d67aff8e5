"""What PagerDuty's REST API is asked with, and only PagerDuty can replace: access tokens of an app, and REST keys. A part of the wiring."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from config.keystore import value_id
from tasks.tokens.rotation.access_tokens import access_token
from tasks.tokens.rotation.former_keys import FormerKeyCheck
from tasks.utils.error_handler import TocsinError, UnknownError
from tasks.utils.rest.key_board import FormerKeys
from tasks.utils.rest.token_board import TokenBoard

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tasks.runtime import Runtime
    from tasks.tokens.rotation.models import AccessToken
    from tasks.utils.health_monitor import Line

SHARE: Final = 0.3  # of PagerDuty's calls
LOOKED_WITHIN: Final = timedelta(seconds=8)


class AccountKeys:
    """Access tokens and former REST keys of one installation."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def refresh(self) -> None:
        """Have every process take a fresh access token before its next call, if this one gets one."""
        board = self._board()
        if board is None:
            raise UnknownError("there is no OAuth app: pagerduty.oauth.client_id is not set, a REST API key is used")
        credentials = self._runtime.rest.caller.credentials
        credentials.renew(credentials.header())
        board.ask()

    def access_tokens(self) -> list[AccessToken]:
        """How the access tokens of the OAuth app stand, where there is one."""
        board, app = self._board(), self._runtime.settings.pagerduty.oauth.client_id
        return [access_token(app, board.all(), self._runtime.clock.now_ms())] if board and app else []

    @cached_property
    def former_keys(self) -> FormerKeys:
        """REST keys that were replaced and are not known to be deleted."""
        return FormerKeys(self._runtime.client, self._runtime.keys)

    def former_lines(self) -> list[Line]:
        """Whether they are still used, as far as PagerDuty says, as lines of health."""
        if not self.former_keys.all():
            return []
        return FormerKeyCheck(self.former_keys, self._records, self._is_taken, self._runtime.clock.now_ms).look()

    def _board(self) -> TokenBoard | None:
        app = self._runtime.settings.pagerduty.oauth.client_id
        return TokenBoard(self._runtime.client, self._runtime.keys, app) if app else None

    def _records(self, tail: str, since: datetime) -> Iterable[dict[str, Any]]:
        rest = self._runtime.rest.limited(share=SHARE)
        return rest.audit_records.list(since=since, method_type="api_token", method_truncated_token=tail)

    def _is_taken(self, identity: str) -> bool | None:
        """By a look with it, if it is what this process used before; forgotten if it is refused."""
        from tasks.utils.rest.credentials import KeyCredentials  # noqa: PLC0415 (few processes ask PagerDuty)

        credentials = self._runtime.rest.caller.credentials
        if not isinstance(credentials, KeyCredentials):
            return None
        credentials.header()  # takes up what is in the file by now
        if credentials.former is None or value_id(credentials.former) != identity:
            return None
        status = self._status_of(credentials.former)
        if status == 401:
            credentials.forget()
        return status == 200

    def _status_of(self, key: str) -> int:
        from tasks.utils.rest.line import Line, Request  # noqa: PLC0415 (an HTTP client takes long to import)

        line = Line(self._runtime.settings.pagerduty.api_url, LOOKED_WITHIN)
        try:
            return line.exchange(Request("GET", "/abilities", may_repeat=True), f"Token token={key}").status
        except TocsinError:
            return 0
        finally:
            line.close()
