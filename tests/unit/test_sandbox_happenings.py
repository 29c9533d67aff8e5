"""What the sandbox tells of incidents, in the shape of webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from deploy.sandbox.alerts import Trigger
from deploy.sandbox.documents import AccountDocument
from deploy.sandbox.journal import Agent
from deploy.sandbox.planting import Planted, plant
from deploy.sandbox.world import Options, World
from tests.integration.sandbox.incident_kit import ALICE, BOB, CAROL, DB, OTHER_POLICY, TEAM, WEB, account
from tests.integration.sandbox.kit import KEY

if TYPE_CHECKING:
    from deploy.sandbox.happenings import Happening
    from deploy.sandbox.incidents import Incident

BY = Agent("user", ALICE, "website")
TRIGGER = Trigger("disk full", "critical", None, (), client={"name": "Nagios", "url": "https://nagios.example.com"})
MINUTE = 60.0


class Told:
    """A world with somebody who listens."""

    def __init__(self, **more: Any) -> None:
        document = AccountDocument.model_validate(account(**more))
        self.world = World(Options(account=document), "http://sandbox.example.com")
        self.heard: list[Happening] = []
        self.world.happenings.listen(self.heard.append)

    @property
    def types(self) -> list[str]:
        """What was told, in order."""
        return [one.event_type.removeprefix("incident.") for one in self.heard]

    @property
    def now(self) -> float:
        return self.world.clock.now()

    def trigger(self, dedup_key: str = "k") -> Incident:
        """An incident of an event."""
        door = self.world.account.integration(KEY)
        assert door is not None
        self.world.intake.trigger(door, dedup_key, TRIGGER, self.now)
        found = self.world.incidents.open_alert(KEY, dedup_key)
        assert found is not None
        assert found.incident is not None
        return found.incident

    def last(self) -> dict[str, Any]:
        """The latest data."""
        return dict(self.heard[-1].data)


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_triggered_incident_is_told_whole(told: Told) -> None:
    incident = told.trigger()

    (happening,) = told.heard
    data = happening.data
    assert happening.event_type == "incident.triggered"
    assert (happening.resource_id, happening.service_id, happening.team_ids) == (incident.id, DB, (TEAM,))
    assert (data["type"], data["number"], data["status"]) == ("incident", incident.number, "triggered")
    assert (data["title"], data["urgency"], data["priority"]) == ("disk full", "high", None)
    assert [one["id"] for one in data["assignees"]] == [ALICE]
    assert (data["service"]["summary"], data["escalation_policy"]["summary"]) == ("db", "All hands")
    assert data["self"] == f"http://sandbox.example.com/incidents/{incident.id}"


def test_who_did_it_is_the_integration_or_the_user(told: Told) -> None:
    incident = told.trigger()
    told.world.life.acknowledge(incident, BY, told.now)

    by_event, by_user = (one.agent for one in told.heard)
    assert by_event is not None
    assert by_user is not None
    assert by_event["type"] == "events_api_v2_inbound_integration_reference"
    assert (by_user["type"], by_user["id"]) == ("user_reference", ALICE)
    assert told.heard[0].client == {"name": "Nagios", "url": "https://nagios.example.com"}


@pytest.mark.parametrize(("switched_on", "key"), [(False, None), (True, "k")])
def test_the_dedup_key_is_told_only_where_the_account_says_so(*, switched_on: bool, key: str | None) -> None:
    told = Told(webhook_incident_key=switched_on)

    told.trigger()

    assert told.last()["incident_key"] == key


def test_the_whole_life_is_told_in_order(told: Told) -> None:
    incident, life, deeds = told.trigger(), told.world.life, told.world.deeds
    life.acknowledge(incident, BY, told.now)
    life.unacknowledge(incident, BY, told.now)
    deeds.escalate(incident, 2, BY, told.now)
    deeds.reassign(incident, [CAROL], BY, told.now)
    deeds.delegate(incident, OTHER_POLICY, BY, told.now)
    deeds.set_field(incident, "priority", "PSANDBPR01", BY, told.now)
    deeds.set_field(incident, "service", WEB, BY, told.now)
    deeds.set_field(incident, "incident_type", "security", BY, told.now)
    deeds.set_bridge(incident, {"conference_number": "+1 555 0100"}, BY, told.now)
    deeds.note(incident, "a note", BY, told.now)
    deeds.status_update(incident, {"message": "an update"}, BY, told.now)
    deeds.request_responders(incident, ALICE, "help", [("user", BOB)], told.now)
    life.resolve(incident, BY, told.now)
    life.reopen(incident, BY, told.now)

    assert told.types == [
        "triggered",
        "acknowledged",
        "unacknowledged",
        "escalated",
        "reassigned",
        "delegated",
        "priority_updated",
        "service_updated",
        "incident_type.changed",
        "conference_bridge.updated",
        "annotated",
        "status_update_published",
        "responder.added",
        "resolved",
        "reopened",
    ]
    assert {one.resource_id for one in told.heard} == {incident.id}


def test_what_belongs_to_an_incident_only_names_it(told: Told) -> None:
    incident, deeds = told.trigger(), told.world.deeds
    deeds.note(incident, "x" * 5000, BY, told.now)
    note = told.last()
    deeds.status_update(incident, {"message": "an update"}, BY, told.now)
    update = told.last()
    deeds.request_responders(incident, ALICE, "help", [("escalation_policy", OTHER_POLICY)], told.now)
    responder = told.last()

    for data in (note, update, responder):
        assert data["incident"]["type"] == "incident_reference"
        assert data["incident"]["id"] == incident.id
        assert not {"number", "title", "status"} & set(data)
    assert (note["type"], note["trimmed"], len(note["content"])) == ("incident_note", True, 4000)
    assert (update["type"], update["message"], update["trimmed"]) == ("incident_status_update", "an update", False)
    assert (responder["type"], responder["state"], responder["user"]["id"]) == ("incident_responder", "pending", CAROL)
    assert responder["escalation_policy"]["id"] == OTHER_POLICY


def test_time_tells_too_at_the_times_it_did_it(told: Told) -> None:
    incident = told.trigger()
    began = told.heard[0].at

    told.world.schedule.advance(90 * MINUTE)

    assert told.types == ["triggered", *["escalated"] * 5]
    assert [round((one.at - began) / MINUTE) for one in told.heard] == [0, 10, 30, 60, 70, 90]
    assert told.heard[-1].agent == told.world.names.to("service", DB)
    assert incident.level == 3


def test_a_merge_tells_that_the_sources_are_resolved_and_why(told: Told) -> None:
    target, source = told.trigger("a"), told.trigger("b")

    told.world.deeds.merge(target, [source], BY, told.now)

    data = told.last()
    assert (told.types[-1], data["id"]) == ("resolved", source.id)
    assert data["resolve_reason"]["type"] == "merge_resolve_reason"
    assert data["resolve_reason"]["incident"]["id"] == target.id


def test_nothing_is_put_together_where_nobody_wants_to_hear() -> None:
    world = World(Options(account=AccountDocument.model_validate(account())))
    world.happenings.listen(lambda _: pytest.fail("nobody wanted to hear"), wanted=lambda: False)
    door = world.account.integration(KEY)
    assert door is not None

    world.intake.trigger(door, "k", TRIGGER, world.clock.now())

    assert not world.happenings
    assert len(world.incidents) == 1


def test_planted_incidents_are_not_told(told: Told) -> None:

    plant(told.world, Planted(count=10, service="db"))

    assert told.heard == []
