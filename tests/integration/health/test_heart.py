"""A process's heart, on a real server."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from structlog.testing import capture_logs

from config.settings import load
from tasks.utils.heartbeat_file import beats
from tasks.utils.keys import Keys
from tasks.utils.presence import Presence
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


def test_a_process_of_production_marks_its_redis_again_after_a_flush_and_no_other_does(
    server: "Server", client: Any, keys: Keys, tmp_path: Path
) -> None:
    def beat(environment: str) -> None:
        given = load(environ={"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)})
        heart = Heart(given.model_copy(update={"environment": environment}), "beat")
        assert heart._show(is_in_time=True)
        heart.stop()

    beat("staging")
    assert not client.exists(keys.guarded)
    for _ in range(2):
        beat("production")
        assert client.get(keys.guarded) == "production"
        client.flushall()


def test_a_process_of_another_environment_says_that_the_redis_is_a_productions_and_how_to_mend_it(
    server: "Server", client: Any, keys: Keys, tmp_path: Path
) -> None:
    client.set(keys.guarded, "production")
    heart = Heart(load(environ={"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)}), "beat")

    with capture_logs() as logs:
        for _ in range(2):
            heart._show(is_in_time=True)

    heart.stop()
    (said,) = logs
    assert said["environment"] == "development"
    assert f"redis-cli DEL {keys.guarded}" in said["meaning"]


def test_a_sign_of_life_that_cannot_be_read_hides_no_other_and_ends_no_heart(
    server: "Server", client: Any, keys: Keys, tmp_path: Path
) -> None:
    client.hset(keys.presence, mapping={"worker-of-tomorrow": '{"role": 7}', "nonsense": "{"})
    heart = Heart(load(environ={"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)}), "beat")

    assert heart._show(is_in_time=True)

    assert [one.sign.role for one in Presence(client, keys).all()] == ["beat"]
    heart.stop()
