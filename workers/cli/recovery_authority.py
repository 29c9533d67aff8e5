"""Who may recover: where nobody has a second factor, not even in the backup, there is none to ask for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from tasks.utils.local_actor import local_actor
from workers.cli.authority import IDENTITY, authorise, is_guarded

if TYPE_CHECKING:
    from config.models import Settings
    from tasks.backups.recovery_models import RecoveryReport
    from tasks.runtime import Runtime
    from tasks.utils.actor import Actor

ACT: Final = "recover"


def may_recover(runtime: Runtime, report: RecoveryReport | None = None) -> Actor:
    """Who does it; authorised where acts are guarded and anybody is enrolled: in Redis, or in the files that are back.

    On an empty machine whoever has the backup and its key has all that a second factor guards, and nothing is there to be harmed.
    """
    if not is_guarded(runtime.settings):
        return local_actor()
    has_identity = bool(os.environ.get(IDENTITY) or os.environ.get(f"{IDENTITY}_FILE"))
    if has_identity or runtime.second_factors.persons():
        return authorise(ACT)
    if report is not None:
        report.todo.append("enrol: nobody has a second factor here, `tocsin security second-factor enrol`")
    return local_actor()


def may_recover_early() -> None:
    """The same before anything is touched, where this machine still has its configuration; without it there is nothing to be harmed.

    Where persons are enrolled here, the server must answer, for it counts their tries: else a server that is away would let anybody in.
    """
    from redis import RedisError

    from config.errors import ConfigError
    from tasks.runtime import Runtime
    from workers.cli.connection import current_settings, reach_redis

    try:
        settings = current_settings()
    except ConfigError:
        return
    try:
        runtime = Runtime(reach_redis())
    except RedisError:
        _ask_where_enrolled(settings)
        return
    try:
        may_recover(runtime)
    finally:
        runtime.client.close()


def _ask_where_enrolled(settings: Settings) -> None:
    """Where this machine knows persons with a second factor: ask one by the server that `tocsin up` would start; else for the server."""
    from tasks.runtime import Runtime
    from tasks.security.store import FILE
    from workers.cli.connection import current_settings
    from workers.cli.output import CliError, ExitCode
    from workers.cli.recovery_server import is_of_up, some_server

    if not (settings.guards_acts and (settings.state_dir / FILE).is_file()):
        return
    if is_of_up(settings):
        with some_server(settings):
            runtime = Runtime(current_settings())
            try:
                may_recover(runtime)
            finally:
                runtime.client.close()
    else:
        text = "Redis does not answer, and nobody can be asked for a code without it. Start it (an empty one will do), then recover."
        raise CliError(text, ExitCode.UNAVAILABLE)
