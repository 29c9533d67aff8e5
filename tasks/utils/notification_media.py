"""Where notifications are read: how each medium shows a foreign text without obeying it, and how it writes a link."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from tasks.utils.formatters import for_html, for_markdown, for_mrkdwn, for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_ADDRESS_CHARACTERS: Final = 2_000
# What ends an address in one of the media, what none may hold, and what would be shown other than it is.
_NOT_IN_AN_ADDRESS: Final = re.compile(r"[^\x21-\x7e]|[<>\"'|`\\^(){}]")
_WEB: Final = re.compile(r"https?://[^/\s?#]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Medium:
    """A way of writing. `escape`: a text as the medium shows it, in one line; `link`: text and address, both foreign."""

    name: str
    escape: Callable[[str], str]
    link: Callable[[str, str], str]
    line_end: str = "\n"


def web_address(href: object) -> str:
    """An address fit to be a link in every medium; '' where it leads to anything but the web."""
    if not isinstance(href, str) or len(href) > MOST_ADDRESS_CHARACTERS or not _WEB.match(href):
        return ""
    return _NOT_IN_AN_ADDRESS.sub(lambda found: quote(found[0], safe="", errors="replace"), href)


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "replace").decode()


PLAIN: Final = Medium("plain", for_terminal, lambda text, href: f"{for_terminal(text)}: {href}")
HTML: Final = Medium(
    "html", for_html, lambda text, href: f'<a href="{for_html(href)}">{for_html(text)}</a>', line_end="<br>\n"
)
MRKDWN: Final = Medium("mrkdwn", for_mrkdwn, lambda text, href: f"<{href.replace('&', '&amp;')}|{for_mrkdwn(text)}>")
MARKDOWN: Final = Medium("markdown", for_markdown, lambda text, href: f"[{for_markdown(text)}]({href})", "\n\n")
JSON: Final = Medium("json", _json, lambda _text, href: href, line_end="\\n")
