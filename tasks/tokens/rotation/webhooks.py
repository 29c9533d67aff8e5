"""The secret that signs PagerDuty's webhooks: it belongs to a subscription, so that a second one is made beside the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.tokens.rotation.turner import CannotRotateError, Made, NotProvenError
from tasks.utils.error_handler import TransientError
from tasks.utils.rest.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tasks.tokens.rotation.models import Rotation
    from tasks.tokens.rotation.turner import Found
    from tasks.utils.rest.client import RestClient

PATIENCE: Final = 20  # looks whether the ping has come
PAUSE: Final = 1.0  # seconds
_KEPT: Final = ("events", "filter", "active")


class WebhookTurner:
    """`is_ours`: whether webhooks to an address come here; `last_used_ms`: when a secret last proved a webhook, by its id."""

    def __init__(
        self,
        rest: Callable[[], RestClient],
        is_ours: Callable[[Mapping[str, Any]], bool],
        known: Callable[[str], str],
        last_used_ms: Callable[[str], int],
        now_ms: Callable[[], int],
        pause: Callable[[float], None],
    ) -> None:
        self._rest = rest
        self._is_ours = is_ours
        self._known = known
        self._last_used_ms = last_used_ms
        self._now_ms = now_ms
        self._pause = pause

    def make(self, old: Found, rotation: Rotation) -> Made:
        """A second subscription; one of this rotation that is there already is made anew, for its secret is told once only."""
        mark = f"[tocsin {rotation.id}]"
        ours = [one for one in self._rest().webhooks.list() if self._is_ours(one)]
        for left in ours:
            if mark in (left.get("description") or ""):
                self._rest().webhooks.delete(left["id"])
        first = self._first([one for one in ours if mark not in (one.get("description") or "")], old)
        method = first["delivery_method"]
        description = (first.get("description") or "Tells Tocsin what becomes of incidents").partition(" [tocsin ")[0]
        made = self._rest().webhooks.create(
            {
                "type": "webhook_subscription",
                "delivery_method": {"type": "http_delivery_method", "url": method["url"]},
                "description": f"{description} {mark}",
                **{name: first[name] for name in _KEPT if name in first},
            }
        )
        secret = (made.get("delivery_method") or {}).get("secret")
        if not secret:
            raise TransientError("PagerDuty made a subscription without telling its secret; try again")
        return Made(secret, made["id"], first["id"])

    def prove(self, new: Found, rotation: Rotation) -> None:
        """A ping of the second subscription has come to a gateway, signed with the new secret."""
        asked = self._now_ms()
        self._rest().webhooks.ping(rotation.made)
        for _ in range(PATIENCE):
            if self._last_used_ms(new.id) >= asked:
                return
            self._pause(PAUSE)
        mend = "look whether PagerDuty reaches the gateway, then `tocsin tokens resume`"
        raise NotProvenError(f"the ping of the subscription {rotation.made} has not come; {mend}")

    def needed(self, rotation: Rotation) -> str:
        """No: both tell the same."""
        del rotation
        return ""

    def remove(self, rotation: Rotation) -> None:
        """Delete the first subscription."""
        try:
            self._rest().webhooks.delete(rotation.former)
        except NotFoundError:
            return  # before a crash, or by somebody else

    def _first(self, ours: list[dict[str, Any]], old: Found) -> dict[str, Any]:
        """The subscription whose secret is to be replaced: PagerDuty does not tell secrets, so it must be the only one, or made here."""
        made_here = self._known(old.id)
        found = [one for one in ours if one["id"] == made_here] if made_here else ours
        if len(found) != 1:
            what = f"{len(found)} webhook subscriptions of the account lead here, and PagerDuty does not tell which has this secret"
            raise CannotRotateError(
                f"{what}; leave one (`tocsin webhooks list`, `tocsin webhooks delete`) and try again"
            )
        if found[0]["delivery_method"].get("custom_headers"):
            what = f"the subscription {found[0]['id']} has headers of its own, whose values PagerDuty does not tell"
            raise CannotRotateError(f"{what}; make a new one with `tocsin webhooks create` and delete this one")
        return found[0]
