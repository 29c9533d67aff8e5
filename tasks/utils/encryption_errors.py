"""What cannot be decrypted is an error of ours."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from config.keyring import SealError
from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator


class EncryptionError(PermanentError):
    """Cannot be encrypted or decrypted: the text begins with what is at fault (wrong key, wrong purpose, truncated, …)."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the configuration calls a SealError as ours."""
    try:
        yield
    except SealError as error:
        raise EncryptionError(str(error)) from None
