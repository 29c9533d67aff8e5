"""Incidents through the client, on the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tasks.utils.rest.errors import NotFoundError

if TYPE_CHECKING:
    from tasks.utils.rest.client import RestClient
    from tests.conftest import Sandbox

KEY = "A" * 32


def trigger(sandbox: Sandbox, dedup_key: str) -> None:
    sandbox.register(KEY, "Shop")
    payload = {"summary": "Disk full", "source": "db1", "severity": "critical"}
    event = {"routing_key": KEY, "event_action": "trigger", "dedup_key": dedup_key, "payload": payload}
    sandbox.http.post("/v2/enqueue", json=event).raise_for_status()


def test_an_incident_is_listed_and_read_with_its_alerts(rest: RestClient, sandbox: Sandbox) -> None:
    trigger(sandbox, "db1/disk")

    [listed] = rest.incidents.list(statuses=["triggered"])

    assert rest.incidents.get(listed["id"])["title"] == "Disk full"
    assert [alert["alert_key"] for alert in rest.incidents.alerts(listed["id"])] == ["db1/disk"]


def test_an_incident_that_is_not_there_is_an_error_with_its_status(rest: RestClient) -> None:
    with pytest.raises(NotFoundError, match="check the id") as caught:
        rest.incidents.get("PNOTHERE")

    assert caught.value.status == 404
