"""Reads what the children log: JSON lines, structlog's console lines, and the formats of Celery and uvicorn."""

import json
import re
from dataclasses import dataclass
from typing import Final

from deploy.local.terminal import Level

LEVELS: Final = {
    "debug": Level.DETAIL,
    "info": Level.PLAIN,
    "warning": Level.WARNING,
    "warn": Level.WARNING,
    "error": Level.ERROR,
    "exception": Level.ERROR,
    "critical": Level.ERROR,
    "fatal": Level.ERROR,
}
# What a reader of one line cannot use; the whole line is in the log file.
UNTOLD: Final = frozenset(
    {
        *("event", "level", "timestamp", "logger", "exception", "exc_info", "stack", "lineno", "filename", "func_name"),
        *("pathname", "process", "thread", "process_name", "thread_name", "hostname", "worker", "group", "environment"),
        *("task_id", "root_id", "parent_id", "correlation_id"),
    }
)
COLOUR_CODES: Final = re.compile(r"\x1b\[[0-9;]*m")
STRUCTLOG: Final = re.compile(r"^\S+(?: \S+)? \[(?P<level>\w+)\s*\]\s+(?P<text>.+)$")
CELERY: Final = re.compile(r"^\[[^\]]*: (?P<level>[A-Z]+)/[^\]]*\] (?P<text>.+)$")
UVICORN: Final = re.compile(r"^(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):?\s+(?P<text>.+)$")
TORNADO: Final = re.compile(r"^\[(?P<initial>[DIWEC]) \d{6} [\d:]+ \S+\] (?P<text>.+)$")
INITIALS: Final = {"D": "debug", "I": "info", "W": "warning", "E": "error", "C": "critical"}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a child, as far as a reader needs it. `event` is its name without the values."""

    level: Level
    event: str
    text: str


def read_line(raw: str) -> LogLine | None:
    """The line understood, or None where it is in no format of a log (a traceback, a print)."""
    raw = COLOUR_CODES.sub("", raw).strip()
    if raw.startswith("{"):
        return _read_json(raw)
    for pattern in (STRUCTLOG, CELERY, UVICORN):
        if (match := pattern.match(raw)) and (level := LEVELS.get(match["level"].lower())) is not None:
            return LogLine(level, match["text"].strip(), match["text"].strip())
    if match := TORNADO.match(raw):
        return LogLine(LEVELS[INITIALS[match["initial"]]], match["text"], match["text"])
    return None


def _read_json(raw: str) -> LogLine | None:
    try:
        record = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(record, dict) or "event" not in record:
        return None
    event = str(record["event"])
    told = (f"{key}={value}" for key, value in record.items() if key not in UNTOLD and value not in (None, "", [], {}))
    level = LEVELS.get(str(record.get("level", "info")).lower(), Level.PLAIN)
    return LogLine(level, event, " ".join((event, *told)))
