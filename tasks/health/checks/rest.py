"""Whether PagerDuty's REST API answers, what kind of key we have, what it may do, and how many calls are left. It changes nothing."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.error_handler import PermanentError, TocsinError
from tasks.utils.health_monitor import Line
from tasks.utils.rest.errors import refusal, said_by
from tasks.utils.rest.line import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tasks.utils.health_monitor import State
    from tasks.utils.rest.credentials import Credentials
    from tasks.utils.rest.line import Answer
    from tasks.utils.rest.line import Line as Connection

ME: Final = "/users/me"
# what is read by itself -> why
READ: Final = {
    "/incidents": "receipts and comparison",
    "/services": "receipts",
    "/maintenance_windows": "maintenance windows",
    "/webhook_subscriptions": "care of webhooks",
}
SCARCE: Final = 20  # percent of the calls of a minute
LOW: Final = (
    "raise limits.rest_calls_per_minute no further, or find who else uses this key: calls wait for the next minute"
)


@dataclass(frozen=True)
class RestRules:
    """`name`: the address for people. `sender`: in whose name incidents are changed."""

    name: str
    is_app: bool
    sender: str | None


class RestCheck:
    """Asks by itself, past limiter and breaker, which would answer in PagerDuty's place. `connect` makes what is closed again."""

    def __init__(self, connect: Callable[[], tuple[Connection, Credentials]], rules: RestRules) -> None:
        self._connect = connect
        self._rules = rules

    def __call__(self) -> list[Line]:
        """Every line there is; one alone where nobody answers."""
        connection, credentials = self._connect()
        try:
            return self._look(connection, credentials.header())
        except PermanentError as error:  # no key, or an app that gets no token
            text, _, mend = str(error).rpartition("; ")
            return [Line("rest.token", "fail", text or mend, "taken", mend)]
        except TocsinError as error:
            mend = "look at the network and the DNS on the way there, and at status.pagerduty.com"
            return [Line("rest.answer", "fail", f"{self._rules.name}: {error}", "answers", mend)]
        finally:
            connection.close()
            credentials.close()

    def _look(self, connection: Connection, authorization: str) -> list[Line]:
        began = time.monotonic()
        me = connection.exchange(Request("GET", ME, may_repeat=True), authorization)
        took = (time.monotonic() - began) * 1000
        if me.status in (401, 408, 429) or me.status >= 500:
            return [self._refused(me)]
        lines = [Line("rest.answer", "ok", f"{took:.0f} ms", "answers")]
        account = me.status != 200 and not self._rules.is_app
        lines.append(Line("rest.token", "ok", self._kind(me)))
        answers = {path: self._ask(connection, authorization, path) for path in READ}
        lines += [_scopes(answers), *_quota([me, *answers.values()])]
        return [*lines, *(self._sender(connection, authorization) if account else [])]

    def _refused(self, answer: Answer) -> Line:
        text, _, mend = str(refusal(f"GET {ME}", answer.status, answer.body)).rpartition("; ")
        if answer.status == 401:
            return Line("rest.token", "fail", text, "taken", mend + ", or make a new key and set it")
        state: State = "warn" if answer.status == 429 else "fail"
        mend_all = "look at status.pagerduty.com; it is asked again by itself"
        return Line("rest.answer", state, text or mend, "answers", mend_all)

    def _kind(self, me: Answer) -> str:
        if self._rules.is_app:
            return "token of an OAuth app"
        if me.status == 200:
            user = _json(me).get("user") or {}
            return f"key of user {user.get('email') or user.get('id')}, role {user.get('role', 'unknown')}"
        return "key of the account"

    @staticmethod
    def _ask(connection: Connection, authorization: str, path: str, **params: str) -> Answer:
        pairs = [("limit", "1"), *params.items()]
        return connection.exchange(Request("GET", path, pairs, may_repeat=True), authorization)

    def _sender(self, connection: Connection, authorization: str) -> Iterator[Line]:
        """A key of the account acts in the name of a user, whom PagerDuty must know."""
        sender = self._rules.sender
        if not sender:
            mend = "set PAGERDUTY_FROM_EMAIL to the address of a PagerDuty user, or use a key of a user"
            yield Line("rest.sender", "warn", "PAGERDUTY_FROM_EMAIL is not set", "a user's address", mend)
            return
        answer = self._ask(connection, authorization, "/users", query=sender)
        if answer.status != 200:
            yield Line("rest.sender", "skip", f"users cannot be looked at (status {answer.status})")
            return
        known = any(str(user.get("email", "")).lower() == sender.lower() for user in _json(answer).get("users", []))
        mend = "" if known else "set PAGERDUTY_FROM_EMAIL to the address of a user of this account"
        yield Line("rest.sender", "ok" if known else "fail", sender, "known to PagerDuty", mend)


def _scopes(answers: dict[str, Answer]) -> Line:
    """What is read by itself must be allowed; whether a key may write is seen when it does."""
    refused = {path: answer for path, answer in answers.items() if answer.status not in (200, 402)}
    if not refused:
        return Line("rest.scopes", "ok", f"may read {', '.join(path[1:] for path in answers)}", "all of these")
    told = [f"{path[1:]} ({answer.status}): no {READ[path]}" for path, answer in refused.items()]
    wanted = sorted(
        {said.required_scopes for one in refused.values() if (said := said_by(one.status, one.body)).required_scopes}
    )
    mend = f"give the app the scopes {', '.join(wanted)}" if wanted else "use a key that may read them"
    return Line("rest.scopes", "warn", "; ".join(told), f"may read {', '.join(path[1:] for path in answers)}", mend)


def _quota(answers: Sequence[Answer]) -> Iterator[Line]:
    """How many calls are left, by the word of the last answer: by then these are spent, too."""
    told = [[_number(one.headers.get(f"ratelimit-{name}")) for name in ("remaining", "limit")] for one in answers]
    left, most = next(((left, most) for left, most in reversed(told) if left is not None and most), (None, None))
    if left is None or not most:
        yield Line("rest.quota", "skip", "PagerDuty does not say how many calls are left")
        return
    is_scarce = left * 100 < most * SCARCE
    yield Line(
        "rest.quota",
        "warn" if is_scarce else "ok",
        f"{left} of {most} calls left this minute",
        f"{SCARCE} %",
        LOW if is_scarce else "",
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _json(answer: Answer) -> dict[str, Any]:
    try:
        parsed = json.loads(answer.body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
