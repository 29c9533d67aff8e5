"""How long something has yet to wait, by a clock that also goes on by itself while a test runs."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Left:  # noqa: PLW1641 (it is compared, never kept)
    """So many seconds are left; equal to as many more as the test may have taken by itself since `began`, and to no other number."""

    seconds: float
    began: float

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int | float) and self.seconds <= other <= self.seconds + time.monotonic() - self.began
