"""How many escalations go on by themselves and how late they are, read without holding up the gateway's loop."""

from typing import Any, NamedTuple

from tasks.utils.keys import Keys


class TimerFigures(NamedTuple):
    """How many timers run, and by how many seconds the next one is overdue."""

    running: int
    late_seconds: float


class LateTimers:
    """Reads the due times of escalations."""

    def __init__(self, redis: Any, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    async def figures(self) -> TimerFigures:
        """As they stand now."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.time()
        pipe.get(self._keys.clock)
        pipe.zcount(self._keys.escalations_due, "-inf", "(+inf")
        pipe.zrange(self._keys.escalations_due, 0, 0, withscores=True)
        (seconds, micros), offset, running, first = await pipe.execute()
        now = int(seconds) * 1000 + int(micros) // 1000 + int(offset or 0)
        return TimerFigures(int(running), max(0.0, (now - first[0][1]) / 1000) if first else 0.0)
