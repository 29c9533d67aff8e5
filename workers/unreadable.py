"""Messages nobody can read. They must not hurt who receives them, and nothing of them may get lost."""

# mypy: disallow-untyped-calls=False
from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

from kombu.transport import virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads

#: What reading a message written by somebody else may raise.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
#: Content type and header of a message we could not read, carried on as bytes so that it can be buried decently.
UNREADABLE_TYPE = "application/x-unreadable"
UNREADABLE_HEADER = "tocsin-unreadable"


def wrap(raw: bytes, queue: str, reason: BaseException) -> dict[str, Any]:
    """A well-formed message around bytes that are none: it can be booked, restored and acknowledged like any other."""
    return {
        "body": base64.b64encode(raw).decode(),
        "content-type": UNREADABLE_TYPE,
        "content-encoding": "binary",
        "headers": {UNREADABLE_HEADER: f"{type(reason).__name__}: {reason}"[:500]},
        "properties": {
            "body_encoding": "base64",
            "delivery_tag": str(uuid4()),
            "delivery_info": {"exchange": "", "routing_key": queue},
        },
    }


class Message(virtual.Message):
    """A message made of what lay in the queue; of a malformed one the body is all its bytes, the type UNREADABLE_TYPE."""

    wrapped = False

    def __init__(self, payload: bytes, channel: Any = None, **kwargs: Any) -> None:
        try:
            super().__init__(loads(bytes_to_str(payload)), channel, **kwargs)
            self._check_envelope()
        except UNREADABLE as exc:
            self.wrapped = True
            super().__init__(wrap(payload, channel.queue, exc), channel, **kwargs)

    def _check_envelope(self) -> None:
        """What booking and restoring rely on."""
        info = self.delivery_info
        if not all(isinstance(value, str) for value in (self.delivery_tag, info["exchange"], info["routing_key"])):
            raise TypeError("delivery_tag, exchange and routing_key must be strings")
