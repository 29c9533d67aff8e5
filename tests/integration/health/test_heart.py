"""A process's heart, on a real server."""

from pathlib import Path
from typing import TYPE_CHECKING

from config.settings import load
from tasks.utils.heartbeat_file import beats
from workers.heart import Heart

if TYPE_CHECKING:
    from deploy.local.embedded import Server


def test_a_heart_that_is_told_to_end_before_it_beats_ends_and_never_begins(server: "Server", tmp_path: Path) -> None:
    """Beat's signal handler interrupts it wherever it is, also while the heart begins."""
    heart = Heart(load(environ={"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)}), "beat")

    heart.stop()
    heart.stop()

    assert not heart._thread.is_alive()
    assert beats(str(tmp_path)) == []
