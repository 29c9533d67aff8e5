"""Groups on other ways: what falls back on people, PagerDuty's growing alert, and how groups are listed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tasks.notifications.channels.protocol import Address
from tasks.notifications.groups import Groups
from tests.acceptance.group_world import CLUSTERS, PEOPLE, WAIT, Grouped, GroupKit, proved, told, warning
from tests.pipeline import alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox


def test_what_falls_back_on_people_reaches_them_as_one_group_and_what_follows_it_too(
    desk: GroupKit, sandbox: Sandbox, clock: MovableClock
) -> None:
    primary = desk.routes()["shop"].addresses[0]
    desk.ruled_by()
    desk.delivery = desk.delivered_by([primary, Address("desk", "slack", "", {"kid-desk": "secret"})])
    sandbox.fault(kind="error", status=503)
    desk.submit(*(alert(f"n{number}") for number in range(4)))
    desk.go()
    clock.advance(timedelta(seconds=61))
    desk.go()
    [first] = desk.desk.taken
    assert (len(first.members), first.open) == (4, 4)

    sandbox.heal()
    desk.submit(*(alert(f"n{number}", "resolve") for number in range(4)))
    for _ in range(4):
        clock.advance(timedelta(seconds=31))
        desk.go()

    assert told(desk.desk.taken[-1]) == "resolve, 0 open: -n0 -n1 -n2 -n3"
    assert proved(desk)
    assert not [i for i in sandbox.incidents() if i["status"] != "resolved"]


def test_pagerduty_gets_one_growing_alert_for_a_group(desk: GroupKit, sandbox: Sandbox, clock: MovableClock) -> None:
    desk.ruled_by(router=Grouped(replace(PEOPLE, for_people=False)))
    desk.delivery = desk.delivered_by([desk.routes()["shop"].addresses[0]])

    desk.submit(warning("disk"))
    desk.go()
    desk.submit(warning("cpu"), warning("net"))
    clock.advance(WAIT)
    desk.go()
    desk.submit(*(warning(key, "resolve") for key in ("disk", "cpu", "net")))
    clock.advance(WAIT)
    desk.go()

    entries = sandbox.log()
    assert [(entry["event_action"], entry["outcome"]) for entry in entries] == [
        ("trigger", "opened"),
        ("trigger", "updated"),
        ("resolve", "resolved"),
    ]
    assert len({entry["dedup_key"] for entry in entries}) == 1
    assert proved(desk)


def test_a_list_of_groups_says_what_waits_and_until_when(desk: GroupKit, clock: MovableClock) -> None:
    desk.ruled_by(router=Grouped(CLUSTERS))
    desk.submit(*(warning(key, custom_details={"cluster": "north"}) for key in ("disk", "cpu")))
    desk.go()
    desk.submit(warning("net", custom_details={"cluster": "north"}))

    [group] = Groups(desk.client, desk.keys).list()

    assert (group.destination, group.labels, group.open, group.waiting) == ("shop", {"cluster": "north"}, 3, 1)
    assert timedelta(0) < group.due_at - clock.now() <= WAIT
    assert not group.is_held_up


def test_a_group_that_was_silent_for_a_month_is_forgotten_with_its_members(desk: GroupKit, clock: MovableClock) -> None:
    desk.ruled_by(router=Grouped(CLUSTERS))
    desk.submit(warning("disk", custom_details={"cluster": "north"}))
    desk.go()
    desk.audit.seal()
    clock.advance(timedelta(days=31))

    assert desk.audit.archive().alerts == 2

    assert list(desk.client.scan_iter(f"{desk.keys.prefix}members:*")) == []
    assert list(desk.client.scan_iter(f"{desk.keys.prefix}alert:*")) == []
