from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from deploy.sandbox.announce import Announcer
from deploy.sandbox.escalating import Escalation
from deploy.sandbox.incidents import Acknowledgement
from deploy.sandbox.journal import NOTHING, Agent
from deploy.sandbox.resources.services import SERVICES
from deploy.sandbox.timers import ESCALATE, RESOLVE, UNACKNOWLEDGE, drop, pend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deploy.sandbox.alerts import Alert
    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.world import World


class Life:
    """The statuses of an incident: each change has its log entry, its timers and its word to listeners.

    Events, the REST API and time call these; whether a change is allowed, they have decided before.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.announcer = Announcer(world)
        self.escalation = Escalation(world, self.announcer)

    def open(
        self,
        incident: Incident,
        alert: Alert | None,
        now: float,
        more: Mapping[str, Any] = NOTHING,
        users: Sequence[str] = (),
    ) -> None:
        """A new incident, with its first alert if an event opened it; assigned to the users, else as its policy says."""
        world, by = self._world, incident.opened_by
        world.incidents.add(incident)
        entry = world.journal.write(now, "trigger_log_entry", incident, by, alert, more)
        if alert is not None:
            alert.incident, alert.entry = incident, entry
            incident.alerts.append(alert)
        if users:
            self.escalation.assign(incident, users, "assign_log_entry", by, now)
        else:
            self.escalation.begin(incident, by, now)
        seconds = self._term(incident, "auto_resolve_timeout")
        if seconds:
            pend(world.schedule, incident, RESOLVE, now + seconds, partial(self._give_up, incident))
        client = alert.trigger.client if alert is not None else None
        self.announcer.incident("incident.triggered", incident, by, now, client)

    def join(self, incident: Incident, alert: Alert, by: Agent, now: float) -> None:
        """One more alert in an open incident."""
        alert.incident = incident
        alert.entry = self._world.journal.write(now, "trigger_log_entry", incident, by, alert)
        incident.alerts.append(alert)
        incident.updated_at = now

    def acknowledge(self, incident: Incident, by: Agent, now: float) -> None:
        """Somebody takes it on: it stops moving up, until the service's acknowledgement time is over."""
        incident.acknowledgements = (*incident.acknowledgements, Acknowledgement(now, by))
        self._change(incident, "acknowledged", by, now)
        drop(incident, ESCALATE)
        timeout = self._term(incident, "acknowledgement_timeout")
        if timeout:
            pend(
                self._world.schedule, incident, UNACKNOWLEDGE, now + timeout, partial(self._let_go, incident, "timeout")
            )
        more = {"acknowledgement_timeout": timeout} if timeout else NOTHING
        self._world.journal.write(now, "acknowledge_log_entry", incident, by, more=more)
        self.announcer.incident("incident.acknowledged", incident, by, now)

    def unacknowledge(self, incident: Incident, by: Agent, now: float) -> None:
        """Nobody has it on hand any more: it is triggered again and moves up from where it stood."""
        self.put_back(incident, by, now)
        self._world.journal.write(now, "unacknowledge_log_entry", incident, by)
        self.escalation.resume(incident, now)
        self.announcer.incident("incident.unacknowledged", incident, by, now)

    def put_back(self, incident: Incident, by: Agent, now: float) -> None:
        """It is merely triggered from now on, without a word of it."""
        incident.acknowledgements = ()
        drop(incident, UNACKNOWLEDGE)
        if incident.status != "triggered":
            self._change(incident, "triggered", by, now)

    def resolve(self, incident: Incident, by: Agent, now: float, more: Mapping[str, Any] = NOTHING) -> None:
        """It is over, and so are its alerts."""
        world = self._world
        for alert in incident.alerts:
            if alert.is_open:
                world.incidents.close_alert(alert, now)
        incident.assignments = incident.acknowledgements = ()
        drop(incident, ESCALATE, UNACKNOWLEDGE, RESOLVE)
        self._change(incident, "resolved", by, now)
        incident.resolved_at = now
        world.incidents.close(incident)
        world.journal.write(now, "resolve_log_entry", incident, by, more=more)
        self.announcer.incident("incident.resolved", incident, by, now)

    def reopen(self, incident: Incident, by: Agent, now: float) -> None:
        """It is not over after all; its alerts stay resolved."""
        incident.resolved_at = incident.merged_into = None
        self._world.incidents.reopen(incident)
        self._change(incident, "triggered", by, now)
        self._world.journal.write(now, "unacknowledge_log_entry", incident, by)
        self.escalation.begin(incident, by, now)
        self.announcer.incident("incident.reopened", incident, by, now)

    def snooze(self, incident: Incident, seconds: float, by: Agent, now: float) -> None:
        """It stays acknowledged for so long, whatever the service's acknowledgement time is."""
        if incident.status != "acknowledged":
            self.acknowledge(incident, by, now)
        until = now + seconds
        pend(self._world.schedule, incident, UNACKNOWLEDGE, until, partial(self._let_go, incident, "auto"))
        incident.updated_at = now
        more = {"until": until, "channel": {"type": by.channel, "duration": int(seconds)}}
        self._world.journal.write(now, "snooze_log_entry", incident, by, more=more)

    def _let_go(self, incident: Incident, channel: str) -> None:
        self.unacknowledge(incident, account_of(incident.service_id, channel), self._world.clock.now())

    def _give_up(self, incident: Incident) -> None:
        self.resolve(incident, account_of(incident.service_id, "timeout"), self._world.clock.now())

    def _change(self, incident: Incident, status: str, by: Agent, now: float) -> None:
        incident.status = status
        incident.updated_at = incident.changed_at = now
        incident.changed_by = by

    def _term(self, incident: Incident, name: str) -> int | None:
        service = self._world.store.get("services", incident.service_id) or {}
        seconds: int | None = service.get(name, SERVICES.defaults[name])
        return seconds


def account_of(service_id: str, channel: str) -> Agent:
    """The agent of what the account does by itself: the service."""
    return Agent("service", service_id, channel)
