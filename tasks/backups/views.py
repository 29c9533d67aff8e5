"""Backups as answers show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.backups.models import BackupView, PartView

if TYPE_CHECKING:
    from tasks.backups.manifests import Snapshot


def view_of(snapshot: Snapshot) -> BackupView:
    """A snapshot by what its first line says."""
    return BackupView(
        id=snapshot.id,
        created=snapshot.created,
        is_encrypted=snapshot.is_encrypted,
        key_id=snapshot.key_id,
        environment=snapshot.environment,
        host=snapshot.host,
        version=snapshot.version,
        note=snapshot.note,
        parts={name: PartView(items=part.items, bytes=part.bytes) for name, part in snapshot.parts.items()},
        items=snapshot.items,
        bytes=snapshot.bytes,
        added=snapshot.added,
        took_seconds=snapshot.took_seconds,
        wrong=snapshot.wrong,
    )
