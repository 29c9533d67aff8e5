"""How long certificates are good for, and how old the files are that hold secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from tasks.utils.health_monitor import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tasks.utils.health_monitor import State


def certificate_lines(files: Mapping[str, Path], within: timedelta, now: datetime) -> Iterator[Line]:
    """For each certificate by name how long it, or what it rests on, is good."""
    for name, path in files.items():
        yield _certificate(f"certificates.{name}", path, within, now)


def key_lines(
    files: Mapping[str, Path], oldest: timedelta, now: datetime, aged: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Line]:
    """For each file with a secret, by the setting it is for, how old it is and who may read it.

    `aged`: settings whose keys have a line of their own that knows their age, which a file does not tell where keys are rotated elsewhere.
    """
    for name, path in sorted(files.items()):
        yield _key(f"keys.{name.lower()}", path, oldest, now, aged.get(name, ""))


def _certificate(name: str, path: Path, within: timedelta, now: datetime) -> Line:
    from cryptography import x509  # noqa: PLC0415 - few processes look at certificates

    limit, renew = (
        f"good for {within.days} days",
        "put a renewed certificate into the file: the gateway takes its own up by itself, others need a restart",
    )
    try:
        ends = [one.not_valid_after_utc for one in x509.load_pem_x509_certificates(path.read_bytes())]
    except OSError as error:
        return Line(
            name, "fail", f"{path} cannot be read: {error.strerror}", limit, "let this process read it, or name another"
        )
    except ValueError:
        return Line(name, "fail", f"{path} holds no certificate", limit, renew)
    left = min(ends) - now
    state: State = "fail" if left <= timedelta(0) else "warn" if left < within else "ok"
    said = f"ended {min(ends):%Y-%m-%d}" if state == "fail" else f"good until {min(ends):%Y-%m-%d}, {left.days} days"
    return Line(name, state, said, limit, "" if state == "ok" else renew)


def _key(name: str, path: Path, oldest: timedelta, now: datetime, aged: str) -> Line:
    limit = "readable by its owner only" if aged else f"{oldest.days} days, readable by its owner only"
    try:
        known = path.stat()
    except OSError as error:
        return Line(name, "fail", f"{path} cannot be looked at: {error.strerror}", limit, "let this process read it")
    age = now - datetime.fromtimestamp(known.st_mtime, UTC)
    if known.st_mode & 0o007:
        return Line(name, "warn", f"everybody on this machine may read {path}", limit, f"`chmod o-rwx {path}`")
    if aged:
        return Line(name, "ok", f"how old the key is, {aged} says", limit)
    mend = "" if age <= oldest else "make a new one and put it in place of the old; `tocsin config keygen` makes keys"
    return Line(name, "warn" if mend else "ok", f"{max(0, age.days)} days old", limit, mend)
