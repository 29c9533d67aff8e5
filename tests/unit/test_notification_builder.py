"""What somebody on call reads: every medium, both languages, every stage of a group."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest

from tasks.utils.bundles import Bundle
from tasks.utils.notification_builder import NotificationBuilder
from tests.unit.notification_kit import (
    NOW,
    WORDY,
    acknowledged,
    bundle,
    growing,
    member,
    reminder,
    resolved,
    single,
)

if TYPE_CHECKING:
    from collections.abc import Callable

BUILDER = NotificationBuilder()
SCENARIOS: dict[str, tuple[Callable[[], Bundle], dict[str, tuple[str, ...]]]] = {
    "growing": (
        growing,
        {
            "en": (
                "CRITICAL: 5 alerts firing on web1, eu: disk 2 full (3 new)",
                "5 firing, 2 resolved, 1 came and went",
                "03:05Z",
            ),
            "fr": (
                "CRITIQUE\u00a0: 5 alertes en cours sur web1, eu\u00a0: disk 2 full (3 nouvelles)",
                "5 en cours, 2 résolues, 1 apparue puis disparue",
                "03:05Z",
            ),
        },
    ),
    "single": (
        single,
        {"en": ("CRITICAL: disk 1 full (db1)", "03:01Z"), "fr": ("CRITIQUE\u00a0: disk 1 full (db1)", "03:01Z")},
    ),
    "reminder": (
        reminder,
        {
            "en": (
                "CRITICAL, STILL FIRING: 5 alerts on web1, eu since 2026-01-30 23:12Z",
                "A reminder: there is no news.",
            ),
            "fr": (
                "CRITIQUE, TOUJOURS EN COURS\u00a0: 5 alertes sur web1, eu depuis 2026-01-30 23:12Z",
                "Un rappel\u00a0: il n\u2019y a rien de nouveau.",
            ),
        },
    ),
    "resolved": (
        resolved,
        {
            "en": (
                "RESOLVED: 2 alerts on web1, eu: disk 2 full",
                "2 resolved",
                "Nothing of this group fires any more.",
            ),
            "fr": (
                "RÉSOLUE\u00a0: 2 alertes sur web1, eu\u00a0: disk 2 full",
                "2 résolues",
                "Plus aucune alerte en cours dans ce groupe.",
            ),
        },
    ),
    "acknowledged": (
        acknowledged,
        {
            "en": ("ACKNOWLEDGED: 3 alerts on web1, eu: disk 3 full", "3 acknowledged"),
            "fr": ("PRISE EN CHARGE\u00a0: 3 alertes sur web1, eu\u00a0: disk 3 full", "3 prises en charge"),
        },
    ),
}


def plain(text: str) -> str:
    """A text of any medium without the marks and escapes of that medium."""
    for mark in ("\\", "*", "_"):
        text = text.replace(mark, "")
    return text


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("kind", ["slack", "teams", "email"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_medium_says_in_both_languages_what_matters(scenario: str, kind: str, locale: str) -> None:
    about, facts = SCENARIOS[scenario]

    notice = BUILDER.notice(kind, about(), locale=locale)

    assert notice.fell_back == ""
    headline, *others = facts[locale]
    assert plain(notice.text).splitlines()[0] == headline
    for fact in others:
        assert fact in plain(notice.text)
    assert "2026-01-31 03:12Z" in plain(notice.text)


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_mail_says_the_same_as_html(scenario: str, locale: str) -> None:
    about, facts = SCENARIOS[scenario]

    html = unescape(BUILDER.notice("email", about(), locale=locale).html)

    headline, *others = facts[locale]
    assert all(part in html for part in headline.replace("\u00a0: ", ": ", 1).split(": ", 1))
    assert all(fact in html for fact in others if not fact.startswith("3 "))
    assert f'<html lang="{locale}">' in html
    assert html.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("about", "en", "fr"),
    [
        (growing(), "[FIRING:5] checkout: disk 2 full", "[EN COURS\u00a0: 5] checkout\u00a0: disk 2 full"),
        (single(), "[FIRING:1] checkout: disk 1 full", "[EN COURS\u00a0: 1] checkout\u00a0: disk 1 full"),
        (
            reminder(),
            "[STILL FIRING:5] checkout: web1, eu",
            "[TOUJOURS EN COURS\u00a0: 5] checkout\u00a0: web1, eu",
        ),
        (resolved(), "[RESOLVED] checkout: disk 2 full", "[RÉSOLUE] checkout\u00a0: disk 2 full"),
        (acknowledged(), "[ACKNOWLEDGED] checkout: disk 3 full", "[PRISE EN CHARGE] checkout\u00a0: disk 3 full"),
    ],
    ids=SCENARIOS,
)
def test_the_subject_of_a_mail_says_state_number_service_and_what(about: Bundle, en: str, fr: str) -> None:
    assert BUILDER.notice("email", about).subject == en
    assert BUILDER.notice("email", about, locale="fr").subject == fr


@pytest.mark.parametrize("kind", ["slack", "teams", "webhook"])
def test_the_subject_elsewhere_is_the_first_line_in_plain_words(kind: str) -> None:
    notice = BUILDER.notice(kind, growing())

    assert notice.subject == "CRITICAL: 5 alerts firing on web1, eu: disk 2 full (3 new)"


def test_members_come_newest_first_and_the_eleventh_is_only_counted() -> None:
    news = [member(number) for number in range(1, 31)]

    for kind in WORDY:
        text = BUILDER.notice(kind, bundle(*news)).text
        places = [text.rindex(f"disk {number} full") for number in range(30, 20, -1)]
        assert places == sorted(places)
        assert "disk 20 full" not in text
        assert "and 20 more" in text


@pytest.mark.parametrize(("number", "en", "fr"), [(11, "and 1 more", "et 1 autre"), (12, "and 2 more", "et 2 autres")])
def test_one_is_one_and_two_are_many(number: int, en: str, fr: str) -> None:
    about = bundle(*(member(each) for each in range(1, number + 1)))

    assert en in BUILDER.notice("email", about).text
    assert f"{fr}\n" in BUILDER.notice("email", about, locale="fr").text


def test_a_language_that_is_not_known_is_english() -> None:
    assert BUILDER.notice("slack", growing(), locale="tlh") == BUILDER.notice("slack", growing())


def test_one_alert_speaks_for_itself_with_source_labels_description_and_links() -> None:
    about = single(
        labels={"team": "db", "summary": "disk 1 full", "runbook_url": "https://wiki.example/disk"},
        details={"annotations": {"description": "Less than 1 % left.\nSince yesterday."}},
        links=[{"href": "https://graphs.example/1", "text": "Graph"}],
        client="Grafana",
        client_url="https://grafana.example",
    )

    text = BUILDER.notice("slack", about).text

    assert "03:01Z · db1 · team: db\n" in text
    assert "Less than 1 % left.\nSince yesterday.\n" in text
    assert (
        "<https://wiki.example/disk|runbook> · <https://graphs.example/1|Graph> · <https://grafana.example|Grafana>"
        in text
    )
    assert "1 firing" not in text


def test_links_are_written_in_the_way_of_each_medium() -> None:
    about = growing()
    about.members[0].links = [{"href": "https://x.example/a?b=1&c=(2)", "text": "the [graph]"}]

    assert "<https://x.example/a?b=1&amp;c=%282%29|the [graph]>" in BUILDER.notice("slack", about).text
    assert r"[the \[graph\]](https://x.example/a?b=1&c=%282%29)" in BUILDER.notice("teams", about).text
    assert "the [graph]: https://x.example/a?b=1&c=%282%29" in BUILDER.notice("email", about).text
    assert 'href="https://x.example/a?b=1&amp;c=%282%29"' in BUILDER.notice("email", about).html


@pytest.mark.parametrize("href", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "file:///etc", "", 5])
def test_a_link_that_leads_to_anything_but_the_web_is_left_out(href: object) -> None:
    about = growing()
    about.members[0].links = [{"href": href, "text": "click"}]
    about.members[0].client_url = str(href)

    for kind in WORDY:
        notice = BUILDER.notice(kind, about)
        assert "click" not in notice.text + notice.html


def test_where_only_others_resolved_the_title_names_none_of_them() -> None:
    notice = BUILDER.notice("slack", bundle(member(1, "resolve"), open=3))

    assert notice.subject == "CRITICAL: 3 alerts still firing on web1, eu (1 resolved)"


def test_an_alert_that_fired_and_resolved_again_counts_by_its_last_word() -> None:
    notice = BUILDER.notice("webhook", bundle(member(1), member(2), member(3, "resolve", dedup_key="disk-1"), open=1))

    assert "1 firing, 1 resolved" in notice.text


@pytest.mark.parametrize(
    "about",
    [
        Bundle(id="x", at=NOW),
        Bundle(id="x", at=NOW, action="resolve"),
        Bundle(id="x", at=NOW, action="resolve", came_and_went=3),
        Bundle(id="x", at=NOW, is_reminder=True),
        Bundle(id="x", at=NOW.replace(tzinfo=None), members=[member(1), member(2, at=NOW.replace(tzinfo=None))]),
        Bundle(id="x", at=NOW, members=[member(1, summary="", source="", dedup_key="", service="")]),
        Bundle(
            id="x", at=NOW, severity="disaster", members=[member(1, severity="disaster", at=NOW - timedelta(days=9))]
        ),
    ],
)
@pytest.mark.parametrize("kind", WORDY)
def test_a_bundle_with_hardly_anything_in_it_makes_a_notice(about: Bundle, kind: str) -> None:
    notice = BUILDER.notice(kind, about)

    assert notice.fell_back == ""
    assert notice.subject
    assert notice.text.strip()


def test_an_unknown_severity_is_the_worst() -> None:
    assert BUILDER.notice("slack", bundle(member(1), severity="disaster")).subject.startswith("CRITICAL")


def test_what_programs_get_holds_every_member_oldest_first() -> None:
    about = growing()

    document = BUILDER.notice("webhook", about).document

    assert {name: document[name] for name in ("version", "id", "action", "service", "open", "came_and_went")} == {
        "version": 1,
        "id": "bundle-1-7",
        "action": "trigger",
        "service": "checkout",
        "open": 5,
        "came_and_went": 1,
    }
    assert document["group"] == {"host": "web1", "region": "eu"}
    assert [each["event_id"] for each in document["members"]] == [f"event-{number}" for number in range(1, 6)]
    assert document["members"][0]["at"] == "2026-01-31T03:01:00Z"
    assert document["subject"] == "CRITICAL: 5 alerts firing on web1, eu: disk 2 full (3 new)"
    assert "note" not in document


def test_only_programs_get_a_document_and_only_mail_html() -> None:
    for kind in WORDY:
        notice = BUILDER.notice(kind, growing())
        assert bool(notice.document) == (kind == "webhook")
        assert bool(notice.html) == (kind == "email")
