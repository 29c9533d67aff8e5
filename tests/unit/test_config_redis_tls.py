"""TLS to the server: certificates from the settings, in the address that every library reads."""

from pathlib import Path

import pytest

from config.values import mask_redis_url
from tests.unit.config_kit import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    for name in ("ca.pem", "own.pem", "own.key"):
        made.write(name, "PEM")
    return made


def test_certificates_go_into_the_address(folder: Folder) -> None:
    files = {"tls_ca_file": "ca.pem", "tls_cert_file": "own.pem", "tls_key_file": "own.key"}
    environ = {f"TOCSIN_REDIS__{name.upper()}": str(folder.path / file) for name, file in files.items()}

    settings = folder.load({"REDIS_URL": "rediss://user:pw%23@h:6380/2", **environ})

    at = folder.path
    expected = (
        f"rediss://user:pw%23@h:6380/2?ssl_cert_reqs=required&ssl_ca_certs={at}/ca.pem"
        f"&ssl_certfile={at}/own.pem&ssl_keyfile={at}/own.key"
    )
    assert settings.redis.url.get_secret_value() == expected
    assert settings.cache.redis_url.get_secret_value() == expected
    assert mask_redis_url(expected) == "rediss://********@h:6380/2"


def test_a_certificate_is_demanded_of_the_server_by_default(folder: Folder) -> None:
    assert (
        folder.load({"REDIS_URL": "rediss://h/0"}).redis.url.get_secret_value() == "rediss://h/0?ssl_cert_reqs=required"
    )


def test_what_the_address_says_itself_stays(folder: Folder) -> None:
    environ = {
        "REDIS_URL": "rediss://h/0?ssl_ca_certs=/mine.pem",
        "TOCSIN_REDIS__TLS_CA_FILE": str(folder.path / "ca.pem"),
    }

    assert "ssl_ca_certs=/mine.pem" in folder.load(environ).redis.url.get_secret_value()


@pytest.mark.parametrize(
    ("environ", "what"),
    [
        ({"TOCSIN_REDIS__TLS_CA_FILE": "ca.pem"}, "certificates are set, but redis.url does not speak TLS"),
        ({"TOCSIN_REDIS__TLS_CERT_FILE": "own.pem"}, "a certificate and its key go together, but redis.tls_key_file"),
        ({"TOCSIN_REDIS__TLS_CA_FILE": "gone.pem"}, "redis.tls_ca_file: cannot be read: No such file"),
    ],
)
def test_what_does_not_go_together_is_told(folder: Folder, environ: dict[str, str], what: str) -> None:
    assert what in folder.problem({name: str(folder.path / file) for name, file in environ.items()})
