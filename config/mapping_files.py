"""The mappings of foreign documents, one file each: those that come with Tocsin, and the user's own."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from config.errors import ConfigError, Problem
from config.folders import INSTALLED
from config.mapping_compiler import compile_mapping
from config.mappings import WebhookMapping
from config.variables import Variables
from config.yaml_file import read_yaml

FOLDER: Final = "mappings"
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
NAME_MEND: Final = "rename it: small letters, digits, - and _, since the name stands in an address"


def mapping_paths(config_dir: Path) -> dict[str, Path]:
    """The files by name; one in the user's folder takes the place of a shipped one."""
    folders = dict.fromkeys((INSTALLED / FOLDER, config_dir / FOLDER))
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml")) if path.name[0] != "."}


def load_mapping(path: Path, environ: Mapping[str, str] | None = None) -> WebhookMapping:
    """The mapping in one file, by itself; ConfigError with everything that is wrong with it."""
    problems: list[Problem] = []
    variables = Variables(os.environ if environ is None else environ, problems.append)
    mapping = read_mapping(path, str(path), variables)
    if problems or mapping is None:
        raise ConfigError(sorted(problems, key=Problem.place))
    return mapping


def read_mapping(path: Path, shown: str, variables: Variables) -> WebhookMapping | None:
    """The mapping in one file; None where something is wrong with it, which is reported."""
    node = read_yaml(path, shown, variables)
    if not NAME.fullmatch(path.stem):
        variables.report(Problem(shown, "", f"{path.stem!r} cannot be the name of a mapping", NAME_MEND))
    return compile_mapping(node, path.stem, variables.report) if node else None
