"""Whether a document comes from whom it says: by a shared secret, or by Amazon's certificate."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import load_pem_x509_certificate

from config.mappings import Signature
from tasks.utils.error_handler import PermanentError

MOST_SIGNATURES: Final = 20  # of one webhook; more are not looked at
SUBSCRIPTION: Final = "SubscriptionConfirmation"
_AMAZON: Final = re.compile(r"sns\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")
_SIGNED_OF_NOTIFICATION: Final = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED_OF_SUBSCRIPTION: Final = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_HASHES: Final[Mapping[str, SHA1 | SHA256]] = {
    "1": SHA1(),  # noqa: S303 (Amazon's choice; a topic's SignatureVersion can be set to 2)
    "2": SHA256(),
}


class ForgedError(PermanentError):
    """A document that does not come from whom it says, as far as can be told."""


def check_signature(signature: Signature | None, headers: Mapping[str, str], body: bytes) -> None:
    """Return if the header holds the HMAC of the body, or no secret is set; ForgedError if not. `headers` in small letters."""
    if signature is None or signature.secret is None:
        return
    name = signature.header
    given = headers.get(name.lower())
    if given is None:
        raise ForgedError(
            f"the header {name} is missing; let the sender sign its documents, or set no secret in the mapping"
        )
    right = hmac.new(signature.secret.get_secret_value().encode(), body, signature.algorithm).hexdigest()
    if not hmac.compare_digest((signature.prefix + right).encode(), given.strip().encode("utf-8", "replace")):
        raise ForgedError(
            f"the signature in {name} is not right; give the mapping the secret that the sender signs with"
        )


def sns_message(document: object) -> dict[str, Any]:
    """The document, if it has what every message of SNS has; ForgedError if not."""
    if not isinstance(document, dict) or not all(isinstance(document.get(key), str) for key in ("Type", "TopicArn")):
        raise ForgedError("this is no message of Amazon SNS: Type or TopicArn is missing; switch raw delivery off")
    return document


def confirmation_url(message: Mapping[str, Any]) -> str:
    """The address that confirms a subscription, put together anew; ForgedError unless it is Amazon's own, for this topic.

    A foreign document names the address, so nothing in it is trusted to be one: host, action, topic and token are
    each held to what they must be.
    """
    host, query = _amazon_host(message.get("SubscribeURL"), "SubscribeURL")
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    topic, token = message["TopicArn"], message.get("Token")
    region = topic.split(":")[3] if topic.count(":") == 5 else ""
    if asked.get("Action") != "ConfirmSubscription" or asked.get("TopicArn") != topic or asked.get("Token") != token:
        raise ForgedError("SubscribeURL does not confirm the subscription of the message's own TopicArn and Token")
    if _AMAZON.fullmatch(host).group(1) != region:  # type: ignore[union-attr]  # it was matched above
        raise ForgedError("SubscribeURL leads to another region than TopicArn names")
    return f"https://{host}/?{urlencode({'Action': 'ConfirmSubscription', 'TopicArn': topic, 'Token': token})}"


def certificate_url(message: Mapping[str, Any]) -> str:
    """Where the certificate is that a message names; ForgedError unless it is at Amazon's own address."""
    named = message.get("SigningCertURL")
    host, _ = _amazon_host(named, "SigningCertURL")
    path = urlsplit(str(named)).path
    if not path.endswith(".pem"):
        raise ForgedError("SigningCertURL names no certificate (.pem)")
    return f"https://{host}{path}"


def certificate_key(certificate: bytes) -> RSAPublicKey:
    """The key in a certificate (PEM); ValueError if there is none."""
    key = load_pem_x509_certificate(certificate).public_key()
    if not isinstance(key, RSAPublicKey):
        raise ValueError("the certificate holds no RSA key")  # noqa: TRY004 (what the parser raises, too)
    return key


def check_sns_signature(message: Mapping[str, Any], key: RSAPublicKey) -> None:
    """Return if the message is signed with the key; ForgedError if not."""
    version = message.get("SignatureVersion")
    algorithm = _HASHES.get(version) if isinstance(version, str) else None
    if algorithm is None:
        raise ForgedError("SignatureVersion is unknown; known: 1 and 2")
    try:
        signature = base64.b64decode(str(message.get("Signature")), validate=True)
        key.verify(signature, _signed_text(message).encode("utf-8", "replace"), PKCS1v15(), algorithm)
    except (InvalidSignature, binascii.Error, ValueError):
        raise ForgedError("the message is not signed by Amazon SNS") from None


def _signed_text(message: Mapping[str, Any]) -> str:
    fields = _SIGNED_OF_NOTIFICATION if message["Type"] == "Notification" else _SIGNED_OF_SUBSCRIPTION
    return "".join(f"{name}\n{message[name]}\n" for name in fields if message.get(name) is not None)


def _amazon_host(url: object, name: str) -> tuple[str, str]:
    """Host and query of an https address of SNS; ForgedError for any other."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        port = parts.port
    except ValueError:
        raise ForgedError(f"{name} is no address") from None
    host = parts.netloc.removesuffix(":443")
    if parts.scheme != "https" or port not in (None, 443) or not _AMAZON.fullmatch(host):
        raise ForgedError(f"{name} is not at Amazon SNS: only https://sns.REGION.amazonaws.com is called")
    return host, parts.query


def check_pagerduty_signature(secrets: Sequence[str], given: str | None, body: bytes) -> int:
    """Which of the secrets signed the body; ForgedError if none did. `given`: `v1=<hex>`, several of them parted by commas.

    Takes the same time whichever fits, and whether any does.
    """
    if not given:
        raise ForgedError("the header X-PagerDuty-Signature is missing; only webhooks that PagerDuty signs are taken")
    offered = [part.strip().partition("=")[2].encode() for part in given.split(",") if part.strip().startswith("v1=")]
    offered = offered[:MOST_SIGNATURES]
    found = -1
    for place, secret in enumerate(secrets):
        right = hmac.new(secret.encode(), body, "sha256").hexdigest().encode()
        if any([hmac.compare_digest(right, one) for one in offered]) and found < 0:  # noqa: C419 - all are compared
            found = place
    if found < 0:
        raise ForgedError(
            "no signature in X-PagerDuty-Signature is right; set PAGERDUTY_WEBHOOK_SECRET to the subscription's secret"
        )
    return found
