"""Notifications in plain lines: what remains where every template is broken, and the note that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.utils.notification_media import HTML, MARKDOWN, Medium

if TYPE_CHECKING:
    from tasks.utils.template_values import Facts

_HEAD: Final = (
    '<!doctype html>\n<meta charset="utf-8">\n<meta name="color-scheme" content="light dark">\n'
    '<meta name="viewport" content="width=device-width">\n<body style="font:15px sans-serif;margin:16px">\n'
)


def plain_text(facts: Facts, medium: Medium) -> str:
    """What the bundle is about, without any template."""
    head = [facts[name] for name in ("headline", "outage", "counts")]
    lines = [*head, *(_member(member) for member in facts["members"][: facts["shown"]])]
    if facts["more"]:
        lines.append(f"+ {facts['more']}")
    escaped = [medium.escape(line) for line in (*lines, facts["time"]) if line]
    if medium is HTML:
        return _HEAD + "<p>" + "</p>\n<p>".join(escaped) + "</p>\n"
    return ("\n\n" if medium is MARKDOWN else "\n").join(escaped) + "\n"


def _member(member: Facts) -> str:
    place = f" ({member['place']})" if member["place"] else ""
    return f"{member['time']} {member['state_text']}: {member['summary']}{place}"


def with_note(text: str, note: str, medium: Medium) -> str:
    """The text with a note at its foot."""
    if not (text and note):
        return text
    if medium is HTML:
        foot = f'<p style="font:13px sans-serif;margin:12px 16px">{medium.escape(note)}</p>'
        body, end, rest = text.rpartition("</body>")
        return f"{body}{foot}\n{end}{rest}" if end else f"{text}{foot}\n"
    return f"{text.rstrip()}\n\n{medium.escape(note)}\n"
