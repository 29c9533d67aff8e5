"""Text is made harmless where it is shown, and stays what it was everywhere else."""

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.utils.formatters import for_html, for_markdown, for_terminal
from tests.searching import searched

OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", r"\u001b[2J\u001b]0;owned\u0007"),
        ("\x9b31mred", r"\u009b31mred"),
        ("one\r\ntwo", r"one\r\ntwo"),
        ("safe\u202egnp.exe", r"safe\u202egnp.exe"),
        ("a\u2028b\x00c\x7f", r"a\u2028b\u0000c\u007f"),
        ("\U000e0041", r"\udb40\udc41"),
        ("\ud800", r"\ud800"),
        ("Grüße, 世界 👩‍🚒 {{7*7}} ${HOME} [red]", "Grüße, 世界 👩‍🚒 {{7*7}} ${HOME} [red]"),
    ],
)
def test_a_terminal_shows_what_it_would_have_obeyed(text: str, shown: str) -> None:
    assert for_terminal(text) == shown


def test_a_block_keeps_its_lines_and_nothing_else() -> None:
    assert for_terminal("a\tb\nc\x1b[1m\r", block=True) == "a\tb\nc\\u001b[1m\\r"


@searched(40)
@given(text=st.text(st.characters(codec=None)))
def test_nothing_a_terminal_obeys_is_left_and_a_json_document_stays_the_same(text: str) -> None:
    assert not OBEYED.search(for_terminal(text))
    document = json.dumps({"summary": text}, ensure_ascii=False, indent=2)
    assert json.loads(for_terminal(document, block=True)) == {"summary": text}


class Reader(HTMLParser):
    """Collects the text of a page and counts its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.elements = 0

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements += 1
        self.texts += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@searched(40)
@given(text=st.text(st.sampled_from("<>&'\"/=abc onscript!-")))
def test_html_shows_the_text_and_no_element_of_it(text: str) -> None:
    reader = Reader()
    reader.feed(f'<p title="{for_html(text)}">{for_html(text)}</p>')
    reader.close()

    assert reader.elements == 1
    assert "".join(reader.texts) == text * 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[mend](javascript:alert)", r"\[mend\]\(javascript:alert\)"),
        ("a | b", r"a \| b"),
        ("# head\n- item", r"\# head\\n\- item"),
        ("<script>", r"\<script\>"),
        ("`rm`", r"\`rm\`"),
    ],
)
def test_markdown_shows_the_text_in_one_line(text: str, shown: str) -> None:
    assert for_markdown(text) == shown
