"""A consumer and a producer with plain kombu, to look at reliable fetch without Celery around it."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from kombu import Connection, Consumer, Queue

from workers.transport import SCHEME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis

    from deploy.local.embedded import Server
    from workers.transport import QueueChannel

ALERT = Queue("alert", routing_key="alert")
INFLIGHT = "t:_fetch.inflight.alert"
#: Seconds after which a message in flight is offered again, in these tests.
TOO_LONG = 0.3


class Taker:
    """A consumer of its own, as a worker has one, without Celery around it."""

    def __init__(
        self, server: Server, *queues: Queue, prefetch: int = 0, reliable: bool = True, **options: Any
    ) -> None:
        self.connection = Connection(
            server.url,
            transport=SCHEME if reliable else None,
            transport_options={
                "global_keyprefix": "t:",
                "priority_steps": [0],
                "inflight_timeout": TOO_LONG,
                "unacked_restore_throttle": 1,
                **options,
            },
        )
        self.messages: list[Any] = []
        self.consumer = Consumer(self.connection, queues or [ALERT], on_message=self.messages.append, accept=["json"])
        self.consumer.qos(prefetch_count=prefetch)
        self.consumer.consume()

    @property
    def fetcher(self) -> QueueChannel:
        fetcher: QueueChannel = self.consumer.channel._fetchers["alert"]
        return fetcher

    def take(self, count: int = 1, seconds: float = 20) -> list[Any]:
        """The bodies of the next `count` messages, not acknowledged."""
        before = len(self.messages)
        deadline = time.monotonic() + seconds
        while len(self.messages) < before + count and time.monotonic() < deadline:
            self.look()
        return [message.payload for message in self.messages[before:]]

    def look(self, seconds: float = 0.2) -> None:
        """Let the connection work for a moment."""
        with suppress(TimeoutError):
            self.connection.drain_events(timeout=seconds)

    def fetch_only(self, store: redis.Redis) -> None:
        """Get as far as a worker killed at the worst moment: the message has left the queue, nobody has read it."""
        self.connection.transport.cycle.on_poll_start()
        wait_for(lambda: store.llen(INFLIGHT))

    def vanish(self) -> None:
        """Die: the sockets are cut, nothing is said."""
        for channel in list(self.connection.transport.channels):
            channel.connection.cycle.discard(channel)
            channel._disconnect_pools()

    def close(self) -> None:
        self.connection.close()


def wait_for(claim: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Takers:
    """Makes takers on one server and closes them in the end."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.made: list[Taker] = []

    def __call__(self, *queues: Queue, **options: Any) -> Taker:
        self.made.append(Taker(self.server, *queues, **options))
        return self.made[-1]

    def close(self) -> None:
        for taker in self.made:
            taker.close()


@contextmanager
def sender(server: Server) -> Iterator[Callable[..., None]]:
    """Publishes as any kombu producer does."""
    with Connection(server.url, transport_options={"global_keyprefix": "t:"}) as connection:
        producer = connection.Producer(serializer="json")

        def publish(*bodies: Any, queue: Queue = ALERT, **options: Any) -> None:
            for body in bodies:
                producer.publish(body, routing_key=queue.routing_key, declare=[queue], **options)

        yield publish
