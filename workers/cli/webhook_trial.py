"""A document put through a mapping, as a person does who writes one."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from config.mapping_files import load_mapping
from tasks.utils.data_transformer import Ignored
from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.validators import ADAPTATIONS
from tasks.utils.webhook_processor import Result, WebhookProcessor
from workers.cli.connection import current_settings
from workers.cli.output import CliError, ExitCode


class Trial(NamedTuple):
    """What became of a document: alerts ready to be sent, slips mended, rules that ignored something, faults."""

    alerts: list[dict[str, Any]]
    notes: list[str]
    ignored: list[str]
    errors: list[str]


def trial(mapping: str, file: str, headers: Sequence[str]) -> Trial:
    """What the mapping makes of the document in the file; CliError where either cannot be read."""
    name, mappings = mapping, None
    if mapping.endswith(".yaml"):
        read = load_mapping(Path(mapping))
        name, mappings = read.name, {read.name: read}
    processor = WebhookProcessor(current_settings().mappings if mappings is None else mappings)
    processor.mapping(name)
    return _sorted(processor.process(name, _document(file), _pairs(headers)))


def _document(name: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if name == "-" else Path(name).read_text("utf-8-sig"))
    except OSError as error:
        raise CliError(f"Cannot read {name}: {error.strerror}", ExitCode.USAGE) from error
    except (ValueError, RecursionError) as error:
        raise CliError(f"{name} is not JSON: {error}", ExitCode.USAGE) from error


def _pairs(headers: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for header in headers:
        name, equals, value = header.partition("=")
        if not equals:
            raise CliError(f"--header {header}: write NAME=VALUE", ExitCode.USAGE)
        pairs[name.strip()] = value
    return pairs


def _sorted(results: Iterable[Result]) -> Trial:
    found = Trial([], [], [], [])
    for result in results:
        if isinstance(result, Ignored):
            found.ignored.append(result.rule)
        elif isinstance(result, InvalidAlertError):
            found.errors.extend(result.errors)
        else:
            found.alerts.append(result.alert)
            found.notes.extend(ADAPTATIONS[name] for name in result.adaptations)
    return found
