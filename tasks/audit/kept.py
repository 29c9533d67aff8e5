"""The last scheduled proofs, kept in Redis: health and Tocsin's own alerts look there instead of proving anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.audit.models import KeptProof

if TYPE_CHECKING:
    from tasks.audit.models import ProofReport
    from tasks.utils.keys import Keys

MOST_NAMED: Final = 20


class KeptProofs:
    """The hash `ledger:proof`: name of a proof -> what the last one found, as JSON."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def keep(self, name: str, report: ProofReport) -> None:
        """Note what a proof has found, in place of the one before it."""
        known = report.model_dump(include=set(KeptProof.model_fields) - {"name", "broken"})
        kept = KeptProof(name=name, broken=report.broken[:MOST_NAMED], **known)
        self._client.hset(self._keys.proof, name, kept.model_dump_json())

    def all(self) -> dict[str, KeptProof]:
        """The last proof of each name; none before the first has run."""
        found: dict[str, str] = self._client.hgetall(self._keys.proof)
        return {name: KeptProof.model_validate_json(kept) for name, kept in found.items()}
