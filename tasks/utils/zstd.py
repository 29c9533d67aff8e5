"""Zstandard, from the standard library where it is (Python 3.14), else from its backport."""

from __future__ import annotations

import sys
from typing import Final, Protocol

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdCompressor, ZstdDecompressor, ZstdError
    from compression.zstd import compress as _compress
else:
    from backports.zstd import ZstdCompressor, ZstdDecompressor, ZstdError
    from backports.zstd import compress as _compress

CHUNK: Final = 1 << 20
LEVEL: Final = 3  # Zstandard's own default; above it, a small object costs a millisecond more and is hardly smaller


class NotCompressedError(ValueError):
    """These bytes are not what `compress` made: cut, changed, or never compressed."""


def compress(data: bytes, level: int = LEVEL) -> bytes:
    """The data, smaller where that is possible, in one frame."""
    return _compress(data, level)


def decompress(data: bytes, most: int) -> bytes:
    """What was compressed. NotCompressedError: it is damaged, or more than `most` bytes would come of it."""
    stream = ZstdDecompressor()
    try:
        plain = stream.decompress(data, most + 1)
    except ZstdError as error:
        raise NotCompressedError(str(error)) from None
    if not stream.eof or stream.unused_data or len(plain) > most:
        raise NotCompressedError("the frame does not end where it should")
    return plain


class Source(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """At most so many; none at the end."""
        ...


class Target(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> object:
        """Take all of them."""
        ...


class Compressed:
    """A source that gives another one compressed, as one frame; memory does not grow with it."""

    def __init__(self, source: Source, level: int = LEVEL) -> None:
        self._source = source
        self._compressor = ZstdCompressor(level)
        self._ready = b""
        self._is_over = False

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        while not self._ready and not self._is_over:
            data = self._source.read(CHUNK)
            self._is_over = not data
            self._ready = self._compressor.compress(data) if data else self._compressor.flush()
        data, self._ready = self._ready[:size], self._ready[size:]
        return data


class Decompressed:
    """A target that hands on, decompressed, what is written to it. Call `end` when that was all."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._stream = ZstdDecompressor()

    def write(self, data: bytes, /) -> None:
        """Take some; NotCompressedError where it is damaged."""
        if self._stream.eof:
            raise NotCompressedError("something follows the frame")
        try:
            plain = self._stream.decompress(data, CHUNK)
            while plain:
                self._target.write(plain)
                plain = b"" if self._stream.needs_input or self._stream.eof else self._stream.decompress(b"", CHUNK)
        except ZstdError as error:
            raise NotCompressedError(str(error)) from None
        if self._stream.unused_data:
            raise NotCompressedError("something follows the frame")

    def end(self) -> None:
        """NotCompressedError where the frame does not end here."""
        if not self._stream.eof:
            raise NotCompressedError("the frame ends too early")
