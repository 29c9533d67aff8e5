"""Texts cut to what a medium takes; the cut is said."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

NOTES: Final = {
    "en": "… (cut here: the whole is too long for this channel)",
    "fr": "… (coupé ici\u00a0: l'ensemble est trop long pour ce canal)",
}


def cut_to_fit(text: str, most: int, locale: str, size: Callable[[str], int] = len) -> str:
    """The text, or as much of its beginning, and a note, as has `most` by `size`, which grows with the text."""
    if size(text) <= most:
        return text
    note = f"\n\n{NOTES.get(locale, NOTES['en'])}"
    kept = bisect.bisect_right(range(len(text) + 1), most, key=lambda end: size(text[:end] + note)) - 1
    return text[: max(0, kept)].rstrip() + note
