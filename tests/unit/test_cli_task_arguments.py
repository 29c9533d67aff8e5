import inspect
import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from workers.cli.output import CliError, ExitCode
from workers.cli.task_arguments import parse, signature_of, type_name


def example(name: str, count: int = 1, tags: list[str] | None = None) -> None: ...


def open_ended(name: str, **rest: object) -> None: ...


SIGNATURE = inspect.signature(example)


def problems(*words: str) -> list[str]:
    with pytest.raises(CliError) as raised:
        parse(words, SIGNATURE)
    assert raised.value.code is ExitCode.USAGE
    return str(raised.value).splitlines()


def test_a_value_that_is_json_becomes_what_it_says() -> None:
    assert parse(["name=x", "count=3", 'tags=["a", "b"]'], SIGNATURE) == {"name": "x", "count": 3, "tags": ["a", "b"]}


def test_where_the_task_wants_text_digits_stay_text() -> None:
    assert parse(["name=0123"], SIGNATURE) == {"name": "0123"}
    assert parse(["name=true"], SIGNATURE) == {"name": "true"}


def test_a_quoted_json_text_loses_its_quotes() -> None:
    assert parse(['name="@home"'], SIGNATURE) == {"name": "@home"}


def test_a_value_may_hold_equals_signs() -> None:
    assert parse(["name=a=b=c"], SIGNATURE) == {"name": "a=b=c"}


def test_an_at_sign_reads_a_file(tmp_path: Path) -> None:
    file = tmp_path / "tags.json"
    file.write_text('["x"]\n')

    assert parse(["name=n", f"tags=@{file}"], SIGNATURE)["tags"] == ["x"]


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('["from", "stdin"]'))

    assert parse(["name=n", "tags=-"], SIGNATURE)["tags"] == ["from", "stdin"]


def test_a_file_that_is_not_there_is_named() -> None:
    assert problems("name=@/nowhere/at/all") == ["name: cannot read /nowhere/at/all: No such file or directory"]


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "binary"
    file.write_bytes(b"\xff\xfe")

    assert problems(f"name=@{file}") == [f"name: {file} is not UTF-8 text"]


def test_every_problem_is_told_at_once() -> None:
    told = problems("nmae=x", "count=many", "loose", "count=2")

    assert told[0] == "loose: write arguments as key=value"
    assert told[1] == "count: given twice"
    assert told[2] == "nmae: unknown argument; this task takes name, count, tags. Did you mean name?"
    assert told[3] == "name: missing; give name=str"
    assert told[4].startswith("count: Input should be a valid integer")


def test_a_wrong_type_inside_a_list_is_located() -> None:
    assert problems("name=n", "tags=[1]")[0].startswith("tags.0: Input should be a valid string")


def test_a_task_that_takes_anything_refuses_no_name() -> None:
    signature = inspect.signature(open_ended)

    assert parse(["name=n", "other=1"], signature) == {"name": "n", "other": 1}


def test_a_task_without_arguments_says_so() -> None:
    with pytest.raises(CliError, match="this task takes no arguments"):
        parse(["a=1"], inspect.signature(lambda: None))


def test_types_read_as_a_person_writes_them() -> None:
    shown = [type_name(parameter) for parameter in SIGNATURE.parameters.values()]

    assert shown == ["str", "int", "list[str] | None"]
    assert type_name(inspect.Parameter("x", inspect.Parameter.KEYWORD_ONLY)) == "any"


def test_a_tasks_own_self_needs_no_type() -> None:
    def run(self: "TocsinTask", limit: "int") -> None: ...  # noqa: F821 - as tasks write it, for type checkers only

    bound = run.__get__(object())

    assert str(signature_of(SimpleNamespace(run=bound))) == "(limit: int) -> None"
