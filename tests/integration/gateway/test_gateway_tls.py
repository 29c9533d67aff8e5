"""The gateway with a certificate of its own."""

import socket
import ssl
import time
from pathlib import Path

import httpx
import pytest

from config.errors import ConfigError
from config.settings import load
from deploy.local.embedded import Server
from deploy.local.plan import make_plan
from tests.integration.gateway_kit import TRIGGER, running_gateway
from tests.tls import Authority, Issued
from workers.gateway.tls import Certificate


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def issued(authority: Authority) -> Issued:
    return authority.issue("127.0.0.1", "localhost")


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.file))


def serial(url: str, trust: ssl.SSLContext) -> str:
    """The serial number of the certificate that a new connection is shown."""
    host, port = url.removeprefix("https://").split(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as bare,
        trust.wrap_socket(bare, server_hostname=host) as connection,
    ):
        shown = connection.getpeercert()
    assert shown is not None
    return str(shown["serialNumber"])


def test_with_a_certificate_the_gateway_speaks_https_and_says_so(
    server: Server, tmp_path: Path, issued: Issued, trust: ssl.SSLContext
) -> None:
    with running_gateway(server, tmp_path, tls_cert_file=str(issued.cert), tls_key_file=str(issued.key)) as gateway:
        assert gateway.url.startswith("https://127.0.0.1:")

        assert httpx.post(gateway.url + "/v2/enqueue", json=TRIGGER, verify=trust).status_code == 202
        assert gateway.stop() == 0
        assert gateway.log.read_text() == ""


def test_plain_http_and_broken_handshakes_harm_nobody(
    server: Server, tmp_path: Path, issued: Issued, trust: ssl.SSLContext
) -> None:
    with running_gateway(server, tmp_path, tls_cert_file=str(issued.cert), tls_key_file=str(issued.key)) as gateway:
        for rubbish in (b"POST /v2/enqueue HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05rubbi", b""):
            with gateway.connect() as connection:
                connection.sendall(rubbish)
        with pytest.raises(httpx.ConnectError):
            httpx.get(gateway.url + "/livez")  # does not trust the certificate

        assert httpx.post(gateway.url + "/v2/enqueue", json=TRIGGER, verify=trust).status_code == 202
        assert "Traceback" not in gateway.log.read_text()


def test_a_renewed_certificate_is_taken_up_by_itself(
    server: Server, tmp_path: Path, authority: Authority, issued: Issued, trust: ssl.SSLContext
) -> None:
    with running_gateway(server, tmp_path, tls_cert_file=str(issued.cert), tls_key_file=str(issued.key)) as gateway:
        before = serial(gateway.url, trust)
        authority.issue("127.0.0.1")
        end = time.monotonic() + 15
        while serial(gateway.url, trust) == before and time.monotonic() < end:
            time.sleep(0.2)

        assert serial(gateway.url, trust) != before


def test_a_certificate_that_is_half_renewed_is_not_used_until_its_key_is_there(
    authority: Authority, issued: Issued
) -> None:
    certificate = Certificate(issued.cert, issued.key)
    new = authority.issue("127.0.0.1", name="new")

    issued.cert.write_bytes(new.cert.read_bytes())
    assert not certificate.renew()
    issued.key.write_bytes(new.key.read_bytes())
    assert certificate.renew()
    assert not certificate.renew()

    issued.key.unlink()
    assert not certificate.renew()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("missing", "No such file"),
        ("other", "the key is not the certificate's"),
        ("locked", "has a password"),
        ("rubbish", "no PEM file"),
    ],
)
def test_a_certificate_that_cannot_be_served_with_is_an_error_that_says_why(
    authority: Authority, issued: Issued, fault: str, told: str
) -> None:
    match fault:
        case "missing":
            issued.key.unlink()
        case "other":
            issued.key.write_bytes(authority.issue("x", name="other").key.read_bytes())
        case "locked":
            authority.issue("127.0.0.1", password=b"sesame")
        case _:
            issued.key.write_text("rubbish")

    with pytest.raises(ConfigError, match=told) as refusal:
        Certificate(issued.cert, issued.key)
    assert "mend: gateway.tls_cert_file takes" in str(refusal.value)


def test_a_certificate_without_its_key_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gateway\.tls_key_file is not set; mend: set gateway\.tls_key_file"):
        load(environ={"TOCSIN_STATE_DIR": str(tmp_path), "TOCSIN_GATEWAY__TLS_CERT_FILE": "/etc/tls.pem"})


def test_up_tells_the_https_address(tmp_path: Path, issued: Issued) -> None:
    settings = load(
        environ={
            "TOCSIN_STATE_DIR": str(tmp_path),
            "TOCSIN_GATEWAY__TLS_CERT_FILE": str(issued.cert),
            "TOCSIN_GATEWAY__TLS_KEY_FILE": str(issued.key),
        }
    )

    assert make_plan(settings, "redis://127.0.0.1:6379/0", use_sandbox=False).gateway_url.startswith("https://")
