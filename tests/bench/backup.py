"""Backups: an account of 10,000 objects (tests/data/accounts/ten_thousand.json), limits off: how long, how much memory and disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from deploy.local.embedded import start_server
from tests.bench.figures import figure, say
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNTS: Final = ROOT / "tests" / "data" / "accounts" / "ten_thousand.json"
KEY: Final = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
TOKEN: Final = "tOcSiNtEsT0123456789"


class Done(NamedTuple):
    """What one run of the program came to: its answer, how long it took, the most memory it held."""

    answer: Any
    seconds: float
    megabytes: float


def run() -> None:
    """Two backups of the same, a look at every byte, a restore into an empty sandbox, pruning."""
    objects = sum(json.loads(COUNTS.read_text()).values())
    with tempfile.TemporaryDirectory() as name, installation(Path(name), COUNTS) as environment:
        first = tocsin(environment, "create")
        figure("backup.tocsin.create", first.seconds, "s", objects)
        figure("backup.tocsin.memory", first.megabytes, "MB", objects)
        size = stored(environment)
        figure("backup.tocsin.size", size / 1e6, "MB", objects)
        second = tocsin(environment, "create")
        figure("backup.tocsin.again", second.seconds, "s", objects)
        figure("backup.tocsin.again_size", 100 * (stored(environment) - size) / size, "%", objects)
        verified = tocsin(environment, "verify", "--read-data")
        figure("backup.tocsin.verify", verified.seconds, "s", verified.answer["objects"])
        drilled = tocsin(environment, "drill")
        figure("backup.tocsin.restore", drilled.answer["rto_seconds"], "s", sum(drilled.answer["restored"].values()))
        figure("backup.tocsin.prune", tocsin(environment, "prune", "--keep-last", "1", "--yes").seconds, "s", 2)


@contextmanager
def installation(folder: Path, counts: Path) -> Iterator[dict[str, str]]:
    """The environment of an installation whose account is made up by these counts."""
    account = folder / "account.json"
    sandbox = [sys.executable, "-m", "deploy.sandbox"]
    with account.open("wb") as file:
        subprocess.run([*sandbox, "generate", "--counts", str(counts), "--compact"], cwd=ROOT, stdout=file, check=True)
    with (
        start_server(folder / "redis", persist=False) as server,
        subprocess.Popen(
            [*sandbox, "--account", str(account), "--no-limits"], cwd=ROOT, stdout=subprocess.PIPE
        ) as process,
    ):
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        try:
            yield {
                **os.environ,
                "REDIS_URL": server.url,
                "TOCSIN_STATE_DIR": str(folder / "state"),
                "ENCRYPTION_KEY": KEY,
                "PAGERDUTY_API_KEY": TOKEN,
                "PAGERDUTY_API_URL": url,
                "TOCSIN_LIMITS__REST_CALLS_PER_MINUTE": "1000000",
            }
        finally:
            process.terminate()


def tocsin(environment: dict[str, str], *words: str) -> Done:
    """Run `tocsin backups <words>` to its end."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "backups", *words, "--json"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    text = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise AssertionError(f"tocsin backups {words}: exit code {process.returncode}")
    done = Done(json.loads(text), time.perf_counter() - began, used.ru_maxrss / 1000)
    say(f"backup: {' '.join(words)} took {done.seconds:.1f} s and {done.megabytes:.0f} MB")
    return done


def stored(environment: dict[str, str]) -> int:
    """How many bytes the repository takes."""
    folder = Path(environment["TOCSIN_STATE_DIR"]) / "backups"
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
