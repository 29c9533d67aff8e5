"""The catalogues hold the same phrases, and templates use no others."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from tasks.utils.notification_words import CATALOGUES, ENGLISH, Words, iso, short
from tasks.utils.template_files import SHIPPED

CODE = Path(__file__).parents[2] / "tasks" / "utils"


def fields(phrase: str | tuple[str, str]) -> set[str]:
    return set(re.findall(r"{(\w+)}", "".join(phrase)))


@pytest.mark.parametrize("locale", CATALOGUES)
def test_every_language_has_every_phrase_with_the_same_gaps(locale: str) -> None:
    catalogue = CATALOGUES[locale]

    assert list(catalogue) == list(ENGLISH)
    assert {name: fields(phrase) for name, phrase in catalogue.items()} == {
        name: fields(phrase) for name, phrase in ENGLISH.items()
    }


def test_every_phrase_is_used() -> None:
    texts = [path.read_text("utf-8") for path in (*SHIPPED.glob("*.j2"), *CODE.glob("notification_*.py"))]
    used = " ".join(text for text in texts if "ENGLISH" not in text)
    values = {"critical", "error", "warning", "info", "firing", "acknowledged", "resolved", "still_firing"}

    assert {name for name in ENGLISH if f'"{name}"' not in used} <= values


@pytest.mark.parametrize(
    ("locale", "number", "phrase"),
    [
        ("en", 0, "0 alerts on db: full"),
        ("en", 1, "1 alert on db: full"),
        ("en", 2, "2 alerts on db: full"),
        ("fr", 0, "0 alerte sur db\u00a0: full"),
        ("fr", 1, "1 alerte sur db\u00a0: full"),
        ("fr", 2, "2 alertes sur db\u00a0: full"),
    ],
)
def test_nought_is_many_in_english_and_one_in_french(locale: str, number: int, phrase: str) -> None:
    assert Words(locale).say("many", number, where="db", what="full") == phrase


def test_what_fills_a_gap_is_no_phrase_itself() -> None:
    assert Words("en").say("one", what="{where} {0}", where="db") == "{where} {0} (db)"


def test_french_puts_a_hard_blank_before_its_colons() -> None:
    for phrase in CATALOGUES["fr"].values():
        for text in (phrase,) if isinstance(phrase, str) else phrase:
            assert not re.search(r"[^\u00a0][:;!?]", text)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 1, 31, 3, 5, tzinfo=UTC), "03:05Z"),
        (datetime(2026, 1, 31, 3, 5, tzinfo=timezone(timedelta(hours=2))), "01:05Z"),
        (datetime(2026, 1, 31, 1, 5, tzinfo=timezone(timedelta(hours=2))), "2026-01-30 23:05Z"),
        (datetime(2026, 1, 31, 3, 5), "03:05Z"),  # noqa: DTZ001 - one without a zone
    ],
)
def test_times_are_short_and_in_utc(at: datetime, text: str) -> None:
    assert short(at, datetime(2026, 1, 31, 3, 12, tzinfo=UTC)) == text
    assert iso(at).endswith(":05:00Z")
