"""What a channel is: it sends one message and says what the answer means. The loop, the waits and the rows are not its business."""

from __future__ import annotations

import asyncio
import hashlib
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from tasks.utils.bundles import Notice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.utils.rows import Outcome

EVENT_KINDS: Final = frozenset(
    {"pagerduty", "pagerduty_incident"}
)  # they take each alert as it is; all others take words for people
PORTS: Final = {"https": 443, "http": 80}
_IN_HEADERS: Final = re.compile(r"[A-Za-z0-9~:._/+-]{1,200}")


@dataclass(frozen=True)
class Address:
    """Where one channel of one service leads. `keys`: key id -> key, the first being the one for new alerts."""

    channel: str
    kind: str
    url: str = field(repr=False)  # that of a webhook may be as good as a key
    keys: Mapping[str, str] = field(repr=False)
    limit: int = 0  # most events in a minute for each key; 0 = no limit
    options: Mapping[str, Any] = field(default_factory=dict)  # what else its kind needs to know, such as addressees
    server: str = ""  # where it has no URL
    pace: str = "0 1"  # ms between two messages, and how many may go at once; 0 = as they come

    @property
    def endpoint(self) -> str:
        """What breaks down as a whole: scheme, host and port, without whatever secret the URL carries; '' where it has none."""
        return endpoint_of(self.url) if self.url else self.server

    @property
    def takes_words(self) -> bool:
        """Whether people read there: it gets bundles as notices, not events."""
        return self.kind not in EVENT_KINDS

    @property
    def answers(self) -> bool:
        """Whether its other side says what becomes of an alert there: seen, acknowledged, resolved."""
        return self.kind in EVENT_KINDS

    @property
    def current_key_id(self) -> str:
        """The id of the key new alerts are opened with."""
        return next(iter(self.keys))

    @property
    def takes_changes(self) -> bool:
        """Whether change events may go there: only PagerDuty knows them, and the key of an event orchestration, an R first, takes none."""
        return self.kind == "pagerduty" and not self.keys[self.current_key_id].startswith("R")

    def key(self, key_id: str) -> str:
        """The key of that id, retired ones included; the current one if it is not configured any more."""
        return self.keys.get(key_id) or self.keys[self.current_key_id]


@dataclass(frozen=True)
class Message:
    """One event or bundle on its way out, and the key it goes with: an alert in wire shape, or words for people."""

    alert: Mapping[str, Any]
    url: str = field(repr=False)
    key: str = field(repr=False)
    minimal: bool = False
    id: str = ""  # the same on every try
    notice: Notice | None = None  # for channels that take words
    options: Mapping[str, Any] = field(default_factory=dict)  # of the address

    @property
    def wire_id(self) -> str:
        """Its id as headers can carry it: a digest where the id, which a producer may have chosen, has characters that none has."""
        return self.id if _IN_HEADERS.fullmatch(self.id) else hashlib.sha256(repr(self.id).encode()).hexdigest()

    @property
    def words(self) -> Notice:
        """What people get to read; the bare summary where nobody found words for it."""
        if self.notice is not None:
            return self.notice
        summary = str((self.alert.get("payload") or {}).get("summary") or self.alert.get("dedup_key", ""))
        return Notice(subject=" ".join(summary.split()), text=summary, document=dict(self.alert))


def endpoint_of(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or PORTS.get(parts.scheme, 0)}"


class Channel(Protocol):
    """One kind of way out."""

    def send(self, message: Message) -> Outcome:
        """Send once and classify the answer; never raises for what the other side or the network does."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class AsyncChannel(ABC):
    """A channel that sends from an event loop, where many sends at once cost no thread each."""

    @abstractmethod
    async def asend(self, message: Message) -> Outcome:
        """Send once and classify the answer; never raises for what the other side or the network does."""

    @abstractmethod
    async def aclose(self) -> None:
        """Let go of the connections of the running loop."""

    def send(self, message: Message) -> Outcome:
        """Send once, where no loop runs, over a connection of its own."""
        return asyncio.run(self._send_once(message))

    def close(self) -> None:  # noqa: B027 - a choice of its own: nothing is kept between sends without a loop
        """Let go of nothing; what an event loop holds goes with `aclose`."""

    async def _send_once(self, message: Message) -> Outcome:
        try:
            return await self.asend(message)
        finally:
            await self.aclose()
