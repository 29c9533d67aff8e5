import os
import re
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import Final

from deploy.local.child import Child
from deploy.local.exits import in_words
from deploy.local.guard import Guard
from deploy.local.output import Output
from deploy.local.terminal import Level

FIRST_WAIT: Final = 0.25
LONGEST_WAIT: Final = 15.0
HEALTHY_AFTER: Final = 30.0
ASK_EVERY: Final = 0.05
NOT_FOUND: Final = 127


class Supervisor:
    """Keeps one child alive until it is asked to end: says each death in words and starts it again, later each time.

    The wait between two starts doubles up to LONGEST_WAIT and begins anew once the child has lived HEALTHY_AFTER.
    """

    def __init__(self, child: Child, output: Output, guard: Guard, changed: threading.Condition) -> None:
        self.child = child
        self.output = output
        self.deaths: list[int] = []
        self.is_ready = False
        self.was_ready = False
        self._guard = guard
        self._changed = changed
        self._process: subprocess.Popen[str] | None = None
        self._ending = threading.Event()
        self._spawning = threading.Lock()
        self._thread = threading.Thread(target=self._live, name=f"supervisor of {child.name}", daemon=True)

    @property
    def pid(self) -> int:
        """The child's process id; 0 while it is down."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else 0

    def start(self) -> None:
        """Start the child and return at once."""
        self._thread.start()

    def ask_to_end(self) -> None:
        """Send SIGTERM, and do not start it again."""
        with self._spawning:
            self._ending.set()
            self._signal(signal.SIGTERM)

    def wait_for_end(self) -> None:
        """Return once it has ended; after its grace it is killed."""
        self._thread.join(self.child.grace)
        if self._thread.is_alive():
            self.output.say(f"does not end within {self.child.grace:g} seconds and is killed", Level.WARNING)
            self.kill()
            self._thread.join()
        self.output.close()

    def kill(self) -> None:
        """End it by SIGKILL with all it has started, and do not start it again."""
        with self._spawning:
            self._ending.set()
            if self.pid:
                _kill_group(self.pid)

    def _live(self) -> None:
        wait = FIRST_WAIT
        while not self._ending.is_set():
            born = time.monotonic()
            code = self._run_once()
            if self._ending.is_set():
                return
            wait = FIRST_WAIT if time.monotonic() - born >= HEALTHY_AFTER else wait
            self._tell_death(code, wait)
            self._ending.wait(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    def _run_once(self) -> int:
        try:
            process = self._spawn()
        except OSError as error:
            self.output.say(f"{self.child.command[0]}: {error.strerror}", Level.ERROR)
            return self._note_death(NOT_FOUND)
        if process is None:
            return 0
        born = time.monotonic()
        reader = threading.Thread(target=self._read, args=(process, born), daemon=True)
        reader.start()
        self._ask_until_ready(process, born)
        code = process.wait()
        _kill_group(process.pid)
        self._guard.forget(process.pid)
        reader.join()
        return self._note_death(code)

    def _spawn(self) -> "subprocess.Popen[str] | None":
        with self._spawning:
            if self._ending.is_set():
                return None
            self.output.begin()
            # A session of its own: Ctrl-C in the terminal reaches the parent only, which then ends all in order.
            self._process = process = subprocess.Popen(
                list(self.child.command),
                cwd=self.child.folder,
                env=self.child.full_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                pass_fds=self.child.inherit,
                start_new_session=True,
            )
            self._guard.watch(process.pid)
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(self.child.stdin)
        return process

    def _read(self, process: "subprocess.Popen[str]", born: float) -> None:
        def heard(raw: str) -> None:
            if isinstance(self.child.ready, re.Pattern) and not self.is_ready and self.child.ready.search(raw):
                self._note_ready(born)

        if process.stdout is not None:
            self.output.follow(process.stdout, heard)

    def _ask_until_ready(self, process: "subprocess.Popen[str]", born: float) -> None:
        if isinstance(self.child.ready, re.Pattern):
            return
        while not self.child.ready():
            with suppress(subprocess.TimeoutExpired):
                process.wait(ASK_EVERY)
                return
        self._note_ready(born)

    def _note_ready(self, born: float) -> None:
        with self._changed:
            self.is_ready = self.was_ready = True
            self._changed.notify_all()
        self.output.say(f"ready after {time.monotonic() - born:.1f} s", Level.GOOD)

    def _note_death(self, code: int) -> int:
        with self._changed:
            self.is_ready = False
            self.deaths.append(code)
            self._changed.notify_all()
        return code

    def _tell_death(self, code: int, wait: float) -> None:
        for line in self.output.untold_words() if code > 0 else ():
            self.output.say(line, Level.ERROR)
        self.output.say(f"{in_words(code)}; starting it again in {wait:g} s", Level.ERROR)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
