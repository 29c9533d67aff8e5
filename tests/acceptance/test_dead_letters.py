"""What people do with dead letters: look at them by group, put them back, give up the old ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.audit.service import AuditRules, AuditService
from tasks.notifications.dead_letters import DeadLetters
from tasks.notifications.letter_care import LetterCare
from tasks.notifications.letter_filter import EVERY_LETTER, LetterFilter
from tasks.utils.error_handler import PermanentError
from tests.pipeline import PRIMARY_KEY, STANDBY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.notifications.models import DeadLetter
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

HOUR = timedelta(hours=1)
REST = timedelta(minutes=11)  # then a key that was refused is tried again


@pytest.fixture
def letters(client: Any, keys: Keys) -> DeadLetters:
    return DeadLetters(client, keys)


@pytest.fixture
def care(client: Any, keys: Keys) -> LetterCare:
    return LetterCare(client, keys)


def refuse_all(pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, *alerts: Any) -> list[str]:
    """The ids of alerts that every channel refused."""
    for key in (PRIMARY_KEY, STANDBY_KEY):
        sandbox.fault(kind="reject", key=key)
    ids = [one.id for one in pipeline.submit(*alerts)]
    while pipeline.delivery.drain().attempts:
        pass
    sandbox.heal()
    clock.advance(REST)
    return ids


def ids(found: Any) -> list[str]:
    return [letter.id for letter in found]


def poisoned(pipeline: Pipeline, *alerts: Any, message: str = "bad", seen: str = "") -> list[str]:
    """The ids of alerts of a message that killed its workers."""
    pipeline.alerts.bury(message, alerts, "poison", "killed its worker", seen)
    return [f"{message}:{number}" for number in range(len(alerts))]


def test_letters_are_counted_by_destination_and_reason_with_their_times(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, letters: DeadLetters
) -> None:
    refuse_all(pipeline, sandbox, clock, alert("a"), alert("b"))
    pipeline.submit({"event_action": "nonsense"})
    clock.advance(HOUR)
    refuse_all(pipeline, sandbox, clock, {**alert("c"), "service": "solo"}, alert("d"))

    groups = letters.groups()

    told = [(one.service, one.reason, one.count) for one in groups]
    assert told == [("shop", "http:400", 3), ("", "invalid", 1), ("solo", "http:400", 1)]
    assert groups[0].newest - groups[0].oldest >= HOUR
    assert groups[0].destination == "shop"


@pytest.mark.parametrize(
    ("wish", "fits"),
    [
        ({"service": "shop"}, "ab"),
        ({"service": "solo"}, "c"),
        ({"severity": "warning"}, "b"),
        ({"summary": "A IS in"}, "a"),
        ({"action": "resolve"}, ""),
        ({"channel": "standby"}, "ab"),
        ({"channel": "primary"}, "c"),
        ({"reason": "nothing"}, ""),
        ({}, "abc"),
    ],
)
def test_a_filter_fits_by_every_field(
    pipeline: Pipeline,
    sandbox: Sandbox,
    clock: MovableClock,
    letters: DeadLetters,
    wish: dict[str, str],
    fits: str,
) -> None:
    alerts = [alert("a"), alert("b", severity="warning"), {**alert("c"), "service": "solo"}]
    named = dict(zip("abc", refuse_all(pipeline, sandbox, clock, *alerts), strict=True))

    assert set(ids(letters.walk(LetterFilter(**wish)))) == {named[name] for name in fits}


def test_a_filter_fits_by_the_time_of_death(pipeline: Pipeline, clock: MovableClock, letters: DeadLetters) -> None:
    [old] = poisoned(pipeline, alert("a"), message="old")
    clock.advance(2 * HOUR)
    [new] = poisoned(pipeline, alert("b"), message="new")
    middle = clock.now() - HOUR

    assert ids(letters.walk(LetterFilter(since=middle))) == [new]
    assert ids(letters.walk(LetterFilter(until=middle))) == [old]
    assert letters.growth(HOUR) == 1
    assert letters.growth(3 * HOUR) == 2


def test_hundreds_of_one_moment_are_walked_once_each_in_both_directions(
    pipeline: Pipeline, client: Any, keys: Keys, letters: DeadLetters
) -> None:
    buried = poisoned(pipeline, *(alert(f"k{number}") for number in range(350)))
    client.zadd(keys.dead, dict.fromkeys(buried[:250], 1e12))

    down, up = ids(letters.walk()), ids(letters.walk(oldest_first=True))

    assert sorted(down) == sorted(buried)
    assert up == down[::-1]


def test_a_letter_whose_alert_was_resolved_meanwhile_says_so(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, letters: DeadLetters
) -> None:
    [dead, other] = refuse_all(pipeline, sandbox, clock, alert("disk"), alert("cpu"))
    pipeline.submit(alert("disk", "resolve"))

    assert (letters.get(dead).meanwhile, letters.get(other).meanwhile) == ("resolved", "")
    assert (letters.groups()[0].count, letters.groups()[0].resolved) == (2, 1)


def test_a_letter_that_newer_news_has_overtaken_says_so(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, letters: DeadLetters
) -> None:
    [dead] = refuse_all(pipeline, sandbox, clock, alert("disk", summary="old"))
    pipeline.submit(alert("disk", summary="new"))

    assert letters.get(dead).meanwhile == "overtaken"


def test_a_poison_letter_knows_that_it_was_resolved_after_its_message_came(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, letters: DeadLetters
) -> None:
    seen = str(clock.now_ms())
    clock.advance(timedelta(minutes=1))
    pipeline.submit(alert("disk"), alert("disk", "resolve"))
    [dead] = poisoned(pipeline, alert("disk"), seen=seen)

    letter = letters.get(dead)
    report = pipeline.delivery.replay([dead])
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert (letter.meanwhile, letter.service, letter.summary) == ("resolved", "shop", "disk is in trouble")
    assert "resolved meanwhile" in report.refused[dead]
    assert pipeline.state(dead) == "suppressed resolved_before_send"
    assert sandbox.log() == []


def test_a_poison_trigger_gives_way_to_a_newer_one_of_its_alert(
    pipeline: Pipeline, clock: MovableClock, letters: DeadLetters
) -> None:
    [dead] = poisoned(pipeline, alert("disk", summary="old"))
    clock.advance(timedelta(minutes=1))
    [new] = pipeline.submit(alert("disk", summary="new"))

    meanwhile = letters.get(dead).meanwhile
    pipeline.delivery.replay([dead])

    assert meanwhile == "overtaken"
    assert (pipeline.state(dead), pipeline.event(dead)["into"]) == ("merged superseded", new.id)


def test_a_poison_resolve_still_ends_its_alert_when_it_is_replayed(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, letters: DeadLetters
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    clock.advance(timedelta(minutes=1))
    [dead] = poisoned(pipeline, alert("disk", "resolve"))

    meanwhile = letters.get(dead).meanwhile
    pipeline.delivery.replay([dead])
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert meanwhile == ""
    assert [incident["status"] for incident in sandbox.incidents()] == ["resolved"]


def test_a_poison_resolve_does_not_end_what_began_after_it(
    pipeline: Pipeline, clock: MovableClock, letters: DeadLetters
) -> None:
    [dead] = poisoned(pipeline, alert("disk", "resolve"))
    clock.advance(timedelta(minutes=1))
    pipeline.submit(alert("disk"))

    meanwhile = letters.get(dead).meanwhile
    pipeline.delivery.replay([dead])

    assert meanwhile == "overtaken"
    assert pipeline.state(dead) == "suppressed overtaken"


def test_a_poison_trigger_goes_out_when_it_is_replayed_and_is_a_letter_like_others_when_it_dies_again(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, letters: DeadLetters
) -> None:
    [dead] = poisoned(pipeline, alert("disk"))
    pipeline.delivery.replay([dead])
    pipeline.alerts.drain_inbox()

    for key in (PRIMARY_KEY, STANDBY_KEY):
        sandbox.fault(kind="reject", key=key)
    pipeline.deliver()
    again = letters.get(dead)
    sandbox.heal()
    clock.advance(REST)
    pipeline.delivery.replay([dead])
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert (again.meanwhile, again.channel) == ("", "standby")
    assert pipeline.state(dead).startswith("sent")
    assert len(sandbox.incidents()) == 1


def test_what_a_poison_message_carried_is_told_although_nothing_in_it_is_sure(
    pipeline: Pipeline, letters: DeadLetters
) -> None:
    odd = [7, None, {"payload": ["x"]}, {"event_action": ["trigger"], "dedup_key": 5, "service": {"a": 1}}]
    dead = poisoned(pipeline, *odd)

    assert sorted(ids(letters.walk())) == dead
    assert all(letter.service == "" for letter in letters.walk(LetterFilter(reason="poison")) if letter.id != "bad:2")


def test_a_dry_run_counts_and_changes_nothing(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, care: LetterCare, client: Any, keys: Keys
) -> None:
    refuse_all(pipeline, sandbox, clock, alert("disk"), alert("cpu"), alert("net"))
    pipeline.submit(alert("disk", "resolve"))
    before = client.xlen(keys.ledger)

    count = care.replay_all(EVERY_LETTER, dry_run=True)

    assert (count.matched, count.done, count.refused) == (3, 2, {"resolved": 1})
    assert client.zcard(keys.dead) == 3
    assert client.xlen(keys.ledger) == before


def test_a_replay_does_what_its_dry_run_has_told(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, care: LetterCare
) -> None:
    dead = refuse_all(pipeline, sandbox, clock, *(alert(f"k{number}") for number in range(120)))
    pipeline.submit(*(alert(f"k{number}", "resolve") for number in range(7)))
    told = care.replay_all(LetterFilter(service="shop"), dry_run=True)
    seen: list[int] = []

    count = care.replay_all(LetterFilter(service="shop"), progress=seen.append)
    while pipeline.alerts.drain_inbox().drained:
        pass
    while pipeline.deliver():
        pass

    assert (
        (count.matched, count.done, count.refused)
        == (told.matched, told.done, told.refused)
        == (120, 113, {"resolved": 7})
    )
    assert sum(seen) == 120
    assert {pipeline.state(one).split()[0] for one in dead[7:]} == {"sent"}
    assert len({incident["id"] for incident in sandbox.incidents()}) == 100  # as many as one page shows


def test_letters_are_put_back_oldest_first_so_that_a_resolve_follows_its_trigger(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, care: LetterCare
) -> None:
    poisoned(pipeline, alert("disk"), message="z")
    clock.advance(timedelta(seconds=1))
    poisoned(pipeline, alert("disk", "resolve"), message="a")

    care.replay_all(EVERY_LETTER)
    pipeline.alerts.drain_inbox()
    pipeline.deliver()

    assert (pipeline.state("z:0"), pipeline.state("a:0")) == (
        "suppressed resolved_before_send",
        "suppressed nothing_was_sent",
    )


def test_a_replay_in_parts_goes_on_where_it_ended_and_is_not_held_up_by_what_cannot_be_replayed(
    pipeline: Pipeline, care: LetterCare, client: Any, keys: Keys
) -> None:
    from tasks.utils.graves import Graves

    for number in range(60):
        Graves(client, keys).bury(f"rubbish {number}", "cannot be read", {})
    poisoned(pipeline, *(alert(f"k{number}") for number in range(110)))

    counts = [care.replay_all(EVERY_LETTER, most=50) for _ in range(3)]

    assert [count.more for count in counts] == [True, True, False]
    assert sum(count.done for count in counts) == 110
    assert client.zcard(keys.dead) == 60


def test_a_purge_gives_up_what_is_old_by_name_with_who_and_why(
    pipeline: Pipeline, clock: MovableClock, care: LetterCare, client: Any, keys: Keys, tmp_path: Path
) -> None:
    old = poisoned(pipeline, *(alert(f"k{number}") for number in range(60)), message="old")
    clock.advance(31 * 24 * HOUR)
    [new] = poisoned(pipeline, alert("new"), message="new")
    words = ("ann", "a month old")

    dry = care.purge(LetterFilter(), timedelta(days=30), words, dry_run=True)
    other = care.purge(LetterFilter(service="solo"), timedelta(days=30), words)
    count = care.purge(LetterFilter(), timedelta(days=30), words)
    report = AuditService(client, keys, AuditRules(tmp_path)).prove()

    assert (dry.matched, dry.done, other.matched, count.done, count.refused) == (60, 60, 0, 60, {})
    assert client.zrange(keys.dead, 0, -1) == [new]
    last = client.xrevrange(keys.ledger, count=1)[0][1]
    assert (last["s"], last["r"], last["d"]) == ("suppressed", "dropped", "by ann: a month old")
    assert report.holds
    assert (report.suppressed, report.dead) == ({"dropped": len(old)}, {"poison": 1})


def test_a_replay_as_a_task_asks_for_it_names_ids_or_a_filter(pipeline: Pipeline, care: LetterCare) -> None:
    poisoned(pipeline, alert("a"), alert("b"))

    counted = care.asked(None, {"reason": "poison"}, dry_run=True)
    named = care.asked(["bad:0", "bad:7"], None, dry_run=False)

    assert counted.model_dump()["done"] == 2
    assert named.model_dump() == {"replayed": ["bad:0"], "refused": {"bad:7": "is no dead letter"}}
    for ids_, where in ((None, None), (["bad:1"], {})):
        with pytest.raises(PermanentError, match="event_ids, or where"):
            care.asked(ids_, where, dry_run=False)


def test_a_preview_shows_no_secret(pipeline: Pipeline, letters: DeadLetters) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    details = {"password": "sesame", "url": f"https://x:{secret}@host/", "list": [{"api_token": "t"}], "note": secret}
    [dead] = poisoned(pipeline, alert("a", custom_details=details))

    letter: DeadLetter = letters.get(dead)

    shown = letter.model_dump_json()
    assert "sesame" not in shown
    assert secret not in shown
    assert letter.alert["payload"]["custom_details"]["list"] == [{"api_token": "(not shown)"}]


def test_a_filter_must_be_made_of_what_there_is() -> None:
    with pytest.raises(ValueError, match="reasn"):
        LetterFilter.model_validate({"reasn": "x"})
    with pytest.raises(ValueError, match="timezone"):
        LetterFilter(since=datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))
