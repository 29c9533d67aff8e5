"""docs/configuration.md, made from the descriptions of the settings."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path as FilePath
from typing import Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from config.channels import KINDS, AnyChannel
from config.environment import WELL_KNOWN, variable_name
from config.findings import ELSEWHERE, model_in, types_in
from config.holidays import Holidays
from config.matchers import Matcher
from config.models import Settings
from config.policies import BusinessHours, EscalationPolicy, HandOver, PolicyStep, Target, When
from config.reference_text import ABOUT_POLICIES, AFTER_SETTINGS, BEFORE_SETTINGS
from config.routing import Route, Window
from config.schedules import ScheduleEntry
from config.section import fields_of
from config.services import Service
from config.sources import Path, dotted
from config.values import format_duration
from config.view import FILES

_KINDS = {
    timedelta: "duration",
    SecretStr: "secret",
    FilePath: "path",
    bool: "true or false",
    int: "whole number",
    Matcher: "matcher",
    str: "text",
}


_IN_SETTINGS: dict[str, type[BaseModel]] = {"A scheduled task, in `schedules`": ScheduleEntry}
_IN_SERVICES: dict[str, type[BaseModel]] = {
    "A service": Service,
    "A channel": AnyChannel,
    **{f"A channel of kind `{kind}`": model for kind, model in KINDS.items()},
    "A route": Route,
    "A stretch of the week": Window,
}
_IN_POLICIES: dict[str, type[BaseModel]] = {
    "A policy": EscalationPolicy,
    "A step": PolicyStep,
    "A target": Target,
    "When a step is taken": When,
    "Business hours": BusinessHours,
    "A hand-over": HandOver,
    "A list of holidays": Holidays,
}


def reference() -> str:
    """The whole page as Markdown."""
    parts = [BEFORE_SETTINGS, _general(), *_tables(_IN_SETTINGS), *_sections(), AFTER_SETTINGS]
    parts += [*_tables(_IN_SERVICES), ABOUT_POLICIES, *_tables(_IN_POLICIES)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _tables(models: dict[str, type[BaseModel]]) -> list[str]:
    return [f"### {title}\n\n{_about(model)}{_fields(model)}" for title, model in models.items()]


def _general() -> str:
    fields = {name: field for name, field in Settings.model_fields.items() if _section_in(field) is None}
    return "### General\n\n" + _settings_table(((name,), field) for name, field in fields.items() if name not in FILES)


def _sections() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        section = _section_in(field)
        if section is not None:
            yield f"### {name}\n\n{field.description}\n\n{_settings_table(_leaves(section, (name,)))}"


def _leaves(model: type[BaseModel], above: Path) -> Iterator[tuple[Path, FieldInfo]]:
    for name, field in fields_of(model).items():
        section = _section_in(field)
        if section is None:
            yield (*above, name), field
        else:
            yield from _leaves(section, (*above, name))


def _settings_table(leaves: Iterator[tuple[Path, FieldInfo]]) -> str:
    lines = ["| Setting | What it is | Kind | Default | Environment |", "|---|---|---|---|---|"]
    for path, field in leaves:
        is_by_name = get_origin(field.annotation) is dict  # no variable can set that
        variable = "" if is_by_name else f"`{_variable(path)}`"
        cells = (f"`{dotted(path)}`", field.description, _kind(field), _default(field), variable)
        lines.append(_line(cells))
    return "\n".join(lines)


def _about(model: type[BaseModel]) -> str:
    return f"{model.__doc__}\n\n" if model in KINDS.values() else ""


def _fields(model: type[BaseModel]) -> str:
    lines = ["| Key | What it is | Kind | Default |", "|---|---|---|---|"]
    shared = fields_of(AnyChannel) if model in KINDS.values() else {}
    own = {name: field for name, field in fields_of(model).items() if name not in shared}
    for name, field in own.items():
        lines.append(_line((f"`{name}`", field.description, _kind(field), _default(field))))
    return "\n".join(lines)


def _line(cells: tuple[str | None, ...]) -> str:
    return "| " + " | ".join((cell or "").replace("|", "\\|") for cell in cells) + " |"


def _variable(path: Path) -> str:
    short = {setting: name for name, setting in WELL_KNOWN.items()}
    return "TOCSIN_CONFIG_DIR" if path[0] in ELSEWHERE else short.get(path) or variable_name(path)


def _section_in(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _kind(field: FieldInfo) -> str:
    types = types_in(field.annotation)
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    kind = "section" if model_in(field) else next((text for kind, text in _KINDS.items() if kind in types), "word")
    is_list = tuple in (get_origin(part) for part in (field.annotation, *get_args(field.annotation)))
    return f"list of {kind}s" if is_list else kind


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "those of its keys"
    value = field.get_default()
    if field.is_required():
        return "see left" if "Default:" in (field.description or "") else "required"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, timedelta):
        value = format_duration(value)
    return "none" if value is None or value == () else f"`{value}`"
