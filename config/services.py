"""What a service file says: who may raise alerts for it, and where they go."""

from typing import Annotated

from pydantic import Field, model_validator

from config.channels import Channel
from config.encrypted_fields import EncryptedFields
from config.errors import UnfitError
from config.grouping import BundleSize, GroupBy
from config.routing import Route, walk
from config.section import Section
from config.sections import SeverityDeadlines
from config.suppression import Flapping
from config.values import Duration, Key32, Name, PagerDutyId, Quota


class Service(Section):
    """One thing that people are on call for; the name of its file is its name."""

    name: Name = Field(description="Name of the service; may be left out. Default: the name of the file.")
    description: str | None = Field(None, description="One line for people: what the service is.")
    team: str | None = Field(None, description="Who owns it; told when a key of the service is refused.")
    pagerduty_service_id: PagerDutyId | None = Field(
        None,
        description="PagerDuty's id of the service these alerts belong to, such as PABC123: its maintenance windows count here too.",
    )
    ingest_keys: tuple[Key32, ...] = Field(
        (), description="Keys with which producers send alerts over HTTP: 32 letters and digits, several alive at once."
    )
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)] = Field(
        description="Where alerts go, in order of fall-back; one at least."
    )
    dedup_window: Duration | None = Field(None, description="`dedup.window` for this service only.")
    severity_deadlines: SeverityDeadlines | None = Field(
        None, description="`delivery.severity_deadlines` for this service only; severities left out keep theirs."
    )
    encrypt_fields: EncryptedFields = Field(
        (),
        description="Fields of its alerts that are kept encrypted and are readable only in what is sent: "
        "`custom_details.NAME`, `custom_details`, `links`, `images`, `client_url`; see docs/security.md.",
    )
    quota: Quota | None = Field(None, description="`ingest.quota` for this service only; 0 is no limit.")
    group_by: GroupBy | None = Field(
        None, description="Labels that alerts told of together have in common; see a route's."
    )
    max_wait: Duration | None = Field(None, description="`grouping.max_wait` for this service only.")
    max_size: BundleSize | None = Field(None, description="`grouping.max_size` for this service only.")
    repeat_interval: Duration | None = Field(None, description="`grouping.repeat_interval` for this service only.")
    routes: tuple[Route, ...] = Field(
        (), description="Which alerts take other channels, the first that fits; without one, the service's own."
    )

    escalation: Name | None = Field(
        None,
        description="Policy by which alerts that nobody answers go on, from its file `policies/NAME.yaml`. Default: PagerDuty's own.",
    )

    @property
    def own_channels(self) -> tuple[Channel, ...]:
        """The channels of alerts that no route sends elsewhere."""
        return tuple(channel for channel in self.channels if not channel.routed_only)

    @property
    def destinations(self) -> dict[str, tuple[str, ...]]:
        """The lists of channels its alerts can take, by the name of the destination: its own one first, then its routes'."""
        lists = [tuple(channel.name for channel in self.own_channels)]
        lists += [route.channels for route in walk(self.routes) if route.channels]
        lists += [(channel.name,) for channel in self.channels if self.escalation]  # a step of a policy names one
        return {self.destination(channels): channels for channels in reversed(lists)}

    def destination(self, channels: tuple[str, ...]) -> str:
        """Where a list of channels leads: `SERVICE` if it begins like the service's own list, else `SERVICE/FIRST CHANNEL`."""
        first = channels[0]
        return self.name if first == self.own_channels[0].name else f"{self.name}/{first}"

    flapping: Flapping | None = Field(
        None, description="`flapping` for this service only; what is left out stays as there."
    )

    @model_validator(mode="after")
    def _channels_differ(self) -> "Service":
        names = [channel.name for channel in self.channels]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UnfitError(f"two channels are called {twice[0]!r}", "give every channel of the service its own name")
        seen: set[tuple[str, str, object]] = set()
        for channel in self.channels:
            noun, target = channel.target
            if (channel.kind, noun, target) in seen:
                raise UnfitError(
                    f"two channels have the same {noun}, so the second can never help",
                    f"give the second channel the {noun} of another place, or remove it",
                )
            seen.add((channel.kind, noun, target))
        if not self.own_channels:
            raise UnfitError(
                "every channel is routed_only, so that alerts which no route fits go nowhere",
                "remove routed_only from one of them",
            )
        return self
