"""What is wrong with a template is known before a page meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tasks.utils.notification_builder import KINDS
from tasks.utils.template_check import has_template, template_problems
from tasks.utils.template_files import SHIPPED

if TYPE_CHECKING:
    from pathlib import Path


def told(folder: Path, *named: tuple[str, str]) -> list[str]:
    """The problems, without the folder."""
    return [str(problem).replace(f"{folder}/", "") for problem in template_problems(folder, named)]


def test_the_shipped_templates_have_no_problem() -> None:
    assert template_problems(SHIPPED) == []
    assert all(has_template(SHIPPED, kind, kind) for kind in KINDS)


def test_a_folder_that_is_empty_or_not_there_has_none(tmp_path: Path) -> None:
    assert template_problems(tmp_path) == []
    assert template_problems(tmp_path / "nowhere") == []


# One folder for all: each check tries every kind of notice in every language.
BROKEN = {
    "slack.j2": (
        "a\n{% if %}",
        "slack.j2:2: Expected an expression, got 'end of statement block'; mend: correct it; ",
    ),
    "slack.fr.j2": (
        "{{ what | uper }}",
        "slack.fr.j2:1: No filter named 'uper'.; mend: did you mean upper?",
    ),
    "teams.j2": (
        "\n{{ titel }}",
        "teams.j2:2: 'titel' is undefined; mend: did you mean title?",
    ),
    "email.html.j2": (
        "x{% for m in members %}{{ m.sumary }}{% endfor %}",
        "email.html.j2:1: there is no 'sumary' here; did you mean summary?",
    ),
    "webhook.json.j2": (
        "{",
        "webhook.json.j2: it makes no JSON: ",
    ),
    "pagerduty.j2": (
        "{{ members[0].summary }}",
        "pagerduty.j2:1: the list ends before entry 0; loop over it, or use `| first`",
    ),
    "slak.j2": (
        "x",
        "slak.j2: no channel uses it; mend: rename it to slack.j2",
    ),
    "night.j2": (
        "x",
        "night.j2: no channel uses it; mend: name it in a channel's `template`, or remove it",
    ),
    "slack.jinja2": (
        "x",
        "slack.jinja2: is not read; mend: rename it: templates end in .j2",
    ),
    "a b.j2": (
        "x",
        "a b.j2: is not read: this is no name for a file; mend: rename it: letters, ",
    ),
    "email.j2": (
        "{% for i in range(200) %}" + "x" * 400 + "{% endfor %}",
        "email.j2: it makes more than 64 KB of text; ",
    ),
}


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("templates")
    for name, (text, _) in BROKEN.items():
        (folder / name).write_text(text)
    return told(folder)


@pytest.mark.parametrize("problem", [problem for _, problem in BROKEN.values()], ids=BROKEN)
def test_a_problem_has_file_line_and_mend(problems: list[str], problem: str) -> None:
    [found] = [each for each in problems if each.startswith(problem.partition(":")[0] + ":")]

    assert found.startswith(problem)
    assert "; mend: " in found


def test_a_name_in_a_branch_that_is_seldom_taken_is_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "slack.j2").write_text("{{ title }}{% if open > 1000000 %}{{ oops }}{% endif %}")

    assert told(tmp_path)[0].startswith("slack.j2:1: 'oops' is undefined; mend: remove it; known here: id, ")


def test_names_that_are_asked_for_or_set_or_labels_are_no_problem(tmp_path: Path) -> None:
    (tmp_path / "slack.j2").write_text(
        "{% from 'parts.j2' import loud %}{% set own = 1 %}{{ loud(own) }}{{ maybe | default('-') }}"
        "{% if maybe is defined %}x{% endif %}{% for m in members %}{{ m.labels.runbook }}{% endfor %}{{ group.rack }}"
    )
    (tmp_path / "parts.j2").write_text("{% macro loud(text) %}{{ text }}{{ set_by_others }}{% endmacro %}")

    problems = told(tmp_path)

    assert [problem.split(";")[0] for problem in problems] == ["parts.j2:1: 'set_by_others' is undefined"]


def test_a_template_that_a_channel_names_is_tried_as_that_channel_uses_it(tmp_path: Path) -> None:
    (tmp_path / "night.j2").write_text("{{ members[0].summary }}")

    assert told(tmp_path, ("teams", "night"))[0].startswith("night.j2:1: the list ends before entry 0")
    assert has_template(tmp_path, "teams", "night")
    assert not has_template(tmp_path, "teams", "day")
    assert not has_template(tmp_path, "teams", "../night")
