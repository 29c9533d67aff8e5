"""Going on after PagerDuty did not answer for a while: a long reading is not begun anew for a short outage."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from tasks.utils.error_handler import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")

TRIES: Final = 8
LONGEST: Final = 60.0  # seconds of one rest


@dataclass(frozen=True)
class Patience:
    """Tries again what may pass by itself, above the client's own short retries: some minutes in all."""

    sleep: Callable[[float], None] = time.sleep

    def __call__(self, work: Callable[[], Found]) -> Found:
        """What the work gives, which must do no harm when it is done again. Raises its TransientError after the last try."""
        for tried in range(TRIES - 1):
            try:
                return work()
            except TransientError as error:
                self.rest(error, tried)
        return work()

    def rest(self, error: TransientError, tried: int) -> None:
        """Wait as long as PagerDuty asks, or longer each time."""
        self.sleep(min(error.retry_after or 2.0**tried, LONGEST))
