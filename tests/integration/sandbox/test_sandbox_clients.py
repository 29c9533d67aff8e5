"""The sandbox as others see it: PagerDuty's own Python client, and the published schemas where they are at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pagerduty
import pytest

from tests.integration.sandbox.kit import KEY, OTHER_KEY, UNKNOWN_KEY, event
from tests.openapi import is_at_hand
from tests.openapi.document import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.sandbox.kit import SandboxProcess

needs_schemas = pytest.mark.skipif(not is_at_hand(), reason="PagerDuty's OpenAPI is not at hand")


@pytest.fixture
def events(sandbox: SandboxProcess) -> Iterator[Any]:
    with pagerduty.EventsApiV2Client(KEY) as client:
        client._url = sandbox.url  # the client refuses http:// where one is meant to set it
        yield client


@pytest.fixture
def rest(sandbox: SandboxProcess) -> Iterator[Any]:
    with pagerduty.RestApiV2Client("t" * 20) as client:
        client._url = sandbox.url
        yield client


def test_the_official_client_triggers_acknowledges_and_resolves(events: Any, sandbox: SandboxProcess) -> None:
    key = events.trigger("disk full", "db-1", custom_details={"free": "1 %"})
    assert sandbox.incidents()[0]["status"] == "triggered"
    assert events.acknowledge(key) == key
    assert sandbox.incidents()[0]["status"] == "acknowledged"
    assert events.resolve(key) == key
    assert sandbox.incidents()[0]["status"] == "resolved"


def test_the_official_client_sends_changes(events: Any, sandbox: SandboxProcess) -> None:
    events.send_change_event({"summary": "deployed 1.2.3", "source": "ci"})

    assert sandbox.last()["outcome"] == "recorded"


def test_the_official_client_understands_a_refusal(sandbox: SandboxProcess) -> None:
    with pagerduty.EventsApiV2Client(UNKNOWN_KEY) as client:
        client._url = sandbox.url
        with pytest.raises(pagerduty.HttpError, match="400"):
            client.trigger("disk full", "db-1")


def test_the_official_client_waits_out_a_429(events: Any, sandbox: SandboxProcess) -> None:
    sandbox.fault("throttle", count=2)
    events.sleep_timer = 0.01

    events.trigger("disk full", "db-1")

    assert [entry["outcome"] for entry in sandbox.log()] == ["throttled", "throttled", "opened"]


def test_the_official_client_pages_through_all_incidents(rest: Any, sandbox: SandboxProcess) -> None:
    for number in range(60):
        sandbox.enqueue(event(dedup_key=f"k{number}", key=OTHER_KEY))

    found = rest.list_all("incidents", params={"statuses[]": ["triggered"]}, page_size=25)

    assert len({one["id"] for one in found}) == 60
    assert rest.rget(f"/incidents/{found[0]['id']}")["id"] == found[0]["id"]
    assert rest.rget(f"/incidents/{found[0]['id']}/alerts")[0]["alert_key"] == "k0"


def published(path: str, method: str, status: str, name: str = "rest-openapiv3.json") -> Any:
    """The published example of an answer."""
    document = described(name)
    operation = document.find(method.upper(), path)[1]
    assert operation is not None
    content = document.resolve(operation.spec["responses"][status])["content"]["application/json"]
    return document.resolve(next(iter(content["examples"].values())))["value"]


@needs_schemas
def test_a_listed_incident_has_every_field_of_the_published_example(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())
    sandbox.enqueue(event("acknowledge"))
    answer = sandbox.get("/incidents", total="true")

    missing = set(published("/incidents", "get", "200")["incidents"][0]) - set(answer["incidents"][0])

    assert missing == {"conference_bridge"}, "only what has to be asked for by include[] may be missing"


@needs_schemas
def test_an_incidents_alert_has_every_field_of_the_published_example(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event(custom_details={"free": "1 %"}))
    answer = sandbox.get(f"/incidents/{sandbox.incidents()[0]['id']}/alerts")

    example = published("/incidents/P1/alerts", "get", "200")

    assert set(example["alerts"][0]) <= set(answer["alerts"][0])


@needs_schemas
def test_the_published_example_event_is_accepted_and_answered_as_published(sandbox: SandboxProcess) -> None:
    document = described("events-v2-openapiv3.json")
    operation = document.find("POST", "/enqueue")[1]
    assert operation is not None
    (example,) = operation.spec["requestBody"]["content"]["application/json"]["examples"].values()

    answer = sandbox.enqueue({**example["value"], "routing_key": KEY})

    assert answer.status_code == 202
    assert set(answer.json()) == set(published("/enqueue", "post", "202", "events-v2-openapiv3.json"))


@needs_schemas
def test_an_unparsable_event_is_answered_as_published(sandbox: SandboxProcess) -> None:
    example = published("/enqueue", "post", "5XX", "events-v2-openapiv3.json")

    assert sandbox.http.post("/v2/enqueue", content=b"{").json() == example
