"""A webhook secret is replaced by a second subscription, while both tell the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.keystore import value_id
from tasks.rotating import RotationWiring
from tasks.tokens.rotation.turner import CannotRotateError, NotProvenError
from tests.acceptance.rotation_world import WEBHOOK_SECRET, Subscriptions

if TYPE_CHECKING:
    from tests.acceptance.rotation_world import RotationWorld


def test_a_second_subscription_takes_the_place_of_the_first(rotation: RotationWorld) -> None:
    subscriptions = Subscriptions(rotation)
    first = subscriptions.made("Tells Tocsin")
    rotation.here.tokens = RotationWiring(rotation.here, subscriptions.pinged)

    [begun] = rotation.here.tokens.rotate("webhook").rotations

    assert (begun.step, len(subscriptions.all())) == ("wait_unused", 2)
    assert rotation.here.settings.pagerduty.webhook_secret is not None
    assert rotation.here.settings.pagerduty.webhook_secret.get_secret_value() != WEBHOOK_SECRET
    assert [one.get_secret_value() for one in rotation.here.settings.pagerduty.webhook_previous_secrets] == [
        WEBHOOK_SECRET
    ]
    for _ in range(2):
        rotation.pass_by()
        [ended] = rotation.here.tokens.service.resume().rotations
    assert ended.step == "done"
    assert first not in [one["id"] for one in subscriptions.all()]
    assert len(subscriptions.all()) == 1


def test_while_the_ping_does_not_come_the_former_secret_stays_in_force(rotation: RotationWorld) -> None:
    subscriptions = Subscriptions(rotation)
    subscriptions.made("Tells Tocsin")

    with pytest.raises(NotProvenError, match="tocsin tokens resume"):
        rotation.here.tokens.rotate("webhook")

    assert rotation.here.settings.pagerduty.webhook_secret is not None
    assert rotation.here.settings.pagerduty.webhook_secret.get_secret_value() == WEBHOOK_SECRET


def test_of_two_subscriptions_that_lead_here_none_is_guessed(rotation: RotationWorld) -> None:
    subscriptions = Subscriptions(rotation)
    subscriptions.made("One")
    subscriptions.made("Two")

    with pytest.raises(CannotRotateError, match="2 webhook subscriptions of the account lead here"):
        rotation.here.tokens.rotate("webhook")

    assert rotation.here.tokens.underway().nothing_due


def test_a_subscription_that_a_crash_left_whose_secret_nobody_knows_is_made_anew(rotation: RotationWorld) -> None:
    subscriptions = Subscriptions(rotation)
    first = subscriptions.made("Tells Tocsin")
    with rotation.dying("webhook", value_id(WEBHOOK_SECRET)) as die:
        die("after")
        rotation.pass_by()
        die("before")
        rotation.pass_by()
    [left] = [one["id"] for one in subscriptions.all() if one["id"] != first]

    rotation.here.tokens = RotationWiring(rotation.here, subscriptions.pinged)
    [resumed] = rotation.here.tokens.service.resume().rotations

    assert resumed.step == "wait_unused"
    assert len(subscriptions.all()) == 2
    assert left not in [one["id"] for one in subscriptions.all()]


def test_a_rotation_that_fails_holds_no_other_up(rotation: RotationWorld) -> None:
    Subscriptions(rotation).made("Tells Tocsin")
    with pytest.raises(NotProvenError):
        rotation.here.tokens.rotate("webhook")
    rotation.here.tokens.rotate("integration")

    for _ in range(2):
        rotation.pass_by()
        with pytest.raises(NotProvenError):
            rotation.here.tokens.service.resume()

    assert len(rotation.integrations()) == 1
    assert [one.kind for one in rotation.here.tokens.underway().rotations] == ["webhook"]
