"""Settings that come from environment variables, secret files and commands."""

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from pydantic import BaseModel

from config.errors import Problem, did_you_mean
from config.findings import ELSEWHERE
from config.models import Settings
from config.section import fields_of
from config.sources import Node, Origin, Path
from config.variables import Variables

PREFIX = "TOCSIN_"
WELL_KNOWN: dict[str, Path] = {
    "PAGERDUTY_API_KEY": ("pagerduty", "api_key"),
    "PAGERDUTY_SERVICE_ID": ("pagerduty", "service_id"),
    "PAGERDUTY_API_URL": ("pagerduty", "api_url"),
    "PAGERDUTY_EVENTS_URL": ("pagerduty", "events_url"),
    "PAGERDUTY_WEBHOOK_SECRET": ("pagerduty", "webhook_secret"),
    "PAGERDUTY_FROM_EMAIL": ("pagerduty", "from_email"),
    "ENVIRONMENT": ("environment",),
    "LOG_LEVEL": ("log_level",),
    "REDIS_URL": ("redis", "url"),
    "ENCRYPTION_KEY": ("security", "encryption_key"),
    "JWT_SECRET": ("security", "jwt_secret"),
}
SECRETS = ("PAGERDUTY_API_KEY", "PAGERDUTY_WEBHOOK_SECRET", "REDIS_URL", "ENCRYPTION_KEY", "JWT_SECRET")


def setting_paths(model: type[BaseModel], above: Path = ()) -> Iterator[Path]:
    """The path of every setting of a model."""
    for name, field in fields_of(model).items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from setting_paths(kind, (*above, name))
        else:
            yield (*above, name)


def secret_files(environ: Mapping[str, str]) -> dict[str, FilePath]:
    """The files that `NAME_FILE` variables name for settings, by NAME."""
    named = {name.removesuffix("_FILE"): value for name, value in environ.items() if name.endswith("_FILE") and value}
    return {name: FilePath(value) for name, value in named.items() if name in SECRETS or name.startswith(PREFIX)}


def variable_name(path: Path) -> str:
    """The environment variable that sets a setting: `TOCSIN_REDIS__URL` for redis.url."""
    return PREFIX + "__".join(str(part).upper() for part in path)


def names_of(path: Path) -> list[str]:
    """Every environment variable that sets a setting, the short ones first."""
    return [*(name for name, known in WELL_KNOWN.items() if known == path), variable_name(path)]


def _bare(name: str) -> str:
    """The name of the variable that `NAME_FILE` or `NAME_COMMAND` is about."""
    return name.removesuffix("_FILE").removesuffix("_COMMAND")


class EnvironmentSource:
    """What environment variables (`direct`), and the files and commands they name (`from_files`), set."""

    def __init__(self, variables: Variables) -> None:
        self.direct = Node({}, Origin("environment"))
        self.from_files = Node({}, Origin("environment"))
        self._variables = variables
        self._known = {variable_name(path): path for path in setting_paths(Settings) if path[0] not in ELSEWHERE}
        self._read_well_known()
        self._read_prefixed()

    def _read_well_known(self) -> None:
        for name, path in WELL_KNOWN.items():
            self._direct(name, path)
            if name in SECRETS:
                self._from_file(name, path)

    def _read_prefixed(self) -> None:
        for name in sorted(self._variables.environ):
            if not name.startswith(PREFIX) or not self._variables.environ[name]:
                continue
            if name in self._known:
                self._direct(name, self._known[name])
            elif (bare := _bare(name)) in self._known:
                self._from_file(bare, self._known[bare])
            elif "__" in name or self._is_slip(name):
                self._unknown(name)

    def _direct(self, name: str, path: Path) -> None:
        value = self._variables.environ.get(name)
        if value:
            self.direct.put(path, value, Origin(f"environment {name}"))

    def _from_file(self, name: str, path: Path) -> None:
        value = self._variables.from_file(name)
        if value:
            self.from_files.put(path, value, Origin(self._variables.origin(name)))

    def _is_slip(self, name: str) -> bool:
        """Whether a known name was meant and its double underscore forgotten; other names may belong to others."""
        return name in {known.replace("__", "_") for known in self._known}

    def _unknown(self, name: str) -> None:
        if name.startswith(f"{PREFIX}SERVICES__"):
            mend = "services are set in services/NAME.yaml; write ${VAR} there to take a value from the environment"
        else:
            mend = did_you_mean(name, list(self._known), listed=False)
        self._variables.report(Problem(f"environment {name}", "", "there is no such setting", mend))
