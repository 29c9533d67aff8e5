"""What goes on while an alert is held back, let go, or dead: news, acknowledges, replays, causes that cause each other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.matchers import Matcher
from tasks.alerts.holds import Inhibition
from tasks.alerts.models import SilenceDraft
from tests.acceptance.routed import follow, send, trigger
from tests.pipeline import PRIMARY_KEY, STANDBY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.acceptance.routed import Fleet
    from tests.conftest import Sandbox

HOUR = timedelta(hours=1)
ROUTES = "- {name: critical, severity: [critical], channels: [night]}"


def open_keys(sandbox: Sandbox) -> set[str]:
    """Dedup keys of the incidents that are open, by what arrived."""
    found: set[str] = set()
    for entry in sandbox.log():
        if entry["outcome"] in ("opened", "resolved"):
            (found.add if entry["outcome"] == "opened" else found.discard)(entry["dedup_key"])
    return found


def refuse_all(sandbox: Sandbox) -> None:
    for key in (PRIMARY_KEY, STANDBY_KEY):
        sandbox.fault(kind="reject", key=key)


def inhibition(name: str, source: str, target: str) -> Inhibition:
    return Inhibition(name, (Matcher.parse(source),), (Matcher.parse(target),), ("source",))


def of_class(key: str, name: str, **payload: Any) -> dict[str, Any]:
    return alert(key, **{"class": name, **payload})


def test_an_acknowledge_does_not_outdate_what_was_let_go(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    pipeline.silence("source=web1")
    [held] = pipeline.submit(alert("disk"))
    clock.advance(HOUR)
    assert pipeline.alerts.release() == 1
    pipeline.submit(alert("disk", "acknowledge"))

    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert pipeline.state(held.id) == "sent primary"


def test_a_resolve_like_the_one_before_ends_what_is_held_back_since(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    pipeline.submit(alert("disk"), alert("disk", "resolve"))
    pipeline.silence("source=web1")
    pipeline.submit(alert("disk", summary="again"))
    [resolve] = pipeline.submit(alert("disk", "resolve"))
    clock.advance(HOUR)
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert resolve.state == "queued"
    assert open_keys(sandbox) == set()


def test_a_repeat_of_what_was_sent_outdates_what_is_held_back_since(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    pipeline.silence("severity=warning", minutes=2)
    pipeline.submit(alert("disk"), alert("disk", severity="warning"), alert("disk"))
    clock.advance(timedelta(minutes=3))

    assert pipeline.alerts.drain_inbox().released == 0


def test_an_old_resolve_that_is_replayed_does_not_end_what_fires_now(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    refuse_all(sandbox)
    [resolve] = pipeline.submit(alert("disk", "resolve"))
    pipeline.deliver()
    sandbox.heal()
    pipeline.submit(alert("disk", summary="again"))
    assert pipeline.event(resolve.id)["state"] == "dead"

    report = pipeline.delivery.replay([resolve.id])

    assert "overtaken" in report.refused[resolve.id]
    assert pipeline.state(resolve.id) == "suppressed overtaken"


def test_a_resolve_that_is_replayed_goes_where_its_own_episode_went(
    fleet: Fleet, sandbox: Sandbox, clock: MovableClock
) -> None:
    runtime = fleet.configured(ROUTES)
    send(runtime, trigger())
    fault = sandbox.fault(kind="reject")
    [resolve] = send(runtime, follow("resolve"))
    sandbox.control("DELETE", f"/faults/{fault}")
    clock.advance(HOUR)
    send(runtime, trigger(severity="warning"))

    assert runtime.delivery.replay([resolve]).replayed == [resolve]
    runtime.delivery.drain()

    assert fleet.sent()[-2:] == [("primary", "opened"), ("night", "resolved")]
    assert runtime.audit.prove().holds


def test_an_old_trigger_that_is_replayed_does_not_pass_for_news(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    refuse_all(sandbox)
    [old] = pipeline.submit(alert("disk", severity="warning"))
    pipeline.deliver()
    sandbox.heal()
    clock.advance(HOUR)
    [new] = pipeline.submit(alert("disk"))
    pipeline.deliver()

    pipeline.delivery.replay([old.id])

    assert (pipeline.state(old.id), pipeline.event(old.id)["into"]) == ("merged superseded", new.id)


def test_a_dead_letter_that_is_replayed_does_not_take_the_place_of_newer_news_that_is_held_back(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock
) -> None:
    refuse_all(sandbox)
    [old] = pipeline.submit(alert("disk", severity="warning"))
    pipeline.deliver()
    sandbox.heal()
    clock.advance(HOUR)
    pipeline.silence("source=web1", minutes=5)
    [held] = pipeline.submit(alert("disk"))

    pipeline.delivery.replay([old.id])
    clock.advance(HOUR)
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert pipeline.state(held.id) == "sent primary"
    assert pipeline.event(old.id)["into"] == held.id


def test_of_alerts_that_cause_and_suffer_the_same_one_calls_after_the_other(pipeline: Pipeline) -> None:
    pipeline.ruled_by(inhibitions=[inhibition("net", "class=Net", "class=Net")])
    pipeline.submit(of_class("a", "Net"))
    held = [pipeline.submit(of_class(key, "Net"))[0].id for key in ("b", "c")]
    assert {pipeline.event(event_id)["state"] for event_id in held} == {"suppressed"}

    pipeline.submit(alert("a", "resolve"))
    pipeline.alerts.drain_inbox()

    assert sorted(pipeline.event(event_id)["state"] for event_id in held) == ["queued", "suppressed"]


def test_two_alerts_do_not_hold_each_other_back(pipeline: Pipeline, clock: MovableClock) -> None:
    pipeline.ruled_by(inhibitions=[inhibition("one", "class=A", "class=B"), inhibition("two", "class=B", "class=A")])
    pipeline.silence("class=A", minutes=5)
    [first] = pipeline.submit(of_class("a", "A"))
    [second] = pipeline.submit(of_class("b", "B"))
    assert {pipeline.event(one.id)["state"] for one in (first, second)} == {"suppressed"}

    clock.advance(HOUR)
    pipeline.alerts.drain_inbox()

    assert pipeline.event(first.id)["state"] == "queued"


def test_two_alerts_do_not_hold_each_other_back_once_their_cause_is_gone(pipeline: Pipeline) -> None:
    rules = [inhibition("one", "class=A", "class=B"), inhibition("two", "class=~B|X", "class=A")]
    pipeline.ruled_by(inhibitions=rules)
    pipeline.submit(of_class("x", "X"))
    [first] = pipeline.submit(of_class("a", "A"))
    [second] = pipeline.submit(of_class("b", "B"))
    assert (first.reason, second.reason) == ("inhibition:two", "inhibition:one")

    pipeline.submit(alert("x", "resolve"))
    pipeline.alerts.drain_inbox()

    assert pipeline.event(first.id)["state"] == "queued"


def test_news_of_the_next_episode_is_resolved_where_it_went_whatever_the_resolve_says(
    fleet: Fleet, sandbox: Sandbox
) -> None:
    runtime = fleet.configured("- {name: ends, match: [action=resolve], channels: [night]}")
    runtime.alerts.submit("m", [trigger(), follow("resolve"), {**trigger(), "dedup_key": "disk"}])
    runtime.alerts.submit("n", [follow("resolve"), trigger(severity="warning")])
    runtime.delivery.drain()
    send(runtime, follow("resolve"))

    assert open_keys(sandbox) == set()
    assert {name for name, _ in fleet.sent()} == {"primary"}


def test_an_acknowledge_of_what_nobody_knows_opens_nothing(pipeline: Pipeline) -> None:
    pipeline.submit(alert("disk", "acknowledge"))

    assert pipeline.current.unresolved() == []


def test_a_silence_in_the_midst_of_flapping_does_not_forget_where_the_announcement_went(
    fleet: Fleet, sandbox: Sandbox, clock: MovableClock
) -> None:
    runtime = fleet.configured(ROUTES, more="flapping: {changes: 3, window: 10m, calm: 5m}")
    for one in (trigger(), follow("resolve"), trigger(), follow("resolve")):
        send(runtime, one)
    runtime.silences.create(SilenceDraft(matchers=["severity=warning"], duration_seconds=60, author="a", comment="b"))
    send(runtime, trigger(severity="warning"), follow("resolve"))
    clock.advance(HOUR)
    runtime.alerts.drain_inbox()
    runtime.delivery.drain()

    assert fleet.sent()[-1] == ("night", "resolved")
    assert open_keys(sandbox) == set()


def test_a_trigger_that_is_replayed_while_its_resolve_waits_in_the_inbox_is_not_sent(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    refuse_all(sandbox)
    [dead] = pipeline.submit(alert("disk"))
    pipeline.deliver()
    sandbox.heal()
    pipeline.receive(alert("disk", "resolve"))
    pipeline.delivery.replay([dead.id])

    pipeline.alerts.drain_inbox()

    assert pipeline.state(dead.id) == "suppressed resolved_before_send"
    assert pipeline.current.unresolved() == []


def test_a_trigger_that_is_replayed_does_not_outdate_newer_news_held_since(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    refuse_all(sandbox)
    [dead] = pipeline.submit(alert("disk", summary="old"))
    pipeline.deliver()
    sandbox.heal()
    pipeline.delivery.replay([dead.id])
    pipeline.silence("source=web1")
    [newer] = pipeline.submit(alert("disk", summary="new"))

    pipeline.alerts.drain_inbox()

    assert (pipeline.event(dead.id)["state"], pipeline.event(dead.id)["into"]) == ("merged", newer.id)
    assert pipeline.client.hget(pipeline.keys.alert(pipeline.event(newer.id)["uid"]), "held") == newer.id
