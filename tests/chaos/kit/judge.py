"""Three witnesses judge a run: the driver's list, the sandbox's log, the ledger. None is believed alone."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tasks.runtime import Runtime
from tests.program import run
from tests.witnesses import ANY, ENQUEUE, hear

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tasks.audit.models import EventVerdict
    from tests.chaos.kit.load import Accepted
    from tests.fleet import Fleet

MOST_IDLE: Final = 60.0
MOST_NAMED: Final = 10
BUNDLE: Final = "bundle-"  # what a merged event went into, where that is a summary
COPY: Final = "+"  # in the id of what goes to a second destination, as the resolve of an alert that a summary tells of
TAKEN: Final = frozenset({"opened", "updated", "acknowledged", "resolved", "dropped", "sunk"})


@dataclass
class Evidence:
    """What the three say, and what is allowed."""

    accepted: Accepted
    log: Sequence[dict[str, Any]]
    verdicts: Sequence[EventVerdict]
    may_repeat: int = 0
    idle: dict[str, float] = field(default_factory=dict)

    @property
    def arrived(self) -> list[dict[str, Any]]:
        """The requests that took effect at PagerDuty, whatever became of their answers."""
        return [one for one in self.log if one["path"].rstrip("/") == ENQUEUE and one["outcome"] in TAKEN]

    def repeats(self) -> list[dict[str, Any]]:
        """Every arrival of a trigger beyond those the ledger calls sent and those whose answer the sandbox has spoilt."""
        sent = Counter(v.dedup_key for v in self.verdicts if v.verdict == "delivered" and v.action == "trigger")
        triggers: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in self.arrived:
            if one["event_action"] == "trigger" and (one["dedup_key"], "trigger") in self.accepted.events:  # no summary
                triggers[one["dedup_key"]].append(one)
        return [one for key, all_ in triggers.items() for one in _beyond(all_, max(sent[key], 1))]

    def save(self, folder: Path) -> None:
        """Write down what was said, for whoever looks for the reason of a failure."""
        _write(folder / "sandbox.jsonl", self.log)
        _write(folder / "verdicts.jsonl", (verdict.model_dump(mode="json") for verdict in self.verdicts))
        _write(folder / "accepted.jsonl", ([*event, times] for event, times in self.accepted.events.items()))


def _write(path: Path, lines: Iterable[object]) -> None:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def _beyond(arrivals: list[dict[str, Any]], sent: int) -> list[dict[str, Any]]:
    spoilt = sum(
        bool(one["fault"]) for one in arrivals
    )  # its answer was no answer: PagerDuty itself asked for it again
    return arrivals[sent + spoilt :]


def judge(evidence: Evidence) -> list[str]:
    """Everything that is wrong, in words; nothing, if the promise was kept."""
    return [
        *_answers(evidence),
        *_losses(evidence),
        *_order(evidence),
        *_duplicates(evidence),
        *_idleness(evidence),
    ]


def _answers(evidence: Evidence) -> list[str]:
    return _named("a sender got an answer it should not get", evidence.accepted.strange)


def _losses(evidence: Evidence) -> list[str]:
    """What was accepted and has no good end in the ledger, or is said to be delivered and never arrived."""
    spoilt = [{**one, "status": 202} for one in evidence.arrived]
    keys = {key for key, _ in evidence.accepted.events}
    told = hear(sorted(keys), spoilt, evidence.verdicts, merged=ANY, suppressed=ANY)
    known = Counter((v.dedup_key, v.action) for v in evidence.verdicts if COPY not in v.event_id)
    unheard = [f"{action} {key}" for key, action in sorted(evidence.accepted.events - known)]
    too_many = [
        f"{action} {key}"
        for (key, action), count in known.items()
        if not 0 <= count - evidence.accepted.events[key, action] <= evidence.accepted.perhaps[key, action]
    ]
    return [
        *_named("lost", told.lost),
        *_named("accepted, but the ledger has never heard of it", unheard),
        *_named("in the ledger, but nobody sent it so often", too_many),
        *_named("still under way", told.pending),
        *_named("ended otherwise than could be expected", told.unexpected),
        *_named("a trigger began after its resolve", told.late_triggers),
    ]


def _order(evidence: Evidence) -> list[str]:
    """Whatever opened an incident was ended by a resolve, as every alert of the load is; summaries too."""
    last: dict[str, str] = {}
    for one in sorted(evidence.arrived, key=lambda one: one["at"]):
        last[one["dedup_key"]] = one["event_action"]
    events = evidence.accepted.events
    open_ = [
        key
        for key, action in last.items()
        if action != "resolve" and (events[key, "resolve"] or not events[key, "trigger"])
    ]
    settled = {v.dedup_key for v in evidence.verdicts if v.verdict == "suppressed" or v.reason.startswith(BUNDLE)}
    silent = [key for key, _ in events if key not in last and key not in settled]
    return [
        *_named("resolved, but left open at PagerDuty", open_),
        *_named("PagerDuty has never heard of it, and no rule says why", sorted(set(silent))),
    ]


def _duplicates(evidence: Evidence) -> list[str]:
    repeats = evidence.repeats()
    if len(repeats) <= evidence.may_repeat:
        return []
    keys = [one["dedup_key"] for one in repeats]
    return _named(f"more duplicates than the faults allow ({len(repeats)} > {evidence.may_repeat})", keys)


def _idleness(evidence: Evidence) -> list[str]:
    return [
        f"{name} was idle for {seconds:.0f} s although its queue was not empty"
        for name, seconds in evidence.idle.items()
        if seconds > MOST_IDLE
    ]


def _named(what: str, names: Sequence[str]) -> list[str]:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return [f"{what}: {len(names)}: {', '.join(names[:MOST_NAMED])}{more}"] if names else []


def verdicts_of(fleet: Fleet) -> list[EventVerdict]:
    """The third witness."""
    return list(Runtime(fleet.settings).audit.verdicts())


def proof_of(fleet: Fleet) -> list[str]:
    """The third witness by its own word: nothing, if `tocsin prove` ends with 0, else what it says."""
    proof = run("prove", environment={**fleet.environment, "REDIS_URL": fleet.server.url}, timeout=600)
    return (
        []
        if proof.returncode == 0
        else [f"`tocsin prove` ended with {proof.returncode}:\n{proof.stdout}{proof.stderr}"]
    )
