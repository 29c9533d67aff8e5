"""Secrets as text: what encrypts them opens them again, nothing else does, and an error says what is at fault."""

import base64
from pathlib import Path

import pytest

from tasks.utils.encryption import Cost, EncryptionError, SecurityManager, is_encrypted

OLD = base64.urlsafe_b64encode(b"o" * 32).decode()
NEW = base64.urlsafe_b64encode(b"n" * 32).decode()
PASSPHRASE = "correct horse battery staple"
CHEAP = Cost(log_n=4)


@pytest.mark.parametrize("data", ["geheim", "", "é☃", 7, 1.5, None, True, ["a", {"b": [1]}], {"token": "x"}])
def test_what_was_encrypted_comes_back(data: object) -> None:
    manager = SecurityManager([NEW])

    text = manager.encrypt_sensitive_data(data)

    assert manager.decrypt_sensitive_data(text) == data
    assert is_encrypted(text)
    assert text.isascii()


def test_the_same_secret_never_looks_the_same() -> None:
    manager = SecurityManager([NEW])

    assert len({manager.encrypt_sensitive_data("geheim") for _ in range(100)}) == 100


def test_the_newest_key_encrypts_and_all_keys_decrypt() -> None:
    before, now = SecurityManager([OLD]), SecurityManager([NEW, OLD])
    old_text, new_text = before.encrypt_sensitive_data("a"), now.encrypt_sensitive_data("b")

    assert now.decrypt_sensitive_data(old_text) == "a"
    assert now.decrypt_sensitive_data(new_text) == "b"
    assert not now.is_current(old_text)
    assert now.is_current(new_text)
    with pytest.raises(EncryptionError, match=f"wrong key: it was encrypted with the key {now.key_id}, known here: "):
        before.decrypt_sensitive_data(new_text)


def test_what_was_encrypted_for_one_purpose_is_refused_for_another() -> None:
    manager = SecurityManager([NEW])
    text = manager.encrypt_sensitive_data("geheim", purpose="settings")

    with pytest.raises(EncryptionError, match="wrong purpose: it was not encrypted as 'alerts'"):
        manager.decrypt_sensitive_data(text, purpose="alerts")


def test_a_text_with_any_byte_changed_is_refused() -> None:
    manager = SecurityManager([NEW])
    text = manager.encrypt_sensitive_data("geheim")

    for at in range(4, len(text) - 1):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        with pytest.raises(EncryptionError, match=r"^(altered|damaged|wrong key|wrong purpose): "):
            manager.decrypt_sensitive_data(changed)


def test_a_text_cut_anywhere_is_refused() -> None:
    manager = SecurityManager([NEW])
    text = manager.encrypt_sensitive_data("geheim")

    for size in range(len(text)):
        with pytest.raises(EncryptionError, match=r"^(altered|damaged|wrong key): "):
            manager.decrypt_sensitive_data(text[:size])


def test_what_json_cannot_hold_is_refused_by_name() -> None:
    with pytest.raises(EncryptionError, match="it is not text, number, list or object"):
        SecurityManager([NEW]).encrypt_sensitive_data({1, 2})


def test_a_passphrase_opens_what_it_encrypted_and_no_other_does() -> None:
    text = SecurityManager.of_passphrase(PASSPHRASE, CHEAP).encrypt_sensitive_data("geheim")

    assert SecurityManager.of_passphrase(PASSPHRASE).decrypt_sensitive_data(text) == "geheim"
    with pytest.raises(EncryptionError, match="wrong key: it was encrypted with another passphrase"):
        SecurityManager.of_passphrase(PASSPHRASE + "!").decrypt_sensitive_data(text)


def test_a_key_and_a_passphrase_say_that_the_other_is_wanted() -> None:
    by_key, by_passphrase = SecurityManager([NEW]), SecurityManager.of_passphrase(PASSPHRASE, CHEAP)

    with pytest.raises(EncryptionError, match="wrong key: it was encrypted with a passphrase"):
        by_key.decrypt_sensitive_data(by_passphrase.encrypt_sensitive_data("a"))
    with pytest.raises(EncryptionError, match=f"wrong key: it was encrypted with the key {by_key.key_id}, not with"):
        by_passphrase.decrypt_sensitive_data(by_key.encrypt_sensitive_data("a"))


def test_a_header_that_asks_for_all_memory_is_refused() -> None:
    manager = SecurityManager.of_passphrase(PASSPHRASE, CHEAP)
    raw = bytearray(base64.urlsafe_b64decode(manager.encrypt_sensitive_data("a").removeprefix("enc:") + "=="))
    raw[2] = 29

    with pytest.raises(EncryptionError, match="asks for more memory than any of ours"):
        manager.decrypt_sensitive_data("enc:" + base64.urlsafe_b64encode(raw).decode())


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(EncryptionError, match="too short"):
        SecurityManager.of_passphrase("hunter2")


def test_without_arguments_the_keys_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old_text = SecurityManager([OLD]).encrypt_sensitive_data("a")
    monkeypatch.setenv("ENCRYPTION_KEY", NEW)
    monkeypatch.setenv("TOCSIN_SECURITY__PREVIOUS_ENCRYPTION_KEYS", OLD)
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path))

    manager = SecurityManager()

    assert manager.key_id == SecurityManager([NEW]).key_id
    assert manager.decrypt_sensitive_data(old_text) == "a"


def test_no_error_shows_a_key_or_a_secret() -> None:
    manager = SecurityManager([NEW])
    text = manager.encrypt_sensitive_data("geheim")

    with pytest.raises(EncryptionError) as caught:
        SecurityManager([OLD]).decrypt_sensitive_data(text)

    assert not any(secret in str(caught.value) for secret in (OLD, NEW, "geheim", text))
