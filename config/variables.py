"""The environment, secret files and commands, and the ${VAR} in files."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from config.errors import Problem

if TYPE_CHECKING:
    from config.sealed import SealedSettings

LONGEST = 10.0  # seconds for a command
_REFERENCE = re.compile(r"\$(?:(\$)(?=\{)|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|(\{))")

Report = Callable[[Problem], None]


@dataclass(slots=True)
class Variables:
    """Environment variables, each of which `NAME_FILE` or `NAME_COMMAND` may give instead. Empty means not set."""

    environ: Mapping[str, str]
    report: Report
    sealed: Optional["SealedSettings"] = None
    """Opens what stands encrypted in files; None until the keys are known."""
    _files: dict[str, str | None] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The value of a variable, or what NAME_FILE or NAME_COMMAND leads to."""
        return self.environ.get(name) or self.from_file(name)

    def from_file(self, name: str) -> str | None:
        """The content of the file that NAME_FILE names, else what the command in NAME_COMMAND prints, without its last line end.

        Each is read, or run, once.
        """
        if name not in self._files:
            path, command = self.environ.get(f"{name}_FILE"), self.environ.get(f"{name}_COMMAND")
            found = self._read(name, path) if path else None
            self._files[name] = self._run(name, command) if command and not path else found
        return self._files[name]

    def origin(self, name: str) -> str:
        """Where `from_file` had it from, for people."""
        path = self.environ.get(f"{name}_FILE")
        return f"secret file {path} ({name}_FILE)" if path else f"command ({name}_COMMAND)"

    def _run(self, name: str, command: str) -> str | None:
        """What a secret manager's program prints. No shell reads the command, and it has ten seconds."""
        import shlex  # noqa: PLC0415 (few starts run one)
        import subprocess  # noqa: PLC0415

        where = f"environment {name}_COMMAND"
        mend = "correct it so that it prints the secret, and nothing else, within ten seconds; no shell reads it"
        try:
            words = shlex.split(command)
            done = subprocess.run(  # noqa: S603 (whoever sets our environment may choose what runs)
                words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=LONGEST,
                check=False,
                env=dict(self.environ),
            )
            text = done.stdout.decode().strip()
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            self.report(Problem(where, "", f"the command cannot be run: {type(error).__name__}", mend))
            return None
        if done.returncode or not text:
            fault = f"ended with exit code {done.returncode}" if done.returncode else "prints nothing"
            self.report(Problem(where, "", f"the command {fault}", mend))
            return None
        return text

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
