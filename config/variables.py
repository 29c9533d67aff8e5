"""The environment, secret files, and the ${VAR} in files."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from config.errors import Problem

if TYPE_CHECKING:
    from config.sealed import SealedSettings

_REFERENCE = re.compile(r"\$(?:(\$)(?=\{)|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|(\{))")

Report = Callable[[Problem], None]


@dataclass(slots=True)
class Variables:
    """Environment variables, each of which may stand in a file named by `NAME_FILE` instead. Empty means not set."""

    environ: Mapping[str, str]
    report: Report
    sealed: Optional["SealedSettings"] = None
    """Opens what stands encrypted in files; None until the keys are known."""
    _files: dict[str, str | None] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The value of a variable, or the content of the file that NAME_FILE names."""
        return self.environ.get(name) or self.from_file(name)

    def from_file(self, name: str) -> str | None:
        """The content of the file that NAME_FILE names, without its last line end; each file is read once."""
        if name not in self._files:
            path = self.environ.get(f"{name}_FILE")
            self._files[name] = self._read(name, path) if path else None
        return self._files[name]

    def _read(self, name: str, path: str) -> str | None:
        where = f"environment {name}_FILE"
        mend = f"correct the path, make the file readable, or unset {name}_FILE"
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except UnicodeDecodeError:
            self.report(Problem(where, "", f"{path} is not UTF-8 text", mend))
            return None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a path"
            self.report(Problem(where, "", f"{path} cannot be read: {reason}", mend))
            return None
        if not text:
            self.report(Problem(where, "", f"{path} is empty", f"write the secret into it, or unset {name}_FILE"))
        return text or None


@dataclass(frozen=True, slots=True)
class Expansion:
    """A text with its ${VAR} replaced; `variable` is the first that had a value or should have had one."""

    text: str | None
    variable: str | None = None


def expand(text: str, variables: Variables, where: str, key: str) -> Expansion:
    """Replace ${VAR} and ${VAR:-default}; `$${` stands for `${`. What ends up empty counts as not set."""
    used: list[str] = []

    def replace(match: re.Match[str]) -> str:
        escaped, name, default, broken = match.groups()
        if escaped:
            return "$"
        if broken:
            mend = "write ${VAR} or ${VAR:-default}; write $${ where ${ itself is meant"
            variables.report(Problem(where, key, "holds a ${ that is not a variable", mend))
            return ""
        value = variables.get(name)
        if value:
            used.append(name)
        elif default is None:
            used.append(name)
            variables.report(_not_set(name, where, key))
        return value or default or ""

    return Expansion(_REFERENCE.sub(replace, text) or None, used[0] if used else None)


def _not_set(name: str, where: str, key: str) -> Problem:
    return Problem(
        where,
        key,
        f"the environment variable {name} is not set",
        f"export {name}=…, or {name}_FILE=/path/to/file, or give a default here: ${{{name}:-default}}",
    )
