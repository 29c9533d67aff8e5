"""Answers from PagerDuty where several were told together: everybody who was told hears of them, and every member of a group."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tasks.notifications.channels.protocol import Address
from tasks.utils.identifiers import alert_uid
from tasks.webhooks.answers import Answers
from tests.acceptance.group_world import PEOPLE, WAIT, Grouped, GroupKit, proved, told, warning
from tests.acceptance.test_answers import said
from tests.pipeline import Pipeline, alert

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

DISK = alert_uid("shop", "disk")


def group_of(desk: GroupKit) -> str:
    """The dedup key of the one group there is."""
    [(key, _)] = [item for item in desk.client.hgetall(desk.keys.wired).items() if item[0].startswith("tocsin-group-")]
    return str(key)


def in_one_incident(desk: GroupKit) -> None:
    """All alerts of the shop go to PagerDuty, as one growing alert."""
    desk.ruled_by(router=Grouped(replace(PEOPLE, for_people=False)))
    desk.delivery = desk.delivered_by([desk.routes()["shop"].addresses[0]])


def statuses(kit: Pipeline, *keys: str) -> list[str]:
    return [kit.current.get(alert_uid("shop", key)).status for key in keys]


def test_those_who_fell_back_on_people_hear_of_the_resolve(
    desk: GroupKit, sandbox: Sandbox, clock: MovableClock
) -> None:
    """The trigger's answer was lost, so the desk was told too: it may be open in both places."""
    primary = desk.routes()["shop"].addresses[0]
    desk.ruled_by()
    desk.delivery = desk.delivered_by([primary, Address("desk", "slack", "", {"kid-desk": "secret"})])
    sandbox.fault(kind="error", status=503)
    desk.submit(alert("disk"))
    desk.go()
    clock.advance(timedelta(seconds=61))
    desk.go()
    sandbox.heal()
    assert told(desk.desk.taken[-1]) == "trigger, 1 open: +disk"

    Answers(desk.client, desk.keys).observe(said(clock, "resolved", who="Ann"))
    desk.alerts.drain_inbox()
    for _ in range(3):
        clock.advance(timedelta(seconds=31))
        desk.go()

    assert told(desk.desk.taken[-1]) == "resolve, 0 open: -disk"
    assert statuses(desk, "disk") == ["resolved"]
    assert proved(desk)


def test_an_answer_to_a_group_concerns_all_its_members_and_is_not_sent_back(
    desk: GroupKit, sandbox: Sandbox, clock: MovableClock
) -> None:
    in_one_incident(desk)
    answers = Answers(desk.client, desk.keys)
    desk.submit(warning("disk"))
    desk.go()
    desk.submit(warning("cpu"))
    clock.advance(WAIT)
    desk.go()
    sent = len(sandbox.log())

    answers.observe(said(clock, "acknowledged", key=group_of(desk), who="Ann"))
    desk.alerts.drain_inbox()
    clock.advance(WAIT)
    desk.go()
    assert statuses(desk, "disk", "cpu") == ["acknowledged", "acknowledged"]

    answers.observe(said(clock, "resolved", key=group_of(desk)))
    desk.alerts.drain_inbox()
    clock.advance(WAIT)
    desk.go()
    assert statuses(desk, "disk", "cpu") == ["resolved", "resolved"]
    assert len(sandbox.log()) == sent
    assert proved(desk)


def test_a_member_its_incident_does_not_tell_of_yet_stays_open_and_opens_the_next(
    desk: GroupKit, sandbox: Sandbox, clock: MovableClock
) -> None:
    in_one_incident(desk)
    answers = Answers(desk.client, desk.keys)
    desk.submit(warning("disk"))
    desk.go()
    desk.submit(warning("cpu"))

    answers.observe(said(clock, "resolved", key=group_of(desk)))
    desk.alerts.drain_inbox()
    clock.advance(WAIT)
    desk.go()

    assert statuses(desk, "disk", "cpu") == ["resolved", "open"]
    assert sandbox.log()[-1]["event_action"] == "trigger"
    assert proved(desk)
