"""PagerDuty's log, as the demo reads it."""

import pytest

from deploy.local.demo.sandbox import Request
from deploy.local.demo.sandbox import Sandbox as Log
from tasks.health.checks.events import NOTHING
from tests.conftest import Sandbox

KEY = "sandboxdemo".ljust(32, "0")


@pytest.mark.parametrize("key", ["disk", "tocsin-rotation-of-nothing"])
def test_every_event_is_in_the_log(sandbox: Sandbox, key: str) -> None:
    sandbox.register(KEY, "shop")
    said = {"routing_key": KEY, "event_action": "resolve", "dedup_key": key}

    sandbox.http.post("/v2/enqueue", json=said).raise_for_status()

    assert Log(sandbox.http).requests() == [Request(key, "resolve", "dropped", "", is_answered=True)]


def test_what_the_health_check_asks_meanwhile_is_no_event_of_anybodys(sandbox: Sandbox) -> None:
    """Beat calls for the check every five minutes: a demo at that time did not agree with its ledger."""
    sandbox.register(KEY, "shop")
    asked = {"routing_key": KEY, "event_action": "resolve", "dedup_key": NOTHING}

    sandbox.http.post("/v2/enqueue", json=asked).raise_for_status()

    assert Log(sandbox.http).requests() == []
