"""What commands that act on incidents have in common: which incidents, in whose name, how persistently."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

import typer

from workers.cli import incident_options as options
from workers.cli.output import CliError, ExitCode, JsonFlag, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.incidents.models import Wish
    from workers.cli.incident_wiring import Desk

SHOWN = 10


@dataclass(frozen=True)
class Choice:
    """The shared options of one call."""

    names: list[str]
    wanted: options.Wanted
    note: str
    author: str | None
    sender: str
    yes: bool
    dry_run: bool
    keep_trying: bool
    request_id: str
    as_json: bool

    def act(
        self, verb: str, desk: Desk | None = None, *, usual: tuple[str, ...] = ("triggered",), **asked: Any
    ) -> None:
        """Do it to the incidents that are meant, and tell what became of each."""
        from tasks.incidents.wishes import wish_of
        from workers.cli.incident_wiring import desk as new_desk

        desk = desk or new_desk()
        targets = self._targets(desk, verb, usual)
        if targets:
            self.carry_out(desk, wish_of(verb, targets, note=text_of(self.note), **asked, **self.who()))

    def carry_out(self, desk: Desk, wish: Wish) -> None:
        """Do what is wished, now, or with workers that carry on."""
        import uuid

        from workers.cli.incident_tables import show_report

        if self.keep_trying and desk.is_loose:
            raise CliError("--keep-trying needs Redis, and Redis is away.", ExitCode.UNAVAILABLE)
        do = desk.service.ask if self.keep_trying else desk.service.act
        show_report(do(self.request_id or f"cli-{uuid.uuid4().hex}", wish), as_json=self.as_json)

    def who(self) -> dict[str, str]:
        """In whose name."""
        from getpass import getuser

        return {"author": self.author or getuser(), "from_email": self.sender}

    def _targets(self, desk: Desk, verb: str, usual: tuple[str, ...]) -> list[str]:
        if bool(self.names) == options.says_anything(self.wanted):
            raise CliError(
                "Name incidents, or say which by options such as --service; not both, not neither.", ExitCode.USAGE
            )
        if self.names:
            return self._previewed(desk) if self.dry_run else self.names
        found = list(options.found_by(desk, usual, self.wanted))
        if self.dry_run or not found:
            self._show(found)
            return []
        if len(found) > 1 and not self.yes:
            self._ask(found, verb)
        return [str(incident["id"]) for incident in found]

    def _previewed(self, desk: Desk) -> list[str]:
        from tasks.incidents.names import Names

        self._show([Names(desk.rest).whole(name) for name in self.names])
        return []

    def _show(self, found: list[dict[str, Any]]) -> None:
        from workers.cli.incident_tables import show_incidents

        show_incidents(found, as_json=self.as_json)

    def _ask(self, found: list[dict[str, Any]], verb: str) -> None:
        """Ask at a terminal; elsewhere say that it takes --yes."""
        for incident in found[:SHOWN]:
            say(f"  #{incident.get('incident_number')} {incident['id']} {incident.get('title') or ''}")
        if len(found) > SHOWN:
            say(f"  … and {len(found) - SHOWN} more")
        what = f"This would {verb} {len(found)} incidents."
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise CliError(f"{what} If you mean it, add --yes.", ExitCode.NEEDS_CONFIRMATION)
        if not typer.confirm(f"{what} Go on?", err=True):
            raise CliError("Nothing was changed.", ExitCode.NEEDS_CONFIRMATION)


def on_incidents(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command, which takes a `Choice` and options of its own, the incidents as arguments and the shared options."""

    def whole(**given: Any) -> None:
        own = {name: given.pop(name) for name in list(given) if name in own_names}
        command(_choice(given), **own)

    own_parameters = _parameters(command)[1:]
    own_names = {parameter.name for parameter in own_parameters}
    first, *shared = _parameters(_shared)
    parameters = [first, *own_parameters, *shared]
    whole.__name__, whole.__doc__ = command.__name__, command.__doc__
    whole.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    whole.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return whole


def text_of(text: str) -> str:
    """A text as it was given; `-` stands for what comes in on stdin."""
    return sys.stdin.read().strip() if text == "-" else text


def _shared(
    incidents: options.Ids = None,
    *,
    status: options.Status = None,
    service: options.Service = None,
    urgency: options.Urgency = None,
    since: options.Since = None,
    until: options.Until = None,
    user: options.User = None,
    team: options.Team = None,
    key: options.Key = None,
    note: options.Note = "",
    author: options.Author = None,
    sender: options.From = "",
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    keep_trying: options.KeepTrying = False,
    request_id: options.RequestId = "",
    as_json: JsonFlag = False,
) -> None:
    """The parameters that commands share."""


def _choice(given: dict[str, Any]) -> Choice:
    wanted: options.Wanted = {name: given.pop(name) for name in options.Wanted.__annotations__}  # type: ignore[assignment]
    return Choice(names=given.pop("incidents") or [], wanted=wanted, **given)


def _parameters(function: Callable[..., None]) -> list[inspect.Parameter]:
    hints = get_type_hints(function, include_extras=True)
    return [
        parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(function).parameters.values()
    ]
