"""What a service file says: who may raise alerts for it, and where they go."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from config.errors import UnfitError
from config.grouping import BundleSize, GroupBy
from config.routing import Route, walk
from config.section import Section
from config.sections import SeverityDeadlines
from config.suppression import Flapping
from config.values import Duration, EventsUrl, Key32, Name


class Channel(Section):
    """One way to reach people; the channels of a service are tried in the order they are written."""

    name: Name = Field(description="Name of the channel, unique in its service; reports and the ledger use it.")
    kind: Literal["pagerduty"] = Field("pagerduty", description="What kind of channel it is.")
    routing_key: Key32 = Field(description="Events v2 integration key of the PagerDuty service: 32 letters and digits.")
    retired_keys: tuple[Key32, ...] = Field(
        (), description="Former routing keys; they still resolve the alerts they opened, and open none."
    )
    events_url: EventsUrl | None = Field(
        None, description="Base address of the Events API for this channel only; without it `pagerduty.events_url`."
    )
    routed_only: bool = Field(
        default=False,
        description="Whether only the routes that name it take it, so that the service's own list leaves it out.",
    )


class Service(Section):
    """One thing that people are on call for; the name of its file is its name."""

    name: Name = Field(description="Name of the service; may be left out. Default: the name of the file.")
    description: str | None = Field(None, description="One line for people: what the service is.")
    team: str | None = Field(None, description="Who owns it; told when a key of the service is refused.")
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
    group_by: GroupBy | None = Field(
        None, description="Labels that alerts told of together have in common; see a route's."
    )
    max_wait: Duration | None = Field(None, description="`grouping.max_wait` for this service only.")
    max_size: BundleSize | None = Field(None, description="`grouping.max_size` for this service only.")
    repeat_interval: Duration | None = Field(None, description="`grouping.repeat_interval` for this service only.")
    routes: tuple[Route, ...] = Field(
        (), description="Which alerts take other channels, the first that fits; without one, the service's own."
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
        ways = [(channel.routing_key.get_secret_value(), channel.events_url) for channel in self.channels]
        if len(set(ways)) < len(ways):
            raise UnfitError(
                "two channels have the same routing key, so the second can never help",
                "give the second channel the key of another integration, or remove it",
            )
        if not self.own_channels:
            raise UnfitError(
                "every channel is routed_only, so that alerts which no route fits go nowhere",
                "remove routed_only from one of them",
            )
        return self
