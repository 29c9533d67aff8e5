import io
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from deploy.local.child import Child, Stage
from deploy.local.processes import ProcessGroup, StartError
from deploy.local.terminal import Terminal
from tests.integration.up_kit import is_alive, wait_for

READY = re.compile("^up$")
LIVE = "print('up', flush=True); import signal; signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile 1: signal.pause()"
)
WITH_CHILD = """
import subprocess, sys, signal
below = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(below.pid, flush=True); print("up", flush=True); signal.pause()
"""


def child(name: str, code=LIVE, **details):
    command = [sys.executable, "-c", code]
    return Child(**{"name": name, "command": command, "stage": Stage.WORKER, "ready": READY, **details})


@pytest.fixture
def screen():
    return io.StringIO()


@pytest.fixture
def group(screen: io.StringIO, tmp_path: Path):
    with ProcessGroup(Terminal(screen), tmp_path / "logs") as running:
        yield running


def test_it_is_ready_once_every_child_has_said_so(group: ProcessGroup, screen: io.StringIO) -> None:
    group.start([child("bell"), child("rope")])
    group.wait_until_ready()

    assert group.pid("bell") != group.pid("rope")
    assert re.search(r"^\d\d:\d\d:\d\d  bell +ready after \d+\.\d s$", screen.getvalue(), re.MULTILINE)


def test_readiness_can_be_a_question_too(group: ProcessGroup, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    group.start([child("bell", f"open({str(sign)!r}, 'w'); import signal; signal.pause()", ready=sign.exists)])
    group.wait_until_ready()

    assert sign.exists()


def test_a_child_that_is_killed_is_said_and_started_again(group: ProcessGroup, screen: io.StringIO) -> None:
    group.start([child("bell")])
    group.wait_until_ready()
    first = group.pid("bell")

    group.send_signal("bell", signal.SIGKILL)
    wait_for(lambda: group.pid("bell") not in {0, first})
    group.wait_until_ready()

    assert "bell         was ended by SIGKILL; starting it again in 0.25 s" in screen.getvalue()


def test_the_waits_between_starts_double(group: ProcessGroup, screen: io.StringIO) -> None:
    group.start([child("bell", "print('up', flush=True)")])

    wait_for(lambda: "in 1 s" in screen.getvalue())

    assert re.findall(r"starting it again in (\S+) s", screen.getvalue())[:3] == ["0.25", "0.5", "1"]


def test_the_last_word_of_a_child_that_fails_is_shown(group: ProcessGroup, screen: io.StringIO) -> None:
    group.start([child("bell", "print('up', flush=True); raise ValueError('the rope is torn')")])

    wait_for(lambda: "starting it again" in screen.getvalue())

    assert "bell         ValueError: the rope is torn" in screen.getvalue()
    assert "bell         ended with an error (exit code 1)" in screen.getvalue()


def test_a_child_whose_configuration_is_wrong_ends_the_start_at_once(group: ProcessGroup) -> None:
    group.start([child("bell", "import sys; print('REDIS_URL: is not a URL'); sys.exit(78)"), child("rope")])

    with pytest.raises(StartError, match=r"bell cannot start: it ended because its configuration is wrong") as failure:
        group.wait_until_ready()

    assert failure.value.code == 78
    assert "REDIS_URL: is not a URL" in str(failure.value)


def test_a_child_that_never_comes_up_ends_the_start_after_three_tries(group: ProcessGroup) -> None:
    group.start([child("bell", "import sys; sys.exit(69)")])

    with pytest.raises(StartError, match="something it needs is away"):
        group.wait_until_ready()


def test_a_program_that_does_not_exist_ends_the_start(group: ProcessGroup) -> None:
    group.start([child("bell", command=["/nowhere/bell"])])

    with pytest.raises(StartError, match="its program was not found"):
        group.wait_until_ready()


def test_a_start_that_takes_too_long_names_who_is_missing(group: ProcessGroup) -> None:
    group.start([child("bell"), child("rope", "import signal; signal.pause()")])

    with pytest.raises(StartError, match=r"Not ready after 1 seconds: rope\."):
        group.wait_until_ready(timeout=1)


def test_producers_stop_first_and_the_server_last(group: ProcessGroup, tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "import signal, sys, pathlib; name = {name!r}\n"
        "def end(*_):\n  open({order!r}, 'a').write(name + ' '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); signal.pause()"
    )
    stages = {"redis": Stage.SERVER, "flower": Stage.OBSERVER, "alert": Stage.WORKER, "gateway": Stage.PRODUCER}
    group.start([child(name, code.format(name=name, order=str(order)), stage=stage) for name, stage in stages.items()])
    group.wait_until_ready()

    group.stop()

    assert order.read_text().split() == ["gateway", "alert", "flower", "redis"]


def test_a_child_that_does_not_end_in_its_grace_is_killed_and_said(group: ProcessGroup, screen: io.StringIO) -> None:
    group.start([child("bell", STUBBORN, grace=0.3)])
    group.wait_until_ready()
    pid = group.pid("bell")

    group.stop()

    assert not is_alive(pid)
    assert "does not end within 0.3 seconds and is killed" in screen.getvalue()


def test_what_a_killed_child_has_started_ends_with_it(group: ProcessGroup, tmp_path: Path) -> None:
    group.start([child("bell", WITH_CHILD)])
    group.wait_until_ready()
    below = int((tmp_path / "logs" / "bell.log").read_text().split()[0])

    group.send_signal("bell", signal.SIGKILL)

    wait_for(lambda: not is_alive(below))


def test_killing_the_group_ends_everything_at_once(group: ProcessGroup) -> None:
    group.start([child("bell", STUBBORN), child("rope", STUBBORN)])
    group.wait_until_ready()
    pids = [group.pid("bell"), group.pid("rope")]

    group.kill()
    group.stop()

    assert not any(map(is_alive, pids))


def test_no_child_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = textwrap.dedent(
        f"""
        import re, sys, signal
        from pathlib import Path
        from deploy.local.child import Child, Stage
        from deploy.local.processes import ProcessGroup
        from deploy.local.terminal import Terminal

        command = [sys.executable, "-c", {WITH_CHILD!r}]
        child = Child(name="bell", command=command, stage=Stage.WORKER, ready=re.compile("^up$"))
        group = ProcessGroup(Terminal(), Path({str(tmp_path)!r}))
        group.start([child]); group.wait_until_ready()
        print(group.pid("bell"), flush=True); signal.pause()
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as up:
        pids = [int(up.stdout.readline()), int((tmp_path / "bell.log").read_text().split()[0])]
        assert all(map(is_alive, pids))
        up.send_signal(signal.SIGKILL)

    wait_for(lambda: not any(map(is_alive, pids)))


def test_warnings_are_shown_shortened_and_everything_is_in_the_log_file(
    group: ProcessGroup, screen: io.StringIO, tmp_path: Path
) -> None:
    lines = [
        '{"event": "sent", "level": "info", "uid": "1"}',
        '{"event": "key_paused", "level": "warning", "service": "db", "timestamp": "now", "logger": "x"}',
        "[2026-11-22 00:00:00,000: ERROR/MainProcess] the broker is away",
        "some print",
        "up",
    ]
    group.start([child("bell", f"for line in {lines!r}: print(line, flush=True)\nimport signal; signal.pause()")])
    group.wait_until_ready()

    shown = [line.partition("  bell         ")[2] for line in screen.getvalue().splitlines()]
    assert shown[:2] == ["key_paused service=db", "the broker is away"]
    assert not any("sent" in line or "print" in line for line in shown)
    assert (tmp_path / "logs" / "bell.log").read_text().splitlines() == lines


def test_a_child_gets_its_environment_its_folder_and_its_input(group: ProcessGroup, tmp_path: Path) -> None:
    code = "import os, sys; print(os.environ['BELL'], os.getcwd(), sys.stdin.read()); print('up', flush=True)"
    group.start([child("bell", code, environment={"BELL": "big"}, folder=tmp_path, stdin="ring")])
    group.wait_until_ready()

    assert (tmp_path / "logs" / "bell.log").read_text().startswith(f"big {os.path.realpath(tmp_path)} ring")
