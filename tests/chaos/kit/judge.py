"""Three witnesses judge a run: the driver's list, the sandbox's log, the ledger. None is believed alone."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.chaos.kit.losses import Losses
from tests.witnesses import ANY, ENQUEUE, hear

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tasks.audit.models import EventVerdict
    from tests.chaos.kit.load import Accepted
    from tests.chaos.kit.losses import Event

MOST_IDLE: Final = 60.0
MOST_NAMED: Final = 10
BUNDLE: Final = "bundle-"  # what a merged event went into, where that is a summary
COPY: Final = "+"  # in the id of what goes to a second destination, as the resolve of an alert that a summary tells of
OWN: Final = "tocsin-own:"  # alerts about Tocsin itself, which go on for as long as what they tell of
TAKEN: Final = frozenset({"opened", "updated", "acknowledged", "resolved", "dropped", "sunk"})


@dataclass
class Evidence:
    """What the three say, and what is allowed."""

    accepted: Accepted
    log: Sequence[dict[str, Any]]
    verdicts: Sequence[EventVerdict]
    may_repeat: int = 0
    idle: dict[str, float] = field(default_factory=dict)
    losses: Losses = field(default_factory=Losses)

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

    @property
    def unheard(self) -> Counter[Event]:
        """What was accepted and the ledger does not know, how often each."""
        return self.accepted.events - Counter((v.dedup_key, v.action) for v in self.verdicts if COPY not in v.event_id)

    def may_be_lost(self, event: Event) -> bool:
        """Whether it went with the server and is named: by itself, by the span in which it was accepted, or by an id."""
        if any(v.verdict == "lost" and (v.dedup_key, v.action) == event for v in self.verdicts):
            return self.losses.were_after(self.accepted, event)
        return self.losses.allows(self.accepted, event) or event in self._known_by_id()

    def _known_by_id(self) -> set[Event]:
        """Events of which the id alone is named, which their senders never learned: as many as there are such ids."""
        ids = sum(v.verdict == "lost" and not v.dedup_key for v in self.verdicts) + self.losses.nameless
        others = (event for event in self.unheard if not self.losses.allows(self.accepted, event))
        return set(sorted(event for event in others if self.losses.were_after(self.accepted, event))[:ids])

    def lost(self) -> dict[str, int]:
        """How many of the events accepted never came to PagerDuty because the server lost them, by how they are named."""
        arrived = {(one["dedup_key"], one["event_action"]) for one in self.arrived}
        by_span = sum(self.losses.allows(self.accepted, event) for event in self.unheard if event not in arrived)
        return {"lost, named": sum(v.verdict == "lost" for v in self.verdicts), "lost, their span named": by_span}

    def save(self, folder: Path) -> None:
        """Write down what was said, for whoever looks for the reason of a failure."""
        _write(folder / "sandbox.jsonl", self.log)
        _write(folder / "verdicts.jsonl", (verdict.model_dump(mode="json") for verdict in self.verdicts))
        _write(
            folder / "accepted.jsonl",
            ([*event, times, self.accepted.times[event]] for event, times in self.accepted.events.items()),
        )


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
        *_unnamed(evidence),
        *_order(evidence),
        *_duplicates(evidence),
        *_idleness(evidence),
    ]


def _answers(evidence: Evidence) -> list[str]:
    return _named("a sender got an answer it should not get", evidence.accepted.strange)


def _losses(evidence: Evidence) -> list[str]:
    """What was accepted and has no good end in the ledger, or is said to be delivered and never arrived."""
    spoilt = [{**one, "status": 202} for one in evidence.arrived]
    judged = [
        v for v in evidence.verdicts if not (v.verdict == "lost" and evidence.may_be_lost((v.dedup_key, v.action)))
    ]
    keys = {key for key, _ in evidence.accepted.events} & {v.dedup_key for v in judged}
    told = hear(sorted(keys), spoilt, judged, merged=ANY, suppressed=ANY)
    known = Counter((v.dedup_key, v.action) for v in evidence.verdicts if v.dedup_key and COPY not in v.event_id)
    too_many = [
        f"{action} {key}"
        for (key, action), count in known.items()
        if not 0 <= count - evidence.accepted.events[key, action] <= evidence.accepted.perhaps[key, action]
    ]
    return [
        *_named("lost", told.lost),
        *_named("in the ledger, but nobody sent it so often", too_many),
        *_named("still under way", told.pending),
        *_named("ended otherwise than could be expected", told.unexpected),
        *_named("a trigger began after its resolve", told.late_triggers),
    ]


def _unnamed(evidence: Evidence) -> list[str]:
    """What was accepted and nobody names: neither the ledger nor, where the server lost everything, the word on that loss."""
    unheard = [f"{action} {key}" for key, action in sorted(evidence.unheard) if not evidence.may_be_lost((key, action))]
    unnoticed = [f"{evidence.losses.unnoticed} times"] if evidence.losses.unnoticed else []
    return [
        *_named("accepted, but the ledger has never heard of it", unheard),
        *_named("the server lost everything, and nobody says so", unnoticed),
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
        if action != "resolve"
        and (events[key, "resolve"] or not events[key, "trigger"])
        and not (key.startswith(OWN) or evidence.may_be_lost((key, "resolve")))
    ]
    settled = {v.dedup_key for v in evidence.verdicts if v.verdict == "suppressed" or v.reason.startswith(BUNDLE)}
    silent = [key for key, _ in events if key not in {*last, *settled} and not evidence.may_be_lost((key, "trigger"))]
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
