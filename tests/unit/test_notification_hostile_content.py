"""Whatever an alert holds, a notice shows it and obeys none of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.utils.formatters import json_bytes
from tasks.utils.notification_builder import NotificationBuilder
from tests.searching import searched
from tests.unit.notification_kit import WORDY, bundle, member

if TYPE_CHECKING:
    from tasks.utils.bundles import Bundle, Notice

BUILDER = NotificationBuilder()
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
ACTING = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "mention": "<!channel> <@U123> <!here|x> @channel @here <#C1>",
    "slack link": "<https://evil.example|your bank> &lt;!channel&gt;",
    "markdown link": "[your bank](https://evil.example) ![x](https://evil.example/x.png) <https://e.example>",
    "markdown": "# heading\n- item\n> quote\n```\ncode\n``` **bold** _it_ ~~gone~~ | a | b |",
    "card function": "{{DATE(2017-02-14T06:00:00Z, SHORT)}} ${x}",
    "template": "{{ 7 * 7 }}{% for x in range(9) %}{{ x }}{% endfor %}{# gone #}",
    "lines": "disk full\r\nSubject: fake\r\n\r\nall is well\u2028next\u0085more",
    "terminal": "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m",
    "turned": "safe\u202egnp.exe\u2066\u200f",
    "right to left": "القرص ممتلئ على db1",
    "emoji": "🔥 disk full 👩‍🚒🇫🇷",
    "long": "x" * 1024,
    "long words": "wort " * 204,
    "nul": "nul\x00in the middle",
    "blank": " \t ",
}


def everywhere(text: str) -> Bundle:
    """A bundle that holds the text wherever senders may put one."""
    fields: dict[str, Any] = {
        "summary": text,
        "source": text,
        "service": text,
        "dedup_key": text,
        "client": text,
        "client_url": text,
        "labels": {text: text, "team": text, "runbook_url": text},
        "links": [{"href": text, "text": text}, {"href": "https://x.example/?q=" + text, "text": text}, {"text": text}],
        "details": {text: text, "annotations": {"description": text}, "deep": [{text: [text]}]},
    }
    group = {text or "x": text, "host": text}
    return bundle(member(1, **fields), member(2, **fields), service=text, destination=text, channel=text, group=group)


def notices(about: Bundle) -> list[tuple[str, Notice]]:
    single = about.model_copy(update={"members": about.members[:1], "open": 1, "group": {}})
    return [(kind, BUILDER.notice(kind, each)) for kind in WORDY for each in (about, single)]


@pytest.mark.parametrize("text", ACTING.values(), ids=ACTING)
def test_every_medium_shows_every_text_and_no_template_breaks(text: str) -> None:
    for kind, notice in notices(everywhere(text)):
        assert notice.fell_back == ""
        assert "\n" not in notice.subject
        assert len(notice.subject) <= 250
        assert not OBEYED.search(notice.subject + notice.text + notice.html)
        assert len(notice.text.encode()) < 65_536
        assert kind != "webhook" or json_bytes(notice.document) < 512_000


class Reader(HTMLParser):
    """Collects elements, attributes and addresses of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.addresses.update(value or "" for name, value in attrs if name in ("href", "src", "background"))


@pytest.mark.parametrize("text", ACTING.values(), ids=ACTING)
def test_no_text_becomes_an_element_or_attribute_of_a_mail(text: str) -> None:
    calm = Reader(BUILDER.notice("email", everywhere("calm")).html)

    page = Reader(BUILDER.notice("email", everywhere(text)).html)

    assert page.elements <= calm.elements
    assert page.attributes <= calm.attributes
    assert all(address.startswith(("https://x.example/", "https://evil.example")) for address in page.addresses)
    assert not calm.elements & {"script", "img", "iframe", "form", "link", "object"}


@pytest.mark.parametrize("text", ACTING.values(), ids=ACTING)
def test_no_text_calls_anybody_or_hides_a_link_in_slack(text: str) -> None:
    shown = BUILDER.notice("slack", everywhere(text)).text

    tags = re.findall(r"<[^>]*>", shown)
    assert all(re.fullmatch(r"<https://[^|<>]+\|[^<>]+>", tag) for tag in tags)
    words = re.sub(r"<[^|>]*", "<", shown)  # an address calls nobody
    assert not re.search(r"@(channel|here|everyone)", words)
    assert "`" not in words


@pytest.mark.parametrize("text", ACTING.values(), ids=ACTING)
def test_no_text_is_markdown_in_teams(text: str) -> None:
    shown = BUILDER.notice("teams", everywhere(text)).text

    bare = re.sub(r"\\.", "", shown)
    links = re.findall(r"\[[^\]]*\]\(([^)]*)\)", bare)
    assert links
    assert all(link.startswith(("https://x.example/", "https://evil.example")) for link in links)
    words = re.sub(r"\]\([^)]*\)", "]", bare)
    assert not re.search(r"[`<>#~|{}!()]", words)


@pytest.mark.parametrize("text", ACTING.values(), ids=ACTING)
def test_no_line_is_forged(text: str) -> None:
    calm = BUILDER.notice("webhook", everywhere("calm")).text

    assert len(BUILDER.notice("webhook", everywhere(text)).text.splitlines()) == len(calm.splitlines())


@searched(25)
@given(text=st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_at_all_makes_a_notice(text: str) -> None:
    for _, notice in notices(everywhere(text)):
        assert notice.fell_back == ""
        assert not OBEYED.search(notice.subject + notice.text + notice.html)


ODD_DETAILS = [
    None,
    [],
    "text",
    12,
    10**400,
    float("nan"),
    {"a": float("inf"), "b": None, "c": [None, True]},
    {1: 2, None: 3},
    {"\ud800": "\udfff"},
    [[[[[[[[[[[["deep"]]]]]]]]]]]],
    {str(n): {str(m): "x" * 100 for m in range(50)} for n in range(50)},
    {"annotations": "none", "description": ["none"]},
    {"annotations": {"description": {"a": 1}, "runbook_url": 5}},
]


@pytest.mark.parametrize("details", ODD_DETAILS, ids=range(len(ODD_DETAILS)))
def test_details_of_any_shape_make_a_notice_and_an_event(details: object) -> None:
    about = bundle(member(1, details=details), open=1)

    for _, notice in notices(about):
        assert notice.fell_back == ""
        assert json_bytes(notice.document) < 400_000
    assert json_bytes(BUILDER.event(about)) < 128_000


def test_a_hundred_loud_members_make_a_short_message_and_a_bounded_document() -> None:
    loud = {
        "labels": {f"label{n}": "v" * 500 for n in range(100)},
        "links": [{"href": "https://x.example/" + "a" * 1900, "text": "t" * 500}] * 50,
        "details": {"trace": "\u20ac" * 100_000},
    }
    about = bundle(*(member(1, summary=f"{n} " + "s" * 1020, dedup_key=f"{n}", **loud) for n in range(100)))

    for kind in WORDY:
        notice = BUILDER.notice(kind, about)
        assert notice.fell_back == ""
        assert len(notice.text.encode()) < 65_536
        assert len(notice.html.encode()) < 65_536
        assert "and 90 more" in notice.text
        assert not notice.document or json_bytes(notice.document) < 2_000_000
