"""How fast files are encrypted, beside the bare library on the same bytes: 256 MB, memory measured in a process of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tasks.utils.encryption import SecurityManager
from tasks.utils.encryption_stream import CHUNK_BYTES
from tests.bench.figures import figure

if TYPE_CHECKING:
    from collections.abc import Callable

MEGABYTES: Final = 256
ROUNDS: Final = 3
KEY: Final = "k" * 43 + "="
# Encrypts so many MB into nowhere and tells the most memory it has had, in MB.
MEMORY: Final = """
import sys
from tasks.utils.encryption import SecurityManager
class Zeros:
    left = int(sys.argv[1]) * 1048576
    def read(self, size):
        given = min(size, self.left)
        self.left -= given
        return bytes(given)
with open("/dev/null", "wb") as nowhere:
    SecurityManager([sys.argv[2]]).encrypt_stream(Zeros(), nowhere, b"bench")
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) / 1024)
"""


def run() -> None:
    """Rates in MB/s, the best of some rounds; text round trips; memory for 1 MB and for all."""
    data = os.urandom(1024 * 1024) * MEGABYTES
    sealed = io.BytesIO()
    manager = SecurityManager([KEY])
    manager.encrypt_stream(io.BytesIO(data), sealed, b"bench")
    figure(
        "encryption.tocsin.encrypt",
        _rate(lambda: manager.encrypt_stream(io.BytesIO(data), _Nowhere(), b"bench")),
        "MB/s",
        ROUNDS,
    )
    figure("encryption.tocsin.decrypt", _rate(lambda: _decrypt(manager, sealed)), "MB/s", ROUNDS)
    figure("encryption.library.chunks", _rate(lambda: _chunks(data)), "MB/s", ROUNDS)
    figure("encryption.library.whole", _rate(lambda: AESGCM(bytes(32)).encrypt(bytes(12), data, b"")), "MB/s", ROUNDS)
    figure("encryption.tocsin.texts", _texts(manager), "/s", 20_000)
    for size in (1, MEGABYTES):
        figure(f"encryption.tocsin.memory_{size}", _memory(size), "MB", 1)


class _Nowhere:
    def write(self, data: bytes, /) -> object:
        return len(data)


def _decrypt(manager: SecurityManager, sealed: io.BytesIO) -> None:
    sealed.seek(0)
    manager.decrypt_stream(sealed, _Nowhere(), b"bench")


def _chunks(data: bytes) -> None:
    """What encryption itself costs: the library on chunks of the same size, no reading, no writing."""
    cipher, view = AESGCM(bytes(32)), memoryview(data)
    for at in range(0, len(data), CHUNK_BYTES):
        cipher.encrypt(at.to_bytes(12, "big"), view[at : at + CHUNK_BYTES], b"")


def _rate(work: Callable[[], object]) -> float:
    return MEGABYTES / min(_seconds(work) for _ in range(ROUNDS))


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _texts(manager: SecurityManager, count: int = 20_000) -> float:
    """How often a second a field of an alert can be encrypted and read again."""
    return count / _seconds(
        lambda: [manager.decrypt_sensitive_data(manager.encrypt_sensitive_data("hunter2")) for _ in range(count)]
    )


def _memory(megabytes: int) -> float:
    command = [sys.executable, "-c", MEMORY, str(megabytes), KEY]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
