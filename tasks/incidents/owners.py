"""Which of our services an alert that PagerDuty shows belongs to, and by which way it went there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tasks.utils.identifiers import alert_uid
from tasks.utils.rows import service_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

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

    def group(self, destination: str, labels: Mapping[str, str]) -> str:
        """The name of the group of alerts with these labels in common."""
        ...

    def spec(self, destination: str) -> str:
        """How a destination tells its groups, as lua/lib/group.lua keeps it."""
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

    def places(self, key_id: str) -> Sequence[Place]:
        """Every place with this key, those that are sent to first."""
        return self._places.get(key_id, [])

    def among(self, sighting: Sighting, place: Place) -> list[Owner]:
        """As `of`, where it is known that the alert went that way."""
        found = [owner for owner in self._candidates(sighting) if owner.place.destination == place.destination]
        asked = {owner.uid(sighting.key) for owner in found} if _services(found) > 1 else ()
        return self._choice(sighting, found, self._accepted(asked) if asked else ())

    def group(self, destination: str, labels: Mapping[str, str]) -> str:
        """The name of the group of alerts with these labels in common."""
        return self._recall.group(destination, labels)

    def spec(self, destination: str) -> str:
        """How a destination tells its groups."""
        return self._recall.spec(destination)

    def of(self, sightings: Sequence[Sighting]) -> list[list[Owner]]:
        """Whose alert each is: usually one service; several where nothing tells them apart, none where the key is not ours.

        First the archive has its say, then the routes as they are now, then whose channel it is.
        """
        candidates = [self._candidates(one) for one in sightings]
        pairs = list(zip(sightings, candidates, strict=True))
        asked = {owner.uid(one.key) for one, owners in pairs if _services(owners) > 1 for owner in owners}
        known = self._accepted(asked) if asked else ()
        return [self._choice(one, owners, known) for one, owners in pairs]

    def labels(self, owner: Owner, sighting: Sighting) -> str:
        """The labels of the alert, as far as PagerDuty shows them."""
        return self._recall.labels(alert_of(owner.service, sighting))

    def _candidates(self, sighting: Sighting) -> list[Owner]:
        """Every service whose alerts may have gone there, by every way."""
        places = self._places.get(sighting.key_id, [])
        found: dict[tuple[str, str], Owner] = {}
        for service, reach in self._reach.items():
            for place in places:
                if place.destination in reach:
                    found.setdefault((service, place.destination), Owner(service, place))
        return list(found.values())

    def _choice(self, sighting: Sighting, owners: list[Owner], known: Collection[str]) -> list[Owner]:
        proved = [owner for owner in owners if owner.uid(sighting.key) in known] or owners
        routed = [owner for owner in proved if self._takes_that_way(owner, sighting)] or proved
        own = [owner for owner in routed if service_of(owner.place.destination) == owner.service] or routed
        return list({owner.service: owner for owner in reversed(own)}.values())

    def _takes_that_way(self, owner: Owner, sighting: Sighting) -> bool:
        ways = self._recall.destinations(alert_of(owner.service, sighting))
        return not owner.place.is_idle and owner.place.destination in ways


def _services(owners: Iterable[Owner]) -> int:
    return len({owner.service for owner in owners})


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
