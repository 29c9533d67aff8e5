"""Zstandard, from the standard library where it is (Python 3.14), else from its backport."""

from __future__ import annotations

import sys
from typing import Final

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor, ZstdError
    from compression.zstd import compress as _compress
else:
    from backports.zstd import ZstdDecompressor, ZstdError
    from backports.zstd import compress as _compress

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
