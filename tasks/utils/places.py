"""What people call the places alerts go to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One key of one channel: the other side it leads to, which several places share, and what people call it."""

    endpoint: str
    kind: str
    words: str
    owner: str
