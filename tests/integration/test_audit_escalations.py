"""The proof knows escalations: each that was started ended by a named reason, or goes on at a time that has not passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.escalations.freezing import Freezer
from tasks.escalations.policy import Policy, Step, Target
from tasks.utils.scripts import Scripts
from tests.integration.audit_kit import LedgerKit

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

UID = "a" * 32


@pytest.fixture
def kit(client: Any, keys: Keys, tmp_path: Path) -> LedgerKit:
    return LedgerKit(client, keys, tmp_path)


def start(kit: LedgerKit, uid: str = UID) -> Scripts:
    """An open alert whose escalation has begun."""
    scripts = Scripts(kit.client, kit.keys)
    kit.client.hset(kit.keys.alert(uid), mapping={"status": "open", "service": "shop", "since": kit.now()})
    policy = Policy("nights", (Step("one", timedelta(minutes=5), (Target("channel", "chat"),)),))
    spec = Freezer({"shop": policy}).spec("shop", "critical", datetime.fromtimestamp(kit.now() / 1000, UTC))
    assert scripts.run("escalation_start", uid, spec) == 1
    return scripts


def test_one_that_goes_on_is_pending_and_one_that_ended_has_its_reason(kit: LedgerKit) -> None:
    start(kit)
    start(kit, "b" * 32).run("escalation_end", "b" * 32, "", "cancelled", "by_hand", "")

    report = kit.audit.prove()

    assert report.holds
    assert report.events == 0
    assert report.escalations.model_dump() == {
        "started": 2,
        "steps": 0,
        "ended": {"by_hand": 1},
        "pending": 1,
        "lost": 0,
    }


def test_one_that_nobody_takes_up_is_a_broken_promise(kit: LedgerKit, clock: MovableClock) -> None:
    start(kit)
    clock.advance(timedelta(hours=1))

    assert kit.audit.prove().broken_by == {"overdue": 1}


def test_one_that_lost_its_due_time_or_its_row_is_a_broken_promise(kit: LedgerKit) -> None:
    start(kit)
    start(kit, "b" * 32)
    kit.client.zrem(kit.keys.escalations_due, UID)
    kit.client.delete(kit.keys.escalation("b" * 32))

    assert kit.audit.prove().broken_by == {"no_due_time": 1, "lost": 1}


def test_its_story_is_sealed_archived_and_told_like_any_other(kit: LedgerKit) -> None:
    start(kit)
    kit.audit.seal()
    name = f"escalation-{UID}-{kit.client.hget(kit.keys.escalation(UID), 'began')}"

    [step] = kit.audit.story(name)

    assert step.text.startswith("escalation started; its first step is due")
    assert kit.audit.prove().holds
