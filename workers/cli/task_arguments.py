"""Turns `key=value` words into the typed arguments of a task, or says everything that is wrong with them."""

import inspect
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workers.cli.output import CliError, ExitCode
from workers.cli.task_names import did_you_mean


def signature_of(task: Any) -> inspect.Signature:
    """The signature of a Celery task's function, without `self`, with real types."""
    # TocsinTask is imported for type checkers only; `self` is bound and its type of no interest here
    return inspect.signature(task.run, eval_str=True, locals={"TocsinTask": object})


def parse(words: Iterable[str], signature: inspect.Signature) -> dict[str, Any]:
    """The keyword arguments in `words`, checked against the signature.

    A value is JSON when it parses as JSON, else text; where the task wants text it stays text.
    `key=@FILE` reads a file, `key=-` reads stdin. Raises CliError with every problem at once.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for word in words:
        key, separator, text = word.partition("=")
        if not separator or not key:
            problems.append(f"{word}: write arguments as key=value")
        elif key in values:
            problems.append(f"{key}: given twice")
        else:
            values[key] = _value(key, text, signature)
    problems += [*_unknown(values, signature), *_missing(values, signature), *_ill_typed(values, signature)]
    if problems:
        raise CliError("\n".join(problems), ExitCode.USAGE)
    return values


def _value(key: str, text: str, signature: inspect.Signature) -> object:
    parameter = signature.parameters.get(key)
    return _interpret(_read(key, text), wants_text=parameter is not None and parameter.annotation is str)


def _read(key: str, text: str) -> str:
    if text == "-":
        return sys.stdin.read()
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text("utf-8")
    except OSError as error:
        raise CliError(f"{key}: cannot read {text[1:]}: {error.strerror}", ExitCode.USAGE) from error
    except UnicodeDecodeError as error:
        raise CliError(f"{key}: {text[1:]} is not UTF-8 text", ExitCode.USAGE) from error


def _interpret(raw: str, *, wants_text: bool) -> object:
    try:
        value = json.loads(raw)
    except ValueError:
        return raw
    return raw if wants_text and not isinstance(value, str) else value


def _takes_any(signature: inspect.Signature) -> bool:
    return any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values())


def _named(signature: inspect.Signature) -> dict[str, inspect.Parameter]:
    variadic = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {name: parameter for name, parameter in signature.parameters.items() if parameter.kind not in variadic}


def _unknown(values: Mapping[str, object], signature: inspect.Signature) -> list[str]:
    known = list(_named(signature))
    if _takes_any(signature):
        return []
    takes = f"this task takes {', '.join(known)}." if known else "this task takes no arguments."
    return [f"{key}: unknown argument; {takes}{did_you_mean(key, known)}" for key in values if key not in known]


def _missing(values: Mapping[str, object], signature: inspect.Signature) -> list[str]:
    return [
        f"{name}: missing; give {name}={type_name(parameter)}"
        for name, parameter in _named(signature).items()
        if parameter.default is parameter.empty and name not in values
    ]


def _ill_typed(values: Mapping[str, object], signature: inspect.Signature) -> list[str]:
    from pydantic import TypeAdapter, ValidationError

    problems: list[str] = []
    for name, parameter in _named(signature).items():
        if name not in values or parameter.annotation is parameter.empty:
            continue
        try:
            TypeAdapter(parameter.annotation).validate_python(values[name])
        except ValidationError as error:
            problems += [
                ".".join([name, *map(str, detail["loc"])])
                + f": {detail['msg']}; {name} is {type_name(parameter)}, as JSON"
                for detail in error.errors(include_url=False, include_input=False)
            ]
    return problems


def type_name(parameter: inspect.Parameter) -> str:
    """The type of a parameter as a person writes it: `int`, `list[str]`, `str | None`."""
    if parameter.annotation is parameter.empty:
        return "any"
    return inspect.formatannotation(parameter.annotation).replace("NoneType", "None").replace("typing.", "")
