"""What PagerDuty says of our alerts, taken in: seen, acknowledged, resolved, in any order and any number of times."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts
from tasks.webhooks.models import Observation, Observed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tasks.utils.keys import Keys
    from tasks.utils.scripts import Call


@dataclass(frozen=True)
class ParkingRules:
    """How many incidents of unknown alerts are kept, and for how long."""

    most: int = 10_000
    longest: timedelta = timedelta(hours=24)


class Answers:
    """Merges what is observed of incidents into the alerts they stand for."""

    def __init__(self, client: Any, keys: Keys, parking: ParkingRules | None = None) -> None:
        self._scripts = Scripts(client, keys)
        self._parking = parking or ParkingRules()

    def observe(self, observation: Observation) -> Observed:
        """Take in one observation; says what it changed. Repeating it, or bringing older ones later, changes nothing."""
        return self.observe_many([observation])[0]

    def observe_many(self, observations: Iterable[Observation]) -> list[Observed]:
        """Take in several, in one round trip."""
        calls = [self._call(one) for one in observations]
        return [_observed(reply) for reply in self._scripts.run_many(calls)] if calls else []

    def _call(self, one: Observation) -> Call:
        said = {
            "id": one.incident_id,
            "number": one.number,
            "status": one.status,
            "at": one.at,
            "seen": min(one.opened_at or one.at, one.at),
            "who": one.who,
            "url": one.html_url,
            "service": one.service_id,
            "into": one.merged_into,
        }
        keys = json.dumps(list(dict.fromkeys(one.keys)))
        return ("observe", json.dumps(said), keys, self._parking.most, milliseconds(self._parking.longest))


def take_in(answers: Answers, said: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """What each of several observations, given as plain fields, has changed, a word for each alert."""
    return [list(one.changes.values()) for one in answers.observe_many(Observation(**fields) for fields in said)]


def _observed(reply: Sequence[Any]) -> Observed:
    state, alerts, *changes = reply
    pairs = (change.split(" ") for change in changes)
    return Observed(state=state, alerts=int(alerts), changes={uid: change for change, uid in pairs})
