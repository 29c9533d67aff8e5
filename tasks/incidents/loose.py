"""Rows and clock for a shell while Redis is away: whoever is on call must be able to acknowledge all the same."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tasks.incidents.rows import Row
from tasks.utils.rows import milliseconds

if TYPE_CHECKING:
    from tasks.incidents.models import State, Wish
    from tasks.incidents.rows import Step


class WallClock:
    """This machine's clock."""

    def now(self) -> datetime:
        """This moment, in UTC."""
        return datetime.now(UTC)

    def now_ms(self) -> int:
        """This moment in whole milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


class LooseRows:
    """Keeps a row for as long as this process lives."""

    def begin(self, request_id: str, wish: Wish, give_up_after: timedelta, *, durable: bool) -> Row:
        """A new row; it cannot be durable."""
        now = WallClock().now_ms()
        del durable
        return Row(id=request_id, wish=wish, asked=now, ends=now + milliseconds(give_up_after), token=request_id)

    def claim(self) -> Row | None:
        """Nothing is ever due."""
        return None

    def keep(self, row: Row, what: str, steps: dict[str, Step]) -> None:
        """Remember how these steps stand."""
        row.steps |= {f"{what}:{target}": step for target, step in steps.items()}

    def end(self, row: Row, state: State, why: str = "", wait: timedelta = timedelta(0)) -> None:
        """Settle how it ended."""
        del wait
        row.state, row.why = state, why

    def told(self, row: Row) -> None:
        """Tell nobody."""
