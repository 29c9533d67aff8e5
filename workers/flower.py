"""Flower, the operators' page, run inside this process so that no password is seen in a process list."""

import ast
import json
import logging
import signal
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from flower.app import Flower
from flower.events import Events
from flower.inspector import Inspector
from flower.options import default_options as options
from flower.urls import settings as web_settings
from flower.utils import prepend_url

from config.errors import ConfigError, Problem
from tasks.utils.identifiers import is_identifier
from tasks.utils.redaction import redacted

if TYPE_CHECKING:
    from celery import Celery

    from config.models import Settings

SAVE_EVERY_MS: Final = 60_000
FORGET_OFFLINE_AFTER_SECONDS: Final = 300
MEET_AFTER_SECONDS: Final = 2  # a worker says that it is online a little before it listens
MOST_TASKS: Final = 20_000
# What may be shown of a task's arguments and result: values under these names, and plain numbers.
ID_NAMES: Final = frozenset({"id", "ids", "event_id", "event_ids", "replayed", "task_id", "slot"})
HIDDEN: Final = "(hidden)"


def run(
    settings: "Settings",
    host: str | None = None,
    port: int | None = None,
    *,
    app: "Celery | None" = None,
) -> None:
    """Serve Flower until SIGTERM or Ctrl-C; prints {"url": …} once it listens.

    Raises ConfigError where no password is set, OSError where the port is taken.
    """
    _configure(settings)
    options.address = host or settings.flower.host
    options.port = settings.flower.port if port is None else port
    flower = RedactingFlower(capp=app or _own_app(), options=options, **_web_settings())

    def end(_number: int, _frame: FrameType | None) -> None:
        flower.io_loop.add_callback_from_signal(flower.io_loop.stop)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    bound = flower.start_http_server()
    print(json.dumps({"url": f"http://{options.address}:{bound}{_base_path()}"}), flush=True)  # noqa: T201
    try:
        flower.start()
    finally:
        flower.stop()


class RedactingEvents(Events):
    """Takes arguments and results out of each event before it is kept.

    Flower's own `format_task` covers only the pages: its API, its search and its file would still hold everything.
    """

    meet: "Callable[[str], object] | None" = None

    def on_event(self, event: dict[str, Any]) -> None:
        """Keep what is left of an event; have a worker that has come up tell its queues, which the broker page lists."""
        super().on_event(redact(event))
        if self.meet and event["type"] == "worker-online":
            self.io_loop.add_callback(self.io_loop.call_later, MEET_AFTER_SECONDS, self.meet, event["hostname"])


class RedactingInspector(Inspector):
    """Does the same to the task lists that workers answer."""

    def _on_update(self, workername: str, method: str, response: Any) -> None:
        if method in {"active", "reserved"}:
            response = [redact(task) for task in response]
        elif method == "scheduled":
            response = [{**entry, "request": redact(entry["request"])} for entry in response]
        super()._on_update(workername, method, response)


class RedactingFlower(Flower):
    """Flower that never gets to see what a task carries."""

    def __init__(self, **settings: Any) -> None:
        events = RedactingEvents(
            settings["capp"],
            db=options.db,
            persistent=options.persistent,
            state_save_interval=options.state_save_interval,
            enable_events=options.enable_events,
            io_loop=None,
            max_workers_in_memory=options.max_workers,
            max_tasks_in_memory=options.max_tasks,
        )
        super().__init__(events=events, **settings)
        events.io_loop = self.io_loop
        events.meet = self.update_workers
        self.inspector = RedactingInspector(self.io_loop, self.capp, options.inspect_timeout / 1000)


def redact(task: dict[str, Any]) -> dict[str, Any]:
    """The same event or task with nothing but ids and numbers in its arguments and its result, and no secret in its error."""
    return {key: _HOW_SHOWN[key](value) if key in _HOW_SHOWN else value for key, value in task.items()}


def shown(value: object) -> str:
    """What may be shown of arguments or a result, given as they are or as the text Celery makes of them."""
    if isinstance(value, str):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return HIDDEN
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_shown_under(name, part)}" for name, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_shown_under("", part) for part in value) + "]"
    return _shown_under("", value)


_HOW_SHOWN: Final[dict[str, Callable[[Any], object]]] = {
    **dict.fromkeys(("args", "kwargs", "result"), shown),
    **dict.fromkeys(("exception", "traceback"), lambda text: redacted(text) if isinstance(text, str) else text),
}


def _shown_under(name: object, value: object) -> str:
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    if name in ID_NAMES:
        return _as_ids(value)
    return f"({len(value)} items)" if isinstance(value, list | tuple | dict) else HIDDEN


def _as_ids(value: object) -> str:
    ids = value if isinstance(value, list | tuple) else [value]
    return " ".join(str(part) if is_identifier("event", part) else HIDDEN for part in ids)


def _configure(settings: "Settings") -> None:
    if settings.flower.password is None:
        mend = "set one, or use `tocsin up`, which makes one up"
        raise ConfigError([Problem("TOCSIN_FLOWER__PASSWORD", "flower.password", "is not set", mend)])
    folder = settings.state_dir / "flower"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    options.basic_auth = [f"{settings.flower.user}:{settings.flower.password.get_secret_value()}"]
    options.persistent = True
    options.db = str(folder / "state")
    options.state_save_interval = SAVE_EVERY_MS
    options.purge_offline_workers = FORGET_OFFLINE_AFTER_SECONDS
    options.max_tasks = MOST_TASKS
    options.url_prefix = settings.flower.url_prefix.strip("/")
    # Our workers send events by themselves; Flower need not tell every worker again every five seconds.
    options.enable_events = False
    # It complains of every worker that is not up yet, also while they are all being started.
    logging.getLogger("flower.inspector").setLevel(logging.ERROR)
    logging.getLogger("tornado.access").setLevel(logging.ERROR)


def _base_path() -> str:
    return f"/{options.url_prefix}/" if options.url_prefix else "/"


def _web_settings() -> dict[str, Any]:
    prefix = options.url_prefix
    moved = {name: prepend_url(web_settings[name], prefix) for name in ("login_url", "static_url_prefix") if prefix}
    return {**web_settings, **moved}


def _own_app() -> "Celery":
    from workers.app import app  # noqa: PLC0415 (only a Flower of our own needs the whole application)

    return app
