"""The audit rules as the settings have them."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING

from config.settings import load
from tasks.audit.anchors import anchor_key
from tasks.audit.wiring import audit_rules

if TYPE_CHECKING:
    from pathlib import Path


def test_the_archive_lies_in_the_state_folder_and_is_signed_with_a_derived_key(tmp_path: Path) -> None:
    secret = b"s" * 32
    environ = {"ENCRYPTION_KEY": b64encode(secret).decode(), "TOCSIN_LEDGER__RETENTION": "72h"}

    rules = audit_rules(load(environ=environ, state_dir=tmp_path))

    assert rules.folder == tmp_path / "ledger"
    assert rules.signing_keys == (anchor_key(secret),)
    assert rules.retention == timedelta(hours=72)


def test_former_encryption_keys_verify_what_they_signed(tmp_path: Path) -> None:
    new, old, older = (letter * 32 for letter in (b"n", b"o", b"p"))
    environ = {
        "ENCRYPTION_KEY": b64encode(new).decode(),
        "TOCSIN_SECURITY__PREVIOUS_ENCRYPTION_KEYS": f"{b64encode(old).decode()} {b64encode(older).decode()}",
    }

    rules = audit_rules(load(environ=environ, state_dir=tmp_path))

    assert rules.signing_keys == (anchor_key(new), anchor_key(old), anchor_key(older))


def test_without_an_encryption_key_nothing_is_signed(tmp_path: Path) -> None:
    assert audit_rules(load(environ={}, state_dir=tmp_path)).signing_keys == ()
