"""Watches over Tocsin itself: one look finds what is amiss, tells it once, and tells when it is over."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import redis
import structlog

from tasks.health.conditions import OF_FLEET, OF_HERE, RULES, Here, Limits, Rule, breaks
from tasks.health.facts import read_facts
from tasks.health.memory import FileMemory, FleetMemory
from tasks.health.models import OwnAlert, OwnReport
from tasks.health.standing import Patience, Standing, step
from tasks.health.watching import Watching
from tasks.utils.connect import REFUSES_EVERYBODY
from tasks.utils.pulse import Pulse
from tasks.utils.rows import Inbox, InboxRow, milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from tasks.health.dead_man import DeadMan
    from tasks.health.models import Finding
    from tasks.health.standing import Verb
    from tasks.utils.keys import Keys

log = structlog.get_logger("tocsin.sentinel")

Alert = dict[str, Any]
SOURCE: Final = "tocsin"  # the door these alerts come through
KEY: Final = "tocsin-own:"  # what their dedup keys begin with
TOGETHER: Final = 3  # looks: further apart they do not add up, and the next sentinel takes over
REFUSALS: Final = (redis.ReadOnlyError, redis.exceptions.OutOfMemoryError)


class Told(Protocol):
    """What came of telling."""

    @property
    def is_taken(self) -> bool:
        """Whether a channel took it."""
        ...

    @property
    def places(self) -> tuple[str, ...]:
        """Where it may be open."""
        ...


class Line(Protocol):
    """The way past Redis and workers; see `tasks.notifications.direct`."""

    def trigger(self, alert: Alert, message_id: str) -> Told:
        """Open an alert."""
        ...

    def resolve(self, alert: Alert, message_id: str, places: Sequence[str]) -> tuple[str, ...]:
        """End it there; the places left."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Memory(Protocol):
    """Where it is kept what stands how."""

    def load(self) -> dict[str, Standing]:
        """Everything, by the id of its finding."""
        ...

    def put(self, name: str, standing: Standing | None) -> None:
        """Keep one, or forget it."""
        ...


@dataclass(frozen=True)
class OwnRules:
    """What the watch depends on; see the settings section `own_alerts`."""

    service: str
    host: str
    server: str
    spool: Path
    memory: Path
    limits: Limits
    own_endpoints: frozenset[str]
    every: timedelta
    raise_after: timedelta
    resolve_after: timedelta

    def patience(self, rule: Rule) -> Patience:
        """How long a finding under this rule waits."""
        return Patience(
            raise_after=0 if rule.at_once else milliseconds(max(self.raise_after, rule.patience)),
            resolve_after=milliseconds(max(self.resolve_after, rule.calm)),
            gap=TOGETHER * milliseconds(self.every) + 15_000,  # a look may take as long, while nothing answers
        )


class OwnAlerts:
    """Any number may look, on any machine: what concerns the fleet is judged by one at a time, what a machine sees by one on each."""

    def __init__(
        self,
        client: Any,
        keys: Keys,
        rules: OwnRules,
        line: Line,
        dead_man: DeadMan,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._keys = keys
        self._rules = rules
        self._fleet = FleetMemory(client, keys)
        self._here = FileMemory(rules.memory)
        self._line = line
        self._dead_man = dead_man
        self._now = now
        self._scripts = Scripts(client, keys)
        self._inbox = Inbox(client, keys)
        self._pulse = Pulse(client, keys)
        self._watching = Watching(client, keys)
        self._token = uuid.uuid4().hex

    def look(self, schedule: Callable[[datetime], Mapping[str, datetime | None]]) -> None:
        """Look once at everything. `schedule`: what must have run by a moment, entry -> when it was due."""
        try:
            self._look_at_fleet(schedule)
            sight = Here()
        except redis.RedisError as error:
            sight = _sight(error)
        sight = replace(sight, server=self._rules.server, spooled=_size(self._rules.spool))
        with self._here.alone() as is_alone:
            if is_alone:
                found = [one for check in OF_HERE for one in check(sight, self._rules.limits)]
                self._settle(self._here, found, round(self._now() * 1000))

    def report(self) -> OwnReport:
        """What is amiss now; without Redis, what this machine knows of it."""
        found, answers = dict(self._here.load()), True
        try:
            found |= self._fleet.load()
        except redis.RedisError:
            answers = False
        alerts = [_view(name, standing) for name, standing in sorted(found.items())]
        return OwnReport(alerts=alerts, redis_answers=answers)

    def close(self) -> None:
        """Let go of channels."""
        self._line.close()

    def _look_at_fleet(self, schedule: Callable[[datetime], Mapping[str, datetime | None]]) -> None:
        turn = TOGETHER * milliseconds(self._rules.every)
        is_mine, now = self._scripts.run("watch", self._token, turn)
        if not is_mine:
            return
        moment = datetime.fromtimestamp(int(now) / 1000, UTC)
        facts = read_facts(self._client, self._keys, int(now), schedule(moment))
        found = [one for check in OF_FLEET for one in check(facts, self._rules.limits)]
        untold = self._settle(self._fleet, found, int(now))
        self._pulse.ask()
        is_alive = facts.now - facts.pulse.get("delivery", 0) <= self._rules.limits.late_after
        self._watching.note(is_alive=is_alive, together_ms=turn)
        self._dead_man.look([*breaks(facts, self._rules.limits, self._rules.own_endpoints), *untold])

    def _settle(self, memory: Memory, found: Iterable[Finding], now: int) -> list[str]:
        """Bring the memory up to date and tell what is to be told; what nobody would take."""
        known, findings, untold = memory.load(), {one.id: one for one in found}, []
        for name in sorted(known.keys() | findings.keys()):
            rule = RULES.get(name.partition(":")[0], Rule())
            standing, verb = step(known.get(name), findings.get(name), now, self._rules.patience(rule))
            if standing and verb:
                standing = self._tell(standing, verb, rule, now)
            memory.put(name, standing)
            if standing and standing.is_bad and standing.tried and not standing.told:
                untold.append(f"nobody takes the own alert {name}")
        return untold

    def _tell(self, standing: Standing, verb: Verb, rule: Rule, now: int) -> Standing | None:
        """Tell it by the way of its rule. It is remembered only afterwards: to tell it twice is better than never."""
        alert = _alert(standing.finding, verb, self._rules)
        message_id = f"own-{standing.finding.name}-{now}-{verb}"
        if rule.way == "inbox":
            self._inbox.put([InboxRow(message_id, alert, SOURCE)])
            return _note(standing, verb, now, ())
        if verb == "trigger":
            told = self._line.trigger(alert, message_id)
            places = tuple(dict.fromkeys((*standing.places, *told.places)))
            return _note(standing, verb, now, places) if told.is_taken else replace(standing, places=places, tried=now)
        left = self._line.resolve(alert, message_id, standing.places)
        return replace(standing, places=left, tried=now) if left else _note(standing, verb, now, ())


def _note(standing: Standing, verb: Verb, now: int, places: tuple[str, ...]) -> Standing | None:
    """It was told: said in the log, too."""
    finding = standing.finding
    if verb == "resolve":
        log.info("own_alert_over", alert=finding.id)
        return None
    log.error("own_alert", alert=finding.id, summary=finding.summary, mend=finding.mend)
    return replace(standing, told=now, places=places)


def _alert(finding: Finding, verb: Verb, rules: OwnRules) -> Alert:
    """The alert in wire shape; a resolve has its words too, for channels that people read."""
    return {
        "service": rules.service,
        "event_action": verb,
        "dedup_key": KEY + finding.id,
        "client": "Tocsin",
        "payload": {
            "summary": f"Tocsin: {finding.summary}",
            "source": rules.host,
            "severity": finding.severity,
            "component": "tocsin",
            "class": finding.name,
            "custom_details": {"mend": finding.mend, "more": f"docs/own-alerts.md, {finding.name}"},
        },
    }


def _sight(error: redis.RedisError) -> Here:
    """What the error says of the server; of its words no more than the first, for they may hold addresses."""
    refuses = isinstance(error, REFUSALS) or str(error).startswith(REFUSES_EVERYBODY)
    is_answer = refuses or isinstance(error, redis.ResponseError)
    return Here(
        fault=str(error).partition(" ")[0] if is_answer and str(error).isascii() else type(error).__name__,
        answers=is_answer,
    )


def _size(folder: Path) -> int:
    """How much disk the files of a folder take; one that goes meanwhile counts nothing."""
    size = 0
    for path in folder.glob("*.jsonl"):
        try:
            size += path.stat().st_size
        except FileNotFoundError:
            continue
    return size


def _view(name: str, standing: Standing) -> OwnAlert:
    return OwnAlert(
        name=name,
        severity=standing.finding.severity,
        summary=standing.finding.summary,
        mend=standing.finding.mend,
        is_told=bool(standing.told),
        is_over=not standing.is_bad,
        since=datetime.fromtimestamp(standing.since / 1000, UTC),
        told_at=datetime.fromtimestamp(standing.told / 1000, UTC) if standing.told else None,
    )
