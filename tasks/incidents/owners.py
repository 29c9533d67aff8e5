"""Which of our services an alert that PagerDuty shows belongs to, and by which way it went there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tasks.utils.identifiers import alert_uid
from tasks.utils.rows import service_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from tasks.incidents.sightings import Sighting

Alert = dict[str, Any]


class Recall(Protocol):
    """What routing says of an alert in wire shape; see `tasks.alerts.recall`."""

    def destinations(self, alert: Mapping[str, Any]) -> Collection[str]:
        """Where it would go now."""
        ...

    def labels(self, alert: Mapping[str, Any]) -> str:
        """Its labels as they are kept, as JSON."""
        ...


@dataclass(frozen=True)
class Place:
    """One key of one channel in a destination's list; `is_idle`: it only ends what it once opened."""

    destination: str
    channel: str
    key_id: str
    is_idle: bool = False


@dataclass(frozen=True)
class Owner:
    """A service of ours, and the place its alert went to."""

    service: str
    place: Place

    def uid(self, dedup_key: str) -> str:
        """The alert's."""
        return alert_uid(self.service, dedup_key)

    def place_uid(self, dedup_key: str) -> str:
        """That of its copy for the destination; the alert's own where that is the service's own."""
        to = self.place.destination
        return alert_uid(self.service if to == self.service else f"{self.service}>{to}", dedup_key)


class Owners:
    """Knows every place of the configuration. `reach`: service -> every destination its routes may lead to.

    `accepted` names those of the alerts (uids) that the archive knows.
    """

    def __init__(
        self,
        places: Iterable[Place],
        reach: Mapping[str, Collection[str]],
        recall: Recall,
        accepted: Callable[[Collection[str]], Collection[str]],
    ) -> None:
        self._places: dict[str, list[Place]] = {}
        for place in sorted(places, key=lambda one: one.is_idle):
            self._places.setdefault(place.key_id, []).append(place)
        self._reach = reach
        self._recall = recall
        self._accepted = accepted

    def knows(self, key_id: str) -> bool:
        """Whether some channel of ours has this key."""
        return key_id in self._places

    def of(self, sighting: Sighting) -> list[Owner]:
        """Whose alert it is: usually one service; several where nothing tells them apart, none where the key is not ours."""
        places = self._places.get(sighting.key_id, [])
        found = self._by_routes(places, sighting) or self._by_key(places)
        if len({owner.service for owner in found}) > 1:
            found = self._by_evidence(found, sighting.key)
        return found

    def labels(self, owner: Owner, sighting: Sighting) -> str:
        """The labels of the alert, as far as PagerDuty shows them."""
        return self._recall.labels(alert_of(owner.service, sighting))

    def _by_routes(self, places: Collection[Place], sighting: Sighting) -> list[Owner]:
        """The services whose routes lead there now."""
        wanted = {place.destination for place in places}
        found: dict[tuple[str, str], Owner] = {}
        for service, reach in self._reach.items():
            if wanted.isdisjoint(reach):
                continue
            ways = set(self._recall.destinations(alert_of(service, sighting)))
            for place in places:
                if place.destination in ways:
                    found.setdefault((service, place.destination), Owner(service, place))
        return list(found.values())

    @staticmethod
    def _by_key(places: Collection[Place]) -> list[Owner]:
        """The services whose channel it is, each by the first way there is."""
        found: dict[str, Owner] = {}
        for place in places:
            service = service_of(place.destination)
            found.setdefault(service, Owner(service, place))
        return list(found.values())

    def _by_evidence(self, found: list[Owner], dedup_key: str) -> list[Owner]:
        """Those of which the archive knows such an alert; else those that send by a channel of their own."""
        known = self._accepted({owner.uid(dedup_key) for owner in found})
        proved = [owner for owner in found if owner.uid(dedup_key) in known]
        own = [owner for owner in found if service_of(owner.place.destination) == owner.service]
        return proved or own or found


def alert_of(service: str, sighting: Sighting) -> Alert:
    """The alert in wire shape, as far as PagerDuty shows it."""
    details = sighting.details
    payload = {
        "summary": sighting.summary,
        "source": "PagerDuty",
        "severity": sighting.severity,
        **({"custom_details": details} if isinstance(details, dict) else {}),
    }
    return {"service": service, "event_action": "trigger", "dedup_key": sighting.key, "payload": payload}
