"""The spool of a process that is killed while it writes, or whose disk is full."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.test_spool import drain, spool_in

LIMITED = """
import resource, signal, sys
from pathlib import Path
from tasks.utils.rows import InboxRow
from tasks.utils.spool import Spool, SpoolError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = Spool(Path(sys.argv[1]) / "spool", max_bytes=10_000_000)
spool.append([[InboxRow("kept", {}, "events")]])
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, resource.RLIM_INFINITY))
try:
    spool.append([[InboxRow("refused", {"text": "x" * 10_000}, "events")]])
except SpoolError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
spool.append([[InboxRow("later", {}, "events")]])
print([row.id for row in spool.read()])
"""


def test_a_disk_that_takes_only_half_of_a_row_keeps_none_of_it(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )

    error, kept = ran.stdout.splitlines()
    assert "cannot be written: File too large" in error
    assert kept == "['kept', 'later']"


APPENDING = """
import sys
from pathlib import Path
from pathlib import Path
from tasks.utils.rows import InboxRow
from tasks.utils.spool import Spool
spool = Spool(Path(sys.argv[1]) / "spool", max_bytes=100_000_000, file_bytes=20_000)
for number in range(1_000_000):
    spool.append([[InboxRow(str(2 * number + i), {"text": "x" * 300}, "events") for i in (0, 1)]])
    print(2 * number + 1, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 57, 400])
def test_everything_acknowledged_before_a_kill_in_mid_write_is_found_again(tmp_path: Path, lines: int) -> None:
    command = [sys.executable, "-c", APPENDING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        last = int((process.stdout.read().splitlines() or ["1"])[-1])

    spool = spool_in(tmp_path)
    spool.adopt()
    found = [int(one.id) for one in drain(spool)]

    assert found == list(range(len(found)))
    assert len(found) > max(last, 2 * lines - 1)
