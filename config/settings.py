"""The only reader of environment and files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from config.environment import EnvironmentSource, secret_files
from config.errors import ConfigError, Problem
from config.findings import ELSEWHERE, findings
from config.folders import INSTALLED, find_config_dir, report_misnamed, settle_state_dir, shown
from config.key_sources import KeySources
from config.keyring import Keyring
from config.keystore import FILE as KEYSTORE
from config.keystore import read_keystore, with_keystore
from config.made_up import take_up
from config.mapping_files import mapping_paths, read_mapping
from config.mappings import WebhookMapping
from config.models import Settings, full_name, section_names, with_inherited
from config.policy_files import PolicyFiles
from config.rules import production_problems
from config.sealed import SealedSettings, key_texts_of
from config.service_files import ServiceFiles
from config.sources import Node, Origin, merge
from config.variables import Report, Variables
from config.yaml_file import read_yaml

FLAG = Origin("flag")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings together with where every value came from and which files were read."""

    settings: Settings
    node: Node
    services: dict[str, Node]
    files: tuple[str, ...]


def load(
    *,
    environ: Mapping[str, str] | None = None,
    config_dir: Path | None = None,
    state_dir: Path | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """The settings; raises ConfigError with every problem of every source at once.

    `overrides` (from flags) win over all: nested, or by dotted names ("redis.url"); None means not given.
    """
    return read(environ=environ, config_dir=config_dir, state_dir=state_dir, overrides=overrides).settings


def read(
    *,
    environ: Mapping[str, str] | None = None,
    config_dir: Path | None = None,
    state_dir: Path | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Loaded:
    """The settings and their sources; otherwise as `load`."""
    flags = Node({}, FLAG)
    _put_overrides(flags, {**(overrides or {}), "state_dir": state_dir})
    return _Reading(os.environ if environ is None else environ, config_dir, flags).loaded()


def read_keyring(*, environ: Mapping[str, str] | None = None, config_dir: Path | None = None) -> Keyring | None:
    """The encryption keys alone, the newest first: the rest of the settings may still be in the making. None where none is set."""
    return _Reading(os.environ if environ is None else environ, config_dir, Node({}, FLAG)).keyring()


def read_encryption_keys(environ: Mapping[str, str], config_dir: Path) -> list[str]:
    """What stands where encryption keys belong, the newest first; ConfigError if a source of settings cannot be read."""
    return _Reading(environ, config_dir, Node({}, FLAG)).key_texts()


def _put_overrides(flags: Node, overrides: Mapping[str, object], above: tuple[str, ...] = ()) -> None:
    for name, value in overrides.items():
        path = (*above, *name.split("."))
        if isinstance(value, Mapping):
            _put_overrides(flags, value, path)
        elif value is not None:
            flags.put(path, value, FLAG)


class _Reading:
    """One pass over all sources that collects every problem before it gives up."""

    def __init__(self, environ: Mapping[str, str], config_dir: Path | None, flags: Node) -> None:
        self._problems: list[Problem] = []
        self._variables = Variables(environ, self._report)
        self._flags = flags
        self._folder, self._folder_origin = find_config_dir(config_dir, self._variables)
        self._files: list[str] = []
        files = secret_files(environ).values()
        self._key_sources = KeySources(partial(read_encryption_keys, environ, self._folder), files)

    def _report(self, problem: Problem) -> None:
        if problem not in self._problems:
            self._problems.append(problem)

    def loaded(self) -> Loaded:
        report_misnamed(self._folder, self._variables)
        node = self._merged()
        _refuse_elsewhere(node, self._report)
        node.put(("config_dir",), self._folder, self._folder_origin)
        services = self._services()
        policies = self._policies(services)
        files: dict[str, Mapping[str, object]] = {
            "services": services.services,
            "mappings": self._mappings(),
            "policies": policies.policies,
            "holidays": policies.holidays,
        }
        settings = _validated(node, files, self._report)
        if settings is not None:
            self._check_together(settings, node, services)
            policies.check_account(services, settings.pagerduty)
        if self._problems or settings is None:
            raise ConfigError(sorted(self._problems, key=Problem.place))
        settings = with_keystore(settings, read_keystore(settings.state_dir / KEYSTORE)).from_sources(self._key_sources)
        return Loaded(settings, node, services.nodes, tuple(self._files))

    def _merged(self) -> Node:
        environment = EnvironmentSource(self._variables)
        main = self._yaml("pagerduty.yaml")
        above = merge(environment.direct, self._flags)
        chosen = merge(main, above).child("environment")
        name = full_name(chosen.value if chosen and chosen.value else "development")
        special = self._yaml(f"environments/{name}.yaml")
        self._refuse_environment(special)
        node = merge(merge(merge(main, special), environment.from_files), above)
        settle_state_dir(node, self._variables)
        if name == "development":
            take_up(node, self._report)
        self._variables.sealed = SealedSettings(node, self._report)
        return node

    def keyring(self) -> Keyring | None:
        """The encryption keys, whatever else may be wrong."""
        self._merged()
        return self._variables.sealed.keyring if self._variables.sealed else None

    def key_texts(self) -> list[str]:
        """What stands where encryption keys belong, be it a key or not; ConfigError if anything above it cannot be read."""
        node = self._merged()
        if self._problems:
            raise ConfigError(sorted(self._problems, key=Problem.place))
        return key_texts_of(node)

    def _yaml(self, name: str) -> Node:
        path = self._folder / name
        if not path.is_file():
            return Node({}, Origin(shown(path)))
        self._files.append(shown(path))
        return read_yaml(path, shown(path), self._variables) or Node({}, Origin(shown(path)))

    def _refuse_environment(self, special: Node) -> None:
        told = special.child("environment")
        if told is not None:
            mend = "remove it; ENVIRONMENT or pagerduty.yaml chooses the environment"
            self._report(Problem(str(told.origin), "environment", "cannot be set in the file of an environment", mend))

    def _services(self) -> ServiceFiles:
        folder = self._folder / "services"
        files = ServiceFiles(folder, shown(folder), self._variables)
        self._files += [f"{files.shown}/{name}.yaml" for name in files.nodes]
        return files

    def _policies(self, services: ServiceFiles) -> PolicyFiles:
        files = PolicyFiles(self._folder, self._variables)
        self._files += files.files
        files.check_services(services)
        return files

    def _mappings(self) -> dict[str, WebhookMapping]:
        paths = mapping_paths(self._folder)
        self._files += [shown(path) for path in paths.values()]
        read = {name: read_mapping(path, shown(path), self._variables) for name, path in paths.items()}
        return {name: mapping for name, mapping in read.items() if mapping is not None}

    def _check_together(self, settings: Settings, node: Node, files: ServiceFiles) -> None:
        files.check_default(settings.default_service, node.nearest(("default_service",)).origin)
        named = {
            ("own_alerts", "service"): settings.own_alerts.service,
            ("health", "canary_service"): settings.health.canary_service,
        }
        for path, name in named.items():
            files.check_named(name, ".".join(path), node.nearest(path).origin)
        if settings.email.host is None:
            files.check_mail()
        files.check_incident_channels(settings.pagerduty)
        files.check_encrypted(node, has_key=settings.security.encryption_key is not None)
        if settings.environment == "production":
            for problem in production_problems(settings, node, files):
                self._report(problem)


def sealed_by(variables: Variables) -> SealedSettings:
    """What opens encrypted values of a file that is judged by itself: the keys of the environment."""
    environment = EnvironmentSource(variables)
    return SealedSettings(merge(environment.from_files, environment.direct), variables.report)


def check_settings(node: Node, report: Report) -> Settings | None:
    """The settings in one file, by itself, all else being default; None where something is wrong, which is reported."""
    _refuse_elsewhere(node, report)
    node.put(("config_dir",), INSTALLED, Origin("default"))
    settle_state_dir(node, Variables({}, report))
    return _validated(node, {}, report)


def _refuse_elsewhere(node: Node, report: Report) -> None:
    for name, mend in ELSEWHERE.items():
        found = node.child(name)
        if found is not None:
            report(Problem(str(found.origin), name, "cannot be set here", mend))


def _validated(node: Node, files: Mapping[str, Mapping[str, object]], report: Report) -> Settings | None:
    """The settings, or None; `files` are those whose parts are files of their own."""
    plain = {name: {} for name in section_names()} | node.plain_members()
    try:
        settings = Settings.model_validate({**plain, **files})
    except ValidationError as error:
        for problem in findings(error, Settings, node):
            report(problem)
        return None
    return with_inherited(settings)
