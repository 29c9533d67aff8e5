"""The settings while there is no configuration: what a machine needs to bring one back, by its environment alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from config.errors import ConfigError, Problem
from config.folders import INSTALLED, expand_home
from config.settings import load
from config.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.models import Settings

NEEDED: Final = ("HOME", "XDG_STATE_HOME", "TOCSIN_STATE_DIR", "ENCRYPTION_KEY", "ENCRYPTION_KEY_FILE")
SECTIONS: Final = ("TOCSIN_BACKUPS__", "TOCSIN_SECURITY__ENCRYPTION_KEY", "TOCSIN_SECURITY__PREVIOUS_ENCRYPTION_KEYS")


def load_bare(environ: Mapping[str, str] | None = None) -> Settings:
    """Where backups lie, what opens them, and the folders they go back to; `config_dir` need not be there yet.

    Everything else is as in development, whatever the environment says: it cannot be judged before the configuration is back.
    """
    environ = os.environ if environ is None else environ
    kept = {name: value for name, value in environ.items() if name in NEEDED or name.startswith(SECTIONS)}
    settings = load(environ=kept, config_dir=INSTALLED)
    named = environ.get("TOCSIN_CONFIG_DIR")
    if not named:
        return settings
    problems: list[Problem] = []
    folder = expand_home(named, Variables(environ, problems.append)).absolute()
    if problems:
        raise ConfigError(problems)
    return settings.model_copy(update={"config_dir": folder})
