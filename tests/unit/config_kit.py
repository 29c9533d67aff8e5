"""A folder of configuration that a test writes and then reads as a process would."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from config.errors import ConfigError
from config.mapping_files import mapping_paths
from config.models import Settings
from config.settings import Loaded, read

KEY = "R" * 32
OTHER_KEY = "S" * 32
INGEST = "I" * 32
ENCRYPTION_KEY = "A" * 43 + "="
MAPPING = "alerts: [{fields: {event_action: trigger, dedup_key: '{id}', summary: '{title}'}}]"
SERVICE = f"channels: [{{name: primary, routing_key: {KEY}}}]"


class Folder:
    """A configuration with one service, `default`; tests add and replace files.

    Short mappings take the place of the shipped ones unless a test asks for those: they take longer to read than all the rest.
    """

    def __init__(self, path: Path, *, with_shipped_mappings: bool = False) -> None:
        self.path = path
        self.write("services/default.yaml", SERVICE)
        for name in () if with_shipped_mappings else mapping_paths(path):
            self.write(f"mappings/{name}.yaml", MAPPING)

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
        return file

    def read(self, environ: Mapping[str, str] | None = None, overrides: Mapping[str, object] | None = None) -> Loaded:
        environ = {"HOME": str(self.path / "home"), **(environ or {})}
        return read(environ=environ, config_dir=self.path, overrides=overrides)

    def load(self, environ: Mapping[str, str] | None = None, overrides: Mapping[str, object] | None = None) -> Settings:
        return self.read(environ, overrides).settings

    def problems(
        self, environ: Mapping[str, str] | None = None, overrides: Mapping[str, object] | None = None
    ) -> list[str]:
        """What is wrong, a line each, with file names relative to the folder."""
        with pytest.raises(ConfigError) as caught:
            self.read(environ, overrides)
        return [str(problem).replace(f"{self.path}/", "") for problem in caught.value.problems]

    def problem(self, environ: Mapping[str, str] | None = None, overrides: Mapping[str, object] | None = None) -> str:
        """The one thing that is wrong."""
        (only,) = self.problems(environ, overrides)
        return only
