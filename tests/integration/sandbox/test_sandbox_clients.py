"""The sandbox as others see it: PagerDuty's own Python client, and the published schemas where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pagerduty
import pytest

from tests.integration.sandbox.kit import KEY, OTHER_KEY, UNKNOWN_KEY, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.sandbox.kit import SandboxProcess

# The schemas carry no licence, so they are no part of the repository; the checks run where somebody put them beside it.
SCHEMAS = Path(__file__).resolve().parents[4] / "shared" / "pagerduty"
needs_schemas = pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"PagerDuty's schemas are not in {SCHEMAS}")
TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}


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


class Schema:
    """As much of OpenAPI as it takes to compare an answer with the published description of it."""

    def __init__(self, name: str) -> None:
        self.document = json.loads((SCHEMAS / name).read_text())

    def resolve(self, node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                name = part.replace("~1", "/").replace("~0", "~")
                target = target[int(name)] if isinstance(target, list) else target[name]
            node = target
        return node

    def properties(self, node: Any) -> dict[str, Any]:
        node = self.resolve(node)
        merged = dict(node.get("properties", {}))
        for part in node.get("allOf", []):
            merged |= self.properties(part)
        return merged

    def check(self, value: Any, node: Any, where: str) -> None:
        """Every field is described, and is of the type or among the values described; null is always let through."""
        node = self.resolve(node)
        if value is None or "oneOf" in node or "anyOf" in node:
            return
        if "enum" in node:
            assert value in node["enum"], where
        if "type" in node:
            assert isinstance(value, TYPES[node["type"]]), where
        known = self.properties(node)
        if isinstance(value, dict) and known:
            assert set(value) <= set(known), f"{where}: unknown fields {set(value) - set(known)}"
            for name, part in value.items():
                self.check(part, known[name], f"{where}.{name}")
        if isinstance(value, list) and "items" in node:
            for part in value:
                self.check(part, node["items"], f"{where}[]")

    def answer(self, path: str, method: str, status: str) -> tuple[Any, Any]:
        """The schema of an answer and an example of it."""
        content = self.resolve(self.document["paths"][path][method]["responses"][status])["content"]["application/json"]
        return content["schema"], next(iter(content["examples"].values()))["value"]


@needs_schemas
def test_a_list_of_incidents_is_shaped_as_published(sandbox: SandboxProcess) -> None:
    rest = Schema("rest-openapiv3.json")
    sandbox.enqueue(event())
    sandbox.enqueue(event("acknowledge"))
    answer = sandbox.get("/incidents", total="true")

    schema, example = rest.answer("/incidents", "get", "200")

    rest.check(answer, schema, "incidents")
    missing = set(example["incidents"][0]) - set(answer["incidents"][0])
    assert missing == {"conference_bridge"}, "only what has to be asked for by include[] may be missing"


@needs_schemas
def test_an_incident_is_shaped_as_published(sandbox: SandboxProcess) -> None:
    rest = Schema("rest-openapiv3.json")
    sandbox.enqueue(event())
    answer = sandbox.get(f"/incidents/{sandbox.incidents()[0]['id']}")

    rest.check(answer, rest.answer("/incidents/{id}", "get", "200")[0], "incident")


@needs_schemas
def test_an_incidents_alerts_are_shaped_as_published(sandbox: SandboxProcess) -> None:
    rest = Schema("rest-openapiv3.json")
    sandbox.enqueue(event(custom_details={"free": "1 %"}))
    answer = sandbox.get(f"/incidents/{sandbox.incidents()[0]['id']}/alerts")

    schema, example = rest.answer("/incidents/{id}/alerts", "get", "200")

    rest.check(answer, schema, "alerts")
    assert set(example["alerts"][0]) <= set(answer["alerts"][0])


@needs_schemas
def test_the_published_example_event_is_accepted_and_answered_as_published(sandbox: SandboxProcess) -> None:
    events = Schema("events-v2-openapiv3.json")
    operation = events.document["paths"]["/enqueue"]["post"]
    (example,) = operation["requestBody"]["content"]["application/json"]["examples"].values()

    answer = sandbox.enqueue({**example["value"], "routing_key": KEY})

    schema, published = events.answer("/enqueue", "post", "202")
    assert answer.status_code == 202
    events.check(answer.json(), schema, "enqueue")
    assert set(answer.json()) == set(published)


@needs_schemas
def test_an_unparsable_event_is_answered_as_published(sandbox: SandboxProcess) -> None:
    _, published = Schema("events-v2-openapiv3.json").answer("/enqueue", "post", "5XX")

    assert sandbox.http.post("/v2/enqueue", content=b"{").json() == published
