"""What `tocsin up` tells of every alert."""

import io
from contextlib import closing
from typing import Any

import pytest

from deploy.local.embedded import Server
from deploy.local.narrator import Narrator
from deploy.local.terminal import Terminal
from tasks.utils.graves import Graves
from tasks.utils.keys import Keys
from tests.conftest import Sandbox
from tests.pipeline import PRIMARY_KEY, Pipeline, alert


@pytest.mark.parametrize("raw", [b"\xff\xfegarbage", b"hello", b"[1, 2]", b'"text"', b'{"event_action": 7}', b""])
def test_a_dead_letter_that_is_no_alert_at_all_is_told_like_any_other(
    server: Server, client: Any, keys: Keys, raw: bytes
) -> None:
    screen = io.StringIO()
    narrator = Narrator(server.url, keys.prefix, Terminal(screen))
    event_id = Graves(client, keys).bury(raw, "cannot be decoded", {"id": "m1"})

    with closing(narrator._client):
        narrator.tell_next()

    assert f"{event_id}: dead letter (" in screen.getvalue()


def test_a_dead_letter_made_of_a_message_has_a_name_for_its_reason_and_says_what_to_do(client: Any, keys: Keys) -> None:
    event_id = Graves(client, keys).bury(b"x", "names an unknown task, 'a.b'", {"id": "m1", "origin": "gen1@host"})

    row = client.hgetall(keys.event(event_id))
    assert row["reason"] == "unusable_message"
    assert row["detail"] == "it names an unknown task, 'a.b'; origin gen1@host; correct its sender and send it again"


def test_an_alert_without_a_key_of_its_own_is_told_by_its_summary(
    server: Server, client: Any, keys: Keys, sandbox: Sandbox
) -> None:
    screen = io.StringIO()
    narrator = Narrator(server.url, keys.prefix, Terminal(screen))
    sandbox.register(PRIMARY_KEY, "shop")
    pipeline = Pipeline(client, keys, sandbox.url)
    pipeline.submit({name: value for name, value in alert("disk").items() if name != "dedup_key"}, alert("cpu"))

    with closing(narrator._client), closing(pipeline.delivery):
        pipeline.deliver()
        narrator.tell_next()

    assert "trigger disk is in trouble: delivered (by channel primary)" in screen.getvalue()
    assert "trigger cpu: delivered (by channel primary)" in screen.getvalue()
