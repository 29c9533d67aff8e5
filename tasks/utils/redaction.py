"""What looks like a secret, and what is shown in its place."""

import re
from typing import Final

MASK: Final = "********"
SECRET_NAMES: Final = re.compile(
    r"(routing_key|ingest_key|api_key|token|secret|password|authorization)$", re.IGNORECASE
)
# Passwords of addresses, what stands behind the name of an authorization scheme, JWTs, whatever has the shape of a PagerDuty key.
_SECRET_VALUES: Final = re.compile(
    r"(?<=://)[^/@\s]*:[^/@\s]*(?=@)"
    r"|(?:(?<=(?i:bearer) )|(?<=(?i:basic) )|(?<=(?i:token)=))(?=\S*\d)[\w.~+/=-]{12,}"
    r"|(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*"
    r"|(?<![0-9A-Za-z])[0-9A-Za-z]{32}(?![0-9A-Za-z])"
)


def redacted(text: str) -> str:
    """`text` with everything in it masked that has the shape of a secret."""
    return _SECRET_VALUES.sub(MASK, text)
