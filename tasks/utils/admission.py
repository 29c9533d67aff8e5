"""Lets a signed task message run once: neither a second copy of it, nor one that is too old to be told from a copy."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4

from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from tasks.utils.keys import Keys

Verdict = Literal["run", "done", "replayed", "old", "early"]
EARLY: Final = timedelta(minutes=5)  # a signer's clock may be fast by so much


class Admission:
    """Remembers every signed message for `window`, by the one clock."""

    def __init__(self, client: Any, keys: Keys, window: timedelta) -> None:
        self._scripts = Scripts(client, keys)
        self.window = window

    def verdict(self, nonce: str, signed_at: int, *, came_back: bool, asked: str = "") -> Verdict:
        """Whether a message may run: `run`; `done` (came back although finished); `replayed`; `old`, `early` (signed long ago, or ahead).

        One that came back from a dead worker before it was finished runs again. `asked` is a token for this one time that it
        is in somebody's hands: with it the question may be put again, as the client does where the answer was lost.
        """
        limits = (milliseconds(self.window), milliseconds(EARLY))
        words = (nonce, signed_at, *limits, int(came_back), asked or uuid4().hex)
        verdict: Verdict = self._scripts.run("task_admit", *words)
        return verdict

    def finished(self, nonce: str, asked: str = "") -> None:
        """From now on no copy of that message runs, come back or not."""
        self._scripts.run("task_finished", f"{nonce}|{asked}" if asked else nonce)
