"""Settings that stand encrypted in files and environment: `enc:…`, opened with the encryption key when they are read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from config.errors import Problem
from config.key_sources import KEY
from config.keyring import Keyring, SealError
from config.sealing import MARK, key_id_of, seal, unseal
from config.sources import dotted
from config.values import in_parts

if TYPE_CHECKING:
    from config.sources import Node, Path
    from config.variables import Report

PURPOSE: Final = "settings"
KEYS: Final = (("security", "encryption_key"), ("security", "previous_encryption_keys"))
_WHOLE: Final = re.compile(r"enc:[A-Za-z0-9_-]{60,}={0,2}")
_AGAIN: Final = "encrypt the value anew with `tocsin config encrypt`"


def seal_setting(value: str, keys: Keyring) -> str:
    """A value as it may stand in a file or the environment."""
    return seal(json.dumps(value).encode(), keys, PURPOSE)


class SealedSettings:
    """Opens what is encrypted in the nodes of one reading, with the keys that the settings name."""

    def __init__(self, settings: Node, report: Report) -> None:
        self._report = report
        self.keyring = keyring_of(settings)
        self._refuse_sealed_keys(settings)
        self.open(settings)

    def open(self, node: Node, above: Path = ()) -> None:
        """Put the values in the place of encrypted ones; those that cannot be opened are reported and left out."""
        for key, child in node.children():
            self.open(child, (*above, key))
        if isinstance(node.value, str) and (node.value.startswith(MARK) or _WHOLE.search(node.value)):
            node.value = self._opened(node.value, node, above)
            node.origin = replace(node.origin, is_sealed=True)

    def _opened(self, text: str, node: Node, path: Path) -> str | None:
        try:
            if not _WHOLE.search(text):
                raise SealError("damaged: this is no whole encrypted value (`enc:…`); copy all of it")  # noqa: TRY301
            return _WHOLE.sub(lambda found: self._unsealed(found[0]), text)
        except SealError as error:
            what, _, mend = str(error).partition("; ")
            self._report(Problem(str(node.origin), dotted(path), f"cannot be decrypted: {what}", mend or _AGAIN))
            return None

    def _unsealed(self, text: str) -> str:
        if self.keyring is None:
            known = f"it is encrypted with the key {key_id_of(text)}, and security.encryption_key is not set"
            raise SealError(f"{known}; set ENCRYPTION_KEY to that key, or {_AGAIN}")
        value = json.loads(unseal(text, self.keyring, PURPOSE))
        return value if isinstance(value, str) else json.dumps(value)

    def _refuse_sealed_keys(self, settings: Node) -> None:
        for path in KEYS:
            node = settings.find(path)
            entries = [node, *(child for _, child in node.children())] if node is not None else []
            for one in entries:
                if isinstance(one.value, str) and MARK in one.value:
                    what = "is encrypted itself: what opens the others cannot be opened"
                    self._report(
                        Problem(str(one.origin), dotted(path), what, "keep it in a secret file: ENCRYPTION_KEY_FILE")
                    )
                    one.value = None


def keyring_of(settings: Node) -> Keyring | None:
    """The keys that the settings name, the newest first; None where none is fit to be one, which is told elsewhere."""
    keys = [text for text in key_texts_of(settings) if KEY.fullmatch(text)]
    return Keyring.of_texts(keys) if keys else None


def key_texts_of(settings: Node) -> list[str]:
    """What stands where keys belong, the newest first, be it fit to be one or not."""
    return [text for path in KEYS for text in _texts(settings.find(path))]


def _texts(node: Node | None) -> list[str]:
    plain = in_parts(node.plain()) if node is not None else None
    return [str(text) for text in plain] if isinstance(plain, list) else []
