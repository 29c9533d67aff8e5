"""Rows of Redis that are past their time, a page of them as one item: one JSON document a line."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tasks.logs.files import write_back
from tasks.logs.items import Item
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tasks.logs.items import Kind
    from tasks.utils.keys import Keys

PAGE: Final = 200
WHY: Final = "past its retention, archived as "


class Results:
    """What tasks answered and Celery keeps. Redis forgets it by itself after a day; this takes what is left."""

    kind: Kind = "results"
    is_row = False

    def __init__(self, client: Any, keys: Keys, back: Path) -> None:
        self._client = client
        self._keys = keys
        self._back = back
        self._scripts = Scripts(client, keys)

    def items(self, before: datetime) -> Iterator[Item]:
        """Pages of answers that were given before that moment."""
        page: list[tuple[str, datetime]] = []
        for key in self._client.scan_iter(match=f"{self._keys.result('')}*", count=1000):
            done = _done(self._client.get(key))
            if done is not None and done < before:
                page.append((key, done))
            if len(page) == PAGE:
                yield self._item(page)
                page = []
        if page:
            yield self._item(page)

    def _item(self, page: Sequence[tuple[str, datetime]]) -> Item:
        ids = sorted(key.removeprefix(self._keys.result("")) for key, _ in page)
        size = sum(int(self._client.strlen(key)) for key, _ in page)
        moments = [done for _, done in page]
        return Item(self.kind, f"{ids[0]}+{len(ids)}", size, min(moments), max(moments), None, ids=tuple(ids))

    @contextmanager
    def read(self, item: Item) -> Iterator[BinaryIO]:
        """One answer a line."""
        texts = self._client.mget([self._keys.result(name) for name in item.ids])
        yield _lines([{"id": name, "result": text} for name, text in zip(item.ids, texts, strict=True) if text])

    def remove(self, item: Item, archive: str) -> bool:
        """Delete them; one that was given anew meanwhile stays."""
        del archive
        with self.read(item) as content:
            kept = [json.loads(line) for line in content]
        calls = [("result_forget", one["id"], one["result"]) for one in kept]
        return any(self._scripts.run_many(calls)) if calls else False

    def has(self, name: str) -> bool:
        """Whatever is of its class."""
        del name
        return True

    def needs(self, name: str, other: str) -> bool:
        """Each stands for itself."""
        return name == other

    def bring_back(self, name: str, content: BinaryIO) -> str:
        """Into a file: nobody waits for these answers any more."""
        return str(write_back(self._back / self.kind / name, content))


class Letters:
    """Dead letters, whole: what is brought back can be replayed."""

    kind: Kind = "dead_letters"
    is_row = False

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)

    def items(self, before: datetime) -> Iterator[Item]:
        """Pages of letters that died before that moment, oldest first."""
        limit = f"({before.timestamp() * 1000:.0f}"
        seen = 0
        while page := self._client.zrangebyscore(self._keys.dead, "-inf", limit, start=seen, num=PAGE, withscores=True):
            yield self._item(page)
            left = self._client.zmscore(self._keys.dead, [name for name, _ in page])
            seen += sum(1 for score in left if score is not None)

    def _item(self, page: Sequence[tuple[str, float]]) -> Item:
        pipe = self._client.pipeline(transaction=False)
        for name, _ in page:
            pipe.hgetall(self._keys.event(name))
        events = pipe.execute()
        size = sum(len(json.dumps(event)) for event in events)
        services = frozenset(str(event.get("service", "")) for event in events)
        first, last = (datetime.fromtimestamp(page[place][1] / 1000, UTC) for place in (0, -1))
        ids = tuple(name for name, _ in page)
        return Item(self.kind, f"{ids[0]}+{len(ids)}", size, first, last, services, ids=ids)

    @contextmanager
    def read(self, item: Item) -> Iterator[BinaryIO]:
        """One letter a line, with all that is known of its event."""
        pipe = self._client.pipeline(transaction=True)
        for name in item.ids:
            pipe.zscore(self._keys.dead, name)
            pipe.hgetall(self._keys.event(name))
        replies = pipe.execute()
        pairs = zip(item.ids, replies[::2], replies[1::2], strict=True)
        yield _lines([{"id": name, "died": died, "event": event} for name, died, event in pairs if died is not None])

    def remove(self, item: Item, archive: str) -> bool:
        """Drop them: the ledger says so, and names the archive. One that was replayed and died anew meanwhile stays."""
        limit = round(item.last.timestamp() * 1000)
        calls = [("drop", name, f"by logs.clean_up: {WHY}{archive}", limit) for name in item.ids]
        return any(self._scripts.run_many(calls))

    def has(self, name: str) -> bool:
        """Whatever is of its class."""
        del name
        return True

    def needs(self, name: str, other: str) -> bool:
        """Each stands for itself."""
        return name == other

    def bring_back(self, name: str, content: BinaryIO) -> str:
        """Dead letters again; those that something is known of are left."""
        del name
        made = 0
        for line in content:
            letter = json.loads(line)
            fields = [part for pair in letter["event"].items() for part in pair]
            answer = self._scripts.run(
                "letter_return", letter["id"], letter["died"], "brought back from an archive", *fields
            )
            made += answer == "created"
        return f"{made} dead letters; see `tocsin notifications dead-letters`"


def _lines(documents: Sequence[dict[str, Any]]) -> BinaryIO:
    return io.BytesIO("".join(json.dumps(one, sort_keys=True) + "\n" for one in documents).encode())


def _done(text: str | None) -> datetime | None:
    """When a task ended; None where the answer does not say, or there is none yet."""
    try:
        done = json.loads(text or "{}").get("date_done")
        at = datetime.fromisoformat(done) if done else None
    except (ValueError, TypeError, AttributeError):
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
