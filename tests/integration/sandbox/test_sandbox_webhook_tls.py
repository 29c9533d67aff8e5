"""Webhooks over TLS: what a receiver's certificate must be."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.integration.sandbox.kit import SandboxProcess
from tests.integration.sandbox.receiver import Receiver
from tests.integration.sandbox.webhook_kit import ended, happen, subscribe, tried
from tests.tls import Authority, Issued

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def trusting(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxProcess]:
    """A sandbox that trusts the authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with SandboxProcess() as running:
        yield running


def tell(sandbox: SandboxProcess, certificate: Issued) -> Receiver:
    receiver = Receiver(certificate=certificate)
    subscribe(sandbox, receiver.url)
    return receiver


def test_a_trusted_certificate_is_spoken_to(trusting: SandboxProcess, authority: Authority) -> None:
    with tell(trusting, authority.issue("127.0.0.1")) as receiver:
        happen(trusting)

        assert receiver.types(1) == ["incident.triggered"]


def test_a_certificate_nobody_vouches_for_drops_the_webhook_at_once(trusting: SandboxProcess, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with tell(trusting, Authority(tmp_path / "other").issue("127.0.0.1")):
        happen(trusting)

        (delivery,) = ended(trusting)
    assert (delivery["state"], delivery["reason"]) == ("dropped", "ClientConnectorCertificateError")


def test_an_expired_certificate_is_waited_for(trusting: SandboxProcess, authority: Authority) -> None:
    with tell(trusting, authority.issue("127.0.0.1", lasts=timedelta(hours=-1))):
        happen(trusting)

        assert tried(trusting, 1)["state"] == "pending"
