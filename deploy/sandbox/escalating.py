from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from deploy.sandbox.incidents import Assignment
from deploy.sandbox.journal import Agent
from deploy.sandbox.oncall import on_call
from deploy.sandbox.timers import ESCALATE, drop, pend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy.sandbox.announce import Announcer
    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.store import Entity
    from deploy.sandbox.world import World


class Escalation:
    """Who an incident is assigned to, level by level, as its escalation policy and the sandbox's clock say.

    Only triggered incidents of high urgency move up by themselves. A level with nobody on call is passed over.
    """

    def __init__(self, world: World, announcer: Announcer) -> None:
        self._world = world
        self._announcer = announcer

    def begin(self, incident: Incident, by: Agent, now: float, kind: str = "assign_log_entry") -> None:
        """Assign it to the first level of its policy, and start moving up from there."""
        incident.level, incident.loops = 1, 0
        if self._policy(incident) is not None:
            self._assign_level(incident, 1, kind, by, now)

    def go_to(self, incident: Incident, level: int, by: Agent, now: float) -> None:
        """Assign it to this level because somebody, or time, wants it there."""
        self._assign_level(incident, level, "escalate_log_entry", by, now)
        self._announcer.incident("incident.escalated", incident, by, now)

    def resume(self, incident: Incident, now: float) -> None:
        """Call whoever it is assigned to once more, and move up from there."""
        self.notify(incident, now)
        self.pend(incident, now)

    def levels(self, incident: Incident) -> int:
        """How many levels its policy has."""
        policy = self._policy(incident)
        return len(policy["escalation_rules"]) if policy else 0

    def assign(self, incident: Incident, users: Sequence[str], kind: str, by: Agent, now: float) -> None:
        """Assign it to these users and call them."""
        incident.assignments = tuple(Assignment(now, user) for user in users)
        incident.updated_at = now
        self._world.journal.write(now, kind, incident, by, more={"assignees": tuple(users)})
        self.notify(incident, now)

    def notify(self, incident: Incident, now: float) -> None:
        """Call everybody it is assigned to."""
        agent = Agent("service", incident.service_id, "auto")
        for one in incident.assignments:
            self._world.journal.write(now, "notify_log_entry", incident, agent, more={"user": one.user_id})

    def pend(self, incident: Incident, now: float) -> None:
        """Move it up by itself when its level's time is over, if it is one of those that move up."""
        policy = self._policy(incident)
        wanted = incident.status == "triggered" and incident.urgency == "high"
        if policy is None or not wanted or incident.assigned_via != "escalation_policy":
            return
        rule = policy["escalation_rules"][min(incident.level, len(policy["escalation_rules"])) - 1]
        at = now + 60 * rule["escalation_delay_in_minutes"]
        pend(self._world.schedule, incident, ESCALATE, at, partial(self._move_up, incident))

    def _assign_level(self, incident: Incident, level: int, kind: str, by: Agent, now: float) -> None:
        found = self._first_with_somebody(incident, level, now)
        drop(incident, ESCALATE)
        if found is None:
            return
        incident.level, users = found
        incident.assigned_via = "escalation_policy"
        self.assign(incident, users, kind, by, now)
        self.pend(incident, now)

    def _first_with_somebody(self, incident: Incident, level: int, now: float) -> tuple[int, Sequence[str]] | None:
        for candidate in range(level, self.levels(incident) + 1):
            users = on_call(self._world.store, incident.policy_id, candidate, now)
            if users:
                return candidate, users
        return None

    def _move_up(self, incident: Incident) -> None:
        now = self._world.clock.now()
        by = Agent("service", incident.service_id, "timeout")
        policy = self._policy(incident)
        if policy is None:
            return
        level = incident.level + 1
        if self._first_with_somebody(incident, level, now) is None:
            ended = incident.loops >= policy.get("num_loops", 0)
            if ended or self._first_with_somebody(incident, 1, now) is None:
                self._world.journal.write(now, "exhaust_escalation_path_log_entry", incident, by)
                return
            incident.loops, level = incident.loops + 1, 1
            self._world.journal.write(now, "repeat_escalation_path_log_entry", incident, by)
        self.go_to(incident, level, by, now)

    def _policy(self, incident: Incident) -> Entity | None:
        return self._world.store.get("escalation_policies", incident.policy_id) if incident.policy_id else None
