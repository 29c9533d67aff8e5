"""Dead letters as people look at them: by group, a page at a time, or one whole; and the one way to give one up."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from config.sealing import is_sealed
from tasks.notifications.letter_filter import EVERY_LETTER
from tasks.notifications.models import DeadLetter, DeadLetterPage, LetterGroup
from tasks.utils.clock import Clock
from tasks.utils.error_handler import UnknownError
from tasks.utils.formatters import cut_text, tame
from tasks.utils.redaction import SECRET_NAMES, redacted
from tasks.utils.rows import WEBHOOK_SOURCE, milliseconds
from tasks.utils.scripts import Scripts
from tasks.utils.sealed_fields import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta

    from tasks.notifications.letter_filter import LetterFilter
    from tasks.utils.keys import Keys

Pair = tuple[str, float]  # event id, time of death in ms

FIELDS: Final = (
    "reason",
    "detail",
    "service",
    "action",
    "severity",
    "summary",
    "uid",
    "source",
    "received",
    "attempts",
    "channel",
)
MOST_CHARACTERS: Final = 64 * 1024
PAGE: Final = 100  # letters looked at in one round trip: Redis serves others in between
RAW: Final = "message"  # the source of messages that never were alerts
NOT_SHOWN: Final = "(not shown)"
MEANWHILE: Final = ("resolved", "overtaken")
_KEY: Final = re.compile(r"""(routing_key\\*["']\s*:\s*\\*["'])[^"'\\]*""")


class DeadLetters:
    """What could not be delivered, newest death first."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._clock = Clock(client, keys)

    def list(self, *, limit: int = 100, cursor: str = "", where: LetterFilter = EVERY_LETTER) -> DeadLetterPage:
        """A page of at most `limit`, without their bodies. `cursor` is a former page's."""
        found = list(islice(self.walk(where, cursor=cursor), limit + 1))
        more = len(found) > limit
        return DeadLetterPage(dead_letters=found[:limit], next_cursor=_cursor(found[limit - 1]) if more else "")

    def walk(
        self, where: LetterFilter = EVERY_LETTER, *, oldest_first: bool = False, cursor: str = ""
    ) -> Iterator[DeadLetter]:
        """Every letter that fits, read in pages; what dies or goes meanwhile may be among them or not."""
        while pairs := self._behind(cursor, where, oldest_first=oldest_first):
            yield from filter(where.fits, self._read(pairs))
            cursor = f"{pairs[-1][1]:.0f}.{pairs[-1][0]}"

    def groups(self, where: LetterFilter = EVERY_LETTER) -> Sequence[LetterGroup]:
        """All that fit, by destination and reason; the largest group first."""
        groups: dict[tuple[str, str, str], LetterGroup] = {}
        for letter in self.walk(where):
            key = (letter.service, letter.destination, letter.reason)
            group = groups.get(key)
            if group is None:
                names = dict(zip(("service", "destination", "reason"), key, strict=True))
                group = groups[key] = LetterGroup(**names, oldest=letter.died_at, newest=letter.died_at)
            _count(group, letter)
        return sorted(groups.values(), key=lambda group: (-group.count, group.service, group.reason))

    def growth(self, window: timedelta) -> int:
        """How many died within so long a time and are dead still; one cheap question, for whoever watches over them."""
        return int(self._client.zcount(self._keys.dead, self._clock.now_ms() - milliseconds(window), "+inf"))

    def get(self, event_id: str) -> DeadLetter:
        """One with its body, secrets left out; UnknownError if there is none by that id."""
        died = self._client.zscore(self._keys.dead, event_id)
        if died is None:
            raise UnknownError(f"there is no dead letter {event_id!r}; it may have been replayed or dropped")
        [letter] = self._read([(event_id, died)])
        body = self._client.hget(self._keys.event(event_id), "body")
        return letter.model_copy(update=_content(letter.source, body or ""))

    def drop(self, event_id: str, author: str, why: str) -> None:
        """Give one up for good: it counts as suppressed, by the rule `dropped`. UnknownError if there is none by that id."""
        if not self._scripts.run("drop", event_id, f"by {author}: {why}", ""):
            raise UnknownError(f"there is no dead letter {event_id!r}; it may have been replayed or dropped")

    def _read(self, pairs: Sequence[Pair]) -> Sequence[DeadLetter]:
        pipe = self._client.pipeline(transaction=False)
        for event_id, _ in pairs:
            pipe.hmget(self._keys.event(event_id), FIELDS)
        rows = pipe.execute()
        told = self._scripts.run("would_replay", *(event_id for event_id, _ in pairs))
        return [
            _letter(pair, dict(zip(FIELDS, values, strict=True)), fate, destination)
            for pair, values, fate, destination in zip(pairs, rows, told[::2], told[1::2], strict=True)
        ]

    def _behind(self, cursor: str, where: LetterFilter, *, oldest_first: bool) -> Sequence[Pair]:
        """The next ids and times of death; ids of one moment stand in the order of their letters, or the reverse of it."""
        first, last = where.span() if oldest_first else reversed(where.span())
        if not cursor:
            return self._page(first, last, PAGE, oldest_first=oldest_first)
        moment, _, seen = cursor.partition(".")
        tied = self._page(moment, moment, -1, oldest_first=oldest_first)
        rest = [pair for pair in tied if (pair[0] > seen if oldest_first else pair[0] < seen)]
        return [*rest, *self._page(f"({moment}", last, PAGE, oldest_first=oldest_first)][:PAGE]

    def _page(self, first: str, last: str, most: int, *, oldest_first: bool) -> Sequence[Pair]:
        found: Sequence[Pair] = self._client.zrange(
            self._keys.dead, first, last, byscore=True, desc=not oldest_first, offset=0, num=most, withscores=True
        )
        return found


def _count(group: LetterGroup, letter: DeadLetter) -> None:
    group.count += 1
    group.resolved += letter.meanwhile == "resolved"
    group.overtaken += letter.meanwhile == "overtaken"
    group.unreadable += not letter.can_be_replayed
    group.oldest = min(group.oldest, letter.died_at)
    group.newest = max(group.newest, letter.died_at)


def _letter(pair: Pair, fields: Mapping[str, str | None], fate: str, destination: str) -> DeadLetter:
    received = fields["received"]
    known = {name: fields[name] or "" for name in FIELDS if name not in ("received", "attempts")}
    return DeadLetter(
        id=pair[0],
        died_at=_moment(pair[1]),
        received_at=_moment(float(received)) if received else None,
        attempts=int(fields["attempts"] or 0),
        destination=destination,
        meanwhile=fate if fate in MEANWHILE else "",
        can_be_replayed=fields["source"] not in (RAW, WEBHOOK_SOURCE),
        **known,
    )


def _cursor(letter: DeadLetter) -> str:
    return f"{letter.died_at.timestamp() * 1000:.0f}.{letter.id}"


def _content(source: str, body: str) -> dict[str, Any]:
    """The alert, or the raw text of what never was one; what may be a secret in it is not shown."""
    if is_sealed(body):
        return {"raw": HIDDEN}
    if source != RAW:
        try:
            return {"alert": _without_secrets(tame(json.loads(body)))}
        except (ValueError, RecursionError):
            pass
    return {"raw": redacted(_KEY.sub(rf"\1{NOT_SHOWN}", cut_text(body, MOST_CHARACTERS)))}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: NOT_SHOWN if part and SECRET_NAMES.search(name) else _without_secrets(part)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(part) for part in value]
    if is_sealed(value):
        return HIDDEN
    return redacted(value) if isinstance(value, str) else value


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
