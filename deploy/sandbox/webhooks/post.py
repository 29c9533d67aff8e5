"""One attempt at a receiver: the request as PagerDuty sends it, and what the answer means for the webhook."""

from __future__ import annotations

import hashlib
import hmac
import ssl
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import aiohttp

from deploy.sandbox.webhooks.delivery import Attempt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TIMEOUT_SECONDS = 5.0
MOST_AT_ONCE = 32
LARGEST_ANSWER = 64 * 1024
USER_AGENT = "PagerDuty-Webhook/V3.0"
CERTIFICATE_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED


class Verdict(StrEnum):
    """What an attempt means."""

    DELIVERED = "delivered"
    RETRY = "retry"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt and what it means."""

    attempt: Attempt
    verdict: Verdict


def signature(secrets: Iterable[str], body: bytes) -> str:
    """The value of X-PagerDuty-Signature: one `v1=` for each secret, over the bytes as they are sent."""
    return ",".join("v1=" + hmac.new(one.encode(), body, hashlib.sha256).hexdigest() for one in secrets)


class Poster:
    """Posts to receivers over connections that are kept; `timeout` is in real seconds."""

    def __init__(self) -> None:
        self.timeout = TIMEOUT_SECONDS
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Result:
        """Try once; redirects are not followed."""
        started = time.time()
        status, error, verdict = await self._try(url, body, headers)
        return Result(Attempt(started, time.time(), status, error), verdict)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _try(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str, Verdict]:
        timeout = aiohttp.ClientTimeout(total=self.timeout)
        try:
            async with self._open().post(
                url, data=body, headers=headers, allow_redirects=False, timeout=timeout
            ) as answer:
                await answer.content.read(LARGEST_ANSWER)
                return answer.status, "", _verdict(answer.status)
        except TimeoutError:
            return 0, f"no answer within {self.timeout:g} s", Verdict.RETRY
        except (aiohttp.ClientError, ValueError) as error:
            return 0, type(error).__name__, _of_error(error)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MOST_AT_ONCE),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("Accept-Encoding",),
            )
        return self._session


def _verdict(status: int) -> Verdict:
    if 200 <= status < 300:
        return Verdict.DELIVERED
    return Verdict.RETRY if status == 429 or status >= 500 else Verdict.DROP


def _of_error(error: Exception) -> Verdict:
    """Connections that fail may work later; of what is wrong with TLS, only an expired certificate is waited for."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = error.certificate_error
        is_expired = isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code == CERTIFICATE_EXPIRED
        return Verdict.RETRY if is_expired else Verdict.DROP
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.InvalidURL | ValueError):
        return Verdict.DROP
    return Verdict.RETRY
