"""What is told in one place because another does not answer says so, in every medium and both languages."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest

from tasks.utils.bundles import Outage
from tasks.utils.notification_builder import NotificationBuilder
from tests.unit.notification_kit import NOW, WORDY, Templates, bundle, growing, member, single

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    return Templates(tmp_path)


BUILDER = NotificationBuilder()
DOWN = Outage(name="PagerDuty", since=NOW - timedelta(minutes=2))
SENTENCES = {
    "en": "PagerDuty has not answered since 03:10Z; this is told here instead.",
    "fr": "PagerDuty ne répond plus depuis 03:10Z\u00a0; l\u2019alerte est donc annoncée ici.",
}


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("kind", WORDY)
def test_every_medium_says_what_does_not_answer_and_since_when(kind: str, locale: str) -> None:
    for about in (growing(), single()):
        notice = BUILDER.notice(kind, about.model_copy(update={"outage": DOWN}), locale=locale)

        assert SENTENCES[locale] in notice.text
        assert not notice.fell_back
        if notice.html:
            assert SENTENCES[locale] in unescape(notice.html)


@pytest.mark.parametrize("kind", WORDY)
def test_without_an_outage_nothing_is_said_of_one(kind: str) -> None:
    assert "told here instead" not in BUILDER.notice(kind, growing()).text


def test_what_was_switched_off_is_not_called_silent() -> None:
    about = single().model_copy(update={"outage": DOWN.model_copy(update={"is_forced": True})})

    assert (
        "PagerDuty has been switched off since 03:10Z; this is told here instead."
        in BUILDER.notice("slack", about).text
    )


def test_what_took_the_news_and_shows_nothing_is_not_said_not_to_answer() -> None:
    about = single().model_copy(update={"outage": DOWN.model_copy(update={"is_silent": True})})

    notice = BUILDER.notice("slack", about)

    assert "PagerDuty took this at 03:10Z and shows no incident; this is told here instead." in notice.text


def test_programs_get_it_as_data() -> None:
    document = BUILDER.notice("webhook", single().model_copy(update={"outage": DOWN})).document

    assert document["outage"] == {
        "name": "PagerDuty",
        "since": "2026-01-31T03:10:00Z",
        "is_forced": False,
        "is_silent": False,
    }
    assert BUILDER.notice("webhook", single()).document["outage"] is None


@pytest.mark.parametrize("kind", WORDY)
def test_it_is_said_where_the_template_is_broken_too(templates: Templates, kind: str) -> None:
    templates.write(f"{kind}.j2", "{{ 1 / 0 }}")
    templates.write("broken.j2", "{{ nothing.at.all }}")

    notice = templates.builder().notice(kind, bundle(member(1), outage=DOWN), template="broken")

    assert SENTENCES["en"] in notice.text


def test_what_is_down_cannot_act_where_it_is_read() -> None:
    name = "<script>alert(1)</script> <!channel> & co"

    about = single().model_copy(update={"outage": DOWN.model_copy(update={"name": name})})

    assert "<!channel>" not in BUILDER.notice("slack", about).text
    assert "<script>" not in BUILDER.notice("email", about).html
