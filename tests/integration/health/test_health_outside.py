"""Faults on PagerDuty's side, planted in the sandbox, and the canary."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.health.kit import CANARY_KEY, KEY, TOKEN, by_name, look, wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.health.models import LineView
    from tasks.runtime import Runtime
    from tests.conftest import Sandbox


@pytest.fixture
def runtime(tmp_path: Path, client: Any, server: Server, sandbox: Sandbox) -> Iterator[Runtime]:
    made = wire(tmp_path, server.url, sandbox)
    yield made
    close(made)


def close(runtime: Runtime) -> None:
    """Let go of connections."""
    runtime.delivery.close()
    if "rest" in vars(runtime):
        runtime.rest.close()
    runtime.client.close()


def events(lines: dict[str, LineView]) -> list[LineView]:
    return [line for name, line in lines.items() if name.startswith("events.")]


def account(sandbox: Sandbox, **parts: Any) -> None:
    """The account, with these parts put in."""
    known = sandbox.control("GET", "/account")
    sandbox.control("PUT", "/account", {**known, **parts})


def test_a_well_account_is_well_and_nobody_is_called(runtime: Runtime, sandbox: Sandbox) -> None:
    found = look(runtime)

    assert [found[name].state for name in ("rest.answer", "rest.token", "rest.scopes", "rest.quota")] == ["ok"] * 4
    assert found["rest.token"].value == "key of the account"
    assert [line.state for line in events(found)] == ["ok", "ok"]
    assert sandbox.incidents() == []


def test_a_revoked_key_fails_and_is_to_be_made_anew(runtime: Runtime, sandbox: Sandbox) -> None:
    account(sandbox, tokens=["someothertoken012345"])

    found = look(runtime)["rest.token"]

    assert found.state == "fail"
    assert "make a new key" in found.mend
    assert TOKEN not in str(found)


def test_a_key_of_the_other_region_fails_and_the_address_is_named(runtime: Runtime, sandbox: Sandbox) -> None:
    account(sandbox, tokens=[{"token": TOKEN, "region": "eu"}])

    found = look(runtime)["rest.token"]

    assert found.state == "fail"
    assert "PAGERDUTY_API_URL" in found.mend


def test_a_users_key_is_told_from_the_accounts_which_needs_a_sender(
    tmp_path: Path, client: Any, server: Server, sandbox: Sandbox
) -> None:
    made = wire(tmp_path, server.url, sandbox, PAGERDUTY_FROM_EMAIL="nobody@example.org")
    stranger = look(made)["rest.sender"]
    user = {"type": "user", "name": "Ann", "email": "ann@example.org"}
    headers = {"Authorization": f"Token token={TOKEN}", "From": "ann@example.org"}
    ann = sandbox.http.post("/users", json={"user": user}, headers=headers).json()["user"]
    account(sandbox, tokens=[{"token": TOKEN, "user": ann["id"]}])
    own = look(made)
    close(made)

    assert stranger.state == "fail"
    assert "PAGERDUTY_FROM_EMAIL" in stranger.mend
    assert "ann@example.org" in own["rest.token"].value
    assert "rest.sender" not in own


def test_a_key_that_may_not_read_something_is_told_what_for(runtime: Runtime, sandbox: Sandbox) -> None:
    sandbox.fault(kind="reject", status=403, path="/webhook_subscriptions")

    found = look(runtime)["rest.scopes"]

    assert found.state == "warn"
    assert "webhook_subscriptions (403): no care of webhooks" in found.value


def app(tmp_path: Path, server: Server, sandbox: Sandbox, secret: str = "s") -> Runtime:
    """An app that may read incidents and services, and no more."""
    scopes = ("incidents.read", "services.read")
    account(sandbox, oauth_clients=[{"client_id": "app", "client_secret": "s", "scopes": scopes}])
    names = {"CLIENT_ID": "app", "CLIENT_SECRET": secret, "SCOPES": " ".join(scopes), "SUBDOMAIN": "acme"}
    environ = {f"TOCSIN_PAGERDUTY__OAUTH__{name}": value for name, value in names.items()}
    return wire(
        tmp_path, server.url, sandbox, TOCSIN_PAGERDUTY__OAUTH__TOKEN_URL=f"{sandbox.url}/oauth/token", **environ
    )


def test_an_app_is_told_from_a_key_and_which_scope_it_lacks(
    tmp_path: Path, client: Any, server: Server, sandbox: Sandbox
) -> None:
    made = app(tmp_path, server, sandbox)
    found = look(made)
    close(made)

    assert found["rest.token"].value == "token of an OAuth app"
    assert found["rest.scopes"].state == "warn"
    assert found["rest.scopes"].mend == "give the app the scopes webhook_subscriptions.read"


def test_an_app_that_gets_no_token_is_told_so(tmp_path: Path, client: Any, server: Server, sandbox: Sandbox) -> None:
    made = app(tmp_path, server, sandbox, secret="wrong")
    found = look(made)
    close(made)

    assert found["rest.token"].state == "fail"
    assert "pagerduty.oauth" in found["rest.token"].mend


def test_few_calls_left_are_warned_of(runtime: Runtime, sandbox: Sandbox) -> None:
    sandbox.control("POST", "/limits", {"rest_per_minute": 6})

    found = look(runtime)["rest.quota"]

    assert found.state == "warn"
    assert "of 6 calls left" in found.value


def test_a_routing_key_that_pagerduty_does_not_know_is_named_without_being_shown(
    runtime: Runtime, sandbox: Sandbox
) -> None:
    sandbox.control("DELETE", f"/keys/{KEY}")

    bad, good = sorted(events(look(runtime)), key=lambda line: line.state)

    assert (bad.state, good.state) == ("fail", "ok")
    assert bad.value.startswith("shop via primary: refused with 400: ")
    assert "put a routing key that PagerDuty knows into the channel" in bad.mend
    assert KEY not in str(bad)


def test_a_key_with_much_to_send_is_not_asked_as_well(runtime: Runtime, client: Any) -> None:
    from tasks.utils.identifiers import key_id

    client.zadd(runtime.keys.sends(key_id(KEY)), {str(number): number for number in range(80)})

    assert look(runtime)[f"events.{key_id(KEY)}"].state == "skip"


def test_pagerduty_that_fails_is_told_as_such(runtime: Runtime, sandbox: Sandbox) -> None:
    sandbox.fault(kind="outage", status=503)

    found = look(runtime)

    assert {line.state for line in events(found)} == {"fail"}
    assert found["rest.answer"].state == "fail"
    assert "status.pagerduty.com" in found["rest.answer"].mend


def test_a_marked_event_opens_and_ends_an_alert_and_no_other_check_opens_any(
    runtime: Runtime, sandbox: Sandbox
) -> None:
    from tasks.checking import marked_event

    found = by_name(runtime.health.examine("quick", [marked_event(runtime)]))

    [incident] = sandbox.incidents()
    assert found["test.event"].state == "ok"
    assert (incident["status"], incident["title"]) == ("resolved", "Tocsin: a test, to be resolved at once")


def test_a_throttled_key_is_no_failure(runtime: Runtime, sandbox: Sandbox) -> None:
    sandbox.fault(kind="throttle")

    found = look(runtime)

    assert {line.state for line in [*events(found), found["rest.answer"]]} == {"warn"}


def test_a_marked_event_is_ended_also_where_nobody_said_that_it_was_opened(runtime: Runtime, sandbox: Sandbox) -> None:
    from tasks.checking import marked_event

    sandbox.fault(kind="truncated", path="/v2/enqueue", count=1)

    found = by_name(runtime.health.examine("quick", [marked_event(runtime)]))["test.event"]

    assert found.state == "fail"
    assert "look whether an alert tocsin-test-" in found.mend
    assert [incident["status"] for incident in sandbox.incidents()] == ["resolved"]


@contextmanager
def working(runtime: Runtime) -> Iterator[None]:
    """What workers of both groups do, until the end."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.02):
            runtime.alerts.drain_inbox()
            runtime.delivery.drain()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    ended.set()
    thread.join()


def with_canary(tmp_path: Path, server: Server, sandbox: Sandbox, within: str = "10s") -> Runtime:
    setting = {"TOCSIN_HEALTH__CANARY_SERVICE": "canary", "TOCSIN_HEALTH__CANARY_WITHIN": within}
    return wire(tmp_path, server.url, sandbox, **setting)


def test_a_canary_goes_the_whole_way_is_seen_and_is_resolved(
    tmp_path: Path, client: Any, server: Server, sandbox: Sandbox
) -> None:
    made = with_canary(tmp_path, server, sandbox)
    with working(made):
        found = look(made)["canary.way"]
    close(made)

    sent = [
        (one["event_action"], one["routing_key"])
        for one in sandbox.log()
        if "tocsin-canary:" in (one["dedup_key"] or "")
    ]
    assert found.state == "ok", found
    assert "shown as incident 1" in found.value
    assert sent == [("trigger", CANARY_KEY), ("resolve", CANARY_KEY)]
    assert [incident["status"] for incident in sandbox.incidents()] == ["resolved"]


def test_a_canary_says_where_it_is_stuck(tmp_path: Path, client: Any, server: Server, sandbox: Sandbox) -> None:
    made = with_canary(tmp_path, server, sandbox, within="300ms")
    inbox = look(made)["canary.way"]
    made.alerts.drain_inbox()
    close(made)

    assert inbox.state == "fail"
    assert "inbox" in inbox.value
    assert inbox.mend.startswith("start `tocsin worker alert`")


def test_a_canary_that_pagerduty_swallows_is_told(
    tmp_path: Path, client: Any, server: Server, sandbox: Sandbox
) -> None:
    made = with_canary(tmp_path, server, sandbox, within="4s")  # on a busy machine it is out after two
    sandbox.fault(kind="swallow", key=CANARY_KEY)
    with working(made):
        found = look(made)["canary.way"]
    close(made)

    assert found.state == "fail"
    assert "not shown by PagerDuty" in found.value
