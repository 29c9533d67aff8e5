"""Who was refused, on record: the first of a kind at once, what follows as a count a minute, so that nobody can flood the record."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from redis import RedisError
from starlette.requests import Request

from tasks.utils.actor import Actor
from tasks.utils.audit_logger import Act, NotRecordedError

WINDOW: Final = 60.0  # seconds
MOST_AT_ONCE: Final = 30  # kinds of a window whose first is written down at once
MOST_KINDS: Final = 50  # kinds of a window that are counted apart; all others are counted together

log = logging.getLogger(__name__)


class Denial(NamedTuple):
    """One kind of refusal: what was asked, of what, by whom, why not."""

    action: str
    object: str
    actor: Actor
    why: str


def note_denial(request: Request, why: str) -> None:
    """Take note that a door for alerts has refused whoever sent the request."""
    path = request.scope["path"][:100]
    address = (request.scope.get("client") or ("unknown",))[0]
    denials: Denials = request.app.state.denials
    denials.note(Denial("gateway.denied", f"door{path}", Actor("stranger", "unknown", address), why))


OTHERS: Final = Denial("gateway.denied", "", Actor("stranger", "many"), "others of this minute")


class Denials:
    """Counts refusals and has `record` write them down, in a thread. Use it from the event loop only."""

    def __init__(self, record: Callable[[Act], object], window: float = WINDOW) -> None:
        self._record = record
        self._window = window
        self._told: set[Denial] = set()
        self._more: Counter[Denial] = Counter()
        self._writing: set[asyncio.Task[None]] = set()
        self._closing: asyncio.TimerHandle | None = None

    def note(self, denial: Denial, correlation: str = "") -> None:
        """Take note of one; it holds up nobody."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().call_later(self._window, self._end_window)
        if denial not in self._told and len(self._told) < MOST_AT_ONCE:
            self._told.add(denial)
            self._write([_act(denial, 1, correlation)])
            return
        self._more[denial if denial in self._more or len(self._more) < MOST_KINDS else OTHERS] += 1

    async def close(self) -> None:
        """Write down what was counted."""
        if self._closing is not None:
            self._closing.cancel()
            self._end_window()
        await asyncio.gather(*self._writing)

    def _end_window(self) -> None:
        self._closing = None
        counted, self._more = self._more, Counter()
        self._told.clear()
        if counted:
            self._write([_act(denial, times) for denial, times in counted.items()])

    def _write(self, acts: list[Act]) -> None:
        task = asyncio.get_running_loop().create_task(asyncio.to_thread(self._write_down, acts))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def _write_down(self, acts: list[Act]) -> None:
        for act in acts:
            try:
                self._record(act)
            except (NotRecordedError, RedisError) as error:
                log.warning("a refusal could not be put on record: %s", error)


def _act(denial: Denial, times: int, correlation: str = "") -> Act:
    more = {"times": times} if times > 1 or not correlation else {}
    return Act(denial.action, denial.object, denial.actor, "denied", correlation, {"why": denial.why, **more})
