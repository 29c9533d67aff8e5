"""What is wrong with a template: which file, which line, what, and how to mend it."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Final

from jinja2 import TemplateNotFound, TemplateRuntimeError, TemplateSyntaxError

from config.errors import did_you_mean
from tasks.utils.error_handler import PermanentError
from tasks.utils.formatters import cut_text, for_terminal
from tasks.utils.template_filters import FILTERS
from tasks.utils.template_steps import TESTS

if TYPE_CHECKING:
    from collections.abc import Sequence

MEND: Final = (
    "correct it; `tocsin notifications preview` shows what comes of it, docs/notifications.md what is known in it"
)
MOST_CHARACTERS: Final = 200
_UNKNOWN: Final = re.compile(r"(?:No (?P<kind>filter|test) named )?'(?P<name>\w+)'(?: is undefined|\.)?$")


class BrokenTemplateError(PermanentError):
    """A template that makes no text. `reason` names file and line; `path` is the whole path, for the machine's own people."""

    def __init__(self, name: str, what: str, *, line: int = 0, path: str = "", mend: str = MEND) -> None:
        self.name = name
        self.what = cut_text(for_terminal(what), MOST_CHARACTERS)
        self.line = line
        self.path = path or name
        self.mend = mend
        super().__init__(f"template {self.reason}")

    @property
    def place(self) -> str:
        """File and line, as far as known."""
        return f"{self.name}:{self.line}" if self.line else self.name

    @property
    def reason(self) -> str:
        """What is wrong, in one short line."""
        return f"{self.place}: {self.what}"


def broken(error: Exception, name: str, known: Sequence[str] = ()) -> BrokenTemplateError:
    """Whatever a template raised, as what is wrong with the template `name`; `known` are the names it could have used."""
    if isinstance(error, BrokenTemplateError):
        return error
    path, line = _place(error)
    what = _said(error)
    return BrokenTemplateError(path.rpartition("/")[2] or name, what, line=line, path=path, mend=_mend(what, known))


def _place(error: Exception) -> tuple[str, int]:
    """Where it is wrong, or the last line of a template that the error came through."""
    if isinstance(error, TemplateSyntaxError):
        return error.filename or "", error.lineno
    frames = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    return next(((path, line) for path, line in reversed(frames) if path.endswith(".j2")), ("", 0))


def _said(error: Exception) -> str:
    if isinstance(error, TemplateNotFound):
        return f"it asks for {error.name}, and there is no such template"
    if isinstance(error, RecursionError):
        return "it calls itself without end, or is nested too deep"
    if isinstance(error, TemplateSyntaxError):
        return error.message or ""
    if isinstance(error, TemplateRuntimeError):  # Jinja's, and ours, which are sentences
        return str(error)
    return f"{getattr(error, 'msg', error)} ({type(error).__name__})"


def _mend(what: str, known: Sequence[str]) -> str:
    """How to mend it, where a name is at fault."""
    found = _UNKNOWN.match(what)
    if not found:
        return MEND
    names = {"filter": list(FILTERS), "test": list(TESTS)}.get(found["kind"] or "", list(known))
    return did_you_mean(found["name"], names)
