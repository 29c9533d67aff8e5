"""What an alert brings along is data on its whole way, and is made harmless where it would act: at the output."""

from __future__ import annotations

import ast
import io
import json
import logging
import os
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from celery import Celery

from config.variables import Variables
from config.yaml_file import parse_yaml
from tasks.alerts.models import Decision
from tasks.utils.validators import check_alert
from tests.integration.test_flower import Page
from tests.integration.up_kit import wait_for
from tests.pipeline import PRIMARY_KEY, Pipeline, alert
from tests.program import run
from workers.cli.output import answer_fields, answer_json, answer_table
from workers.logs import configure_logging, harmless, redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.errors import Problem
    from deploy.local.embedded import Server
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

ROOT = Path(__file__).parents[2]
KEY = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"
ACTING = [
    "\x1b]0;owned\x07\x1b[2J\x1b[31m",
    "disk full\r\n2026-01-01 [info] all is well",
    "safe\u202egnp.exe\u2066",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "{{7*7}} ${HOME} ${PAGERDUTY_API_KEY} {% raw %} #{7*7} %s %(name)s",
    "'; DROP TABLE alerts; -- ' OR 1=1",
    '"] ]==] ]]; redis.call("FLUSHALL") --',
    "$(touch /tmp/owned) `id` ; rm -rf / | cat & true",
    "nul\x00in the middle",
    "../../etc/passwd",
    "*1\r\n$8\r\nFLUSHALL\r\n",
    "=HYPERLINK(1)\t+1\t@x",
]


@pytest.fixture
def pipeline(client: Any, keys: Keys, sandbox: Sandbox) -> Iterator[Pipeline]:
    pipeline = Pipeline(client, keys, sandbox.url)
    yield pipeline
    pipeline.delivery.close()


@pytest.mark.parametrize("text", ACTING)
def test_every_text_goes_its_whole_way_and_arrives_as_it_was(
    text: str, pipeline: Pipeline, client: Any, sandbox: Sandbox
) -> None:
    sandbox.register(PRIMARY_KEY, "shop")
    client.set("bystander", "unharmed")

    pipeline.submit(alert(text, summary=text, source=text, custom_details={text: text}))
    pipeline.deliver()
    pipeline.submit(alert(text, "resolve"))
    pipeline.deliver()

    bodies = [entry["body"] for entry in sandbox.log()]
    sent = [json.loads(body) if isinstance(body, str) else body for body in bodies]
    assert [body["dedup_key"] for body in sent] == [text, text]
    assert sent[0]["payload"]["summary"] == sent[0]["payload"]["source"] == text
    assert sent[0]["payload"]["custom_details"][text] == text
    assert client.get("bystander") == "unharmed"


@pytest.mark.parametrize("text", ACTING)
def test_a_check_changes_no_text(text: str) -> None:
    checked = check_alert(alert(text, summary=text, custom_details={"x": text}))

    assert checked.adaptations == ()
    assert (checked.alert["dedup_key"], checked.alert["payload"]["summary"]) == (text, text)


@pytest.mark.parametrize("text", ACTING)
def test_tables_and_fields_show_what_a_terminal_would_obey(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer_table(["KEY"], [[text], ["next"]])
    answer_fields({"key": text, "other": "x"})

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("text", ACTING)
def test_json_for_scripts_is_the_same_document_and_still_harmless_to_look_at(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_json({"summary": text})

    out = capsys.readouterr().out
    assert json.loads(out) == {"summary": text}
    assert out.replace("\n", "").isprintable()


def test_a_trail_of_a_hostile_key_is_shown_harmless(server: Server, pipeline: Pipeline, tmp_path: Path) -> None:
    key = ACTING[0] + ACTING[1]
    [decision] = pipeline.submit(alert(key))
    assert isinstance(decision, Decision)
    environment = {**os.environ, "REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)}
    for verb in (["list"], ["trail", key, "--service", "shop"], ["trail", decision.id]):
        done = run("alerts", *verb, environment=environment)

        assert done.returncode == 0
        assert decision.id in done.stdout
        assert done.stdout.replace("\n", "").isprintable()


@pytest.mark.parametrize("text", ACTING)
def test_a_logged_text_forges_no_line_and_is_not_obeyed(text: str) -> None:
    event = harmless(None, "", redact(None, "", {"event": "x", "detail": text}))

    console = structlog.dev.ConsoleRenderer(colors=False)(None, "info", event)

    assert isinstance(console, str)
    assert console.isprintable()


@pytest.mark.parametrize("text", ACTING)
def test_a_log_of_a_process_is_one_json_line_an_event(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    try:
        configure_logging("INFO")
        logging.getLogger("foreign").warning("said %s", text)
        lines = sys.stderr.getvalue().splitlines()  # type: ignore[attr-defined]
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        structlog.reset_defaults()

    assert len(lines) == 1
    assert json.loads(lines[0])["event"] == f"said {text}"


def test_the_page_of_the_sandbox_shows_scripts_and_runs_none(pipeline: Pipeline, sandbox: Sandbox) -> None:
    sandbox.register(PRIMARY_KEY, "shop")
    pipeline.submit(alert("'\"><script>key()</script>", summary=ACTING[3]))
    pipeline.deliver()

    page = sandbox.http.get("/", headers={"Accept": "text/html"}).text

    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;script&gt;key()" in page
    assert "<script" not in page
    assert "<img" not in page


def test_flower_shows_an_error_with_scripts_and_keys_harmless(server: Server, client: Any, tmp_path: Path) -> None:
    task = uuid.uuid4().hex
    with Celery(broker=server.url, set_as_current=False) as app, Page(server.url, tmp_path) as page:

        def told() -> str:
            with app.connection_for_write() as connection, app.events.Dispatcher(connection, hostname="w@1") as say:
                say.send("task-received", uuid=task, name="<script>name</script>", args=repr(ACTING[3]), kwargs="{}")
                error = f"ValueError('<script>error</script> {KEY}')"
                say.send("task-failed", uuid=task, exception=error, traceback=error)
            answer = page.get(f"task/{task}")
            return answer.text if answer.status_code == 200 and "error" in answer.text else ""

        shown = wait_for(told)

    assert "&lt;script&gt;error" in shown
    assert "<script>name" not in shown
    assert "<script>error" not in shown
    assert KEY not in shown


BOMBS = {
    "aliases": "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    + "\n".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)),
    "chain": "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 2_000)),
    "brackets": "a: " + "[" * 100_000,
    "dashes": "- " * 50_000,
    "questions": "? " * 50_000,
    "indents": "\n".join(" " * n + "a:" for n in range(300)),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_small_file_that_stands_for_a_huge_one_is_a_problem_and_no_crash(bomb: str) -> None:
    problems: list[Problem] = []

    assert parse_yaml(bomb, "bomb.yaml", Variables({}, problems.append)) is None
    assert "nested deeper than" in str(problems[0])


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system [id]", "!!python/name:os.system", "!run id"])
def test_a_tag_of_yaml_creates_no_object(tag: str) -> None:
    problems: list[Problem] = []
    node = parse_yaml(f"a: {tag}", "tag.yaml", Variables({}, problems.append))

    assert problems or (node is not None and "os.system" not in str(node.plain()))


FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "yaml.load",
    "yaml.unsafe_load",
    "pickle.loads",
    "pickle.load",
}


def test_no_code_of_ours_hands_text_to_a_shell_an_interpreter_or_an_unsafe_reader() -> None:
    found = []
    for path in (
        path
        for folder in ("config", "tasks", "workers", "schedules", "deploy")
        for path in (ROOT / folder).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                shell = any(word.arg == "shell" and ast.unparse(word.value) != "False" for word in node.keywords)
                if shell or ast.unparse(node.func) in FORBIDDEN_CALLS:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)[:80]}")

    assert found == []


def test_scripts_are_fixed_texts_whose_data_come_as_arguments(keys: Keys) -> None:
    from tasks.utils.scripts import LUA, source

    for script in LUA.glob("*.lua"):
        text = source(script.stem, keys.prefix)

        assert "loadstring" not in text
        assert "ARGV" in text or script.stem in ("pump", "epoch", "keystore_touch")
