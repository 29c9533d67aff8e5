"""What each answer of PagerDuty means, and that the error says what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.utils.error_handler import PermanentError, TransientError, UnknownError
from tasks.utils.rest import errors
from tasks.utils.rest.errors import RefusedError, UnavailableError, refusal
from tests.searching import searched


def body(message: str = "Refused", code: int | None = None, told: Any = None, **more: Any) -> bytes:
    return json.dumps({"error": {"message": message, "code": code, "errors": told, **more}}).encode()


LOCKED = body("Invalid Input Provided", 2001, ["Account could not be locked"])
OPEN = body("Invalid Input Provided", 2001, ["Open incident with matching dedup key already exists on this service"])


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (301, b"<html>", errors.InvalidRequestError),
        (400, body("Invalid Input Provided", 2001, ["Title is too long"]), errors.InvalidRequestError),
        (400, body("Arguments Caused Error", 2002), errors.InvalidRequestError),
        (400, body("Incident Already Resolved", 1001), errors.AlreadyDoneError),
        (400, body("Incident Already Acknowledged", 1002), errors.AlreadyDoneError),
        (400, body("Incident Has Been Updated", 1005), errors.BusyError),
        (400, LOCKED, errors.BusyError),
        (400, OPEN, errors.DuplicateIncidentError),
        (401, body("Authentication failed", 2006), errors.TokenRefusedError),
        (401, b"", errors.TokenRefusedError),
        (402, body("Account does not have the abilities to perform the action", 2014), errors.MissingAbilityError),
        (403, body("Access Denied", 2010), errors.ForbiddenError),
        (403, b"", errors.ForbiddenError),
        (404, body("Not Found", 2100), errors.NotFoundError),
        (404, b"", errors.NotFoundError),
        (404, b"<html>Not Found</html>", errors.NotFoundError),
        (405, b"", errors.InvalidRequestError),
        (408, body("Timeout", 2016), errors.ServerFaultError),
        (409, body("Conflict"), errors.ConflictError),
        (409, body("Incident Has Been Updated", 1005), errors.BusyError),
        (413, b"", errors.TooManyItemsError),
        (422, body("Unprocessable"), errors.InvalidRequestError),
        (429, body("Rate Limit Exceeded", 2020), errors.ThrottledError),
        (429, b"", errors.ThrottledError),
        (500, body("Internal Server Error", 2000), errors.ServerFaultError),
        (502, b"<html>Bad Gateway</html>", errors.ServerFaultError),
        (503, b"", errors.ServerFaultError),
        (504, b"", errors.ServerFaultError),
    ],
)
def test_each_status_and_code_is_an_error_of_its_own(status: int, answer: bytes, kind: type[Exception]) -> None:
    error = refusal("PUT /incidents", status, answer)

    assert type(error) is kind
    assert error.status == status
    assert "PUT /incidents" in str(error)
    assert isinstance(error, TransientError) == (
        kind in {errors.BusyError, errors.ServerFaultError, errors.ThrottledError}
    )


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (["a", "b"], ("a", "b")),
        (
            {"name": ["is taken", "is short"], "users": "are missing"},
            ("name: is taken, is short", "users: are missing"),
        ),
        ("all at once", ("all at once",)),
        (None, ()),
        ([{"path": "/title"}, 7], ('{"path": "/title"}', "7")),
    ],
)
def test_complaints_are_kept_in_whatever_shape_they_come(told: Any, kept: tuple[str, ...]) -> None:
    error = refusal("POST /schedules", 400, body("Invalid Input Provided", 2001, told))

    assert (error.code, error.errors) == (2001, kept)
    for complaint in kept:
        assert complaint in str(error)


def test_a_missing_scope_is_named_with_those_there_are() -> None:
    answer = body("Access Denied", 2010, required_scopes=["incidents.write"], token_scopes="incidents.read")

    error = refusal("POST /incidents", 403, answer)

    assert "the token needs the scope incidents.write and has incidents.read" in str(error)


@pytest.mark.parametrize(
    ("status", "mend"),
    [(302, "PAGERDUTY_API_URL"), (401, "other region"), (402, "plan"), (404, "check the id"), (413, "at most 250")],
)
def test_an_error_says_what_to_do(status: int, mend: str) -> None:
    assert mend in str(refusal("GET /services", status, b""))


def test_what_is_not_there_is_the_unknown_of_everywhere_else() -> None:
    assert isinstance(refusal("GET /services/PX", 404, b""), UnknownError)


def test_oauths_own_shape_is_read_too() -> None:
    answer = json.dumps({"error": "invalid_client", "error_description": "no such app"}).encode()

    assert "invalid_client: no such app" in str(refusal("the request", 400, answer))


JSON = st.recursive(
    st.none() | st.integers() | st.text() | st.floats(), lambda j: st.lists(j) | st.dictionaries(st.text(), j)
)


@searched(40)
@given(status=st.integers(300, 599), answer=st.binary() | JSON.map(lambda value: json.dumps({"error": value}).encode()))
def test_whatever_the_answer_it_is_one_short_error(status: int, answer: bytes) -> None:
    error = refusal("GET /users", status, answer)

    assert isinstance(error, RefusedError | UnavailableError)
    assert isinstance(error, PermanentError) != isinstance(error, TransientError)
    assert len(str(error)) < 1000
