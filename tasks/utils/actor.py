"""Who does something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["person", "service", "system", "token", "schedule", "producer", "stranger"]


@dataclass(frozen=True)
class Actor:
    """A person or a program, as the audit names it: `kind`, the name, and from where (host and terminal, an address, a worker).

    `token` is whoever holds an access token of that subject, `producer` whoever sent a task without saying who he is.
    """

    kind: Kind
    name: str
    origin: str = ""
