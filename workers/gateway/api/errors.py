"""What the API says when it does not do what was asked; the shape is that of every other door."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from redis import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from tasks.utils.connect import is_away
from tasks.utils.error_handler import InvalidAlertError, InvalidRuleError, TransientError, UnknownError
from workers.gateway.bodies import RefusedError, answer

RETRY_AFTER: Final = "5"
METHODS: Final = ("DELETE", "GET", "POST")  # all that the API knows
MOST_ERRORS: Final = 100  # a body may hold thousands of slips; nobody reads more
WORDS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("invalid request", "The request is invalid"),
    401: ("unauthorized", "A valid access token is needed"),
    403: ("forbidden", "The access token does not allow this"),
    404: ("not found", "There is nothing here by that name"),
    405: ("method not allowed", "This path does not take this method"),
    408: ("request timeout", "The request did not arrive in time"),
    409: ("conflict", "It cannot be done in the present state"),
    413: ("payload too large", "The request is too large"),
    415: ("unsupported media type", "The body is packed in a way that is not known here"),
    500: ("error", "The request could not be served"),
    501: ("not configured", "The API is off"),
    503: ("unavailable", "It cannot be done just now, please try again"),
}


class ErrorBody(BaseModel):
    """Every answer that is not a success."""

    status: str = Field(description="The kind of refusal in two or three words.", examples=["not found"])
    message: str = Field(description="The same as a sentence.", examples=["There is nothing here by that name"])
    errors: list[str] = Field(
        description="Everything that is wrong, each with how to mend it.",
        examples=[["there is no silence 'x1'; GET /silences lists them"]],
    )


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals an operation may answer with, for the OpenAPI document; those every operation has are added."""
    told: dict[int | str, dict[str, Any]] = {
        status: {"model": ErrorBody, "description": WORDS[status][1]}
        for status in sorted({400, 401, 403, 408, 413, 415, 500, 501, 503, *statuses})
    }
    return {**told, "default": {"model": ErrorBody, "description": "Any other refusal"}}


def refuse(status: int, errors: Sequence[str], headers: Mapping[str, str] | None = None) -> Response:
    """The answer that says what is wrong."""
    word, message = WORDS.get(status, WORDS[500])
    said = [each.encode("utf-8", "replace").decode() for each in errors[:MOST_ERRORS]]
    if len(errors) > MOST_ERRORS:
        said.append(f"… and {len(errors) - MOST_ERRORS} more")
    return answer(status, {"status": word, "message": message, "errors": said}, dict(headers or {}))


def install(api: FastAPI) -> None:
    """Make `api` answer every error in that shape."""
    handlers: dict[Any, Any] = {
        RefusedError: lambda _, error: refuse(error.status, error.errors, error.headers),
        InvalidAlertError: lambda _, error: refuse(400, error.errors),
        InvalidRuleError: lambda _, error: refuse(400, error.errors),
        RequestValidationError: lambda _, error: refuse(400, [_in_words(each) for each in error.errors()]),
        UnknownError: lambda _, error: refuse(404, [str(error)]),
        TransientError: _away,
        RedisError: _away,
        HTTPException: _http,
        Exception: _fault,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _away(request: Request, error: TransientError | RedisError) -> Response:
    if isinstance(error, RedisError) and not is_away(error):
        raise error
    _keep(request, error)
    why = "Redis does not answer" if isinstance(error, RedisError) else str(error)
    return refuse(503, [f"{why}; try again in {RETRY_AFTER} s"], {"Retry-After": RETRY_AFTER})


def _fault(request: Request, error: Exception) -> Response:
    _keep(request, error)
    return refuse(500, ["a fault of the gateway, see its log"])


def _keep(request: Request, error: Exception) -> None:
    """Keep what was answered with a 5xx, for `tocsin errors`."""
    route = request.scope.get("route")
    request.app.state.errors.record(error, f"gateway api {getattr(route, 'name', '')}".strip())


def _http(request: Request, error: HTTPException) -> Response:
    if error.status_code == 400:
        return refuse(400, ["the body is no JSON that can be read: nested too deep, or a number with too many digits"])
    where = "what is served stands in /api/v1/openapi.json"
    fault = f"{request.method} {request.scope['path'][:100]} is not served here; {where}"
    headers = {**(error.headers or {}), "Allow": _methods(request)} if error.status_code == 405 else error.headers
    return refuse(error.status_code, [fault], headers)


def _methods(request: Request) -> str:
    """What the path takes; the router itself names only the first of its operations."""
    asked = ({**request.scope, "method": method} for method in METHODS)
    return ", ".join(
        scope["method"] for scope in asked if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    )


def _in_words(error: Mapping[str, Any]) -> str:
    """One finding of pydantic's, without the value it found."""
    part, *path = error["loc"]
    where = ".".join(str(step) for step in path)
    if error["type"] == "json_invalid":
        return f"JSON parse error: {error['ctx']['error']} at character {where}"
    if error["type"] == "string_pattern_mismatch":
        return f"'{where}' is none that a page gave; send its `next_cursor` as it came"
    return f"'{where or part}': {str(error['msg'])[:300]}"
