"""Files, encrypted in chunks: what comes out is what went in, or an error says what was done to them."""

import io
import os
import tracemalloc
from collections.abc import Callable
from time import process_time

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tasks.utils.encryption import Cost, EncryptionError, SecurityManager
from tasks.utils.encryption_stream import CHUNK_BYTES

NEW, OLD = "n" * 43 + "=", "o" * 43 + "="
FRAME = 4 + CHUNK_BYTES + 16
MANAGER = SecurityManager([NEW])


def encrypted(data: bytes, manager: SecurityManager = MANAGER, purpose: bytes = b"backups") -> bytes:
    target = io.BytesIO()
    assert manager.encrypt_stream(io.BytesIO(data), target, purpose) == len(data)
    return target.getvalue()


def decrypted(sealed: bytes, manager: SecurityManager = MANAGER, purpose: bytes = b"backups") -> bytes:
    target = io.BytesIO()
    size = manager.decrypt_stream(io.BytesIO(sealed), target, purpose)
    assert size == len(target.getvalue())
    return target.getvalue()


def parts(sealed: bytes) -> tuple[bytes, list[bytes]]:
    """The header of an encrypted file and its frames."""
    size = 10 + int.from_bytes(sealed[8:10], "big")
    return sealed[:size], [sealed[at : at + FRAME] for at in range(size, len(sealed), FRAME)]


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7]
)
def test_a_file_of_any_size_comes_back(size: int) -> None:
    data = os.urandom(size)

    assert decrypted(encrypted(data)) == data


def test_sources_that_give_little_at_a_time_will_do() -> None:
    class Pipe(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 1000))

    data, target, back = os.urandom(2 * CHUNK_BYTES), io.BytesIO(), io.BytesIO()

    MANAGER.encrypt_stream(Pipe(data), target, "backups")
    MANAGER.decrypt_stream(Pipe(target.getvalue()), back, "backups")

    assert back.getvalue() == data


def test_a_file_is_read_with_a_former_key_and_with_no_other() -> None:
    sealed = encrypted(b"x", SecurityManager([OLD]))

    assert decrypted(sealed, SecurityManager([NEW, OLD])) == b"x"
    with pytest.raises(EncryptionError, match=r"^wrong key: it was encrypted with the key"):
        decrypted(sealed)


def test_a_file_is_read_with_its_passphrase_and_with_no_other() -> None:
    sealed = encrypted(b"x", SecurityManager.of_passphrase("correct horse battery", Cost(log_n=4)))

    assert decrypted(sealed, SecurityManager.of_passphrase("correct horse battery")) == b"x"
    with pytest.raises(EncryptionError, match=r"^wrong key: it was encrypted with another passphrase"):
        decrypted(sealed, SecurityManager.of_passphrase("incorrect horse battery"))


def test_a_file_made_for_another_purpose_is_refused() -> None:
    with pytest.raises(EncryptionError, match=r"^wrong purpose: the file was encrypted as 'backups', not as 'logs'"):
        decrypted(encrypted(b"x"), purpose=b"logs")


@pytest.mark.parametrize(
    ("deed", "word"),
    [
        (lambda frames: [*frames[:-1]], "truncated"),
        (lambda frames: [*frames[:-1], frames[-1][:9]], "truncated"),
        (lambda frames: [*frames[:1], frames[1][:99]], "truncated"),
        (lambda _: [], "truncated"),
        (lambda frames: [frames[0], frames[0], *frames[1:]], "duplicated"),
        (lambda frames: [frames[0], frames[2], frames[1], *frames[3:]], "out of order"),
        (lambda frames: [frames[0], *frames[2:]], "out of order"),
        (lambda frames: [*frames, frames[-1]], "altered"),
        (lambda frames: [frames[0][:-1] + bytes([frames[0][-1] ^ 1]), *frames[1:]], "altered"),
        (lambda frames: [b"\x80" + frames[0][1:]], "altered"),
        (lambda frames: [frames[0], b"\0\0\0\1" + frames[2][4:], *frames[2:]], "altered"),
    ],
    ids=[
        "last chunk gone", "cut in the last chunk", "cut in a chunk", "all gone", "twice", "swapped", "one gone",
        "something behind", "a bit turned", "called the last", "renumbered",
    ],
)  # fmt: skip
def test_what_was_done_to_the_chunks_is_named(deed: Callable[[list[bytes]], list[bytes]], word: str) -> None:
    header, frames = parts(encrypted(os.urandom(4 * CHUNK_BYTES + 100)))

    with pytest.raises(EncryptionError, match=f"^{word}: "):
        decrypted(header + b"".join(deed(frames)))


def test_a_chunk_of_another_file_with_the_same_key_is_refused() -> None:
    data = os.urandom(2 * CHUNK_BYTES)
    header, frames = parts(encrypted(data))
    _, others = parts(encrypted(data))

    with pytest.raises(EncryptionError, match=r"^altered: chunk 1 "):
        decrypted(header + frames[0] + others[1])


def test_a_header_with_any_byte_changed_is_refused() -> None:
    sealed = encrypted(b"geheim")
    header, _ = parts(sealed)

    for at in range(len(header)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(EncryptionError, match=r"^(altered|damaged|truncated|wrong key|wrong purpose): "):
            decrypted(changed)


def test_a_file_cut_anywhere_is_refused() -> None:
    sealed = encrypted(b"geheim")

    for size in range(len(sealed)):
        with pytest.raises(EncryptionError, match=r"^(truncated|damaged|altered): "):
            decrypted(sealed[:size])


class Zeros:
    """A file of so many bytes that takes no memory."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int, /) -> bytes:
        given = min(size, self.left)
        self.left -= given
        return bytes(given)


class Nowhere:
    def write(self, data: bytes, /) -> object:
        return len(data)


def test_memory_does_not_grow_with_the_file() -> None:
    tracemalloc.start()

    MANAGER.encrypt_stream(Zeros(16 * 1024 * 1024), Nowhere(), "backups")

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1024 * 1024


def test_nor_does_it_when_a_file_is_read() -> None:
    sealed = io.BytesIO(encrypted(bytes(16 * 1024 * 1024)))
    tracemalloc.start()

    MANAGER.decrypt_stream(sealed, Nowhere(), "backups")

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1024 * 1024


@pytest.mark.alone
def test_a_file_is_encrypted_at_least_half_as_fast_as_the_library_can() -> None:
    data = os.urandom(1024 * 1024) * 64
    cipher, view = AESGCM(bytes(32)), memoryview(data)

    def raw() -> float:
        started = process_time()
        for at in range(0, len(data), CHUNK_BYTES):
            cipher.encrypt(at.to_bytes(12, "big"), view[at : at + CHUNK_BYTES], b"")
        return process_time() - started

    def ours() -> float:
        source = io.BytesIO(data)
        started = process_time()
        MANAGER.encrypt_stream(source, Nowhere(), "backups")
        return process_time() - started

    assert min(ours() for _ in range(9)) <= 2 * min(raw() for _ in range(9))
