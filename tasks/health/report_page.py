"""A report on health as one HTML page that needs nothing else: light and dark, on a screen and on paper; pure."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tasks.health.report_text import MARKS, WORDS, counted, groups, to_do

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tasks.health.models import HealthReport, LineView

STYLE: Final = Path(__file__).with_name("report.css")


def to_html(report: HealthReport) -> str:
    """The page."""
    amiss = to_do(report.checks)
    title = f"Tocsin is {WORDS[report.status]}"
    return "".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
            f"<title>{title}: {escape(report.environment)}</title>\n<style>\n{STYLE.read_text('utf-8')}</style>\n</head>\n",
            f'<body>\n<header class="{report.status}">\n<h1><span class="mark">{MARKS[report.status]}</span> {title}</h1>\n',
            f"<p>{_facts(report)}</p>\n</header>\n<main>\n",
            *(_mends(amiss) if amiss else ()),
            '<div class="groups">\n',
            *(part for name, lines in groups(report.checks) for part in _group(name, lines)),
            "</div>\n</main>\n</body>\n</html>\n",
        )
    )


def _facts(report: HealthReport) -> str:
    facts = (
        report.environment,
        f"seen from {report.host}",
        f"{report.at:%Y-%m-%d %H:%M:%S} UTC",
        f"{report.depth} check in {report.took_seconds:.1f} s",
        counted(report),
        f"version {report.version}",
    )
    return " · ".join(escape(fact) for fact in facts)


def _mends(lines: Iterable[LineView]) -> Iterator[str]:
    yield '<section class="mends">\n<h2>What to do</h2>\n<ol>\n'
    for line in lines:
        yield (
            f'<li class="{line.state}"><b>{escape(line.name)}</b> {escape(line.value)}<p>{_with_code(line.mend)}</p></li>\n'
        )
    yield "</ol>\n</section>\n"


def _group(title: str, lines: Iterable[LineView]) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(title)}</h2>\n<table>\n"
    for line in lines:
        limit = f"<small>{escape(line.limit)}</small>" if line.limit else ""
        what = line.name.partition(".")[2].replace("_", " ")
        yield (
            f'<tr class="{line.state}"><td class="mark" title="{line.state}">{MARKS[line.state]}</td>'
            f"<th>{escape(what)}</th><td>{escape(line.value)}{limit}</td></tr>\n"
        )
    yield "</table>\n</section>\n"


def _with_code(mend: str) -> str:
    """What stands between backticks in a monospaced face."""
    parts = (escape(part) for part in mend.split("`"))
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
