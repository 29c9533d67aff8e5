"""A backup must not lie beside the key that opens it, nor hold it."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tasks.backups.storage import Storage

LARGEST: Final = 1 << 20  # bytes of a file that is looked into
STANDS_FOR_IT: Final = b"${ENCRYPTION_KEY}"  # in YAML this is the key of the environment, so a restored file works


class KeyGuard:
    """Knows the encryption keys as they are written."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._texts = [form for key in keys for form in _forms(key)]

    def refuse_beside(self, storage: Storage) -> None:
        """PermanentError: one of them lies in the repository's folder."""
        for stranger in storage.strangers():
            if stranger.size <= LARGEST and self._is_in(storage.get(stranger.name)):
                raise PermanentError(
                    f"{stranger.name} in {storage.place} holds the encryption key: whoever takes the folder has both. "
                    "Move the key away, and name it in ENCRYPTION_KEY_FILE"
                )

    def mask(self, content: bytes) -> bytes:
        """The content with the key replaced by the name of the variable that holds it."""
        if not self._is_in(content):
            return content
        for text in self._texts:
            content = content.replace(text, STANDS_FOR_IT)
        return content

    def masked(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """A file's chunks, each masked; those between which a key lies come as one, since neither shows it."""
        held = b""
        for chunk in chunks:
            if held and not self._lies_between(held, chunk):
                yield self.mask(held)
                held = b""
            held += chunk
        if held:
            yield self.mask(held)

    def _lies_between(self, before: bytes, after: bytes) -> bool:
        return any(text in before[1 - len(text) :] + after[: len(text) - 1] for text in self._texts)

    def _is_in(self, content: bytes) -> bool:
        return any(text in content for text in self._texts)


def _forms(key: str) -> list[bytes]:
    """The key as text, in either alphabet of base64, with and without padding, and as bytes; the longer forms first."""
    try:
        raw = base64.urlsafe_b64decode(key.translate(str.maketrans("+/", "-_")))
    except (binascii.Error, ValueError):
        return [key.encode()]
    whole = {base64.urlsafe_b64encode(raw), base64.b64encode(raw), key.encode()}
    return sorted({*whole, *(text.rstrip(b"=") for text in whole), raw}, key=len, reverse=True)
