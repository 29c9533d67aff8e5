"""Keys of Tocsin's own doors, which nobody at PagerDuty knows: replaced while senders and tokens of before are still taken."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tasks.tokens.service import AccessTokens, RefusedTokenError
from tasks.tokens.wiring import token_rules
from tests.acceptance.rotation_world import INGEST

if TYPE_CHECKING:
    from tests.acceptance.rotation_world import RotationWorld


def test_the_secret_of_access_tokens_is_replaced_and_the_former_one_taken_as_long_as_tokens_live(
    rotation: RotationWorld,
) -> None:
    token = AccessTokens(token_rules(rotation.there.settings)).issue("anna", ["alerts:read"], timedelta(hours=1))

    rotation.here.tokens.rotate("jwt")
    rotation.there.renew_at_once()
    fresh = AccessTokens(token_rules(rotation.there.settings))
    assert fresh.check(token).subject == "anna"
    assert fresh.key_ids[0] != AccessTokens(token_rules(rotation.machine("new").settings)).key_ids[0]

    rotation.clock.advance(rotation.here.settings.api.max_token_lifetime)
    for _ in range(2):
        rotation.here.tokens.service.resume()
        rotation.pass_by()
    rotation.there.renew_at_once()
    with pytest.raises(RefusedTokenError):
        AccessTokens(token_rules(rotation.there.settings)).check(token)


def test_an_ingest_key_is_replaced_and_the_former_one_stays_while_a_sender_uses_it(rotation: RotationWorld) -> None:
    [begun] = rotation.here.tokens.rotate("ingest").rotations
    new = rotation.here.tokens.service.reveal("ingest", begun.key)
    rotation.there.renew_at_once()
    assert {key.get_secret_value() for key in rotation.there.settings.services["shop"].ingest_keys} == {INGEST, new}

    rotation.clock.advance(timedelta(days=8))
    rotation.here.client.hset(rotation.here.keys.keys_seen, f"{begun.former}:used", rotation.here.clock.now_ms())
    [used] = rotation.here.tokens.service.resume().rotations
    assert "a sender still used the former key" in used.waits

    rotation.clock.advance(timedelta(days=2))
    for _ in range(2):
        rotation.here.tokens.service.resume()
        rotation.pass_by()
    rotation.there.renew_at_once()
    assert [key.get_secret_value() for key in rotation.there.settings.services["shop"].ingest_keys] == [new]
