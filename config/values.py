"""The kinds of value a setting can have, each with a message that says how to write it."""

import re
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from config.errors import UnfitError

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PARTS = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*")
_DURATION_MEND = "write seconds (30) or a number with its unit: 250ms, 30s, 5m, 2h, 7d"
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_MAILBOX = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*")
LONGEST_MAILBOX = 254
REDIS_SCHEMES = ("redis", "rediss", "unix", "redis+unix", "redis+socket")
_SOCKET_SCHEMES = ("unix", "redis+unix", "redis+socket")
_REDIS_MEND = "write redis://host:6379/0, rediss://… for TLS, or unix:///path/to/redis.sock"
_ONE_LINER = 'python3 -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
ENCRYPTION_KEY_MEND = f"make one with `tocsin config keygen` or `{_ONE_LINER}`"


def parse_duration(raw: object) -> timedelta:
    """A length of time from seconds (a number or its text) or from text with units, such as `1h30m`."""
    if isinstance(raw, timedelta):
        return raw
    text = str(raw).strip().lower()
    try:
        return timedelta(seconds=_seconds(text))
    except (ValueError, OverflowError):
        raise UnfitError("is not a length of time", _DURATION_MEND) from None


def _seconds(text: str) -> float:
    parts = _PARTS.findall(text)
    if parts and not _PARTS.sub("", text):
        return sum(float(number) * UNITS[unit] for number, unit in parts)
    return float(text)


def format_duration(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads as the same length of time."""
    seconds = value.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds and seconds % UNITS[unit] == 0:
            return f"{seconds / UNITS[unit]:.0f}{unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"


def _check_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not re.fullmatch(r"[A-Za-z0-9]{32}", text):
        kind = "" if text.isalnum() and text.isascii() else ", some of them neither letters nor digits"
        raise UnfitError(
            f"must be exactly 32 letters and digits, has {len(text)} characters{kind}",
            "copy the whole key, without quotes or spaces",
        )
    return value


def _check_redis_url(value: SecretStr) -> SecretStr:
    parts = _split(value.get_secret_value(), _REDIS_MEND)
    if parts.scheme not in REDIS_SCHEMES:
        raise UnfitError("is not a Redis URL: " + _scheme_at_fault(parts), _REDIS_MEND)
    if parts.scheme in _SOCKET_SCHEMES:
        if not parts.path.strip("/"):
            raise UnfitError("names no socket file", _REDIS_MEND)
    elif not parts.hostname:
        raise UnfitError("names no host", _REDIS_MEND)
    elif not re.fullmatch(r"(/\d*)?", parts.path):
        raise UnfitError("must end in a database number, such as /0", _REDIS_MEND)
    return value


def _split(text: str, mend: str) -> SplitResult:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise UnfitError("is not a URL", f"{mend}; write special characters of a password as %XX") from None
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise UnfitError("has no valid port: a number from 1 to 65535 is expected after the host", mend)
    return parts


def _scheme_at_fault(parts: SplitResult) -> str:
    # Without "//" what stands before the colon may be a user name or part of a password: not repeated.
    return f"the scheme {parts.scheme!r} is unknown" if parts.netloc and parts.scheme else "it has no scheme"


def mask_redis_url(url: str) -> str:
    """Where the server is, with user, password and query left out: fit for logs and messages."""
    parts = urlsplit(url)
    secret = "********@" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{secret}{parts.netloc.rpartition('@')[2]}{parts.path}"


def _check_http_url(text: str) -> str:
    mend = "write https://host or http://host:port"
    parts = _split(text, mend)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnfitError("is not an http(s) URL", mend)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UnfitError("must hold no user name, password, query or fragment", mend)
    return text.rstrip("/")


def _check_secret_url(value: SecretStr) -> SecretStr:
    # What stands in it is a secret: no part of it is repeated.
    mend = "copy the whole address, https://host/…, as the other side shows it"
    text = value.get_secret_value()
    if not _VISIBLE.fullmatch(text):
        raise UnfitError("holds blanks or characters that stand in no URL", mend)
    parts = _split(text, mend)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not (":" in host or _HOST.fullmatch(host)):
        raise UnfitError("is not an http(s) URL", mend)
    if "@" in parts.netloc or parts.fragment:
        raise UnfitError("must hold no user name, password or fragment", mend)
    return value


def _check_email_address(text: str) -> str:
    if not _MAILBOX.fullmatch(text) or "=?" in text or len(text) > LONGEST_MAILBOX:
        mend = "write it plainly, such as ops@example.com: no name, no <>, a domain with letters beyond a-z as xn--…"
        raise UnfitError("is not an e-mail address", mend)
    return text


def _check_events_url(text: str) -> str:
    # The path is Tocsin's to add; users paste the whole address from the documentation.
    return _check_http_url(text).removesuffix("/v2/enqueue")


def _check_encryption_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().translate(str.maketrans("+/", "-_"))
    try:
        size = len(urlsafe_b64decode(text)) if re.fullmatch(r"[\w-]+={0,2}", text, re.ASCII) else 0
    except (Base64Error, ValueError):
        size = 0
    if size != 32 or len(text) != 44:
        raise UnfitError("must be 32 bytes as base64: 44 characters, the last one '='", ENCRYPTION_KEY_MEND)
    return SecretStr(text)


def _check_role_key(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[a-z-]+:[A-Za-z0-9_-]{43}=", value.get_secret_value()):
        raise UnfitError("is no key of a role", "make one with `tocsin config task-key ROLE`, and copy all of it")
    return value


def _check_readable(file: Path) -> Path:
    try:
        with file.open("rb"):
            return file
    except OSError as error:
        reason = error.strerror or "it is no file"
        raise UnfitError(f"cannot be read: {reason}", "correct the path, or let this user read the file") from None


def in_parts(texts: object) -> object:
    """A list as an environment variable or a secret file can hold it: its entries parted by blanks or line ends."""
    return texts.split() if isinstance(texts, str) else texts


Duration = Annotated[timedelta, BeforeValidator(parse_duration), Field(ge=timedelta(0))]
PositiveDuration = Annotated[timedelta, BeforeValidator(parse_duration), Field(gt=timedelta(0))]
Count = Annotated[int, Field(ge=1)]
Quota = Annotated[int, Field(ge=0)]
PagerDutyId = Annotated[str, Field(pattern=r"^[A-Z0-9]+$")]
Port = Annotated[int, Field(ge=0, le=65535)]
Name = Annotated[str, Field(pattern=f"^{NAME_PATTERN}$")]
Key32 = Annotated[SecretStr, AfterValidator(_check_key)]
RedisUrl = Annotated[SecretStr, AfterValidator(_check_redis_url)]
HttpUrl = Annotated[str, AfterValidator(_check_http_url)]
EventsUrl = Annotated[str, AfterValidator(_check_events_url)]
SecretUrl = Annotated[SecretStr, AfterValidator(_check_secret_url)]
EmailAddress = Annotated[str, AfterValidator(_check_email_address)]
EncryptionKey = Annotated[SecretStr, AfterValidator(_check_encryption_key)]
Texts = Annotated[tuple[str, ...], BeforeValidator(in_parts)]
SecretTexts = Annotated[tuple[SecretStr, ...], BeforeValidator(in_parts)]
EncryptionKeys = Annotated[tuple[EncryptionKey, ...], BeforeValidator(in_parts)]
ReadableFile = Annotated[Path, AfterValidator(_check_readable)]
RoleKeyText = Annotated[SecretStr, AfterValidator(_check_role_key)]
