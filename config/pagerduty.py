"""The section of settings that names the PagerDuty account."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from config.breaker import CircuitBreaker
from config.errors import UnfitError
from config.section import Section
from config.sections import SECOND
from config.values import EventsUrl, HttpUrl, PositiveDuration, SecretTexts


class OAuth(Section):
    """An OAuth app in place of `pagerduty.api_key`: its tokens are fetched, and replaced before they end."""

    client_id: str | None = Field(None, description="The app's client id. Where it is set, the API key is not used.")
    client_secret: SecretStr | None = Field(None, description="The app's client secret.")
    scopes: str = Field(
        "",
        description="What tokens are to allow, parted by blanks, such as `incidents.read incidents.write services.read`.",
    )
    subdomain: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] | None = Field(
        None, description="The account's name in its address: `acme` of acme.pagerduty.com."
    )
    region: Literal["us", "eu"] = Field("us", description="Where the account is.")
    token_url: HttpUrl = Field("https://identity.pagerduty.com/oauth/token", description="Where tokens are given.")

    @model_validator(mode="after")
    def _is_whole(self) -> "OAuth":
        wanted = ("client_secret", "scopes", "subdomain")
        missing = [name for name in wanted if not getattr(self, name)] if self.client_id else []
        if missing:
            raise UnfitError(
                f"client_id is set, and {', '.join(missing)} is not",
                f"set pagerduty.oauth.{missing[0]}, or take client_id away to use the API key",
            )
        return self


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
    oauth: OAuth = Field(default_factory=OAuth, description=OAuth.__doc__)
    circuit_breaker: CircuitBreaker = Field(default_factory=CircuitBreaker, description=CircuitBreaker.__doc__)

    @property
    def can_be_asked(self) -> bool:
        """Whether there is a key or an app for the REST API."""
        return self.api_key is not None or self.oauth.client_id is not None
