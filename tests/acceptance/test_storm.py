"""More alerts than PagerDuty takes in a minute: the first of each service at once, the most urgent next, the rest in summaries."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.notifications.budgets import Budgets
from tasks.notifications.service import Route
from tests.acceptance.group_world import GroupKit, at_desk
from tests.pipeline import DEADLINES, PRIMARY_KEY, alert

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

LIMIT = 60
SECOND = timedelta(seconds=1)


class Storm(GroupKit):
    """Services `s0` … on one key that takes `LIMIT` events a minute."""

    services = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        windows = {f"s{number}": self.window for number in range(self.services)}
        self.alerts._rules = replace(self.alerts._rules, dedup_windows=windows, router=None)
        address = replace(self.routes()["shop"].addresses[0], limit=LIMIT)
        self.delivery = self.delivered_by([address])
        routes = {name: Route([address], DEADLINES, owner=f"team-{name}") for name in windows}
        self.delivery = type(self.delivery)(
            self.client, self.keys, routes, self.delivery._dispatch, self.delivery._rules, self.delivery._teller
        )


@pytest.fixture
def storm(client: Any, keys: Keys, sandbox: Sandbox, tmp_path: Path) -> Iterator[Storm]:
    sandbox.register(PRIMARY_KEY, "Shop")
    sandbox.control("POST", "/limits", {"events_per_minute": LIMIT})
    kit = at_desk(Storm, client, keys, sandbox.url, tmp_path)
    assert isinstance(kit, Storm)
    yield kit
    kit.delivery.close()


def of(service: int, number: int, severity: str = "warning", action: str = "trigger") -> dict[str, Any]:
    body = alert(f"s{service}-{number}", action, **({"severity": severity} if action == "trigger" else {}))
    return {**body, "service": f"s{service}"}


def pass_time(storm: Storm, sandbox: Sandbox, clock: MovableClock, seconds: int) -> list[float]:
    """Let seconds pass on all clocks; when each request went out, by the fleet's clock (which goes on by itself, too)."""
    times: list[float] = []
    for _ in range(seconds):
        before = sandbox.count()
        storm.go()
        times += [clock.now().timestamp()] * (sandbox.count() - before)
        clock.advance(SECOND)
        sandbox.control("POST", "/clock", {"advance_seconds": 1})
    return times


def test_within_its_budget_a_key_sends_everything_at_once(storm: Storm, sandbox: Sandbox) -> None:
    storm.alerts.submit("m", [of(0, number) for number in range(20)])

    storm.go()

    assert sandbox.count() == 20


def test_a_storm_keeps_to_the_limit_loses_nothing_and_uses_what_there_is(
    storm: Storm, sandbox: Sandbox, clock: MovableClock
) -> None:
    times: list[float] = []
    for second in range(20):
        batch = [of(number % 8, second * 20 + number, "critical" if number == 9 else "warning") for number in range(20)]
        storm.alerts.submit(f"m{second}", batch)
        times += pass_time(storm, sandbox, clock, 1)
    times += pass_time(storm, sandbox, clock, 400)

    windows = [sum(begin <= at < begin + 60 for at in times) for begin in times]
    assert max(windows) <= LIMIT
    assert windows[0] >= 0.9 * LIMIT
    outcomes = Counter(entry["outcome"] for entry in sandbox.log())
    assert set(outcomes) <= {"opened", "updated"}
    proof = storm.audit.prove()
    assert proof.holds, proof.broken
    assert (proof.pending.count, proof.dead, proof.suppressed) == (0, {}, {})
    assert proof.delivered + proof.merged == 400
    named = {member for entry in sandbox.log() for member in names_in(entry)}
    assert len(named) == 400


def names_in(entry: dict[str, Any]) -> set[str]:
    """The alerts that one event told of: its own, or those a summary names."""
    summary = entry["body"]["payload"]["summary"]
    if entry["dedup_key"].startswith("tocsin-group-"):
        return {word[1:] for word in summary.split() if word[0] == "+"}
    return {entry["dedup_key"]}


def test_the_first_alert_of_every_service_does_not_wait(storm: Storm, sandbox: Sandbox, clock: MovableClock) -> None:
    storm.alerts.submit("flood", [of(0, number, "critical") for number in range(200)])
    pass_time(storm, sandbox, clock, 70)
    sandbox.clear_log()

    storm.alerts.submit("late", [of(service, 0) for service in range(1, 3)])
    pass_time(storm, sandbox, clock, 1)

    assert {"s1-0", "s2-0"} <= {entry["dedup_key"] for entry in sandbox.log()}


def test_the_urgent_goes_before_the_rest_and_the_newest_before_the_oldest(
    storm: Storm, sandbox: Sandbox, clock: MovableClock
) -> None:
    storm.alerts.submit("fill", [of(0, number) for number in range(LIMIT)])
    pass_time(storm, sandbox, clock, 5)
    for number, severity in enumerate(("info", "critical", "info", "critical")):
        storm.alerts.submit(f"m{number}", [of(0, 100 + number, severity)])
        clock.advance(SECOND / 100)
    pass_time(storm, sandbox, clock, 150)

    keys = [entry["dedup_key"] for entry in sandbox.log()]
    order = [key for key in keys if key in ("s0-100", "s0-101", "s0-102", "s0-103")]
    assert order == ["s0-103", "s0-101", "s0-102", "s0-100"]


def test_teams_share_a_key_fairly(storm: Storm, sandbox: Sandbox, clock: MovableClock) -> None:
    storm.alerts.submit("fill", [of(0, number) for number in range(LIMIT)])
    storm.go()
    storm.alerts.submit("loud", [of(1, number, "critical") for number in range(40)])
    storm.alerts.submit("quiet", [of(2, number, "critical") for number in range(5)])
    pass_time(storm, sandbox, clock, 90)

    keys = [entry["dedup_key"] for entry in sandbox.log()]
    last_quiet = max(index for index, key in enumerate(keys) if key.startswith("s2-"))
    loud_before = sum(key.startswith("s1-") for key in keys[:last_quiet])
    assert loud_before <= 10


def test_a_pair_of_trigger_and_resolve_that_waits_costs_nothing(
    storm: Storm, sandbox: Sandbox, clock: MovableClock
) -> None:
    storm.alerts.submit("fill", [of(0, number) for number in range(LIMIT)])
    storm.go()
    before = sandbox.count()
    storm.alerts.submit("pair", [of(0, 200), of(0, 200, action="resolve")])
    pass_time(storm, sandbox, clock, 90)

    assert not [entry for entry in sandbox.log()[before:] if entry["dedup_key"] == "s0-200"]


def test_summaries_end_when_all_they_name_are_resolved(storm: Storm, sandbox: Sandbox, clock: MovableClock) -> None:
    numbers = range(200)
    storm.alerts.submit("flood", [of(0, number) for number in numbers])
    pass_time(storm, sandbox, clock, 240)
    storm.alerts.submit("calm", [of(0, number, action="resolve") for number in numbers])
    pass_time(storm, sandbox, clock, 600)

    assert not [incident for incident in sandbox.incidents() if incident["status"] != "resolved"]
    proof = storm.audit.prove()
    assert proof.holds, proof.broken
    assert proof.pending.count == 0


def test_a_list_of_budgets_says_who_waits_and_until_when(storm: Storm, sandbox: Sandbox, clock: MovableClock) -> None:
    storm.alerts.submit("flood", [of(number % 2, number) for number in range(50)])
    pass_time(storm, sandbox, clock, 2)

    [budget] = Budgets(storm.client, storm.keys, {"kid-primary": ["shop via primary"]}).list()

    assert (budget.key_id, budget.limit, budget.used_by) == ("kid-primary", LIMIT, ["shop via primary"])
    assert budget.used == sandbox.count()
    assert budget.waiting == 50 - budget.used == sum(budget.teams.values())
    assert budget.through_at is not None
    assert budget.through_at > clock.now()
    assert storm.audit.prove().pending.count == budget.waiting
