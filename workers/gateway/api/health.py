"""How Tocsin is, as far as the gateway can see."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from redis import RedisError

from tasks.audit.models import KeptProof
from tasks.health.checks.queues import ROWS
from tasks.health.models import HealthReport
from tasks.health.waiting import Waiting, WaitingReader
from tasks.runtime import Runtime
from tasks.utils.breakers import BreakerView
from tasks.utils.error_handler import UnknownError
from workers.gateway.api.access import Wired, allows
from workers.gateway.api.errors import described

if TYPE_CHECKING:
    from workers.gateway.spooling import Spooling

Status = Literal["pass", "warn", "fail"]
WORST: Final[tuple[Status, ...]] = ("fail", "warn", "pass")
PATIENCE: Final = {
    name: limit for name, (_, limit, _) in ROWS.items()
}  # seconds one may wait there before it is worth a warning
QUEUE: Final = "alert"  # where alerts sent as Celery tasks wait
MANY: Final = 1000
GIVEN_UP: Final = 60  # seconds in the inbox: no worker decides on anything
STALE: Final = 1800  # seconds: a proof of the last hour is made every ten minutes


router = APIRouter(prefix="/health", tags=["health"])


class Component(BaseModel):
    """One part."""

    name: str = Field(examples=["inbox"])
    status: Status
    waiting: int = Field(0, description="How many events, messages or endpoints wait there.")
    oldest_seconds: float | None = Field(None, description="How long the oldest of them has waited.")
    output: str = Field("", description="What is wrong and how to mend it.")


class Health(BaseModel):
    """The worst of the parts, and each part."""

    status: Status
    components: list[Component]


@router.get(
    "",
    operation_id="getHealth",
    summary="How Tocsin is",
    responses={**described(), 503: {"model": Health, "description": "Something fails"}},
    dependencies=[allows("health:read")],
)
async def health(request: Request, runtime: Wired, response: Response) -> Health:
    """Redis, the spool, and how much waits where. 503 if any part fails."""
    spooling: Spooling = request.app.state.spooling
    components = [*await run_in_threadpool(_in_redis, runtime), _spool(await spooling.state())]
    status = next(word for word in WORST if any(part.status == word for part in components))
    response.status_code = 503 if status == "fail" else 200
    return Health(status=status, components=components)


@router.get(
    "/checks",
    operation_id="getHealthChecks",
    summary="What the last health check found",
    responses=described(404),
    dependencies=[allows("health:read")],
)
async def checks(runtime: Wired, depth: Literal["quick", "full"] = "full") -> HealthReport:
    """Every line of it, with what to do; a full one is made every five minutes. Its age is for the reader to judge."""
    found = await run_in_threadpool(runtime.health.last, depth)
    if found is None:
        raise UnknownError("no health check was kept yet: one is made every five minutes, while beat and workers run")
    return found


def _in_redis(runtime: Runtime) -> list[Component]:
    asked = time.monotonic()
    try:
        now = runtime.clock.now_ms()
        waiting = WaitingReader(runtime.client, runtime.keys).read(now)
        shut = [breaker for breaker in runtime.breakers.list() if breaker.is_shut]
        proofs = runtime.audit.kept_proofs()
    except (RedisError, OSError):
        return [Component(name="redis", status="fail", output="Redis does not answer; start it, or correct REDIS_URL")]
    took = time.monotonic() - asked
    slow = "" if took < 1 else f"Redis took {took:.1f} s to answer"
    return [
        Component(name="redis", status="warn" if slow else "pass", output=slow),
        _queue(waiting.queues[QUEUE].count),
        _waiting("inbox", waiting.rows["inbox"]),
        _waiting("outbox", waiting.rows["outbox"]),
        _groups(waiting.rows["bundles"]),
        _timers(waiting.rows["timers"]),
        _breakers(shut),
        _dead(waiting.dead),
        _proof(proofs, now),
    ]


def _spool(state: Mapping[str, Any]) -> Component:
    """While Redis answers, a spool that holds something or could hold nothing is no more than a warning."""
    waits = "alerts wait on disk until Redis takes them" if state["rows"] else ""
    output = "; ".join(filter(None, (waits, state["fault"])))
    return Component(name="spool", status="warn" if output else "pass", waiting=state["rows"], output=output)


def _waiting(name: str, one: Waiting) -> Component:
    count, seconds = one.count, one.age / 1000 if one.count else None
    if seconds is None or seconds <= PATIENCE[name]:
        return Component(name=name, status="pass", waiting=count, oldest_seconds=seconds)
    if name == "outbox":
        output, status = "PagerDuty does not take them, or the workers of group delivery do not run", "warn"
    else:
        output, status = (
            "the workers of group alert do not keep up, or do not run",
            "fail" if seconds > GIVEN_UP else "warn",
        )
    return Component(name=name, status=status, waiting=count, oldest_seconds=seconds, output=output)


def _groups(one: Waiting) -> Component:
    """News that waits to be told together; only what is overdue is amiss."""
    late = one.late / 1000
    output = (
        f"a bundle is {late:.0f} s late; the workers of group delivery do not run" if late > PATIENCE["bundles"] else ""
    )
    return Component(name="groups", status="warn" if output else "pass", waiting=one.count, output=output)


def _timers(one: Waiting) -> Component:
    """Escalations that go on by themselves; only what is overdue is amiss."""
    late = one.late / 1000
    output = f"timers are {late:.0f} s late; the workers of group delivery do not keep up, or do not run"
    status: Status = "fail" if late > GIVEN_UP else "warn" if late > PATIENCE["timers"] else "pass"
    return Component(name="timers", status=status, waiting=one.count, output="" if status == "pass" else output)


def _breakers(shut: Sequence[BreakerView]) -> Component:
    """Endpoints that are left alone."""
    told = (f"{one.name} is left alone ({one.state.replace('_', ' ')})" for one in shut)
    output = "; ".join(told) + "; alerts take their next channel: tocsin notifications breakers" if shut else ""
    return Component(name="breakers", status="warn" if shut else "pass", waiting=len(shut), output=output)


def _queue(count: int) -> Component:
    """Messages carry no time: how many there are is all that can be told."""
    output = "the workers of group alert do not keep up, or do not run" if count > MANY else ""
    return Component(name="queue", status="warn" if output else "pass", waiting=count, output=output)


def _dead(count: int) -> Component:
    output = "mend what killed them, then replay or drop them: GET /dead-letters" if count else ""
    return Component(name="dead_letters", status="warn" if count else "pass", waiting=count, output=output)


def _proof(proofs: Mapping[str, KeptProof], now: int) -> Component:
    """What the last scheduled proofs have found; before the first has run, nothing is amiss."""
    broken = [proof for proof in proofs.values() if proof.broken_count]
    if broken:
        count = max(proof.broken_count for proof in broken)
        output = f"the promise is broken for {count} events: `tocsin prove` names them"
        return Component(name="proof", status="fail", waiting=count, output=output)
    hour = proofs.get("hour")
    if hour and hour.losses:
        return Component(name="proof", status="warn", waiting=len(hour.losses), output=str(hour.losses[-1]))
    age = now / 1000 - hour.checked_at.timestamp() if hour else 0.0
    output = f"the last proof is {age / 60:.0f} min old; beat or the workers of group maintenance do not run"
    return Component(name="proof", status="warn" if age > STALE else "pass", output=output if age > STALE else "")
