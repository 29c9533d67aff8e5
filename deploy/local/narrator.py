import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import redis

from deploy.local.terminal import Level, Terminal
from tasks.utils.connect import connect

ENDS: Final = {
    "sent": ("delivered", Level.GOOD),
    "merged": ("merged", Level.PLAIN),
    "suppressed": ("suppressed", Level.PLAIN),
    "dead": ("dead letter", Level.ERROR),
}
MOST_LINES: Final = 10
BLOCK_MS: Final = 1000
WAIT_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of one alert, as the ledger has it."""

    event_id: str
    step: str
    reason: str
    detail: str


class Narrator:
    """Tells what becomes of every alert, a line each; of a flood it tells the first few and counts the rest."""

    def __init__(self, redis_url: str, prefix: str, terminal: Terminal) -> None:
        self._client: Any = connect(redis_url)
        self._prefix = prefix
        self._terminal = terminal
        self._after = self._last_entry()

    def tell(self) -> NoReturn:
        """Follow the ledger for as long as the process lives; a server that is away is waited for."""
        while True:
            try:
                self.tell_next()
            except redis.RedisError:  # whose absence the server's own supervisor has told already
                time.sleep(WAIT_SECONDS)

    def tell_next(self) -> None:
        """Tell what has ended since the last time; waits a second for it at most."""
        endings = list(self._read())
        for ending, about in zip(endings, self._describe(endings[:MOST_LINES]), strict=False):
            word, level = ENDS[ending.step]
            self._terminal.say("ledger", f"{about}: {word} ({_why(ending)})", level)
        if rest := endings[MOST_LINES:]:
            counts = Counter(ENDS[ending.step][0] for ending in rest)
            more = ", ".join(f"{count} {word}" for word, count in counts.items())
            self._terminal.say("ledger", f"and {len(rest)} more: {more}")

    def _last_entry(self) -> str:
        newest = self._client.xrevrange(f"{self._prefix}ledger", count=1)
        return str(newest[0][0]) if newest else "0-0"

    def _read(self) -> Iterator[Ending]:
        answer = self._client.xread({f"{self._prefix}ledger": self._after}, count=5000, block=BLOCK_MS)
        for _, entries in answer.items() if isinstance(answer, dict) else answer or ():
            for entry_id, fields in entries:
                self._after = entry_id
                if fields["s"] in ENDS:
                    yield Ending(fields["e"], fields["s"], fields["r"], fields["d"])

    def _describe(self, endings: Sequence[Ending]) -> list[str]:
        rows = [self._client.hgetall(f"{self._prefix}event:{ending.event_id}") for ending in endings]
        return [self._name(ending, row) for ending, row in zip(endings, rows, strict=True)]

    def _name(self, ending: Ending, row: dict[str, str]) -> str:
        if row.get("uid"):
            key = self._client.hget(f"{self._prefix}alert:{row['uid']}", "dedup_key")
            is_made_up = key in (None, ending.event_id)  # nobody knows an alert by that
            return f"{row['action']} {self._summary(row) or ending.event_id if is_made_up else key}"
        refused = _alert_in(row.get("body", ""))
        action, key = refused.get("event_action"), refused.get("dedup_key")
        return " ".join(word for word in (action, key or ending.event_id) if isinstance(word, str))

    def _summary(self, row: dict[str, str]) -> str:
        """What the event says, or once its story has ended, what its alert said last."""
        labels = json.loads(self._client.hget(f"{self._prefix}alerts:labels", row["uid"]) or "{}")
        return row.get("summary") or str(labels.get("summary", ""))


def _alert_in(body: str) -> dict[str, Any]:
    """The alert in a dead letter's body, which may be anything: it was refused for what it is."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _why(ending: Ending) -> str:
    if ending.step == "sent":
        return f"by channel {ending.reason}"
    return ": ".join(part for part in (ending.reason, ending.detail if ending.step == "dead" else "") if part)
