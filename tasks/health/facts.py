"""What is known of the fleet at one moment: read once, in one round trip, for every condition."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tasks.utils.keys import Keys

DEAD_WINDOW_MS: Final = 600_000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True)
class Failure:
    """A key by which every attempt has failed `since` (ms) until `last`, `count` times.

    `outcome` and `reason` are the last one's; `sent` says that it is over since `last`.
    """

    since: int
    last: int
    count: int
    outcome: str
    reason: str


@dataclass(frozen=True)
class LeftOut:
    """Runs of a scheduled task that nobody made: noticed `at`, the first of them due `since` (ms)."""

    at: int
    since: int
    is_caught_up: bool


@dataclass(frozen=True)
class Facts:
    """All times in milliseconds by the fleet's clock.

    `waiting`: worker group -> when its oldest row fell due. `missed`: entries of the schedule. `broken`: events of the last proofs.
    `missed_at`: when PagerDuty was last found to show no incident of an alert it took; `misses`: how many in this hour and the one before.
    `loss`: see lua/declare_loss.lua. `keys_due`: kinds of keys that must be replaced, and why.
    `timers_due`: when the first timer of an escalation is due, None where no timer runs.
    """

    now: int
    memory_used: int = 0
    memory_limit: int = 0
    disk_fault: str = ""
    waiting: Mapping[str, int] = field(default_factory=dict)
    pulse: Mapping[str, int] = field(default_factory=dict)
    failing: Mapping[str, Failure] = field(default_factory=dict)
    deaths: int = 0
    missed: Sequence[str] = ()
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)
    broken: int = 0
    rates: Mapping[str, int] = field(default_factory=dict)
    webhooks_disabled_at: int = -(10**15)
    missed_at: int = -(10**15)
    misses: int = 0
    loss: Mapping[str, str] = field(default_factory=dict)
    timers_due: int | None = None
    exhausted_at: int = -(10**15)
    keys_due: Mapping[str, str] = field(default_factory=dict)
    rotations_stuck: Mapping[str, str] = field(default_factory=dict)


def read_facts(client: Any, keys: Keys, now: int, schedule: Mapping[str, datetime | None]) -> Facts:
    """The facts of this moment. `schedule`: entry -> a due moment; that run or a later one must have been claimed by now.

    None: nothing is expected of it.
    """
    minute = now // MINUTE_MS
    pipe = client.pipeline(transaction=False)
    pipe.info("memory")
    pipe.info("persistence")
    for rows in (keys.inbox_due, keys.holds_due, keys.outbox_due, keys.groups_due, keys.webhooks_due):
        pipe.zrange(rows, 0, 0, withscores=True)
    for known in (
        keys.pulse,
        keys.failing,
        keys.proof,
        keys.rates(minute),
        keys.rates(minute - 1),
        keys.loss,
        keys.tokens_due,
        keys.rotations_stuck,
    ):
        pipe.hgetall(known)
    pipe.zcount(keys.dead, now - DEAD_WINDOW_MS, "+inf")
    pipe.hget(keys.subscriptions, "disabled_at")
    pipe.zrangebyscore(keys.escalations_due, "-inf", "(+inf", start=0, num=1, withscores=True)
    pipe.hget(keys.escalation_counts, "exhausted_at")
    pipe.get(keys.receipt_missed)
    for hour in (now // HOUR_MS, now // HOUR_MS - 1):
        pipe.hget(keys.receipt_hours(hour), "missed")
    for entry in schedule:
        pipe.hmget(keys.schedule(entry), "slot", "missed_at", "missed_since", "missed_caught_up")
    memory, disk, *rest = pipe.execute()
    rest, claims = rest[: len(rest) - len(schedule)], rest[len(rest) - len(schedule) :]
    inbox, holds, outbox, groups, webhooks, *rest = rest
    (
        pulse,
        failing,
        proof,
        this_minute,
        last_minute,
        loss,
        keys_due,
        rotations_stuck,
        deaths,
        disabled_at,
        timers,
        exhausted_at,
        *receipts,
    ) = rest
    return Facts(
        now=now,
        memory_used=int(memory["used_memory"]),
        memory_limit=int(memory.get("maxmemory") or memory.get("total_system_memory") or 0),
        disk_fault=_disk_fault(disk),
        waiting=_waiting(alert=[*inbox, *holds], delivery=[*outbox, *groups], webhook=webhooks),
        pulse={name: int(at) for name, at in pulse.items()},
        failing={place: _failure(line) for place, line in failing.items()},
        deaths=int(deaths),
        missed=_missed(schedule, claims),
        left_out=_left_out(schedule, claims),
        broken=max(map(_broken, proof.values()), default=0),
        rates=_most(this_minute, last_minute),
        loss=loss,
        keys_due=keys_due,
        rotations_stuck=rotations_stuck,
        misses=sum(int(count or 0) for count in receipts[1:]),
        **({"missed_at": int(receipts[0])} if receipts[0] else {}),
        timers_due=int(timers[0][1]) if timers else None,
        **({"exhausted_at": int(exhausted_at)} if exhausted_at else {}),
        **({"webhooks_disabled_at": int(disabled_at)} if disabled_at else {}),
    )


def _missed(schedule: Mapping[str, datetime | None], states: Sequence[Sequence[str | None]]) -> list[str]:
    """The entries of which no run since that moment was claimed."""
    known = [(entry, due, int(state[0] or 0)) for (entry, due), state in zip(schedule.items(), states, strict=True)]
    return [entry for entry, due, slot in known if due and slot < due.timestamp() * 1000]


def _left_out(schedule: Mapping[str, datetime | None], states: Sequence[Sequence[str | None]]) -> dict[str, LeftOut]:
    return {
        entry: LeftOut(int(at), int(since or at), caught_up == "1")
        for entry, (_, at, since, caught_up) in zip(schedule, states, strict=True)
        if at
    }


def _disk_fault(persistence: Mapping[str, Any]) -> str:
    """What Redis could not write last, in its own words; '' if all went well."""
    watched = ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")
    return ", ".join(f"{name}:{persistence[name]}" for name in watched if persistence.get(name, "ok") != "ok")


def _waiting(**rows: Sequence[tuple[str, float]]) -> dict[str, int]:
    return {group: int(min(at for _, at in first)) for group, first in rows.items() if first}


def _failure(line: str) -> Failure:
    since, last, count, outcome, reason = line.split(" ", 4)
    return Failure(int(since), int(last), int(count), outcome, reason)


def _broken(kept: str) -> int:
    """How many events a proof could not account for; see `tasks.audit.kept`."""
    proof = json.loads(kept)
    is_sound = proof.get("holds", True) or proof.get("verdict") == "lost"
    return 0 if is_sound else max(1, int(proof.get("broken_count") or 0))


def _most(*minutes: Mapping[str, str]) -> dict[str, int]:
    services = {service for minute in minutes for service in minute}
    return {service: max(int(minute.get(service, 0)) for minute in minutes) for service in services}
