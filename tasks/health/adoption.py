"""Own alerts that are open although the memory of them is lost: taken over, so that they end when what they told of is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.health.conditions import OF_FLEET, RULES, TOLD_OF_LOSS_MS, redis_lost
from tasks.health.memory import FleetMemory
from tasks.health.models import Finding
from tasks.health.standing import Standing
from tasks.utils.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.utils.keys import Keys

KEY: Final = "tocsin-own:"  # what their dedup keys begin with
FLEET: Final = frozenset(
    check.__name__ for check in OF_FLEET
)  # what machines see for themselves they have in their files
PLACE: Final = "on:"
LOSS: Final = redis_lost.__name__


class Adoption:
    """Looks through alerts that were made known again."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._memory = FleetMemory(client, keys)
        self._clock = Clock(client, keys)

    def adopt(self, uids: Sequence[str]) -> None:
        """Remember the own alerts among these as told; the next looks say whether they still hold."""
        for uid in uids:
            known: dict[str, str] = self._client.hgetall(self._keys.alert(uid))
            name, _, subject = known.get("dedup_key", "").removeprefix(KEY).partition(":")
            is_own = known.get("dedup_key", "").startswith(KEY) and name in FLEET and name in RULES
            if is_own and not (name == LOSS and self._is_told_anew()):
                self._take_over(
                    name, subject, tuple(field.removeprefix(PLACE) for field in known if field.startswith(PLACE))
                )

    def _is_told_anew(self) -> bool:
        """Whether the sentinel tells of the loss there was now: what is open is about a former one, and tells of none of this."""
        noticed = int(self._client.hget(self._keys.loss, "noticed") or 0)
        return self._clock.now_ms() - noticed <= TOLD_OF_LOSS_MS

    def _take_over(self, name: str, subject: str, places: tuple[str, ...]) -> None:
        finding = Finding(
            name,
            "critical",
            "what an own alert told of before Redis lost everything is over",
            "nothing is left to do",
            subject,
        )
        if finding.id not in self._memory.load():
            now = self._clock.now_ms()
            self._memory.put(finding.id, Standing(finding, now, now, is_bad=True, told=now, places=places))
