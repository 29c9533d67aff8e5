"""Incidents: what is done with them over REST."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.rest.collection import OFFSET, Collection
from tasks.utils.rest.errors import AlreadyDoneError, DuplicateIncidentError
from tasks.utils.rest.pages import items_of
from tasks.utils.rest.spans import Span, TimeReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from tasks.utils.rest.pages import Item

    Items = list[Item]

MOST_AT_ONCE: Final = 250
OPEN: Final = ("triggered", "acknowledged")
ORDERS: Final = ("created_at:asc", "created_at:desc")


@dataclass(frozen=True)
class Incidents(Collection):
    """`sender` is the address of the user in whose name it is done; without one, `pagerduty.from_email`."""

    now: Callable[[], datetime] = field(kw_only=True)

    def list(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        date_range: str | None = None,
        **filters: Any,
    ) -> Iterator[Item]:
        """All incidents created between `since` and `until` that fit, oldest first, also where there are more than 10,000.

        Without either, PagerDuty's last month; `date_range="all"` for all there are. Another order: `sort_by="created_at:desc"`.
        """
        order = filters.setdefault("sort_by", "created_at:asc")
        if order not in ORDERS:
            return super().list(since=since, until=until, date_range=date_range, **filters)
        reader = TimeReader(self.reading(filters), self.many, self.now, newest_first=order == ORDERS[1])
        return reader.everything() if date_range == "all" else reader.items(Span(since, until))

    def create(self, item: Mapping[str, Any], *, sender: str | None = None) -> Item:
        """A new incident; `title` and `service` (`{"id": …, "type": "service_reference"}`) are required.

        With an `incident_key` it is safe to try again: if the service has an open incident of that key, that one is returned.
        """
        key = item.get("incident_key")
        body = {self.one: {"type": "incident", **item}}
        try:
            return self.unwrapped(self.caller.call("POST", self.path, body=body, sender=sender, may_repeat=bool(key)))
        except DuplicateIncidentError:
            found = self.find_open(str(key), item["service"]["id"]) if key else None
            if found is None:
                raise
            return found

    def find_open(self, key: str, service_id: str) -> Item | None:
        """The open incident of a service that was made with this `incident_key`, or whose alert has this dedup key."""
        return next(self.list(incident_key=key, service_ids=[service_id], statuses=OPEN, date_range="all"), None)

    def update(self, item_id: str, changes: Mapping[str, Any], *, sender: str | None = None) -> Item:
        """The incident after the changes: status, priority, title, urgency, assignments, escalation_policy and so on."""
        return super().update(item_id, {"type": "incident", **changes}, sender=sender)

    def update_many(self, changes: Iterable[Mapping[str, Any]], *, sender: str | None = None) -> Items:
        """Change many, each named by its `id`; more than 250 go in several requests, in order."""
        wanted = ({"type": "incident_reference", **change} for change in changes)
        return self._many_at_once(self.path, self.many, wanted, sender)

    def acknowledge(self, item_id: str, *, sender: str | None = None) -> Item:
        """The incident, acknowledged. Raises AlreadyDoneError where it was acknowledged or resolved before."""
        return self._turned(item_id, {"status": "acknowledged"}, sender)

    def resolve(self, item_id: str, *, resolution: str | None = None, sender: str | None = None) -> Item:
        """The incident, resolved; `resolution` says how. Raises AlreadyDoneError where it was resolved before."""
        changes = {"status": "resolved", **({"resolution": resolution} if resolution else {})}
        return self._turned(item_id, changes, sender)

    def _turned(self, item_id: str, changes: Mapping[str, Any], sender: str | None) -> Item:
        try:
            return self.update(item_id, changes, sender=sender)
        except AlreadyDoneError as error:
            if not error.was_repeated:
                raise
            return self.get(item_id)

    def reassign(
        self,
        item_id: str,
        *,
        users: Sequence[str] = (),
        escalation_policy: str | None = None,
        level: int | None = None,
        sender: str | None = None,
    ) -> Item:
        """The incident, now with these users, or with an escalation policy (from `level` on)."""
        changes: Item = {}
        if users:
            changes["assignments"] = [{"assignee": {"id": user, "type": "user_reference"}} for user in users]
        if escalation_policy:
            changes["escalation_policy"] = {"id": escalation_policy, "type": "escalation_policy_reference"}
        if level is not None:
            changes["escalation_level"] = level
        return self.update(item_id, changes, sender=sender)

    def merge(self, item_id: str, sources: Sequence[str], *, sender: str | None = None) -> Item:
        """The incident, with the alerts of the others; those are resolved. Not repeated: merged ones cannot be merged again."""
        body = {"source_incidents": [{"id": source, "type": "incident_reference"} for source in sources]}
        path = self.path_to(item_id, "merge")
        return self.unwrapped(self.caller.call("PUT", path, body=body, sender=sender, may_repeat=False))

    def snooze(self, item_id: str, duration: timedelta, *, sender: str | None = None) -> Item:
        """The incident, acknowledged for so long; then it triggers anew."""
        body = {"duration": round(duration.total_seconds())}
        path = self.path_to(item_id, "snooze")
        return self.unwrapped(self.caller.call("POST", path, body=body, sender=sender, may_repeat=True))

    def notes(self, item_id: str) -> Items:
        """All notes, newest first."""
        return list(self.below(item_id, "notes", "note", "notes").list())

    def add_note(self, item_id: str, text: str, *, sender: str | None = None) -> Item:
        """The note that was added."""
        body = {"note": {"content": text}}
        return self.unwrapped(
            self.caller.call("POST", self.path_to(item_id, "notes"), body=body, sender=sender), "note"
        )

    def status_update(
        self, item_id: str, message: str, *, subject: str | None = None, sender: str | None = None
    ) -> Item:
        """The update that went to the incident's subscribers."""
        body = {"message": message, **({"subject": subject} if subject else {})}
        path = self.path_to(item_id, "status_updates")
        return self.unwrapped(self.caller.call("POST", path, body=body, sender=sender), "status_update")

    def request_responders(
        self,
        item_id: str,
        message: str,
        *,
        requester: str,
        users: Sequence[str] = (),
        escalation_policies: Sequence[str] = (),
        sender: str | None = None,
    ) -> Item:
        """The request to these users and policies to join. Raises MissingAbilityError where the plan has no such thing."""
        targets = [("user_reference", user) for user in users]
        targets += [("escalation_policy_reference", policy) for policy in escalation_policies]
        body = {
            "requester_id": requester,
            "message": message,
            "responder_request_targets": [
                {"responder_request_target": {"id": target, "type": kind}} for kind, target in targets
            ],
        }
        path = self.path_to(item_id, "responder_requests")
        return self.unwrapped(self.caller.call("POST", path, body=body, sender=sender), "responder_request")

    def alerts(self, item_id: str, **filters: Any) -> Iterator[Item]:
        """Its alerts; `alert_key` is the dedup key of each."""
        return self.below(item_id, "alerts", "alert", "alerts", OFFSET).list(**filters)

    def update_alerts(self, item_id: str, changes: Iterable[Mapping[str, Any]], *, sender: str | None = None) -> Items:
        """Its alerts after the changes, each named by its `id`: resolved, or moved to another `incident`."""
        return self._many_at_once(self.path_to(item_id, "alerts"), "alerts", changes, sender)

    def log_entries(self, item_id: str, **filters: Any) -> Iterator[Item]:
        """What happened to it, newest first."""
        return self.below(item_id, "log_entries", "log_entry", "log_entries", OFFSET).list(**filters)

    def _many_at_once(self, path: str, name: str, changes: Iterable[Mapping[str, Any]], sender: str | None) -> Items:
        wanted = list(changes)
        done: Items = []
        for start in range(0, len(wanted), MOST_AT_ONCE):
            body = {name: wanted[start : start + MOST_AT_ONCE]}
            done += items_of(self.caller.call("PUT", path, body=body, sender=sender), name)
        return done
