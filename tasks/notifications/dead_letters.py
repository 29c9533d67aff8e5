"""Dead letters as people look at them: a page at a time, or one whole; and the one way to give one up."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tasks.notifications.models import DeadLetter, DeadLetterPage
from tasks.utils.error_handler import UnknownError
from tasks.utils.formatters import cut_text, tame
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
RAW: Final = "message"  # the source of messages that never were alerts
_KEY: Final = re.compile(r"""(routing_key\\*["']\s*:\s*\\*["'])[^"'\\]*""")


class DeadLetters:
    """What could not be delivered, newest death first."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)

    def list(self, *, limit: int = 100, cursor: str = "") -> DeadLetterPage:
        """A page of at most `limit`, without their bodies. `cursor` is a former page's."""
        pairs = self._behind(cursor, limit + 1)
        pipe = self._client.pipeline(transaction=False)
        for event_id, _ in pairs[:limit]:
            pipe.hmget(self._keys.event(event_id), FIELDS)
        letters = [
            _letter(event_id, died, dict(zip(FIELDS, values, strict=True)))
            for (event_id, died), values in zip(pairs, pipe.execute(), strict=False)
        ]
        more = len(pairs) > limit
        return DeadLetterPage(dead_letters=letters, next_cursor="{1:.0f}.{0}".format(*pairs[limit - 1]) if more else "")

    def get(self, event_id: str) -> DeadLetter:
        """One with its body; UnknownError if there is none by that id."""
        died = self._client.zscore(self._keys.dead, event_id)
        if died is None:
            raise UnknownError(f"there is no dead letter {event_id!r}; it may have been replayed or dropped")
        *values, body = self._client.hmget(self._keys.event(event_id), *FIELDS, "body")
        letter = _letter(event_id, died, dict(zip(FIELDS, values, strict=True)))
        return letter.model_copy(update=_content(letter.source, body or ""))

    def drop(self, event_id: str, author: str, why: str) -> None:
        """Give one up for good: it counts as suppressed, by the rule `dropped`. UnknownError if there is none by that id."""
        if not self._scripts.run("drop", event_id, f"by {author}: {why}"):
            raise UnknownError(f"there is no dead letter {event_id!r}; it may have been replayed or dropped")

    def _behind(self, cursor: str, limit: int) -> Sequence[Pair]:
        """Ids and times of death, newest first; ids of one moment stand in reverse order of their letters."""
        if not cursor:
            return self._newest("+inf", limit)
        moment, _, last = cursor.partition(".")
        tied = [pair for pair in self._newest(moment, -1, down_to=moment) if pair[0] < last]
        return [*tied, *self._newest(f"({moment}", limit)][:limit]

    def _newest(self, from_: str, limit: int, down_to: str = "-inf") -> Sequence[Pair]:
        found: Sequence[Pair] = self._client.zrange(
            self._keys.dead, from_, down_to, byscore=True, desc=True, offset=0, num=limit, withscores=True
        )
        return found


def _letter(event_id: str, died: float, fields: Mapping[str, str | None]) -> DeadLetter:
    received = fields["received"]
    known = {name: fields[name] or "" for name in FIELDS if name not in ("received", "attempts")}
    return DeadLetter(
        id=event_id,
        died_at=_moment(died),
        received_at=_moment(float(received)) if received else None,
        attempts=int(fields["attempts"] or 0),
        can_be_replayed=fields["source"] != RAW,
        **known,
    )


def _content(source: str, body: str) -> dict[str, Any]:
    """The alert, or the raw text of what never was one; a routing key it may hold is not shown."""
    if source != RAW:
        try:
            return {"alert": tame(json.loads(body))}
        except (ValueError, RecursionError):
            pass
    return {"raw": _KEY.sub(r"\1(not shown)", cut_text(body, MOST_CHARACTERS))}


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
