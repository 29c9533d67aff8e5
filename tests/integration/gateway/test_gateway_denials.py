"""Who tries the doors for alerts with what is none of ours is on record; whoever only slips is not."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tasks.utils.rows import Inbox
from tests.integration.gateway_kit import KEY, KEYS, TRIGGER, settings
from tests.webhook_kit import SECRET, incident_event, packed
from workers.gateway.app import create_app
from workers.gateway.server import connect

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.embedded import Server

UNKNOWN = "f" * 32
TRIED: dict[str, dict[str, Any]] = {
    "/v2/enqueue": {"json": {**TRIGGER, "routing_key": UNKNOWN}},
    "/v2/change/enqueue": {"json": {"routing_key": UNKNOWN, "payload": {"summary": "x"}}},
    "/generic/2010-04-15/create_event.json": {"json": {"service_key": UNKNOWN, "event_type": "trigger"}},
    "/webhooks/alertmanager": {"json": {}, "headers": {"Authorization": f"Bearer {UNKNOWN}"}},
    "/webhooks/in/sentry": {"json": {}, "headers": {"Authorization": f"Bearer {UNKNOWN}"}},
    "/webhooks/pagerduty": dict(zip(("content", "headers"), packed(incident_event(), "not ours"), strict=True)),
}
SLIPS: dict[str, dict[str, Any]] = {
    "/v2/enqueue": {"json": {"routing_key": KEY}},
    "/webhooks/alertmanager": {"json": {}, "headers": {"Authorization": f"Bearer {KEY}"}},
    "/nowhere": {"json": {}},
}


def asked(server: Server, folder: Path, path: str, request: dict[str, Any]) -> int:
    """The answer of a gateway that is closed afterwards."""

    async def ask() -> int:
        configured = settings(server.url, folder, pagerduty={"webhook_secret": SECRET})
        redis = connect(configured)
        app = create_app(configured, Inbox(redis, KEYS), redis)
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 4711))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as http,
        ):
            return (await http.post(path, **request)).status_code

    return asyncio.run(ask())


@pytest.mark.parametrize("path", TRIED)
def test_a_key_or_signature_that_is_none_of_ours_is_a_denial_to_a_stranger(
    server: Server, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("PAGERDUTY_WEBHOOK_SECRET", SECRET)  # where it looks for secrets anew

    assert asked(server, tmp_path, path, TRIED[path]) in (400, 403)

    ((_, entry),) = client.xrange(KEYS.acts)
    said = json.loads(entry["d"])
    assert (entry["s"], entry["r"], said["o"]) == ("denied", "gateway.denied", f"door{path}")
    assert (said["k"], said["f"]) == ("stranger", "192.0.2.7")
    assert UNKNOWN not in str(entry)


@pytest.mark.parametrize("path", SLIPS)
def test_a_slip_and_an_alert_are_no_acts(server: Server, client: Any, tmp_path: Path, path: str) -> None:
    assert asked(server, tmp_path, path, SLIPS[path]) in (400, 404)
    assert asked(server, tmp_path, "/v2/enqueue", {"json": TRIGGER}) == 202

    assert client.xlen(KEYS.acts) == 0
