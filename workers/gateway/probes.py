"""Whether the gateway lives, and whether it may be sent alerts."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis import RedisError, ResponseError
from starlette.requests import Request
from starlette.responses import Response

from tasks.utils.keys import Keys
from workers.gateway.bodies import answer
from workers.gateway.late_receipts import LateReceipts
from workers.gateway.late_timers import LateTimers
from workers.gateway.open_breakers import OpenBreakers
from workers.gateway.spooling import Spooling
from workers.gateway.telemetry import Telemetry

if TYPE_CHECKING:
    from redis.asyncio import Redis

WITHIN: Final = 0.5
WINDOWS: Final = {
    "always": "nothing is lost, not even by a power cut",
    "everysec": "a power cut, or a kill on a busy disk, may lose the last two seconds; set 'appendfsync always' to close this window",
    "no": "a power cut may lose half a minute; set 'appendfsync always' to close this window",
}


class Probes:
    """Answers for orchestrators and for Prometheus."""

    def __init__(self, redis: "Redis", spooling: Spooling, telemetry: Telemetry, keys: Keys) -> None:
        self._redis = redis
        self._breakers = OpenBreakers(redis, keys)
        self._receipts = LateReceipts(redis, keys)
        self._timers = LateTimers(redis, keys)
        self._spooling = spooling
        self._telemetry = telemetry

    async def livez(self, _: Request) -> Response:
        """Say that the process serves; depends on nothing else."""
        return answer(200, {"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        """Say whether alerts are kept, be it in the spool: 200, or 503; with every reason why not, or not in Redis."""
        spool = await self._spooling.state()
        facts, strains, faults = await self._look_at_redis()
        if self._spooling.has_ended:
            faults.append("the spool is not drained any more; see the log, and start the gateway anew")
        if strains and spool["fault"]:
            faults.append(str(spool["fault"]))
        if spool["rows"]:
            strains.append(f"{spool['rows']} alerts wait in the spool")
        return _verdict(faults, strains, facts, spool)

    async def metrics(self, _: Request) -> Response:
        """Everything counted, in Prometheus's text format."""
        with suppress(RedisError, OSError):  # the rest is worth having without
            async with asyncio.timeout(WITHIN):
                self._telemetry.show_breakers(await self._breakers.open_ones())
                self._telemetry.show_receipts(await self._receipts.lately())
                self._telemetry.show_timers(*await self._timers.figures())
        return Response(generate_latest(self._telemetry.registry), media_type=CONTENT_TYPE_LATEST)

    async def _look_at_redis(self) -> tuple[dict[str, Any], list[str], list[str]]:
        """What is known of the server, why it takes nothing now, why it may lose what it took."""
        try:
            async with asyncio.timeout(WITHIN):
                facts = await self._facts()
        except (RedisError, OSError):
            return {}, ["Redis does not answer; start it, or correct REDIS_URL"], []
        return facts, outage(facts), risks(facts)

    async def _facts(self) -> dict[str, Any]:
        persistence = await self._redis.info("persistence")
        memory = await self._redis.info("memory")
        fsync = await self._appendfsync()
        return {
            "append_only_file": bool(persistence.get("aof_enabled")),
            "last_write": persistence.get("aof_last_write_status", "ok"),
            "loading": bool(persistence.get("loading")),
            "policy": memory.get("maxmemory_policy", "unknown"),
            "appendfsync": fsync,
            "window": WINDOWS.get(fsync, "unknown: the server does not tell its settings"),
        }

    async def _appendfsync(self) -> str:
        try:
            return str((await self._redis.config_get("appendfsync")).get("appendfsync", "unknown"))
        except ResponseError:  # hosted servers often forbid CONFIG
            return "unknown"


def outage(facts: dict[str, Any]) -> list[str]:
    """Why a server like this takes nothing for the time being; the spool keeps alerts meanwhile."""
    found = []
    if facts["last_write"] != "ok":
        found.append("Redis cannot write its append-only file; look at its disk")
    if facts["loading"]:
        found.append("Redis is still reading its file; wait")
    return found


def risks(facts: dict[str, Any]) -> list[str]:
    """Why a server like this may lose accepted alerts; empty if it may not."""
    found = []
    if not facts["append_only_file"]:
        found.append("Redis keeps nothing over a restart: its append-only file is off; set 'appendonly yes'")
    if facts["policy"] != "noeviction":
        found.append(f"Redis may throw rows away: its policy is {facts['policy']}; set 'maxmemory-policy noeviction'")
    return found


def _verdict(faults: list[str], strains: list[str], facts: dict[str, Any], spool: dict[str, object]) -> Response:
    word = "not ready" if faults else "degraded" if strains else "ready"
    body = {"status": word, "reasons": [*strains, *faults], "redis": {"answers": bool(facts), **facts}, "spool": spool}
    return answer(503 if faults else 200, body)
