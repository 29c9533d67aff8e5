"""Escalation policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.crud import routes
from deploy.sandbox.fields import each, fields, nullable, one_of, refers_to, text, whole
from deploy.sandbox.names import ids, reference
from deploy.sandbox.relations import services_of, targets
from deploy.sandbox.request import invalid
from deploy.sandbox.resource import Resource, known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

STRATEGY = "escalation_rule_assignment_strategy"


def _view(request: Request, policy: Entity) -> Mapping[str, Any]:
    asked = request.includes("escalation_rule_assignment_strategies")
    rules = [
        {
            "id": rule["id"],
            "escalation_delay_in_minutes": rule["escalation_delay_in_minutes"],
            "targets": rule["targets"],
            **({STRATEGY: rule.get(STRATEGY, "assign_to_everyone")} if asked else {}),
        }
        for rule in policy["escalation_rules"]
    ]
    services = [reference("service", one["id"]) for one in services_of(request, policy["id"])]
    return {"escalation_rules": rules, "services": services}


def _number_rules(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:  # noqa: ARG001
    """Give every rule without one an id; one that is sent back keeps its own."""
    new["escalation_rules"] = [{"id": request.store.new_id(), **rule} for rule in new["escalation_rules"]]
    return ()


def _free(request: Request, policy: Entity) -> None:
    services = services_of(request, policy["id"])
    if services:
        raise invalid(
            "The escalation policy is being used by one or more services",
            *(f"It is used by the service {one['name']}" for one in services),
        )


POLICIES = known(
    Resource(
        "escalation_policies",
        "escalation_policy",
        fields={
            "name": text(255, 1),
            "description": nullable(text(1024)),
            "num_loops": whole(0, 9),
            "on_call_handoff_notifications": one_of("if_has_services", "always"),
            "escalation_rules": each(
                fields(
                    {
                        "id": text(),
                        "escalation_delay_in_minutes": whole(1),
                        "targets": each(refers_to("user", "schedule", "schedule_v3"), 1, 10),
                        STRATEGY: one_of("round_robin", "assign_to_everyone"),
                    },
                    ("escalation_delay_in_minutes", "targets"),
                ),
                1,
                20,
            ),
            "teams": each(refers_to("team"), 0, 1),
        },
        required=("name", "escalation_rules"),
        defaults={
            "description": None, "num_loops": 0, "on_call_handoff_notifications": "if_has_services", "teams": [],
        },
        computed=_view,
        includes={"services": "services", "teams": "teams", "targets": "escalation_rules.targets"},
        unique=("name",),
        filters={
            "team_ids": lambda _, policy: ids(policy.get("teams", ())),
            "user_ids": lambda _, policy: {one["id"] for one in targets(policy)},
        },
        verify=_number_rules,
        guard=_free,
    )
)  # fmt: skip

ROUTES: Routes = routes(POLICIES)
