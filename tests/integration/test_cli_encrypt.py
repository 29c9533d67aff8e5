"""`tocsin config encrypt` as a process: a value goes in by stdin or terminal, `enc:…` comes out."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from config.environment import WELL_KNOWN
from config.settings import load
from tests.unit.config_kit import ENCRYPTION_KEY, Folder
from workers.cli.output import ExitCode

SECRET = "geheimgeheim"
COMMAND = (sys.executable, "-m", "workers.cli", "config", "encrypt")


def surroundings(tmp_path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    ours = ("TOCSIN_", *WELL_KNOWN)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**clean, "TOCSIN_STATE_DIR": str(tmp_path / "state"), **environ}


def encrypt(tmp_path: Path, value: bytes, **environ: str) -> subprocess.CompletedProcess[bytes]:
    env = surroundings(tmp_path, environ)
    return subprocess.run(COMMAND, env=env, input=value, capture_output=True, check=False)


def test_what_is_piped_in_comes_out_encrypted_and_is_a_setting(tmp_path: Path) -> None:
    done = encrypt(tmp_path, SECRET.encode() + b"\n", ENCRYPTION_KEY=ENCRYPTION_KEY)

    assert (done.returncode, done.stderr) == (ExitCode.OK, b"")
    assert done.stdout.startswith(b"enc:")
    environ = {"ENCRYPTION_KEY": ENCRYPTION_KEY, "PAGERDUTY_API_KEY": done.stdout.decode().strip()}
    api_key = load(environ=environ, config_dir=Folder(tmp_path).path, state_dir=tmp_path).pagerduty.api_key
    assert api_key is not None
    assert api_key.get_secret_value() == SECRET


def test_it_works_while_other_settings_are_still_wrong(tmp_path: Path) -> None:
    done = encrypt(tmp_path, b"x", ENCRYPTION_KEY=ENCRYPTION_KEY, ENVIRONMENT="production", TOCSIN_DEDUP__WINDOW="soon")

    assert done.returncode == ExitCode.OK


def test_without_a_key_it_says_how_to_make_one(tmp_path: Path) -> None:
    done = encrypt(tmp_path, b"x")

    assert (done.returncode, done.stdout) == (ExitCode.BAD_CONFIG, b"")
    assert b"tocsin config keygen" in done.stderr


def test_nothing_given_is_a_slip(tmp_path: Path) -> None:
    done = encrypt(tmp_path, b"\n", ENCRYPTION_KEY=ENCRYPTION_KEY)

    assert (done.returncode, done.stdout) == (ExitCode.USAGE, b"")


def test_on_a_terminal_the_value_is_asked_for_twice_and_never_shown(tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    env = surroundings(tmp_path, {"ENCRYPTION_KEY": ENCRYPTION_KEY})
    asked = subprocess.Popen(
        COMMAND, env=env, stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    seen = b""
    for _ in range(2):
        while b": " not in (part := os.read(master, 1000)):
            seen += part
        seen += part
        os.write(master, SECRET.encode() + b"\n")

    out, _ = asked.communicate(timeout=20)
    os.close(master)

    assert out.startswith(b"enc:")
    assert b"Value to encrypt" in seen
    assert SECRET.encode() not in seen
