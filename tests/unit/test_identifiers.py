"""A name or id is what the list allows, whole; anything that could act as a path, a pattern or a line is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from config.values import Name
from tasks.utils.identifiers import InvalidIdentifierError, Kind, check_identifiers, is_identifier, path_inside

if TYPE_CHECKING:
    from pathlib import Path

KINDS: tuple[Kind, ...] = get_args(Kind)
HOSTILE = [
    *(
        "",
        " ",
        ".",
        "..",
        "../x",
        "..\\x",
        "a b",
        "a\n",
        "a\r\nb",
        "a\x00",
        "-rf",
        "\x1b[1m",
        "a\u202eb",
        "\uff41",
        "é",
    ),
    *(
        "*",
        "a*",
        "[a]",
        "a;b",
        "$(id)",
        "`id`",
        "'a'",
        '"a"',
        "<a>",
        "{{a}}",
        "${A}",
        "%2e%2e",
        "x" * 301,
        5,
        None,
        b"a",
    ),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", HOSTILE)
def test_what_could_act_is_no_identifier(kind: Kind, value: object) -> None:
    assert not is_identifier(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("service", "checkout"),
        ("channel", "pagerduty-eu.2"),
        ("route", "Night_shift"),
        ("silence", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("event", "18ea452a183ffd5c27c84198b8be5335"),
        ("event", "4f1c9a52-8a44-4d0e-9f2f-1d7a0a2a4a11:12+checkout~standby"),
        ("event", "message:ab12"),
        ("file", "report-2026-01-31.md"),
        ("file", "backup_7.tar.zst"),
    ],
)
def test_our_own_names_and_ids_are_allowed(kind: Kind, value: str) -> None:
    assert is_identifier(kind, value)


@pytest.mark.parametrize("value", ["/etc/passwd", "a/b", "a\\b", "C:x", ".bashrc", "nul", "CON.txt", "lpt1"])
def test_a_file_name_is_no_path_and_no_device(value: str) -> None:
    assert not is_identifier("file", value)


@pytest.mark.parametrize("value", ["checkout", "a" * 63, "a" * 64, "-a", "a\n", ".", "a.b_c-d"])
def test_a_service_is_called_alike_in_files_and_everywhere_else(value: str) -> None:
    try:
        TypeAdapter(Name).validate_python(value)
        fits = True
    except ValidationError:
        fits = False

    assert is_identifier("service", value) is fits


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidIdentifierError) as refused:
        check_identifiers({"service": "a b", "event": "ok", "silence": "../1"})

    assert [error.split(" is no ")[0] for error in refused.value.errors] == ["'a b'", "'../1'"]
    assert "letters, digits or dashes" in str(refused.value)


def test_a_file_stays_in_its_folder_also_where_a_link_leads_out(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path / "elsewhere")

    assert path_inside(folder, "a.md") == folder / "a.md"
    for name in ("out", "../reports.md", "a/b"):
        with pytest.raises(InvalidIdentifierError):
            path_inside(folder, name)
