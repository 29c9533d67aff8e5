"""Archive files: compressed, encrypted where there is a key, written whole or not at all, and read again before anything relies on them."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, Protocol

from tasks.utils.encryption_stream import key_id_of_file
from tasks.utils.error_handler import PermanentError
from tasks.utils.files import PRIVATE_FILE, PRIVATE_FOLDER, sync_folder
from tasks.utils.zstd import Compressed, Decompressed, NotCompressedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.utils.encryption import SecurityManager

CHUNK: Final = 1 << 20
PURPOSE: Final = "logs"
RENEWED: Final = re.compile(r"~[0-9a-f]{8}(?=\.zst)")  # in a name: with which key the file was encrypted anew


class DamagedArchiveError(PermanentError):
    """An archive is not as it was written."""


class Sink(Protocol):
    """What content is written to."""

    def write(self, data: bytes, /) -> object:
        """Take some."""
        ...


class Stored(NamedTuple):
    """A file as it was written: its name, its size and digest, and those of what it holds."""

    file: str
    bytes: int
    sha256: str
    stored_bytes: int
    stored_sha256: str


class Vault:
    """The folder of archive files. Without a `manager` they are not encrypted."""

    def __init__(self, folder: Path, manager: SecurityManager | None) -> None:
        self.folder = folder
        self._manager = manager

    @property
    def encrypts(self) -> bool:
        """Whether what is written now is encrypted."""
        return self._manager is not None

    @property
    def suffix(self) -> str:
        """What the names of archives end in that are written now."""
        return ".zst.enc" if self._manager else ".zst"

    @property
    def newest(self) -> str:
        """The id of the key that is encrypted with; empty where there is none."""
        return self._manager.key_id if self._manager else ""

    def put(self, label: str, source: BinaryIO) -> Stored:
        """Archive all of `source` under a label, a path within the folder; on return the disk has it.

        What a killed process left half of it is overwritten; PermanentError where there is such an archive, which may be evidence.
        """
        path = self.folder / f"{label}{self.suffix}"
        if path.exists():
            raise PermanentError(f"{path} is there already and is not overwritten; `tocsin logs verify` says more")
        plain = Counted(source)
        name = path.relative_to(self.folder).as_posix()
        with self._written(name) as stored:
            if self._manager:
                self._manager.encrypt_stream(Compressed(plain), stored, _purpose(name))
            else:
                _copy(Compressed(plain), stored)
        return Stored(name, plain.total, plain.digest, stored.total, stored.digest)

    def renew(self, stored: Stored) -> Stored:
        """The same encrypted anew with the newest key, in another file that was read back to its end; the former one is left as it is.

        DamagedArchiveError where the former one is not as it was written.
        """
        manager = self._need_manager(stored.file)
        # The same name in each try: what a killed one has left is overwritten.
        name = f"{RENEWED.sub('', stored.file).removesuffix('.zst.enc')}~{manager.key_id}.zst.enc"
        with self._opened(stored.file) as file, self._written(name) as written:
            source = Counted(file)
            manager.renew_stream(source, written, _purpose(stored.file), _purpose(name))
            if (source.total, source.digest) != (stored.stored_bytes, stored.stored_sha256):
                raise DamagedArchiveError(f"{stored.file} is not the file that was written")
        renewed = stored._replace(file=name, stored_bytes=written.total, stored_sha256=written.digest)
        self.verify(renewed)
        return renewed

    def key_of(self, file: str) -> str:
        """The id of the key that a file is encrypted with; empty where it is not, or not there."""
        try:
            with (self.folder / file).open("rb") as opened:
                return key_id_of_file(opened)
        except FileNotFoundError:
            return ""

    @contextmanager
    def _written(self, name: str) -> Iterator[CountedSink]:
        """A file that appears whole or not at all; behind it the disk has it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        draft = path.with_name(f".{path.name}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            yield CountedSink(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)

    def holds(self, file: str) -> bool:
        """Whether there is such a file."""
        return (self.folder / file).is_file()

    def verify(self, stored: Stored) -> None:
        """Read it again to its end; DamagedArchiveError where it does not give what was put in."""
        sink = CountedSink(None)
        self.take(stored, sink)

    def take(self, stored: Stored, target: Sink) -> None:
        """Write what it holds to `target`. DamagedArchiveError: throw away what was written."""
        found = self._read(stored.file, target)
        if (found.stored_bytes, found.stored_sha256) != (stored.stored_bytes, stored.stored_sha256):
            raise DamagedArchiveError(f"{stored.file} is not the file that was written")
        if (found.bytes, found.sha256) != (stored.bytes, stored.sha256):
            raise DamagedArchiveError(f"{stored.file} does not hold what was put into it")

    def measure(self, file: str) -> Stored:
        """What a file is of which nobody knows how it was written, read to its end.

        PermanentError where it is damaged or cannot be read; one that is encrypted was written under this name.
        """
        return self._read(file, None)

    def discard(self, stored: Stored) -> None:
        """Delete a file that is of no use."""
        (self.folder / stored.file).unlink()

    def _read(self, name: str, target: Sink | None) -> Stored:
        sink = CountedSink(target)
        with self._opened(name) as file:
            source = Counted(file)
            plain = Decompressed(sink)
            try:
                if name.endswith(".enc"):
                    self._need_manager(name).decrypt_stream(source, plain, _purpose(name))
                else:
                    _copy(source, plain)
                plain.end()
            except NotCompressedError as error:
                raise DamagedArchiveError(f"{name} is damaged: {error}") from None
        return Stored(name, sink.total, sink.digest, source.total, source.digest)

    @contextmanager
    def _opened(self, file: str) -> Iterator[BinaryIO]:
        try:
            with (self.folder / file).open("rb") as opened:
                yield opened
        except FileNotFoundError:
            raise DamagedArchiveError(f"{file} is missing from {self.folder}") from None

    def _need_manager(self, file: str) -> SecurityManager:
        if self._manager is None:
            raise PermanentError(f"{file} is encrypted; set ENCRYPTION_KEY, or the former key it was encrypted with")
        return self._manager


class Counted:
    """A source that counts and digests what is read of it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._hash = hashlib.sha256()
        self.total = 0

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        data = self._source.read(size)
        self._hash.update(data)
        self.total += len(data)
        return data

    @property
    def digest(self) -> str:
        """The SHA-256 so far."""
        return self._hash.hexdigest()


class CountedSink:
    """The same for what is written; to nowhere where `target` is None."""

    def __init__(self, target: Sink | None) -> None:
        self._target = target
        self._hash = hashlib.sha256()
        self.total = 0

    def write(self, data: bytes, /) -> None:
        """Take some."""
        self._hash.update(data)
        self.total += len(data)
        if self._target is not None:
            self._target.write(data)

    @property
    def digest(self) -> str:
        """The SHA-256 so far."""
        return self._hash.hexdigest()


def digest_of(source: BinaryIO) -> str:
    """The SHA-256 of all of it."""
    counted = Counted(source)
    while counted.read(CHUNK):
        continue
    return counted.digest


def _copy(source: Counted | Compressed, target: Sink) -> None:
    while data := source.read(CHUNK):
        target.write(data)


def _purpose(file: str) -> str:
    return f"{PURPOSE}/{file.removesuffix('.zst.enc')}"
