"""Configuration files read and checked, one by itself or a whole folder; the reading is the loader's in `config`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import ConfigError, Problem
from config.holidays import Holidays
from config.mapping_compiler import compile_mapping
from config.named_files import check_named
from config.policies import EscalationPolicy
from config.schema import Kind, json_schema
from config.sealing import MARK
from config.service_files import check_service
from config.settings import check_settings, load, sealed_by
from config.variables import Variables
from config.yaml_file import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.mappings import WebhookMapping
    from config.models import Settings
    from config.services import Service
    from config.sources import Node

    Parsed = Settings | Service | WebhookMapping | EscalationPolicy | Holidays


class ConfigParser:
    """Tells what a configuration says, or everything that is wrong with it, with file, line and mend."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ

    def parse(self, path: Path | str) -> Parsed:
        """What a file or a whole folder says; ConfigError with all its problems.

        A folder is loaded as `tocsin` loads it. A file is judged by itself: one in `services` is a service, one in
        `mappings` a mapping, in `policies` a policy, in `holidays` a list of them, any other holds settings; what another
        file or the environment may add is not missed.
        """
        path = Path(path)
        if path.is_dir():
            return load(environ=self._environ, config_dir=path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ConfigError(
                [Problem(str(path), "", f"cannot be read: {reason}", "name a YAML file or a folder")]
            ) from None
        return self.parse_text(text, path)

    def parse_text(self, text: str, path: Path | str = "pagerduty.yaml") -> Parsed:
        """The same of a text that is to become the file `path`."""
        path = Path(path)
        problems: list[Problem] = []
        variables = Variables(self._environ, problems.append)
        if MARK in text:
            variables.sealed = sealed_by(variables)
        node = parse_yaml(text, str(path), variables)
        parsed = _checked(node, path, variables) if node is not None else None
        if problems or parsed is None:
            raise ConfigError(sorted(problems, key=Problem.place))
        return parsed

    def check(self, path: Path | str) -> tuple[Problem, ...]:
        """Everything that is wrong with a file or a folder; empty where nothing is."""
        try:
            self.parse(path)
        except ConfigError as error:
            return error.problems
        return ()

    def schema(self, kind: Kind = "settings") -> dict[str, Any]:
        """The JSON Schema of one kind of file, for editors."""
        return json_schema(kind)


def _checked(node: Node, path: Path, variables: Variables) -> Parsed | None:
    match path.parent.name:
        case "services":
            return check_service(node, path, str(path), variables.report)
        case "policies":
            return check_named(node, EscalationPolicy, path, str(path), variables.report)
        case "holidays":
            return check_named(node, Holidays, path, str(path), variables.report)
        case "mappings":
            return compile_mapping(node, path.stem, variables.report)
        case _:
            return check_settings(node, variables.report)
