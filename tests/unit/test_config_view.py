"""How the settings are shown: every value with its source, no secret."""

from pathlib import Path

from config.view import view
from tests.unit.config_kit import ENCRYPTION_KEY, INGEST, KEY, Folder

SECRET = "geheimgeheim"


def test_every_value_is_shown_with_its_source(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", "\nredis:\n  socket_timeout: 90\n")
    folder.write(
        "services/default.yaml", "ingest_keys: ['${K:-" + INGEST + "}']\nchannels: [{name: a, routing_key: '${R}'}]"
    )

    rows = {row.key: str(row).replace(f"{tmp_path}/", "") for row in view(folder.read({"R": KEY, "LOG_LEVEL": "warn"}))}

    assert rows["redis.socket_timeout"] == "redis.socket_timeout = 90s   (source: pagerduty.yaml:3)"
    assert rows["log_level"] == "log_level = WARNING   (source: environment LOG_LEVEL)"
    assert rows["gateway.port"] == "gateway.port = 8080   (source: default)"
    assert rows["cache.redis_url"] == "cache.redis_url = redis://127.0.0.1:6379/0   (source: redis.url)"
    assert rows["security.jwt_secret"] == "security.jwt_secret = (not set)   (source: default)"
    assert rows["services.default.channels[0].routing_key"].endswith(
        "= ********   (source: services/default.yaml:2, ${R})"
    )
    assert rows["services.default.ingest_keys[0]"].endswith("= ********   (source: services/default.yaml:1)")


def test_no_secret_is_ever_shown(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    environ = {
        "PAGERDUTY_API_KEY": SECRET,
        "PAGERDUTY_WEBHOOK_SECRET": SECRET,
        "JWT_SECRET": SECRET,
        "ENCRYPTION_KEY": ENCRYPTION_KEY,
        "REDIS_URL": f"redis://{SECRET}:{SECRET}@h:1/0?password={SECRET}",
        "TOCSIN_FLOWER__PASSWORD": SECRET,
    }

    shown = "\n".join(str(row) for row in view(folder.read(environ)))

    assert "redis.url = redis://********@h:1/0   (source: environment REDIS_URL)" in shown
    assert "flower.password = ********   (source: environment TOCSIN_FLOWER__PASSWORD)" in shown
    assert not any(secret in shown for secret in (SECRET, ENCRYPTION_KEY, KEY))
