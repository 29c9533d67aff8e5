"""Sensitive fields of alerts: encrypted as soon as an alert is in our hands, and open again only where it is sent."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from config.encrypted_fields import ROOTS
from config.sealing import MARK, is_sealed, key_id_of
from tasks.utils.encryption_errors import EncryptionError
from tasks.utils.formatters import is_tame, tame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tasks.utils.encryption import SecurityManager

    Change = Callable[[Any, str], Any]  # the value in the place of one, and where it stands

HIDDEN: Final = "(encrypted)"
GONE: Final = object()
DEEPEST: Final = 64  # levels; a list of lists beyond is encrypted as a whole, for nothing may be nested without end
WHOLE: Final = "encrypted"  # where all of a message stands that may be no alert
IN_WHOLE: Final = "messages"  # its purpose
IN_PAYLOAD: Final = "custom_details"

log = logging.getLogger(__name__)


class SealedFields:
    """Knows which fields of which service are encrypted. `fields` are paths as `encrypt_fields` of the services have them.

    Each value is bound to its service and place: one that was moved is not opened there. Alerts are never changed in place.
    """

    def __init__(
        self, fields: Mapping[str, Sequence[str]], security: SecurityManager | None, default_service: str = ""
    ) -> None:
        self._paths = {name: [path.split(".") for path in paths] for name, paths in fields.items() if paths}
        self._security = security
        self._default_service = default_service

    @property
    def is_wanted(self) -> bool:
        """Whether any service wants fields encrypted."""
        return bool(self._paths)

    def seal(self, alert: Any) -> Any:
        """The alert with its sensitive fields encrypted; what is encrypted already stays."""
        service = self._service(alert)
        return self._changed(alert, lambda value, place: self._sealed(value, _purpose(service, place)))

    def without(self, alert: Any) -> Any:
        """The alert without its sensitive fields: what rules and labels may look at."""
        return self._changed(alert, lambda _value, _place: GONE)

    def told(self, alert: Any) -> Any:
        """The alert with a keyed digest in the place of each sensitive field, so that repeats can be told from news."""
        service = self._service(alert)
        return self._changed(alert, lambda value, place: self._digest(value, _purpose(service, place)))

    def open(self, alert: Any) -> Any:
        """The alert with everything readable that was encrypted here, whatever the settings say by now."""
        if self._security is None or not isinstance(alert, dict):
            return alert
        return _walked(alert, lambda value, place: self._opened(value, _purpose(self._service(alert), place)))

    def renewed_text(self, text: str) -> str:
        """The same text, in which the newest key has encrypted what a former one had; what cannot be opened stays as it is."""
        try:
            kept = json.loads(text)
        except ValueError:
            return str(self._renewed(text, IN_WHOLE))
        if not isinstance(kept, dict):
            return text
        whole = kept.get(WHOLE)
        renewed = _walked(kept, lambda value, place: self._renewed(value, _purpose(self._service(kept), place)))
        if is_sealed(whole):
            renewed = {**renewed, WHOLE: self._renewed(whole, IN_WHOLE)}
        return text if renewed == kept else json.dumps(renewed)

    def readable(self, alert: Any) -> Any:
        """The alert as its check must see it: opened, where its service wants fields encrypted, or did so when it came."""
        if self._security is None or not isinstance(alert, dict):
            return alert
        payload = alert.get("payload")
        whole = (*(alert.get(name) for name in ROOTS), payload.get(IN_PAYLOAD) if isinstance(payload, dict) else None)
        return self.open(alert) if self._service(alert) in self._paths or any(map(is_sealed, whole)) else alert

    def seal_unknown(self, raw: Any) -> Any:
        """What may be an alert or not, to be kept as it came: with sensitive fields encrypted, or all of it where they cannot be found."""
        if not self.is_wanted or (
            isinstance(raw, dict) and "event_action" in raw and isinstance(raw.get("payload"), dict)
        ):
            return self.seal(raw)
        return {WHOLE: self.seal_text(json.dumps(raw, default=str))}

    def seal_text(self, text: str) -> str:
        """A text that may hold an alert nobody can read, encrypted as a whole where any service wants fields encrypted."""
        if not self.is_wanted or self._security is None:
            return text
        return self._security.encrypt_sensitive_data(text, purpose=IN_WHOLE)

    def _service(self, alert: Any) -> str:
        name = alert.get("service") if isinstance(alert, dict) else None
        return name if isinstance(name, str) else self._default_service

    def _changed(self, alert: Any, change: Change) -> Any:
        paths = self._paths.get(self._service(alert)) if self._paths else None
        if paths is None or not isinstance(alert, dict):
            return alert
        for path in paths:
            alert = _at(alert, ["payload", *path] if path[0] == IN_PAYLOAD else path, "", change)
        return alert

    def _sealed(self, value: Any, purpose: str) -> Any:
        if value is None or self._security is None or self._is_ours(value, purpose):
            return value
        # What is refused is kept as it came, and may hold what no alert may: that must not cost the others in its message.
        return self._security.encrypt_sensitive_data(value if is_tame(value) else tame(value), purpose=purpose)

    def _digest(self, value: Any, purpose: str) -> Any:
        return None if value is None or self._security is None else self._security.fingerprint(value, purpose)

    def _is_ours(self, value: Any, purpose: str) -> bool:
        """Whether a value is encrypted for this place; a sender may write what only looks like that."""
        if not is_sealed(value) or self._security is None:
            return False
        try:
            self._security.decrypt_sensitive_data(value, purpose)
        except EncryptionError as error:
            return str(error).startswith("wrong key")
        return True

    def _renewed(self, value: Any, purpose: str) -> Any:
        try:
            if not is_sealed(value) or self._security is None or self._security.is_current(value):
                return value
            return self._security.encrypt_sensitive_data(self._security.decrypt_sensitive_data(value, purpose), purpose)
        except EncryptionError:
            return value

    def _opened(self, value: Any, purpose: str) -> Any:
        if not is_sealed(value) or self._security is None:
            return value
        try:
            return self._security.decrypt_sensitive_data(value, purpose)
        except EncryptionError as error:
            if not str(error).startswith("wrong key"):
                return value  # a sender's own text: ours is never read as damaged, since it was never anybody else's
            key_id = key_id_of(value)
            # The page goes out all the same: what else it says may be what matters.
            log.error("a field of an alert is sent unread: it was encrypted with the key %s, unknown here", key_id)  # noqa: TRY400 - it is told, not raised
            return f"(encrypted with the key {key_id}, which is not known here)"


def _purpose(service: str, place: str) -> str:
    return f"alerts/{service}/{place}"


def _below(place: str, name: str) -> str:
    """The place of a field; what parts places stands in no name, for `_depth` counts by it."""
    return f"{place}.{str(name).replace('%', '%25').replace('.', '%2E').replace('[', '%5B')}"


def _depth(place: str) -> int:
    return place.count("[") + place.count(".")


def _at(node: Any, path: Sequence[str], place: str, change: Change) -> Any:
    """The node with the change made at every place beneath it that a path leads to; lists are gone through."""
    if not path or (isinstance(node, list) and _depth(place) >= DEEPEST):
        return change(node, place)
    if isinstance(node, list):
        return [_at(part, path, f"{place}[{index}]", change) for index, part in enumerate(node)]
    if not isinstance(node, dict):
        return node
    changed = dict(node)
    for name, value in node.items():
        size = _step(path, str(name))
        new = _at(value, path[size:], _below(place, name), change) if size else value
        if new is GONE:
            del changed[name]
        else:
            changed[name] = new
    return changed


def _step(path: Sequence[str], name: str) -> int:
    """How many parts of a path a name stands for, 0 for none: names may hold dots themselves, and case does not matter."""
    if path[0] == "*":
        return 1
    parts = name.casefold().split(".")
    return len(parts) if parts == [part.casefold() for part in path[: len(parts)]] else 0


def _walked(alert: dict[str, Any], change: Change) -> dict[str, Any]:
    """The alert with the change made at every text of its fields that may be encrypted."""
    changed = {name: _deep(value, f".{name}", change) if name in ROOTS else value for name, value in alert.items()}
    payload = alert.get("payload")
    if isinstance(payload, dict) and IN_PAYLOAD in payload:
        details = _deep(payload[IN_PAYLOAD], f".payload.{IN_PAYLOAD}", change)
        changed["payload"] = {**payload, IN_PAYLOAD: details}
    return changed


def _deep(node: Any, place: str, change: Change) -> Any:
    if isinstance(node, str):
        return change(node, place) if node.startswith(MARK) else node
    if _depth(place) > DEEPEST:
        return node  # nothing was encrypted so far down
    if isinstance(node, dict):
        return {name: _deep(part, _below(place, name), change) for name, part in node.items()}
    if isinstance(node, list):
        return [_deep(part, f"{place}[{index}]", change) for index, part in enumerate(node)]
    return node
