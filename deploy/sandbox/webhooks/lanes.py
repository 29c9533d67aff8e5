from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from deploy.sandbox.webhooks.delivery import Delivery, Lane, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deploy.sandbox.due import Schedule
    from deploy.sandbox.webhooks.delivery import Witness


class Lanes:
    """What waits to be sent, in order within each subscription and resource. `go` is called with a lane that may send."""

    def __init__(
        self, schedule: Schedule, witness: Witness, now: Callable[[], float], go: Callable[[Lane], None]
    ) -> None:
        self._schedule = schedule
        self._witness = witness
        self._now = now
        self._go = go
        self._lanes: dict[tuple[str, str], Lane] = {}

    def __iter__(self) -> Iterator[Lane]:
        return iter(list(self._lanes.values()))

    def put(self, delivery: Delivery) -> None:
        """Let a delivery wait behind the earlier ones of its lane."""
        key = (delivery.subscription_id, delivery.resource_id)
        lane = self._lanes.setdefault(key, Lane(*key))
        self._witness.write(delivery)
        lane.waiting.append(delivery)
        self._release(lane)
        self._start(lane)

    def hold(self, delivery: Delivery, seconds: float) -> None:
        """Let a delivery wait until the next one of its lane has overtaken it, at the longest for so long."""
        key = (delivery.subscription_id, delivery.resource_id)
        lane = self._lanes.setdefault(key, Lane(*key))
        self._witness.write(delivery)
        self._release(lane)
        lane.held = delivery
        self._schedule.at(self._now() + seconds, partial(self._give_up_holding, lane, delivery))

    def later(self, lane: Lane, at: float) -> None:
        """Let the lane's first delivery be tried again at that time."""
        lane.is_busy = False
        lane.waiting[0].not_before = at
        self._start(lane)

    def done(self, lane: Lane) -> None:
        """The lane's first delivery has ended: the next may go."""
        lane.is_busy = False
        lane.waiting.popleft()
        self._start(lane)

    def clear(self, subscription_id: str, reason: str) -> None:
        """Forget all that waits for a subscription."""
        for lane in self:
            if lane.subscription_id == subscription_id:
                self._forget(lane, reason)

    def knows(self, lane: Lane) -> bool:
        """Whether the lane was not cleared meanwhile."""
        return self._lanes.get((lane.subscription_id, lane.resource_id)) is lane

    def _forget(self, lane: Lane, reason: str) -> None:
        del self._lanes[lane.subscription_id, lane.resource_id]
        if lane.timer is not None:
            lane.timer.cancel()
        held = () if lane.held is None else (lane.held,)
        lane.held = None
        for delivery in (*lane.waiting, *held):
            self._witness.end(delivery, State.NOT_SENT, reason)

    def _start(self, lane: Lane) -> None:
        if lane.is_busy or not self.knows(lane):
            return
        if not lane.waiting:
            if lane.held is None:
                del self._lanes[lane.subscription_id, lane.resource_id]
            return
        not_before = lane.waiting[0].not_before
        if not_before > self._now():
            if lane.timer is None or lane.timer.callback is None:
                lane.timer = self._schedule.at(not_before, partial(self._start, lane))
            return
        lane.is_busy = True
        self._go(lane)

    def _release(self, lane: Lane) -> None:
        if lane.held is not None:
            lane.waiting.append(lane.held)
            lane.held = None

    def _give_up_holding(self, lane: Lane, delivery: Delivery) -> None:
        if lane.held is delivery:
            self._release(lane)
            self._start(lane)
