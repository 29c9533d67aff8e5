"""A report on health as text, Markdown and JSON; pure."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tasks.health.models import HealthReport, LineView

MARKS: Final = {"ok": "✔", "warn": "!", "fail": "✘", "skip": "-"}
WORDS: Final = {"ok": "well", "warn": "degraded", "fail": "failing", "skip": "not looked at"}
TITLES: Final = {
    "config": "Configuration",
    "server": "Server",
    "workers": "Workers",
    "processes": "Other processes",
    "queues": "Queues",
    "late": "Lateness",
    "dead": "Dead letters",
    "delivery": "Delivery",
    "proof": "Proof",
    "schedules": "Schedules",
    "breakers": "Breakers",
    "spool": "Spool",
    "disk": "Disk",
    "certificates": "Certificates",
    "keys": "Keys",
    "rest": "PagerDuty's REST API",
    "events": "PagerDuty's Events API",
    "canary": "Canary",
    "test": "Test event",
    "backups": "Backups",
}
_BLANKS: Final = re.compile(r"\s+")
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>|#])")


def groups(lines: Iterable[LineView]) -> Iterator[tuple[str, list[LineView]]]:
    """The lines by their group, each once, in the order in which they first come."""
    ordered: dict[str, list[LineView]] = {}
    for name, some in groupby(lines, key=lambda line: line.name.partition(".")[0]):
        ordered.setdefault(name, []).extend(some)
    for name, found in ordered.items():
        yield TITLES.get(name, name.capitalize()), found


def to_do(lines: Iterable[LineView]) -> list[LineView]:
    """Those that say what to do, what fails first."""
    return sorted((line for line in lines if line.mend), key=lambda line: line.state != "fail")


def counted(report: HealthReport) -> str:
    """How many lines are how, such as `2 fail, 1 warn, 40 ok`."""
    counts = ((state, sum(line.state == state for line in report.checks)) for state in ("fail", "warn", "ok", "skip"))
    return ", ".join(f"{count} {state}" for state, count in counts if count)


def to_json(report: HealthReport) -> str:
    """For programs: `{"status", "checks", …}`."""
    return report.model_dump_json(indent=2) + "\n"


def to_markdown(report: HealthReport) -> str:
    """For tickets and chats: what is amiss first, then everything."""
    amiss = to_do(report.checks)
    return "\n".join(
        [
            f"# Tocsin is {WORDS[report.status]}",
            "",
            _facts(report),
            *(["", "## What to do", "", *_mends(amiss)] if amiss else []),
            *(part for title, lines in groups(report.checks) for part in _table(title, lines)),
            "",
        ]
    )


def _facts(report: HealthReport) -> str:
    seen = f"{report.environment} · seen from {_tame(report.host)} · {report.at:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"{seen} · {report.depth} check in {report.took_seconds:.1f} s · {counted(report)} · version {report.version}"
    )


def _mends(lines: Iterable[LineView]) -> Iterator[str]:
    for line in lines:
        yield f"- **{MARKS[line.state]} {line.name}**: {_tame(line.value)}. {_code_kept(line.mend)}"


def _table(title: str, lines: Iterable[LineView]) -> Iterator[str]:
    yield from ("", f"## {title}", "", "| | what | found | well would be |", "|---|---|---|---|")
    for line in lines:
        yield f"| {MARKS[line.state]} | {line.name} | {_tame(line.value)} | {_tame(line.limit)} |"


def _tame(text: str) -> str:
    """Foreign words as words: they draw no table and no link."""
    return _SPECIAL.sub(r"\\\1", _BLANKS.sub(" ", text))


def _code_kept(mend: str) -> str:
    """Our own words hold commands between backticks; what is outside is tamed."""
    parts = mend.split("`")
    return "`".join(part if at % 2 else _tame(part) for at, part in enumerate(parts))
