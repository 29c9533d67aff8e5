"""The closed loop, put together of what several capabilities know: a part of the wiring beside `runtime`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tasks.incidents.excuses import Excuses
from tasks.incidents.eyes import Eyes, Senses
from tasks.incidents.receipts import ReceiptRules, Receipts
from tasks.notifications.wiring import homes_of
from tasks.utils.circuit_breaker import breaker_rules
from tasks.webhooks.homes import ASKED, Homes
from tasks.webhooks.incidents import all_keys, keys_in, observation_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tasks.incidents.eyes import Item
    from tasks.runtime import Runtime

PATIENCE: Final = timedelta(seconds=10)


def receipts(runtime: Runtime) -> Receipts:
    """Asks nobody where there is no key or app for the REST API, or where the settings say so."""
    settings = runtime.settings
    rules = ReceiptRules(
        settings.receipts.look_after,
        settings.receipts.give_up_after,
        breaker_rules(settings.pagerduty.circuit_breaker),
    )
    if not settings.can_verify:
        return Receipts(runtime.client, runtime.keys, lambda: None, rules)
    rest = runtime.rest.limited(share=settings.receipts.share, patience=PATIENCE)
    kept = Homes(runtime.client, runtime.keys, homes_of(runtime.routes))

    def homes() -> Mapping[str, Collection[str]]:
        kept.refresh(rest)
        known = runtime.client.hgetall(runtime.keys.homes)
        return {key_id: services.split() for key_id, services in known.items() if key_id != ASKED}

    def tell(shown: Sequence[tuple[Item, Sequence[str]]]) -> object:
        return runtime.answers.observe_many(observation_of(item, keys) for item, keys in shown)

    senses, excuses = Senses(tell, keys_in, all_keys, homes), Excuses(rest, homes, runtime.clock.now_ms)
    return Receipts(runtime.client, runtime.keys, lambda: Eyes(rest, senses, excuses), rules)
