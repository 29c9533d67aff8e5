"""A server for a recovery: the one that is set; else the one `tocsin up` uses on this machine, started for as long as it takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workers.cli.output import CliError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.models import Settings

# Its data stays where `tocsin up` looks for it. It ends when this process does, however that ends, and not by a Ctrl-C meant for this one.
PROGRAM: Final = """
import json, sys
from pathlib import Path
from deploy.local.embedded import EmbeddedServerError, resolve
from deploy.local.lock import FolderBusyError
try:
    server = resolve(None, Path(sys.argv[1]), sys.argv[2], allow_embedded=sys.argv[3] == "yes").start()
except (EmbeddedServerError, FolderBusyError) as error:
    print(json.dumps({"error": str(error)}), flush=True)
    sys.exit(1)
with server:
    print(json.dumps({"url": server.url}), flush=True)
    sys.stdin.read()
"""
HOME: Final = Path(__file__).parents[2]
PATIENCE: Final = 30.0


@contextmanager
def some_server(settings: Settings) -> Iterator[str]:
    """Words for which server it is; from here on the environment names it. CliError, RedisError: there is none."""
    from config.values import mask_redis_url
    from workers.cli.connection import reach_redis

    if not is_of_up(settings) or (settings.redis.is_given and _answers()):
        yield mask_redis_url(reach_redis().redis.url.get_secret_value())
        return
    with _embedded(settings) as url:
        os.environ["REDIS_URL"] = url
        yield f"the embedded one; its data lies in {settings.state_dir / 'redis'}"


def is_of_up(settings: Settings) -> bool:
    """Whether nobody has named a server, so that it is the one of `tocsin up`, running or not."""
    kept = settings.state_dir / "redis" / "url"
    named = settings.redis.url.get_secret_value()
    return not settings.redis.is_given or (kept.is_file() and kept.read_text("utf-8").strip() == named)


def _answers() -> bool:
    from redis import RedisError

    from workers.cli.connection import reach_redis

    try:
        reach_redis()
    except RedisError:
        return False
    return True


@contextmanager
def _embedded(settings: Settings) -> Iterator[str]:
    words = [str(settings.state_dir), settings.environment, "yes" if settings.embedded.allow else "no"]
    process = subprocess.Popen(  # noqa: S603 (our own program)
        [sys.executable, "-P", "-c", PROGRAM, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=HOME,
        start_new_session=True,
    )
    try:
        yield _url(process)
    finally:
        process.communicate(timeout=PATIENCE)


def _url(process: subprocess.Popen[bytes]) -> str:
    line = process.stdout.readline() if process.stdout is not None else b""
    try:
        return str(json.loads(line)["url"])
    except (ValueError, KeyError):
        why = json.loads(line)["error"] if line.startswith(b"{") else "the embedded server does not start"
        raise CliError(why, ExitCode.UNAVAILABLE) from None
