"""Tells what came of attempts to deliver: counted, logged, and kept among the errors where a person must mend something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from tasks.utils.error_reports import outcome as report

if TYPE_CHECKING:
    from tasks.utils.error_handler import ErrorHandler
    from tasks.utils.metrics_collector import Metrics
    from tasks.utils.rows import Attempt, Outcome

log = structlog.get_logger("tocsin.delivery")

UNKNOWN_SERVICE: Final = "add it to the configuration, or its waiting alerts become dead letters after an hour"
REJECTED_KEY: Final = (
    "put a key (routing_key, webhook_url, secret) that the other side knows into the channel; tell its owner"
)
BROKEN_TEMPLATE: Final = "mend the template; try it with `tocsin notifications preview`"
DEAD_LETTER: Final = (
    "mend the cause, then `tocsin notifications replay EVENT_ID`; which: `tocsin notifications dead-letters`"
)
REASONS: Final = {
    "private_address": "write `allow_private: true` into the channel, if its host is meant to be in your own network",
    "redirected": "write the address into the channel that the other side redirects to; no redirect is followed",
    "invalid_url": "mend the address in the channel: its host cannot be the name of one",
    "starttls_missing": "use a port of the mail server that speaks STARTTLS, or write `email.starttls: never`",
    "certificate_not_trusted": "name the mail server as its certificate does, or its authority in email.ca_file",
    "login_rejected": "mend email.username and email.password",
    "login_impossible": "mend email.username and email.password, or leave both out where the server knows no login",
    "sender_rejected": "write an address into email.from that the mail server lets you send from",
    "recipients_rejected": "mend the addresses in the channel; the mail server knows none of them",
    "some_recipients_rejected": "mend the addresses in the channel; the mail server did not take one of them",
}


class Teller:
    """What the delivery says aloud. `errors` may be left out where nobody asks for them."""

    def __init__(self, metrics: Metrics, errors: ErrorHandler | None = None) -> None:
        self._metrics = metrics
        self._errors = errors

    def unknown_destination(self, destination: str) -> None:
        """Alerts wait for a destination that this process does not know."""
        log.error("service_not_configured", service=destination, mend=UNKNOWN_SERVICE)
        self._keep("service_not_configured", destination, "alerts wait for it, but there is no such service")

    def attempted(self, attempt: Attempt, destination: str, owner: str, outcome: Outcome, *, is_last: bool) -> None:
        """An attempt was made; `is_last`: nothing is left to try should it have failed."""
        self._metrics.attempted(attempt.channel, outcome.verb)
        if outcome.verb == "sent" and not outcome.reason:
            return
        mend = REASONS.get(outcome.reason, "")
        about = {"service": destination, "channel": attempt.channel, "event_id": attempt.event_id}
        about |= {"mend": mend} if mend else {}
        way = f"{destination} via {attempt.channel}"
        if outcome.verb == "sent":
            log.warning("partly_delivered", **about, reason=outcome.reason)
        elif outcome.verb == "refused" and outcome.delay_ms:
            log.error("key_rejected", **about, key_id=attempt.key_id, owner=owner, reason=outcome.reason)
            text = f"key {attempt.key_id} is refused ({outcome.reason}); its owner is {owner or 'unknown'}"
            self._keep("key_rejected", way, text, mend)
        else:
            log.warning("not_delivered", **about, reason=outcome.reason, next=outcome.verb, delay_ms=outcome.delay_ms)
        if is_last:
            text = f"event {attempt.event_id} is a dead letter after {attempt.attempts} attempts: {outcome.reason}"
            self._keep("dead_letter", way, text)

    def template_broken(self, error: Exception) -> None:
        """A message goes out in plain words, because its template is broken."""
        log.error("template_broken", detail=str(error), mend=BROKEN_TEMPLATE)
        self._keep("template_broken", "templates", str(error))

    def _keep(self, name: str, where: str, text: str, mend: str = "") -> None:
        if self._errors is not None:
            self._errors.note(report(name, where, text, severity="critical", mend=mend or _MENDS[name]))


_MENDS: Final = {
    "service_not_configured": UNKNOWN_SERVICE,
    "key_rejected": REJECTED_KEY,
    "dead_letter": DEAD_LETTER,
    "template_broken": BROKEN_TEMPLATE,
}
