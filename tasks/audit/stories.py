"""What became of every event, told from the ledger's entries alone; pure, no clock, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tasks.audit.escalations import EscalationStories
from tasks.utils.ledger import is_bundle, is_epoch, is_escalation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.ledger import Entry

CLOSING: Final = {
    "sent": "delivered",
    "merged": "merged",
    "suppressed": "suppressed",
    "dead": "dead",
    "rebuilt": "delivered",
}
NEEDS_ACCEPTED: Final = frozenset({*CLOSING, "attempt"})
UNKNOWN_BEGIN: Final = -1


class Story:
    """One event so far. `begun`: when it was received or accepted (ms); -1 if the ledger at hand does not show that."""

    __slots__ = ("begun", "is_accepted", "last", "reason", "state", "went_unaccepted")

    def __init__(self, begun: int) -> None:
        self.begun = begun
        self.last = begun
        self.is_accepted = False
        self.went_unaccepted = False
        self.state = ""  # empty while open, else delivered, merged, suppressed, dead
        self.reason = ""  # why, by name; for a merged event the event it went into; for a delivered one the channel


class Verdict(NamedTuple):
    """What became of an event. `state`: delivered, merged, suppressed, dead, open, broken (`reason` says what is)."""

    state: str
    reason: str
    waits_for: str = ""  # the open event that decides on this one: itself, or what it was merged into
    fault: str = ""  # where broken: what is, in one word


class Stories:
    """All events of a stretch of the ledger. `is_whole`: nothing is missing, from where the ledger began."""

    def __init__(self) -> None:
        self.is_whole = True
        self.losses: dict[str, str] = {}
        """Data sets that began because another was lost, and that one (the time each began, in ms, as text)."""
        self.escalations = EscalationStories()
        self._stories: dict[str, Story] = {}

    def add(self, entry: Entry) -> None:
        """The next entry, in the order of the ledger. A bundle is no event: what became of it is told of its members."""
        if is_bundle(entry.event) or is_epoch(entry.event):
            if entry.step == "lost":
                self.losses[entry.event.removeprefix("epoch-")] = entry.reason
            return
        if is_escalation(entry.event):
            self.escalations.add(entry)
            return
        step = entry.step
        story = self._stories.get(entry.event)
        if story is None and step in ("answered", "receipt"):
            return  # PagerDuty may speak of an event so old that its story is not at hand
        if story is None:
            begun = entry.at if step in ("received", "accepted") else UNKNOWN_BEGIN
            story = self._stories[entry.event] = Story(begun)
        story.last = entry.at
        if step == "accepted":
            story.is_accepted = True
        elif step in ("replayed", "released", "missed"):
            story.state = story.reason = ""
        elif step in NEEDS_ACCEPTED:
            if not story.is_accepted:
                story.went_unaccepted = True
            self._close(story, entry)

    def __len__(self) -> int:
        return len(self._stories)

    def get(self, event_id: str) -> Story | None:
        """The story of one event, if the ledger at hand knows it."""
        return self._stories.get(event_id)

    def is_unheard_of(self, event_id: str) -> bool:
        """Whether it is an event that no entry tells of."""
        return event_id not in self._stories and not is_bundle(event_id)

    def is_merged(self, event_id: str) -> bool:
        """Whether the event's own last word is that it went into another."""
        return self._stories[event_id].state == "merged"

    def since(self, begun: int | None) -> Iterator[str]:
        """The ids of events that began at that time (ms) or later, in order of appearance; None means all."""
        for event_id, story in self._stories.items():
            if begun is None or story.begun >= begun:
                yield event_id

    def strangers(self, begun: int | None) -> Iterator[str]:
        """Events into which one of these was merged, and which the ledger at hand does not know."""
        for event_id in self.since(begun):
            story = self._stories[event_id]
            if story.state == "merged" and story.reason not in self._stories and not is_bundle(story.reason):
                yield story.reason

    def verdict(self, event_id: str) -> Verdict:
        """What became of one known event; a merged one shares the fate of the one it went into, if that is no good."""
        story = self._stories[event_id]
        if story.went_unaccepted and (self.is_whole or story.begun != UNKNOWN_BEGIN):
            return Verdict("broken", "has steps of a delivery, but was never accepted", fault="never_accepted")
        if story.state != "merged" or is_bundle(story.reason):  # a bundle takes in what it tells of once it was sent
            return Verdict(story.state or "open", story.reason, "" if story.state else event_id)
        return self._fate_of_merged(event_id, story)

    def _fate_of_merged(self, event_id: str, story: Story) -> Verdict:
        into = story.reason
        seen = {event_id}
        while into not in seen:
            seen.add(into)
            target = self._stories.get(into)
            if target is None:
                if not self.is_whole:
                    return Verdict("merged", story.reason)
                wrong = f"was merged into {into or 'nothing'}, which the ledger does not know"
                return Verdict("broken", wrong, fault="merged_into_unknown")
            if target.state == "dead":
                return Verdict("dead", target.reason)
            if not target.state:
                return Verdict("open", "", into)
            if target.state != "merged" or is_bundle(target.reason):
                return Verdict("merged", story.reason)
            into = target.reason
        wrong = f"was merged into {story.reason}, and that, in the end, into itself"
        return Verdict("broken", wrong, fault="merged_into_itself")

    @staticmethod
    def _close(story: Story, entry: Entry) -> None:
        state = CLOSING.get(entry.step)
        if state:
            story.state = state
            story.reason = entry.detail if state == "merged" else entry.reason
