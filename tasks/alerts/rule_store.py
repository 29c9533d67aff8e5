"""Silences as they lie in Redis, and the rule book made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.alerts.holds import RuleBook, hold_name
from tasks.alerts.models import Silence
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.alerts.holds import Inhibition, Rule
    from tasks.utils.keys import Keys


class RuleStore:
    """Reads and writes silences. Its book is read once; whoever finds it stale has it read again."""

    def __init__(self, client: Any, keys: Keys, inhibitions: Sequence[Inhibition] = ()) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._inhibitions = inhibitions
        self._book: RuleBook | None = None

    @property
    def book(self) -> RuleBook:
        """The rules as they were when last read."""
        return self._book or self.refresh()

    def refresh(self) -> RuleBook:
        """The rules as they are now."""
        version, silences = self._read()
        self._book = RuleBook(version, silences, self._inhibitions)
        return self._book

    def in_force(self, rules: Sequence[Rule], uid: str, now: int) -> Rule | None:
        """The first of the rules that holds alert `uid` back at that moment (ms), as the server would decide; None if none does."""
        for rule in rules:
            if rule.begins is not None and rule.ends is not None:
                if rule.begins <= now < rule.ends:
                    return rule
            elif self._client.smembers(self._keys.inhibitors(rule.hold)) - {uid}:
                return rule
        return None

    def silences(self) -> list[Silence]:
        """Every silence that is kept, with how many alerts each holds back."""
        found = self._read()[1]
        pipe = self._client.pipeline(transaction=False)
        for silence in found:
            pipe.zcard(self._keys.held(hold_name(silence)))
        counts = pipe.execute() if found else []
        return [silence.model_copy(update={"held": held}) for silence, held in zip(found, counts, strict=True)]

    def write(self, silence: Silence, forget: Sequence[str] = ()) -> None:
        """Put a silence, new or changed, in force; silences to `forget` by their ids go."""
        ends = round(silence.ends_at.timestamp() * 1000)
        kept = silence.model_dump_json(exclude={"state", "held"})
        self._scripts.run("rule_put", silence.id, kept, hold_name(silence), ends, *forget)

    def restore(self, kept: Sequence[str]) -> None:
        """Put silences in force again that Redis has lost; `kept` is how they lay there. What has ended, or is there, stays as it is."""
        seconds, _ = self._client.time()
        for silence in map(Silence.model_validate_json, kept):
            ends = silence.ends_at.timestamp()
            if ends > seconds and not self._client.hexists(self._keys.rules, silence.id):
                self.write(silence)

    def _read(self) -> tuple[str, list[Silence]]:
        pipe = self._client.pipeline(transaction=True)
        pipe.get(self._keys.rules_version)
        pipe.hvals(self._keys.rules)
        version, kept = pipe.execute()
        return version or "0", [Silence.model_validate_json(text) for text in kept]
