"""What production demands on top."""

from collections.abc import Iterator

from config.channels import Channel, PagerDutyChannel, SlackChannel, TeamsChannel
from config.errors import Problem
from config.models import Settings
from config.sections import Security
from config.service_files import ServiceFiles
from config.services import Service
from config.sources import Node
from config.values import ENCRYPTION_KEY_MEND

_SAMPLES = ("sandbox", "ingest")
_PLAIN_HTTP = "plain http is refused in production: keys would travel in the clear"

_NO_REDIS = "is not set, and the embedded server is refused in production: nobody would look after it"
_REDIS_MEND = (
    "name the server: redis://HOST:6379/0, or, if the embedded server is what you want, allow it by name: "
    "TOCSIN_EMBEDDED__ALLOW=true (`tocsin up --allow-embedded`)"
)


def production_problems(settings: Settings, node: Node, files: ServiceFiles) -> Iterator[Problem]:
    """What is good enough elsewhere but not in production."""
    if settings.security.encryption_key is None:
        where = "environment ENCRYPTION_KEY"
        yield Problem(where, "security.encryption_key", "is required in production", ENCRYPTION_KEY_MEND)
    if not settings.redis.is_given and not settings.embedded.allow:
        yield Problem("environment REDIS_URL", "redis.url", _NO_REDIS, _REDIS_MEND)
    yield from _short_jwt_secrets(settings.security, node)
    pagerduty = settings.pagerduty
    urls = {
        "api_url": pagerduty.api_url,
        "events_url": pagerduty.events_url,
        "oauth.token_url": pagerduty.oauth.token_url,
    }
    for name, url in urls.items():
        if url.startswith("http://"):
            where = str(node.nearest(("pagerduty", *name.split("."))).origin)
            yield Problem(where, f"pagerduty.{name}", _PLAIN_HTTP, "write https://…")
    for name, service in files.services.items():
        yield from _unfit_service(service, files.nodes[name])


def _short_jwt_secrets(security: Security, node: Node) -> Iterator[Problem]:
    named = [
        ("jwt_secret", security.jwt_secret),
        *(("jwt_previous_secrets", one) for one in security.jwt_previous_secrets),
    ]
    for name, secret in named:
        if secret is not None and len(secret.get_secret_value()) < 32:
            where = str(node.nearest(("security", name)).origin)
            what = "must have at least 32 characters in production"
            yield Problem(where, f"security.{name}", what, "make one with `tocsin config keygen`")


def _unfit_service(service: Service, node: Node) -> Iterator[Problem]:
    for index, key in enumerate(service.ingest_keys):
        if key.get_secret_value().startswith(_SAMPLES):
            where = str(node.nearest(("ingest_keys", index)).origin)
            what = "is the sample key, which everybody knows"
            mend = "set the variable in this line to 32 random letters and digits (`tocsin config keygen --ingest`)"
            yield Problem(where, f"ingest_keys[{index}]", what, mend)
    for index, channel in enumerate(service.channels):
        for name, what, mend in _unfit(channel):
            where = str(node.nearest(("channels", index, name)).origin)
            yield Problem(where, f"channels[{index}].{name}", what, mend)


def _unfit(channel: Channel) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a channel: the key at fault, what, and how to mend it."""
    address: tuple[str, str | None] = ("", None)
    if isinstance(channel, PagerDutyChannel):
        address = ("events_url", channel.events_url)
        if channel.routing_key.get_secret_value().startswith("sandbox"):
            what = "is a key of the sandbox: nobody would be called"
            mend = "set the variable in this line to the integration key of the PagerDuty service, or remove the file"
            yield "routing_key", what, mend
    if isinstance(channel, SlackChannel | TeamsChannel):
        address = ("webhook_url", channel.webhook_url.get_secret_value())
    if (address[1] or "").startswith("http://"):
        yield address[0], _PLAIN_HTTP, "write https://…"
