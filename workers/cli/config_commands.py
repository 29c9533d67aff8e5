"""`tocsin configuration …` (also `tocsin config …`): what is set, from where, and whether it is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.lazy import new_app
from workers.cli.output import CliError, ExitCode, JsonFlag, answer, answer_json, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.errors import Problem
    from config.models import Settings
    from config.schema import Kind
    from config.settings import Loaded

app = new_app(help="Show and check the settings.", no_args_is_help=True)

Environment = Annotated[
    str | None, typer.Option(help="Look at this environment instead of the one that ENVIRONMENT names.")
]
Folder = Annotated[Path | None, typer.Option(help="Folder of the files, if not the configured one.")]


@app.callback()
def _configuration() -> None:
    """Show and check the settings."""


@app.command()
def show(
    *,
    section: Annotated[str | None, typer.Option(help="Only this section, such as redis or services.checkout.")] = None,
    environment: Environment = None,
    config_dir: Folder = None,
    as_json: JsonFlag = False,
) -> None:
    """Every setting, its value (secrets masked) and where the value comes from."""
    from config.view import view

    rows = [row for row in view(_read(environment, config_dir)) if _is_in(row.key, section)]
    if not rows:
        raise CliError(f"There is no section {section}.\nAll of them: tocsin config show", ExitCode.USAGE)
    if as_json:
        answer_json({row.key: {"value": row.value, "source": row.source, "secret": row.is_secret} for row in rows})
        return
    for row in rows:
        answer(str(row))


@app.command()
def check(*, environment: Environment = None, config_dir: Folder = None, as_json: JsonFlag = False) -> None:
    """Check all settings and templates: OK, or everything that is wrong and how to mend it (exit code 78)."""
    from config.errors import ConfigError
    from workers.cli.template_problems import problems_of_templates

    try:
        loaded = _read(environment, config_dir)
        problems = [*problems_of_templates(loaded), *_unknown_schedules(loaded)]
        if problems:
            raise ConfigError(problems)  # noqa: TRY301 - told like all others
    except ConfigError as error:
        if not as_json:
            raise
        answer_json({"ok": False, "problems": [problem.fields() for problem in error.problems]})
        raise typer.Exit(ExitCode.BAD_CONFIG) from None
    settings = loaded.settings
    names = list(settings.services)
    if as_json:
        answer_json({"ok": True, "environment": settings.environment, "read": loaded.files})
        return
    answer(f"OK: {settings.environment}, {len(names)} service{'s'[: len(names) != 1]}: {', '.join(names)}")
    say("read " + ", ".join(loaded.files))
    for note in _ended_holidays(settings):
        say(note)


@app.command()
def keygen(
    *, ingest: Annotated[bool, typer.Option("--ingest", help="An ingest key: 32 letters and digits.")] = False
) -> None:
    """Make up a key: for ENCRYPTION_KEY and JWT_SECRET, or with --ingest for the ingest_keys of a service."""
    import base64
    import secrets
    import string

    if ingest:
        first = secrets.choice(string.ascii_lowercase)  # one that began with R would pass for an event orchestration's
        answer(first + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(31)))
    else:
        answer(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())


@app.command()
def encrypt(*, config_dir: Folder = None) -> None:
    """Encrypt a value for the settings: from stdin, or asked for on a terminal, never as an argument. Prints `enc:…`.

    What it prints may stand in any file or variable of the settings in the place of the value.
    """
    from config.errors import ConfigError, Problem
    from config.sealed import seal_setting
    from config.settings import read_keyring
    from config.values import ENCRYPTION_KEY_MEND
    from workers.cli.secret_input import read_secret

    keyring = read_keyring(config_dir=config_dir)
    if keyring is None:
        raise ConfigError([Problem("ENCRYPTION_KEY", "security.encryption_key", "is not set", ENCRYPTION_KEY_MEND)])
    answer(seal_setting(read_secret("Value to encrypt"), keyring))


@app.command("task-key")
def task_key(
    role: Annotated[str, typer.Argument(help="Who will sign with it, such as gateway, beat or producer.")],
    *,
    config_dir: Folder = None,
) -> None:
    """Make the key with which a machine may sign tasks of one role only, for its TOCSIN_SECURITY__TASK_KEY."""
    from workers.signing import ROLES, master_key

    if role not in ROLES:
        raise CliError(f"There is no role {role}.\nAll of them: {', '.join(ROLES)}", ExitCode.USAGE)
    answer(str(master_key(_read(None, config_dir).settings, role)))


@app.command()
def schema(
    *,
    service: Annotated[bool, typer.Option("--service", help="Of a service file instead of the settings.")] = False,
    policy: Annotated[bool, typer.Option("--policy", help="Of a file in policies/.")] = False,
    holidays: Annotated[bool, typer.Option("--holidays", help="Of a file in holidays/.")] = False,
) -> None:
    """The JSON Schema of the files, for editors that complete and check YAML."""
    from config.schema import json_schema

    chosen: Kind = "service" if service else "policy" if policy else "holidays" if holidays else "settings"
    answer_json(json_schema(chosen))


@app.command()
def docs() -> None:
    """The reference of all settings (docs/configuration.md), made from their descriptions."""
    from config.reference import reference

    answer(reference().rstrip("\n"))


def _read(environment: str | None, config_dir: Path | None) -> Loaded:
    from config.settings import read

    return read(config_dir=config_dir, overrides={"environment": environment})


def _unknown_schedules(loaded: Loaded) -> Iterator[Problem]:
    """What is changed of scheduled tasks that there are none of."""
    from config.errors import ConfigError
    from schedules.entries import entries_of

    try:
        entries_of(loaded.settings.schedules, lambda name: str(loaded.node.nearest(("schedules", name)).origin))
    except ConfigError as error:
        yield from error.problems


def _ended_holidays(settings: Settings) -> Iterator[str]:
    """A list of holidays that is over says nothing by itself: people would be called as on any working day."""
    from datetime import UTC, datetime

    today = datetime.now(UTC).date()
    for name, found in settings.holidays.items():
        if found.last and found.last < today:
            yield f"note: the last date of holidays/{name}.yaml is {found.last}: add those to come"


def _is_in(key: str, section: str | None) -> bool:
    return section is None or key == section or key.startswith((f"{section}.", f"{section}["))
