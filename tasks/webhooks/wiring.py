"""The services of webhooks as the settings want them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.clock import Clock
from tasks.webhooks.catch_up import CatchUp
from tasks.webhooks.homes import Homes
from tasks.webhooks.lookups import IncidentLookups
from tasks.webhooks.service import ProcessRules, WebhookService
from tasks.webhooks.subscriptions import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.pagerduty import PagerDuty
    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient
    from tasks.webhooks.answers import Answers

SHARE: Final = 0.3  # of the REST calls a minute


class WebhookWiring:
    """Puts the parts together. `rest` gives the client; None where there is no API key. `ours`: see `Homes`."""

    def __init__(
        self,
        client: Any,
        keys: Keys,
        answers: Answers,
        ours: Mapping[str, str],
        rest: Callable[[], RestClient] | None,
        pagerduty: PagerDuty,
    ) -> None:
        self._client = client
        self._keys = keys
        self._answers = answers
        self._ours = ours
        self._rest = rest
        self._pagerduty = pagerduty
        self._limited: RestClient | None = None

    @cached_property
    def processor(self) -> WebhookService:
        """Works off webhooks."""
        homes = Homes(self._client, self._keys, self._ours)
        lookups = IncidentLookups(self._client, self._keys, self._answers, homes, self._limited_rest)
        return WebhookService(self._client, self._keys, self._answers, lookups, ProcessRules())

    @cached_property
    def catch_up(self) -> CatchUp:
        """Fetches what no webhook told."""
        return CatchUp(self._client, self._keys, self._answers, self._limited_rest)

    @cached_property
    def subscriptions(self) -> Subscriptions:
        """Looks after subscriptions."""
        clock = Clock(self._client, self._keys)
        return Subscriptions(self._client, self._keys, clock, self._limited_rest, self._pagerduty.webhook_url)

    def _limited_rest(self) -> RestClient | None:
        if self._limited is None and self._rest is not None:
            self._limited = self._rest().limited(share=SHARE)
        return self._limited
