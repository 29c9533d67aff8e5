"""Alert grouping settings: how the alerts of services are grouped into incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.clock import timestamp
from deploy.sandbox.crud import matching, routes
from deploy.sandbox.fields import each, mapping, nullable, one_of, refers_to, text
from deploy.sandbox.names import ids
from deploy.sandbox.paging import DEFAULT_LIMIT, LARGEST_LIMIT
from deploy.sandbox.request import invalid
from deploy.sandbox.resource import Resource, known, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity

MOST_SERVICES = 250
# The windows a type of grouping takes, in seconds.
WINDOWS: Mapping[str, tuple[str, int, int]] = {
    "content_based": ("time_window", 300, 86_400),
    "content_based_intelligent": ("time_window", 300, 3_600),
    "intelligent": ("time_window", 300, 3_600),
    "time": ("timeout", 60, 86_400),
}


def _verify(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:
    config, kind = new.get("config") or {}, new["type"]
    name, least, most = WINDOWS[kind]
    window = config.get(name)
    # 0 leaves the window to PagerDuty: its recommendation, or no end at all where time decides.
    if window is not None and (not isinstance(window, int) or not (window == 0 or least <= window <= most)):
        yield f"Config {name} must be from {least} to {most} seconds"
    if kind.startswith("content_based"):
        if config.get("aggregate") not in ("all", "any"):
            yield "Config aggregate must be all or any"
        if not isinstance(config.get("fields"), list) or not config["fields"]:
            yield "Config fields can't be blank"
    taken = {
        service["id"]
        for one in request.store.all("alert_grouping_settings")
        for service in one["services"]
        if one["id"] != (old or {}).get("id")
    }
    for service in ids(new["services"]) & taken:
        yield f"Service {service} has another alert grouping setting already"
    new.setdefault("created_at", timestamp(request.now))
    new["updated_at"] = timestamp(request.now)


SETTINGS = known(
    Resource(
        "alert_grouping_settings",
        "alert_grouping_setting",
        fields={
            "name": nullable(text()),
            "description": nullable(text()),
            "type": one_of(*WINDOWS),
            "config": mapping,
            "services": each(refers_to("service", typed=False), 1, MOST_SERVICES),
        },
        required=("type", "config", "services"),
        defaults={"name": None, "description": None},
        filters={"service_ids": lambda _, setting: ids(setting["services"])},
        verify=_verify,
        unseen=("summary", "self", "html_url"),
    )
)


def list_settings(request: Request) -> dict[str, Any]:
    """The page after the setting that `after` names, or before the one that `before` names."""
    found = list(matching(request, SETTINGS))
    names = [one["id"] for one in found]
    limit = min(request.number("limit", DEFAULT_LIMIT, least=1), LARGEST_LIMIT)
    after, before = request.first("after"), request.first("before")
    if (after and after not in names) or (before and before not in names):
        raise invalid("after and before must be what an earlier page named")
    start = names.index(after) + 1 if after else max(0, names.index(before) - limit) if before else 0
    page = found[start : start + limit]
    return {
        "alert_grouping_settings": [show(request, SETTINGS, one) for one in page],
        **({"after": page[-1]["id"]} if start + limit < len(found) else {}),
        **({"before": page[0]["id"]} if start > 0 and page else {}),
        "limit": limit,
        "total": len(found) if request.first("total") == "true" else None,
    }


ROUTES: Routes = {**routes(SETTINGS), ("GET", "/alert_grouping_settings"): list_settings}
