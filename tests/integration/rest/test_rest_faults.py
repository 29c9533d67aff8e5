"""What the client makes of everything that can go wrong on the way: every status and every fault of the network, by a table."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.circuit_breaker import CircuitOpenError
from tasks.utils.rest import errors
from tests.integration.rest.kit import Naps, hurried, rest_of, rest_requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient
    from tests.conftest import Sandbox

REFUSALS: list[tuple[int, type[Exception]]] = [
    (400, errors.InvalidRequestError),
    (402, errors.MissingAbilityError),
    (403, errors.ForbiddenError),
    (404, errors.NotFoundError),
    (405, errors.InvalidRequestError),
    (409, errors.ConflictError),
    (413, errors.TooManyItemsError),
    (422, errors.InvalidRequestError),
]
PASSING: list[dict[str, Any]] = [
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 502},
    {"kind": "error", "status": 503},
    {"kind": "error", "status": 504},
    {"kind": "reject", "status": 408},
    {"kind": "reset"},
    {"kind": "reset", "ingest": True},
    {"kind": "truncated"},
    {"kind": "outage"},
    {"kind": "outage", "status": 503},
]
BODIES: list[Any] = [{"error": {"message": "No", "code": 2000, "errors": ["because"]}}, "", "<html>no</html>"]
LISTED = ("GET", "/services")


def name_of(fault: Any) -> str:
    return "-".join(str(value) for value in fault.values())


@pytest.mark.parametrize("body", BODIES, ids=["json", "empty", "html"])
@pytest.mark.parametrize(("status", "kind"), REFUSALS)
def test_a_refusal_is_an_error_at_once(
    rest: RestClient, sandbox: Sandbox, status: int, kind: type[Exception], body: Any
) -> None:
    sandbox.fault(kind="reject", status=status, body=body)

    with pytest.raises(kind) as caught:
        list(rest.services.list())

    assert caught.value.status == status  # type: ignore[attr-defined]
    assert rest_requests(sandbox) == [(*LISTED, status)]


@pytest.mark.parametrize("fault", PASSING, ids=name_of)
def test_what_passes_is_asked_again(rest: RestClient, sandbox: Sandbox, fault: dict[str, Any]) -> None:
    sandbox.fault(count=2, **fault)

    assert list(rest.services.list()) == []

    assert [status for *_, status in rest_requests(sandbox)][2:] == [200]


@pytest.mark.parametrize("fault", PASSING, ids=name_of)
def test_what_does_not_pass_is_an_error_after_as_many_tries_as_are_set(
    rest: RestClient, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    sandbox.fault(**fault)

    with pytest.raises((errors.NetworkError, errors.ServerFaultError)):
        list(rest.services.list())

    assert len(rest_requests(sandbox)) == 3


@pytest.mark.parametrize("fault", PASSING, ids=name_of)
def test_what_must_not_be_done_twice_is_tried_once_and_said_to_be_unclear(
    rest: RestClient, service: str, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    incident = {"title": "Disk full", "service": {"id": service, "type": "service_reference"}}
    sandbox.fault(count=1, **fault)

    with pytest.raises(errors.UnavailableError) as caught:
        rest.incidents.create(incident)

    assert caught.value.is_unclear
    assert len(rest_requests(sandbox)) == 1


@pytest.mark.parametrize("ingest", [False, True])
@pytest.mark.parametrize("kind", ["reset", "error", "truncated"])
def test_an_incident_with_a_key_is_there_once_whatever_became_of_the_first_answer(
    rest: RestClient, service: str, sandbox: Sandbox, kind: str, *, ingest: bool
) -> None:
    incident = {"title": "Disk full", "service": {"id": service, "type": "service_reference"}, "incident_key": "disk"}
    sandbox.fault(count=1, kind=kind, ingest=ingest)

    made = rest.incidents.create(incident)

    assert [made["id"]] == [one["id"] for one in rest.incidents.list()]


def test_what_a_lost_answer_had_deleted_counts_as_deleted(rest: RestClient, service: str, sandbox: Sandbox) -> None:
    sandbox.fault(count=1, kind="reset", ingest=True)

    rest.services.delete(service)

    assert [status for *_, status in rest_requests(sandbox)] == [0, 404]


@pytest.mark.parametrize("verb", ["acknowledge", "resolve"])
def test_what_a_lost_answer_had_done_to_an_incident_counts_as_done(
    rest: RestClient, service: str, sandbox: Sandbox, verb: str
) -> None:
    made = rest.incidents.create({"title": "Disk full", "service": {"id": service, "type": "service_reference"}})
    sandbox.fault(count=1, kind="reset", ingest=True)

    assert getattr(rest.incidents, verb)(made["id"])["status"] == f"{verb}d"

    with pytest.raises(errors.AlreadyDoneError):
        getattr(rest.incidents, verb)(made["id"])


def test_what_is_gone_already_cannot_be_deleted(rest: RestClient, service: str) -> None:
    rest.services.delete(service)

    with pytest.raises(errors.NotFoundError):
        rest.services.delete(service)


@pytest.mark.parametrize(
    "fault", [{"kind": "slow", "delay_seconds": 5}, {"kind": "reset", "delay_seconds": 5}], ids=name_of
)
def test_an_answer_that_takes_longer_than_allowed_is_no_answer(
    client: Any, keys: Keys, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    sandbox.fault(**fault)
    settings = {"pagerduty.api_timeout": timedelta(seconds=0.2), "pagerduty.retry_attempts": 1}

    with rest_of(client, keys, sandbox.url, settings) as rest, pytest.raises(errors.NetworkError, match="ReadTimeout"):
        rest.incidents.get("P1")


def test_an_address_where_nobody_is_is_no_answer(client: Any, keys: Keys) -> None:
    with rest_of(client, keys, "http://127.0.0.1:1") as rest, pytest.raises(errors.NetworkError) as caught:
        hurried(rest).incidents.add_note("P1", "hello")

    assert not caught.value.is_unclear


def test_an_answer_that_is_no_json_is_not_believed(rest: RestClient, sandbox: Sandbox) -> None:
    sandbox.fault(kind="error", status=500, body="<html>a proxy</html>")

    with pytest.raises(errors.ServerFaultError, match="status 500"):
        rest.services.get("P1")


@pytest.mark.parametrize(
    "breaks",
    [lambda rest: rest.incidents.acknowledge("P1"), lambda rest: list(rest.incidents.list(statuses=["triggered"]))],
)
def test_a_lock_that_passes_is_waited_for(
    rest: RestClient, sandbox: Sandbox, breaks: Callable[[RestClient], Any]
) -> None:
    locked = {"error": {"message": "Invalid Input Provided", "code": 2001, "errors": ["User could not be locked"]}}
    sandbox.fault(kind="reject", status=400, body=locked)

    with pytest.raises(errors.BusyError):
        breaks(rest)

    assert len(rest_requests(sandbox)) == 3


def test_tries_wait_a_little_longer_each_time_and_never_long(rest: RestClient, sandbox: Sandbox) -> None:
    naps = Naps([])
    sandbox.fault(kind="outage")

    with pytest.raises(errors.NetworkError):
        hurried(rest, naps).services.get("P1")

    assert len(naps.taken) == 2
    assert all(0 <= nap <= 1 for nap in naps.taken)


def test_an_endpoint_that_fails_again_and_again_is_left_alone(rest: RestClient, sandbox: Sandbox) -> None:
    sandbox.fault(kind="outage", status=503)
    for _ in range(2):
        with pytest.raises((errors.ServerFaultError, CircuitOpenError)):
            rest.services.get("P1")
    before = len(rest_requests(sandbox))

    with pytest.raises(CircuitOpenError, match="pagerduty-rest"):
        rest.services.get("P1")

    assert len(rest_requests(sandbox)) == before


def test_refusals_and_throttling_do_not_open_the_breaker(rest: RestClient, sandbox: Sandbox) -> None:
    sandbox.fault(kind="reject", status=404)
    for _ in range(12):
        with pytest.raises(errors.NotFoundError):
            rest.services.get("P1")
