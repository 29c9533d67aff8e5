"""Services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.builtin import DEFAULT_POLICY
from deploy.sandbox.crud import routes
from deploy.sandbox.fields import anything, each, fields, flag, mapping, nullable, one_of, refers_to, text, whole, zone
from deploy.sandbox.happenings import Happening
from deploy.sandbox.names import ids, reference, resolve
from deploy.sandbox.resource import Resource, known, show
from deploy.sandbox.sharing import PARAMETERS, setting_of
from deploy.sandbox.standing import last_incident_at, status_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

URGENCY = fields({"type": one_of("constant"), "urgency": one_of("low", "high", "severity_based")}, ("type", "urgency"))
HOURS = ("support_hours", "incident_urgency_rule", "scheduled_actions")
DAY = 86_400


def _view(request: Request, service: Entity) -> Mapping[str, Any]:
    shared = setting_of(request.store, service)
    doors = request.grouped("integrations", "service").get(service["id"], ())
    policy = resolve(request.store, service.get("escalation_policy") or {}) or {}
    return {
        # Of a setting that several services share, a service shows only which it is.
        **({PARAMETERS: {key: shared[key] for key in ("id", "type")}} if shared else {}),
        "status": status_of(request, service),
        "last_incident_timestamp": last_incident_at(request, service["id"]),
        "teams": policy.get("teams", []),
        "integrations": [reference(one["type"], one["id"]) for one in doors],
        "addons": [],
    }


def _verify(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:  # noqa: ARG001
    if old is None and new.get("status", "active") != "active":
        yield "Status must be active when a service is created"
    rule = new.get("incident_urgency_rule") or {}
    if rule.get("type") == "use_support_hours" and not new.get("support_hours"):
        yield "Support hours can't be blank where the urgency rule uses them"


def _changed(request: Request, old: Entity | None, new: Entity | None) -> None:
    """Its doors and dependencies go with a service; whoever listens hears of every change."""
    store, service = request.store, new or old or {}
    if new is None:
        for door in [one for one in store.all("integrations") if one["service"]["id"] == service["id"]]:
            request.world.account.close(door)
        for one in list(store.all("service_dependencies")):
            if service["id"] in (one["supporting_service"]["id"], one["dependent_service"]["id"]):
                store.remove("service_dependencies", one["id"])
    elif old is not None:
        _leave_setting(request, old, new)
        if old["name"] != new["name"]:
            request.world.account.rename(new)
    verb = "deleted" if new is None else "created" if old is None else "updated"
    request.memory.clear()
    teams = ids(_view(request, service)["teams"])
    request.world.happenings.announce(
        Happening(
            f"service.{verb}", request.now, show(request, SERVICES, service), service["id"], service["id"], tuple(teams)
        )
    )


def _leave_setting(request: Request, old: Entity, new: Entity) -> None:
    """A service that is given grouping parameters of its own silently leaves the setting it shared."""
    setting = setting_of(request.store, old)
    if setting is not None and PARAMETERS in request.wrapped("service"):
        setting["services"] = [one for one in setting["services"] if one["id"] != new["id"]]


SERVICES = known(
    Resource(
        "services",
        "service",
        fields={
            "name": text(255, 1),
            "description": nullable(text(1024)),
            "status": one_of("active", "disabled", "maintenance", "warning", "critical"),
            "escalation_policy": refers_to("escalation_policy"),
            "auto_resolve_timeout": nullable(whole(0)),
            "acknowledgement_timeout": nullable(whole(0)),
            "response_play": nullable(anything),
            "incident_urgency_rule": fields(
                {
                    "type": one_of("constant", "use_support_hours"),
                    "urgency": one_of("low", "high", "severity_based"),
                    "during_support_hours": URGENCY,
                    "outside_support_hours": URGENCY,
                },
                ("type",),
            ),
            "support_hours": nullable(
                fields(
                    {
                        "type": one_of("fixed_time_per_day"),
                        "time_zone": zone,
                        "days_of_week": each(whole(1, 7), 1, 7),
                        "start_time": text(8, 4),
                        "end_time": text(8, 4),
                    },
                    ("type", "time_zone", "days_of_week", "start_time", "end_time"),
                )
            ),
            "scheduled_actions": each(
                fields(
                    {"type": one_of("urgency_change"), "at": anything, "to_urgency": one_of("high")},
                    ("type", "at", "to_urgency"),
                )
            ),
            "alert_creation": one_of("create_incidents", "create_alerts_and_incidents"),
            "alert_grouping_parameters": nullable(
                fields({"type": nullable(one_of("time", "intelligent", "content_based")), "config": nullable(anything)})
            ),
            "alert_grouping": nullable(one_of("time", "intelligent")),
            "alert_grouping_timeout": nullable(whole(0, DAY)),
            "auto_pause_notifications_parameters": fields(
                {"enabled": flag, "timeout": one_of(0, 120, 180, 300, 600, 900)}
            ),
        },
        required=("name", "escalation_policy"),
        defaults={
            "description": None,
            "escalation_policy": DEFAULT_POLICY,
            "auto_resolve_timeout": 14_400,
            "acknowledgement_timeout": 1_800,
            "status": "active",
            "response_play": None,
            "incident_urgency_rule": {"type": "constant", "urgency": "high"},
            "support_hours": None,
            "scheduled_actions": [],
            "alert_creation": "create_alerts_and_incidents",
            "alert_grouping_parameters": {"type": None},
            "alert_grouping": None,
            "alert_grouping_timeout": None,
            "auto_pause_notifications_parameters": {"enabled": False, "timeout": 0},
        },
        hidden=("orchestration", "cache_variables", "custom_field_values"),
        parts={
            "custom_field_values": mapping,
            "orchestration": mapping,
            "cache_variables": each(fields({"id": text(least=1)}, ("id",))),
        },
        computed=_view,
        includes={
            "escalation_policies": "escalation_policy",
            "teams": "teams",
            "integrations": "integrations",
        },
        optional=lambda _: ("auto_pause_notifications_parameters",),
        unique=("name",),
        filters={"team_ids": lambda request, service: ids(_view(request, service)["teams"])},
        verify=_verify,
        changed=_changed,
        most=25_000,
        stamped=True,
    )
)

ROUTES: Routes = routes(SERVICES)
