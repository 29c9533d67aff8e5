"""PagerDuty's own Python client, unchanged, against the sandbox's incidents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pagerduty
import pytest

from tests.integration.sandbox.incident_kit import ALICE, DAY, DB, POLICY, Desk, account, assignees, reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.sandbox.kit import SandboxProcess


@pytest.fixture
def desk(sandbox: SandboxProcess) -> Desk:
    sandbox.control("PUT", "/account", account())
    sandbox.control("POST", "/limits", {"events_per_minute": None, "rest_per_minute": None})
    return Desk(sandbox)


@pytest.fixture
def client(desk: Desk) -> Iterator[pagerduty.RestApiV2Client]:
    made = pagerduty.RestApiV2Client("t" * 20, default_from="alice@example.com")
    # Its constructor insists on https; nothing else of it is touched.
    made._url = desk.sandbox.url
    yield made
    made.close()


def test_it_opens_acknowledges_and_resolves_an_incident(client: pagerduty.RestApiV2Client) -> None:
    body = {"type": "incident", "title": "the client's", "service": reference("service", DB), "incident_key": "once"}

    made = client.rpost("incidents", json=body)
    acknowledged = client.rput(made, json={"type": "incident_reference", "status": "acknowledged"})
    bulk = client.rput("incidents", json=[{"id": made["id"], "type": "incident_reference", "status": "resolved"}])

    assert assignees(made) == [ALICE]
    assert acknowledged["status"] == "acknowledged"
    assert [one["status"] for one in bulk] == ["resolved"]


def test_a_key_that_is_open_is_an_error_with_pagerdutys_words(client: pagerduty.RestApiV2Client) -> None:
    body = {"type": "incident", "title": "twice", "service": reference("service", DB), "incident_key": "once"}
    client.rpost("incidents", json=body)

    with pytest.raises(pagerduty.HttpError) as refusal:
        client.rpost("incidents", json=body)

    answer = refusal.value.response
    assert answer is not None
    words = "Open incident with matching dedup key already exists on this service"
    assert answer.json()["error"]["errors"] == [words]


def test_it_lists_and_pages_through_everything(desk: Desk, client: pagerduty.RestApiV2Client) -> None:
    desk.sandbox.control("POST", "/incidents", {"count": 250, "service": "db"})

    every = client.list_all("incidents", params={"statuses": ["triggered"]})
    paged = list(client.iter_all("/incidents", page_size=100))

    assert len(every) == len(paged) == client.get_total("incidents") == 250
    assert [one["title"] for one in paged] == [f"planted {number}" for number in range(1, 251)]


def test_it_finds_and_keeps_objects_of_the_account(client: pagerduty.RestApiV2Client) -> None:
    found = client.find("services", "DB")
    kept = client.persist("services", "name", {"type": "service", "name": "db"})
    policy = client.find("escalation_policies", "all hands")

    assert found is not None
    assert policy is not None
    assert (found["id"], kept["id"], policy["id"]) == (DB, DB, POLICY)


def test_it_reads_the_notes_of_an_incident(desk: Desk, client: pagerduty.RestApiV2Client) -> None:
    name = desk.trigger()["id"]
    client.rpost(f"/incidents/{name}/notes", json={"content": "from the client"})

    by_incident = list(client.iter_incident_notes(name, params={"include[]": "channels"}))
    by_account = list(client.iter_incident_notes(params={"include[]": "channels"}))

    assert [one["channel"]["summary"] for one in by_incident] == ["from the client"]
    assert [one["id"] for one in by_account] == [one["id"] for one in by_incident]
    assert [one["content"] for one in client.rget(f"/incidents/{name}/notes")] == ["from the client"]


def test_a_day_of_more_than_10_000_is_read_whole_by_cutting_it(desk: Desk, client: pagerduty.RestApiV2Client) -> None:
    until = datetime.now(UTC).replace(microsecond=0)
    since = until - timedelta(seconds=DAY)
    planted = {"count": 17_500, "service": "db", "since": since.isoformat(), "until": until.isoformat()}
    desk.sandbox.control("POST", "/incidents", {**planted, "status": "resolved"})

    found = [one["incident_number"] for one in client.iter_history("/incidents", since, until)]

    assert sorted(set(found)) == list(range(1, 17_501))
    # Both ends of a time are within it, so what lies on a cut may come twice.
    assert len(found) - 17_500 <= 2


def test_beyond_10_000_the_client_stops_as_the_api_does(desk: Desk, client: pagerduty.RestApiV2Client) -> None:
    desk.sandbox.control("POST", "/incidents", {"count": 10_100, "service": "db"})

    with pytest.warns(UserWarning, match="exceeds the maximum permitted by the API"):
        found = list(client.iter_all("incidents"))

    assert len(found) == 10_000
