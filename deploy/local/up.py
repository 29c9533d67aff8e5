import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Final

import redis

from config.errors import ConfigError
from config.models import Settings
from config.settings import load
from config.values import mask_redis_url
from deploy.local.card import show_card
from deploy.local.child import Child, Stage
from deploy.local.embedded import EmbeddedRefusedError, EmbeddedServerError, Server, resolve
from deploy.local.letterbox import Letterbox
from deploy.local.lock import FolderBusyError, FolderLock
from deploy.local.narrator import Narrator
from deploy.local.plan import Plan, make_plan
from deploy.local.processes import ProcessGroup, StartError
from deploy.local.terminal import Level, Terminal
from tasks.utils.connect import connect

FAILED: Final = 1
UNAVAILABLE: Final = 69
TRY_LATER: Final = 75
BAD_CONFIG: Final = 78
INTERRUPTED: Final = 130

SPACE_AND_RIGHTS: Final = (
    "Tocsin keeps its state in a folder that it may write to: name one with --state-dir or TOCSIN_STATE_DIR, "
    "and see that its disk has room."
)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line may say; None means that the settings decide."""

    config_dir: Path | None = None
    state_dir: Path | None = None
    overrides: Mapping[str, object] = field(default_factory=dict)
    sandbox: bool | None = None
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """Everything, up and ready: what a story that is told on it gets to know."""

    settings: Settings
    plan: Plan
    group: ProcessGroup
    terminal: Terminal


Story = Callable[[Running], int]


class News(Enum):
    """What the main thread waits for, besides the end of the story."""

    INTERRUPTED = auto()
    STOPPED = auto()


def up(options: Options, story: Story | None = None) -> int:
    """Run everything until it is interrupted, or until the story is told; the exit code.

    Without a story it is narrated what becomes of every alert.
    """
    terminal = Terminal()
    try:
        settings = load(config_dir=options.config_dir, state_dir=options.state_dir, overrides=options.overrides)
        with closing(FolderLock(settings.state_dir / "up.lock", owner="Tocsin").acquire()):
            return _Session(settings, options, terminal).run(story)
    except (ConfigError, EmbeddedRefusedError) as error:
        return _fail(terminal, error, BAD_CONFIG)
    except EmbeddedServerError as error:
        return _fail(terminal, error, UNAVAILABLE)
    except FolderBusyError as error:
        return _fail(terminal, error, TRY_LATER)
    except StartError as error:
        return _fail(terminal, error, error.code)
    except OSError as error:
        return _fail(terminal, f"{error.filename or 'the disk'}: {error.strerror}. {SPACE_AND_RIGHTS}", FAILED)


def _fail(terminal: Terminal, error: object, code: int) -> int:
    terminal.show(str(error))
    return code


class _Session:
    """One run, from the first process to the last.

    The main thread only waits for news, and a signal handler only leaves some: an exception raised by a handler is lost
    where it hits a destructor, and a lock taken by one may be held by the very code it has interrupted.
    """

    def __init__(self, settings: Settings, options: Options, terminal: Terminal) -> None:
        self._settings = settings
        self._options = options
        self._terminal = terminal
        self._news: Letterbox[News | int | Exception] = Letterbox()
        self._group = ProcessGroup(terminal, settings.state_dir / "logs", verbose=options.verbose)

    def run(self, story: Story | None) -> int:
        """Start, tell the story or wait, stop; the exit code."""
        with self._news:
            return self._run(story)

    def _run(self, story: Story | None) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._news.put(News.INTERRUPTED))
        threading.Thread(target=self._live, args=(story,), daemon=True).start()
        outcome = self._news.get()
        if outcome is News.INTERRUPTED:
            self._terminal.say("tocsin", "stopping; Ctrl-C once more kills", Level.WARNING)
            outcome = INTERRUPTED if story else 0
        is_killed = self._stop()
        if isinstance(outcome, Exception):
            raise outcome
        return INTERRUPTED if is_killed or isinstance(outcome, News) else outcome

    def _stop(self) -> bool:
        """Stop everything; whether it had to be killed because it was interrupted again."""
        is_killed = False
        threading.Thread(target=self._end, daemon=True).start()
        while (news := self._news.get()) is not News.STOPPED:
            if news is News.INTERRUPTED:
                is_killed = True
                self._group.kill()
        self._terminal.say("tocsin", "stopped")
        return is_killed

    def _end(self) -> None:
        try:
            self._group.stop()
        finally:
            self._news.put(News.STOPPED)

    def _live(self, story: Story | None) -> None:
        try:
            running = self._start()
            self._news.put((story or _narrate)(running))
        except Exception as error:  # noqa: BLE001 (carried over to the main thread, which raises it)
            self._news.put(error)

    def _start(self) -> Running:
        began = time.monotonic()
        redis_url = self._start_server()
        plan = make_plan(self._settings, redis_url, use_sandbox=self._wants_sandbox())
        self._group.start(plan.children)
        self._group.wait_until_ready()
        show_card(self._terminal, self._settings, plan, time.monotonic() - began)
        return Running(self._settings, plan, self._group, self._terminal)

    def _start_server(self) -> str:
        settings = self._settings
        given = settings.redis.url.get_secret_value() if settings.redis.is_given else None
        server = resolve(given, settings.state_dir, settings.environment, allow_embedded=settings.embedded.allow)
        if not isinstance(server, Server):
            _check_answer(server, settings)
            return server
        self._group.start([_server_child(server)])
        self._group.wait_until_ready()
        return server.url

    def _wants_sandbox(self) -> bool:
        if self._options.sandbox is not None:
            return self._options.sandbox
        settings = self._settings
        return settings.environment == "development" and "events_url" not in settings.pagerduty.model_fields_set


def _server_child(server: Server) -> Child:
    """The embedded server as a member of the group; it holds its folder's lock itself, as long as it lives."""
    lock = server.prepare()
    return Child(
        name="redis",
        command=server.command,
        stage=Stage.SERVER,
        ready=server.answers,
        folder=server.data_dir,
        stdin=server.config,
        inherit=(lock,),
    )


def _narrate(running: Running) -> int:
    Narrator(running.plan.redis_url, running.settings.redis.prefix, running.terminal).tell()


def _check_answer(url: str, settings: Settings) -> None:
    """Ask a server that was named once, before half a dozen processes complain of it at length."""
    where = mask_redis_url(url)
    try:
        with connect(url, connect_timeout=settings.redis.connect_timeout.total_seconds()) as client:
            client.ping()
    except redis.AuthenticationError as error:
        refusal = f"Redis at {where} refuses us: {str(error).rstrip('.')}. Mend user and password in REDIS_URL."
        raise StartError(refusal, code=BAD_CONFIG) from error
    except redis.RedisError as error:
        mend = "Start it, correct REDIS_URL, or unset REDIS_URL to have a server started for you."
        raise StartError(f"No Redis at {where}: {str(error).rstrip('.')}. {mend}", code=UNAVAILABLE) from error
