"""What routing says of an alert that comes back from outside, after Redis has forgotten it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.alerts.labels import labels_of
from tasks.utils.kept_labels import keep

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tasks.alerts.routing import Router
    from tasks.utils.clock import Clock


class Recall:
    """Reads the routes as they are now."""

    def __init__(self, router: Router, clock: Clock) -> None:
        self._router = router
        self._clock = clock

    def destinations(self, alert: Mapping[str, Any]) -> Collection[str]:
        """Where an alert in wire shape would go now."""
        now = self._clock.now() if self._router.needs_time else None
        return self._router.route(alert["service"], labels_of(alert), now).destinations

    def labels(self, alert: Mapping[str, Any]) -> str:
        """Its labels as they are kept with the alert, as JSON."""
        return keep(labels_of(alert))
