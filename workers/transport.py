"""Reliable fetch: a kombu transport that never has a message only in its own memory.

The stock Redis transport pops a message (BRPOP) and books it as unacknowledged in a second step; a worker killed
in between loses it, late acknowledgement or not. Here a message is moved (BLMOVE) to a list of messages in flight,
and leaves that in the very step that books it. What stays in flight for too long is offered again.

Only how a durable queue is consumed differs, so producers, Flower, `inspect`, reply queues and broadcasts keep
working as they are, and stock workers may consume the same queue. Needs Redis 6.2 or Valkey.
"""

# mypy: disallow-untyped-calls=False
from __future__ import annotations

from contextlib import suppress
from itertools import takewhile
from queue import Empty
from time import monotonic
from typing import TYPE_CHECKING, Any

from kombu.log import get_logger
from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.transport import redis as stock
from kombu.utils.json import dumps
from redis import Redis

from workers.inflight import InFlight
from workers.unreadable import Message

if TYPE_CHECKING:
    from collections.abc import Callable

logger = get_logger(__name__)

#: The name kombu knows this transport by once this module is imported: `Connection(url, transport=SCHEME)`.
SCHEME = "reliable-redis"
TRANSPORT_ALIASES[SCHEME] = "workers.transport:Transport"


class Gone(Empty):
    """The message fetched was offered again meanwhile and is somebody else's: as good as an empty queue."""


class QoS(stock.QoS):
    """Books a fetched message in the step that takes it out of flight."""

    def append(self, message: Any, delivery_tag: str) -> None:
        """Book a message about to be delivered. Raises Gone if it must not be."""
        if not isinstance(message.channel, QueueChannel):
            super().append(message, delivery_tag)
            return
        message.channel.book(message)
        virtual.QoS.append(self, message, delivery_tag)


class QueueChannel(stock.Channel):
    """Fetches one durable queue for a `Channel`, on a connection of its own.

    Several queues thus wait side by side: none delays another, and a busy one cannot starve the rest.
    """

    Message = Message

    _in_poll: Any = None
    _brpop_sent_at: Any = None
    inflight_timeout: float = 5
    from_transport_options = (  # type: ignore[assignment] # kombu's type is a tuple of its own options
        *stock.Channel.from_transport_options,
        "inflight_timeout",
    )

    def __init__(self, owner: Channel, queue: str) -> None:
        self.owner = owner
        self.queue = queue
        self.fetched = b""
        super().__init__(owner.connection)
        client = Redis(connection_pool=self.pool)
        self.inflight = InFlight(client, queue, prefix=self.global_keyprefix, separator=self.sep)
        self.sweep()

    @property
    def qos(self) -> Any:
        """The owner's: prefetch limit and unacknowledged messages are common to all its queues."""
        return self.owner.qos

    def sweep(self) -> None:
        """Offer again what dead or stuck consumers of this queue have in flight."""
        back = self.inflight.sweep(self.inflight_timeout)
        if back:
            logger.warning(
                "queue %s: %d message(s) were in flight for too long and are offered again", self.queue, back
            )

    def book(self, message: Any) -> None:
        """Book the message just fetched as unacknowledged. Raises Gone."""
        info = message.delivery_info
        booked = self.inflight.book(
            self.fetched,
            message.delivery_tag,
            keys=(self.unacked_key, self.unacked_index_key),
            route=dumps([info["exchange"], info["routing_key"]])[1:-1],
            instead=dumps(message._raw) if message.wrapped else "",  # noqa: SLF001 - kombu's own QoS books just this
        )
        if not booked:
            raise Gone

    def has_reply(self) -> bool:
        """Whether the reply to a fetch has come in and is still to be read."""
        return bool(self._in_poll) and self._has_input()

    def is_cut_off(self) -> bool:
        """Whether the server closed the connection: there is something to read although nothing was asked."""
        return not self._in_poll and self._has_input()

    def _has_input(self) -> bool:
        return bool(stock._socket_readable(self.client.connection._sock))  # noqa: SLF001 - as the stock poller looks

    def _brpop_start(self, timeout: float | None = None) -> None:
        if not self.active_queues:
            return
        connection = self.client.connection
        self._in_poll = connection
        self._brpop_sent_at = monotonic()
        connection.send_command(*self.inflight.fetch_command(timeout or self.brpop_timeout))

    def _brpop_read(self, **options: Any) -> bool:
        try:
            message = self._read_reply(**options)
            if message is None:
                raise Empty
            self._hand_over(message)
            return True
        finally:
            self._in_poll = None
            # The connection is idle now, the only time at which rotated credentials may be sent on it.
            self._flush_brpop_reauth()

    def _read_reply(self, **options: Any) -> bytes | None:
        connection = self.client.connection
        try:
            reply: bytes | None = self.client.parse_response(connection, "BLMOVE", **options)
        except self.connection_errors:
            connection.disconnect()
            raise
        return reply

    def _hand_over(self, message: bytes) -> None:
        if self._is_welcome():
            self.fetched = message
            self.connection.cycle.served(self)
            self.connection._deliver(message, self.queue)  # noqa: SLF001 - as the stock transport does
        else:
            self.inflight.give_back(message)

    def _is_welcome(self) -> bool:
        """Whether this worker can take a message: another queue may have used up its last credit meanwhile."""
        consuming = self.queue in self.connection._callbacks  # noqa: SLF001 - no public way to ask
        return consuming and not self._closing and bool(self.qos.can_consume())

    def _poll_error(self, type: str, **options: Any) -> None:  # noqa: A002 - kombu's name
        if type == "BRPOP":
            self._read_reply(**options)
        else:
            super()._poll_error(type, **options)

    def close(self) -> None:
        """Close, giving back what was fetched last; where the server cannot be reached, a sweep will."""
        try:
            super().close()
        except (*self.connection_errors, self.ResponseError):
            logger.debug("queue %s: no reply to the last fetch", self.queue, exc_info=True)
            # By now nothing is pending, so that this time it closes.
            super().close()


class Channel(stock.Channel):
    """A stock channel that leaves the fetching of durable queues to a `QueueChannel` each."""

    QoS = QoS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._durable: set[str] = set()
        self._fetchers: dict[str, QueueChannel] = {}
        super().__init__(*args, **kwargs)

    def _new_queue(self, queue: str, auto_delete: bool = False, **kwargs: Any) -> None:  # noqa: FBT001, FBT002 - kombu's
        super()._new_queue(queue, auto_delete=auto_delete, **kwargs)
        if kwargs.get("durable") and not auto_delete and queue not in self._expires:
            self._durable.add(queue)

    def basic_consume(
        self,
        queue: str,
        no_ack: bool,  # noqa: FBT001 - kombu's
        callback: Callable[..., Any],
        consumer_tag: str,
        **kwargs: Any,
    ) -> None:
        """Consume from `queue`; reliably if it is durable and its messages are to be acknowledged."""
        if no_ack or queue not in self._durable:
            super().basic_consume(queue, no_ack, callback, consumer_tag, **kwargs)
            return
        fetcher = self._fetchers.get(queue)
        if fetcher is None:
            fetcher = self._fetchers[queue] = QueueChannel(self, queue)
            self.connection.channels.append(fetcher)
        fetcher.basic_consume(queue, no_ack, callback, consumer_tag, **kwargs)

    def basic_cancel(self, consumer_tag: str) -> None:
        """Stop one consumer; what it still gets goes back to the queue."""
        for fetcher in self._fetchers.values():
            fetcher.basic_cancel(consumer_tag)
        super().basic_cancel(consumer_tag)

    def close(self) -> None:
        """Close, with the fetchers first: what they give back must not be restored twice."""
        if not self.closed:
            for fetcher in self._fetchers.values():
                fetcher.close()
        super().close()


class Rota(dict[stock.Channel, None]):
    """Channels in the order in which they get their turn; used as the set it stands in for."""

    def add(self, channel: stock.Channel) -> None:
        """Let `channel` have its turn, last of all."""
        self[channel] = None

    def discard(self, channel: stock.Channel) -> None:
        """Leave `channel` out, if it is in."""
        self.pop(channel, None)


class Poller(stock.MultiChannelPoller):
    """Lets queues take turns, and sweeps them as often as unacknowledged messages are looked through.

    A reply that comes when no more messages can be taken is not left in its socket, as the stock poller does: the
    message goes back to its queue, where a worker with a free slot finds it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._channels: Any = Rota()

    def served(self, channel: QueueChannel) -> None:
        """Let all others ask before `channel` does again."""
        self._channels.discard(channel)
        self._channels.add(channel)

    def on_readable(self, fileno: int) -> None:
        """Read what came in on a socket; if on several, in turn, as there may be room for one message only."""
        channel, kind = self._fd_to_chan.get(fileno, (None, None))
        if not isinstance(channel, QueueChannel) or kind != "BRPOP":
            super().on_readable(fileno)
            return
        ahead = takewhile(lambda other: other is not channel, self._channels)
        for one in [other for other in ahead if isinstance(other, QueueChannel) and other.has_reply()]:
            with suppress(Empty):
                one.handlers[kind]()
        if channel._in_poll:  # noqa: SLF001 - kombu's design
            channel.handlers[kind]()
        elif channel.is_cut_off():
            super().on_readable(fileno)

    def maybe_restore_messages(self) -> None:
        """Restore unacknowledged messages as the stock poller does, and messages in flight."""
        super().maybe_restore_messages()
        for channel in [channel for channel in self._channels if isinstance(channel, QueueChannel)]:
            try:
                channel.sweep()
            except channel.connection_errors:
                logger.debug("queue %s: sweep failed, next one soon", channel.queue, exc_info=True)
                return
            except channel.ResponseError:
                logger.warning("queue %s: sweep refused by the server", channel.queue, exc_info=True)

    def _pause_brpop(self, channel: stock.Channel, fileno: int) -> None:
        if not isinstance(channel, QueueChannel):
            super()._pause_brpop(channel, fileno)


class Transport(stock.Transport):
    """The Redis transport with reliable fetch. Takes the same URLs and options, and `inflight_timeout` (seconds)."""

    Channel = Channel

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cycle: Any = Poller()
