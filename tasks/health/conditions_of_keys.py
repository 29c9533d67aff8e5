"""What is amiss with the keys Tocsin uses: their age, and rotations that stand still; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.health.models import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.health.facts import Facts


def keys_due(facts: Facts, _: object) -> Iterator[Finding]:
    """Keys are past their age, or will be soon where only a person can replace them. What is due is told by the check of health."""
    for kind, words in sorted(facts.keys_due.items()):
        mend = "`tocsin tokens list` shows all keys; docs/rotation.md says how each is replaced"
        yield Finding("keys_due", "warning", f"{kind} keys are to be replaced: {words}", mend, kind)


def rotation_stuck(facts: Facts, _: object) -> Iterator[Finding]:
    """A rotation has stood still for too long. Nothing is lost by it: the former key is good all the while."""
    for former, words in sorted(facts.rotations_stuck.items()):
        how, mend = words.split("\n", 1)
        yield Finding("rotation_stuck", "warning", f"The rotation of a key stands still: {how}", mend, former)
