"""The way past Redis as the settings have it, and what the places of all channels are called."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tasks.notifications.direct import DirectLine
from tasks.notifications.wiring import NAMES, channels_of, whole_address
from tasks.utils.places import Place
from tasks.utils.rows import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.channels import Channel as ChannelSetting
    from config.models import Settings
    from tasks.notifications.channels.posting import Answer, Poster
    from tasks.notifications.letters import Builder
    from tasks.notifications.telling import Teller


def direct_line(settings: Settings, teller: Teller) -> DirectLine:
    """Straight to the channels of the service that takes Tocsin's own alerts."""
    made: list[Builder] = []

    def builder() -> Builder:
        if not made:
            from tasks.utils.notification_builder import NotificationBuilder  # noqa: PLC0415 - templates take long to import

            made.append(NotificationBuilder(settings.config_dir / "templates", report=teller.template_broken))
        return made[0]

    channels = settings.own_service.own_channels
    addresses = [whole_address(settings, channel) for channel in channels]
    return DirectLine(channels_of(settings), addresses, builder)


def outside_post(settings: Settings) -> Callable[[], bool] | None:
    """Posts the dead-man's signal; whether it was taken. None where no address is set."""
    url = settings.own_alerts.dead_man_url
    if url is None:
        return None

    posters: list[Poster] = []

    def post() -> bool:
        if not posters:
            from tasks.notifications.channels.makers import poster  # noqa: PLC0415 - an HTTP client takes long to import

            posters.append(poster(settings))
        return posters[0].post(url.get_secret_value(), b"", _taken).verb == "sent"

    return post


def _taken(answer: Answer) -> Outcome:
    return Outcome("sent" if 200 <= answer.status < 300 else "refused", f"http:{answer.status}")


def places_of(settings: Settings) -> dict[str, Place]:
    """Every place alerts may go to, by `<channel>|<key id>`."""
    return dict(_places(settings))


def own_endpoints(settings: Settings) -> frozenset[str]:
    """The other sides that Tocsin's own alerts may go to."""
    return frozenset(_endpoint(channel, settings) for channel in settings.own_service.own_channels)


def _places(settings: Settings) -> Iterator[tuple[str, Place]]:
    for service in settings.services.values():
        for channel in service.channels:
            place = Place(
                endpoint=_endpoint(channel, settings),
                kind=NAMES.get(channel.kind, channel.kind),
                words=f"{service.name} via {channel.name}",
                owner=service.team or service.name,
            )
            for key_id in whole_address(settings, channel).keys:
                yield f"{channel.name}|{key_id}", place


def _endpoint(channel: ChannelSetting, settings: Settings) -> str:
    """The other side: kind and a digest, for dedup keys show it and a host may be nobody else's business."""
    endpoint = whole_address(settings, channel).endpoint
    return f"{channel.kind}-{hashlib.sha256(endpoint.encode()).hexdigest()[:8]}"
