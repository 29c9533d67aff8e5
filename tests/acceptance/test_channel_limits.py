"""Messages to people keep to what their channel takes, and what is over it holds no worker."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.notifications.channels.protocol import Address
from tasks.utils.breakers import LimitViews
from tests.acceptance.group_world import CLUSTERS, Grouped, GroupKit, at_desk, warning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

MINUTE = timedelta(minutes=1)


@pytest.fixture
def kit(client: Any, keys: Keys, sandbox: Sandbox, tmp_path: Path) -> Iterator[GroupKit]:
    """A desk that takes one message a minute, and three at once after a rest; every cluster is a group."""
    kit = at_desk(GroupKit, client, keys, sandbox.url, tmp_path)
    kit.ruled_by(router=Grouped(CLUSTERS))
    kit.delivery.close()
    kit.delivery = kit.delivered_by([Address("desk", "slack", "", {"kid-desk": "secret"}, pace="60000 3")])
    yield kit
    kit.delivery.close()


def test_what_is_over_the_limit_goes_a_minute_apart_and_holds_no_worker(kit: GroupKit, clock: MovableClock) -> None:
    kit.submit(*(warning(f"k{n}", custom_details={"cluster": f"c{n}"}) for n in range(6)))

    told = [len(kit.go())]
    assert not kit.client.hlen(kit.keys.leases)
    for _ in range(4):
        clock.advance(MINUTE)
        told.append(len(kit.go()))

    assert told == [3, 1, 1, 1, 0]
    assert not kit.client.zcard(kit.keys.outbox_due)


def test_waiting_uses_up_no_attempts(kit: GroupKit, clock: MovableClock) -> None:
    kit.submit(*(warning(f"k{n}", custom_details={"cluster": f"c{n}"}) for n in range(5)))
    kit.go()
    clock.advance(0.5 * MINUTE)
    kit.go()

    waiting = [kit.event(name) for name in kit.client.zrange(kit.keys.queued, 0, -1)]

    assert [row["attempts"] for row in waiting] == ["0", "0"]
    [limit] = LimitViews(kit.client, kit.keys).list()
    assert (limit.name, limit.left) == ("channel:kid-desk", 0)
