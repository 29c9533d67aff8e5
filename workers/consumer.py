from __future__ import annotations

from functools import partial
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Protocol

from celery import signals
from celery.exceptions import InvalidTaskError, NotRegistered
from celery.utils.log import get_logger
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown
from kombu.exceptions import ContentDisallowed, DecodeError

from tasks.utils.error_reports import outcome
from workers.patience import Patience
from workers.transport import SCHEME
from workers.unreadable import UNREADABLE, UNREADABLE_HEADER
from workers.verifying import ForgedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workers.verifying import Gatekeeper

logger = get_logger(__name__)

#: The name of messages that nobody who may has signed.
FORGED = "forged_message"
MEND_FORGED = (
    "find out who writes to the queues: change its password, and see `Signed task messages` in docs/security.md"
)

#: How long to wait between attempts to reach a broker that is away. Celery's own 2, 4, ... 30 s would leave a worker
#: idle for half a minute after the server is back.
RECONNECT = {"interval_start": 0.5, "interval_step": 0.5, "interval_max": 3}


class DeadLetter(Protocol):
    """Keeps a message no task can take. Raising means it was not kept: then the message stays in the queue."""

    def __call__(self, raw_body: bytes | str, fault: str, headers: Mapping[str, Any], *reason: str) -> None:
        """Keep `raw_body`, with what is wrong with it and the headers it came with; `reason` names that, if it has a name."""


def log_dead_letter(raw_body: bytes | str, fault: str, headers: Mapping[str, Any], *reason: str) -> None:
    """What happens to a dead letter as long as the app sets no `dead_letter`: a line, without its contents."""
    logger.critical(
        "a message of %d bytes for task %s is dropped: %s. Set app.dead_letter to keep such messages",
        len(raw_body),
        headers.get("task"),
        ": ".join([*reason, fault]),
    )


def check_message(message: Any) -> None:
    """Raise InvalidTaskError for a task message Celery would take, only to fail, hang or crash later on."""
    body, options = message.payload, message.headers or {}
    if isinstance(body, dict):  # task message protocol 1
        body, options = (body.get("args", ()), body.get("kwargs", {}), None), body
    try:
        args, kwargs, embed = body
    except (TypeError, ValueError) as exc:
        raise InvalidTaskError("the body must be a list of args, kwargs and options") from exc
    if not isinstance(args, list | tuple) or not isinstance(kwargs, dict) or not isinstance(embed, dict | None):
        raise InvalidTaskError("args must be a list, kwargs and options must be objects")
    if not all(isinstance(limit, float | int | None) for limit in options.get("timelimit") or ()):
        raise InvalidTaskError("time limits must be numbers of seconds")


class ResilientConsumer(Consumer):
    """Celery's consumer with reliable fetch, dead letters, and the crash of 5.7.0 mended.

    Set `worker_consumer = "workers.consumer:ResilientConsumer"`. It reads two things of the app:
    `app.dead_letter` (a `DeadLetter`) and `app.conf.tocsin_reliable_fetch` (default True; False = stock transport).
    """

    #: Messages received since the start, of any kind: what the watchdog goes by.
    received = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.patience = Patience()
        super().__init__(*args, **kwargs)

    def connection_for_read(self, heartbeat: float | None = None) -> Any:
        """The connection tasks are consumed on: with reliable fetch, whatever form the broker URL has."""
        connection = self.app.connection_for_read(heartbeat=heartbeat)
        if self.app.conf.get("tocsin_reliable_fetch", True):
            connection.transport_cls = SCHEME
        return self.ensure_connected(connection)

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, retrying often enough that no worker sits idle for long once the server is back."""
        conn.ensure_connection = partial(conn.ensure_connection, **RECONNECT)
        return super().ensure_connected(conn)

    def on_connection_error_after_connected(self, exc: BaseException) -> None:
        """Clean up after a lost connection, without the crash of Celery 5.7.0.

        It closes the connection after collecting it; where collecting failed half way, closing enters a channel that
        has no client any more and dies of an AttributeError.
        """
        connection = self.connection
        collect = connection.collect

        def collect_and_forget(socket_timeout: float | None = None) -> None:
            try:
                collect(socket_timeout=socket_timeout)
            finally:
                connection._default_channel = None  # noqa: SLF001 - there is no public way to forget it

        connection.collect = collect_and_forget
        super().on_connection_error_after_connected(exc)

    def on_connection_error_before_connected(self, exc: BaseException) -> None:
        """Say why the server takes nobody, then leave it alone for a moment.

        A server that is full or read-only answers at once, so that Celery would ask it six times a second, with a line each.
        """
        if self.patience.is_news(str(exc), monotonic()):
            logger.error("the server takes no worker for now (%s); it is asked again every few seconds", exc)
        over = monotonic() + self.patience.pause(monotonic())
        while (left := over - monotonic()) > 0:
            maybe_shutdown()
            sleep(min(left, 0.2))

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Celery's handler of received messages; one it chokes on is buried instead of killing worker after worker."""
        handle = super().create_task_handler(*args, **kwargs)
        gatekeeper: Gatekeeper | None = getattr(self.app, "gatekeeper", None)

        def on_task_received(message: Any) -> None:
            self.received += 1
            try:
                check_message(message)
                if gatekeeper is not None:
                    gatekeeper.check(message)
                handle(message)
            except (DecodeError, ContentDisallowed) as exc:
                self.on_decode_error(message, exc)
            except ForgedError as exc:
                self.on_forged_task(message, exc)
            except (InvalidTaskError, *UNREADABLE) as exc:
                if message.acknowledged:
                    raise
                logger.debug("malformed task message", exc_info=True)
                self.on_invalid_task(None, message, exc)

        return on_task_received

    def on_decode_error(self, message: Any, exc: BaseException) -> None:
        """Bury a message whose body, or whole, cannot be read."""
        reason = (message.headers or {}).get(UNREADABLE_HEADER, exc)
        self._bury(message, f"cannot be decoded: {reason}")
        message.ack_log_error(logger, self.connection_errors)

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """Bury a message that is readable but is no task message."""
        del body
        self._bury(message, "is not a task message")
        message.reject_log_error(logger, self.connection_errors)
        signals.task_rejected.send(sender=self, message=message, exc=None)

    def on_invalid_task(self, body: Any, message: Any, exc: BaseException) -> None:
        """Bury a task message that breaks the task message protocol."""
        del body
        self._bury(message, f"is no valid task message: {type(exc).__name__}: {exc}")
        message.reject_log_error(logger, self.connection_errors)
        signals.task_rejected.send(sender=self, message=message, exc=exc)

    def on_forged_task(self, message: Any, exc: ForgedError) -> None:
        """Bury a message that nobody who may has signed; it is an error of its own, for somebody writes to the queues."""
        self._bury(message, str(exc), FORGED)
        self.app.runtime.errors.note(
            outcome(FORGED, "queue", f"a message {exc}", severity="critical", mend=MEND_FORGED)
        )
        message.reject_log_error(logger, self.connection_errors)
        signals.task_rejected.send(sender=self, message=message, exc=exc)

    def on_unknown_task(self, body: Any, message: Any, exc: BaseException) -> None:
        """Bury a message for a task nobody here knows, and tell who waits for its result."""
        del body
        headers = message.headers if "task" in message.headers else message.payload
        name, task_id = headers["task"], headers.get("id")
        self._bury(message, f"names an unknown task, {name!r}")
        message.reject_log_error(logger, self.connection_errors)
        if task_id:
            self.app.backend.store_result(task_id, NotRegistered(name), "FAILURE")
        if task_id and self.event_dispatcher:
            self.event_dispatcher.send("task-failed", uuid=task_id, exception=f"NotRegistered({name!r})")
        signals.task_unknown.send(sender=self, message=message, exc=exc, name=name, id=task_id)

    def _bury(self, message: Any, fault: str, *reason: str) -> None:
        """Hand a message to the app's dead letters, under this reason; only after that it may be acknowledged."""
        # Neither the body nor argsrepr goes into the log: they are somebody else's data.
        logger.error("a message %s; it goes to the dead letters", fault)
        bury: DeadLetter = getattr(self.app, "dead_letter", None) or log_dead_letter
        bury(message.body, fault, message.headers or {}, *reason)
