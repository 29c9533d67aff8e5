"""What some resources can do besides being listed, read, made, changed and removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tasks.utils.rest.collection import OFFSET, Collection
from tasks.utils.rest.errors import MissingAbilityError, NotFoundError
from tasks.utils.rest.pages import items_of
from tasks.utils.rest.parameters import path_of
from tasks.utils.rest.spans import Span, TimeReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tasks.utils.rest.caller import Caller
    from tasks.utils.rest.pages import Item

    Items = list[Item]

Tagged = Literal["users", "teams", "escalation_policies"]


@dataclass(frozen=True)
class LogEntries(Collection):
    """What happened to all incidents."""

    now: Callable[[], datetime] = field(kw_only=True)

    def list(self, since: datetime | None = None, until: datetime | None = None, **filters: Any) -> Iterator[Item]:
        """Those of a span of time, newest first, also where there are more than 10,000."""
        reader = TimeReader(self.reading(filters), self.many, self.now, newest_first=True)
        return reader.items(Span(since, until))


@dataclass(frozen=True)
class Services(Collection):
    """Services and their integrations."""

    def integrations(self, service_id: str) -> Items:
        """All integrations of a service, with their `integration_key`: a secret."""
        return items_of(self.get(service_id, include=["integrations"]), "integrations")

    def integrations_of(self, service_id: str) -> Collection:
        """The integrations, to get, create, update or delete one; PagerDuty lists them with the service only."""
        return self.below(service_id, "integrations", "integration", "integrations")


@dataclass(frozen=True)
class Users(Collection):
    """Users and how they want to be reached."""

    def me(self) -> Item:
        """The user whose key this is. Raises InvalidRequestError for a key of the account."""
        return self.get("me")

    def contact_methods(self, user_id: str) -> Collection:
        """Addresses and numbers."""
        return self.below(user_id, "contact_methods", "contact_method", "contact_methods")

    def notification_rules(self, user_id: str) -> Collection:
        """How the user is told of incidents."""
        return self.below(user_id, "notification_rules", "notification_rule", "notification_rules")

    def handoff_rules(self, user_id: str) -> Collection:
        """How the user is told of being on call."""
        one = "oncall_handoff_notification_rule"
        return self.below(user_id, f"{one}s", one, f"{one}s")

    def status_update_rules(self, user_id: str) -> Collection:
        """How the user is told of status updates."""
        one = "status_update_notification_rule"
        return self.below(user_id, f"{one}s", one, f"{one}s")


@dataclass(frozen=True)
class Teams(Collection):
    """Teams, their members and policies."""

    def members(self, team_id: str, **filters: Any) -> Iterator[Item]:
        """Each member's `user` and `role`."""
        return self.below(team_id, "members", "member", "members", OFFSET).list(**filters)

    def add_member(self, team_id: str, user_id: str, role: str = "manager") -> None:
        """Put a user into the team, or change the role: manager, responder or observer."""
        self.caller.call("PUT", self.path_to(team_id, "users", user_id), body={"role": role})

    def remove_member(self, team_id: str, user_id: str) -> None:
        """Take a user out of the team. PagerDuty refuses while a policy of the team names the user."""
        self.caller.call("DELETE", self.path_to(team_id, "users", user_id))

    def add_policy(self, team_id: str, policy_id: str) -> None:
        """Give an escalation policy to the team."""
        self.caller.call("PUT", self.path_to(team_id, "escalation_policies", policy_id))

    def remove_policy(self, team_id: str, policy_id: str) -> None:
        """Take it away."""
        self.caller.call("DELETE", self.path_to(team_id, "escalation_policies", policy_id))


@dataclass(frozen=True)
class Webhooks(Collection):
    """Webhook subscriptions. The secret that signs is in the answer to `create` only."""

    def enable(self, item_id: str) -> Item:
        """The subscription, enabled again after PagerDuty had disabled it."""
        return self.unwrapped(self.caller.call("POST", self.path_to(item_id, "enable"), may_repeat=True))

    def ping(self, item_id: str) -> None:
        """Let PagerDuty send a `pagey.ping`."""
        self.caller.call("POST", self.path_to(item_id, "ping"), may_repeat=True)


@dataclass(frozen=True)
class Extensions(Collection):
    """Extensions of services."""

    def enable(self, item_id: str) -> Item:
        """The extension, enabled again after PagerDuty had disabled it."""
        return self.unwrapped(self.caller.call("POST", self.path_to(item_id, "enable"), may_repeat=True))


@dataclass(frozen=True)
class Tags(Collection):
    """Tags, and who wears them."""

    def of(self, kind: Tagged, item_id: str) -> Iterator[Item]:
        """The tags of one user, team or policy."""
        return Collection(self.caller, path_of(kind, item_id, "tags"), "tag", "tags").list()

    def wearers(self, tag_id: str, kind: Tagged) -> Iterator[Item]:
        """All users, teams or policies with the tag."""
        return self.below(tag_id, kind, kind, kind, OFFSET).list()

    def change(self, kind: Tagged, item_id: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Add tags by their labels (made where there is none yet), remove others by their ids."""
        body = {
            "add": [{"type": "tag", "label": label} for label in add],
            "remove": [{"type": "tag_reference", "id": tag_id} for tag_id in remove],
        }
        self.caller.call("POST", path_of(kind, item_id, "change_tags"), body=body, may_repeat=True)


@dataclass(frozen=True)
class Orchestrations(Collection):
    """Event orchestrations. Rules are read and replaced as a whole document."""

    def rules(self, item_id: str, part: Literal["router", "unrouted", "global"]) -> Item:
        """One document of rules."""
        return self._document("GET", self.path_to(item_id, part))

    def replace_rules(
        self, item_id: str, part: Literal["router", "unrouted", "global"], rules: Mapping[str, Any]
    ) -> Item:
        """The document after it was replaced."""
        return self._document("PUT", self.path_to(item_id, part), rules)

    def service_rules(self, service_id: str) -> Item:
        """The rules of one service."""
        return self._document("GET", self.path_to("services", service_id))

    def replace_service_rules(self, service_id: str, rules: Mapping[str, Any]) -> Item:
        """Those rules after they were replaced."""
        return self._document("PUT", self.path_to("services", service_id), rules)

    def is_active(self, service_id: str) -> bool:
        """Whether the service goes by its orchestration."""
        return bool(self.caller.get(self.path_to("services", service_id, "active")).get("active"))

    def activate(self, service_id: str, *, active: bool = True) -> None:
        """Let the service go by its orchestration, or no longer."""
        self.caller.call("PUT", self.path_to("services", service_id, "active"), body={"active": active})

    def integrations(self, item_id: str) -> Collection:
        """Its routing keys: secrets."""
        return self.below(item_id, "integrations", "integration", "integrations")

    def _document(self, method: str, path: str, rules: Mapping[str, Any] | None = None) -> Item:
        body = {"orchestration_path": rules} if rules is not None else None
        return self.unwrapped(self.caller.call(method, path, body=body), "orchestration_path")


@dataclass(frozen=True)
class Dependencies:
    """Which service needs which."""

    caller: Caller

    def of(self, service_id: str, *, is_business: bool = False) -> Items:
        """All relationships of a service."""
        kind = "business_services" if is_business else "technical_services"
        return items_of(self.caller.get(path_of("service_dependencies", kind, service_id)), "relationships")

    def add(self, relationships: Sequence[Mapping[str, Any]]) -> Items:
        """What was added; each has a `supporting_service` and a `dependent_service`. One call at a time: PagerDuty mixes up more."""
        return self._change("associate", relationships)

    def remove(self, relationships: Sequence[Mapping[str, Any]]) -> Items:
        """What was removed."""
        return self._change("disassociate", relationships)

    def _change(self, verb: str, relationships: Sequence[Mapping[str, Any]]) -> Items:
        body = {"relationships": list(relationships)}
        path = path_of("service_dependencies", verb)
        return items_of(self.caller.call("POST", path, body=body, may_repeat=True), "relationships")


@dataclass(frozen=True)
class Abilities:
    """What the account's plan has."""

    caller: Caller

    def list(self) -> list[str]:
        """The names of all."""
        return [str(name) for name in self.caller.get("/abilities").get("abilities", ())]

    def has(self, name: str) -> bool:
        """Whether the account has one; not one that PagerDuty does not know."""
        try:
            self.caller.get(path_of("abilities", name))
        except (MissingAbilityError, NotFoundError):
            return False
        return True


@dataclass(frozen=True)
class Analytics:
    """Figures about incidents; up to a day late."""

    caller: Caller

    def metrics(self, path: str, filters: Mapping[str, Any] | None = None, **options: Any) -> Items:
        """Aggregates, such as `metrics("incidents/services", {"created_at_start": …}, aggregate_unit="week")`."""
        body = {"filters": dict(filters or {}), **options}
        where = f"/analytics/metrics{path_of(*path.split('/'))}"
        return items_of(self.caller.call("POST", where, body=body, may_repeat=True), "data")

    def incidents(self, filters: Mapping[str, Any] | None = None, **options: Any) -> Iterator[Item]:
        """One row for each incident, page by page."""
        body = {"limit": 1000, **options, "filters": dict(filters or {})}
        while True:
            answer = self.caller.call("POST", "/analytics/raw/incidents", body=body, may_repeat=True)
            rows, last = items_of(answer, "data"), answer.get("last")
            yield from rows
            if not (answer.get("more") and rows and last and last != body.get("starting_after")):
                return
            body["starting_after"] = last
