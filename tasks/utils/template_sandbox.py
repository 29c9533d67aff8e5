"""Jinja's immutable sandbox, narrowed until what a template costs is bounded: it sees values only, and pays by the step."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from jinja2 import StrictUndefined, TemplateRuntimeError, Undefined, pass_context
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, LoopContext, Macro, TemplateReference
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from markupsafe import Markup

from config.errors import did_you_mean
from tasks.utils.template_filters import FILTERS
from tasks.utils.template_guard import guard
from tasks.utils.template_meter import Limits, Meter, TemplateLimitError, current_words, metered, spend
from tasks.utils.template_steps import STEPS, TESTS, steps
from tasks.utils.template_values import MISSING, Facts, Missing, Named, bounded, plain, size_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jinja2 import nodes
    from jinja2.runtime import Context

    from tasks.utils.notification_media import Medium
    from tasks.utils.template_files import Shelf

CALL_WORK: Final = 50
_OWN_OBJECTS: Final = (LoopContext, Namespace, TemplateModule, TemplateReference)
_CALLABLE: Final = (BlockReference, LoopContext, Macro)
_NO_CODE: Final = ("data", "whitespace", "comment")
_LOOP_METHODS: Final = ("cycle", "changed")


def say(name: str, number: int | None = None, /, **values: Any) -> str:
    """A phrase of the catalogue in the language of the notification: `say("more", 7)`."""
    told: str = current_words().say(
        plain(name, "say"), number, **{key: text_of(value) for key, value in values.items()}
    )
    return told


FUNCTIONS: Final = {"range": steps, "namespace": Namespace, "say": say}


class Sandbox(ImmutableSandboxedEnvironment):
    """Templates of one medium. Safe to use from several threads; a file that has changed is read anew."""

    intercepted_binops = frozenset({"+", "*", "%", "**"})

    def __init__(self, shelf: Shelf, medium: Medium, limits: Limits) -> None:
        super().__init__(
            loader=shelf,
            undefined=StrictUndefined,
            autoescape=True,
            optimized=False,  # what is folded while compiling would cost without being counted
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_shown,
        )
        self.shelf = shelf
        self.medium = medium
        self._limits = limits
        self.filters = {**FILTERS, **STEPS}
        self.tests = dict(TESTS)
        self.globals = dict(FUNCTIONS)

    def write(self, name: str, facts: Mapping[str, Any], words: Any) -> str:
        """The text a template makes of the facts. Raises whatever a template can raise."""
        template = self.get_template(
            name
        )  # reading a file that has changed takes its time once, and is bounded by its size
        with metered(Meter(self._limits), words):
            pieces, size = [], 0
            for piece in template.generate(facts):
                size += len(piece.encode("utf-8", "replace"))
                if size > self._limits.output_bytes:
                    raise TemplateLimitError(f"it makes more than {self._limits.output_bytes // 1024} KB of text")
                pieces.append(piece)
        return "".join(pieces)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        most = self._limits.source_signs
        signs = (kind for _, kind, _ in self.lex(source, name, filename) if kind not in _NO_CODE)
        if sum(1 for _ in islice(signs, most + 1)) > most:
            raise TemplateLimitError(f"it holds more than {most} names and signs; make it shorter")
        return guard(super()._parse(source, name, filename), name, filename)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A fact, a label, a name of a loop or an imported template; no attribute of anything else."""
        if obj is None or isinstance(obj, dict | Missing):
            return self._entry(obj, attribute)
        if isinstance(obj, (*_OWN_OBJECTS, Undefined)):
            return super().getattr(obj, attribute)
        return self.undefined(f"a {_kind(obj)} has no {attribute!r}; filters take the place of methods: x | upper")

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An entry of a list or mapping, a stretch of a list or text."""
        if obj is None or isinstance(obj, dict | Missing):
            return self._entry(obj, argument)
        if isinstance(obj, str | list | tuple | range) and isinstance(argument, int | slice):
            try:
                found = obj[argument]
            except IndexError:
                return self.undefined(
                    f"the list ends before entry {argument}; loop over it, or use `| first`, which may be empty"
                )
            spend(size_of(found))
            return found
        return self.getattr(obj, str(argument))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805, PYI063 - as Jinja has it
        """Call a macro, a block or a function on offer; SecurityError for all else."""
        spend(CALL_WORK)
        offered = isinstance(__obj, _CALLABLE) or any(__obj is function for function in FUNCTIONS.values())
        of_loop = isinstance(getattr(__obj, "__self__", None), LoopContext) and __obj.__name__ in _LOOP_METHODS
        if not (offered or of_loop or isinstance(__obj, Undefined)):
            raise SecurityError(f"a {_kind(__obj)} cannot be called; filters take the place of methods: x | upper")
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`+`, `*` and `%` of numbers; `+` of texts and lists, too."""
        spend(size_of(left) + size_of(right))
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return self.joined([left, right])
        lists = operator == "+" and isinstance(left, list) and isinstance(right, list)
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if not (lists or numbers):
            raise TemplateRuntimeError(
                f"{operator} does not go with a {_kind(left)} and a {_kind(right)}; ~ joins texts"
            )
        return bounded(super().call_binop(context, operator, left, right))

    def joined(self, parts: Iterable[Any]) -> str:
        """Single values as one text; escaped where one of them is marked up."""
        whole = list(parts)
        marked = any(isinstance(part, Markup) for part in whole)
        text = "".join(self.marked(part) if marked else text_of(part) for part in whole)
        return Markup(text) if marked else text  # noqa: S704 - each part was escaped

    def marked(self, value: Any) -> Markup:
        """A value as the medium shows it."""
        if isinstance(value, Markup):
            return value
        return Markup(self.medium.escape(text_of(value)))  # noqa: S704 - this is the escape

    def marked_json(self, text: str) -> str:
        """JSON: in a JSON document as it is, elsewhere a text like any other."""
        return Markup(text) if self.medium.name == "json" else text  # noqa: S704

    def _entry(self, obj: Any, name: Any) -> Any:
        if obj is None or isinstance(obj, Missing):
            return MISSING
        try:
            if name in obj:
                return obj[name]
        except TypeError:
            return self.undefined("a list is no name of anything")
        if isinstance(obj, Named):
            return MISSING
        known = [key for key in obj if isinstance(key, str)]
        return self.undefined(f"there is no {name!r} here; {did_you_mean(str(name), known)}")


@pass_context
def _shown(context: Context, value: Any) -> Markup:
    """What stands for a value in the text. Jinja calls it for each; being given the context, never while compiling."""
    environment: Any = context.environment
    shown: Markup = environment.marked(value)
    spend(5 + len(shown))
    return shown


def _kind(value: object) -> str:
    return _KINDS.get(type(value), type(value).__name__)


_KINDS: Final[Mapping[type, str]] = {
    **dict.fromkeys((str, Markup), "text"),
    **dict.fromkeys((list, tuple, range), "list"),
    **dict.fromkeys((dict, Facts, Named), "mapping"),
    **dict.fromkeys((int, float), "number"),
}
