"""Whether what silences and other holds kept back was let go when they were over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.audit.check import moment

if TYPE_CHECKING:
    from tasks.audit.check import Faults
    from tasks.utils.keys import Keys

MOST: Final = 1000


def add_overdue_holds(client: Any, keys: Keys, before: int, faults: Faults) -> None:
    """Add a fault for every hold that was over before that time (ms) and still keeps alerts back."""
    for hold, due in client.zrangebyscore(keys.holds_due, "-inf", before, start=0, num=MOST, withscores=True):
        for uid in client.zrange(keys.held(hold), 0, MOST):
            wrong = f"is held back by {hold}, which was over {moment(int(due))}, and no worker has let it go"
            faults.add(wrong, client.hget(keys.alert(uid), "held") or uid, "held_too_long")
