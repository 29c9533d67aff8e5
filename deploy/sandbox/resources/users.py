"""Users with their contact methods and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.crud import create, entity_of, routes
from deploy.sandbox.fields import each, fields, flag, moment, nullable, one_of, refers_to, text, whole, zone
from deploy.sandbox.names import CONTACT_METHODS, ids, reference
from deploy.sandbox.relations import policies_of, schedules_naming, teams_of
from deploy.sandbox.request import Reply, invalid
from deploy.sandbox.resource import Resource, known, show
from deploy.sandbox.standing import assigned_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

ROLES = (
    "admin", "limited_user", "observer", "owner", "read_only_user", "restricted_access", "read_only_limited_user",
    "user",
)  # fmt: skip
OWNED = (
    "contact_methods",
    "notification_rules",
    "oncall_handoff_notification_rules",
    "status_update_notification_rules",
)
NEEDED = {
    "email_contact_method": (),
    "push_notification_contact_method": ("device_type",),
    "phone_contact_method": ("country_code",),
    "sms_contact_method": ("country_code",),
    "whatsapp_contact_method": ("country_code",),
}
EXTRAS: Mapping[str, Mapping[str, Any]] = {
    "email_contact_method": {"send_short_email": False, "enabled": True},
    "push_notification_contact_method": {"blacklisted": False, "sounds": []},
    "phone_contact_method": {"blacklisted": False, "enabled": True},
    "sms_contact_method": {"blacklisted": False, "enabled": True},
    "whatsapp_contact_method": {"blacklisted": False, "enabled": True},
}


def _views(request: Request, user: Entity) -> Mapping[str, Any]:
    methods = request.grouped("contact_methods", "user").get(user["id"], ())
    rules = request.grouped("notification_rules", "user").get(user["id"], ())
    return {
        "teams": [reference("team", one["id"]) for one in teams_of(request, user["id"])],
        "contact_methods": [reference(one["type"], one["id"]) for one in methods],
        "notification_rules": [reference("assignment_notification_rule", one["id"]) for one in rules],
        "avatar_url": f"{request.base}/avatars/{user['id']}.png",
    }


def _wrong_email(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:  # noqa: ARG001
    name, _, domain = new["email"].partition("@")
    if not name or not domain or " " in new["email"]:
        yield "Email is invalid"


def _free(request: Request, user: Entity) -> None:
    """A user who is assigned open incidents, or whom a policy or a schedule names, stays."""
    reasons = [
        *(f"The user is assigned to the incident {one}" for one in assigned_to(request, user["id"])),
        *(f"The user is on the escalation policy {one['name']}" for one in policies_of(request, user["id"])),
        *(
            f"The user is on the schedule {one.get('name', one['id'])}"
            for one in schedules_naming(request.store, user["id"])
        ),
    ]
    if reasons:
        raise invalid("User can't be deleted while in use", *reasons)


def _forget(request: Request, old: Entity | None, new: Entity | None) -> None:
    """With a user go what is theirs and their places in teams."""
    if new is not None or old is None:
        return
    for kind in OWNED:
        for one in request.grouped(kind, "user").get(old["id"], ()):
            request.store.remove(kind, one["id"])
    for team in teams_of(request, old["id"]):
        team["members"] = [one for one in team["members"] if one["user"]["id"] != old["id"]]


USERS = known(
    Resource(
        "users",
        "user",
        fields={
            "name": text(100, 1),
            "email": text(100, 6),
            "time_zone": zone,
            "color": text(),
            "role": one_of(*ROLES),
            "description": nullable(text()),
            "job_title": nullable(text(100)),
            "license": refers_to("license"),
        },
        required=("name", "email"),
        defaults={
            "role": "user", "time_zone": "Etc/UTC", "color": "purple", "description": None, "invitation_sent": False,
            "job_title": None, "created_via_sso": False,
        },
        hidden=("license", "private_url_key"),
        computed=_views,
        includes={"contact_methods": "contact_methods", "notification_rules": "notification_rules", "teams": "teams"},
        unique=("email",),
        filters={"team_ids": lambda request, user: ids(teams_of(request, user["id"]))},
        verify=_wrong_email,
        guard=_free,
        changed=_forget,
    )
)  # fmt: skip


def _blank(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:
    if old is not None and new["type"] != old["type"]:
        yield "Type can't be changed"
    for name in NEEDED[new["type"]]:
        if name not in new:
            yield f"{name.capitalize().replace('_', ' ')} can't be blank"
    for one in request.store.all("contact_methods"):
        same = all(one.get(name) == new.get(name) for name in ("type", "address", "country_code"))
        if same and one["user"]["id"] == request.path["owner"] and one["id"] != (old or {}).get("id"):
            yield "User Contact method must be unique"


def _method_goes(request: Request, old: Entity | None, new: Entity | None) -> None:
    """Rules that used a contact method go with it."""
    if new is not None or old is None:
        return
    for kind in OWNED[1:]:
        for rule in list(request.store.all(kind)):
            if rule["contact_method"]["id"] == old["id"]:
                request.store.remove(kind, rule["id"])


CONTACTS = known(
    Resource(
        "contact_methods",
        "contact_method",
        fields={
            "type": one_of(*CONTACT_METHODS),
            "label": text(255),
            "address": text(255, 1),
            "country_code": whole(1, 1999),
            "send_short_email": flag,
            "device_type": one_of("android", "ios"),
            "sounds": each(fields({"type": one_of("alert_high_urgency", "alert_low_urgency"), "file": text()})),
            "created_at": moment,
        },
        required=("type", "address"),
        defaults={"label": "Default"},
        hidden=("user",),
        computed=lambda _, method: {key: method.get(key, value) for key, value in EXTRAS[method["type"]].items()},
        verify=_blank,
        changed=_method_goes,
        owner="user",
    )
)


def _own_method(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:  # noqa: ARG001
    method = request.store.get("contact_methods", new["contact_method"]["id"])
    if method is None or method["user"]["id"] != request.path["owner"]:
        yield "Contact method must be one of the user's own"


def _rule(noun: str, more: Mapping[str, Any], required: tuple[str, ...], kind: str = "") -> Resource:
    return known(
        Resource(
            f"{noun}s",
            noun,
            type=kind,
            fields={"contact_method": refers_to(*CONTACT_METHODS), **more},
            required=("contact_method", *required),
            hidden=("user",),
            includes={"contact_methods": "contact_method", "contact_method": "contact_method"},
            unseen=() if kind else ("type", "summary", "self", "html_url"),
            verify=_own_method,
            owner="user",
        )
    )


RULES = (
    _rule(
        "notification_rule",
        {"start_delay_in_minutes": whole(), "urgency": one_of("high", "low")},
        ("start_delay_in_minutes", "urgency"),
        "assignment_notification_rule",
    ),
    _rule(
        "oncall_handoff_notification_rule",
        {"notify_advance_in_minutes": whole(), "handoff_type": one_of("both", "oncall", "offcall")},
        ("handoff_type",),
    ),
    _rule("status_update_notification_rule", {}, ()),
)


def create_user(request: Request) -> Reply:
    """A new user, with an e-mail contact method of their own as everybody has."""
    made = create(request, USERS)["user"]
    method = {"type": "email_contact_method", "label": "Default", "address": made["email"]}
    request.store.add("contact_methods", {**method, "user": reference("user", made["id"])})
    request.memory.clear()
    return Reply(201, {"user": show(request, USERS, request.store.get("users", made["id"]) or made)})


def get_me(request: Request) -> dict[str, Any]:
    """The user whose token it is; account keys have none."""
    user = request.user()
    if user is None:
        raise invalid("Current user is only available with a user token, and this is an account's")
    return {"user": show(request, USERS, user, request.every("include"))}


def regenerate_calendar(request: Request) -> dict[str, Any]:
    """The new key of the user's calendar feed; the old one opens nothing any more."""
    user = entity_of(request, "users")
    user["private_url_key"] = f"{request.store.new_id()}{request.store.new_id()}".lower()
    return {"private_url_key": user["private_url_key"]}


ROUTES: Routes = {
    **routes(USERS),
    ("POST", "/users"): create_user,
    ("GET", "/users/me"): get_me,
    ("POST", "/users/{id}/regenerate_private_url_key"): regenerate_calendar,
    **routes(CONTACTS),
    **{path: handler for rule in RULES for path, handler in routes(rule).items()},
}
