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
LONG_AGO: Final = -(10**15)  # when nothing ever happened


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
    webhooks_disabled_at: int = LONG_AGO
    missed_at: int = LONG_AGO
    misses: int = 0
    loss: Mapping[str, str] = field(default_factory=dict)
    timers_due: int | None = None
    exhausted_at: int = LONG_AGO
    keys_due: Mapping[str, str] = field(default_factory=dict)
    rotations_stuck: Mapping[str, str] = field(default_factory=dict)


def read_facts(client: Any, keys: Keys, now: int, schedule: Mapping[str, datetime | None]) -> Facts:
    """The facts of this moment. `schedule`: entry -> a due moment; that run or a later one must have been claimed by now.

    None: nothing is expected of it.
    """
    said, claims = _ask(client, keys, now, schedule)
    return Facts(
        now=now,
        memory_used=int(said["memory"]["used_memory"]),
        memory_limit=int(said["memory"].get("maxmemory") or said["memory"].get("total_system_memory") or 0),
        disk_fault=_disk_fault(said["persistence"]),
        waiting=_waiting(said),
        pulse={name: int(at) for name, at in said["pulse"].items()},
        failing={place: _failure(line) for place, line in said["failing"].items()},
        deaths=int(said["deaths"]),
        missed=_missed(schedule, claims),
        left_out=_left_out(schedule, claims),
        broken=max(map(_broken, said["proof"].values()), default=0),
        rates=_most(said["this_minute"], said["last_minute"]),
        webhooks_disabled_at=int(said["disabled_at"] or LONG_AGO),
        missed_at=int(said["missed_at"] or LONG_AGO),
        misses=int(said["this_hour"] or 0) + int(said["last_hour"] or 0),
        loss=said["loss"],
        timers_due=int(said["timers"][0][1]) if said["timers"] else None,
        exhausted_at=int(said["exhausted_at"] or LONG_AGO),
        keys_due=said["keys_due"],
        rotations_stuck=said["rotations_stuck"],
    )


def _ask(
    client: Any, keys: Keys, now: int, schedule: Mapping[str, datetime | None]
) -> tuple[dict[str, Any], list[Any]]:
    """The replies by name, and what is known of each entry of the schedule."""
    pipe = client.pipeline(transaction=False)
    # Only their order counts: a pipeline gives its replies in that of the calls.
    asked = {
        "memory": pipe.info("memory"),
        "persistence": pipe.info("persistence"),
        **_ask_what_is_due(pipe, keys),
        **_ask_what_was_counted(pipe, keys, now),
        "pulse": pipe.hgetall(keys.pulse),
        "failing": pipe.hgetall(keys.failing),
        "proof": pipe.hgetall(keys.proof),
        "loss": pipe.hgetall(keys.loss),
        "keys_due": pipe.hgetall(keys.tokens_due),
        "rotations_stuck": pipe.hgetall(keys.rotations_stuck),
        "disabled_at": pipe.hget(keys.subscriptions, "disabled_at"),
        "exhausted_at": pipe.hget(keys.escalation_counts, "exhausted_at"),
        "missed_at": pipe.get(keys.receipt_missed),
    }
    for entry in schedule:
        pipe.hmget(keys.schedule(entry), "slot", "missed_at", "missed_since", "missed_caught_up")
    replies = pipe.execute()
    return dict(zip(asked, replies, strict=False)), replies[len(asked) :]


def _ask_what_is_due(pipe: Any, keys: Keys) -> dict[str, Any]:
    """The first row of each kind."""
    return {
        "inbox": pipe.zrange(keys.inbox_due, 0, 0, withscores=True),
        "holds": pipe.zrange(keys.holds_due, 0, 0, withscores=True),
        "outbox": pipe.zrange(keys.outbox_due, 0, 0, withscores=True),
        "groups": pipe.zrange(keys.groups_due, 0, 0, withscores=True),
        "webhooks": pipe.zrange(keys.webhooks_due, 0, 0, withscores=True),
        "timers": pipe.zrangebyscore(keys.escalations_due, "-inf", "(+inf", start=0, num=1, withscores=True),
    }


def _ask_what_was_counted(pipe: Any, keys: Keys, now: int) -> dict[str, Any]:
    """In this minute and the one before, or this hour."""
    minute, hour = now // MINUTE_MS, now // HOUR_MS
    return {
        "this_minute": pipe.hgetall(keys.rates(minute)),
        "last_minute": pipe.hgetall(keys.rates(minute - 1)),
        "this_hour": pipe.hget(keys.receipt_hours(hour), "missed"),
        "last_hour": pipe.hget(keys.receipt_hours(hour - 1), "missed"),
        "deaths": pipe.zcount(keys.dead, now - DEAD_WINDOW_MS, "+inf"),
    }


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


def _waiting(said: Mapping[str, Any]) -> dict[str, int]:
    """When the oldest row of each worker group fell due."""
    rows = {
        "alert": [*said["inbox"], *said["holds"]],
        "delivery": [*said["outbox"], *said["groups"]],
        "webhook": said["webhooks"],
    }
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
