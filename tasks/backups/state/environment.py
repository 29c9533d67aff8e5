"""What the environment of a process set: names, never values. No backup holds secrets, but it can say which there were."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tasks.backups.items import Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

KNOWN: Final = re.compile(
    r"(ENVIRONMENT|(TOCSIN_\w+?|PAGERDUTY_\w+?|ENCRYPTION_KEY|JWT_SECRET|REDIS_URL)(?P<file>_FILE)?)\Z"
)
PLACES: Final = re.compile(r"ENVIRONMENT|TOCSIN_(STATE_DIR|CONFIG_DIR|BACKUPS__FOLDER)")  # these are no secrets
NOT_SETTINGS: Final = ("TOCSIN_OPENAPI_DIR", "TOCSIN_IDENTITY", "TOCSIN_IDENTITY_FILE", "TOCSIN_PERSON")


class Environment:
    """Each variable that sets something of Tocsin, by its name; of a secret file, and of a folder, also where it is."""

    kind = "environment"

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def read(self) -> Iterator[Item]:
        """In the order of their names. `NAME_FILE` goes by NAME."""
        for name in sorted(self._environ):
            found = KNOWN.match(name)
            if not found or name in NOT_SETTINGS or not self._environ[name]:
                continue
            is_file = found["file"] is not None
            value = self._environ[name] if is_file or PLACES.fullmatch(name) else ""
            yield Item(self.kind, name.removesuffix("_FILE"), {"file" if is_file else "value": value})

    def known(self, ids: Sequence[str]) -> dict[str, Item]:
        """Those that are set here, too, whatever they say: it is for this machine to know."""
        here = {item.id: item for item in self.read()}
        return {name: here[name] for name in ids if name in here}

    def why_not(self, item: Item) -> str:
        """Why it cannot be put back."""
        return f"it was set where the backup was made{self.words(item)}; set it here, too, if it is needed"

    @staticmethod
    def words(item: Item) -> str:
        """Where it came from, as far as the backup says."""
        if item.document.get("file"):
            return f", from the file {item.document['file']}"
        return f", to {item.document['value']}" if item.document.get("value") else ""

    def restore(self, item: Item, origin: str) -> bool:  # noqa: ARG002 (nothing is restored)
        """Never."""
        return False
