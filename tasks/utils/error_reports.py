"""What an error is: its class, how bad, where, how to mend it, and a fingerprint that its next occurrence shares."""

from __future__ import annotations

import hashlib
import re
import traceback
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Literal, NamedTuple

from tasks.utils.connect import is_away
from tasks.utils.formatters import cut_text
from tasks.utils.redaction import redacted

Kind = Literal["transient", "permanent", "bug", "config", "away", "outcome"]
Severity = Literal["critical", "error", "warning"]

ROOT: Final = f"{Path(__file__).parents[2]}/"
OURS: Final = ("config/", "tasks/", "workers/", "schedules/", "deploy/")
LONGEST: Final = 500
# Quoted parts and words with a digit in them (ids, addresses, sizes) differ from one occurrence to the next.
_CHANGING: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\S*\d\S*")


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """One kind of error at one place; `place` is our own innermost function, `text` what this occurrence said."""

    fingerprint: str
    kind: Kind
    severity: Severity
    error: str
    where: str
    place: str
    text: str
    mend: str

    def fields(self) -> dict[str, str]:
        """Its parts by name, for JSON."""
        return asdict(self)


class _Class(NamedTuple):
    kind: Kind
    severity: Severity
    mend: str


_AWAY: Final = _Class("away", "warning", "start Redis, or set REDIS_URL to where it runs; work goes on by itself then")
_REFUSED: Final = _Class("config", "error", "mend user and password in REDIS_URL")
_NETWORK: Final = _Class("transient", "warning", "nothing, while it passes; else look at the network to the other side")
_FILE: Final = _Class("config", "error", "give the user of this process access to that file, or name another")
_MACHINE: Final = _Class("transient", "error", "look at disk, memory and network of this machine")
_TIME: Final = _Class("transient", "error", "give the task less to do at once, or its worker group a longer time limit")
_BUG: Final = _Class(
    "bug", "error", "a fault of Tocsin: report it with its place and the line beside `task_failed` in the log"
)
# By the full name of a class, so that none has to be imported to be known; an error is the first of its ancestors found here.
_KNOWN: Final[dict[str, _Class]] = {
    "config.errors.ConfigError": _Class("config", "error", "run `tocsin config check` and mend what it lists"),
    "tasks.utils.error_handler.InvalidAlertError": _Class("permanent", "warning", "correct the sender of the alert"),
    "tasks.utils.error_handler.TransientError": _Class("transient", "warning", "nothing: it is tried again by itself"),
    "tasks.utils.error_handler.PermanentError": _Class(
        "permanent", "error", "do what its text says, then send it again"
    ),
    "redis.exceptions.AuthenticationError": _REFUSED,
    "redis.exceptions.AuthorizationError": _REFUSED,
    "redis.exceptions.NoPermissionError": _REFUSED,
    "redis.exceptions.OutOfMemoryError": _Class(
        "away", "error", "give Redis more memory (maxmemory), or see what fills it"
    ),
    "redis.exceptions.ConnectionError": _AWAY,
    "redis.exceptions.TimeoutError": _AWAY,
    "kombu.exceptions.OperationalError": _AWAY,
    "celery.exceptions.SoftTimeLimitExceeded": _TIME,
    "billiard.exceptions.TimeLimitExceeded": _TIME,
    "billiard.exceptions.SoftTimeLimitExceeded": _TIME,
    "billiard.exceptions.WorkerLostError": _MACHINE,
    "httpx.TransportError": _NETWORK,
    "builtins.ConnectionError": _NETWORK,
    "builtins.TimeoutError": _NETWORK,
    "builtins.PermissionError": _FILE,
    "builtins.FileNotFoundError": _FILE,
    "builtins.OSError": _MACHINE,
    "builtins.MemoryError": _MACHINE,
}


def examine(error: BaseException, where: str = "") -> ErrorReport:
    """The report on one error; `where` names the task or door it happened in. Raises nothing, whatever the error does."""
    found = _class_of(error)
    mend = getattr(error, "mend", None)
    report = ErrorReport(
        fingerprint="",
        kind=found.kind,
        severity=found.severity,
        error=type(error).__name__,
        where=where,
        place=_place(error),
        text=_said(error),
        mend=mend if isinstance(mend, str) and mend else found.mend,
    )
    return _with_fingerprint(report)


def outcome(name: str, where: str, text: str, *, severity: Severity, mend: str) -> ErrorReport:
    """The report on something that went wrong without an exception and needs a person, such as a rejected key."""
    return _with_fingerprint(ErrorReport("", "outcome", severity, name, where, "", _clean(text), mend))


def _with_fingerprint(report: ErrorReport) -> ErrorReport:
    stable = "|".join((report.kind, report.error, report.where, report.place, _CHANGING.sub("#", report.text)))
    return replace(report, fingerprint=hashlib.sha256(stable.encode("utf-8", "replace")).hexdigest()[:12])


def _class_of(error: BaseException) -> _Class:
    """The class of the error; where its own is unknown, of the error it was raised from."""
    if is_away(error):
        return _KNOWN.get(_full_name(type(error)), _AWAY)
    names = (_full_name(ancestor) for ancestor in type(error).__mro__)
    known = next((_KNOWN[name] for name in names if name in _KNOWN), None)
    if known is None and error.__cause__ is not None:
        return _class_of(error.__cause__)
    return known or _BUG


def _full_name(kind: type[BaseException]) -> str:
    module = "httpx" if kind.__module__.startswith("httpx") else kind.__module__
    return f"{module}.{kind.__qualname__}"


def _place(error: BaseException) -> str:
    """The innermost function of ours that the error came through; '' where it came through none."""
    ours = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        file = code.co_filename.removeprefix(ROOT)
        if file.startswith(OURS):
            ours = f"{file}:{code.co_qualname}"
    return ours


def _said(error: BaseException) -> str:
    """What the error says of itself, without its type; also where its `__str__` fails."""
    text = "".join(traceback.format_exception_only(error)).strip()
    return _clean(text.partition(": ")[2] or text)


def _clean(text: str) -> str:
    return cut_text(redacted(text.encode("utf-8", "replace").decode()), LONGEST)
