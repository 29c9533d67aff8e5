"""Fields that a service wants encrypted: readable in what people get, and nowhere in Redis on the way."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import load
from tasks.alerts.models import SilenceDraft
from tasks.runtime import Runtime
from tasks.utils.error_handler import InvalidRuleError
from tasks.utils.rows import Inbox, InboxRow, new_event_id
from tests.acceptance.routed import CHANNELS, DATABASE, Fleet, send, trigger
from tests.redis_dump import everything

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

SECRET = "geheimgeheim"
OLD = base64.urlsafe_b64encode(b"o" * 32).decode()
NEW = base64.urlsafe_b64encode(b"n" * 32).decode()
FIELDS = "encrypt_fields: [custom_details.password, custom_details.card, 'custom_details.*.token', links]\n"


def wired(fleet: Fleet, more: str = FIELDS, **environ: str) -> Runtime:
    fleet._write("pagerduty.yaml", "default_service: shop\n")
    fleet._write("services/shop.yaml", CHANNELS + more)
    fleet._write("services/database.yaml", DATABASE)
    runtime = Runtime(load(environ={**fleet.environ, "ENCRYPTION_KEY": NEW, **environ}, config_dir=fleet._folder))
    fleet._runtimes.append(runtime)
    return runtime


def secretive(key: str = "disk", **details: Any) -> dict[str, Any]:
    alert = trigger(key)
    alert["payload"]["custom_details"] = {"password": SECRET, "host": "web1", **details}
    return alert


@pytest.fixture(autouse=True)
def _seen(sandbox: Sandbox) -> None:
    sandbox.since = sandbox.control("GET", f"/exchanges?of=events&since={2**53}&limit=1")["next"]


def arrived(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The events as PagerDuty got them."""
    page = sandbox.control("GET", f"/exchanges?of=events&since={sandbox.since}")
    return [one["request"] for one in page["exchanges"]]


def test_a_sensitive_field_reaches_pagerduty_and_never_stands_in_redis(
    fleet: Fleet, sandbox: Sandbox, client: Any
) -> None:
    runtime = wired(fleet)
    nested = {"user": {"token": SECRET}, "list": [{"token": [SECRET, 7]}], "Password": SECRET}
    alert = {**secretive(**nested), "links": [{"href": f"https://x.example/?{SECRET}", "text": "open"}]}

    runtime.alerts.submit(new_event_id(), [alert])
    before = everything(client)
    runtime.delivery.drain()

    details = {"password": SECRET, "host": "web1", **nested}
    (event,) = arrived(sandbox)
    assert event["payload"]["custom_details"] == details
    assert event["links"] == [{"href": f"https://x.example/?{SECRET}", "text": "open"}]
    assert "web1" in before
    assert SECRET not in before
    assert SECRET not in everything(client)


def test_what_the_gateway_writes_is_encrypted_and_decided_on_as_if_it_were_not(
    fleet: Fleet, sandbox: Sandbox, client: Any, keys: Any
) -> None:
    runtime = wired(fleet)
    rows = [InboxRow(new_event_id(), runtime.sealed_fields.seal(secretive()), "events") for _ in range(2)]

    Inbox(client, keys).put(rows)
    assert SECRET not in everything(client)
    runtime.alerts.drain_inbox()
    runtime.delivery.drain()

    (event,) = arrived(sandbox)
    assert event["payload"]["custom_details"]["password"] == SECRET
    assert client.hget(keys.event(rows[1].id), "reason") == "duplicate"


def test_another_secret_is_news_and_the_same_one_is_none(fleet: Fleet, sandbox: Sandbox) -> None:
    runtime = wired(fleet)

    for password in ("one", "one", "two"):
        send(runtime, secretive(password=password))

    assert [event["payload"]["custom_details"]["password"] for event in arrived(sandbox)] == ["one", "two"]


def test_its_sign_cannot_be_guessed_from_the_secret(fleet: Fleet, client: Any, keys: Any) -> None:
    signs = set()
    for key in (NEW, OLD):
        send(wired(fleet, ENCRYPTION_KEY=key), secretive(key))
        signs |= {client.hget(name, "last_sign") for name in client.scan_iter(f"{keys.prefix}alert:*")}

    assert len(signs) == 2


def test_no_rule_sees_what_is_encrypted(fleet: Fleet) -> None:
    runtime = wired(fleet)
    draft = SilenceDraft(
        matchers=[f"password={SECRET}"], services=["shop"], duration_seconds=60, author="a", comment="c"
    )

    [explained] = runtime.explainer.explain([secretive()])

    assert "password" not in explained.labels
    assert explained.labels["host"] == "web1"
    with pytest.raises(InvalidRuleError, match="nobody can see the label 'password': it is encrypted"):
        runtime.silences.create(draft)


def test_a_dead_letter_keeps_it_encrypted_shows_it_to_nobody_and_can_be_replayed(
    fleet: Fleet, sandbox: Sandbox, client: Any, clock: MovableClock
) -> None:
    sandbox.fault(kind="reject", status=403)
    runtime = wired(fleet)
    (event_id,) = send(runtime, secretive(card=SECRET))
    runtime.delivery.drain()

    letter = runtime.dead_letters.get(event_id)
    assert SECRET not in everything(client)
    assert letter.alert["payload"]["custom_details"]["card"] == "(encrypted)"
    assert letter.alert["payload"]["custom_details"]["host"] == "web1"
    assert SECRET not in json.dumps(letter.model_dump(), default=str)
    sandbox.heal()
    clock.advance(timedelta(minutes=11))
    assert runtime.letter_care.replay([event_id]).replayed == [event_id]
    runtime.alerts.drain_inbox()
    runtime.delivery.drain()
    assert arrived(sandbox)[-1]["payload"]["custom_details"]["card"] == SECRET


def test_an_alert_that_is_refused_is_kept_encrypted(fleet: Fleet, client: Any) -> None:
    runtime = wired(fleet)
    broken = {**secretive(), "event_action": "explode"}

    [decision] = runtime.alerts.submit(new_event_id(), [broken]).alerts
    runtime.graves.bury(json.dumps([[], {"alerts": [secretive()]}, {}]), "names an unknown task", {"id": "x"})

    assert decision.state == "dead"
    assert SECRET not in everything(client)
    assert runtime.dead_letters.get("message:x").raw == "(encrypted)"


def test_what_json_cannot_carry_in_an_alert_that_is_refused_costs_no_other_alert(fleet: Fleet, client: Any) -> None:
    runtime = wired(fleet)
    broken = {**secretive(password=[SECRET, float("nan")]), "event_action": "explode"}

    decisions = runtime.alerts.submit(new_event_id(), [broken, secretive("fine")]).alerts

    assert [one.state for one in decisions] == ["dead", "queued"]
    assert SECRET not in everything(client)


def test_after_a_rotation_what_waits_is_still_read(fleet: Fleet, sandbox: Sandbox) -> None:
    before = wired(fleet, ENCRYPTION_KEY=OLD)
    before.alerts.submit(new_event_id(), [secretive()])

    after = wired(fleet, more="", ENCRYPTION_KEY=NEW, TOCSIN_SECURITY__PREVIOUS_ENCRYPTION_KEYS=OLD)
    after.delivery.drain()

    (event,) = arrived(sandbox)
    assert event["payload"]["custom_details"]["password"] == SECRET


def test_without_its_key_the_page_goes_out_and_says_so(fleet: Fleet, sandbox: Sandbox) -> None:
    before = wired(fleet, ENCRYPTION_KEY=OLD)
    before.alerts.submit(new_event_id(), [secretive()])

    wired(fleet, ENCRYPTION_KEY=NEW).delivery.drain()

    (event,) = arrived(sandbox)
    told = event["payload"]["custom_details"]["password"]
    assert told.startswith("(encrypted with the key ")
    assert told.endswith(", which is not known here)")


def test_a_value_moved_to_another_place_is_not_opened_there(fleet: Fleet, sandbox: Sandbox) -> None:
    runtime = wired(fleet)
    sealed = runtime.sealed_fields.seal(secretive())["payload"]["custom_details"]["password"]

    send(runtime, trigger("moved", note=sealed))

    (event,) = arrived(sandbox)
    assert event["payload"]["custom_details"]["note"] == sealed


def test_a_group_of_alerts_tells_the_fields_of_each_to_people_only(
    fleet: Fleet, sandbox: Sandbox, client: Any, clock: MovableClock
) -> None:
    runtime = wired(fleet, f"{FIELDS}group_by: [host]\nmax_wait: 10s\nroutes: [{{name: all, group_by: [host]}}]\n")

    send(runtime, secretive("a"), secretive("b"))
    clock.advance(timedelta(seconds=11))
    runtime.delivery.digest()
    runtime.delivery.drain()

    assert SECRET not in everything(client)
    assert arrived(sandbox)


def test_what_was_encrypted_whole_passes_after_nobody_wants_it_encrypted_any_more(
    fleet: Fleet, sandbox: Sandbox, client: Any, keys: Any
) -> None:
    before = wired(fleet, "encrypt_fields: [custom_details, links]\n")
    alert = {**secretive(), "links": [{"href": "https://x.example/", "text": SECRET}]}
    Inbox(client, keys).put([InboxRow(new_event_id(), before.sealed_fields.seal(alert), "events")])

    after = wired(fleet, more="")
    after.alerts.drain_inbox()
    after.delivery.drain()

    (event,) = arrived(sandbox)
    assert event["payload"]["custom_details"]["password"] == SECRET
    assert event["links"][0]["text"] == SECRET


def test_a_name_full_of_dots_is_no_deeper_than_any_other(fleet: Fleet, sandbox: Sandbox) -> None:
    runtime = wired(fleet)
    details = {"." * 70: {"token": SECRET}, "[" * 70: {"token": SECRET}}

    send(runtime, secretive(**details))

    (event,) = arrived(sandbox)
    assert event["payload"]["custom_details"] == {"password": SECRET, "host": "web1", **details}


def test_endless_nesting_neither_hides_a_field_nor_costs_the_other_alerts(
    fleet: Fleet, sandbox: Sandbox, client: Any
) -> None:
    runtime = wired(fleet, "encrypt_fields: [custom_details.password, custom_details.tree.password]\n")
    nested: Any = {"password": SECRET}
    for _ in range(400):
        nested = [nested]

    decisions = runtime.alerts.submit(new_event_id(), [secretive("deep", tree=nested), secretive("plain")]).alerts
    written = everything(client)
    runtime.delivery.drain()

    assert [one.state for one in decisions][1] == "queued"
    assert SECRET not in written
    assert "plain" in [event["dedup_key"] for event in arrived(sandbox)]
