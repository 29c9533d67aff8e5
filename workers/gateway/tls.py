"""The gateway's certificate: read once at the start, and again when its files are renewed."""

import logging
import ssl
from pathlib import Path

from config.errors import ConfigError, Problem

log = logging.getLogger(__name__)
MEND = (
    "gateway.tls_cert_file takes the certificate followed by those it rests on, gateway.tls_key_file its own key "
    "without a password, both PEM"
)


class Certificate:
    """A certificate and its key, ready to serve with; ConfigError, with the way to mend it, if they are not."""

    def __init__(self, cert_file: Path, key_file: Path) -> None:
        self._cert_file = cert_file
        self._key_file = key_file
        self._seen = self._stamp()
        self._load(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._load(self.context)

    def renew(self) -> bool:
        """Take up the files if they have changed; whether they were. What cannot be used yet is tried again when it changes.

        Connections that stand keep the certificate they began with.
        """
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return False
            self._seen = stamp
            # On trial first: a context that has taken a certificate and not its key would serve nobody.
            self._load(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
            self._load(self.context)
        except ConfigError as error:
            log.warning("the renewed certificate is not used yet: %s", error.problems[0])
            return False
        return True

    def _stamp(self) -> tuple[int, ...]:
        try:
            stats = [file.stat() for file in (self._cert_file, self._key_file)]
        except OSError as error:
            raise _unfit(f"{error.filename}: {error.strerror}") from None
        return tuple(number for stat in stats for number in (stat.st_mtime_ns, stat.st_ino, stat.st_size))

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            # A key with a password would otherwise make OpenSSL ask for it on the terminal.
            context.load_cert_chain(self._cert_file, self._key_file, password="")
        except OSError as error:  # ssl.SSLError is one
            raise _unfit(f"{self._cert_file} and {self._key_file}: {_why(error)}") from None


def _unfit(what: str) -> ConfigError:
    return ConfigError([Problem("", "gateway.tls_cert_file, gateway.tls_key_file", what, MEND)])


def _why(error: OSError) -> str:
    if not isinstance(error, ssl.SSLError):
        return str(error.strerror)
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key is not the certificate's"
    return "one is no PEM file, or the key has a password"
