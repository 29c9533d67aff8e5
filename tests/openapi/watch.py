from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.openapi.checks import Checker
from tests.openapi.document import is_at_hand

if TYPE_CHECKING:
    from collections.abc import Callable

SHOWN = 20


class Watch:
    """Checks what went through one sandbox since the last check. `control` calls its control API with method and path."""

    def __init__(self, control: Callable[[str, str], Any]) -> None:
        self._control = control
        self._since = {"rest": 0, "events": 0}

    def check(self) -> None:
        """Fail with everything that was not as PagerDuty describes it; does nothing without its description."""
        if not is_at_hand():
            return
        problems = [*self._problems("rest", Checker()), *self._problems("events", Checker.of_events())]
        assert not problems, "\n".join(["not as PagerDuty's OpenAPI says:", *dict.fromkeys(problems[:SHOWN])])

    def skip(self, reason: str) -> None:
        """Leave out what went through until now, for this reason: a test that says what PagerDuty does not describe."""
        assert reason
        for kind in self._since:
            self._since[kind] = self._control("GET", f"/exchanges?of={kind}&since={2**53}&limit=1")["next"]

    def _problems(self, kind: str, checker: Checker) -> list[str]:
        found: list[str] = []
        more = True
        while more:
            page = self._control("GET", f"/exchanges?of={kind}&since={self._since[kind]}")
            self._since[kind], more = page["next"], page["more"]
            for exchange in page["exchanges"]:
                found += checker.problems(exchange)
        return found
