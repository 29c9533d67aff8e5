"""What the tests of real processes share."""

import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def wait_for(claim: Callable[[], T], seconds: float = 20) -> T:
    """The first answer that is true."""
    deadline = time.monotonic() + seconds
    while not (answer := claim()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
    return answer


def is_alive(pid: int) -> bool:
    """Whether it still runs; one that has ended and was not collected yet does not."""
    if Path("/proc/self/stat").exists():
        stat = Path(f"/proc/{pid}/stat")
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(status.strip()) and not status.startswith("Z")


def command_line(pid: int) -> str:
    """What everybody on the machine can see of a process."""
    if (told := Path(f"/proc/{pid}/cmdline")).exists():
        return told.read_bytes().replace(b"\0", b" ").decode()
    return subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=True
    ).stdout


def children_of(pid: int) -> list[int]:
    """The processes it has started, and those they have started."""
    found = [pid]
    listed = [(process, parent) for process, parent, _ in processes()]
    for above in found:
        found.extend(process for process, parent in listed if parent == above)
    return found[1:]


def processes() -> list[tuple[int, int, str]]:
    """Every process of the machine: its id, its parent's, its command line."""
    if not Path("/proc/self/stat").exists():
        told = subprocess.run(["ps", "-ww", "-axo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
        return [
            (int(line.split()[0]), int(line.split()[1]), line.split(None, 2)[2]) for line in told.stdout.splitlines()
        ]
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            found.append((int(entry.name), int(parent), command_line(int(entry.name))))
    return found
