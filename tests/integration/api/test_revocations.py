"""A token that leaked is of no use within two seconds, and a secret that is replaced counts without a restart."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from config.models import Settings
from config.sections import Security
from deploy.local.embedded import start_server
from tasks.tokens.revocations import RevocationCopy
from tasks.tokens.service import AccessTokens, RefusedTokenError
from tasks.tokens.wiring import token_rules
from tests.integration.api.kit import Api
from tests.integration.gateway_kit import JWT_SECRET, KEYS, settings
from workers.gateway.api.revoked import RevocationWatch
from workers.gateway.api.signing import TokenCheck
from workers.gateway.server import connect

PROMISE = 2.5  # seconds, with some room for a busy machine
NEW_SECRET = "another secret of 32 characters or more"


def revoke(http: httpx.Client, **wish: Any) -> httpx.Response:
    return http.post("/revocations", json={"comment": "it leaked", **wish})


def refused_within(http: httpx.Client, seconds: float = PROMISE) -> httpx.Response:
    """The first answer that is a refusal."""
    until = time.monotonic() + seconds
    while (answer := http.get("/alerts")).status_code == 200:
        assert time.monotonic() < until, "the token is still taken"
    return answer


@pytest.mark.parametrize("way", ["token", "id", "subject"])
def test_a_leaked_token_is_refused_within_two_seconds_and_others_are_not(
    api: Api, http: httpx.Client, way: str
) -> None:
    with api.client("viewer", subject=f"ci-{way}") as leaked, api.client("viewer", subject="other") as other:
        token = leaked.headers["authorization"].partition(" ")[2]
        said = AccessTokens(token_rules(api.runtime.settings)).check(token)
        assert leaked.get("/alerts").status_code == 200

        done = revoke(http, **{way: {"token": token, "id": said.id, "subject": said.subject}[way]})

        assert done.status_code == 201
        refusal = refused_within(leaked)
        assert (refusal.status_code, refusal.json()["status"]) == (401, "unauthorized")
        assert "revoked" in refusal.json()["errors"][0]
        assert 'error="invalid_token"' in refusal.headers["www-authenticate"]
        assert other.get("/alerts").status_code == 200


def test_the_list_says_who_revoked_what_and_why(api: Api, http: httpx.Client) -> None:
    revoke(http, subject="nightly")

    found = http.get("/revocations").json()["revocations"][0]

    assert (found["kind"], found["of"], found["by"], found["comment"]) == ("subject", "nightly", "anna", "it leaked")


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({}, "say one of"),
        ({"id": "a", "subject": "b"}, "say one of"),
        ({"all": False}, "say one of"),
        ({"subject": ""}, "subject"),
        ({"subject": ["ci"]}, "subject"),
        ({"token": "opensesame"}, "no token"),
        ({"id": "a", "comment": ""}, "comment"),
    ],
)
def test_what_is_not_clear_revokes_nothing(api: Api, http: httpx.Client, wish: dict[str, Any], told: str) -> None:
    before = len(api.runtime.revocations.list())

    refusal = revoke(http, **wish)

    assert refusal.status_code == 400
    assert told in refusal.json()["errors"][0]
    assert "opensesame" not in refusal.text
    assert len(api.runtime.revocations.list()) == before


def test_half_a_character_is_no_subject(http: httpx.Client) -> None:
    refusal = http.post("/revocations", content=rb'{"subject": "half a \ud800 pair", "comment": "x"}')

    assert refusal.status_code == 400


def test_a_secret_that_is_replaced_counts_without_a_restart(tmp_path: Path) -> None:
    old, new = (token_of(with_secrets(tmp_path, secret)) for secret in (JWT_SECRET, NEW_SECRET))
    now_set = [with_secrets(tmp_path, JWT_SECRET)]

    async def life(url: str) -> None:
        redis = connect(settings(url, tmp_path))
        watch = RevocationWatch(redis, KEYS, RevocationCopy(tmp_path))
        check = TokenCheck(now_set[0], watch, lambda: now_set[0], every=0.0)
        assert (await check.check(old)).subject == "anna"
        with pytest.raises(RefusedTokenError, match="names no key"):
            await check.check(new)

        now_set[0] = with_secrets(tmp_path, NEW_SECRET, JWT_SECRET)
        (tmp_path / "pagerduty.yaml").write_text("# rotated")
        assert (await check.check(new)).subject == (await check.check(old)).subject == "anna"

        now_set[0] = with_secrets(tmp_path, NEW_SECRET)
        (tmp_path / "pagerduty.yaml").write_text("# the old one is struck off")
        with pytest.raises(RefusedTokenError, match="names no key"):
            await check.check(old)
        await redis.aclose()

    with start_server(tmp_path / "redis") as server:
        asyncio.run(life(server.url))


def with_secrets(folder: Path, first: str, *former: str) -> Settings:
    security = Security(jwt_secret=SecretStr(first), jwt_previous_secrets=tuple(map(SecretStr, former)))
    return settings("redis://127.0.0.1:1/0", folder).model_copy(update={"security": security})


def token_of(configured: Settings) -> str:
    from datetime import timedelta

    return AccessTokens(token_rules(configured)).issue("anna", [], timedelta(hours=1))
