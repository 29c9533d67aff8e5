"""Bodies in and answers out, both in the shape PagerDuty's Events API has."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tasks.utils.formatters import compact_json, holds_more_values
from workers.gateway.packed import CODINGS, PackedError, unpack

READ_SECONDS: Final = 10.0
UTF8_BOM: Final = b"\xef\xbb\xbf"
MOST_VALUES: Final = 100_000  # in one body: to check millions of them takes seconds of everybody's time


class RefusedError(Exception):
    """A request that is answered with `status` and `errors` instead of being done."""

    def __init__(self, status: int, errors: list[str], **headers: str) -> None:
        super().__init__("; ".join(errors))
        self.status = status
        self.errors = errors
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(self) -> Response:
        """The response that says so."""
        return refusal(self.status, self.errors, self.headers)


STATUS_WORDS: Final = {
    400: ("invalid event", "Event object is invalid"),
    401: ("unauthorized", "An ingest key is needed"),
    403: ("forbidden", "The ingest key is not known"),
    404: ("not found", "There is nothing at this path"),
    405: ("method not allowed", "This path does not take this method"),
    408: ("request timeout", "The request did not arrive in time"),
    413: ("payload too large", "Event object is too large"),
    415: ("unsupported media type", "The body is packed in a way that is not known here"),
    431: ("headers too large", "The request's headers are too large"),
    503: ("unavailable", "The event could not be stored; nothing was accepted, please send it again"),
    508: ("loop detected", "The event comes from Tocsin itself"),
}


def answer(status: int, body: Mapping[str, Any], headers: dict[str, str] | None = None) -> Response:
    """A JSON response; text stays as it came, byte for byte."""
    return Response(compact_json(body).encode(), status, headers, "application/json")


def refusal(status: int, errors: list[str], headers: dict[str, str] | None = None) -> Response:
    """An error in PagerDuty's shape: `status`, `message`, `errors` as a list of sentences."""
    word, message = STATUS_WORDS.get(status, ("error", "The request could not be served"))
    return answer(status, {"status": word, "message": message, "errors": errors}, headers)


async def read_body(request: Request, limit: int, seconds: float = READ_SECONDS) -> bytes:
    """The whole body, unpacked where it was sent as gzip or deflate, at most `limit` bytes packed and unpacked.

    RefusedError if it is larger, takes longer than `seconds`, breaks off or cannot be unpacked.
    """
    if request.headers.get("content-length", "").isdecimal() and int(request.headers["content-length"]) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            body = await _collect(request, limit)
    except TimeoutError:
        fault = f"the body took longer than {seconds:g} s; send it at once"
        raise RefusedError(408, [fault], Connection="close") from None
    except ClientDisconnect:
        raise RefusedError(400, ["the body broke off"]) from None
    coding = request.headers.get("content-encoding", "").strip().lower()
    return body if coding in ("", "identity") else await asyncio.to_thread(_unpacked, body, coding, limit)


async def _collect(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _unpacked(body: bytes, coding: str, limit: int) -> bytes:
    if coding not in CODINGS:
        fault = "'Content-Encoding' is unknown; send the body as it is, or as gzip or deflate"
        raise RefusedError(415, [fault], Accept_Encoding="gzip, deflate")
    try:
        unpacked = unpack(body, limit)
    except PackedError as error:
        raise RefusedError(400, [f"the body is no whole {coding}: {error}"]) from None
    if unpacked is None:
        raise _too_large(limit)
    return unpacked


def _too_large(limit: int) -> RefusedError:
    return RefusedError(413, [f"the body is larger than {limit} bytes; send less, or fewer alerts at once"])


def parse_json(body: bytes) -> Any:
    """The value in `body`; RefusedError says where it is at fault without repeating what it holds."""
    try:
        value = json.loads(body.removeprefix(UTF8_BOM).decode())
    except UnicodeDecodeError as error:
        fault = f"the body is not UTF-8 from byte {error.start} on"
    except json.JSONDecodeError as error:
        fault = f"{error.msg} at line {error.lineno}, column {error.colno}"
    except RecursionError:
        fault = "the body is nested too deep"
    except ValueError:
        fault = "a number has too many digits"
    else:
        if holds_more_values(body, MOST_VALUES):
            raise RefusedError(
                413, [f"the body holds more than {MOST_VALUES} values; send less, or fewer alerts at once"]
            )
        return value
    raise RefusedError(400, [f"JSON parse error: {fault}"])
