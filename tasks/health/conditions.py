"""What may be amiss with Tocsin itself. One small pure check each; a further one is a function and a line in the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from tasks.health.conditions_of_keys import keys_due, rotation_stuck
from tasks.health.models import Finding, Way
from tasks.health.schedules import runs_missed, schedule_late
from tasks.health.timers import nobody_answered, timers_late

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tasks.health.facts import Facts, Failure
    from tasks.utils.places import Place

MINUTE: Final = timedelta(minutes=1)
FEWEST_FAILURES: Final = 2
UNTRIED_MS: Final = 15 * 60_000  # a channel nobody has tried since is not known to be down
HEARD_MS: Final = 15 * 60_000  # so long it is said that webhooks were disabled, though they are enabled again
FORGOTTEN_MS: Final = 24 * 3_600_000  # nor is a key nobody has used since
MOST_NAMED: Final = 5
TOLD_OF_LOSS_MS: Final = 3_600_000


@dataclass(frozen=True)
class Limits:
    """From where on something is amiss; times in milliseconds. `places`: `<channel>|<key id>` -> what is known of it."""

    late_after: int
    failing_after: int
    memory_percent: int
    spool_percent: int
    spool_bytes: int
    dead_letters: int
    quotas: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class Here:
    """What one machine sees: why its sentinel cannot use Redis ('' if it can), whether that answers all the same, the spool's bytes."""

    fault: str = ""
    answers: bool = True
    server: str = ""
    spooled: int = 0


@dataclass(frozen=True)
class Rule:
    """How a condition is told: by the inbox as every alert, or past Redis and workers; how much longer to wait, or not at all."""

    way: Way = "inbox"
    patience: timedelta = timedelta(0)
    calm: timedelta = timedelta(0)
    at_once: bool = False


RULES: Final[dict[str, Rule]] = {
    "redis_away": Rule("direct"),
    "redis_refuses": Rule("direct"),
    "spool_filling": Rule("direct"),
    "workers_late": Rule("direct", patience=MINUTE / 2),
    "timers_late": Rule("direct", patience=MINUTE / 2),
    "redis_lost": Rule(at_once=True),
    "redis_memory": Rule(),
    "redis_disk": Rule(),
    "delivery_failing": Rule(),
    "key_rejected": Rule(),
    "dead_letters": Rule(),
    "proof_broken": Rule(),
    "schedule_late": Rule(patience=3 * MINUTE),
    "runs_missed": Rule(at_once=True),
    "sender_over_quota": Rule(calm=3 * MINUTE),
    "webhooks_disabled": Rule(),
    "keys_due": Rule(),
    "rotation_stuck": Rule(),
    "pages_missed": Rule(),
    "nobody_answered": Rule(at_once=True),
}


def redis_away(here: Here, _: Limits) -> Iterator[Finding]:
    """Nothing answers at the address of Redis, or it is still loading."""
    if here.fault and not here.answers:
        mend = "start Redis, or mend the network to it; accepted alerts wait in the spool meanwhile and none is sent"
        yield Finding("redis_away", "critical", f"Redis at {here.server} does not answer ({here.fault})", mend)


def redis_refuses(here: Here, _: Limits) -> Iterator[Finding]:
    """Redis answers, but takes no writes."""
    if here.fault and here.answers:
        mend = "look at its memory, its disk and its role; accepted alerts wait in the spool meanwhile and none is sent"
        yield Finding("redis_refuses", "critical", f"Redis at {here.server} refuses to write ({here.fault})", mend)


def spool_filling(here: Here, limits: Limits) -> Iterator[Finding]:
    """The disk that keeps alerts while Redis is away fills up."""
    if limits.spool_bytes and here.spooled * 100 >= limits.spool_bytes * limits.spool_percent:
        share = here.spooled * 100 // limits.spool_bytes
        mend = "bring Redis back, or raise spool.max_bytes; once it is full, alerts are refused"
        yield Finding("spool_filling", "critical", f"The spool is {share} % full", mend)


def workers_late(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Rows that are due, or the pulse, lie where workers should have taken them long ago."""
    for group in ("alert", "delivery", "webhook"):
        late = facts.now - min(facts.waiting.get(group, facts.now), _pulse_lies_since(facts, group))
        if late > limits.late_after:
            summary = f"The workers of group {group} do not work: something waits for them since {_span(late)}"
            mend = f"start `tocsin worker {group}`, or more of them; look at their logs"
            yield Finding("workers_late", "critical", summary, mend, group)


def _pulse_lies_since(facts: Facts, group: str) -> int:
    """Since when a pulse waits for this very group; now if none does."""
    asked, by_alert, through = (facts.pulse.get(name, 0) for name in ("asked", "alert", "delivery"))
    waits_for = "alert" if by_alert < asked else "delivery" if through < asked else ""
    return asked if waits_for == group else facts.now


def redis_lost(facts: Facts, _: Limits) -> Iterator[Finding]:
    """Redis came back, or goes on, without its data."""
    noticed = int(facts.loss.get("noticed") or 0)
    if noticed and facts.now - noticed <= TOLD_OF_LOSS_MS:
        pending = facts.loss.get("pending")
        unsent = f"; {int(pending):,} accepted alerts had not ended when last counted" if pending else ""
        at = f"{datetime.fromtimestamp(noticed / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
        mend = (
            "find out who flushed Redis, or why it came back without its data; `tocsin prove` names what is lost, "
            "`tocsin incidents sync` compares with PagerDuty, `tocsin alerts silence list` shows the silences"
        )
        yield Finding("redis_lost", "critical", f"Redis lost everything, noticed at {at}{unsent}", mend)


def redis_memory(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Redis runs out of memory; then it would take no more alerts."""
    if facts.memory_limit and facts.memory_used * 100 >= facts.memory_limit * limits.memory_percent:
        share = facts.memory_used * 100 // facts.memory_limit
        mend = "give Redis more memory (maxmemory), or see what fills it: `redis-cli --bigkeys`"
        yield Finding("redis_memory", "error", f"Redis uses {share} % of its memory", mend)


def redis_disk(facts: Facts, _: Limits) -> Iterator[Finding]:
    """Redis could not write one of its files."""
    if facts.disk_fault:
        mend = "make room on the disk of Redis and look at its log; it may lose accepted alerts"
        yield Finding("redis_disk", "error", f"Redis cannot write its files ({facts.disk_fault})", mend)


def delivery_failing(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Every attempt by some keys has failed for a while: the other side is down, or out of reach."""
    for endpoint, down in groupby(_down(facts, limits), key=lambda place: limits.places[place].endpoint):
        places = list(down)
        first = min((facts.failing[place] for place in places), key=lambda failure: failure.since)
        kind, ways = limits.places[places[0]].kind, _listed(limits.places[place].words for place in places)
        summary = f"Nothing gets through by {kind} since {_span(facts.now - first.since)} ({first.reason}): {ways}"
        mend = "look at the other side's status page and at the network to it; alerts take the next channel of their service"
        yield Finding("delivery_failing", "critical", summary, mend, endpoint)


def _down(facts: Facts, limits: Limits) -> list[str]:
    """The places nothing gets through to, those of one side together.

    Where another key got through to the same side again, what failed before says nothing any more.
    """
    tried = {place: failure for place, failure in facts.failing.items() if place in limits.places}
    well: dict[str, int] = {}
    for place, failure in tried.items():
        if failure.outcome == "sent":
            endpoint = limits.places[place].endpoint
            well[endpoint] = max(well.get(endpoint, 0), failure.last)
    down = [place for place, failure in tried.items() if _fails(failure, facts.now, limits.failing_after)]
    down = [place for place in down if tried[place].last > well.get(limits.places[place].endpoint, 0)]
    return sorted(down, key=lambda place: (limits.places[place].endpoint, limits.places[place].words))


def _fails(failure: Failure, now: int, after: int) -> bool:
    is_tried = now - failure.last <= UNTRIED_MS
    return failure.outcome == "retry" and is_tried and failure.count >= FEWEST_FAILURES and now - failure.since >= after


def key_rejected(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """The other side refuses a key of ours; none of the attempts since has been taken."""
    for place, failure in facts.failing.items():
        known = limits.places.get(place)
        if known and failure.outcome == "refused" and facts.now - failure.last <= FORGOTTEN_MS:
            summary = f"A key is refused: {known.words} ({failure.reason})"
            owner = f"its owner is {known.owner}; " if known.owner else ""
            mend = f"{owner}put a key that the other side knows into the channel"
            yield Finding("key_rejected", "error", summary, mend, place.partition("|")[2])


def dead_letters(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Alerts could not be delivered, or not be understood."""
    if facts.deaths >= limits.dead_letters:
        several = (
            f"{facts.deaths} alerts have become dead letters"
            if facts.deaths > 1
            else "An alert has become a dead letter"
        )
        mend = "`tocsin notifications dead-letters` says why; mend that, then `tocsin notifications replay`"
        yield Finding("dead_letters", "error", several, mend)


def proof_broken(facts: Facts, _: Limits) -> Iterator[Finding]:
    """The last proof found an alert that nobody can account for."""
    if facts.broken:
        mend = "`tocsin prove` names each of them; keep the state folder and the server's data as they are"
        yield Finding(
            "proof_broken",
            "critical",
            f"The promise is broken for {facts.broken} event{'s' * (facts.broken > 1)}",
            mend,
        )


def sender_over_quota(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """Somebody sends more alerts than was agreed."""
    for service, rate in facts.rates.items():
        quota = limits.quotas.get(service, 0)
        if quota and rate > quota:
            summary = (
                f"Sender over its quota: service {service} got {rate:,} alerts in a minute, its quota is {quota:,}"
            )
            mend = "see what sends them (`tocsin alerts list`); none was refused. The limit: `ingest.quota`, or the service's own"
            yield Finding("sender_over_quota", "warning", summary, mend, service)


def webhooks_disabled(facts: Facts, _: Limits) -> Iterator[Finding]:
    """PagerDuty had stopped telling what becomes of incidents, because its webhooks were refused."""
    if facts.now - facts.webhooks_disabled_at <= HEARD_MS:
        mend = (
            "they are enabled again; see why the gateway refused them (its log, PAGERDUTY_WEBHOOK_SECRET, the way to it). "
            "What was missed is fetched every five minutes, or by `tocsin webhooks catch-up`"
        )
        yield Finding("webhooks_disabled", "error", "PagerDuty had disabled our webhook subscription", mend)


def pages_missed(facts: Facts, _: Limits) -> Iterator[Finding]:
    """PagerDuty took alerts, and shows no incident of them."""
    if facts.now - facts.missed_at <= HEARD_MS:
        several = f"{facts.misses} alerts" if facts.misses > 1 else "an alert"
        mend = "they went on to their next channel; look at PagerDuty's status page, and at `tocsin notifications receipts`"
        yield Finding("pages_missed", "critical", f"PagerDuty took {several} and shows no incident", mend)


OF_HERE: Final[tuple[Callable[[Here, Limits], Iterator[Finding]], ...]] = (redis_away, redis_refuses, spool_filling)
OF_FLEET: Final[tuple[Callable[[Facts, Limits], Iterator[Finding]], ...]] = (
    workers_late,
    redis_lost,
    redis_memory,
    redis_disk,
    delivery_failing,
    key_rejected,
    dead_letters,
    proof_broken,
    schedule_late,
    runs_missed,
    sender_over_quota,
    webhooks_disabled,
    pages_missed,
    keys_due,
    rotation_stuck,
    timers_late,
    nobody_answered,
)


def breaks(facts: Facts, limits: Limits, own_endpoints: frozenset[str]) -> list[str]:
    """Why whoever watches from outside should be alarmed: names of links of the chain that do not hold."""
    found = []
    through = facts.pulse.get("delivery", 0)
    if facts.now - through > limits.late_after + 60_000:
        found.append("no pulse has come through the queues")
    if any(proof_broken(facts, limits)):
        found.append("the promise is broken")
    down = {finding.subject for finding in delivery_failing(facts, limits)}
    if own_endpoints and own_endpoints <= down:
        found.append("no channel for Tocsin's own alerts gets through")
    return found


def _listed(names: Iterable[str]) -> str:
    known = list(dict.fromkeys(names))
    more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    return ", ".join(known[:MOST_NAMED]) + more


def _span(ms: int) -> str:
    seconds = ms // 1000
    if seconds < 180:
        return f"{seconds} s"
    return f"{seconds // 60} minutes" if seconds < 10_800 else f"{seconds // 3600} hours"
