"""Encrypted fields of alerts where they lie in Redis: which keys they need, and their encryption anew."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from config.sealing import MARK, key_id_of
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.keys import Keys
    from tasks.utils.sealed_fields import SealedFields

SEALED: Final = re.compile(r"enc:[A-Za-z0-9_-]{60,}={0,2}")
PAGE: Final = 500
INBOX: Final = "inbox"


class _Text(NamedTuple):
    """A text that holds something encrypted. `family` and `id` name the hash it stands in; of the inbox there is one."""

    family: str
    id: str
    field: str
    text: str


class SealedRows:
    """Accepted alerts, dead letters among them, and those that wait to be accepted."""

    def __init__(self, client: Any, keys: Keys, fields: SealedFields) -> None:
        self._client = client
        self._keys = keys
        self._fields = fields
        self._scripts = Scripts(client, keys)

    def keys_needed(self) -> Iterator[str]:
        """Of each encrypted text the id of the key it needs."""
        for one in self._texts():
            yield from map(key_id_of, SEALED.findall(one.text))

    def renew(self) -> None:
        """Encrypt with the newest key what is under a former one. What somebody changes meanwhile is left to the next call."""
        for one in self._texts():
            new = self._renewed(one)
            if new != one.text:
                self._scripts.run("text_renew", one.family, one.id, one.field, one.text, new)

    def _renewed(self, one: _Text) -> str:
        if one.family != INBOX:
            return self._fields.renewed_text(one.text)
        *head, alert = one.text.split("\n", 2)
        return "\n".join([*head, self._fields.renewed_text(alert)])

    def _texts(self) -> Iterator[_Text]:
        for field, text in self._client.hscan_iter(self._keys.inbox, count=PAGE):
            if MARK in text:
                yield _Text(INBOX, "", field, text)
        for family, name_of in (("event", self._keys.event), ("alert", self._keys.alert)):
            yield from self._of(family, name_of(""))

    def _of(self, family: str, prefix: str) -> Iterator[_Text]:
        names: list[str] = []
        for name in self._client.scan_iter(match=f"{prefix}*", count=PAGE):
            names.append(name)
            if len(names) == PAGE:
                yield from self._found(family, prefix, names)
                names = []
        yield from self._found(family, prefix, names)

    def _found(self, family: str, prefix: str, names: list[str]) -> Iterator[_Text]:
        with self._client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(name)
            rows = pipe.execute()
        for name, row in zip(names, rows, strict=True):
            for field, text in row.items():
                if MARK in text:
                    yield _Text(family, name.removeprefix(prefix), field, text)
