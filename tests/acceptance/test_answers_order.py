"""Whatever the order in which PagerDuty's answers come, and however often, the end is the same."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tasks.utils.identifiers import alert_uid
from tasks.webhooks.answers import Answers
from tasks.webhooks.models import Observation
from tests.pipeline import PRIMARY_KEY, Pipeline, alert
from tests.searching import searched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

NUMBERS = itertools.count(1)


class Said(NamedTuple):
    """An observation of the first, second, … incident of an alert, so many milliseconds after the beginning."""

    incident: int
    status: str
    after: int


class History(NamedTuple):
    """Observations in an order, some of them twice, and after which of them the fleet decides on what they brought."""

    order: list[Said]
    pauses: set[int]


STATUSES = st.sampled_from(["triggered", "acknowledged", "resolved"])
SAID = st.builds(Said, st.integers(0, 2), STATUSES, st.integers(0, 6))


@st.composite
def two_orders(draw: st.DrawFn) -> tuple[History, History]:
    said = draw(st.lists(SAID, min_size=1, max_size=7))
    repeats = draw(st.lists(st.sampled_from(said), max_size=3))
    orders = [draw(st.permutations(said)), draw(st.permutations(said + repeats))]
    pauses = [draw(st.sets(st.integers(0, 9), max_size=4)) for _ in orders]
    return History(orders[0], pauses[0]), History(orders[1], pauses[1])


def played(pipeline: Pipeline, answers: Answers, history: History, clock: MovableClock) -> tuple[str, Any]:
    """Status and incident of a fresh alert after a history."""
    unique = next(NUMBERS)
    key = f"key-{unique}"
    pipeline.submit(alert(key))
    pipeline.deliver()
    begin = clock.now_ms()
    for place, one in enumerate(history.order):
        answers.observe(
            Observation(
                incident_id=f"P{unique}X{one.incident}",
                keys=(key,),
                status=one.status,  # type: ignore[arg-type]
                at=begin + 1000 * one.incident + one.after,
                number=one.incident + 1,
                opened_at=begin + 1000 * one.incident,
            )
        )
        if place in history.pauses:
            pipeline.alerts.drain_inbox()
    pipeline.alerts.drain_inbox()
    pipeline.deliver()
    uid = alert_uid("shop", key)
    [record] = json.loads(pipeline.client.hget(pipeline.keys.answers, uid)).values()
    known = (record["number"], record["status"], record["at"] - begin, record["seen"] - begin)
    return pipeline.current.get(uid).status, known


def expected(said: Sequence[Said]) -> str:
    """What the last word of the newest incident makes of the alert."""
    newest = max(one.incident for one in said)
    ranks = {"triggered": 0, "acknowledged": 1, "resolved": 2}
    last = max((one for one in said if one.incident == newest), key=lambda one: (one.after, ranks[one.status]))
    return last.status


@searched(30, HealthCheck.function_scoped_fixture)
@given(two_orders())
def test_every_order_of_answers_ends_alike(
    pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, client: Any, orders: tuple[History, History]
) -> None:
    client.flushall()
    sandbox.reset_but_keys([PRIMARY_KEY])
    answers = Answers(client, pipeline.keys)

    first, second = (played(pipeline, answers, history, clock) for history in orders)

    assert first[1] == second[1]
    assert first[0] == second[0] == {"triggered": "open"}.get(last := expected(orders[0].order), last)
