import hashlib
import hmac

import pytest
from pydantic import SecretStr

from config.mappings import Signature
from tasks.utils.webhook_signatures import (
    ForgedError,
    certificate_key,
    certificate_url,
    check_signature,
    check_sns_signature,
    confirmation_url,
    sns_message,
)
from tests.sns import CERTIFICATE, SUBSCRIPTION, TOPIC, signed

BODY = b'{"action": "triggered"}'
SENTRY = Signature(header="Sentry-Hook-Signature", secret=SecretStr("s3cret"))
GITHUB = Signature(header="X-Hub-Signature-256", secret=SecretStr("s3cret"), prefix="sha256=")


def digest(algorithm: str = "sha256") -> str:
    return hmac.new(b"s3cret", BODY, algorithm).hexdigest()


@pytest.mark.parametrize(
    ("signature", "given"),
    [
        (SENTRY, digest()),
        (GITHUB, "sha256=" + digest()),
        (SENTRY.model_copy(update={"algorithm": "sha512"}), digest("sha512")),
    ],
)
def test_a_right_signature_is_taken(signature: Signature, given: str) -> None:
    check_signature(signature, {signature.header.lower(): given}, BODY)


@pytest.mark.parametrize(
    ("signature", "given"),
    [
        (SENTRY, ""),
        (SENTRY, digest()[:-1]),
        (SENTRY, digest().upper()),
        (SENTRY, hashlib.sha256(BODY).hexdigest()),
        (SENTRY, "é" * 64),
        (GITHUB, digest()),
    ],
)
def test_a_wrong_signature_is_refused_and_the_right_one_not_told(signature: Signature, given: str) -> None:
    with pytest.raises(ForgedError) as caught:
        check_signature(signature, {signature.header.lower(): given}, BODY)

    assert digest() not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_missing_signature_is_refused_only_where_a_secret_is_set() -> None:
    with pytest.raises(ForgedError, match="the header Sentry-Hook-Signature is missing"):
        check_signature(SENTRY, {}, BODY)
    check_signature(Signature(header="Sentry-Hook-Signature"), {}, BODY)
    check_signature(None, {}, BODY)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", ["Notification", "SubscriptionConfirmation"])
def test_a_message_that_amazon_signed_is_taken_and_one_that_was_changed_is_not(version: str, kind: str) -> None:
    message = signed(SUBSCRIPTION | {"Type": kind, "Subject": "s"}, version)
    key = certificate_key(CERTIFICATE)

    check_sns_signature(message, key)
    for changed in ({"Message": "another"}, {"TopicArn": "another"}, {"Signature": "AAAA"}, {"Signature": "é"}):
        with pytest.raises(ForgedError):
            check_sns_signature(message | changed, key)


@pytest.mark.parametrize("version", ["3", "", None, [], 2])
def test_an_unknown_kind_of_signature_is_refused(version: object) -> None:
    with pytest.raises(ForgedError, match="SignatureVersion is unknown"):
        check_sns_signature(signed(SUBSCRIPTION) | {"SignatureVersion": version}, certificate_key(CERTIFICATE))


def test_a_subscription_is_confirmed_at_an_address_put_together_anew() -> None:
    added = SUBSCRIPTION["SubscribeURL"] + "&Extra=1#there"

    assert confirmation_url(SUBSCRIPTION | {"SubscribeURL": added}) == (
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
        "&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Apages&Token=t0ken"
    )


@pytest.mark.parametrize(
    "address",
    [
        "http://sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "https://sns.eu-west-1.amazonaws.com@evil.example/",
        "https://evil.example/sns.eu-west-1.amazonaws.com/",
        "https://evil.example#sns.eu-west-1.amazonaws.com/",
        "https://user:pw@sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com:8443/",
        "https://sns.eu-west-1.amazonaws.com:http/",
        "https://sns..amazonaws.com/",
        "https://s3.eu-west-1.amazonaws.com/",
        "https://sns.a.b.amazonaws.com/",
        "https://SNS.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com\\@evil.example/",
        "https://sns.eu-west-1.amazonaws.com\n.evil.example/",
        "https://sns.us-east-1.amazonaws.com/",
        "https://[::1]/",
        "https://[/",
        "https://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "",
        None,
        5,
    ],
)
def test_no_address_but_amazons_own_in_the_topics_region_is_ever_called(address: object) -> None:
    query = "?" + SUBSCRIPTION["SubscribeURL"].partition("?")[2]
    named = address + query if isinstance(address, str) else address

    with pytest.raises(ForgedError):
        confirmation_url(SUBSCRIPTION | {"SubscribeURL": named})
    if "us-east-1" not in str(address):
        pem = address + "a.pem" if isinstance(address, str) else address
        with pytest.raises(ForgedError):
            certificate_url({"SigningCertURL": pem})


@pytest.mark.parametrize(
    "changes",
    [
        {"TopicArn": TOPIC + "-2"},
        {"TopicArn": "nonsense"},
        {"Token": "another"},
        {"Token": None},
        {"SubscribeURL": SUBSCRIPTION["SubscribeURL"].replace("ConfirmSubscription", "DeleteTopic")},
        {"SubscribeURL": "https://sns.eu-west-1.amazonaws.com/"},
    ],
)
def test_only_the_subscription_of_the_messages_own_topic_is_confirmed(changes: dict[str, object]) -> None:
    with pytest.raises(ForgedError):
        confirmation_url(SUBSCRIPTION | changes)


def test_china_has_hosts_of_its_own() -> None:
    named = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem?x=1"

    assert certificate_url({"SigningCertURL": named}) == named.partition("?")[0]


@pytest.mark.parametrize("document", [None, [], "x", {}, {"Type": "Notification"}, {"Type": 1, "TopicArn": "x"}])
def test_what_is_no_message_of_sns_is_told_so(document: object) -> None:
    with pytest.raises(ForgedError, match="this is no message of Amazon SNS"):
        sns_message(document)
