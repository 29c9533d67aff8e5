"""Redis stays small: what is over, old and sealed leaves it; nothing else does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.audit_kit import LedgerKit
from tests.pipeline import PRIMARY_KEY, STANDBY_KEY, Pipeline, alert

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

LONG = timedelta(hours=49)
VERY_LONG = timedelta(days=31)


@pytest.fixture
def kit(client: Any, keys: Keys, tmp_path: Path) -> LedgerKit:
    return LedgerKit(client, keys, tmp_path / "ledger")


@pytest.fixture
def pipeline(client: Any, keys: Keys, sandbox: Sandbox) -> Iterator[Pipeline]:
    for key in (PRIMARY_KEY, STANDBY_KEY):
        sandbox.register(key, "shop")
    made = Pipeline(client, keys, sandbox.url)
    yield made
    made.delivery.close()


def everything(client: Any, keys: Keys) -> set[str]:
    """Names of the keys there are, without those that never grow, and without the minute's rates, which go by themselves."""
    rates = {key for key in client.scan_iter(f"{keys.prefix}rates:*") if client.ttl(key) > 0}
    return (
        set(client.scan_iter())
        - rates
        - {keys.clock, keys.seal, keys.hint_number, keys.hints, keys.wake, "tocsin:delivery"}
    )


def test_nothing_leaves_before_it_is_sealed(
    pipeline: Pipeline, kit: LedgerKit, clock: MovableClock, client: Any, keys: Keys
) -> None:
    (decision,) = pipeline.submit(alert("disk"))
    pipeline.deliver()
    clock.advance(LONG)
    entries = client.xlen(keys.ledger)

    report = kit.audit.archive()

    assert (report.entries, report.events) == (0, 0)
    assert client.xlen(keys.ledger) == entries
    assert client.exists(keys.event(decision.id))


def test_nothing_leaves_before_the_retention_is_over(pipeline: Pipeline, kit: LedgerKit) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    kit.audit.seal()

    report = kit.audit.archive()

    assert (report.entries, report.events, report.alerts) == (0, 0, 0)


def test_what_is_over_and_sealed_leaves_nothing_behind(
    pipeline: Pipeline, kit: LedgerKit, clock: MovableClock, client: Any, keys: Keys
) -> None:
    for number in range(10):
        pipeline.submit(alert(f"k{number}"), alert(f"k{number}"))
        pipeline.deliver()
        pipeline.submit(alert(f"k{number}", "resolve"))
        pipeline.deliver()
    kit.audit.seal()
    clock.advance(LONG)

    report = kit.audit.archive()

    assert (report.events, report.alerts) == (30, 10)
    assert report.entries == kit.audit.prove().sealed_entries
    assert everything(client, keys) == {keys.ledger}
    assert client.xlen(keys.ledger) == 0
    assert kit.audit.prove().holds


def test_an_open_alert_stays_for_as_long_as_there_is_news(
    pipeline: Pipeline, kit: LedgerKit, clock: MovableClock, client: Any, keys: Keys
) -> None:
    pipeline.submit(alert("disk"))
    pipeline.deliver()
    kit.audit.seal()
    clock.advance(LONG)

    kit.audit.archive()
    assert client.zcard(keys.alerts) == 1

    clock.advance(VERY_LONG)
    kit.audit.archive()
    assert client.zcard(keys.alerts) == 0


def test_an_alert_with_something_still_to_be_sent_stays(
    pipeline: Pipeline, kit: LedgerKit, clock: MovableClock, client: Any, keys: Keys
) -> None:
    pipeline.submit(alert("disk"))
    kit.audit.seal()
    clock.advance(VERY_LONG)

    kit.audit.archive()

    assert client.zcard(keys.alerts) == 1
    assert client.zcard(keys.queued) == 1
    assert pipeline.deliver() == 1


def test_dead_letters_stay_until_somebody_replays_them(pipeline: Pipeline, kit: LedgerKit, clock: MovableClock) -> None:
    (decision,) = pipeline.submit({**alert(), "service": "unknown"})
    kit.audit.seal()
    clock.advance(VERY_LONG)

    kit.audit.archive()

    assert kit.audit.prove().holds
    assert pipeline.delivery.replay([decision.id]).replayed == [decision.id]


def test_an_event_that_ended_after_the_last_sealing_stays(
    pipeline: Pipeline, kit: LedgerKit, clock: MovableClock, client: Any, keys: Keys
) -> None:
    (first,) = pipeline.submit(alert("first"))
    pipeline.deliver()
    kit.audit.seal()
    clock.advance(timedelta(seconds=1))
    (second,) = pipeline.submit(alert("second"))
    pipeline.deliver()
    clock.advance(LONG)

    kit.audit.archive()

    assert not client.exists(keys.event(first.id))
    assert client.exists(keys.event(second.id))


def test_many_alerts_that_must_stay_do_not_hide_those_that_may_go(
    pipeline: Pipeline, kit: LedgerKit, clock: MovableClock, client: Any, keys: Keys
) -> None:
    pipeline.submit(*(alert(f"open{number}") for number in range(8)))  # more than a page of three
    pipeline.submit(alert("over"))
    pipeline.deliver()
    pipeline.submit(alert("over", "resolve"))
    pipeline.deliver()
    kit.audit.seal()
    clock.advance(LONG)

    assert kit.audit.archive().alerts == 1
    assert client.zcard(keys.alerts) == 8
