"""Ctrl-C while the program comes up: it ends in silence, whatever it was importing or building."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_cli_program import PROGRAM
from workers.cli.output import ExitCode

# Python runs a file of this name at its start; whoever imports MODULE is interrupted there, and may wrap what strikes it.
STRIKES = """
import os, signal, sys

class Strike:
    def find_spec(self, name, path=None, target=None):
        if name != os.environ["MODULE"]:
            return None
        sys.meta_path.remove(self)
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt as error:
            if "WRAPPED" in os.environ:
                raise ValueError("cannot build it") from error
            raise

sys.meta_path.insert(0, Strike())
"""


def struck(folder: Path, module: str, command: list[str], **environ: str) -> subprocess.CompletedProcess[str]:
    (folder / "sitecustomize.py").write_text(STRIKES)
    env = {**os.environ, "PYTHONPATH": str(folder), "TOCSIN_STATE_DIR": str(folder), "MODULE": module, **environ}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("typer", ["task", "list"]),
        ("structlog", ["worker", "alert"]),
        ("config.settings", ["beat"]),
        ("flower.app", ["flower"]),
    ],
)
def test_while_it_is_imported_it_ends_by_the_signal_itself(tmp_path: Path, module: str, words: list[str]) -> None:
    ended = struck(tmp_path, module, [*PROGRAM, *words], REDIS_URL="redis://127.0.0.1:1/0")

    assert (ended.returncode, ended.stdout + ended.stderr) == (-signal.SIGINT, "")


def test_up_does_so_too(tmp_path: Path) -> None:
    ended = struck(tmp_path, "config.settings", [sys.executable, "-P", "-m", "deploy.local", "up"])

    assert (ended.returncode, ended.stdout + ended.stderr) == (-signal.SIGINT, "")


@pytest.mark.parametrize("environ", [{}, {"WRAPPED": "yes"}], ids=["as it is", "as another error"])
def test_within_a_command_it_is_the_exit_code_of_what_is_interrupted(tmp_path: Path, environ: dict[str, str]) -> None:
    ended = struck(tmp_path, "config.settings", [*PROGRAM, "alerts", "list"], **environ)

    assert (ended.returncode, ended.stdout + ended.stderr) == (ExitCode.INTERRUPTED, "")


def test_where_it_is_started_without_ctrl_c_it_goes_on_without(tmp_path: Path) -> None:
    """As a shell's `&` does it."""
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *PROGRAM, "keygen"]

    ended = struck(tmp_path, "typer", [*command[:-1], "config", "keygen"])

    assert (ended.returncode, ended.stderr) == (ExitCode.OK, "")
