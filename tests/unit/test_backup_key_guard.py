"""The encryption key does not get into a backup, wherever in a file it stands."""

from __future__ import annotations

import base64

import pytest

from tasks.backups.beside import STANDS_FOR_IT, KeyGuard
from tasks.backups.files import CHUNK

KEY = base64.urlsafe_b64encode(bytes(range(220, 252))).decode()
FORMS = [KEY, KEY.rstrip("="), base64.b64encode(base64.urlsafe_b64decode(KEY)).decode()]


def cut(content: bytes) -> list[bytes]:
    return [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)]


@pytest.mark.parametrize("form", FORMS)
def test_a_key_that_lies_across_two_chunks_is_masked_wherever_it_is_cut(form: str) -> None:
    guard, text = KeyGuard([KEY]), form.encode()
    for ahead in range(len(text) + 2):
        before = b"x" * (CHUNK - ahead)

        masked = list(guard.masked(cut(before + text + b"\nrest")))

        assert b"".join(masked) == before + STANDS_FOR_IT + b"\nrest"


def test_keys_across_every_boundary_of_a_file_are_masked() -> None:
    filled = b"y" * (CHUNK - len(KEY)) + KEY.encode()
    content = (b"z" * 20 + filled) * 3

    masked = b"".join(KeyGuard([KEY]).masked(cut(content)))

    assert masked == content.replace(KEY.encode(), STANDS_FOR_IT)


def test_a_file_without_the_key_is_cut_as_it_was() -> None:
    chunks = cut(b"a line\n" * 100_000)

    assert list(KeyGuard([KEY]).masked(chunks)) == chunks
