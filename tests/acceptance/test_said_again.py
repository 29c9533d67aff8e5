"""What PagerDuty lost of an alert whose incident somebody had resolved there: the comparison finds it, and says it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.loop_world import Loop
from tests.acceptance.sync_world import PRIMARY, STANDBY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox

BOT = "bot@example.com"


@pytest.fixture
def loop(client: Any, server: Server, sandbox: Sandbox, tmp_path: Path) -> Iterator[Loop]:
    """An alert whose incident was resolved by a person, unheard, and which fires again while PagerDuty loses what it takes."""
    with Loop(tmp_path, server.url, sandbox) as made:
        made.send("trigger", "a", team="payments")
        made.pass_time(60)
        made.runtime.rest.incidents.resolve(made.incident("a")["id"], sender=BOT)
        made.pass_time(20)
        made.swallow(PRIMARY)
        made.send("trigger", "a", summary="a broke once more", team="payments")
        yield made


def test_an_alert_that_fires_on_is_said_again(loop: Loop) -> None:
    loop.sandbox.heal()
    loop.pass_time(400)

    report = loop.sync()

    loop.pass_time(60)
    assert report.said_again == 1
    assert loop.status("a") == "open"
    assert loop.open_there() == {"a": 1}
    assert loop.incident("a")["title"] == "a broke once more"
    assert loop.receipt("a") == "seen"
    assert loop.arrived(STANDBY) == {}
    assert loop.is_proved()


def test_a_second_comparison_says_nothing_more(loop: Loop) -> None:
    loop.sandbox.heal()
    loop.pass_time(400)
    loop.sync()
    loop.pass_time(60)

    assert loop.sync().said_again == 0


def test_what_is_lost_again_is_missed_and_goes_to_the_next_channel(loop: Loop) -> None:
    loop.pass_time(400)
    loop.sync()

    loop.pass_time(400)

    assert loop.arrived(STANDBY) == {"a": 1}
    assert loop.is_proved()


def test_what_is_resolved_before_it_is_said_again_stays_resolved(loop: Loop) -> None:
    loop.sandbox.heal()
    loop.pass_time(400)
    loop.runtime.incident_sync.run()
    loop.submit("resolve", "a")

    loop.pass_time(60)

    assert loop.status("a") == "resolved"
    assert loop.open_there() == {}
    assert loop.is_proved()


def test_a_dry_run_says_nothing(loop: Loop) -> None:
    loop.sandbox.heal()
    loop.pass_time(400)

    report = loop.sync(dry_run=True)

    assert report.said_again == 0
    assert loop.open_there() == {}


def test_what_was_merged_into_an_older_incident_ends_with_that(loop: Loop) -> None:
    loop.sandbox.heal()
    loop.send("resolve", "a")
    loop.send("trigger", "old", "new")
    loop.pass_time(60)
    old, new = loop.incident("old"), loop.incident("new")
    rest = loop.runtime.rest
    rest.incidents.merge(old["id"], [new["id"]], sender=BOT)
    rest.incidents.resolve(old["id"], sender=BOT)
    loop.pass_time(30)

    report = loop.sync()

    assert report.said_again == 0
    assert {loop.status("old"), loop.status("new")} == {"resolved"}
