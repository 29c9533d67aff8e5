from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.kit import KEY, OTHER_KEY, TOKEN, event

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess

MONTH = timedelta(days=30)


def refused(sandbox: SandboxProcess, path: str, **parameters: Any) -> tuple[int, dict[str, Any]]:
    answer = sandbox.http.get(path, params=parameters, headers=TOKEN)
    return answer.status_code, answer.json()["error"]


def open_many(sandbox: SandboxProcess, count: int) -> None:
    sandbox.control("POST", "/limits", {"events_per_minute": None})
    for number in range(count):
        assert sandbox.enqueue(event(dedup_key=f"k{number}", summary=f"problem {number}")).status_code == 202


def test_without_a_token_the_answer_is_401(sandbox: SandboxProcess) -> None:
    answer = sandbox.http.get("/incidents")

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 2006


def test_a_routing_key_is_no_rest_token(sandbox: SandboxProcess) -> None:
    assert sandbox.http.get("/incidents", headers={"Authorization": f"Token token={KEY}"}).status_code == 401


def test_only_the_accounts_tokens_may_read_where_it_lists_any(sandbox: SandboxProcess) -> None:
    sandbox.control("PUT", "/account", {"tokens": ["u" * 20]})

    assert sandbox.http.get("/incidents", headers=TOKEN).status_code == 401
    assert sandbox.http.get("/incidents", headers={"Authorization": "Token token=" + "u" * 20}).status_code == 200


def test_an_oauth_token_may_read(sandbox: SandboxProcess) -> None:
    assert sandbox.http.get("/incidents", headers={"Authorization": "Bearer pdus+_0XBPWQQ"}).status_code == 200


def test_the_default_page_is_25_and_the_largest_100(sandbox: SandboxProcess) -> None:
    open_many(sandbox, 102)

    default, largest = sandbox.get("/incidents"), sandbox.get("/incidents", limit=500)

    assert (len(default["incidents"]), default["limit"], default["offset"], default["more"]) == (25, 25, 0, True)
    assert (len(largest["incidents"]), largest["limit"], largest["more"]) == (100, 100, True)


def test_the_total_is_null_unless_asked_for(sandbox: SandboxProcess) -> None:
    open_many(sandbox, 3)

    assert sandbox.get("/incidents")["total"] is None
    assert sandbox.get("/incidents", total="true")["total"] == 3


def test_pages_add_up_to_everything(sandbox: SandboxProcess) -> None:
    open_many(sandbox, 7)

    pages = [sandbox.get("/incidents", limit=3, offset=offset) for offset in (0, 3, 6)]

    assert [page["more"] for page in pages] == [True, True, False]
    assert [one["title"] for page in pages for one in page["incidents"]] == [f"problem {n}" for n in range(7)]


def test_nothing_beyond_10_000_can_be_reached(sandbox: SandboxProcess) -> None:
    assert sandbox.http.get("/incidents?offset=9900&limit=100", headers=TOKEN).status_code == 200
    status, error = refused(sandbox, "/incidents", offset=9901, limit=100)

    assert (status, error["code"], error["message"]) == (400, 2002, "Arguments Caused Error")
    assert error["errors"][0].startswith("Offset+limit exceeds maximum allowed value of 10000. Please try to refine")


@pytest.mark.parametrize("parameters", [{"limit": "many"}, {"offset": "-1"}, {"limit": "0"}, {"since": "yesterday"}])
def test_nonsense_in_the_query_is_refused(sandbox: SandboxProcess, parameters: dict[str, object]) -> None:
    status, error = refused(sandbox, "/incidents", **parameters)

    assert (status, error["code"]) == (400, 2001)


def test_incidents_are_found_by_status(sandbox: SandboxProcess) -> None:
    for key in ("a", "b", "c"):
        sandbox.enqueue(event(dedup_key=key, summary=key))
    sandbox.enqueue(event("acknowledge", dedup_key="b"))
    sandbox.enqueue(event("resolve", dedup_key="c"))

    found = sandbox.incidents(**{"statuses[]": ["triggered", "acknowledged"]})

    assert [one["title"] for one in found] == ["a", "b"]


def test_incidents_are_found_by_service(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())
    sandbox.enqueue(event(key=OTHER_KEY))
    web = next(one for one in sandbox.control("GET", "/account")["services"] if one["name"] == "web")

    (incident,) = sandbox.incidents(**{"service_ids[]": web["id"]})

    assert incident["service"]["id"] == web["id"]


def test_incident_key_finds_by_the_alerts_key_though_the_incident_shows_none(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event(dedup_key="disk/db-1"))
    sandbox.enqueue(event(dedup_key="disk/db-2"))

    (incident,) = sandbox.incidents(incident_key="disk/db-2")

    assert incident["incident_number"] == 2
    assert incident["incident_key"] is None


def test_an_empty_incident_key_answers_with_every_open_incident(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event(dedup_key="open"))
    sandbox.enqueue(event(dedup_key="closed"))
    sandbox.enqueue(event("resolve", dedup_key="closed"))

    assert [one["status"] for one in sandbox.incidents(incident_key="")] == ["triggered"]


def test_incidents_are_found_by_urgency(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())

    assert len(sandbox.incidents(**{"urgencies[]": "high"})) == 1
    assert sandbox.incidents(**{"urgencies[]": "low"}) == []


def test_by_default_only_the_last_month_is_searched(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())
    sandbox.advance(MONTH.total_seconds() + 60)

    assert sandbox.incidents() == []
    assert len(sandbox.incidents(date_range="all")) == 1
    assert len(sandbox.incidents(since=(datetime.now(UTC) - timedelta(hours=1)).isoformat())) == 1


def test_a_range_over_six_months_is_refused(sandbox: SandboxProcess) -> None:
    status, error = refused(sandbox, "/incidents", since="2020-01-01", until="2020-12-31T00:00:00Z")

    assert (status, error["code"]) == (400, 2001)


def test_one_incident_is_read_by_its_id(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())
    (listed,) = sandbox.incidents()

    assert sandbox.get(f"/incidents/{listed['id']}")["incident"] == listed


@pytest.mark.parametrize("path", ["/incidents/PNOBODY", "/incidents/PNOBODY/alerts", "/response_plays"])
def test_what_does_not_exist_is_404_with_code_2100(sandbox: SandboxProcess, path: str) -> None:
    assert refused(sandbox, path) == (404, {"message": "Not Found", "code": 2100})


def test_an_alert_shows_its_dedup_key_details_and_severity(sandbox: SandboxProcess) -> None:
    body = event(severity="warning", custom_details={"free": "1 %"})
    sandbox.enqueue({**body, "links": [{"href": "https://graph", "text": "graph"}]})
    (incident,) = sandbox.incidents()

    (alert,) = sandbox.get(f"/incidents/{incident['id']}/alerts")["alerts"]

    assert (alert["alert_key"], alert["severity"], alert["status"]) == ("disk/db-1", "warning", "triggered")
    assert alert["body"]["details"] == {"free": "1 %"}
    assert alert["body"]["contexts"] == [{"type": "link", "href": "https://graph", "text": "graph"}]
    assert alert["incident"]["id"] == incident["id"]


def test_alerts_are_found_by_key_and_status(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())
    path = f"/incidents/{sandbox.incidents()[0]['id']}/alerts"

    assert len(sandbox.get(path, alert_key="disk/db-1")["alerts"]) == 1
    assert sandbox.get(path, alert_key="other")["alerts"] == []
    assert sandbox.get(path, **{"statuses[]": "resolved"})["alerts"] == []


def test_times_and_counts_follow_the_life_of_the_alert(sandbox: SandboxProcess) -> None:
    sandbox.enqueue(event())
    sandbox.advance(60)
    sandbox.enqueue(event("acknowledge"))
    (acknowledged,) = sandbox.incidents()
    sandbox.advance(60)
    sandbox.enqueue(event("resolve"))
    (resolved,) = sandbox.incidents()

    assert acknowledged["acknowledgements"][0]["at"] == acknowledged["last_status_change_at"]
    assert acknowledged["alert_counts"] == {"all": 1, "triggered": 1, "resolved": 0}
    assert resolved["alert_counts"] == {"all": 1, "triggered": 0, "resolved": 1}
    assert resolved["acknowledgements"] == []
    assert resolved["resolved_at"] == resolved["last_status_change_at"] == resolved["updated_at"]
    assert resolved["created_at"] < acknowledged["last_status_change_at"] < resolved["resolved_at"]


def test_the_rate_limit_headers_count_down(sandbox: SandboxProcess) -> None:
    first, second = (sandbox.http.get("/incidents", headers=TOKEN).headers for _ in range(2))

    assert first["ratelimit-limit"] == "960"
    assert (first["ratelimit-remaining"], second["ratelimit-remaining"]) == ("959", "958")
    assert 0 < int(first["ratelimit-reset"]) <= 60


def test_over_the_limit_the_answer_is_429_with_code_2020_until_the_minute_is_over(sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "/limits", {"rest_per_minute": 2})
    for _ in range(2):
        sandbox.incidents()

    answer = sandbox.http.get("/incidents", headers=TOKEN)

    assert answer.status_code == 429
    assert answer.json() == {"error": {"message": "Rate Limit Exceeded", "code": 2020}}
    assert answer.headers["ratelimit-remaining"] == "0"
    sandbox.advance(int(answer.headers["ratelimit-reset"]))
    assert sandbox.incidents() == []


def test_each_token_has_its_own_limit(sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "/limits", {"rest_per_minute": 1})
    sandbox.incidents()

    other = sandbox.http.get("/incidents", headers={"Authorization": "Token token=" + "u" * 20})

    assert other.status_code == 200
