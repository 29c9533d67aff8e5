"""Sends one alert straight by the channels of a service: no Redis, no worker, no queue. For what the usual way cannot carry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from tasks.notifications.channels.protocol import Message
from tasks.utils.bundles import Bundle, Member

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tasks.notifications.channels.protocol import Address, Channel
    from tasks.notifications.letters import Builder
    from tasks.utils.rows import Outcome

log = structlog.get_logger("tocsin.direct")

Alert = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """Whether a channel took it, and the places (`<channel>|<key id>`) that may hold it open now."""

    is_taken: bool
    places: tuple[str, ...]


class DirectLine:
    """Tries the addresses in order until one takes the alert."""

    def __init__(
        self, channels: Mapping[str, Channel], addresses: Sequence[Address], make_builder: Callable[[], Builder]
    ) -> None:
        self._channels = channels
        self._addresses = addresses
        self._make_builder = make_builder

    def trigger(self, alert: Alert, message_id: str) -> Told:
        """Open it at the first place that takes it; where an answer was lost on the way, at that one perhaps, too."""
        places: list[str] = []
        for address in self._addresses:
            key_id = address.current_key_id
            outcome = self._send(address, key_id, alert, message_id)
            if outcome.verb == "sent" or outcome.unclear:
                places.append(f"{address.channel}|{key_id}")
            if outcome.verb == "sent":
                return Told(is_taken=True, places=tuple(places))
        return Told(is_taken=False, places=tuple(places))

    def resolve(self, alert: Alert, message_id: str, places: Sequence[str]) -> tuple[str, ...]:
        """End it at these places; those that have to be told again. A place that is not configured any more, or refuses, is given up."""
        left = []
        for place in places:
            channel, _, key_id = place.partition("|")
            address = next((one for one in self._addresses if one.channel == channel and key_id in one.keys), None)
            if address and self._send(address, key_id, alert, message_id).verb in ("retry", "pause"):
                left.append(place)
        return tuple(left)

    def close(self) -> None:
        """Let go of connections."""
        for channel in self._channels.values():
            channel.close()

    def _send(self, address: Address, key_id: str, alert: Alert, message_id: str) -> Outcome:
        notice = None
        if address.takes_words:
            words = {name: address.options[name] for name in ("locale", "template") if address.options.get(name)}
            notice = self._make_builder().notice(address.kind, _bundle(alert, message_id, address), **words)
        message = Message(
            alert=alert,
            url=address.url,
            key=address.key(key_id),
            id=message_id,
            notice=notice,
            options=address.options,
        )
        outcome = self._channels[address.kind].send(message)
        if outcome.verb != "sent":
            log.warning("not_told_directly", channel=address.channel, reason=outcome.reason)
        return outcome


def _bundle(alert: Alert, message_id: str, address: Address) -> Bundle:
    """The alert as a message of one for people."""
    payload, action, now = alert["payload"], alert["event_action"], datetime.now(UTC)
    shared = {"service": alert["service"], "dedup_key": alert["dedup_key"], "severity": payload["severity"], "at": now}
    member = Member(
        event_id=message_id,
        action=action,
        summary=payload["summary"],
        source=payload["source"],
        details=payload.get("custom_details"),
        **shared,
    )
    open_now = int(action == "trigger")
    return Bundle(
        id=message_id,
        destination=alert["service"],
        channel=address.channel,
        action=action,
        members=[member],
        open=open_now,
        **shared,
    )
