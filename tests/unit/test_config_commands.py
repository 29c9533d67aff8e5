"""Secrets that a program prints: a secret manager's client, for example."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from config.errors import ConfigError
from tests.unit.config_kit import Folder

if TYPE_CHECKING:
    from pathlib import Path

KEY = "A" * 43 + "="


@pytest.mark.parametrize("name", ["ENCRYPTION_KEY", "TOCSIN_SECURITY__ENCRYPTION_KEY"])
def test_a_secret_is_what_a_command_prints(tmp_path: Path, name: str) -> None:
    found = Folder(tmp_path).load({f"{name}_COMMAND": f"echo '{KEY}'"})

    assert found.security.encryption_key is not None
    assert found.security.encryption_key.get_secret_value() == KEY


def test_a_file_goes_before_a_command_and_a_variable_before_both(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    file = folder.write("key", "b" * 40)
    environ = {"JWT_SECRET_COMMAND": f"echo {'c' * 40}", "JWT_SECRET_FILE": str(file)}

    from_file = folder.load(environ).security.jwt_secret
    direct = folder.load({**environ, "JWT_SECRET": "a" * 40}).security.jwt_secret

    assert from_file is not None
    assert direct is not None
    assert (from_file.get_secret_value(), direct.get_secret_value()) == ("b" * 40, "a" * 40)


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("false", "ended with exit code 1"),
        ("true", "prints nothing"),
        ("no-such-program", "cannot be run: FileNotFoundError"),
        ("echo 'half", "cannot be run: ValueError"),
    ],
)
def test_a_command_that_gives_none_is_named_with_what_to_do(tmp_path: Path, command: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=f"environment JWT_SECRET_COMMAND: the command {fault}; mend: correct it"):
        Folder(tmp_path).load({"JWT_SECRET_COMMAND": command})


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    program = f"{sys.executable} -c 'import sys; print(sys.argv[1] * 9)' '$(id);'"

    found = Folder(tmp_path).load({"JWT_SECRET_COMMAND": program}).security.jwt_secret

    assert found is not None
    assert found.get_secret_value() == "$(id);" * 9
