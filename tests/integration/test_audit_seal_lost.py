"""Sealing under which the lease goes: another machine took over, or Redis lost everything."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.audit.anchors import Anchors
from tasks.audit.archive import Archive
from tasks.audit.seal import Sealer
from tests.integration.audit_kit import KEY, LedgerKit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tasks.audit.chain import Head
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tasks.utils.ledger import Entry


@pytest.fixture
def kit(client: Any, keys: Keys, tmp_path: Path) -> LedgerKit:
    return LedgerKit(client, keys, tmp_path / "ledger")


class OvertakenArchive(Archive):
    """Another machine takes the lease over while this one writes."""

    def append(self, head: Head, entries: Sequence[Entry]) -> Head:
        end = super().append(head, entries)
        self.client.hset(self.keys.seal, "holder", "somebody else")
        return end

    client: Any
    keys: Keys


def test_a_sealer_overtaken_in_mid_work_stops_and_what_it_wrote_is_whole(kit: LedgerKit, clock: MovableClock) -> None:
    archive = OvertakenArchive(kit.folder)
    archive.client, archive.keys = kit.client, kit.keys
    kit.deliver("a", "b")
    sealer = Sealer(kit.client, kit.keys, archive, Anchors(kit.folder, [KEY]), timedelta(seconds=60))

    assert sealer.seal(batch=2).sealed == 2

    assert kit.client.hget(kit.keys.seal, "n") is None
    clock.advance(timedelta(seconds=61))
    assert kit.audit.seal().total == 6
    assert kit.numbers() == [1, 2, 3, 4, 5, 6]
    assert kit.audit.prove().holds


class ForgottenLedger(Archive):
    """Redis loses everything while this one looks for half a line, and others go on at once."""

    def mend(self) -> None:
        super().mend()
        self.kit.client.flushall()
        self.kit.deliver("new")

    kit: LedgerKit


def test_a_sealer_that_redis_is_lost_under_writes_nothing_of_the_new_data(kit: LedgerKit) -> None:
    kit.deliver("old")
    kit.audit.seal()
    kit.deliver("unsealed")
    archive, anchors = ForgottenLedger(kit.folder), Anchors(kit.folder, [KEY])
    archive.kit = kit
    sealer = Sealer(kit.client, kit.keys, archive, anchors, timedelta(seconds=60))
    before = kit.lines(), anchors.last()

    assert sealer.seal(batch=5000).sealed == 0

    assert (kit.lines(), anchors.last()) == before
    assert kit.audit.seal().sealed == 3


def test_a_first_sealing_that_redis_is_lost_under_writes_nothing(kit: LedgerKit) -> None:
    kit.deliver("unsealed")
    archive, anchors = ForgottenLedger(kit.folder), Anchors(kit.folder, [KEY])
    archive.kit = kit

    assert Sealer(kit.client, kit.keys, archive, anchors, timedelta(seconds=60)).seal(batch=5000).total == 0

    assert (list(kit.folder.glob("2*.jsonl")), anchors.last()) == ([], None)
