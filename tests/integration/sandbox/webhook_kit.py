"""What tests of the sandbox's webhooks say to it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.integration.sandbox.kit import TOKEN

if TYPE_CHECKING:
    import httpx

    from tests.integration.sandbox.kit import SandboxProcess

INCIDENT_EVENTS = ["incident.triggered", "incident.acknowledged", "incident.resolved", "incident.annotated"]
ACCOUNT = {"type": "account_reference"}


def call(sandbox: SandboxProcess, method: str, path: str, body: Any = None) -> httpx.Response:
    return sandbox.http.request(method, path, json=body, headers=TOKEN)


def asked(url: str, **fields: Any) -> dict[str, Any]:
    """The body that asks for a subscription."""
    return {
        "webhook_subscription": {
            "type": "webhook_subscription",
            "delivery_method": {"type": "http_delivery_method", "url": url},
            "events": INCIDENT_EVENTS,
            "filter": ACCOUNT,
            **fields,
        }
    }


def subscribe(sandbox: SandboxProcess, url: str, **fields: Any) -> dict[str, Any]:
    """A new subscription, with its secret."""
    answer = call(sandbox, "POST", "/webhook_subscriptions", asked(url, **fields))
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["webhook_subscription"])


def happen(
    sandbox: SandboxProcess, event_type: str = "incident.triggered", incident: str = "Q1", **fields: Any
) -> None:
    """Let something happen to an incident."""
    data = {"id": incident, "type": "incident", "title": "disk full", "status": "triggered", **fields.pop("data", {})}
    sandbox.control("POST", "/happenings", {"event_type": event_type, "data": data, "resource_id": incident, **fields})


def ended(sandbox: SandboxProcess, patience: float = 10) -> list[dict[str, Any]]:
    """All deliveries, once none is under way."""
    end = time.monotonic() + patience
    while True:
        page = sandbox.control("GET", "/webhooks")
        if not page["counts"]["pending"]:
            return list(page["deliveries"])
        assert time.monotonic() < end, page["deliveries"]
        time.sleep(0.01)


def tried(sandbox: SandboxProcess, times: int, place: int = -1, patience: float = 10) -> dict[str, Any]:
    """A delivery, the latest unless told otherwise, once it was tried so often."""
    end = time.monotonic() + patience
    while True:
        latest = dict(sandbox.control("GET", "/webhooks")["deliveries"][place])
        if latest["tried"] >= times:
            return latest
        assert time.monotonic() < end, latest
        time.sleep(0.01)


def states(sandbox: SandboxProcess) -> list[str]:
    """What became of all deliveries."""
    return [one["state"] for one in ended(sandbox)]
