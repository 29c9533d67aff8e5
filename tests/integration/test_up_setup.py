"""Holds the lock to pyproject.toml: `make lock` was run, and the lock says what to install, not from where."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
LOCKED = dict(re.findall(r"^([a-z0-9.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", LOCK, re.MULTILINE))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NEEDED = [
    *PROJECT["project"]["dependencies"],
    *PROJECT["dependency-groups"]["dev"],
    *PROJECT["build-system"]["requires"],
]


@pytest.mark.parametrize("needed", [*map(Requirement, NEEDED)], ids=str)
def test_every_requirement_is_locked_at_a_version_it_allows(needed: Requirement) -> None:
    name = re.sub(r"[-_.]+", "-", needed.name).lower()

    assert name in LOCKED, "run `make lock`"
    assert needed.specifier.contains(Version(LOCKED[name]), prereleases=True), "run `make lock`"


def test_everything_locked_has_a_hash() -> None:
    entries = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]

    assert len(entries) == len(LOCKED)
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_lock_names_no_place() -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links|^-|^/", LOCK, re.MULTILINE)
