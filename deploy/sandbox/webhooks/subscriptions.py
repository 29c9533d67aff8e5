from __future__ import annotations

import base64
import ipaddress
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deploy.sandbox.happenings import Happening
from deploy.sandbox.paging import classic
from deploy.sandbox.request import Reply, invalid, not_found
from deploy.sandbox.webhooks.event import EVENTS
from deploy.sandbox.webhooks.webhooks import COLLECTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deploy.sandbox.request import Request, Routes
    from deploy.sandbox.store import Entity, Store

WRAPPER = "webhook_subscription"
FILTERS = {"account_reference": "", "service_reference": "services", "team_reference": "teams"}
CHANGEABLE = ("description", "events", "filter", "active")
REDACTED = "-- redacted --"
SECRET_BYTES = 48
PING = "Hello from your friend Pagey!"


def list_subscriptions(request: Request) -> dict[str, Any]:
    """The subscriptions, all or those of one account, service or team."""
    kind, name = request.first("filter_type"), request.first("filter_id")
    if kind and kind not in ("account", "service", "team"):
        raise invalid("filter_type must be account, service or team")
    if kind in ("service", "team") and not name:
        raise invalid("filter_id is required with this filter_type")
    found = [one for one in request.store.all(COLLECTION) if _is_of(one, kind, name)]
    return classic(request, COLLECTION, found, show)


def create_subscription(request: Request) -> dict[str, Any]:
    """A new subscription; this answer alone tells its signing secret."""
    sent = request.wrapped(WRAPPER)
    problems = [*_problems(sent, request.store), *_of_method(sent.get("delivery_method"))]
    if problems:
        raise invalid(*problems)
    made = request.store.add(COLLECTION, {"type": WRAPPER, "active": True, **_kept(sent, request)})
    shown = show(made)
    return {WRAPPER: {**shown, "delivery_method": {**shown["delivery_method"], "secret": _secret(made)}}}


def get_subscription(request: Request) -> dict[str, Any]:
    """One subscription."""
    return {WRAPPER: show(_subscription(request))}


def update_subscription(request: Request) -> dict[str, Any]:
    """The subscription as changed; where and how it is delivered cannot be changed."""
    found, sent = _subscription(request), request.wrapped(WRAPPER)
    if sent.get("delivery_method", {}).get("url", found["delivery_method"]["url"]) != found["delivery_method"]["url"]:
        raise invalid("delivery_method cannot be changed; create another subscription")
    changes = {name: sent[name] for name in CHANGEABLE if name in sent}
    problems = list(_problems({**found, **changes}, request.store))
    if problems:
        raise invalid(*problems)
    found.update(changes)
    return {WRAPPER: show(found)}


def delete_subscription(request: Request) -> Reply:
    """Nothing; what was still to be sent is not."""
    found = _subscription(request)
    request.store.remove(COLLECTION, found["id"])
    request.world.webhooks.forget(found["id"])
    return Reply(204)


def enable_subscription(request: Request) -> dict[str, Any]:
    """The subscription, sent to again if it was disabled for its receiver's refusals."""
    found = _subscription(request)
    request.world.webhooks.enable(found)
    return {WRAPPER: show(found)}


def ping_subscription(request: Request) -> Reply:
    """Nothing; the receiver gets a `pagey.ping`."""
    found = _subscription(request)
    data = {"message": PING, "type": "ping"}
    sender = request.sender()
    agent = None if sender is None else request.world.names.to("user", sender["id"])
    request.world.webhooks.ping(found, Happening("pagey.ping", request.now, data, found["id"], agent=agent))
    return Reply(202)


ROUTES: Routes = {
    ("GET", "/webhook_subscriptions"): list_subscriptions,
    ("POST", "/webhook_subscriptions"): create_subscription,
    ("GET", "/webhook_subscriptions/{id}"): get_subscription,
    ("PUT", "/webhook_subscriptions/{id}"): update_subscription,
    ("DELETE", "/webhook_subscriptions/{id}"): delete_subscription,
    ("POST", "/webhook_subscriptions/{id}/enable"): enable_subscription,
    ("POST", "/webhook_subscriptions/{id}/ping"): ping_subscription,
}


def show(subscription: Mapping[str, Any]) -> dict[str, Any]:
    """A subscription as it is read: without its secret and the values of its headers."""
    method = {name: value for name, value in subscription["delivery_method"].items() if name != "other_secrets"}
    headers = [{"name": one["name"], "value": REDACTED} for one in method.get("custom_headers", ())]
    return {
        **subscription,
        "description": subscription.get("description", ""),
        "delivery_method": {**method, "secret": None, "custom_headers": headers},
    }


def _subscription(request: Request) -> Entity:
    found = request.store.get(COLLECTION, request.path["id"])
    if found is None:
        raise not_found()
    return found


def _secret(subscription: Mapping[str, Any]) -> Any:
    return subscription["delivery_method"]["secret"]


def _is_of(subscription: Mapping[str, Any], kind: str, name: str) -> bool:
    if not kind:
        return True
    found = subscription["filter"]
    return bool(found["type"] == f"{kind}_reference" and name in ("", found.get("id", "")))


def _kept(sent: Mapping[str, Any], request: Request) -> Entity:
    method = sent["delivery_method"]
    kept = {name: sent[name] for name in CHANGEABLE if name in sent}
    kept["delivery_method"] = {
        "id": request.store.new_id(),
        "type": "http_delivery_method",
        "url": method["url"],
        "secret": base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
        "temporarily_disabled": False,
        "custom_headers": method.get("custom_headers") or [],
    }
    return kept


def _problems(sent: Mapping[str, Any], store: Store) -> Iterator[str]:
    if sent.get("type", WRAPPER) != WRAPPER:
        yield f"Type must be {WRAPPER}"
    events = sent.get("events")
    if not isinstance(events, list) or not events:
        yield "Events can't be blank"
    elif not all(one in EVENTS for one in events):
        yield "Events must all be events that webhooks tell"
    elif len(set(events)) != len(events):
        yield "Events must not repeat"
    if not isinstance(sent.get("active", True), bool):
        yield "Active must be true or false"
    if not isinstance(sent.get("description", ""), str):
        yield "Description must be a string"
    yield from _of_filter(sent.get("filter"), store)


def _of_filter(asked: object, store: Store) -> Iterator[str]:
    kind = asked.get("type") if isinstance(asked, dict) else None
    if not isinstance(asked, dict) or kind not in FILTERS:
        yield f"Filter must have one of the types {', '.join(FILTERS)}"
    elif FILTERS[kind] and store.get(FILTERS[kind], str(asked.get("id"))) is None:
        yield f"Filter names a {kind.removesuffix('_reference')} that does not exist"


def _of_method(asked: object) -> Iterator[str]:
    if not isinstance(asked, dict) or asked.get("type") != "http_delivery_method":
        yield "Delivery method must have the type http_delivery_method"
        return
    if not is_allowed(asked.get("url")):
        yield "Delivery method url must begin with https:// (in the sandbox also http:// to a loopback address)"
    headers = asked.get("custom_headers") or []
    if not isinstance(headers, list) or not all(_is_header(one) for one in headers):
        yield "Delivery method custom_headers must be objects of a name and a value"


def is_allowed(url: object) -> bool:
    """Whether webhooks may go to this address."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_header(one: object) -> bool:
    if not isinstance(one, dict):
        return False
    name, value = one.get("name"), one.get("value")
    if not isinstance(name, str) or not isinstance(value, str) or not name:
        return False
    return name.isascii() and name.replace("-", "").replace("_", "").isalnum() and value.isprintable()
