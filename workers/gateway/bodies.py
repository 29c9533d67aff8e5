"""Bodies in and answers out, both in the shape PagerDuty's Events API has."""

import asyncio
import json
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tasks.utils.formatters import compact_json

READ_SECONDS: Final = 10.0
UTF8_BOM: Final = b"\xef\xbb\xbf"


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
    408: ("request timeout", "The body did not arrive in time"),
    413: ("payload too large", "Event object is too large"),
    503: ("unavailable", "The event could not be stored; nothing was accepted, please send it again"),
}


def answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """A JSON response; text stays as it came, byte for byte."""
    return Response(compact_json(body).encode(), status, headers, "application/json")


def refusal(status: int, errors: list[str], headers: dict[str, str] | None = None) -> Response:
    """An error in PagerDuty's shape: `status`, `message`, `errors` as a list of sentences."""
    word, message = STATUS_WORDS.get(status, ("error", "The request could not be served"))
    return answer(status, {"status": word, "message": message, "errors": errors}, headers)


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, at most `limit` bytes. RefusedError if it is larger, too slow or breaks off."""
    too_large = RefusedError(413, [f"the body is larger than {limit} bytes; send less, or fewer alerts at once"])
    if request.headers.get("content-length", "").isdecimal() and int(request.headers["content-length"]) > limit:
        raise too_large
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise too_large
                parts.append(part)
    except TimeoutError:
        raise RefusedError(408, [f"the body took longer than {READ_SECONDS:.0f} s; send it at once"]) from None
    except ClientDisconnect:
        raise RefusedError(400, ["the body broke off"]) from None
    return b"".join(parts)


def parse_json(body: bytes) -> Any:
    """The value in `body`; RefusedError says where it is at fault without repeating what it holds."""
    try:
        return json.loads(body.removeprefix(UTF8_BOM).decode())
    except UnicodeDecodeError as error:
        fault = f"the body is not UTF-8 from byte {error.start} on"
    except json.JSONDecodeError as error:
        fault = f"{error.msg} at line {error.lineno}, column {error.colno}"
    except RecursionError:
        fault = "the body is nested too deep"
    except ValueError:
        fault = "a number has too many digits"
    raise RefusedError(400, [f"JSON parse error: {fault}"])
