"""Everything that is wrong with the templates of a configuration, before a page meets it: each is read, and tried on samples."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import meta, nodes

from config.errors import Problem, did_you_mean
from config.folders import shown
from tasks.utils.identifiers import is_identifier
from tasks.utils.notification_builder import EVENT_KIND, KINDS, NotificationBuilder, parts_of
from tasks.utils.notification_facts import facts_of
from tasks.utils.notification_media import PLAIN
from tasks.utils.notification_samples import samples
from tasks.utils.notification_words import LOCALES, Words
from tasks.utils.template_errors import BrokenTemplateError, broken
from tasks.utils.template_files import ENDING, Shelf
from tasks.utils.template_meter import Limits
from tasks.utils.template_sandbox import FUNCTIONS, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ALIKE: Final = (".jinja", ".jinja2", ".tmpl", ".tpl")
MEND_ENDING: Final = f"rename it: templates end in {ENDING}"
MEND_NAME: Final = "rename it: letters, digits, dots, dashes and underscores, no dot first"


def template_problems(folder: Path, named: Iterable[tuple[str, str]] = ()) -> list[Problem]:
    """What is wrong with the templates in a folder. `named`: kind of channel and the template it names, each of which is there."""
    ways = {*((kind, "") for kind in KINDS), *named}
    check = _Check(folder)
    check.names({name for kind, template in ways for name in file_names(kind, template)})
    check.tries(ways)
    return sorted(dict.fromkeys(check.problems), key=Problem.place)


def has_template(folder: Path, kind: str, template: str) -> bool:
    """Whether a channel of that kind may name this template: a file of it is in the folder, or comes with Tocsin."""
    shelf = Shelf(folder, Limits().source_bytes)
    return any(shelf.find(name) for name in file_names(kind, template))


def file_names(kind: str, template: str) -> list[str]:
    """Every file that channels of a kind would take for a template; '' stands for that of the kind."""
    stem = template.removesuffix(ENDING) or kind
    endings = ("", *(f".{locale}" for locale in LOCALES))
    return [f"{stem}{part.suffix}{ending}{ENDING}" for part in parts_of(kind) for ending in endings]


class _Check:
    def __init__(self, folder: Path) -> None:
        self.problems: list[Problem] = []
        self._folder = folder
        limits = Limits()
        self._sandbox = Sandbox(Shelf(folder, limits.source_bytes), PLAIN, limits)
        self._known = [*facts_of(samples()["one alert"], Words("en")), *FUNCTIONS]

    def names(self, wanted: set[str]) -> None:
        """What reading alone tells: files that nothing would find, what does not parse, names that nothing has."""
        trees = {path: self._parsed(path) for path in self._files()}
        # What others include may use names that they have set.
        shared = {name for tree in trees.values() if tree for name in meta.find_referenced_templates(tree)}
        for path, tree in trees.items():
            if path.name not in wanted | shared:
                near = get_close_matches(path.name, sorted(wanted), n=1)
                mend = f"rename it to {near[0]}" if near else "name it in a channel's `template`, or remove it"
                self.problems.append(Problem(shown(path), "", "no channel uses it", mend))
            if tree is not None and path.name not in shared:
                self.problems.extend(self._unknown(path, tree))

    def _files(self) -> Iterator[Path]:
        for path in sorted(self._folder.iterdir() if self._folder.is_dir() else ()):
            if path.suffix in ALIKE:
                self.problems.append(Problem(shown(path), "", "is not read", MEND_ENDING))
            elif path.suffix == ENDING and is_identifier("file", path.name):
                yield path
            elif path.suffix == ENDING and path.name[0] != ".":
                self.problems.append(Problem(shown(path), "", "is not read: this is no name for a file", MEND_NAME))

    def tries(self, ways: Iterable[tuple[str, str]]) -> None:
        """What shows when templates are used, in every language, for every kind of bundle."""
        found: list[BrokenTemplateError] = []
        builder = NotificationBuilder(self._folder, report=found.append)
        for kind, template in ways:
            for locale in LOCALES:
                for bundle in samples().values():
                    if kind == EVENT_KIND:
                        builder.event(bundle, locale=locale, template=template)
                    else:
                        builder.notice(kind, bundle, locale=locale, template=template)
        self.problems.extend(_problem(error) for error in found)

    def _parsed(self, path: Path) -> nodes.Template | None:
        try:
            source, filename, _ = self._sandbox.shelf.get_source(self._sandbox, path.name)
            self._sandbox.compile(source, path.name, filename)
            return self._sandbox.parse(source, path.name, filename)
        except Exception as error:  # noqa: BLE001 - whatever a template can raise is what is looked for
            self.problems.append(_problem(broken(error, path.name, self._known)))
            return None

    def _unknown(self, path: Path, tree: nodes.Template) -> Iterator[Problem]:
        unknown = meta.find_undeclared_variables(tree) - set(self._known)
        asked = {id(node) for node in _asked_for(tree)}
        for name in tree.find_all(nodes.Name):
            if name.name in unknown and id(name) not in asked:
                what = f"{name.name!r} is undefined"
                yield Problem(f"{shown(path)}:{name.lineno}", "", what, did_you_mean(name.name, self._known))


def _asked_for(tree: nodes.Template) -> Iterator[nodes.Node]:
    """Names that may well be undefined: `x | default(…)`, `x is defined`."""
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        if node.name in ("default", "d", "defined", "undefined"):
            yield node.node


def _problem(error: BrokenTemplateError) -> Problem:
    place = shown(Path(error.path))
    return Problem(f"{place}:{error.line}" if error.line else place, "", error.what, error.mend)
