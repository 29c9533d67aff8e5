"""`tocsin backups …`: snapshots of the PagerDuty account, of Tocsin's state and of its configuration."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.backup_options import As, Encrypt, JsonFlag, Note, Parts
from workers.cli.backup_restore import restore
from workers.cli.backup_upkeep import drill, prune, verify
from workers.cli.lazy import new_app
from workers.cli.output import ExitCode, answer, answer_fields, answer_json, answer_table, say

if TYPE_CHECKING:
    from tasks.backups.models import CreateReport

WHY_WITHOUT = "tocsin backups show latest account/account/account"
app = new_app(
    help="Snapshots of the PagerDuty account, of Tocsin's own state and of its configuration: made, checked, restored.",
    epilog="A BACKUP is `latest` or the beginning of an id, four digits at least.",
)


@app.callback(invoke_without_command=True)
def _group(
    context: typer.Context,
    *,
    make: Annotated[bool, typer.Option("--create", help="The same as the verb create.")] = False,
    encrypt: Annotated[bool, typer.Option("--encrypt", help="With --create: refuse to go on without a key.")] = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    if not make:
        answer(context.get_help())
        return
    command: Any = context.command
    make_it = command.commands["create"].callback  # as the verb itself is run: on the record of acts
    make_it(parts=None, encrypt=True if encrypt else None, note="", as_json=False)


@app.command()
def create(*, parts: Parts = None, encrypt: Encrypt = None, note: Note = "", as_json: JsonFlag = False) -> None:
    """Make a backup; encrypted where a key is set. What is as in the one before is not stored again."""
    from workers.cli.progress import watched
    from workers.cli.wiring import shell_runtime

    runtime = shell_runtime()
    if encrypt:
        runtime.settings.require_encryption_key()
    with watched():
        report = runtime.backups.service.create(parts or [], encrypt=encrypt, note=note)
    for warning in report.warnings:
        say(f"warning: {warning}")
    if as_json:
        answer_json(report.model_dump(mode="json"))
    else:
        _show_made(report)
    if report.missed:
        raise typer.Exit(ExitCode.DEGRADED)


def _show_made(report: "CreateReport") -> None:
    from workers.cli.backup_words import size

    made = report.backup
    answer_fields(
        {
            "backup": made.id,
            "holds": f"{made.items:,} items, {size(made.bytes)}"
            + "".join(f"; {name} {part.items:,}" for name, part in made.parts.items()),
            "stored": f"{size(made.added)} ({report.ratio:g} %)",
            "encrypted": f"yes, key {made.key_id}" if made.is_encrypted else "no",
            "took": f"{made.took_seconds:.1f} s",
            "checked": "read again, and as it was written",
            **({"without": f"{', '.join(report.left_out)}; why: {WHY_WITHOUT}"} if report.left_out else {}),
        }
    )


@app.command("list")
def list_backups(*, as_json: JsonFlag = False) -> None:
    """List the backups, the oldest first. Needs no key."""
    from workers.cli.backup_words import row
    from workers.cli.wiring import quiet_runtime

    service = quiet_runtime().backups.service
    found = service.list()
    if as_json:
        answer_json([backup.model_dump(mode="json") for backup in found])
    elif not found:
        answer(f"no backup in {service.repository.storage.place}")
    else:
        headers = ("ID", "MADE", "ITEMS", "SIZE", "STORED", "ENCRYPTED", "HOLDS", "NOTE")
        answer_table(headers, [row(backup) for backup in found])


@app.command()
def show(
    backup: As,
    item: Annotated[str, typer.Argument(help="An item's address, to see what is in it.")] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Show what a backup says of itself, or one item of it."""
    import sys

    from workers.cli.backup_words import fields
    from workers.cli.wiring import quiet_runtime

    service = quiet_runtime().backups.service
    if item:
        content = service.content(backup, item)
        if isinstance(content, bytes):
            sys.stdout.buffer.write(content)
        else:
            answer_json(content)
        return
    found = service.show(backup)
    if as_json:
        answer_json(found.model_dump(mode="json"))
    else:
        answer_fields(fields(found))


@app.command("ls")
def list_items(
    backup: As = "latest",
    address: Annotated[
        str, typer.Argument(help="Only what begins so: account, account/services, config/files/policies.")
    ] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """List the items of a backup by their addresses."""
    from workers.cli.wiring import quiet_runtime

    found = quiet_runtime().backups.service.items(backup, address)
    if as_json:
        answer_json([named._asdict() for named in found])
        return
    for named in found:
        answer(named.name)


@app.command()
def diff(before: As, after: As = "latest", *, as_json: JsonFlag = False) -> None:
    """Say what differs between two backups: items added (+), removed (-), changed (~)."""
    from workers.cli.wiring import quiet_runtime

    report = quiet_runtime().backups.service.diff(before, after)
    if as_json:
        answer_json(report.model_dump(mode="json"))
        return
    signs = {"added": "+", "removed": "-", "changed": "~"}
    for one in report.differences:
        plain = f"{signs[one.change]} {one.item}{'  ' if one.fields else ''}{', '.join(one.fields)}"
        answer(f"{one.words}  ({one.item})" if one.words else plain)
    answer(f"{report.added} added, {report.removed} removed, {report.changed} changed")


app.command()(verify)
app.command()(restore)
app.command()(prune)
app.command()(drill)
