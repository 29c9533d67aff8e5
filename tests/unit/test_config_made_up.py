"""The encryption key that `tocsin up` makes counts in every process on its state folder."""

from pathlib import Path

from config.made_up import FILE
from config.sealed import seal_setting
from config.settings import read_keyring
from tests.unit.config_kit import ENCRYPTION_KEY, Folder

OTHER = "b" * 43 + "="


def made_up(folder: Path) -> dict[str, str]:
    folder.mkdir()
    (folder / FILE).write_text(ENCRYPTION_KEY + "\n")
    return {"TOCSIN_STATE_DIR": str(folder)}


def key_of(folder: Folder, environ: dict[str, str]) -> str | None:
    key = folder.load(environ).security.encryption_key
    return key.get_secret_value() if key else None


def test_it_is_the_key_in_development_where_none_is_set(tmp_path: Path) -> None:
    folder, environ = Folder(tmp_path / "config"), made_up(tmp_path / "state")

    assert key_of(folder, environ) == ENCRYPTION_KEY
    assert key_of(folder, {**environ, "ENCRYPTION_KEY": OTHER}) == OTHER
    assert key_of(folder, {**environ, "ENVIRONMENT": "staging"}) is None


def test_it_opens_what_is_encrypted_in_settings(tmp_path: Path) -> None:
    folder, environ = Folder(tmp_path / "config"), made_up(tmp_path / "state")
    keys = read_keyring(environ=environ, config_dir=folder.path)
    assert keys is not None

    folder.write("pagerduty.yaml", f"pagerduty: {{api_key: '{seal_setting('k' * 20, keys)}'}}\n")

    found = folder.load(environ).pagerduty.api_key
    assert found is not None
    assert found.get_secret_value() == "k" * 20


def test_one_that_cannot_be_read_is_told_with_what_to_do(tmp_path: Path) -> None:
    folder, environ = Folder(tmp_path / "config"), {"TOCSIN_STATE_DIR": str(tmp_path / "state")}
    (tmp_path / "state" / FILE).mkdir(parents=True)

    (problem,) = folder.problems(environ)

    assert "security.encryption_key: cannot be read: Is a directory; mend: work as the user" in problem
