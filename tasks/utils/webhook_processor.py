"""Foreign webhooks, from the bytes that came to alerts that are checked: by mapping, whoever the sender is."""

from collections.abc import Mapping
from typing import Any

from config.mappings import WebhookMapping
from tasks.utils.data_transformer import DataTransformer, Ignored
from tasks.utils.error_handler import InvalidAlertError, UnknownError
from tasks.utils.validators import CheckedAlert, check_alert

Result = CheckedAlert | InvalidAlertError | Ignored


class WebhookProcessor:
    """Turns documents into checked alerts by any of `mappings`."""

    def __init__(self, mappings: Mapping[str, WebhookMapping]) -> None:
        self._mappings = mappings
        self._transformers = {name: DataTransformer(mapping) for name, mapping in mappings.items()}

    def mapping(self, name: str) -> WebhookMapping:
        """The mapping of that name; UnknownError names those there are."""
        if name not in self._mappings:
            known = ", ".join(self._mappings) or "none"
            raise UnknownError(
                f"there is no mapping {name[:80]!r}; known: {known}; a new one is a file mappings/NAME.yaml"
            )
        return self._mappings[name]

    def process(
        self, name: str, document: object, headers: Mapping[str, str] | None = None, service: str | None = None
    ) -> list[Result]:
        """What becomes of each alert in a document: checked, at fault, or ignored by a rule.

        The alerts are for `service`, without one for the default service. A document that the mapping is not for is one
        fault. UnknownError if there is no such mapping.
        """
        self.mapping(name)
        try:
            outcomes = self._transformers[name].outcomes(document, headers)
        except InvalidAlertError as error:
            return [error]
        return [_checked(outcome, service) if isinstance(outcome, dict) else outcome for outcome in outcomes]


def _checked(alert: dict[str, Any], service: str | None) -> CheckedAlert | InvalidAlertError:
    try:
        return check_alert(alert if service is None else {"service": service, **alert})
    except InvalidAlertError as error:
        return error
