"""Lists beyond the 10,000 that PagerDuty lists: asked for by what is in the names, letter by letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.utils.rest.pages import TooLongError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tasks.backups.account.listings import Listing
    from tasks.utils.rest.client import RestClient

LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789-_. "
DEEPEST: Final = 3  # letters of a query


def everything(listing: Listing, rest: RestClient, note: Callable[[str, str], None]) -> Iterator[dict[str, Any]]:
    """All objects of a list, each once; `note` is told where some cannot be reached."""
    seen: set[str] = set()
    for raw in _listed(listing, rest, ""):
        if raw is None:
            yield from _by_letters(listing, rest, note, seen)
            return
        seen.add(_name(raw, len(seen)))
        yield raw


def _by_letters(
    listing: Listing, rest: RestClient, note: Callable[[str, str], None], seen: set[str]
) -> Iterator[dict[str, Any]]:
    """Those past the 10,000th: whatever has a letter in its name, of each letter with too many the pairs, and so on."""
    waiting = [letter for letter in reversed(LETTERS) if letter.strip()] if listing.has_query else []
    while waiting:
        query = waiting.pop()
        for raw in _listed(listing, rest, query):
            if raw is None:
                waiting += [query + letter for letter in reversed(LETTERS)] if len(query) < DEEPEST else []
                break
            if (name := _name(raw, len(seen))) not in seen:
                seen.add(name)
                yield raw
    total = listing.collection(rest).reading(listing.asked())({"limit": 1, "total": True}).get("total")
    if total is None or total > len(seen):
        note(listing.kind, f"PagerDuty lists 10,000 at most; {len(seen)} of {total or 'more'} could be reached")


def _listed(listing: Listing, rest: RestClient, query: str) -> Iterator[dict[str, Any] | None]:
    """What a query finds; None after the 10,000th."""
    try:
        yield from listing.collection(rest).list(**listing.asked(), query=query or None)
    except TooLongError:
        yield None


def _name(raw: dict[str, Any], place: int) -> str:
    """What tells objects of a list apart; allocations have no ids, and come once."""
    return str(raw.get("id", place))
