"""A command group that imports a command only when it is chosen, so that `--help` stays quick."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from workers.cli.acts import witnessed
from workers.cli.guarded import guard
from workers.cli.short_help import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typer._click import Command, Context, Parameter


class Entry(NamedTuple):
    """Where a command lives (`module:attribute`, a Typer app), its line in `--help`, its other names."""

    target: str
    help: str
    aliases: tuple[str, ...] = ()


class FlagGroup(TyperGroup):
    """A group whose own options are flags, off unless given.

    Typer leaves its flags (`--help`, completion) unset and imports pydantic, 200 ms, to convert that None.
    """

    def get_params(self, ctx: Context) -> list[Parameter]:
        """The group's parameters, none of them unset."""
        parameters = super().get_params(ctx)
        for parameter in parameters:
            if getattr(parameter, "is_flag", False):
                parameter.default = parameter.default or False
        return parameters


class LazyCommand(TyperCommand):
    """Stands for a command in help and completion until it is chosen."""

    def __init__(self, name: str, entry: Entry, *, alias_of: str = "") -> None:
        super().__init__(name, help=entry.help, short_help=entry.help, hidden=bool(alias_of))
        self.target = entry.target
        self._path = alias_of or name

    def load(self) -> Command:
        """Import the real command. Rich help is switched off: importing it alone costs 100 ms."""
        module, _, attribute = self.target.partition(":")
        app: typer.Typer = getattr(import_module(module), attribute)
        app.rich_markup_mode = None
        if not _is_ours(app.info.cls):
            app.info.cls = FlagGroup
        command = typer.main.get_command(app)
        command.name = self.name
        shorten(command)
        guard(command, self._path)
        return witnessed(command, self._path)  # outermost: what is refused is an act, too


class LazyGroup(FlagGroup):
    """A group whose commands are `entries`; subclasses name them."""

    entries: ClassVar[Mapping[str, Entry]]

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        for name, entry in self.entries.items():
            self.add_command(LazyCommand(name, entry))
            for alias in entry.aliases:
                self.add_command(LazyCommand(alias, entry, alias_of=name))

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Swap the chosen stand-in for the command itself."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, rest


def _is_ours(cls: object) -> bool:
    return isinstance(cls, type) and issubclass(cls, FlagGroup)


def new_app(**settings: Any) -> typer.Typer:
    """A Typer app as every command module wants it: plain help, our own error reports."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, **settings)
