"""Every path the gateway serves demands something of whoever asks, or stands on the list of those that are open."""

import asyncio
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from deploy.local.embedded import start_server
from tasks.tokens.scopes import SCOPES
from tasks.tokens.service import AccessTokens
from tasks.tokens.wiring import token_rules
from tasks.utils.rows import Inbox
from tests.integration.gateway_kit import KEYS, settings
from workers.gateway.app import create_app
from workers.gateway.server import connect

# Paths that ask for no access token, and what they ask for instead.
OPEN = {
    "/v2/enqueue": "an ingest key in the body",
    "/v2/change/enqueue": "an ingest key in the body",
    "/generic/2010-04-15/create_event.json": "an ingest key in the body",
    "/webhooks/alertmanager": "an ingest key as token or password",
    "/webhooks/in/{mapping}": "an ingest key, or Amazon's signature",
    "/webhooks/pagerduty": "PagerDuty's signature",
    "/livez": "nothing: it says that the process lives",
    "/readyz": "nothing: it says what is ready, for balancers",
    "/metrics": "nothing: it counts; SECURITY.md says to restrict who reaches it",
    "/api/v1/openapi.json": "nothing: it says nothing of this installation",
}


def paths(app: Starlette) -> Iterator[tuple[str, str]]:
    """Method and path of everything that is served."""
    for prefix, route in _routes(app.routes):
        assert isinstance(route, Route | APIRoute), f"{route} is served some other way: look at who may"
        yield from ((method, prefix + route.path) for method in sorted((route.methods or set()) - {"HEAD"}))


def _routes(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for route in routes:
        if isinstance(route, Mount):
            yield from _routes(route.routes, prefix + route.path)
        elif hasattr(route, "original_router"):  # how FastAPI keeps a router that was included
            yield from _routes(route.original_router.routes, prefix)
        else:
            yield prefix, route


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, httpx.Response]]:
    """What each path of the API says to a request without a token, with one that allows nothing, and with one that allows all."""
    folder = tmp_path_factory.mktemp("permissions")
    with start_server(folder / "redis") as server:
        return asyncio.run(_ask_everything(server.url, folder))


async def _ask_everything(url: str, folder: Path) -> dict[tuple[str, str], dict[str, httpx.Response]]:
    from datetime import timedelta

    configured = settings(url, folder)
    redis = connect(configured)
    app = create_app(configured, Inbox(redis, KEYS), redis)
    tokens = AccessTokens(token_rules(configured))
    nothing, everything = (tokens.issue("anna", scopes, timedelta(hours=1)) for scopes in ((), SCOPES))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    found = {}
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://g") as http:
        for method, path in paths(app):
            if path in OPEN:
                continue
            where = re.sub(r"\{\w+\}", "x", path)
            found[method, path] = {
                "none": await http.request(method, where, json={}),
                "nothing": await http.request(method, where, json={}, headers={"authorization": f"Bearer {nothing}"}),
                "everything": await http.request(
                    method, where, json={}, headers={"authorization": f"Bearer {everything}"}
                ),
            }
    return found


def test_every_path_that_is_not_open_demands_a_token_and_a_scope(
    answers: dict[tuple[str, str], dict[str, httpx.Response]],
) -> None:
    assert len(answers) > 20
    for (method, path), said in answers.items():
        codes = said["none"].status_code, said["nothing"].status_code
        assert codes == (401, 403), f"{method} {path} lets somebody in"
        assert said["everything"].status_code not in (401, 403)


def test_a_refusal_has_the_shape_that_pagerduty_gives_its_own(
    answers: dict[tuple[str, str], dict[str, httpx.Response]],
) -> None:
    for said in answers.values():
        body = said["nothing"].json()
        assert set(body) == {"status", "message", "errors"}
        assert body["status"] == "forbidden"
        assert re.search(r"lacks the scope [a-z-]+:[a-z]+; get one that has it: tocsin tokens issue", body["errors"][0])


def test_the_list_of_open_paths_names_only_what_is_served(tmp_path: Path) -> None:
    configured = settings("redis://127.0.0.1:1/0", tmp_path)
    redis = connect(configured)

    served = {path for _, path in paths(create_app(configured, Inbox(redis, KEYS), redis))}

    assert set(OPEN) <= served
