"""A process that is killed while it records loses no act it was told is on record, wherever the kill falls."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT
from tests.integration.act_kit import ActKit

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.keys import Keys

# Records acts as fast as it can, and says each time what is on record now.
PROGRAM = """
import sys
from pathlib import Path
from tasks.utils.audit_logger import Act, Actor, AuditLogger
from tasks.utils.connect import connect
from tasks.utils.keys import Keys

url, folder = sys.argv[1:]
door = AuditLogger(connect(url), Keys(), Path(folder))
while True:
    print(door.record(Act("kill.test", "thing/1", Actor("person", "anna"))), flush=True)
"""
NOWHERE = "redis://127.0.0.1:1/0"


def killed(url: str, folder: Path, acts: int, after: float) -> list[str]:
    """The ids of the acts that were on record when the process was killed, some time after it had told of so many."""
    command = [sys.executable, "-c", PROGRAM, url, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(acts)]
        time.sleep(after)  # the moment is the point: nothing tells it
        os.kill(process.pid, signal.SIGKILL)
        told += process.stdout.readlines()
    return [line.decode().strip() for line in told if line.endswith(b"\n")]


@pytest.mark.parametrize("away", [False, True], ids=["with redis", "without redis"])
def test_a_kill_loses_and_doubles_no_recorded_act(
    server: Server, client: Any, keys: Keys, tmp_path: Path, *, away: bool
) -> None:
    kit = ActKit(client, keys, tmp_path)
    chance = random.Random(7)
    told: list[str] = []

    for _ in range(4):
        told += killed(NOWHERE if away else server.url, kit.folder, chance.randint(6, 30), chance.uniform(0, 0.01))
    kit.door.take_up()

    on_record = [entry["e"] for _, entry in client.xrange(keys.acts)]
    assert len(told) > 20
    assert set(told) <= set(on_record)
    assert len(on_record) == len(set(on_record))
    assert [one for one in on_record if one in set(told)] == told
    assert len(on_record) - len(told) <= 4  # one a kill may be on record although nobody was told
