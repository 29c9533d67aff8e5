"""What may be lost with the server: only what was accepted before, and only if Tocsin names it, by itself or by the span it fell in."""

from __future__ import annotations

import json
import math
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tasks.audit.archive import Archive
from tasks.audit.models import ProofReport
from tasks.audit.records import Records, uid_in
from tasks.runtime import Runtime
from tasks.utils.identifiers import alert_uid
from tests.program import run

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tasks.audit.models import EventVerdict
    from tests.chaos.kit.load import Accepted
    from tests.chaos.kit.stage import Stage
    from tests.fleet import Fleet

NO_SENDERS: Final = ("rebuilt:", "sync:")  # events that Tocsin made itself when it compared with PagerDuty
EXIT_LOST: Final = 3
EMPTY: Final[Mapping[str, str]] = MappingProxyType({})
Event = tuple[str, str]  # dedup key, action


class Span(NamedTuple):
    """By the wall's clock: what was accepted after `since` and before `until` is lost for all anybody knows, says Tocsin."""

    since: float
    until: float


@dataclass(frozen=True)
class Losses:
    """The losses of a run: when they really were, and the spans that the proof names."""

    struck: Sequence[Span] = ()
    named: Sequence[Span] = ()
    events: Collection[Event] = ()
    """Events that the proof names, though the ledger has never heard of them."""
    nameless: int = 0
    """Those it names by an id that nobody here knows."""

    def allows(self, accepted: Accepted, event: Event) -> bool:
        """Whether an event that the ledger has never heard of is named as lost, or was in a span that is, and before the loss."""
        if event in self.events:
            return self.were_after(accepted, event)
        return any(
            began < span.until and until > span.since for began, until in accepted.times[event] for span in self.named
        )

    def were_after(self, accepted: Accepted, event: Event) -> bool:
        """Whether an event was accepted, at some time, before some loss: only then it may be called lost."""
        return any(began < span.until for began, _ in accepted.times[event] for span in self.struck)

    @property
    def unnoticed(self) -> int:
        """Losses nobody has told of."""
        return max(0, len(self.struck) - len(self.named))


def losses_of(stage: Stage, proof: Proof, accepted: Accepted, verdicts: Sequence[EventVerdict]) -> Losses:
    """What was lost when, and what the proof names.

    A span begins with the newest entry that was sealed: what had ended since is not lost, but nobody can prove it any more. It
    ends with the loss: what is accepted later is not lost.
    """
    begins = [loss.sealed_until.timestamp() if loss.sealed_until else -math.inf for loss in proof.report.losses]
    spans = [Span(begin, one.until) for begin, one in zip(begins, stage.emptied, strict=False)]
    unheard = {one.event_id for one in proof.report.lost_events} - {one.event_id for one in verdicts}
    events = {accepted.ids[one] for one in unheard if one in accepted.ids}
    return Losses(stage.emptied, spans, events, len(unheard - accepted.ids.keys()))


class Proof(NamedTuple):
    """What `tocsin prove` ends with and says."""

    code: int
    report: ProofReport
    words: str

    def wrong(self, losses: Losses) -> list[str]:
        """What is wrong with it; that history is lost is right where it was."""
        if self.code == 0 or (self.code == EXIT_LOST and losses.struck):
            return []
        return [f"`tocsin prove` ended with {self.code}:\n{self.words}"]


def proof_of(fleet: Fleet) -> Proof:
    """The third witness by its own word."""
    environment = {**fleet.environment, "REDIS_URL": fleet.server.url}
    told = run("prove", "--json", environment=environment, timeout=600)
    report: dict[str, Any] = json.loads(told.stdout)
    report.pop("verdict", None)  # it is computed
    return Proof(told.returncode, ProofReport.model_validate(report), f"{told.stdout}{told.stderr}")


def verdicts_of(fleet: Fleet, services: Mapping[str, str] = EMPTY) -> list[EventVerdict]:
    """What the ledger says of every event of the load. What Redis has forgotten with everything else, the archive tells.

    `services`: the service of each dedup key.
    """
    runtime = Runtime(fleet.settings)
    with closing(runtime.client):
        found = [one for one in runtime.audit.verdicts() if not one.event_id.startswith(NO_SENDERS)]
        forgotten = {one.event_id for one in found if not one.dedup_key}
        told = _told_by_archive(runtime, forgotten, services) if forgotten else {}
    return [one.model_copy(update=told.get(one.event_id, {})) for one in found]


def _told_by_archive(runtime: Runtime, events: set[str], services: Mapping[str, str]) -> dict[str, dict[str, str]]:
    keys = {alert_uid(service, key): key for key, service in services.items()}
    records = Records(runtime.client, runtime.keys, Archive(runtime.settings.state_dir / "ledger"))
    return {
        entry.event: {"dedup_key": keys.get(uid_in(entry), ""), "action": entry.reason}
        for entry in records.of_events(events)
        if entry.step == "accepted"
    }
