"""What routing says of an alert that comes back from outside, after Redis has forgotten it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.alerts.grouping import group_name
from tasks.alerts.labels import labels_of
from tasks.utils.kept_labels import keep

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tasks.alerts.routing import Router
    from tasks.utils.clock import Clock
    from tasks.utils.sealed_fields import SealedFields

AS_EVER: Final = "30000 50 0 0"  # of a group whose route alone said that there are groups


class Recall:
    """Reads the routes as they are now."""

    def __init__(self, router: Router, clock: Clock, fields: SealedFields) -> None:
        self._router = router
        self._clock = clock
        self._fields = fields

    def destinations(self, alert: Mapping[str, Any]) -> Collection[str]:
        """Where an alert in wire shape would go now."""
        now = self._clock.now() if self._router.needs_time else None
        return self._router.route(alert["service"], self._labels(alert), now).destinations

    def labels(self, alert: Mapping[str, Any]) -> str:
        """Its labels as they are kept with the alert, as JSON."""
        return keep(self._labels(alert))

    def group(self, destination: str, labels: Mapping[str, str]) -> str:
        """The name of the group of alerts with these labels in common."""
        return group_name(destination, labels)

    def spec(self, destination: str) -> str:
        """How a destination tells its groups; the next alert of the group says it anew."""
        rule = self._router.usual_grouping(destination)
        return rule.spec if rule is not None else AS_EVER

    def _labels(self, alert: Mapping[str, Any]) -> Mapping[str, str]:
        return labels_of(self._fields.without(alert))
