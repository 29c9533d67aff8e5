from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from deploy.sandbox.webhooks.delivery import Delivery, State, Witness
from deploy.sandbox.webhooks.event import new_event, to_body
from deploy.sandbox.webhooks.faults import EXTRAS, Faults, Kind, copy, extra
from deploy.sandbox.webhooks.lanes import Lanes
from deploy.sandbox.webhooks.post import MOST_AT_ONCE, USER_AGENT, Verdict, signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.due import Timer
    from deploy.sandbox.happenings import Happening
    from deploy.sandbox.store import Entity
    from deploy.sandbox.webhooks.delivery import Lane
    from deploy.sandbox.webhooks.faults import FaultSpec
    from deploy.sandbox.webhooks.post import Poster, Result
    from deploy.sandbox.world import World

COLLECTION = "webhook_subscriptions"
# On the sandbox's clock. PagerDuty tells only the end: 48 hours.
FIRST_RETRY_SECONDS = 5.0
LONGEST_RETRY_SECONDS = 3600.0
RETRIED_SECONDS = 48 * 3600.0
DROPS_TO_DISABLE = 3
DISABLED_SECONDS = 24 * 3600.0
HELD_SECONDS = 30.0
FORGERS_SECRET = "nobody told the forger"  # noqa: S105 - it signs what must not be believed
TOO_LARGE = "larger than 256 KB"


class Webhooks:
    """Tells the account's webhook subscriptions what happens, as PagerDuty does: signed, in order, again and again."""

    def __init__(self, world: World, poster: Poster) -> None:
        self._world = world
        self._poster = poster
        self.witness = Witness()
        self.faults = Faults()
        self._lanes = Lanes(world.schedule, self.witness, world.clock.now, self._go)
        self._ready: deque[Lane] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._drops: dict[str, int] = {}
        self._disabled: dict[str, Timer] = {}
        world.happenings.listen(self._happened, self._is_wanted)

    def ping(self, subscription: Entity, happening: Happening) -> None:
        """Send one subscription a test, unless it is disabled."""
        self._tell([subscription], happening)

    def enable(self, subscription: Entity) -> None:
        """Send to a subscription again, and forget that it dropped anything."""
        name = subscription["id"]
        subscription["delivery_method"]["temporarily_disabled"] = False
        self._drops.pop(name, None)
        timer = self._disabled.pop(name, None)
        if timer is not None:
            timer.cancel()

    def forget(self, subscription_id: str) -> None:
        """Send nothing more to a subscription that is no more."""
        self._lanes.clear(subscription_id, "subscription deleted")
        self._drops.pop(subscription_id, None)
        timer = self._disabled.pop(subscription_id, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """Stop sending for good."""
        for worker in self._workers:
            worker.cancel()

    def _is_wanted(self) -> bool:
        return bool(self._world.store.all(COLLECTION))

    def _happened(self, happening: Happening) -> None:
        self._tell([one for one in self._world.store.all(COLLECTION) if wants(one, happening)], happening)

    def _tell(self, subscriptions: list[Entity], happening: Happening) -> None:
        if not subscriptions:
            return
        event = new_event(happening)
        body = to_body(event)
        for subscription in subscriptions:
            delivery = Delivery(
                subscription["id"], event["id"], happening.event_type, happening.resource_id, happening.at, body or b""
            )
            refusal = _refusal(subscription, body)
            if refusal:
                self.witness.write(delivery)
                self.witness.end(delivery, State.NOT_SENT, refusal)
            else:
                self._send(delivery)

    def _send(self, delivery: Delivery) -> None:
        fault = self.faults.take(delivery)
        if fault is None:
            self._lanes.put(delivery)
            return
        delivery.fault = fault.kind.value
        if fault.kind in EXTRAS:
            self._lanes.put(extra(fault.kind, delivery))
        self._spoil(delivery, fault)

    def _spoil(self, delivery: Delivery, fault: FaultSpec) -> None:
        if fault.kind is Kind.DROP:
            self.witness.write(delivery)
            self.witness.end(delivery, State.NOT_SENT, "a fault of the sandbox")
        elif fault.kind is Kind.REORDER:
            self._lanes.hold(delivery, fault.seconds or HELD_SECONDS)
        else:
            if fault.kind is Kind.DELAY:
                delivery.not_before = self._world.clock.now() + (fault.seconds or HELD_SECONDS)
            copies = [copy(delivery) for _ in range(fault.copies)] if fault.kind is Kind.DUPLICATE else []
            self._lanes.put(delivery)
            for one in copies:
                self._put_after(one, fault.seconds)

    def _put_after(self, delivery: Delivery, seconds: float | None) -> None:
        if seconds is None:
            self._lanes.put(delivery)
        else:
            self._world.schedule.at(self._world.clock.now() + seconds, partial(self._lanes.put, delivery))

    def _go(self, lane: Lane) -> None:
        self._ready.append(lane)
        if len(self._workers) < MOST_AT_ONCE:
            worker = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        while self._ready:
            lane = self._ready.popleft()
            if not self._lanes.knows(lane):
                continue
            delivery = lane.waiting[0]
            subscription = self._world.store.get(COLLECTION, lane.subscription_id)
            if subscription is None:  # the account was replaced
                self.forget(lane.subscription_id)
                continue
            method = subscription["delivery_method"]
            result = await self._poster.post(method["url"], delivery.body, _headers(method, delivery))
            self._conclude(lane, delivery, result)

    def _conclude(self, lane: Lane, delivery: Delivery, result: Result) -> None:
        delivery.add(result.attempt)
        is_known = self._lanes.knows(lane)
        if result.verdict is Verdict.RETRY and is_known and not delivery.is_extra:
            at = self._world.clock.now() + min(FIRST_RETRY_SECONDS * 2 ** (delivery.tried - 1), LONGEST_RETRY_SECONDS)
            if at < delivery.at + RETRIED_SECONDS:
                self._lanes.later(lane, at)
                return
        if result.verdict is Verdict.DELIVERED:
            self.witness.end(delivery, State.DELIVERED)
        else:
            self.witness.end(delivery, State.DROPPED, result.attempt.error or f"status {result.attempt.status}")
        if is_known:
            self._lanes.done(lane)
        if not delivery.is_extra:
            self._count(delivery)

    def _count(self, delivery: Delivery) -> None:
        name = delivery.subscription_id
        self._drops[name] = 0 if delivery.state is State.DELIVERED else self._drops.get(name, 0) + 1
        subscription = self._world.store.get(COLLECTION, name)
        if self._drops[name] < DROPS_TO_DISABLE or subscription is None or name in self._disabled:
            return
        subscription["delivery_method"]["temporarily_disabled"] = True
        self._lanes.clear(name, "subscription disabled")
        again = self._world.clock.now() + DISABLED_SECONDS
        self._disabled[name] = self._world.schedule.at(again, partial(self.enable, subscription))


def wants(subscription: Mapping[str, Any], happening: Happening) -> bool:
    """Whether a subscription's filter lets a happening through."""
    if not subscription.get("active", True) or happening.event_type not in subscription["events"]:
        return False
    kind, name = subscription["filter"]["type"], subscription["filter"].get("id")
    if kind == "service_reference":
        return bool(name == happening.service_id)
    return kind == "account_reference" or name in happening.team_ids


def _refusal(subscription: Mapping[str, Any], body: bytes | None) -> str:
    if subscription["delivery_method"].get("temporarily_disabled"):
        return "subscription disabled"
    return TOO_LARGE if body is None else ""


def _headers(method: Mapping[str, Any], delivery: Delivery) -> dict[str, str]:
    secrets = [FORGERS_SECRET] if delivery.is_forged else [method["secret"], *method.get("other_secrets", ())]
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-PagerDuty-Signature": signature(secrets, delivery.body),
        "X-Webhook-Id": delivery.id,
        "X-Webhook-Subscription": delivery.subscription_id,
        **{one["name"]: one["value"] for one in method.get("custom_headers", ())},
    }
