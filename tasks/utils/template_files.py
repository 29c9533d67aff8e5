"""The files of templates: the user's folder before the one that comes with Tocsin; no name leads out of either."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import BaseLoader, Environment, TemplateNotFound

import config
from tasks.utils.identifiers import InvalidIdentifierError, is_identifier, path_inside
from tasks.utils.template_errors import BrokenTemplateError

if TYPE_CHECKING:
    from collections.abc import Callable

SHIPPED: Final = Path(config.__file__).parent / "templates"
SHIPPED_PREFIX: Final = "shipped/"
ENDING: Final = ".j2"


class Shelf(BaseLoader):
    """Finds templates by file name. `shipped/NAME` is the one that comes with Tocsin, also where the user has one of that name."""

    def __init__(self, overrides: Path | None, most_bytes: int) -> None:
        self._overrides = overrides
        self._most_bytes = most_bytes

    def find(self, name: str) -> Path | None:
        """The file of that name; None where there is none, or where the name is no mere file name."""
        own, shipped = self._overrides, name.removeprefix(SHIPPED_PREFIX)
        folders = (SHIPPED,) if own is None or shipped != name else (own, SHIPPED)
        for folder in folders:
            if is_identifier("file", shipped) and _is_there(folder / shipped):
                return folder / shipped
        return None

    def is_own(self, name: str) -> bool:
        """Whether it is a file of the user's."""
        found = self.find(name)
        return found is not None and found.parent == self._overrides and found.parent != SHIPPED

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:  # noqa: ARG002
        """The text of a template, its path, and whether it still is that; as Jinja asks for it."""
        path = self.find(template)
        if path is None:
            raise TemplateNotFound(template)
        try:
            stamp = path_inside(path.parent, path.name).stat()
            data = path.read_bytes() if stamp.st_size <= self._most_bytes else None
        except (OSError, InvalidIdentifierError) as error:
            what = getattr(error, "strerror", None) or str(error)
            raise BrokenTemplateError(path.name, f"it cannot be read: {what}", path=str(path)) from error
        if data is None:
            what = f"it is larger than {self._most_bytes // 1024} KB"
            raise BrokenTemplateError(path.name, what, path=str(path))
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BrokenTemplateError(path.name, "it is not UTF-8 text", path=str(path)) from error
        return text, str(path), lambda: self.find(template) == path and _same(path, stamp.st_mtime_ns)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file() or path.is_symlink()
    except OSError:  # a folder that may not be looked into: then reading says so
        return True


def _same(path: Path, stamp: int) -> bool:
    try:
        return path.stat().st_mtime_ns == stamp
    except OSError:
        return False
