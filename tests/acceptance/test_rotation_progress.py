"""A rotation that stands still is told by health and by an own alert, with what to do; and is over when it goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.keystore import value_id
from tasks.tokens.rotation.turner import NotProvenError

if TYPE_CHECKING:
    from tasks.utils.health_monitor import Line
    from tests.acceptance.rotation_world import RotationWorld


def line(rotation: RotationWorld) -> Line:
    """What health says of rotations."""
    return next(one for one in rotation.here.tokens.lines() if one.name == "tokens.rotations")


def told(rotation: RotationWorld) -> list[str]:
    """Tocsin's own alerts about rotations, after looks enough to raise one."""
    watch = rotation.here.own_alerts
    for _ in range(3):
        watch.look(lambda *_: {})
        rotation.pass_by(10)
    return [one.name for one in watch.report().alerts if one.name.startswith("rotation_stuck")]


def test_a_rotation_that_was_killed_is_told_once_nobody_has_gone_on_for_an_hour(rotation: RotationWorld) -> None:
    former = value_id(rotation.first_key)
    assert line(rotation).value == "none is under way"
    with rotation.dying("integration", former) as die:
        die("after")
    assert line(rotation).state == "ok"
    assert line(rotation).value.startswith(f"integration {former}, begun ")

    rotation.clock.advance(timedelta(minutes=61))

    found = line(rotation)
    assert found.state == "warn"
    assert f"integration {former}, begun 61 minutes ago: for 61 minutes the new key is to be made" in found.value
    assert found.mend.startswith("`tocsin tokens resume` goes on with it")
    assert told(rotation) == [f"rotation_stuck:{former}"]
    rotation.here.tokens.service.resume()
    assert line(rotation).state == "ok"
    assert not rotation.here.client.exists(rotation.here.keys.rotations_stuck)


def test_a_step_that_fails_says_why_where_people_look(rotation: RotationWorld) -> None:
    rotation.sandbox.fault(kind="reject", status=403, path="/v2/enqueue")
    with pytest.raises(NotProvenError):
        rotation.here.tokens.rotate("integration")

    [view] = rotation.there.tokens.underway().rotations

    assert view.waits.startswith("PagerDuty answers 403 to events with the new key")
    rotation.sandbox.heal()
    [resumed] = rotation.there.tokens.service.resume().rotations
    assert resumed.waits.startswith("kept until 20")
