"""Packed bodies: gzip and deflate, never more of them unpacked than is allowed."""

import zlib
from typing import Final

CODINGS: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32  # the header tells which
_RAW: Final = -zlib.MAX_WBITS  # "deflate" without zlib's header: against the standard, and sent all the same
_MOST_MEMBERS: Final = 100


class PackedError(Exception):
    """Not the packed bytes of anything, or not all of them."""


def unpack(packed: bytes, limit: int) -> bytes | None:
    """What `packed` holds; None when that is more than `limit` bytes. PackedError if it cannot be unpacked."""
    try:
        return _unpack(packed, limit, _GZIP_OR_ZLIB)
    except zlib.error:
        pass
    try:
        return _unpack(packed, limit, _RAW)
    except zlib.error:
        raise PackedError("unpacking fails") from None


def _unpack(packed: bytes, limit: int, window: int) -> bytes | None:
    unpacked = b""
    for _ in range(_MOST_MEMBERS):  # gzip allows several, one after the other
        member = zlib.decompressobj(window)
        unpacked += member.decompress(packed, limit + 1 - len(unpacked))
        if len(unpacked) > limit:
            return None
        if not member.eof:
            raise PackedError("its end is missing")
        packed = member.unused_data
        if not packed:
            return unpacked
    raise PackedError("it has too many parts")
