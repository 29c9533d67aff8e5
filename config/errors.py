from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it stands, which setting, what is wrong, how to mend it. Never holds a secret."""

    where: str
    key: str
    what: str
    mend: str

    def fields(self) -> dict[str, str]:
        """Its parts by name, for JSON."""
        return asdict(self)

    def place(self) -> tuple[str, int]:
        """File and line, to sort by."""
        name, _, line = self.where.rpartition(":")
        return (name, int(line)) if name and line.isdecimal() else (self.where, 0)

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.what) if part) + f"; mend: {self.mend}"


class ConfigError(Exception):
    """The configuration cannot be used; the text lists every problem that was found, one a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        count = len(self.problems)
        head = "1 problem in the configuration:" if count == 1 else f"{count} problems in the configuration:"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


class UnfitError(ValueError):
    """A value that does not fit its setting. `what` and `mend` are shown to people: neither may hold a secret."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


def did_you_mean(word: str, known: Sequence[str], *, listed: bool = True) -> str:
    """How to mend an unknown name: the nearest known one, else all of them if `listed`."""
    near = get_close_matches(word, known, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"remove it; known here: {', '.join(known)}" if listed else "remove it; docs/configuration.md lists all"
