"""Every command has its place in the table of permissions, and is asked about before it does anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import typer

from tasks.tokens.destructive import DESTRUCTIVE
from workers.cli.guarded import guard
from workers.cli.lazy import LazyCommand
from workers.cli.main import Tocsin, app
from workers.cli.output import CliError, ExitCode
from workers.cli.permissions import ACTS, DESTROYS, READS, is_listed, permit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def commands(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its path, those of hidden names too; a group that does something by itself is one."""
    if isinstance(command, LazyCommand):
        command = command.load()
    below = getattr(command, "commands", {})
    if not below or (path and getattr(command, "invoke_without_command", False)):
        yield path, command
    for name, one in below.items():
        if not (isinstance(one, LazyCommand) and one.hidden):
            yield from commands(one, f"{path}.{name}".lstrip("."))


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_every_command_has_its_place_in_the_table() -> None:
    assert len(COMMANDS) > 60
    assert [path for path in COMMANDS if not is_listed(path)] == []


def test_no_command_has_two() -> None:
    assert not READS & ACTS
    assert not (READS | ACTS) & set(DESTROYS)


def test_what_destroys_is_a_known_act_and_spared_by_options_it_has() -> None:
    assert {one.act for one in DESTROYS.values()} <= set(DESTRUCTIVE)
    for path, destroys in DESTROYS.items():
        if path in COMMANDS:
            assert set(destroys.unless) <= {one.name for one in COMMANDS[path].params}


def test_the_verbs_that_cannot_be_undone_are_among_them() -> None:
    words = ("restore", "rotate", "prune", "deploy", "purge", "drop", "delete", "remove")

    suspicious = {path for path in COMMANDS if path.rpartition(".")[2].partition("-")[0] in words}

    assert suspicious - {"logs.restore"} <= set(DESTROYS)
    assert {"notifications.purge", "notifications.drop", "webhooks.delete"} <= suspicious


def test_a_command_that_nobody_put_into_the_table_is_refused_where_acts_are_guarded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path))
    permit("things.burn", {})
    monkeypatch.setenv("TOCSIN_ACCESS__ENFORCE", "true")

    with pytest.raises(CliError, match="no place in the table") as refused:
        permit("things.burn", {})

    assert refused.value.code == ExitCode.NEEDS_CONFIRMATION


def test_all_leaves_of_a_tree_are_guarded_and_so_is_a_group_that_acts_by_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("TOCSIN_ACCESS__ENFORCE", "true")
    done: list[str] = []
    things, below = typer.Typer(), typer.Typer(invoke_without_command=True)

    @things.command()
    def burn() -> None:
        done.append("burn")

    @below.callback()
    def look(context: typer.Context) -> None:
        done.append("look" if context.invoked_subcommand is None else "on the way")

    @below.command()
    def drown() -> None:
        done.append("drown")

    things.add_typer(below, name="below")
    tree = typer.main.get_command(things)
    guard(tree, "things")

    for words in (["burn"], ["below"], ["below", "drown"]):
        with pytest.raises(CliError, match="no place"):
            tree(words, standalone_mode=False)
    assert done == ["on the way"]


def test_an_alias_is_guarded_as_what_it_stands_for() -> None:
    stand_ins = Tocsin(name="tocsin").commands

    assert stand_ins["notification"]._path == "notifications"  # type: ignore[attr-defined]
