"""What a call that failed says of the other side: a failure, or an answer."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tasks.utils.circuit_breaker import verdict_of
from tasks.utils.error_handler import PermanentError, TransientError


def status(code: int) -> httpx.HTTPStatusError:
    request = httpx.Request("GET", "https://api.example.com")
    return httpx.HTTPStatusError("no", request=request, response=httpx.Response(code, request=request))


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (None, "answered"),
        (status(503), "failed"),
        (status(408), "failed"),
        (status(400), "answered"),
        (status(404), "answered"),
        (status(429), "answered"),
        (httpx.ConnectTimeout("no"), "failed"),
        (httpx.RemoteProtocolError("no"), "failed"),
        (ConnectionResetError(), "failed"),
        (TimeoutError(), "failed"),
        (TransientError("no"), "failed"),
        (PermanentError("unknown id"), "answered"),
        (ValueError("ours"), ""),
        (asyncio.CancelledError(), ""),
    ],
)
def test_network_timeouts_and_5xx_are_failures_and_a_4xx_is_an_answer(
    error: BaseException | None, verdict: str
) -> None:
    assert verdict_of(error) == verdict
