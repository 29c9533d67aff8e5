"""Every command that acts leaves exactly one act, whatever comes of it; what only looks leaves none."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, get_args

import pytest
import typer

from tests.integration.act_kit import ActKit
from workers.cli.acts import LOOKING, UNRECORDED, action_of
from workers.cli.lazy import LazyCommand
from workers.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

# What acting commands are called with; most of it names what does not exist, so that they fail, which is an act as well.
WORDS: dict[str, list[str]] = {
    "alerts submit": ["--service", "web", "--summary", "disk full", "--dedup-key", "k1"],
    "alerts drain": [],
    "alerts silence add": ["severity=info", "--for", "1h", "--comment", "disk swap"],
    "alerts silence expire": ["nothing"],
    "incidents export": ["PNOTHING"],
    "incidents sync": [],
    "incidents ack": ["PNOTHING", "--yes"],
    "incidents acknowledge": ["PNOTHING", "--yes"],
    "incidents resolve": ["PNOTHING", "--yes"],
    "incidents snooze": ["PNOTHING", "--for", "1h", "--yes"],
    "incidents note": ["PNOTHING", "--note", "seen", "--yes"],
    "incidents reassign": ["PNOTHING", "--to", "PUSER", "--yes"],
    "incidents merge": ["PNOTHING", "--into", "PNONE", "--yes"],
    "incidents update": ["PNOTHING", "--title", "disk", "--yes"],
    "incidents create": ["disk full"],
    "notifications drop": ["nothing", "--comment", "no use"],
    "notifications replay": ["nothing"],
    "notifications purge": ["--older-than", "1d", "--comment", "old", "--yes"],
    "notifications breakers force": ["pagerduty", "open", "--for", "5m", "--comment", "repair"],
    "notifications breakers release": ["pagerduty", "--comment", "repaired"],
    "audit export": [],
    "webhooks create": ["https://example.org/webhooks/pagerduty"],
    "webhooks enable": ["PNOTHING"],
    "webhooks test": ["PNOTHING"],
    "webhooks delete": ["PNOTHING"],
    "webhooks check": [],
    "webhooks catch-up": [],
    "escalations pause": ["nothing"],
    "escalations resume": ["nothing"],
    "escalations skip": ["nothing"],
    "escalations cancel": ["nothing"],
    "tokens issue": ["--subject", "ci", "--role", "viewer"],
    "tokens revoke": ["--jti", "nothing"],
    "security second-factor enrol": [],
    "security second-factor remove": ["nobody"],
    "security second-factor recovery-codes": [],
    "backups create": ["--part", "config"],
    "backups prune": ["--yes"],
    "backups restore": ["nothing", "--target", "config", "--yes"],
    "backups drill": [],
    "configuration task-key": ["gateway"],
    "logs clean-up": ["--class", "temp"],
    "logs cleanup": ["--class", "temp"],
    "logs restore": ["nothing"],
    "logs relist": [],
    "logs hold add": ["--because", "case 4711"],
    "logs hold release": ["nothing"],
    "schedules pause": ["outbox-sweep", "--because", "repair"],
    "schedules resume": ["outbox-sweep"],
    "schedules run": ["outbox-sweep"],
    "task run": ["notifications.sweep"],
}


def commands() -> dict[str, Any]:
    """Every command by its path, as the program itself finds them."""
    return {path: one for path, one in everything().items() if not hasattr(one, "commands")}


def groups() -> dict[str, Any]:
    return {path: one for path, one in everything().items() if hasattr(one, "commands") and path}


def everything() -> dict[str, Any]:
    found: dict[str, Any] = {}

    def walk(command: Any, path: str) -> None:
        if isinstance(command, LazyCommand):
            if command.hidden:
                return
            command = command.load()
        found[path] = command
        for name, below in getattr(command, "commands", {}).items():
            walk(below, f"{path} {name}".strip())

    walk(typer.main.get_command(app), "")
    return found


# A process of its own would end here, and its connections with it.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
ACTING = sorted(path for path in commands() if action_of(path))


@pytest.fixture
def kit(client: Any, keys: Keys, tmp_path: Path) -> ActKit:
    return ActKit(client, keys, tmp_path)


@pytest.fixture(autouse=True)
def _environment(server: Server, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    wanted = {
        "REDIS_URL": server.url,
        "TOCSIN_STATE_DIR": str(tmp_path),
        "JWT_SECRET": "s" * 32,
        "PAGERDUTY_API_KEY": "a" * 20,
        "PAGERDUTY_API_URL": sandbox.url,
        "PAGERDUTY_FROM_EMAIL": "ann@example.org",
    }
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def run(*words: str) -> None:
    """The command, in this process; what came of it is the record's business."""
    with suppress(Exception, SystemExit):
        typer.main.get_command(app)(list(words), prog_name="tocsin", standalone_mode=False)


def words_for(path: str) -> list[str]:
    """What the command is called with: as the table says, else with something for all it cannot do without."""
    if path in WORDS:
        return WORDS[path]
    needed = [param for param in commands()[path].params if param.required]
    options = [(param.opts[0], sample(param)) for param in needed if param.param_type_name == "option"]
    return [word for option in options for word in option] + [
        sample(param) for param in needed if param.param_type_name == "argument"
    ]


def sample(param: Any) -> str:
    """Something of the parameter's type."""
    kind = param.type_descriptor.annotation
    return str(next(iter(get_args(kind)))) if get_args(kind) else "1" if kind in (int, float) else "nothing"


def test_the_table_names_commands_that_act() -> None:
    assert set(WORDS) <= set(ACTING)


@pytest.mark.parametrize("path", ACTING)
def test_an_acting_command_leaves_exactly_one_act(path: str, kit: ActKit) -> None:
    run(*path.split(), *words_for(path))

    found = kit.read()
    mine = [act for act in found if act.action == action_of(path)]
    assert len(mine) == 1, (path, found)
    assert mine[0].outcome in ("ok", "failed")
    assert (mine[0].actor_kind, mine[0].detail["command"]) == ("person", path)
    assert {act.correlation for act in found} == {mine[0].id}, "whatever else it has caused names it"


@pytest.mark.parametrize("path", sorted(set(commands()) - set(ACTING)))
def test_what_is_not_on_record_only_looks_or_is_a_process(path: str) -> None:
    assert path in UNRECORDED or path.rsplit(maxsplit=1)[-1] in LOOKING


def test_an_act_of_the_shell_names_user_host_object_and_fields_but_no_content(kit: ActKit) -> None:
    run("alerts", "silence", "add", "severity=info", "--for", "1h", "--comment", "secret plans of anna")

    (act,) = kit.read()
    assert act.action == "silences.create"
    assert act.object.startswith("silence/")
    assert (act.actor, act.origin.split()[0]) == (pwd.getpwuid(os.getuid()).pw_name, socket.gethostname())
    assert {"comment", "matchers"} <= set(act.detail["given"])
    assert "secret plans" not in str(kit.client.xrange(kit.keys.acts))


def test_a_group_that_acts_by_a_flag_is_on_record_once(kit: ActKit) -> None:
    run("backup", "--create", "--encrypt")  # fails: there is no key
    run("backup", "list")

    assert [(act.action, act.outcome) for act in kit.read()] == [("backups.create", "failed")]


def test_every_group_that_can_be_called_by_itself_is_known() -> None:
    """A group whose own flags act calls the command that is on record, as `backup --create` does."""
    alone = {path for path, group in groups().items() if group.invoke_without_command}

    assert alone == {"backups", "health", "notifications breakers"}


def test_an_alias_is_the_same_act(kit: ActKit) -> None:
    run("alert", "silence", "expire", "nothing")

    assert kit.actions() == ["silences.expire"]


def test_a_dry_run_and_a_look_leave_no_act(kit: ActKit) -> None:
    run("notifications", "purge", "--older-than", "1d", "--comment", "old", "--dry-run")
    run("alerts", "open")
    run("errors", "top")

    assert kit.read() == []


def test_an_act_of_the_shell_without_redis_waits_on_disk(kit: ActKit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    run("tokens", "issue", "--subject", "ci", "--role", "viewer")
    assert kit.read() == []

    kit.door.take_up()

    (act,) = kit.read()
    assert (act.action, act.object, act.outcome) == ("tokens.issue", "subject/ci", "ok")
    assert act.detail["role"] == "viewer"


def spoken(capsysbinary: pytest.CaptureFixture[bytes], *words: str) -> tuple[str, str]:
    capsysbinary.readouterr()
    run(*words)
    said = capsysbinary.readouterr()
    return said.out.decode(), said.err.decode()


def test_the_log_shows_who_did_what_and_what_came_of_it(
    kit: ActKit, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run("tokens", "issue", "--subject", "ci", "--role", "viewer")
    run("alerts", "silence", "expire", "nothing")

    shown, _ = spoken(capsysbinary, "audit", "log")
    one, _ = spoken(capsysbinary, "audit", "log", "--outcome", "failed", "--json")

    heading, issued, expired = shown.splitlines()
    assert heading.split()[2:] == ["OUTCOME", "ACTION", "OBJECT", "WHO", "FROM"]
    assert issued.split()[2:5] == ["ok", "tokens.issue", "subject/ci"]
    assert expired.split()[2:5] == ["failed", "silences.expire", "silence/nothing"]
    assert json.loads(one)["action"] == "silences.expire"


def test_an_export_says_everything_and_is_an_act_itself(
    kit: ActKit, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    run("tokens", "issue", "--subject", "ci", "--role", "viewer")

    printed, talk = spoken(capsysbinary, "audit", "export", "--action", "tokens.*")
    run("audit", "export", str(tmp_path / "acts.csv"))

    (issued,) = map(json.loads, printed.splitlines())
    assert (issued["action"], issued["outcome"]) == ("tokens.issue", "ok")
    assert talk.startswith("1 acts, ")
    assert (tmp_path / "acts.csv").read_text().splitlines()[0].startswith("at,begun_at,outcome,action")
    first, second = kit.read(action="audit.export")
    assert first.detail["sha256"] == hashlib.sha256(printed.encode()).hexdigest()
    assert second.object == f"file/{tmp_path}/acts.csv"


def test_verifying_tells_each_record_apart_and_where_it_was_touched(
    kit: ActKit, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    kit.do("a.one", "a.two", "a.three")
    run("audit", "seal")
    well, _ = spoken(capsysbinary, "audit", "verify")
    lines = kit.lines()
    kit.rewrite([lines[0], *lines[2:]])

    ill, _ = spoken(capsysbinary, "audit", "verify")
    told = json.loads(spoken(capsysbinary, "audit", "verify", "--json")[0])

    assert [line.split()[0] for line in well.splitlines() if "as it was written" in line] == [
        "ledger",
        "acts",
        "pagerduty",
    ]
    assert f"(at line 2 of {kit.file().name})" in ill
    assert (told["holds"], told["acts"]["broken"][0]["line"]) == (False, 2)
