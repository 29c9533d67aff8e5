"""A certificate authority of a test's own, and certificates of hosts made out by it."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Callable
    from pathlib import Path

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """The files of one certificate and its key."""

    cert: Path
    key: Path


class Authority:
    """Makes out certificates; whoever trusts `file` trusts them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of a test")])
        self.file = folder / "ca.pem"
        own = self._builder(self._name, self._key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.file.write_bytes(self._signed(own))

    def issue(self, *hosts: str, name: str = "server", password: bytes | None = None, lasts: timedelta = DAY) -> Issued:
        """A certificate for these host names and addresses, as two files called after `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        builder = self._builder(subject, key.public_key(), lasts)
        names = [_host(host) for host in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password:
            lock = serialization.BestAvailableEncryption(password)
        issued = Issued(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        issued.cert.write_bytes(self._signed(builder) + self.file.read_bytes())
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        issued.key.write_bytes(key.private_bytes(pem, pkcs8, lock))
        return issued

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta = DAY
    ) -> x509.CertificateBuilder:
        now, serial = datetime.now(UTC), x509.random_serial_number()
        builder = x509.CertificateBuilder(self._name, subject, key, serial, now - DAY, now + lasts)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return builder.add_extension(identifier, critical=False).add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key), critical=False
        )

    def _signed(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def client_trust(authority: Authority) -> ssl.SSLContext:
    """What a client trusts that knows this authority only."""
    return ssl.create_default_context(cafile=authority.file)


def serve_tls(issued: Issued, behave: Callable[[socket.socket, threading.Event], None]) -> Callable[..., None]:
    """The same behaviour of a server, behind TLS with this certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(issued.cert, issued.key)

    def encrypted(connection: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            behave(inside, over)

    return encrypted


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
