"""Options and arguments that several verbs of backups have."""

from typing import Annotated

import typer

from workers.cli.output import JsonFlag

__all__ = ["As", "DryRun", "Encrypt", "JsonFlag", "Note", "Parts", "Targets", "Yes"]

As = Annotated[str, typer.Argument(metavar="BACKUP", help="latest, or the beginning of an id.")]
Parts = Annotated[
    list[str] | None, typer.Option("--part", metavar="PART", help="Only account, state or config; may be repeated.")
]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target", metavar="PART", help="Only account, state or config; may be repeated. Default: all there are."
    ),
]
Encrypt = Annotated[
    bool | None, typer.Option("--encrypt/--no-encrypt", help="Whether to encrypt. Default: where a key is set.")
]
Note = Annotated[str, typer.Option(metavar="TEXT", help="A word on it; readable without the key.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing, only say what would be.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
