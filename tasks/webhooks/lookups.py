"""Finds the dedup keys of incidents whose webhooks do not name them: PagerDuty leaves them out where an incident has alerts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog

from tasks.utils.error_handler import PermanentError, TransientError
from tasks.utils.rest.errors import NotFoundError
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts
from tasks.webhooks.incidents import WITH_KEYS, all_keys, observation_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient
    from tasks.webhooks.answers import Answers
    from tasks.webhooks.homes import Homes

SHARED: Final = timedelta(seconds=1)  # so that one look serves all that come in a burst, and PagerDuty shows them
LEASE: Final = timedelta(minutes=2)
MARGIN: Final = timedelta(seconds=2)  # PagerDuty writes the time an incident was opened in whole seconds
GAP: Final = timedelta(seconds=5)
MOST_AT_ONCE: Final = 500
FEW: Final = 3  # so many are asked for one by one
STUBBORN: Final = 4  # lists have not shown it so often: it is asked for by itself
MOST_ALONE: Final = 20
MOST_TRIES: Final = 10
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=10)

log = structlog.get_logger("tocsin.webhooks")


class Wanted(NamedTuple):
    """An incident to be asked for, the first sign of it, and the how-many-th try this is."""

    id: str
    seen: datetime
    tries: int


class IncidentLookups:
    """Asks PagerDuty for parked incidents, many with one call. `rest` gives the client, None where there is no API key."""

    def __init__(
        self, client: Any, keys: Keys, answers: Answers, homes: Homes, rest: Callable[[], RestClient | None]
    ) -> None:
        self._scripts = Scripts(client, keys)
        self._answers = answers
        self._homes = homes
        self._rest = rest

    def wanted(self, incidents: Sequence[str]) -> None:
        """Have the dedup keys of these incidents asked for, soon."""
        if incidents and self._rest() is not None:
            self._scripts.run("lookups_put", milliseconds(SHARED), "NX", *incidents)

    def work_off(self) -> int:
        """Ask for those that are due, and tell the answers; how many were found."""
        flat = self._scripts.run("lookups_claim", MOST_AT_ONCE, milliseconds(LEASE))
        asked = [Wanted(one, _moment(seen), int(tries)) for one, seen, tries in zip(*[iter(flat)] * 3, strict=True)]
        if not asked:
            return 0
        rest = self._rest()
        try:
            return self._ask(rest, asked) if rest is not None else self._drop(asked)
        except TransientError as error:
            log.info("lookup_waits", incidents=len(asked), error=type(error).__name__)
            self._later(asked, timedelta(seconds=error.retry_after or 0))
        except PermanentError as error:
            log.warning("lookup_refused", incidents=len(asked), error=type(error).__name__, detail=str(error)[:200])
            self._later(asked)
        return 0

    def _ask(self, rest: RestClient, asked: Sequence[Wanted]) -> int:
        by_id = {one.id: one for one in asked}
        found = 0
        for incident in _fetched(rest, asked):
            if by_id.pop(incident["id"], None) is None:
                continue
            observation = observation_of(incident, all_keys(rest, incident))
            what = self._answers.observe(observation)
            if what.state == "ambiguous" and self._homes.refresh(rest):
                self._answers.observe(observation)
            self._take_off([incident["id"]])
            found += 1
            if not by_id:
                break
        self._later(list(by_id.values()))
        return found

    def _drop(self, asked: Sequence[Wanted]) -> int:
        self._take_off([one.id for one in asked])
        return 0

    def _later(self, asked: Sequence[Wanted], at_least: timedelta = timedelta(0)) -> None:
        """Ask again later; in the end no more. They stay parked."""
        given_up = [one.id for one in asked if one.tries >= MOST_TRIES]
        self._take_off(given_up)
        for one in asked:
            if one.tries < MOST_TRIES:
                pause = min(FIRST_PAUSE * 2 ** (one.tries - 1), LONGEST_PAUSE)
                self._scripts.run("lookups_put", milliseconds(max(pause, at_least)), "", one.id)

    def _take_off(self, incidents: Sequence[str]) -> None:
        if incidents:
            self._scripts.run("lookups_put", "", "", *incidents)


def _fetched(rest: RestClient, asked: Sequence[Wanted]) -> Iterator[dict[str, Any]]:
    """Incidents among which those asked for are, as far as PagerDuty shows them already."""
    stubborn = [one for one in asked if one.tries >= STUBBORN][:MOST_ALONE]
    yield from _one_by_one(rest, stubborn)
    for burst in _bursts([one for one in asked if one not in stubborn]):
        if len(burst) <= FEW:
            yield from _one_by_one(rest, burst)
        else:
            since, until = burst[0].seen - MARGIN, burst[-1].seen + MARGIN
            yield from rest.incidents.list(since=since, until=until, include=WITH_KEYS)


def _bursts(asked: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    """Those that were opened about the same time: between bursts there may be thousands nobody asks for."""
    burst: list[Wanted] = []
    for one in sorted(asked, key=lambda one: one.seen):
        if burst and one.seen - burst[-1].seen > GAP:
            yield burst
            burst = []
        burst.append(one)
    if burst:
        yield burst


def _one_by_one(rest: RestClient, asked: Sequence[Wanted]) -> Iterator[dict[str, Any]]:
    for one in asked:
        try:
            yield rest.incidents.get(one.id, include=WITH_KEYS)
        except NotFoundError:
            continue


def _moment(at: str) -> datetime:
    return datetime.fromtimestamp(int(at) / 1000, UTC)
