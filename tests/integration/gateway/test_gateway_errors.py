"""What the gateway answers with a 5xx is kept for `tocsin errors`, with its door and its place; the sender sees none of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import httpx

from tests.integration.gateway_kit import TRIGGER, settings
from workers.gateway.app import create_app
from workers.gateway.server import connect

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.embedded import Server


class BrokenInbox:
    """Has a bug."""

    async def put(self, rows: Any) -> NoReturn:
        raise KeyError("secret detail", len(rows))


def test_a_fault_is_kept_with_its_door_and_not_told_to_the_sender(server: Server, client: Any, tmp_path: Path) -> None:
    async def send() -> tuple[httpx.Response, Any]:
        configured = settings(server.url, tmp_path)
        app = create_app(configured, BrokenInbox(), connect(configured))  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as http,
        ):
            answer = await http.post("/v2/enqueue", json=TRIGGER)
        return answer, app.state.errors

    answer, errors = asyncio.run(send())

    [entry] = errors.top(timedelta(hours=1))
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert (entry.report.kind, entry.report.error) == ("bug", "KeyError")
    assert entry.report.where == "gateway Events.enqueue"
    errors._journal._client.close()
