from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy.sandbox.store import Entity, Store

PARAMETERS = "alert_grouping_parameters"


def setting_of(store: Store, service: Entity) -> Entity | None:
    """The alert grouping setting that lists a service; None where the service has parameters of its own, or no setting."""
    if (service.get(PARAMETERS) or {}).get("type"):
        return None
    return store.recall("settings", lambda: _settings(store)).get(service["id"])


def _settings(store: Store) -> dict[str, Entity]:
    return {one["id"]: setting for setting in store.all("alert_grouping_settings") for one in setting["services"]}
