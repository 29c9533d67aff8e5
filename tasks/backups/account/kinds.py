"""What an account is made of, kind by kind, in an order in which each names only what comes before it."""

from __future__ import annotations

from typing import Final

from tasks.backups.account import kinds_of_people, kinds_of_services

KINDS: Final = (*kinds_of_people.KINDS, *kinds_of_services.KINDS)
BY_NAME: Final = {kind.name: kind for kind in KINDS}
ORDER: Final = {kind.name: place for place, kind in enumerate(KINDS)}
