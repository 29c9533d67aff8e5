"""The API, operation by operation, on a running gateway: alerts, and what is refused."""

import json
from typing import Any

import httpx
import pytest

from tests.integration.api.kit import ALERT, Api, all_pages, submit


def test_every_alert_of_a_request_is_answered_for_itself(api: Api, http: httpx.Client) -> None:
    nameless = {**ALERT, "service": "nix"}
    odd = {**ALERT, "dedup_key": None, "payload": {**ALERT["payload"], "severity": "sev-1"}}

    answer = submit(http, ALERT, nameless, {"event_action": "resolve"}, "x", odd)

    assert answer.status_code == 202
    assert answer.json()["message"] == "2 of 5 alerts accepted"
    taken, *refused, mended = answer.json()["results"]
    assert (taken["status"], taken["dedup_key"]) == ("success", "db-1/disk")
    assert [result["status"] for result in refused] == ["invalid event"] * 3
    assert "there is no service 'nix' (known: " in refused[0]["errors"][0]
    assert "severity was unknown" in mended["message"]
    api.decide()
    assert [step["step"] for step in http.get(f"/trails/{taken['id']}").json()["steps"]] == ["received", "accepted"]


def test_when_no_alert_is_good_the_request_is_refused(http: httpx.Client) -> None:
    refused = submit(http, {**ALERT, "service": "nix"}, {**ALERT, "event_action": "shout"})

    assert refused.status_code == 400
    assert [error[:8] for error in refused.json()["errors"]] == ["alert 1:", "alert 2:"]


def test_an_alert_that_names_no_service_is_for_the_default_one_if_there_is_one(http: httpx.Client) -> None:
    refused = submit(http, {name: value for name, value in ALERT.items() if name != "service"})

    assert "there is no service 'default'" in refused.json()["errors"][0]


@pytest.mark.parametrize("count", [0, 501])
def test_a_request_holds_1_to_500_alerts(http: httpx.Client, count: int) -> None:
    assert submit(http, *[ALERT] * count).status_code == 400


def test_500_alerts_go_in_one_request(api: Api, http: httpx.Client) -> None:
    answer = submit(http, *({**ALERT, "dedup_key": f"k{number}"} for number in range(500)))

    assert answer.json()["message"] == "500 of 500 alerts accepted"
    api.decide()
    assert api.runtime.client.zcard(api.runtime.keys.queued) == 500


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "JSON parse error"),
        (b"\xff", "not UTF-8"),
        (b"[]", "'alerts' must be a list"),
        (b"[" * 100_000, "nested too deep"),
    ],
    ids=["broken", "bytes", "list", "deep"],
)
def test_a_body_that_is_no_list_of_alerts_is_refused(http: httpx.Client, body: bytes, told: str) -> None:
    refused = http.post("/alerts", content=body)

    assert refused.status_code == 400
    assert told in refused.json()["errors"][0]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "'body': Field required"),
        (b"{", "JSON parse error"),
        (b"[" * 50_000, "nested too deep"),
        (b'{"duration_seconds": NaN}', "'duration_seconds'"),
        (b'{"matchers": ["\\ud800"]}', "'matchers.0'"),
        (b'{"author": "somebody else"}', "'author': Extra inputs"),
        (b'{"starts_at": "2030-01-01T00:00:00"}', "'starts_at': Input should have timezone info"),
    ],
    ids=str,
)
def test_a_body_that_does_not_fit_is_refused_with_what_and_where(http: httpx.Client, body: bytes, told: str) -> None:
    refused = http.post("/silences", content=body)

    assert refused.status_code == 400
    assert any(told in error for error in refused.json()["errors"]), refused.text


def test_a_body_larger_than_its_path_takes_is_refused(http: httpx.Client) -> None:
    body = json.dumps({"comment": "x" * 70_000}).encode()

    assert http.post("/silences", content=body).status_code == 413
    assert http.post("/alerts", content=body).status_code == 400, "which takes more"


def test_alerts_are_listed_newest_first_and_by_status_and_service(api: Api, http: httpx.Client) -> None:
    submit(http, ALERT, {**ALERT, "dedup_key": "db-2/disk"}, {**ALERT, "service": "orchestrated"})
    submit(http, {**ALERT, "event_action": "resolve", "dedup_key": "db-2/disk"})
    api.decide()

    def keys(**wanted: str) -> set[tuple[str, str]]:
        return {(alert["service"], alert["dedup_key"]) for alert in http.get("/alerts", params=wanted).json()["alerts"]}

    assert keys(status="resolved") == {("web", "db-2/disk")}
    assert keys(status="open") == {("web", "db-1/disk"), ("orchestrated", "db-1/disk")}
    assert keys(status="open", service="web") == {("web", "db-1/disk")}
    assert keys(service="nix") == set()


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "status=shut", "cursor=x", "cursor=1", "cursor=\u0663.x", "limit=x"]
)
def test_a_query_that_does_not_fit_is_refused(http: httpx.Client, query: str) -> None:
    refused = http.get(f"/alerts?{query}")

    assert refused.status_code == 400
    assert query.partition("=")[0] in refused.json()["errors"][0]


@pytest.mark.parametrize("limit", [1, 7, 25, 500])
def test_the_pages_hold_every_alert_once(api: Api, http: httpx.Client, limit: int) -> None:
    submit(http, *({**ALERT, "dedup_key": f"k{number}"} for number in range(25)))
    api.decide()

    found = all_pages(http, "/alerts", "alerts", limit)

    assert len(found) == len(set(found)) == 25
    assert http.get(f"/alerts/{found[0]}").json()["uid"] == found[0]


def test_an_unknown_alert_is_not_found(http: httpx.Client) -> None:
    assert http.get("/alerts/nix").status_code == 404
    assert http.get("/trails/nix").status_code == 404


def test_an_explanation_tells_the_way_of_an_alert_and_sends_nothing(api: Api, http: httpx.Client) -> None:
    http.post("/silences", json={"matchers": ["severity=warning"], "duration_seconds": 60, "comment": "disk swap"})

    [told] = http.post("/alerts/explain", json={"alerts": [ALERT]}).json()["alerts"]

    assert (told["service"], told["outcome"]) == ("web", "suppressed")
    assert "disk swap" in told["rules"][0]["about"]
    assert told["ways"][0]["channels"][0]["name"] == "pagerduty"
    assert "c3c3c3c3" not in json.dumps(told)
    assert api.runtime.client.hlen(api.runtime.keys.inbox) == 0


def test_what_cannot_be_explained_is_refused(http: httpx.Client) -> None:
    question: dict[str, Any] = {"alerts": [{**ALERT, "service": "nix"}]}

    assert "'nix' is not configured" in http.post("/alerts/explain", json=question).json()["errors"][0]
    assert http.post("/alerts/explain", json={"alerts": [ALERT] * 51}).status_code == 400
    assert http.post("/alerts/explain", json={"alerts": [ALERT], "routes": ["nix"]}).status_code == 404
    assert http.post("/alerts/explain", json={"alerts": [ALERT], "at": "0001-01-01T00:00:00Z"}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nix", 404), ("PUT", "/alerts", 405), ("GET", "/", 404), ("POST", "/health", 405), ("GET", "/docs", 404)],
)
def test_what_is_not_served_is_refused_in_the_same_shape(
    http: httpx.Client, method: str, path: str, status: int
) -> None:
    refused = http.request(method, path)

    assert refused.status_code == status
    assert set(refused.json()) == {"status", "message", "errors"}


def test_a_method_that_is_not_taken_is_refused_with_all_that_are(http: httpx.Client) -> None:
    assert http.put("/alerts").headers["allow"] == "GET, POST"
    assert http.put("/silences/x").headers["allow"] == "DELETE, GET"


def test_a_cursor_that_no_page_gave_is_refused_in_plain_words(http: httpx.Client) -> None:
    assert http.get("/alerts", params={"cursor": "xx"}).json()["errors"] == [
        "'cursor' is none that a page gave; send its `next_cursor` as it came"
    ]


def test_a_trailing_slash_and_any_content_type_are_taken(http: httpx.Client) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}

    assert http.get("/alerts/").status_code == 200
    assert http.post("/alerts/", content=json.dumps({"alerts": [ALERT]}), headers=form).status_code == 202
    assert http.post("/silences/preview", content='{"services": ["web"]}', headers=form).status_code == 200


def test_the_document_is_open_to_all_and_describes_every_operation(api: Api) -> None:
    document = httpx.get(f"{api.gateway.url}/api/v1/openapi.json").json()

    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/api/v1"}]
    operations = [one for path in document["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names))
    for one in operations:
        assert one["summary"]
        assert {"400", "401", "403", "500", "501", "503"} <= set(one["responses"])
        assert "422" not in one["responses"]
    assert "http://" not in json.dumps(document)


def test_the_story_of_an_alert_is_found_by_its_dedup_key(api: Api, http: httpx.Client) -> None:
    submit(http, ALERT)
    submit(http, {**ALERT, "event_action": "resolve"})
    api.decide()

    [trail] = http.get("/trails", params={"dedup_key": "db-1/disk"}).json()["trails"]

    assert (trail["service"], [event["action"] for event in trail["events"]]) == ("web", ["trigger", "resolve"])
    assert [step["step"] for step in trail["steps"]].count("received") == 2
    assert http.get("/trails", params={"dedup_key": "nix"}).status_code == 404
    assert http.get("/trails").status_code == 400
