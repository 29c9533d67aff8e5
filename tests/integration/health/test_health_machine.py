"""What one machine sees of itself: its disk, certificates and files with secrets."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tasks.health.checks.disk import disk_lines
from tasks.health.checks.secrets import certificate_lines, key_lines
from tasks.health.own_checks import AGED
from tests.conftest import ROOT
from tests.tls import Authority

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)
FULL = """
import pathlib, sys
from tasks.health.checks.disk import disk_lines
[line] = [one for one in disk_lines(pathlib.Path(sys.argv[1]), 1) if one.name == "disk.state"]
print(line.state, line.value, line.mend)
"""


def test_a_folder_that_takes_what_is_written_is_well(tmp_path: Path) -> None:
    found = {line.name: line for line in disk_lines(tmp_path / "state", free=1)}

    assert {line.state for line in found.values()} == {"ok"}
    assert list((tmp_path / "state").iterdir()) == []


def test_a_disk_that_takes_no_more_fails_by_trial(tmp_path: Path) -> None:
    def no_room() -> None:
        resource.setrlimit(
            resource.RLIMIT_FSIZE, (1024, 1024)
        )  # the kernel refuses what is larger, as a full disk does

    command = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, preexec_fn=no_room)

    assert done.stdout.startswith(f"fail {tmp_path} cannot be written: ")
    assert "make room at" in done.stdout


def test_a_disk_with_little_room_is_warned_of_and_one_with_next_to_none_fails(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path)
    left = free.f_bavail * free.f_frsize
    little = {line.name: line for line in disk_lines(tmp_path, free=2 * left)}["disk.free"]
    none = {line.name: line for line in disk_lines(tmp_path, free=20 * left)}["disk.free"]

    assert (little.state, none.state) == ("warn", "fail")
    assert "make room at" in none.mend


@pytest.mark.parametrize(("hours_later", "state"), [(0, "ok"), (20, "warn"), (48, "fail")])
def test_a_certificate_is_warned_of_before_it_ends(tmp_path: Path, hours_later: int, state: str) -> None:
    issued = Authority(tmp_path).issue("localhost")
    now = datetime.now(UTC) + timedelta(hours=hours_later)

    [line] = certificate_lines({"gateway": issued.cert}, timedelta(hours=6), now)

    assert line.name == "certificates.gateway"
    assert line.state == state
    assert ("put a renewed certificate into the file" in line.mend) == (state != "ok")


def test_a_file_without_a_certificate_fails(tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    file.write_text("nothing")

    [line] = certificate_lines({"gateway": file}, DAY, datetime.now(UTC))

    assert line.state == "fail"


def test_an_old_key_and_one_that_everybody_may_read_are_warned_of_and_never_shown(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("JWT_SECRET", "ENCRYPTION_KEY", "REDIS_URL", "GONE")}
    for name in list(files)[:3]:
        files[name].write_text("sesame")
        files[name].chmod(0o600)
    files["ENCRYPTION_KEY"].chmod(0o644)
    now = datetime.now(UTC)
    os.utime(files["JWT_SECRET"], (now.timestamp() - 200 * 86_400,) * 2)

    found = {line.name: line for line in key_lines(files, 180 * DAY, now)}

    assert {name: line.state for name, line in found.items()} == {
        "keys.jwt_secret": "warn",
        "keys.encryption_key": "warn",
        "keys.redis_url": "ok",
        "keys.gone": "fail",
    }
    assert "chmod o-rwx" in found["keys.encryption_key"].mend
    assert "sesame" not in str(found)


def test_a_file_whose_key_is_rotated_elsewhere_is_not_called_old(tmp_path: Path) -> None:
    file, now = tmp_path / "secret", datetime.now(UTC)
    file.write_text("sesame")
    file.chmod(0o600)
    os.utime(file, (now.timestamp() - 200 * 86_400,) * 2)
    files = {"JWT_SECRET": file, "TOCSIN_PAGERDUTY__OAUTH__CLIENT_SECRET": file, "REDIS_URL": file}

    states = {line.name: (line.state, line.value) for line in key_lines(files, 180 * DAY, now, AGED)}

    assert states == {
        "keys.jwt_secret": ("ok", "how old the key is, tokens.jwt says"),
        "keys.tocsin_pagerduty__oauth__client_secret": ("ok", "how old the key is, tokens.oauth says"),
        "keys.redis_url": ("warn", "200 days old"),
    }
