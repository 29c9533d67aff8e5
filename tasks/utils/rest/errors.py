"""What PagerDuty's REST API says when it does not do what was asked, sorted by whether trying again may help."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from tasks.utils.error_handler import PermanentError, TransientError, UnknownError
from tasks.utils.redaction import redacted

LONGEST_REASON: Final = 500
RETRIED: Final = (408, 425)
ALREADY: Final = (1001, 1002)
CHANGED: Final = 1005
PAUSE: Final = 60.0  # seconds to stay away where nobody says how long
LOCKED: Final = "could not be locked"
DUPLICATE: Final = "matching dedup key already exists"


@dataclass(frozen=True)
class Said:
    """The words of a refusal. `status` 0: there was no answer. `code` is PagerDuty's own number, None where it gave none."""

    status: int
    message: str = ""
    code: int | None = None
    errors: tuple[str, ...] = ()
    required_scopes: str = ""
    token_scopes: str = ""

    @property
    def reason(self) -> str:
        """All of it in one line."""
        code = f" ({self.code})" if self.code is not None else ""
        text = "; ".join((f"{self.message or f'status {self.status}'}{code}", *self.errors))
        return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"


class RefusedError(PermanentError):
    """PagerDuty understood the request and will not do it: `status`, its own `code` and its `errors` say why.

    `was_repeated`: an earlier try got no answer, and may have done what this one finds done.
    """

    def __init__(self, message: str, said: Said) -> None:
        super().__init__(message)
        self.said = said
        self.status = said.status
        self.code = said.code
        self.errors = said.errors
        self.was_repeated = False


class InvalidRequestError(RefusedError):
    """The request itself is at fault (400, 422 and what is not named otherwise)."""


class TokenRefusedError(RefusedError):
    """The key or token is not taken (401), also after it was read or fetched anew."""


class MissingAbilityError(RefusedError):
    """The account's plan does not have what was asked for (402)."""


class ForbiddenError(RefusedError):
    """The key or token may not do this (403); `said.required_scopes` says what it would need, if PagerDuty does."""


class NotFoundError(RefusedError, UnknownError):
    """There is nothing by that id, or the key may not see it (404)."""


class ConflictError(RefusedError):
    """It does not go together with what is there (409): read that anew and decide again."""


class TooManyItemsError(RefusedError):
    """More than 250 items in one request (413)."""


class AlreadyDoneError(RefusedError):
    """The incident is acknowledged or resolved already (codes 1001, 1002)."""


class DuplicateIncidentError(RefusedError):
    """The service has an open incident with that `incident_key`."""


class UnavailableError(TransientError):
    """No answer that means anything. `is_unclear`: the request may have taken effect all the same."""

    def __init__(self, message: str, said: Said, *, retry_after: float | None = None, is_unclear: bool = False) -> None:
        super().__init__(message, retry_after=retry_after)
        self.said = said
        self.status = said.status
        self.code = said.code
        self.errors = said.errors
        self.is_unclear = is_unclear


class ThrottledError(UnavailableError):
    """The limit of calls is used up, by PagerDuty's word (429) or by our own count; `retry_after` says when to come back."""


class BusyError(UnavailableError):
    """PagerDuty was changing the same thing for somebody else (code 1005, or a lock on the account); nothing was done."""


class ServerFaultError(UnavailableError):
    """PagerDuty failed (5xx, 408), or its answer cannot be read."""


class NetworkError(UnavailableError):
    """The network failed before an answer was complete."""


_BY_STATUS: Final[dict[int, tuple[type[RefusedError], str]]] = {
    401: (
        TokenRefusedError,
        "check PAGERDUTY_API_KEY, and PAGERDUTY_API_URL: a key of the other region is refused too",
    ),
    402: (MissingAbilityError, "the account's plan does not have this"),
    403: (ForbiddenError, "use a key or token that may do this"),
    404: (NotFoundError, "check the id; a key that may not see it gets the same answer"),
    409: (ConflictError, "read what is there anew and decide again"),
    413: (TooManyItemsError, "send at most 250 items at once"),
}


def refusal(what: str, status: int, body: bytes) -> RefusedError | UnavailableError:
    """The error that an answer other than 2xx means; `what` is the request for people, such as `PUT /incidents`."""
    said = said_by(status, body)
    text = f"PagerDuty refused {what}: {said.reason}"
    if status == 429:
        return ThrottledError(text, said, retry_after=PAUSE)
    if status in RETRIED or status >= 500:
        return ServerFaultError(f"PagerDuty failed at {what}: {said.reason}", said, is_unclear=True)
    if said.code == CHANGED or LOCKED in said.reason:
        return BusyError(f"{text}; it helps to ask again", said)
    kind, mend = _kind(said)
    return kind(f"{text}; {_scopes(said) or mend}", said)


def _kind(said: Said) -> tuple[type[RefusedError], str]:
    """The class of a refusal, and what to do about it."""
    if said.code in ALREADY:
        return AlreadyDoneError, "nothing is left to do"
    if DUPLICATE in said.reason:
        return DuplicateIncidentError, "find it by its incident_key"
    if said.status < 400:
        return InvalidRequestError, "PagerDuty redirects nothing: check PAGERDUTY_API_URL"
    return _BY_STATUS.get(said.status, (InvalidRequestError, "correct the request"))


def said_by(status: int, body: bytes) -> Said:
    """What an answer says of its failure; tolerant, for some have no body, or `errors` that are no list."""
    try:
        parsed = json.loads(redacted(body.decode("utf-8", "replace")))
    except (ValueError, RecursionError):
        return Said(status)
    error = parsed.get("error", parsed) if isinstance(parsed, dict) else None
    if isinstance(error, str):  # OAuth's shape
        return Said(status, ": ".join(filter(None, (error, _text(parsed.get("error_description"))))))
    if not isinstance(error, dict):
        return Said(status)
    code = error.get("code")
    return Said(
        status,
        _text(error.get("message")),
        code if isinstance(code, int) else None,
        _errors(error.get("errors")),
        _text(error.get("required_scopes")),
        _text(error.get("token_scopes")),
    )


def _errors(errors: Any) -> tuple[str, ...]:
    """Every complaint as a text; PagerDuty sends a list, an object of lists, a string or null."""
    if isinstance(errors, dict):
        return tuple(f"{field}: {', '.join(_errors(told))}" for field, told in errors.items())
    if isinstance(errors, list):
        return tuple(_text(error) for error in errors)
    return (_text(errors),) if errors else ()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(_text(part) for part in value)
    return "" if value is None else json.dumps(value)


def _scopes(said: Said) -> str:
    if not said.required_scopes:
        return ""
    return f"the token needs the scope {said.required_scopes} and has {said.token_scopes or 'others'}"
