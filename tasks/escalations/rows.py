"""Escalations as rows: claimed when due, changed only by whoever knows how they stood. See lua/lib/escalation.lua."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tasks.escalations.policy import Policy
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tasks.utils.keys import Keys
    from tasks.utils.scripts import Call

PAGE: Final = 500
MOST_POLICIES: Final = 1000  # kept by a process
FIELDS: Final = ("began", "policy", "taken", "fence", "state", "left", "told", "reason", "due", "ended")
ALIVE: Final = ("running", "acknowledged", "paused")


class Due(NamedTuple):
    """An escalation in this caller's hands, and what its alert is. Times in milliseconds; no `status`: the alert is forgotten."""

    uid: str
    due: int
    began: int
    policy: str
    taken: int
    fence: str
    state: str
    left: int
    told: str
    service: str
    status: str
    dedup_key: str
    wire: str
    incidents: str
    labels: str

    @property
    def id(self) -> str:
        """What its story in the ledger goes by."""
        return escalation_id(self.uid, self.began)


class Turn(NamedTuple):
    """Who claims. `begins`: for the first time, and takes over from whoever stays; `calls_heir`: another worker is called, to take over."""

    token: str
    begins: bool = False
    calls_heir: bool = False


class Claimed(NamedTuple):
    """What a claim got. `at`: this moment (ms); `wait`: ms until the next one is due, -1 where that is not soon."""

    at: int
    wait: int
    due: list[Due]


@dataclass(frozen=True)
class Sends:
    """What a step sends: triggers for further destinations, and what is to be done at PagerDuty."""

    events: Sequence[dict[str, str]] = ()
    actions: Sequence[dict[str, Any]] = ()
    whom: Sequence[str] = field(default_factory=list)

    def told(self) -> str:
        """As the script takes it."""
        return json.dumps({"events": list(self.events), "actions": list(self.actions)})


class EscalationRows:
    """Reads and writes them."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._policies: dict[str, Policy] = {}

    def claim(self, most: int, lease: timedelta, turn: Turn, stay: timedelta = timedelta(0)) -> Claimed:
        """Up to `most` escalations that are due, for this caller alone, who stays so long if the next one is due by then."""
        flags = ("1" if turn.begins else "", "1" if turn.calls_heir else "")
        at, wait, *rows = self._scripts.run(
            "escalation_claim", most, milliseconds(lease), milliseconds(stay), turn.token, *flags
        )
        return Claimed(int(at), int(wait), [_due(row) for row in rows])

    def policies(self, digests: Iterable[str]) -> dict[str, Policy]:
        """Frozen policies by their digests; those that are gone are left out."""
        asked = set(digests)
        unknown = sorted(asked - self._policies.keys())
        if unknown:
            if len(self._policies) > MOST_POLICIES:
                self._policies.clear()
                unknown = sorted(asked)
            texts = self._client.hmget(self._keys.policies, unknown)
            self._policies |= {
                digest: Policy.from_json(text.partition("\n")[2])
                for digest, text in zip(unknown, texts, strict=True)
                if text
            }
        return {digest: self._policies[digest] for digest in asked if digest in self._policies}

    def commit(self, calls: Sequence[Call]) -> list[Any]:
        """What each of these changes came to, in one round trip."""
        return self._scripts.run_many(calls) if calls else []

    def read(self, uids: Sequence[str]) -> list[dict[str, str]]:
        """The rows of these alerts; empty where there is none."""
        pipe = self._client.pipeline(transaction=False)
        for uid in uids:
            pipe.hmget(self._keys.escalation(uid), FIELDS)
        found = pipe.execute() if uids else []
        return [{name: value for name, value in zip(FIELDS, row, strict=True) if value is not None} for row in found]

    def alerts(self, uids: Sequence[str], *fields: str) -> list[list[str | None]]:
        """Fields of these alerts."""
        pipe = self._client.pipeline(transaction=False)
        for uid in uids:
            pipe.hmget(self._keys.alert(uid), fields)
        return pipe.execute() if uids else []

    def living(self, *, soonest: int | None = None) -> Iterator[list[tuple[str, float]]]:
        """Pages of alerts whose escalations live, with when each goes on (ms; inf while it waits), the next one first."""
        last, seen = float("-inf"), set[str]()
        left = soonest if soonest is not None else float("inf")
        while left > 0:
            page = self._client.zrangebyscore(
                self._keys.escalations_due, last, "+inf", start=0, num=PAGE + len(seen), withscores=True
            )
            fresh = [(uid, score) for uid, score in page if uid not in seen][: int(min(left, PAGE))]
            if not fresh:
                return
            yield fresh
            left -= len(fresh)
            newest = fresh[-1][1]
            seen = {uid for uid, score in fresh if score == newest} | (seen if newest == last else set())
            last = newest


def escalation_id(uid: str, began: int | str) -> str:
    """What the story of an escalation goes by."""
    return f"escalation-{uid}-{began}"


def as_ms(moment: datetime) -> int:
    """A moment in whole milliseconds since the epoch."""
    return round(moment.timestamp() * 1000)


def as_moment(at: float) -> datetime:
    """Milliseconds since the epoch as a moment."""
    return datetime.fromtimestamp(at / 1000, UTC)


def _due(row: Sequence[Any]) -> Due:
    uid, due, began, policy, taken, fence, state, left, told, *alert = (str(part) for part in row)
    return Due(uid, int(due), int(began), policy, int(taken), fence, state, int(left or 0), told, *alert)
