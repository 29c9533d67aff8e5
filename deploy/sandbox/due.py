from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.sandbox.clock import Clock

WORTH_TIDYING = 1000


class Timer:
    """Something that falls due at `at`, in epoch seconds of the sandbox's clock, unless it is cancelled."""

    __slots__ = ("_schedule", "at", "callback")

    def __init__(self, schedule: Schedule, at: float, callback: Callable[[], object]) -> None:
        self._schedule = schedule
        self.at = at
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        """Do not call back. Safe to say again, and after it fell due."""
        if self.callback is not None:
            self.callback = None
            self._schedule.cancelled()


class Schedule:
    """What falls due by the sandbox's clock, whether real time or POST /_sandbox/clock moves it.

    Callbacks run in order of their times, and while one runs the clock stands at its time: what it sets going anew
    falls due from there, also when the clock jumps by a day at once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._cancelled = 0
        self._alarm: asyncio.TimerHandle | None = None

    def at(self, when: float, callback: Callable[[], object]) -> Timer:
        """Call back at that time; at once after this if it has passed."""
        timer = Timer(self, when, callback)
        heapq.heappush(self._heap, (when, next(self._order), timer))
        if self._heap[0][2] is timer:
            self._set_alarm()
        return timer

    def advance(self, seconds: float) -> None:
        """Move the clock forward through everything that falls due on the way."""
        self._run(self._clock.now() + seconds)
        self._clock.advance(seconds)
        self._set_alarm()

    def cancelled(self) -> None:
        """Called by a timer that was cancelled: when most are, they are swept out."""
        self._cancelled += 1
        if self._cancelled > WORTH_TIDYING and self._cancelled > len(self._heap) // 2:
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def clear(self) -> None:
        """Forget everything that was to come."""
        self._heap = []
        self._cancelled = 0
        self._set_alarm()

    def __len__(self) -> int:
        return sum(timer.callback is not None for _, _, timer in self._heap)

    def _run(self, until: float) -> None:
        while self._heap and self._heap[0][0] <= until:
            at, _, timer = heapq.heappop(self._heap)
            callback, timer.callback = timer.callback, None
            if callback is None:
                self._cancelled -= 1
                continue
            with self._clock.standing_at(at):
                callback()

    def _ring(self) -> None:
        self._alarm = None
        self._run(self._clock.now())
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if not self._heap:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # Without a loop there is no real time to wait in: only `advance` moves things.
            return
        self._alarm = loop.call_later(max(0.0, self._heap[0][0] - self._clock.now()), self._ring)
