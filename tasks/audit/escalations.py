"""What became of every escalation: each that was started ends by a named reason, or goes on at a time that has not passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.audit.check import moment
from tasks.audit.pending import pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tasks.audit.check import Faults
    from tasks.audit.models import EscalationProof
    from tasks.utils.keys import Keys
    from tasks.utils.ledger import Entry

ALIVE: Final = ("running", "acknowledged", "paused")
PAGE: Final = 500


class EscalationStory:
    """One escalation so far, in times of milliseconds. `ended`: the reason, by name; empty while it lives."""

    __slots__ = ("begun", "ended", "last", "steps")

    def __init__(self, begun: int) -> None:
        self.begun = begun
        self.last = begun
        self.steps = 0
        self.ended = ""


class EscalationStories:
    """All escalations of a stretch of the ledger."""

    def __init__(self) -> None:
        self._stories: dict[str, EscalationStory] = {}

    def add(self, entry: Entry) -> None:
        """The next entry of one of them. What began before the ledger at hand is not judged."""
        if entry.step == "started":
            self._stories[entry.event] = EscalationStory(entry.at)
        story = self._stories.get(entry.event)
        if story is None:
            return
        story.last = entry.at
        story.steps += entry.step == "escalated"
        if entry.step == "ended":
            story.ended = entry.reason or "unnamed"

    def since(self, begun: int | None) -> Iterator[tuple[str, EscalationStory]]:
        """Those that began at that time (ms) or later."""
        return ((name, story) for name, story in self._stories.items() if begun is None or story.begun >= begun)


class EscalationJudge:
    """Looks up the living ones. `late_before`: what was due before (ms) is overdue; `new_since`: when Redis began to know anything."""

    def __init__(self, client: Any, keys: Keys, late_before: int, new_since: int) -> None:
        self._client = client
        self._keys = keys
        self._late_before = late_before
        self._new_since = new_since

    def judge(self, stories: Iterable[tuple[str, EscalationStory]], proof: EscalationProof, faults: Faults) -> None:
        """Add verdicts to `proof`, and what is wrong to `faults`."""
        living: dict[str, EscalationStory] = {}
        for name, story in stories:
            proof.started += 1
            proof.steps += story.steps
            if story.ended:
                proof.ended[story.ended] = proof.ended.get(story.ended, 0) + 1
            else:
                living[name] = story
        for page in pages(living, PAGE):
            for name, (wrong, fault) in zip(page, self._look_up(page), strict=True):
                if not wrong:
                    proof.pending += 1
                elif fault == "lost" and self._new_since > living[name].last:
                    proof.lost += 1
                else:
                    faults.add(wrong, name, fault)

    def _look_up(self, names: list[str]) -> Iterator[tuple[str, str]]:
        """What is wrong with each, and in one word; both empty where all is well."""
        parts = [name.split("-") for name in names]
        pipe = self._client.pipeline(transaction=True)
        for _, uid, _ in parts:
            pipe.hmget(self._keys.escalation(uid), "began", "state", "reason")
        pipe.zmscore(self._keys.escalations_due, [uid for _, uid, _ in parts])
        *rows, dues = pipe.execute()
        for (_, _, began), (known, state, reason), due in zip(parts, rows, dues, strict=True):
            is_followed = known is not None and int(known) > int(
                began
            )  # the next one has begun while the ledger was read
            yield ("", "") if is_followed else self._wrong(state if known == began else None, reason, due)

    def _wrong(self, state: str | None, reason: str | None, due: float | None) -> tuple[str, str]:
        if state is None:
            return "has no end in the ledger, and Redis does not know the escalation any more: it is lost", "lost"
        if state not in ALIVE:
            return (
                ("", "") if reason else ("has ended without a reason", "lost")
            )  # its last entry came in while the rows were read
        if due is None:
            return "has lost its due time; the task escalations.audit mends that", "no_due_time"
        if due < self._late_before:
            return f"was due {moment(int(due))}, and no worker has taken it up", "overdue"
        return "", ""
