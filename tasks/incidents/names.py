"""Which incident is meant: by PagerDuty's id, its number, its URL, or our dedup key."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from tasks.utils.error_handler import UnknownError
from tasks.utils.identifiers import wire_key
from tasks.utils.rest.errors import NotFoundError
from tasks.utils.rest.pages import PAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.utils.rest.client import RestClient

FEW: Final = 10  # incidents asked for one by one
KEY: Final = "key:"
OPEN: Final = ("triggered", "acknowledged")
_ID: Final = re.compile(r"[PQ][A-Z0-9]{5,24}")
_NUMBER: Final = re.compile(r"#?([0-9]{1,12})")


class AmbiguousError(UnknownError):
    """Several open incidents have that dedup key."""


class Names:
    """Finds incidents by what people and programs call them."""

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    def find(self, name: str) -> dict[str, Any]:
        """At least the `id` of the incident; UnknownError where there is none, or more than one.

        `key:…` is a dedup key whatever it looks like. Of a key's incidents the open one is meant, else the newest.
        """
        plain = id_in_url(name)
        if _ID.fullmatch(plain):
            return {"id": plain}
        number = _NUMBER.fullmatch(plain)
        if number and not name.startswith(KEY):
            return self._rest.incidents.get(number[1])
        return self.by_key(name.removeprefix(KEY))

    def whole(self, name: str, **more: Any) -> dict[str, Any]:
        """The incident itself."""
        return self._rest.incidents.get(str(self.find(name)["id"]), **more)

    def by_key(self, dedup_key: str) -> dict[str, Any]:
        """The incident of one of our dedup keys."""
        found = list(
            self._rest.incidents.list(incident_key=wire_key(dedup_key), date_range="all", urgencies=["high", "low"])
        )
        still_open = [incident for incident in found if incident.get("status") in OPEN]
        if len(still_open) > 1:
            named = ", ".join(f"{one['id']} ({(one.get('service') or {}).get('summary', '?')})" for one in still_open)
            raise AmbiguousError(
                f"{len(still_open)} open incidents have the key {dedup_key!r}: {named}; name one by its id"
            )
        if not found:
            raise UnknownError(
                f"PagerDuty has no incident of the key {dedup_key!r}; an id looks like PT4KHLK, a number like 1234"
            )
        return still_open[0] if still_open else max(found, key=lambda one: str(one.get("created_at", "")))

    def standing(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The incidents of these ids; those that there are not are left out.

        Many are looked up in the list of what is open, a hundred a call, as long as that is cheaper than to ask for each.
        """
        found = self._among_open(ids) if len(ids) > FEW else {}
        for incident_id in ids:
            if incident_id not in found:
                with suppress(NotFoundError):
                    found[incident_id] = self._rest.incidents.get(incident_id)
        return found

    def _among_open(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        wanted, found = set(ids), {}
        newest_first = self._rest.incidents.list(
            statuses=list(OPEN), date_range="all", urgencies=["high", "low"], sort_by="created_at:desc"
        )
        for incident in islice(newest_first, PAGE * len(ids) // 2):
            if incident["id"] in wanted:
                found[incident["id"]] = incident
                if len(found) == len(wanted):
                    break
        return found


def id_in_url(name: str) -> str:
    """The id in the address of an incident's page; any other text as it is."""
    if not name.startswith(("http://", "https://")):
        return name
    parts = [part for part in urlsplit(name).path.split("/") if part]
    return unquote(parts[parts.index("incidents") + 1]) if "incidents" in parts[:-1] else name
