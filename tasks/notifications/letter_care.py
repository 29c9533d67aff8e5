"""What people do with dead letters: give them another chance, or give them up; one by one, or all that a filter fits."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from tasks.notifications.dead_letters import DeadLetters
from tasks.notifications.letter_filter import LetterFilter
from tasks.notifications.models import LetterCount, ReplayReport
from tasks.utils.clock import Clock
from tasks.utils.error_handler import PermanentError
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from tasks.notifications.models import DeadLetter
    from tasks.utils.keys import Keys

    Progress = Callable[[int], None]  # told how many have been looked at since the last time

PAGE: Final = (
    50  # letters one round trip changes: their bodies pass through this process, and Redis serves others in between
)
MEND: Final = {
    "gone": "was replayed by somebody else",
    "resolved": "was resolved meanwhile, so it is not sent any more (rule resolved_before_send)",
    "overtaken": "was overtaken by newer news of its alert, so it is not sent any more",
    "unreadable": "was never readable as an alert; its raw body is kept with the dead letter",
    "alive": "is no dead letter",
}


class LetterCare:
    """Replays and purges in pages. Any number may run at once: each letter is put back or given up once."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._clock = Clock(client, keys)
        self._letters = DeadLetters(client, keys)

    def replay(self, event_ids: Sequence[str]) -> ReplayReport:
        """Give dead letters another chance: triggers are decided on again, what followed them goes back on its lane."""
        report = ReplayReport(replayed=[])
        for first in range(0, len(event_ids), PAGE):
            page = event_ids[first : first + PAGE]
            for event_id, fate in zip(page, self._put_back(page), strict=True):
                if fate == "replayed":
                    report.replayed.append(event_id)
                else:
                    report.refused[event_id] = MEND[fate]
        return report

    def replay_all(
        self,
        where: LetterFilter,
        *,
        dry_run: bool = False,
        most: int | None = None,
        progress: Progress = lambda _: None,
    ) -> LetterCount:
        """Replay every letter that fits, oldest first so that what followed follows; at most so many when `most` is given."""

        def act(page: Sequence[DeadLetter]) -> Sequence[str]:
            return [_fate(one) for one in page] if dry_run else self._put_back([one.id for one in page])

        return self._each(where, act, LetterCount(is_dry_run=dry_run), most, progress)

    def purge(
        self,
        where: LetterFilter,
        older_than: timedelta,
        words: tuple[str, str],
        *,
        dry_run: bool = False,
        most: int | None = None,
        progress: Progress = lambda _: None,
    ) -> LetterCount:
        """Give up every letter that fits and died so long ago; `words`: who says so, and why, for the ledger."""
        before = self._clock.now() - older_than
        where = _ended(where, before)
        author, why = words
        limit = f"{before.timestamp() * 1000:.0f}"

        def act(page: Sequence[DeadLetter]) -> Sequence[str]:
            if dry_run:
                return ["replayed"] * len(page)
            done = self._scripts.run_many([("drop", one.id, f"by {author}: {why}", limit) for one in page])
            return ["replayed" if dropped else "gone" for dropped in done]

        return self._each(where, act, LetterCount(is_dry_run=dry_run), most, progress)

    def asked(
        self, event_ids: Sequence[str] | None, where: Mapping[str, Any] | None, *, dry_run: bool
    ) -> ReplayReport | LetterCount:
        """A replay as the arguments of a task ask for it."""
        if (event_ids is None) == (where is None):
            raise PermanentError("give event_ids, or where (a filter; {} means every dead letter)")
        if event_ids is None:
            return self.replay_all(LetterFilter.model_validate(where), dry_run=dry_run)
        if dry_run:
            raise PermanentError("dry_run goes with where: it counts what a filter fits")
        return self.replay(event_ids)

    def _each(
        self,
        where: LetterFilter,
        act: Callable[[Sequence[DeadLetter]], Sequence[str]],
        count: LetterCount,
        most: int | None,
        progress: Progress,
    ) -> LetterCount:
        """Act on all that died up to now: what is put back and dies again is not put back again."""
        fates: Counter[str] = Counter()
        found = self._letters.walk(_ended(where, self._clock.now()), oldest_first=True)
        room = PAGE
        while page := list(islice(found, room)):
            fates.update(act(page))
            count.matched += len(page)
            progress(len(page))
            if most is not None:
                room = min(PAGE, most - count.matched + fates["unreadable"])
        count.more = most is not None and next(found, None) is not None
        count.done = fates.pop("replayed", 0)
        count.refused = dict(fates)
        return count

    def _put_back(self, event_ids: Sequence[str]) -> list[str]:
        """What became of each: replayed, or why not."""
        pipe = self._client.pipeline(transaction=False)
        for event_id in event_ids:
            pipe.hmget(self._keys.event(event_id), "state", "source", "received", "body")
        fates: dict[str, str] = {}
        calls: list[tuple[str, str, str]] = []
        for event_id, (state, source, received, body) in zip(event_ids, pipe.execute(), strict=True):
            if state != "dead" or source == "message":
                fates[event_id] = "alive" if state != "dead" else "unreadable"
            else:
                calls.append(("replay", event_id, f"{received}\n{source}\n{body}"))
        answers = self._scripts.run_many(calls) if calls else []
        fates |= {call[1]: answer or "gone" for call, answer in zip(calls, answers, strict=True)}
        return [fates[event_id] for event_id in event_ids]


def _fate(letter: DeadLetter) -> str:
    return letter.meanwhile or ("replayed" if letter.can_be_replayed else "unreadable")


def _ended(where: LetterFilter, last: datetime) -> LetterFilter:
    return where.model_copy(update={"until": min(last, where.until or last)})
