"""Who acts from this process, as the operating system knows it."""

from __future__ import annotations

import os
import pwd
import socket
import sys
from contextlib import suppress
from functools import cache

from tasks.utils.actor import Actor


@cache
def local_actor() -> Actor:
    """The user of this process, on which host and terminal; behind sudo, the person who used it."""
    me = _user_name()
    person = os.environ.get("SUDO_USER", "")
    name = f"{person} (as {me})" if person and person != me else me
    origin = [socket.gethostname(), _terminal(), os.environ.get("SSH_CONNECTION", "").partition(" ")[0]]
    return Actor("person", name, " ".join(filter(None, origin)))


def _user_name() -> str:
    with suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_name
    return f"uid {os.getuid()}"  # a container may run as somebody without a name


def _terminal() -> str:
    for stream in (sys.stdin, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            return os.ttyname(stream.fileno()).removeprefix("/dev/")
    return "no terminal"
