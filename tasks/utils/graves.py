"""Where messages end that no task can take: undecodable, unknown, invalid. Kept whole, with their last words."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from tasks.utils.keys import Keys
    from tasks.utils.sealed_fields import SealedFields


REASON: Final = "unusable_message"


class Graves:
    """Dead letters made of raw messages."""

    def __init__(self, client: Any, keys: Keys, fields: SealedFields | None = None) -> None:
        self._scripts = Scripts(client, keys)
        self._fields = fields

    def bury(self, raw_body: bytes | str, fault: str, headers: dict[str, Any], reason: str = REASON) -> str:
        """Keep one message; returns its event id. The same message buried twice is one dead letter.

        `fault` says what is wrong with it, in words that go on after "a message …"; `reason` is its name.
        """
        text = raw_body if isinstance(raw_body, str) else raw_body.decode("utf-8", "backslashreplace")
        known = str(headers.get("id") or hashlib.sha256(text.encode()).hexdigest()[:32])
        told = [f"{name} {str(headers[name])[:200]}" for name in ("task", "origin") if headers.get(name)]
        detail = "; ".join([f"it {fault}", *told, "correct its sender and send it again"])
        kept = self._fields.seal_text(text) if self._fields else text
        self._scripts.run("refuse", f"message:{known}", kept, reason, detail, "message", "")
        return f"message:{known}"
