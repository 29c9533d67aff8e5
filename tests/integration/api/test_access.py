"""Who gets in: every token that is not good is refused with a sentence, and none is ever shown."""

import asyncio
import base64
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from config.sections import Security
from deploy.local.embedded import start_server
from tasks.tokens.scopes import ROLES, SCOPES
from tasks.tokens.service import key_id
from tasks.utils.rows import Inbox
from tests.integration.api.kit import Api, running_api
from tests.integration.gateway_kit import JWT_SECRET, KEYS, TRIGGER, settings
from workers.gateway.app import create_app
from workers.gateway.server import connect

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
KID = key_id(JWT_SECRET)
OTHER = "a secret that this gateway never had"
NOW = datetime.now(UTC)
GOOD = {
    "iss": "tocsin",
    "aud": "tocsin",
    "sub": "mallory",
    "iat": NOW,
    "exp": NOW + timedelta(hours=1),
    "scope": " ".join(SCOPES),
}


def forged(algorithm: str = "HS256", key: Any = JWT_SECRET, kid: str | None = KID, **claims: Any) -> str:
    """A token with these claims in place of good ones; None takes a claim out."""
    said = {name: value for name, value in {**GOOD, **claims}.items() if value is not None}
    return jwt.encode(said, key, algorithm, headers={"kid": kid} if kid else {})


def part(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def signed_by_hand(key: bytes) -> str:
    """A good token signed with bytes that the library itself would not take for a secret."""
    said = {name: int(value.timestamp()) if isinstance(value, datetime) else value for name, value in GOOD.items()}
    content = f"{part({'alg': 'HS256', 'kid': KID})}.{part(said)}"
    signature = hmac.digest(key, content.encode(), "sha256")
    return f"{content}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def tampered() -> str:
    head, _, signature = forged(scope="alerts:read").split(".")
    said = {name: int(value.timestamp()) if isinstance(value, datetime) else value for name, value in GOOD.items()}
    return ".".join([head, part(said), signature])


REFUSED = {
    "none": (forged("none", None), "not signed with HS256"),
    "none without a signature part": (forged("none", None).rstrip("."), "no token"),
    "the name of the algorithm in small letters": (
        part({"alg": "hs256", "kid": KID}) + ".e30.eA",
        "not signed with HS256",
    ),
    "HS512 with the right secret": (forged("HS512", JWT_SECRET * 2), "not signed with HS256"),
    "RS256 with a key of one's own": (forged("RS256", RSA), "not signed with HS256"),
    "a public key used as secret": (signed_by_hand(PUBLIC), "signature does not fit"),
    "another secret under the right kid": (forged(key=OTHER), "signature does not fit"),
    "a payload changed afterwards": (tampered(), "signature does not fit"),
    "an unknown kid": (forged(kid="0123456789abcdef"), "names no key"),
    "the kid of another secret": (forged(key=OTHER, kid=key_id(OTHER)), "names no key"),
    "no kid": (forged(kid=None), "names no key"),
    "a kid that is no text": (part({"alg": "HS256", "kid": [KID]}) + ".e30.eA", "not as they should be"),
    "a path for a kid": (forged(kid="../../../../dev/null"), "names no key"),
    "expired": (forged(exp=NOW - timedelta(minutes=1)), "has expired"),
    "not valid yet": (forged(nbf=NOW + timedelta(hours=1)), "not valid yet"),
    "issued in the future": (forged(iat=NOW + timedelta(minutes=30)), "not valid yet"),
    "for ever": (forged(exp=NOW + timedelta(days=3650)), "made out for longer"),
    "another audience": (forged(aud="staging"), "another audience"),
    "another issuer": (forged(iss="elsewhere"), "another issuer"),
    **{
        f"without {name}": (forged(**{name: None}), f"lacks the claim '{name}'")
        for name in ("exp", "aud", "iss", "sub", "iat")
    },
    "an exp that is no time": (forged(exp="soon"), "no token"),
    "an empty sub": (forged(sub=" "), "is no name"),
    "a sub with a line end": (forged(sub="a\nb"), "is no name"),
    "a scope that is a list": (forged(scope=["alerts:read"]), "scope is no text"),
    "oversize": (forged(note="x" * 9000), "longer than 8192 bytes"),
    "a header nested deep": (base64.urlsafe_b64encode(b"[" * 6000).decode() + ".e30.x", "no token"),
    "no JWT": ("opensesame", "no token"),
    "dots": ("..", "no token"),
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        yield running
        log = running.gateway.log.read_text()
        assert not any(token in log for token, _ in REFUSED.values() if len(token) > 10)
        assert log == ""


def ask(api: Api, *authorization: str) -> httpx.Response:
    headers = [("Authorization", value) for value in authorization]
    return httpx.get(f"{api.gateway.url}/api/v1/alerts", headers=headers)


def test_a_good_token_gets_in(api: Api) -> None:
    assert ask(api, f"Bearer {forged()}").status_code == 200
    assert ask(api, f"bearer   {forged()}").status_code == 200


@pytest.mark.parametrize("kind", REFUSED)
def test_a_token_that_is_not_good_is_refused_with_a_sentence(api: Api, kind: str) -> None:
    token, sentence = REFUSED[kind]

    refused = ask(api, f"Bearer {token}")

    assert refused.status_code == 401
    assert sentence in refused.json()["errors"][0]
    assert refused.headers["www-authenticate"].startswith('Bearer realm="tocsin", error="invalid_token"')
    assert token not in refused.text


@pytest.mark.parametrize(
    "sent", [[], [""], ["Bearer"], ["Basic Og=="], ["Token token=x"], ["Bearer a", "Bearer b"]], ids=str
)
def test_whoever_brings_no_token_hears_how_to_get_one(api: Api, sent: list[str]) -> None:
    refused = ask(api, *sent)

    assert refused.status_code == 401
    assert "tocsin tokens issue" in refused.json()["errors"][0]
    assert refused.headers["www-authenticate"] == 'Bearer realm="tocsin"'


OPERATIONS = [
    ("POST", "/alerts", "alerts:write"),
    ("POST", "/alerts/explain", "alerts:read"),
    ("GET", "/alerts", "alerts:read"),
    ("GET", "/alerts/x", "alerts:read"),
    ("GET", "/silences", "silences:read"),
    ("POST", "/silences", "silences:write"),
    ("POST", "/silences/preview", "silences:read"),
    ("GET", "/silences/x", "silences:read"),
    ("DELETE", "/silences/x", "silences:write"),
    ("GET", "/maintenance-windows", "maintenance:read"),
    ("POST", "/maintenance-windows", "maintenance:write"),
    ("POST", "/maintenance-windows/preview", "maintenance:read"),
    ("GET", "/maintenance-windows/x", "maintenance:read"),
    ("DELETE", "/maintenance-windows/x", "maintenance:write"),
    ("GET", "/trails", "trails:read"),
    ("GET", "/trails/x", "trails:read"),
    ("GET", "/dead-letters", "dead-letters:read"),
    ("GET", "/dead-letters/groups", "dead-letters:read"),
    ("POST", "/dead-letters/replay", "dead-letters:replay"),
    ("POST", "/dead-letters/purge", "dead-letters:drop"),
    ("GET", "/dead-letters/x", "dead-letters:read"),
    ("POST", "/dead-letters/x/replay", "dead-letters:replay"),
    ("POST", "/dead-letters/x/drop", "dead-letters:drop"),
    ("GET", "/health", "health:read"),
    ("GET", "/revocations", "tokens:read"),
    ("POST", "/revocations", "tokens:revoke"),
    ("GET", "/acts", "audit:read"),
    ("GET", "/schedules", "schedules:read"),
    ("GET", "/schedules/x", "schedules:read"),
    ("POST", "/schedules/x/pause", "schedules:write"),
    ("POST", "/schedules/x/resume", "schedules:write"),
    ("GET", "/health/checks", "health:read"),
]


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS, ids=str)
def test_an_operation_needs_its_scope_and_no_other(api: Api, method: str, path: str, scope: str) -> None:
    with api.client(None, *(set(SCOPES) - {scope})) as others, api.client(None, scope) as holder:
        refused = others.request(method, path, json={})
        taken = holder.request(method, path, json={})

    assert refused.status_code == 403
    assert scope in refused.json()["errors"][0]
    assert refused.headers["www-authenticate"].endswith(f'error="insufficient_scope", scope="{scope}"')
    assert taken.status_code not in (401, 403)


def test_the_list_above_is_complete_and_the_document_says_the_same(api: Api) -> None:
    document = httpx.get(f"{api.gateway.url}/api/v1/openapi.json").json()

    told = [
        (method.upper(), path.replace("{id}", "x").replace("{uid}", "x"), *operation["security"][0]["accessToken"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    assert sorted(told) == sorted(OPERATIONS)
    assert {scope for _, _, scope in told} == set(SCOPES) == ROLES["admin"]


def test_without_a_secret_the_api_says_how_to_get_one_and_the_other_doors_serve(tmp_path: Path) -> None:
    async def ask_and_send(url: str) -> tuple[httpx.Response, httpx.Response]:
        configured = settings(url, tmp_path).model_copy(update={"security": Security()})
        redis = connect(configured)
        app = create_app(configured, Inbox(redis, KEYS), redis)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http,
        ):
            headers = {"authorization": f"Bearer {forged()}"}
            return await http.get("/api/v1/alerts", headers=headers), await http.post("/v2/enqueue", json=TRIGGER)

    with start_server(tmp_path / "redis") as server:
        off, taken = asyncio.run(ask_and_send(server.url))

    assert off.status_code == 501
    assert "tocsin config keygen" in off.json()["errors"][0]
    assert taken.status_code == 202
