"""Stands before every command: what it is decides whether it runs."""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any

from workers.cli.permissions import permit

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer._click import Command


def guard(command: Command, path: str) -> None:
    """Have a command, and all below it, ask for permission before it does anything."""
    below: dict[str, Command] = getattr(command, "commands", {})
    for name, one in below.items():
        guard(one, f"{path}.{name}")
    if command.callback is not None and (not below or getattr(command, "invoke_without_command", False)):
        command.callback = _guarded(command.callback, path, is_group=bool(below))


def _guarded(run: Callable[..., Any], path: str, *, is_group: bool) -> Callable[..., Any]:
    def guarded(*args: Any, **values: Any) -> Any:
        if not (is_group and _goes_on()):
            permit(path, values)
        return run(*args, **values)

    return update_wrapper(guarded, run)


def _goes_on() -> bool:
    """Whether a command below the group was chosen, which asks for itself."""
    from typer._click.globals import get_current_context

    return get_current_context().invoked_subcommand is not None
