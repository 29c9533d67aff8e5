"""`tocsin health --probe live|ready`: whether the processes of this machine, or container, are well. The standard library alone.

`live` fails when a process has not been well for 90 s *and* its server answers: while that is away, to start anew helps nobody.
`ready` fails when a process could not work for 30 s. Both fail where no process shows itself.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, Final

from tasks.utils.heartbeat_file import beats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.utils.heartbeat_file import Beat

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
LIVE_WITHIN: Final = 90.0  # seconds
READY_WITHIN: Final = 30.0
ANSWER_WITHIN: Final = 0.5
USE: Final = "use: tocsin health --probe live|ready [--role ROLE]   (roles: worker-alert, worker-delivery, beat, gateway, sentinel, …)"


def main(words: Sequence[str]) -> int:
    """The exit code; one line says why. `words` are those behind `--probe`."""
    kind, role = _understood(words)
    if not kind:
        return _say(USE, USAGE)
    try:
        found = beats(_state_dir(), role)
    except PermissionError as error:
        return _say(f"{error.filename} belongs to somebody else: probe as the user the processes run as", FAILED)
    if not found:
        return _say(f"no process of Tocsin shows itself here{f' as {role}' if role else ''}", FAILED)
    judge = _is_live if kind == "live" else _is_ready
    bad = [one for one in found if not judge(one)]
    for one in bad:
        _say(_why(kind, one), FAILED)
    return FAILED if bad else _say(f"ok: {', '.join(f'{one.role} {one.pid}' for one in found)}", OK)


def _understood(words: Sequence[str]) -> tuple[str, str]:
    match list(words):
        case [("live" | "ready") as kind]:
            return kind, ""
        case [("live" | "ready") as kind, "--role", role]:
            return kind, role
        case _:
            return "", ""


def _is_ready(beat: Beat) -> bool:
    return beat.ready <= READY_WITHIN


def _is_live(beat: Beat) -> bool:
    return beat.alive <= LIVE_WITHIN or not _answers_in_time(beat.server)


def _answers_in_time(server: str) -> bool:
    """Within a second, also where the name of the server is asked for in vain: that has no bound of its own."""
    import threading  # noqa: PLC0415 - hardly ever needed

    told: list[bool] = []
    asking = threading.Thread(target=lambda: told.append(answers(server)), daemon=True)
    asking.start()
    asking.join(2 * ANSWER_WITHIN)
    return told == [True]


def _why(kind: str, beat: Beat) -> str:
    if kind == "live":
        said = f"has hung for {beat.alive:.0f} s while its server answers; start it anew"
    else:
        said = f"has not been able to work for {beat.ready:.0f} s"
    return f"{beat.role} {beat.pid} {said}"


def answers(server: str) -> bool:
    """Whether the server there speaks RESP and is not merely loading; `server` as `workers.heart.server_words` has it."""
    try:
        with _connected(server.split(" ")) as link:
            link.sendall(b"PING\r\n")
            said = link.recv(64)
    except OSError as error:
        # a server that wants a certificate of ours first is there all the same
        return type(error).__name__.startswith("SSL") and server.startswith("tls ")
    return said.startswith((b"+", b"-")) and not said.startswith(b"-LOADING")


def _connected(server: Sequence[str]) -> socket.socket:
    if server[0] == "unix":
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(ANSWER_WITHIN)
        link.connect(" ".join(server[1:]))
        return link
    link = socket.create_connection((server[1], int(server[2])), ANSWER_WITHIN)
    if server[0] == "tls":
        import ssl  # noqa: PLC0415 - takes as long to import as all the rest

        context = ssl.create_default_context()
        context.check_hostname = False  # it is asked whether somebody is there; nothing is told
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(link)
    return link


def _state_dir() -> str:
    """The state folder by the environment alone; where that has no heartbeats, as the whole configuration has it."""
    environ = os.environ
    home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111
    base = environ.get("XDG_STATE_HOME") or os.path.join(home, ".local", "state")  # noqa: PTH118
    folder = environ.get("TOCSIN_STATE_DIR") or os.path.join(base, "tocsin")  # noqa: PTH118
    folder = home + folder[1:] if folder == "~" or folder.startswith("~/") else folder
    if "TOCSIN_STATE_DIR" in environ or os.path.isdir(os.path.join(folder, "heartbeats")):  # noqa: PTH112, PTH118
        return folder
    from config.errors import ConfigError  # noqa: PLC0415 - the long way, for a folder that only a file names
    from config.settings import load  # noqa: PLC0415

    try:
        return str(load().state_dir)
    except ConfigError:
        return folder


def _say(text: str, code: int) -> int:
    print(text, file=sys.stdout if code == OK else sys.stderr)
    return code
