"""Whether whoever sits at this shell may do what a destructive verb does; and who that is, for the audit."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from workers.cli.output import CliError, ExitCode

if TYPE_CHECKING:
    from tasks.utils.actor import Actor


def who() -> Actor:
    """The person at this shell, by the name the system knows them by."""
    from tasks.utils.actor import Actor

    name = os_user()
    return Actor("person", name, f"{name}@{socket.gethostname()}")


def authorise(act: str) -> Actor:
    """Who may do `act` (a name in tasks/tokens/destructive.py) now. Destructive verbs call it before anything else.

    In production it demands a second factor or a service identity, and ends the program with exit code 5 without one.
    """
    from tasks.tokens.destructive import DESTRUCTIVE
    from workers.cli.connection import current_settings

    told = DESTRUCTIVE[act]
    if current_settings().environment != "production":
        return who()
    raise CliError(
        f"To {told.about} in production needs a second factor or a service identity with the scope {told.scope}.",
        ExitCode.NEEDS_CONFIRMATION,
    )


def os_user() -> str:
    """The name of whoever runs this: behind sudo, the one who called it; variables anybody may set do not count."""
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return os.environ.get("SUDO_USER") or name if os.getuid() == 0 else name
