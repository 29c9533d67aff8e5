"""webhook_subscriptions of the sandbox's REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.webhook_kit import ACCOUNT, asked, call, subscribe

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess

URL = "https://tocsin.example/webhooks/pagerduty"


def service(sandbox: SandboxProcess) -> str:
    return str(sandbox.control("GET", "/account")["services"][0]["id"])


def test_only_the_answer_that_creates_a_subscription_tells_its_secret(sandbox: SandboxProcess) -> None:
    made = subscribe(sandbox, URL)
    path = f"/webhook_subscriptions/{made['id']}"

    shown = [
        call(sandbox, "GET", path).json()["webhook_subscription"],
        call(sandbox, "GET", "/webhook_subscriptions").json()["webhook_subscriptions"][0],
        call(sandbox, "PUT", path, {"webhook_subscription": {"active": False}}).json()["webhook_subscription"],
        call(sandbox, "POST", f"{path}/enable").json()["webhook_subscription"],
    ]

    assert len(made["delivery_method"]["secret"]) == 64
    assert [one["delivery_method"]["secret"] for one in shown] == [None] * 4
    assert made["delivery_method"]["secret"] not in str(sandbox.control("GET", "/exchanges"))


def test_a_custom_headers_value_is_never_shown(sandbox: SandboxProcess) -> None:
    method = {"type": "http_delivery_method", "url": URL, "custom_headers": [{"name": "x-key", "value": "hush"}]}

    made = subscribe(sandbox, URL, delivery_method=method)

    assert made["delivery_method"]["custom_headers"] == [{"name": "x-key", "value": "-- redacted --"}]


def test_a_put_changes_what_it_names_and_not_where_webhooks_go(sandbox: SandboxProcess) -> None:
    made = subscribe(sandbox, URL, description="one")
    path = f"/webhook_subscriptions/{made['id']}"

    changed = call(sandbox, "PUT", path, {"webhook_subscription": {"events": ["incident.resolved"]}})
    method = {"type": "http_delivery_method", "url": "https://else.example/"}
    refused = call(sandbox, "PUT", path, {"webhook_subscription": {"delivery_method": method}})

    assert changed.json()["webhook_subscription"]["events"] == ["incident.resolved"]
    assert changed.json()["webhook_subscription"]["description"] == "one"
    assert refused.status_code == 400
    assert call(sandbox, "GET", path).json()["webhook_subscription"]["delivery_method"]["url"] == URL


@pytest.mark.parametrize(
    "fields",
    [
        {"events": []},
        {"events": ["incident.exploded"]},
        {"events": ["incident.resolved", "incident.resolved"]},
        {"filter": {"type": "user_reference", "id": "P1"}},
        {"filter": {"type": "service_reference", "id": "PNOBODY"}},
        {"filter": None},
        {"active": "yes"},
        {"delivery_method": {"type": "http_delivery_method", "url": "http://tocsin.example/"}},
        {"delivery_method": {"type": "http_delivery_method", "url": "ftp://127.0.0.1/"}},
        {"delivery_method": {"type": "http_delivery_method", "url": "http://127.0.0.1:port/"}},
        {"delivery_method": {"type": "mail", "url": URL}},
        {"delivery_method": {"type": "http_delivery_method", "url": URL, "custom_headers": [{"name": "a b"}]}},
    ],
)
def test_a_subscription_that_cannot_be_is_refused(sandbox: SandboxProcess, fields: dict[str, Any]) -> None:
    answer = call(sandbox, "POST", "/webhook_subscriptions", asked(URL, **fields))

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2001)
    assert call(sandbox, "GET", "/webhook_subscriptions").json()["webhook_subscriptions"] == []


def test_subscriptions_are_found_by_what_they_are_about(sandbox: SandboxProcess) -> None:
    one = subscribe(sandbox, URL, filter=ACCOUNT)
    other = subscribe(sandbox, URL, filter={"type": "service_reference", "id": service(sandbox)})

    def found(query: str) -> list[str]:
        answer = call(sandbox, "GET", f"/webhook_subscriptions?{query}")
        return [each["id"] for each in answer.json()["webhook_subscriptions"]]

    assert found("") == [one["id"], other["id"]]
    assert found("filter_type=account") == [one["id"]]
    assert found(f"filter_type=service&filter_id={service(sandbox)}") == [other["id"]]
    assert found("filter_type=service&filter_id=PNOBODY") == []
    assert call(sandbox, "GET", "/webhook_subscriptions?filter_type=team").status_code == 400


def test_a_deleted_subscription_is_no_more(sandbox: SandboxProcess) -> None:
    path = f"/webhook_subscriptions/{subscribe(sandbox, URL)['id']}"

    assert call(sandbox, "DELETE", path).status_code == 204
    assert [call(sandbox, method, path).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert call(sandbox, "POST", f"{path}/ping").status_code == 404
