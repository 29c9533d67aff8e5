"""Alerts are decided on in the order they were written, whatever the clock does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.utils.rows import Inbox, InboxRow

if TYPE_CHECKING:
    from tasks.utils.keys import Keys

TURN = timedelta(seconds=5)


def row(name: str, received: str = "") -> InboxRow:
    return InboxRow(name, {}, "events", received)


def ids(inbox: Inbox, token: str = "t") -> list[str]:
    return [claimed.id for claimed in inbox.claim(1000, TURN, token)]


def test_a_clock_set_back_neither_reorders_nor_holds_up_what_waits(client: Any, keys: Keys) -> None:
    inbox = Inbox(client, keys)
    inbox.put([row("z"), row("y")])
    client.set(keys.clock, -3_600_000)
    inbox.put([row("b"), row("a")])

    assert ids(inbox) == ["z", "y", "b", "a"]


def test_rows_of_one_moment_are_claimed_in_the_order_of_their_calls(client: Any, keys: Keys) -> None:
    inbox = Inbox(client, keys)
    names = [f"{500 - n:03d}" for n in range(500)]
    pipe = client.pipeline()
    for name in names:
        Inbox(pipe, keys).put([row(name)])
    pipe.execute()

    assert ids(inbox) == names


def test_a_turn_from_before_the_clock_was_set_back_holds_nobody_up(client: Any, keys: Keys) -> None:
    inbox = Inbox(client, keys)
    inbox.put([row("a")])
    assert ids(inbox, "first") == ["a"]
    assert ids(inbox, "second") == []
    client.set(keys.clock, -3_600_000)

    assert ids(inbox, "second") == ["a"]


def test_a_row_written_again_keeps_its_place_and_its_time(client: Any, keys: Keys) -> None:
    inbox = Inbox(client, keys)
    inbox.put([row("a", "1700000000000")])
    inbox.put([row("b")])
    inbox.put([row("a", "1800000000000")])

    claimed = inbox.claim(10, TURN, "t")

    assert [one.id for one in claimed] == ["a", "b"]
    assert claimed[0].received == "1700000000000"
    received = [entry for _, entry in client.xrange(keys.ledger)]
    assert [(entry["e"], entry["d"]) for entry in received] == [("a", "1700000000000"), ("b", "")]
