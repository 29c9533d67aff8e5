"""One HTTP exchange with PagerDuty in bounded time and of bounded size."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import httpx

from tasks.utils.deadline import Deadline, DeadlineTransport
from tasks.utils.error_handler import PermanentError
from tasks.utils.rest.errors import NetworkError, Said
from tasks.utils.rest.parameters import instant
from tasks.utils.trust import authorities

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from datetime import timedelta

    from tasks.utils.rest.parameters import Pairs

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # they would log whole URLs

MOST_BYTES: Final = 32 * 1024 * 1024
ACCEPT: Final = "application/vnd.pagerduty+json;version=2"


@dataclass(frozen=True)
class Request:
    """What to ask. `may_repeat`: asking twice does no more than asking once. `sender`: the user it is done for."""

    method: str
    path: str
    params: Pairs = field(default_factory=list)
    body: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    sender: str | None = None
    may_repeat: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """For people."""
        return f"{self.method} {self.path}"

    @property
    def content(self) -> tuple[str, bytes] | None:
        """The body as it is sent, and what kind it is of."""
        if self.form is not None:
            return "application/x-www-form-urlencoded", urlencode(self.form).encode()
        if self.body is not None:
            return "application/json", json.dumps(self.body, separators=(",", ":"), default=_plain).encode()
        return None


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Line:
    """The connections to one base URL, for the whole process; safe to use from several threads, not over a fork."""

    def __init__(self, url: str, timeout: timedelta, trust: ssl.SSLContext | None = None) -> None:
        self._url = url.rstrip("/")
        self._seconds = timeout.total_seconds()
        self._deadline = Deadline()
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=30)
        self._http = httpx.Client(
            transport=DeadlineTransport(self._deadline, verify=trust or authorities(), limits=limits),
            timeout=httpx.Timeout(self._seconds, connect=min(3.0, self._seconds)),
            headers={"User-Agent": "tocsin", "Accept": ACCEPT, "Accept-Encoding": "identity"},
        )

    def exchange(self, request: Request, authorization: str | None = None) -> Answer:
        """The answer, whatever its status. Raises NetworkError when there is none in time, PermanentError when it is too large."""
        headers = dict(request.headers)
        kind, content = request.content or (None, None)
        given = {"Authorization": authorization, "From": request.sender, "Content-Type": kind}
        headers |= {name: value for name, value in given.items() if value}
        try:
            with self._deadline.within(self._seconds):
                return self._ask(request, content, headers)
        except httpx.LocalProtocolError:
            raise PermanentError(
                f"{request.what} cannot be sent: the key, or the address in From, holds what no header may hold"
            ) from None
        except httpx.TransportError as error:
            raise _network_error(request, error) from None
        except (httpx.InvalidURL, UnicodeError):
            raise PermanentError(
                f"{request.what} cannot be asked: pagerduty.api_url or the path is no address"
            ) from None

    def _ask(self, request: Request, content: bytes | None, headers: Mapping[str, str]) -> Answer:
        url = f"{self._url}{request.path}"
        if request.params:
            url += f"?{urlencode(request.params)}"
        with self._http.stream(request.method, url, content=content, headers=headers) as answer:
            return Answer(answer.status_code, answer.headers, _body(request, answer))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _body(request: Request, answer: httpx.Response) -> bytes:
    """The whole body; of a refusal whatever came of it, since its status says enough."""
    body = bytearray()
    try:
        for chunk in answer.iter_raw():
            body += chunk
            if len(body) > MOST_BYTES:
                text = f"the answer to {request.what} is larger than {MOST_BYTES >> 20} MB; ask for less"
                raise PermanentError(text)
    except httpx.TransportError:
        if answer.is_success:
            raise
    return bytes(body)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return instant(value)
    raise PermanentError(f"{type(value).__name__} cannot be sent as JSON")


def _network_error(request: Request, error: httpx.TransportError) -> NetworkError:
    may_have_arrived = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    text = f"no answer from PagerDuty to {request.what}: {type(error).__name__}"
    return NetworkError(text, Said(0), is_unclear=may_have_arrived)
