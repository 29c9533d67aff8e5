"""The second half of a recovery: once the state is back it is compared with PagerDuty, proved, and looked at."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from tasks.utils.error_handler import TocsinError
from tasks.utils.progress import report as tell
from tasks.utils.single_flight import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.audit.models import ProofReport
    from tasks.backups.recovery_models import RecoveryReport
    from tasks.health.models import HealthReport
    from tasks.incidents.sync_models import SyncReport
    from tasks.tokens.rotation.taking_up import TakenUp, Unmatched

Found = TypeVar("Found")
MOST_NAMED: Final = 10
ROUNDS: Final = 60  # seconds to wait for another comparison, which the fleet begins by itself where it runs already
LOSS: Final = "server.data"  # that Redis lost everything is why this is done
OF_PROCESSES: Final = ("workers", "processes", "schedules")  # nobody runs yet


@dataclass(frozen=True)
class Looks:
    """What a recovery asks once the state is back."""

    keys: Callable[[], tuple[list[TakenUp], list[Unmatched]]]
    sync: Callable[[], SyncReport]
    prove: Callable[[], ProofReport]
    examine: Callable[[], HealthReport]


def look_after(report: RecoveryReport, looks: Looks, pause: Callable[[float], None] = time.sleep) -> None:
    """Take the last four steps, whatever comes of each: nothing of it undoes what is back."""
    _keys(report, looks, pause)
    _sync(report, looks, pause)
    _prove(report, looks.prove())
    _look(report, looks.examine())


def _keys(report: RecoveryReport, looks: Looks, pause: Callable[[float], None]) -> None:
    """Routing keys that were rotated after the backup: those of before may be deleted."""
    try:
        taken, unmatched = once_free(looks.keys, pause)
    except TocsinError as error:
        report.add("keys", f"whether keys were rotated since the backup could not be asked: {error}", "failed")
        report.todo.append("run this again once PagerDuty answers: keys of before a rotation may be refused by then")
        return
    for one in taken:
        places = ", ".join(one.where)
        report.add(
            "keys",
            f"{one.kind} key {one.key} ({places}) took the place of {one.former} since the backup: in force again",
        )
    for refused in unmatched:
        places, made = ", ".join(refused.where), "; ".join(refused.candidates)
        which = f"one of these rotations made may have taken its place: {made}; " if made else ""
        report.add("keys", f"PagerDuty refuses the key {refused.key} ({places})", "failed")
        report.todo.append(
            f"configure the key in force for {places}: {which}PagerDuty shows it at the service, tab Integrations"
        )


def once_free(do: Callable[[], Found], pause: Callable[[float], None] = time.sleep) -> Found:
    """Do it as soon as nobody else does: a recovery that was killed counts as being at it until its lease ends, within a minute."""
    for _ in range(ROUNDS):
        try:
            return do()
        except BusyError as error:
            tell(0, 0, f"waiting for {error.holder.who}, at the latest until {error.holder.until:%H:%M:%S} UTC")
            pause(1)
    return do()


def _sync(report: RecoveryReport, looks: Looks, pause: Callable[[float], None]) -> None:
    try:
        found = looks.sync()
        for _ in range(ROUNDS):
            if found.state != "busy":
                break
            pause(1)
            found = looks.sync()
    except TocsinError as error:
        report.add("sync", f"PagerDuty could not be asked: {error}", "failed")
        report.todo.append("`tocsin incidents sync` once PagerDuty answers; beat does it every five minutes, too")
        return
    if found.state == "off":
        report.add(
            "sync", "there is no key to ask PagerDuty with: what happened since the backup is not known", "waits"
        )
        report.todo.append(
            "`tocsin incidents sync`, once PAGERDUTY_API_KEY is set; it does no harm to start the fleet before"
        )
    elif found.state == "busy":
        report.add("sync", "another comparison with PagerDuty is at work", "waits")
        report.todo.append("`tocsin incidents sync` to see what it has found")
    else:
        report.add("sync", _sync_words(found))
        report.todo += [
            f"close it by hand at PagerDuty when it is over, for not all of its members are known any more: {one}"
            for one in found.groups
        ]


def _sync_words(found: SyncReport) -> str:
    counts = {
        "open there and here": found.known,
        "opened since the backup, and known again": found.rebuilt,
        "resolved there since the backup, so here": found.closed,
        "resolved here and now there": found.resolved_again,
        "sent, but PagerDuty knows no incident": found.missing,
    }
    told = ", ".join(f"{count} {words}" for words, count in counts.items() if count or words == "open there and here")
    return f"{found.incidents} incidents are open at PagerDuty: {told}"


def _prove(report: RecoveryReport, proof: ProofReport) -> None:
    report.lost_alerts = proof.lost
    for event in proof.lost_events[:MOST_NAMED]:
        named = " ".join(filter(None, (event.service, event.dedup_key)))
        report.lost.append(f"alert {event.event_id}{f' ({named})' if named else ''}: {event.wrong}")
    if proof.lost > MOST_NAMED:
        report.lost.append(f"… and {proof.lost - MOST_NAMED} more: `tocsin prove`")
    words = f"{proof.events:,} alerts judged, {proof.lost:,} lost, {proof.broken_count:,} broken"
    report.add("prove", words, "failed" if proof.broken_count else "done")
    if proof.broken_count:
        report.todo.append("`tocsin prove` names what is broken in the record")


def _look(report: RecoveryReport, health: HealthReport) -> None:
    lines = [one for one in health.checks if one.name.partition(".")[0] not in OF_PROCESSES and one.name != LOSS]
    amiss = [line for line in lines if line.state in ("fail", "warn")]
    words = f"{len(lines) - len(amiss)} of {len(lines)} looks are well" + (", processes left aside" if lines else "")
    report.add("health", words)
    report.todo += [f"{line.name}: {line.value}; {line.mend}" for line in amiss if line.mend and line.state == "fail"]
