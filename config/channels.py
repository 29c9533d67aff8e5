"""The ways to reach people that a service file may name, one kind each."""

from abc import abstractmethod
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, SecretStr, Tag, model_validator

from config.errors import UnfitError
from config.section import Section
from config.values import EmailAddress, EventsUrl, Key32, Name, PagerDutyId, SecretUrl

DEFAULT_KIND = "pagerduty"
SHORTEST_SECRET = 16
Urgency = Literal["high", "low"]


def _check_secret(secret: SecretStr) -> SecretStr:
    size = len(secret.get_secret_value())
    if size < SHORTEST_SECRET:
        raise UnfitError(
            f"must have at least {SHORTEST_SECRET} characters, has {size}", "make one with `tocsin config keygen`"
        )
    return secret


class AnyChannel(Section):
    """One way to reach people; the channels of a service are tried in the order they are written."""

    name: Name = Field(description="Name of the channel, unique in its service; reports and the ledger use it.")
    kind: str = Field(
        DEFAULT_KIND,
        description="What kind of channel it is: `pagerduty`, `pagerduty_incident`, `slack`, `teams`, `email` or `webhook`.",
    )
    routed_only: bool = Field(
        default=False,
        description="Whether only the routes that name it take it, so that the service's own list leaves it out.",
    )
    locale: Literal["en", "fr"] = Field("en", description="Language of the messages.")
    template: Name | None = Field(
        None, description="Name of the template that messages are made by. Default: that of the kind."
    )

    @property
    def takes_words(self) -> bool:
        """Whether people read there; PagerDuty takes each alert as it is."""
        return self.kind not in ("pagerduty", "pagerduty_incident")

    @property
    @abstractmethod
    def target(self) -> tuple[str, object]:
        """Where it leads, as a noun and a value that two channels to the same place share."""


class PagerDutyChannel(AnyChannel):
    """Events to a service of PagerDuty, which calls people."""

    kind: Literal["pagerduty"] = Field("pagerduty", description="What kind of channel it is.")
    routing_key: Key32 = Field(description="Events v2 integration key of the PagerDuty service: 32 letters and digits.")
    retired_keys: tuple[Key32, ...] = Field(
        (), description="Former routing keys; they still resolve the alerts they opened, and open none."
    )
    events_url: EventsUrl | None = Field(
        None, description="Base address of the Events API for this channel only; without it `pagerduty.events_url`."
    )

    events_per_minute: Annotated[int, Field(ge=0, le=100_000)] | None = Field(
        None, description="`pagerduty.events_per_minute` for this key only."
    )

    @property
    def target(self) -> tuple[str, object]:
        """Its routing key, at its address."""
        return "routing key", (self.routing_key.get_secret_value(), self.events_url)


class Urgencies(Section):
    """Urgency of an incident by the severity of its alert."""

    critical: Urgency = Field("high", description="Of critical alerts.")
    error: Urgency = Field("high", description="Of errors.")
    warning: Urgency = Field("low", description="Of warnings.")
    info: Urgency = Field("low", description="Of the rest.")


class Priorities(Section):
    """Priority of an incident by the severity of its alert: PagerDuty's id of one, such as P53ZZH5."""

    critical: PagerDutyId | None = Field(None, description="Of critical alerts.")
    error: PagerDutyId | None = Field(None, description="Of errors.")
    warning: PagerDutyId | None = Field(None, description="Of warnings.")
    info: PagerDutyId | None = Field(None, description="Of the rest.")


class IncidentChannel(AnyChannel):
    """Incidents of PagerDuty over its REST API, for a service without an integration key."""

    kind: Literal["pagerduty_incident"] = Field(description="What kind of channel it is.")
    service_id: PagerDutyId = Field(description="PagerDuty's id of the service the incidents are for, such as PABC123.")
    escalation_policy: PagerDutyId | None = Field(
        None, description="PagerDuty's id of the escalation policy. Default: that of the service."
    )
    urgencies: Urgencies = Field(default_factory=Urgencies, description=Urgencies.__doc__)
    priorities: Priorities = Field(default_factory=Priorities, description=Priorities.__doc__)
    api_key: SecretStr | None = Field(
        None, description="REST API key for this channel only; without it `pagerduty.api_key`."
    )
    from_email: EmailAddress | None = Field(
        None, description="PagerDuty user in whose name; without it `pagerduty.from_email`."
    )

    @property
    def target(self) -> tuple[str, object]:
        """Its service."""
        return "service_id", self.service_id


class _Posted(AnyChannel):
    """A channel whose address stands in the service file."""

    allow_private: bool = Field(
        default=False,
        description="Whether the host may be this machine or in a private network, and plain http will do.",
    )

    def check_scheme(self, name: str, url: SecretStr) -> None:
        """Refuse plain http to the world."""
        if not self.allow_private and url.get_secret_value().startswith("http://"):
            raise UnfitError(
                f"{name} is plain http, so that everybody on the way could read along",
                "write https://…, or, if the host is in your own network, allow_private: true beside it",
            )


class _Hooked(_Posted):
    """A channel to an incoming webhook, the URL of which is the key to it."""

    webhook_url: SecretUrl = Field(description="Address of the incoming webhook. Who knows it may post there.")

    @property
    def target(self) -> tuple[str, object]:
        """Its URL."""
        return "webhook_url", self.webhook_url.get_secret_value()

    @model_validator(mode="after")
    def _is_encrypted(self) -> "_Hooked":
        self.check_scheme("webhook_url", self.webhook_url)
        return self


class SlackChannel(_Hooked):
    """Messages to a Slack channel, by an incoming webhook; Mattermost and Rocket.Chat take the same."""

    kind: Literal["slack"] = Field(description="What kind of channel it is.")


class TeamsChannel(_Hooked):
    """Cards to a Microsoft Teams channel, by a workflow that begins with a webhook."""

    kind: Literal["teams"] = Field(description="What kind of channel it is.")


class EmailChannel(AnyChannel):
    """Mails, by the server in the settings section `email`."""

    kind: Literal["email"] = Field(description="What kind of channel it is.")
    to: Annotated[tuple[EmailAddress, ...], Field(min_length=1)] = Field(description="Whom to write to; one at least.")
    cc: tuple[EmailAddress, ...] = Field((), description="Who gets a copy.")

    @property
    def target(self) -> tuple[str, object]:
        """Its addressees."""
        return "addressees", frozenset(address.lower() for address in (*self.to, *self.cc))


class WebhookChannel(_Posted):
    """Signed JSON to a program of your own."""

    kind: Literal["webhook"] = Field(description="What kind of channel it is.")
    url: SecretUrl = Field(description="Address that is posted to.")
    secret: Annotated[SecretStr, AfterValidator(_check_secret)] = Field(
        description="Signs what is posted, so that the receiver can tell it is from here: 16 characters at least."
    )

    @property
    def target(self) -> tuple[str, object]:
        """Its URL."""
        return "url", self.url.get_secret_value()

    @model_validator(mode="after")
    def _is_encrypted(self) -> "WebhookChannel":
        self.check_scheme("url", self.url)
        return self


def _kind_of(channel: object) -> str:
    kind = channel.get("kind") if isinstance(channel, dict) else getattr(channel, "kind", None)
    return DEFAULT_KIND if kind is None else str(kind).strip()


KINDS: dict[str, type[AnyChannel]] = {
    "pagerduty": PagerDutyChannel,
    "pagerduty_incident": IncidentChannel,
    "slack": SlackChannel,
    "teams": TeamsChannel,
    "email": EmailChannel,
    "webhook": WebhookChannel,
}
Channel = Annotated[
    Annotated[PagerDutyChannel, Tag("pagerduty")]
    | Annotated[IncidentChannel, Tag("pagerduty_incident")]
    | Annotated[SlackChannel, Tag("slack")]
    | Annotated[TeamsChannel, Tag("teams")]
    | Annotated[EmailChannel, Tag("email")]
    | Annotated[WebhookChannel, Tag("webhook")],
    Discriminator(_kind_of),
]
