"""Webhook subscriptions: made, listed, tested, deleted; and enabled again when PagerDuty has disabled one of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import structlog
from pydantic import SecretStr

from tasks.utils.act_context import about
from tasks.utils.error_handler import PermanentError, TocsinError, TransientError
from tasks.webhooks.models import CreatedSubscription, SubscriptionReport, SubscriptionView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tasks.utils.clock import Clock
    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient

DOOR: Final = "/webhooks/pagerduty"
EVENTS: Final = (
    "incident.triggered",
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.resolved",
    "incident.reopened",
    "incident.escalated",
    "incident.reassigned",
    "incident.delegated",
    "incident.priority_updated",
    "incident.service_updated",
)
"""What Tocsin listens to."""

log = structlog.get_logger("tocsin.webhooks")


class NoApiKeyError(PermanentError):
    """There is no PagerDuty API key."""

    def __init__(self) -> None:
        super().__init__("pagerduty.api_key is not set; set PAGERDUTY_API_KEY to a REST API key of the account")


class Subscriptions:
    """Looks after the subscriptions of the account. `rest` gives the client, None where there is no API key."""

    def __init__(
        self, client: Any, keys: Keys, clock: Clock, rest: Callable[[], RestClient | None], our_url: str | None
    ) -> None:
        self._client = client
        self._key = keys.subscriptions
        self._clock = clock
        self._get_rest = rest
        self._our_url = our_url

    @property
    def _rest(self) -> RestClient:
        rest = self._get_rest()
        if rest is None:
            raise NoApiKeyError
        return rest

    def list(self) -> list[SubscriptionView]:
        """Every subscription of the account."""
        return [self._view(one) for one in self._rest.webhooks.list()]

    def create(
        self, url: str, *, service_id: str = "", team_id: str = "", description: str = ""
    ) -> CreatedSubscription:
        """A new one for the whole account, or a service or team. Its secret is never shown again."""
        what = {"id": service_id or team_id} if service_id or team_id else {}
        kind = "service_reference" if service_id else "team_reference" if team_id else "account_reference"
        made = self._rest.webhooks.create(
            {
                "type": "webhook_subscription",
                "delivery_method": {"type": "http_delivery_method", "url": url},
                "description": description or "Tells Tocsin what becomes of incidents",
                "events": [*EVENTS],
                "filter": {**what, "type": kind},
            }
        )
        secret = (made.get("delivery_method") or {}).get("secret")
        if not secret:
            raise TransientError(
                "PagerDuty made a subscription without telling its secret; delete it and make a new one"
            )
        about(f"subscription/{made['id']}")
        return CreatedSubscription(subscription=self._view(made), secret=SecretStr(secret))

    def enable(self, subscription_id: str) -> SubscriptionView:
        """The subscription, delivering again after PagerDuty had disabled it."""
        return self._view(self._rest.webhooks.enable(subscription_id))

    def test(self, subscription_id: str) -> None:
        """Have PagerDuty send a `pagey.ping` to it."""
        self._rest.webhooks.ping(subscription_id)

    def delete(self, subscription_id: str) -> None:
        """Remove it; what it signed is worth nothing from then on."""
        self._rest.webhooks.delete(subscription_id)

    def check(self) -> SubscriptionReport:
        """Enable those of ours that PagerDuty has disabled; keeps what it found for Tocsin's own alerts."""
        rest = self._get_rest()
        if rest is None:
            return SubscriptionReport(missing="pagerduty.api_key is not set; nobody looks after webhook subscriptions")
        try:
            report = self._look(rest)
        except TocsinError as error:
            report = SubscriptionReport(missing=f"PagerDuty did not tell its subscriptions: {error}")
        self._keep(report)
        return report

    def _look(self, rest: RestClient) -> SubscriptionReport:
        ours = [one for one in map(self._view, rest.webhooks.list()) if one.is_ours]
        report = SubscriptionReport(subscriptions=len(ours), inactive=[one.id for one in ours if not one.is_active])
        for one in ours:
            if one.is_disabled:
                rest.webhooks.enable(one.id)
                report.enabled.append(one.id)
                log.warning(
                    "webhook_subscription_enabled_again",
                    subscription=one.id,
                    meaning="its webhooks were refused or lost",
                )
        return report

    def _keep(self, report: SubscriptionReport) -> None:
        """That one was disabled stays news for a while, so that people hear of it although it is mended."""
        now = self._clock.now_ms()
        found = {"looked_at": now, "inactive": " ".join(report.inactive), "missing": report.missing}
        self._client.hset(self._key, mapping={**found, **({"disabled_at": now} if report.enabled else {})})

    def _view(self, one: Mapping[str, Any]) -> SubscriptionView:
        method = one.get("delivery_method") or {}
        target = one.get("filter") or {}
        url = str(method.get("url") or "")
        kind = str(target.get("type") or "").removesuffix("_reference")
        return SubscriptionView(
            id=one["id"],
            url=_without_password(url),
            description=one.get("description") or "",
            is_ours=self._is_ours(url),
            is_active=one.get("active") is not False,
            is_disabled=bool(method.get("temporarily_disabled")),
            events=list(one.get("events") or ()),
            filter=" ".join(filter(None, (kind, target.get("id")))),
        )

    def leads_here(self, subscription: Mapping[str, Any]) -> bool:
        """Whether a subscription, as PagerDuty shows it, tells Tocsin."""
        return self._is_ours(str((subscription.get("delivery_method") or {}).get("url") or ""))

    def _is_ours(self, url: str) -> bool:
        if self._our_url:
            return _without_password(url).rstrip("/") == _without_password(self._our_url).rstrip("/")
        return urlsplit(url).path.rstrip("/").endswith(DOOR)


def _without_password(url: str) -> str:
    """The address as it may be shown: neither name nor password, no query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
