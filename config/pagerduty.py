"""The section of settings that names the PagerDuty account."""

from typing import Annotated

from pydantic import Field, SecretStr

from config.breaker import CircuitBreaker
from config.section import Section
from config.sections import SECOND
from config.values import EventsUrl, HttpUrl, PositiveDuration, SecretTexts


class PagerDuty(Section):
    """The account, and how to talk to it."""

    api_key: SecretStr | None = Field(None, description="REST API key; events need none, they use routing keys.")
    service_id: Annotated[str, Field(pattern=r"^[A-Z0-9]+$")] | None = Field(
        None, description="PagerDuty's id of the service that REST calls concern when they name none, such as PABC123."
    )
    api_url: HttpUrl = Field(
        "https://api.pagerduty.com",
        description="Address of the REST API; in the EU region https://api.eu.pagerduty.com.",
    )
    events_url: EventsUrl = Field(
        "https://events.pagerduty.com",
        description="Base address of the Events API, /v2/enqueue is added; in the EU region https://events.eu.pagerduty.com.",
    )
    events_per_minute: Annotated[int, Field(ge=0, le=100_000)] = Field(
        120,
        description="Events PagerDuty takes of one routing key in a minute; what is more waits its turn or is told in summaries. "
        "0 = do not count. AIOps accounts may have more: ask PagerDuty.",
    )
    webhook_secret: SecretStr | None = Field(
        None, description="Secret that signs PagerDuty's webhooks to Tocsin. Without one they are not taken."
    )
    webhook_previous_secrets: SecretTexts = Field(
        (),
        description="Former values of `webhook_secret`, and those of other subscriptions; what they sign is taken too. "
        "In the environment: parted by blanks.",
    )
    webhook_url: HttpUrl | None = Field(
        None,
        description="Address at which PagerDuty reaches the gateway's door, such as https://tocsin.example.org/webhooks/pagerduty. "
        "Tells which webhook subscriptions are ours; without it, those that end in /webhooks/pagerduty.",
    )
    from_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = Field(
        None, description="Address of the PagerDuty user in whose name REST calls change things."
    )
    api_timeout: PositiveDuration = Field(10 * SECOND, description="Longest time for one REST request, all in all.")
    retry_attempts: Annotated[int, Field(ge=1, le=10)] = Field(
        3, description="Times one REST call is tried when the network or the server fails, the first included."
    )
    circuit_breaker: CircuitBreaker = Field(default_factory=CircuitBreaker, description=CircuitBreaker.__doc__)
