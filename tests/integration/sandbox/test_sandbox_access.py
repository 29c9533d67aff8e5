"""Who may call the sandbox's REST API: keys of the account and of users, apps with scopes, regions, and their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pagerduty
import pytest

from deploy.sandbox.access.scopes import scope_of
from deploy.sandbox.routes import TABLES
from tests.integration.sandbox.kit import KEY, SandboxProcess, event, write_account
from tests.openapi import is_at_hand
from tests.openapi.document import described

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

ACCOUNT_KEY, USER_KEY, READ_KEY = "a" * 20, "u" * 20, "r" * 20
USER = {"id": "PUSER01", "name": "Ada", "email": "ada@example.com", "type": "user", "role": "admin"}
APP: dict[str, Any] = {"client_id": "app-1", "client_secret": "hush", "scopes": ["incidents.read", "services.read"]}
SERVICE = {"name": "db", "integrations": [{"routing_key": KEY}]}
ACCOUNT: dict[str, Any] = {
    "users": [USER],
    "services": [SERVICE],
    "tokens": [ACCOUNT_KEY, {"token": USER_KEY, "user": "PUSER01"}, {"token": READ_KEY, "read_only": True}],
    "oauth_clients": [APP],
}


def get(sandbox: SandboxProcess, path: str, authorization: str) -> httpx.Response:
    return sandbox.http.get(path, headers={"Authorization": authorization})


def ask_token(sandbox: SandboxProcess, scope: str, **fields: str) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_id": "app-1", "client_secret": "hush", "scope": scope}
    return sandbox.http.post("/oauth/token", data={**form, **fields})


def bearer(sandbox: SandboxProcess, scope: str) -> str:
    return f"Bearer {ask_token(sandbox, scope).json()['access_token']}"


@pytest.fixture
def account(sandbox: SandboxProcess) -> SandboxProcess:
    sandbox.control("PUT", "/account", ACCOUNT)
    return sandbox


def test_an_app_gets_a_token_for_the_scopes_it_may_have_and_the_others_are_silently_missing(
    account: SandboxProcess,
) -> None:
    answer = ask_token(account, "as_account-us.acme incidents.read incidents.write no.such")

    granted = answer.json()
    assert answer.status_code == 200
    assert granted["access_token"].startswith("pdus+_")
    assert (granted["token_type"], granted["expires_in"]) == ("bearer", 86_400)
    assert granted["scope"] == "as_account-us.acme incidents.read"
    assert ask_token(account, "as_account-us.acme no.such").json()["scope"] == "as_account-us.acme openid"


def test_the_official_client_gets_a_token_and_reads_with_it(account: SandboxProcess) -> None:
    account.enqueue(event())

    with pagerduty.OAuthTokenClient(APP["client_secret"], APP["client_id"]) as identity:
        identity._url = account.url  # the client refuses http:// where one is meant to set it
        token = identity.get_scoped_app_token("as_account-us.acme incidents.read")
    with pagerduty.RestApiV2Client(token["access_token"], auth_type="bearer") as rest:
        rest._url = account.url
        found = rest.list_all("incidents")

    assert [one["title"] for one in found] == ["disk full"]


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "incidents.read"}, 400, "invalid_request"),
    ],
)
def test_who_is_no_app_of_the_account_gets_no_token(
    account: SandboxProcess, fields: dict[str, str], status: int, error: str
) -> None:
    answer = ask_token(account, **{"scope": "as_account-us.acme incidents.read", **fields})

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_neither_an_apps_secret_nor_anybodys_key_is_kept(account: SandboxProcess) -> None:
    token = bearer(account, "as_account-us.acme incidents.read")
    get(account, "/incidents", token)
    get(account, "/incidents", f"Token token={ACCOUNT_KEY}")

    kept = str(account.control("GET", "/log")) + str(account.control("GET", "/exchanges"))

    assert not [one for one in (APP["client_secret"], ACCOUNT_KEY, token.removeprefix("Bearer ")) if one in kept]


def test_a_token_opens_what_its_scopes_say_and_a_refusal_names_both(account: SandboxProcess) -> None:
    token = bearer(account, "as_account-us.acme incidents.read")

    refused = account.http.post("/users", json={"user": USER}, headers={"Authorization": token})

    assert get(account, "/incidents", token).status_code == 200
    assert refused.status_code == 403
    error = refused.json()["error"]
    assert (error["code"], error["required_scopes"], error["token_scopes"]) == (2010, "users.write", "incidents.read")


def test_a_token_expires_by_the_sandboxs_clock(account: SandboxProcess) -> None:
    token = bearer(account, "as_account-us.acme incidents.read")

    account.advance(86_401)

    assert get(account, "/incidents", token).status_code == 401
    assert get(account, "/incidents", bearer(account, "as_account-us.acme incidents.read")).status_code == 200


def test_revoked_tokens_are_refused_at_once(account: SandboxProcess) -> None:
    token = bearer(account, "as_account-us.acme incidents.read")

    assert account.control("POST", "/tokens/revoke") == {"revoked": 1}

    assert get(account, "/incidents", token).status_code == 401


def test_a_made_up_bearer_token_is_refused_where_the_account_names_its_apps(account: SandboxProcess) -> None:
    assert get(account, "/incidents", "Bearer pdus+_0XBPWQQ").status_code == 401


def test_a_read_only_key_reads_and_does_not_write(account: SandboxProcess) -> None:
    key = f"Token token={READ_KEY}"

    refused = account.http.post("/teams", json={"team": {"type": "team", "name": "x"}}, headers={"Authorization": key})

    assert get(account, "/incidents", key).status_code == 200
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, 2010)


def test_a_users_key_acts_as_the_user_without_a_from_header(account: SandboxProcess) -> None:
    account.enqueue(event())
    headers = {"Authorization": f"Token token={USER_KEY}"}
    (incident,) = get(account, "/incidents", headers["Authorization"]).json()["incidents"]

    change = {"incident": {"type": "incident", "status": "acknowledged"}}
    answer = account.http.put(f"/incidents/{incident['id']}", json=change, headers=headers)

    assert answer.status_code == 200, answer.text
    assert answer.json()["incident"]["acknowledgements"][0]["acknowledger"]["id"] == "PUSER01"
    assert get(account, "/users/me", headers["Authorization"]).json()["user"]["id"] == "PUSER01"
    account.watch.skip("the description wants From always, the guide only with keys of the account")


def test_calls_count_together_by_user_and_by_app(sandbox: SandboxProcess) -> None:
    second = "v" * 20
    tokens = [*ACCOUNT["tokens"], {"token": second, "user": "PUSER01"}]
    sandbox.control("PUT", "/account", {**ACCOUNT, "tokens": tokens})
    sandbox.control("POST", "/limits", {"rest_per_minute": 1})
    apps = [bearer(sandbox, "as_account-us.acme incidents.read") for _ in range(2)]

    def statuses(*authorizations: str) -> list[int]:
        return [get(sandbox, "/incidents", one).status_code for one in authorizations]

    assert statuses(f"Token token={USER_KEY}", f"Token token={second}") == [200, 429]
    assert statuses(*apps) == [200, 429]
    assert statuses(f"Token token={ACCOUNT_KEY}", f"Token token={READ_KEY}") == [200, 200]


def test_what_is_of_the_other_region_is_refused_like_any_bad_token(tmp_path: Path) -> None:
    tokens = [ACCOUNT_KEY, {"token": USER_KEY, "region": "us"}]
    file = write_account(tmp_path / "account.json", {**ACCOUNT, "tokens": tokens})

    with SandboxProcess("--account", file, "--region", "eu") as european:
        keys = [get(european, "/incidents", f"Token token={key}").status_code for key in (ACCOUNT_KEY, USER_KEY)]
        apps = [
            get(european, "/incidents", bearer(european, f"as_account-{region}.acme incidents.read")).status_code
            for region in ("eu", "us")
        ]
        european.watch.check()

    assert (keys, apps) == ([200, 401], [200, 401])


def test_every_answer_has_a_request_id_of_its_own(sandbox: SandboxProcess) -> None:
    answers = [sandbox.http.get(path) for path in ("/incidents", "/nothing", "/incidents")]

    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def test_a_refusal_may_come_without_a_body(sandbox: SandboxProcess) -> None:
    for status in (401, 403, 404):
        sandbox.fault("reject", path="/incidents", status=status, body="", count=1)

    answers = [get(sandbox, "/incidents", f"Token token={ACCOUNT_KEY}") for _ in range(3)]

    assert [(one.status_code, one.content) for one in answers] == [(401, b""), (403, b""), (404, b"")]


def test_the_account_comes_out_with_its_keys_apps_and_subscriptions_as_it_went_in(sandbox: SandboxProcess) -> None:
    method = {"url": "https://tocsin.example/", "secret": "told by nobody"}
    subscription = {"events": ["incident.triggered"], "delivery_method": method}
    given = {**ACCOUNT, "region": "eu", "webhook_subscriptions": [subscription]}

    first = sandbox.control("PUT", "/account", given)
    again = sandbox.control("PUT", "/account", first)

    assert again == first
    assert (first["region"], first["tokens"], first["oauth_clients"]) == ("eu", ACCOUNT["tokens"], [APP])
    assert first["webhook_subscriptions"][0]["delivery_method"]["secret"] == "told by nobody"


def names(sandbox: SandboxProcess, path: str, kind: str) -> list[Any]:
    return [one["id"] for one in sandbox.get(path)[kind]]


def test_reads_may_be_behind_what_was_created_and_deleted(sandbox: SandboxProcess) -> None:
    headers = {"Authorization": f"Token token={ACCOUNT_KEY}"}
    team = {"team": {"type": "team", "name": "red"}}
    old = sandbox.http.post("/teams", json=team, headers=headers).json()["team"]["id"]
    sandbox.control("POST", "/limits", {"read_delay_seconds": 10})
    team["team"]["name"] = "blue"

    new = sandbox.http.post("/teams", json=team, headers=headers).json()["team"]["id"]
    sandbox.http.delete(f"/teams/{old}", headers=headers)
    at_once = (names(sandbox, "/teams", "teams"), get(sandbox, f"/teams/{new}", headers["Authorization"]).status_code)
    sandbox.advance(10)

    assert at_once == ([old], 404)
    assert names(sandbox, "/teams", "teams") == [new]
    assert get(sandbox, f"/teams/{old}", headers["Authorization"]).status_code == 404


def test_reads_may_be_behind_incidents_too(sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "/limits", {"read_delay_seconds": 10})

    sandbox.enqueue(event())
    at_once = sandbox.incidents()
    sandbox.advance(10)

    assert (at_once, len(sandbox.incidents())) == ([], 1)


@pytest.mark.skipif(not is_at_hand(), reason="PagerDuty's OpenAPI is not at hand")
def test_every_path_needs_the_scope_that_pagerduty_says() -> None:
    document = described("rest-openapiv3.json")

    wrong = []
    for method, path in (route for table in TABLES for route in table):
        operation = document.find(method, path)[1]
        said = operation.spec.get("x-pd-requires-scope") if operation else None
        if said not in (None, scope_of(method, path)):
            wrong.append((method, path, said))

    assert wrong == []
