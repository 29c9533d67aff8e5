"""Whatever receivers answer, webhooks about one incident arrive in order, and each ends once."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from deploy.sandbox.happenings import Happening
from deploy.sandbox.webhooks.delivery import Attempt
from deploy.sandbox.webhooks.post import Poster, Result, Verdict
from deploy.sandbox.webhooks.webhooks import COLLECTION
from deploy.sandbox.world import Options, World
from tests.searching import searched

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR = 3600.0
INCIDENTS = st.sampled_from(["Q1", "Q2", "Q3"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("happens"), INCIDENTS),
        st.tuples(st.just("passes"), st.sampled_from([1.0, 5.0, 60.0, HOUR])),
        st.tuples(st.just("answers"), st.sampled_from(list(Verdict))),
        st.tuples(st.just("let run"), st.none()),
    ),
    max_size=60,
)


class Receiver(Poster):
    """Stands in for the wire: answers as it is told, and remembers what it took."""

    def __init__(self) -> None:
        super().__init__()
        self.verdict = Verdict.DELIVERED
        self.taken: dict[str, list[int]] = defaultdict(list)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Result:
        verdict = self.verdict
        await asyncio.sleep(0)
        if verdict is Verdict.DELIVERED:
            data = json.loads(body)["event"]["data"]
            self.taken[data["id"]].append(data["number"])
        return Result(Attempt(0.0, 0.0, 0, ""), verdict)


class Told:
    """An account with one subscription, of which incidents are told."""

    def __init__(self) -> None:
        self.world = World(Options())
        self.world.poster = self.receiver = Receiver()
        self.world.reset()
        self.happened = 0
        method = {"url": "http://127.0.0.1:1/", "secret": "hush", "temporarily_disabled": False}
        subscription = {"events": ["incident.annotated"], "filter": {"type": "account_reference"}}
        self.world.store.add(COLLECTION, {**subscription, "delivery_method": method})

    def happens(self, incident: str) -> None:
        self.happened += 1
        data = {"id": incident, "number": self.happened}
        self.world.happenings.announce(Happening("incident.annotated", self.world.clock.now(), data, incident))

    async def run(self) -> None:
        """Until nothing can go on without the clock."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def live(self, steps: list[tuple[str, object]]) -> None:
        for kind, what in steps:
            if kind == "happens":
                self.happens(str(what))
            elif kind == "passes":
                self.world.schedule.advance(float(str(what)))
            elif kind == "answers":
                self.receiver.verdict = Verdict(str(what))
            else:
                await self.run()
        self.receiver.verdict = Verdict.DELIVERED
        for _ in range(40 + self.happened):
            await self.run()
            self.world.schedule.advance(HOUR)


@searched(30)
@given(STEPS)
def test_what_is_taken_is_in_order_and_everything_ends_once(steps: list[tuple[str, object]]) -> None:
    told = Told()

    asyncio.run(told.live(steps))

    page = told.world.webhooks.witness.page(0, 1000)
    deliveries: list[dict[str, object]] = page["deliveries"]  # type: ignore[assignment]
    ends = [str(one["state"]) for one in deliveries]
    assert all(numbers == sorted(set(numbers)) for numbers in told.receiver.taken.values())
    assert len(ends) == told.happened
    assert "pending" not in ends
    assert ends.count("delivered") == sum(len(numbers) for numbers in told.receiver.taken.values())
