"""Accounts made up: people, teams, schedules, policies, services and what surrounds them, consistent, from a seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from deploy.sandbox.making_extras import EXTRAS
from deploy.sandbox.names import reference
from deploy.sandbox.resources.integrations import new_key
from deploy.sandbox.resources.orchestrations import new_routing_key
from deploy.sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deploy.sandbox.store import Entity

FIRST = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana", "Ivo", "June", "Kai", "Lea", "Max", "Nora", "Otto")
LAST = ("Adler", "Brandt", "Costa", "Doyle", "Endo", "Frost", "Gupta", "Haas", "Ito", "Jansen", "Kroll", "Lund", "Moss")
WORK = (
    "checkout",
    "search",
    "billing",
    "catalogue",
    "login",
    "mail",
    "orders",
    "payments",
    "queue",
    "reports",
    "stock",
)
PLACES = ("eu", "us", "asia", "test", "canary", "edge", "core")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Sydney", "Etc/UTC")
ROLES = ("admin", "user", "user", "user", "limited_user", "observer", "read_only_user")
HOURS = 3600
TURNS = (24 * HOURS, 7 * 24 * HOURS, 12 * HOURS)
OFFICE = {"type": "daily_restriction", "start_time_of_day": "08:00:00", "duration_seconds": 10 * HOURS}


class Maker:
    """Makes objects one by one; each names only what was made before it."""

    def __init__(self, seed: int, counts: Mapping[str, int]) -> None:
        self.store = Store()
        self._counts = counts
        # The same account for the same seed is the point; nothing here is secret.
        self._chance = random.Random(seed)  # noqa: S311
        self._seed = seed

    def make(self) -> dict[str, Any]:
        """The account as a file describes it."""
        for kind, maker in MAKERS.items():
            for number in range(self._counts[kind]):
                made = maker(self, number)
                if made is not None:  # else it became a part of another
                    self.store.add(kind, made)
        doors: dict[str, list[Entity]] = {}
        for door in self.store.all("integrations"):
            doors.setdefault(door["service"]["id"], []).append({"id": door["id"], "routing_key": door["key"]})
        lists = {kind: list(self.store.all(kind)) for kind in MAKERS if kind not in ("services", "integrations")}
        services = [{**one, "integrations": doors.get(one["id"], [])} for one in self.store.all("services")]
        return {**{kind: entities for kind, entities in lists.items() if entities}, "services": services}

    def user(self, number: int) -> Entity:
        """Somebody with a name, an address and a zone."""
        name = f"{self.one_of(FIRST)} {self.one_of(LAST)} {number + 1}"
        role = "owner" if number == 0 else self.one_of(ROLES)
        email = f"{name.lower().replace(' ', '.')}@example.com"
        return {"name": name, "email": email, "role": role, "time_zone": self.one_of(ZONES)}

    def contact_method(self, number: int) -> Entity:
        """First an e-mail address for everybody, then telephones."""
        user = self.in_turn("users", number)
        owner = {"user": reference("user", user["id"])}
        if number < len(self.store.all("users")):
            return {"type": "email_contact_method", "label": "Work", "address": user["email"], **owner}
        phone = {"type": "phone_contact_method", "label": "Mobile", "address": f"555{number:07d}", "country_code": 1}
        return {**phone, **owner}

    def notification_rule(self, number: int) -> Entity:
        """Whoever has a contact method is told by it, at once or later."""
        method = self.in_turn("contact_methods", number)
        named = {"contact_method": reference(method["type"], method["id"]), "user": method["user"]}
        return {
            "start_delay_in_minutes": self.one_of((0, 2, 5, 15)),
            "urgency": self.one_of(("high", "low")),
            **named,
        }

    def team(self, number: int) -> Entity:
        """A handful of members; every fourth team is below another."""
        able = [one for one in self.store.all("users") if not one["role"].startswith("read_only")]
        members = self._chance.sample(able, min(len(able), self._chance.randint(2, 6)))
        roles = ("manager", "responder", "observer")
        listed = [{"user": reference("user", one["id"]), "role": self.one_of(roles)} for one in members]
        above = {"parent": reference("team", self.any_of("teams")["id"])} if number % 4 == 3 else {}
        return {"name": f"{self.one_of(WORK)} team {number + 1}", "members": listed, **above}

    def schedule(self, number: int) -> Entity:
        """One to three layers, some within office hours only."""
        layers = [self._layer(place) for place in range(self._chance.randint(1, 3))]
        name = f"{self.one_of(WORK)} schedule {number + 1}"
        return {"name": name, "time_zone": self.one_of(ZONES), "schedule_layers": layers, "teams": self._teams()}

    def v3_schedule(self, number: int) -> Entity:
        """One rotation of weekdays."""
        zone = self.one_of(ZONES)
        members = [
            {"type": "user_member", "user_id": self.any_of("users")["id"]} for _ in range(self._chance.randint(1, 5))
        ]
        event = {
            "id": self.store.new_id(),
            "name": "Weekdays",
            "start_time": {"date_time": "2026-01-05T09:00:00Z", "time_zone": zone},
            "end_time": {"date_time": "2026-01-05T17:00:00Z", "time_zone": zone},
            "effective_since": "2026-01-01T00:00:00Z",
            "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"],
            "assignment_strategy": {
                "type": "rotating_member_assignment_strategy",
                "shifts_per_member": 5,
                "members": members,
            },
        }
        rotation = {"id": self.store.new_id(), "events": [event]}
        name = f"{self.one_of(WORK)} rotation {number + 1}"
        return {"name": name, "time_zone": zone, "teams": self._teams(), "rotations": [rotation]}

    def escalation_policy(self, number: int) -> Entity:
        """One to four levels of schedules and people."""
        rules = [
            {
                "id": self.store.new_id(),
                "escalation_delay_in_minutes": self.one_of((5, 10, 15, 30)),
                "targets": [self._target() for _ in range(self._chance.randint(1, 2))],
            }
            for _ in range(self._chance.randint(1, 4))
        ]
        loops = self._chance.randint(0, 3)
        name = f"{self.one_of(WORK)} policy {number + 1}"
        return {"name": name, "num_loops": loops, "escalation_rules": rules, "teams": self._teams()}

    def service(self, number: int) -> Entity:
        """Something that can fail."""
        name = f"{self.one_of(WORK)}-{self.one_of(PLACES)}-{number + 1}"
        policy = reference("escalation_policy", self.any_of("escalation_policies")["id"])
        timeouts = {"acknowledgement_timeout": self.one_of((None, 600, 1_800)), "auto_resolve_timeout": None}
        return {"name": name, "description": f"Runs {name}", "escalation_policy": policy, **timeouts}

    def integration(self, number: int) -> Entity:
        """A door of a service, with its routing key."""
        service = self.in_turn("services", number)
        return {"service": reference("service", service["id"]), "key": new_key(f"{self._seed}/{number}")}

    def business_service(self, number: int) -> Entity:
        """What customers would call it."""
        return {"name": f"{self.one_of(WORK).title()} {number + 1}", "point_of_contact": self.any_of("users")["name"]}

    def service_dependency(self, number: int) -> Entity:
        """A service that a business service stands on."""
        services, businesses = (len(self.store.all(kind)) for kind in ("services", "business_services"))
        supporting = self.in_turn("services", number)
        # Each pair only once: the partner moves on by one whenever the services begin anew.
        dependent = self.in_turn("business_services", number + number // services if businesses else 0)
        return {
            "supporting_service": reference("service", supporting["id"]),
            "dependent_service": reference("business_service", dependent["id"]),
        }

    def event_orchestration(self, number: int) -> Entity:
        """A key that sends everything to one service, except what names another."""
        special, rest = self.any_of("services"), self.any_of("services")
        rule = {
            "id": f"{number:08x}",
            "label": special["name"],
            "conditions": [{"expression": f"event.source matches part '{special['name']}'"}],
            "actions": {"route_to": special["id"]},
        }
        router = {"sets": [{"id": "start", "rules": [rule]}], "catch_all": {"actions": {"route_to": rest["id"]}}}
        key = new_routing_key(f"{self._seed}/{number}")
        door = {"id": f"door-{number}", "label": "Default", "parameters": {"routing_key": key, "type": "global"}}
        return {"name": f"{self.one_of(WORK)} orchestration {number + 1}", "integrations": [door], "router": router}

    def alert_grouping_setting(self, number: int) -> Entity:
        """A service's alerts, grouped by their summary."""
        config = {"aggregate": "all", "fields": ["summary"], "time_window": self.one_of((300, 900, 3_600))}
        services = [reference("service", self.in_turn("services", number)["id"])]
        return {"name": f"Setting {number + 1}", "type": "content_based", "config": config, "services": services}

    def extension(self, number: int) -> Entity:
        """A hook of a service."""
        service = self.in_turn("services", number)
        return {
            "name": f"Hook {number + 1}",
            "endpoint_url": f"https://hooks.example.com/{number + 1}",
            "extension_objects": [reference("service", service["id"])],
            "extension_schema": reference("extension_schema", "PSANDBXS01"),
        }

    def tag(self, number: int) -> Entity:
        """A label on somebody and some team."""
        bearers = [reference("user", self.any_of("users")["id"])]
        if self.store.all("teams"):
            bearers.append(reference("team", self.any_of("teams")["id"]))
        return {"label": f"{self.one_of(PLACES)}-{number + 1}", "tagged": bearers}

    def maintenance_window(self, number: int) -> Entity:
        """Every second one is over, the others are long to come."""
        year = 2020 if number % 2 else 2040
        day = f"{year}-{number % 12 + 1:02d}-01"
        services = [reference("service", self.in_turn("services", number)["id"])]
        times = {"start_time": f"{day}T00:00:00Z", "end_time": f"{day}T06:00:00Z"}
        return {"description": f"Upgrade {number + 1}", "services": services, "sequence_number": number + 1, **times}

    def _layer(self, place: int) -> Entity:
        start = f"2026-01-{self._chance.randint(5, 11):02d}T{self.one_of(('08', '09', '17'))}:00:00Z"
        users = [{"user": reference("user", self.any_of("users")["id"])} for _ in range(self._chance.randint(1, 6))]
        return {
            "id": self.store.new_id(),
            "name": f"Layer {place + 1}",
            "start": start,
            "rotation_virtual_start": start,
            "rotation_turn_length_seconds": self.one_of(TURNS),
            "users": users,
            "restrictions": [OFFICE] if place else [],
        }

    def _target(self) -> Entity:
        kinds = [("schedules", "schedule"), ("v3_schedules", "schedule_v3"), ("users", "user")]
        kind, type_ = self.one_of([one for one in kinds if self.store.all(one[0])])
        return reference(type_, self.any_of(kind)["id"])

    def _teams(self) -> list[Entity]:
        return [reference("team", self.any_of("teams")["id"])] if self.store.all("teams") else []

    def any_of(self, kind: str) -> Entity:
        """One of the objects made before, by chance."""
        return self.in_turn(kind, self._chance.randrange(max(1, len(self.store.all(kind)))))

    def in_turn(self, kind: str, number: int) -> Entity:
        """One of the objects made before, each as often as the others."""
        found = self._list(kind)
        if not found:
            raise ValueError(f"there are no {kind.replace('_', ' ')} for others to name; make at least one")
        return found[number % len(found)]

    def _list(self, kind: str) -> list[Entity]:
        return self.store.recall(("list", kind), lambda: list(self.store.all(kind)))

    def one_of(self, values: Any) -> Any:
        """One of these, by chance."""
        return self._chance.choice(values)


MAKERS: Mapping[str, Callable[[Maker, int], Entity | None]] = {
    "users": Maker.user,
    "contact_methods": Maker.contact_method,
    "notification_rules": Maker.notification_rule,
    "teams": Maker.team,
    "schedules": Maker.schedule,
    "v3_schedules": Maker.v3_schedule,
    "escalation_policies": Maker.escalation_policy,
    "services": Maker.service,
    "integrations": Maker.integration,
    "business_services": Maker.business_service,
    "service_dependencies": Maker.service_dependency,
    "event_orchestrations": Maker.event_orchestration,
    "alert_grouping_settings": Maker.alert_grouping_setting,
    "extensions": Maker.extension,
    "tags": Maker.tag,
    "maintenance_windows": Maker.maintenance_window,
    **EXTRAS,
}
