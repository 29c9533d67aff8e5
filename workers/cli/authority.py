"""Whether whoever sits at this shell may do what a destructive verb does; and who that is, for the audit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from workers.cli.output import CliError, ExitCode, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.models import Settings
    from tasks.runtime import Runtime
    from tasks.utils.actor import Actor

IDENTITY: Final = "TOCSIN_IDENTITY"  # a service identity; or a file that holds one: TOCSIN_IDENTITY_FILE
PERSON: Final = "TOCSIN_PERSON"
TRIES: Final = 3

_allowed: dict[str, Actor] = {}  # a verb and what it calls ask the person once


def authorise(act: str, *, person: str | None = None) -> Actor:
    """Who may do `act` (a name in tasks/tokens/destructive.py) now. Destructive verbs call it before anything else.

    Where acts are guarded, as in production, it takes the service identity of the environment, else it asks `person` (if
    not given, whoever this is) for a code; it ends the program with exit code 5 where nobody can be asked.
    """
    from tasks.tokens.destructive import DESTRUCTIVE
    from tasks.utils.local_actor import local_actor
    from workers.cli.connection import current_settings

    if act not in _allowed:
        told = DESTRUCTIVE[act]
        guarded = is_guarded(current_settings())
        _allowed[act] = _proven(act, told.scope, told.about, person) if guarded else local_actor()
    return _allowed[act]


def is_guarded(settings: Settings) -> bool:
    """Whether destructive acts are guarded: by these settings, or because the server is known to be a production's."""
    from redis import RedisError

    from tasks.runtime import Runtime

    if settings.guards_acts:
        return True
    runtime = Runtime(settings)
    try:
        return runtime.guard.is_on()
    except RedisError:  # whatever is done then is not done to what lies there
        return False
    finally:
        runtime.client.close()


def grant_headers(task: Any, arguments: Mapping[str, Any], task_id: str) -> dict[str, str]:
    """The headers that a task's message needs where acts are guarded: the grant for a destructive one, once it is authorised."""
    from tasks.tokens.grants import HEADER, Call

    act = task.needs_authority((), arguments)
    if act is None:
        return {}
    task.runtime.renew()  # a grant is signed with the key that all processes know
    return {HEADER: task.runtime.grants.issue(act, Call(task.name, task_id, (), arguments), authorise(act))}


def _proven(act: str, scope: str, about: str, person: str | None) -> Actor:
    """Whoever proves to be there; it goes on record, and so does every refusal."""
    from tasks.utils.act_context import underway
    from tasks.utils.error_handler import DeniedError, TocsinError
    from workers.cli.wiring import shell_runtime

    runtime = shell_runtime()
    name = person or os.environ.get(PERSON) or os_user()
    try:
        actor, way = _by_identity(runtime, scope) or _by_code(runtime, name, about)
    except (CliError, TocsinError) as error:
        _record(runtime, act, named(name), "denied", why=str(error))
        if isinstance(error, DeniedError):
            runtime.errors.record(error, "security.log_in")
        raise
    _record(runtime, act, actor, "ok", by=way)
    runtime.guard.keep()
    around = underway()
    if around is not None:
        around.actor = actor
    return actor


def _by_identity(runtime: Runtime, scope: str) -> tuple[Actor, str] | None:
    """The program that a service identity in the environment speaks for; None where there is none."""
    from config.variables import Variables
    from tasks.tokens.identities import service_actor

    faults: list[str] = []
    token = Variables(os.environ, lambda problem: faults.append(str(problem))).get(IDENTITY)
    if faults:
        raise CliError("; ".join(faults), ExitCode.BAD_CONFIG)
    if not token:
        return None
    from workers.cli.token_commands import tokens_of

    said = tokens_of(runtime.settings).check(token)
    return service_actor(said, runtime.revocations.list(), scope, _origin()), f"service identity {said.id}"


def _by_code(runtime: Runtime, name: str, about: str) -> tuple[Actor, str]:
    """The person, once they have given a code of their second factor."""
    from tasks.security.service import NotEnrolledError, WrongCodeError
    from workers.cli.prompt import ask, is_attended

    if name not in runtime.second_factors.persons():
        message = f"{name} has no second factor; `tocsin security second-factor enrol` makes one. If you are somebody else: {PERSON}=NAME."
        raise CliError(f"To {about} needs one here, and {message}", ExitCode.NEEDS_CONFIRMATION)
    if not is_attended():
        message = f"To {about} needs a second factor here, and there is no terminal to ask for it."
        raise CliError(
            f"{message} Schedules and CI use a service identity: {IDENTITY}_FILE, docs/access.md.",
            ExitCode.NEEDS_CONFIRMATION,
        )
    say(f"To {about} needs the second factor of {name}.")
    for left in reversed(range(TRIES)):
        try:
            way = runtime.second_factors.check(name, ask("Code, or recovery code: "))
        except NotEnrolledError as error:
            raise CliError(str(error), ExitCode.NEEDS_CONFIRMATION) from None
        except WrongCodeError as error:
            if not left:
                raise
            _record(runtime, "", named(name), "denied", why=str(error))
            say(str(error) if str(error).endswith("?") else f"{error}.")
        else:
            return named(name), way
    raise AssertionError


def named(person: str) -> Actor:
    """A person, at this shell."""
    from tasks.utils.actor import Actor

    return Actor("person", person, _origin())


def _origin() -> str:
    from tasks.utils.local_actor import local_actor

    me = local_actor()
    return f"{me.name} on {me.origin}"


def _record(runtime: Runtime, act: str, actor: Actor, outcome: str, **detail: str) -> None:
    from tasks.utils.audit_logger import Act

    runtime.acts.record(Act("security.log_in", f"act/{act}", actor, outcome, detail=detail))  # type: ignore[arg-type]


def os_user() -> str:
    """The name of whoever runs this: behind sudo, the one who called it; variables anybody may set do not count."""
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid{os.getuid()}"
    return os.environ.get("SUDO_USER") or name if os.getuid() == 0 else name
