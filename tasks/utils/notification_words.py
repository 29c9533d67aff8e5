"""What notifications say of themselves, in the languages they can say it in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from jinja2 import TemplateRuntimeError

from config.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

Phrase = str | tuple[str, str]  # one form, or that of one and that of many

ENGLISH: Final[Mapping[str, Phrase]] = {
    "critical": "critical",
    "error": "error",
    "warning": "warning",
    "info": "info",
    "firing": "firing",
    "acknowledged": "acknowledged",
    "resolved": "resolved",
    "still_firing": "still firing",
    "headline": "{mark}: {title}",
    "subject": "[{status}] {service}: {what}",
    "subject_counted": "[{status}:{n}] {service}: {what}",
    "one": "{what} ({where})",
    "many": ("{n} alert on {where}: {what}", "{n} alerts on {where}: {what}"),
    "many_firing": ("{n} alert firing on {where}: {what}", "{n} alerts firing on {where}: {what}"),
    "many_left": ("{n} alert still firing on {where}", "{n} alerts still firing on {where}"),
    "many_still": ("{n} alert on {where}", "{n} alerts on {where}"),
    "note": "{title} ({note})",
    "new": "{n} new",
    "since": "since {time}",
    "reminder": "A reminder: there is no news.",
    "all_resolved": "Nothing of this group fires any more.",
    "count_firing": "{n} firing",
    "count_acknowledged": "{n} acknowledged",
    "count_resolved": "{n} resolved",
    "count_came_and_went": "{n} came and went",
    "more": "and {n} more",
    "service": "Service",
    "of_service": "Service: {service}",
    "link": "Link",
    "outage": "{name} has not answered since {time}; this is told here instead.",
    "outage_forced": "{name} has been switched off since {time}; this is told here instead.",
    "outage_silent": "{name} took this at {time} and shows no incident; this is told here instead.",
    "broken": "template {name} is broken: {why}; this is the plain default",
    "sent": "Tocsin, {destination}, {time}",
}

FRENCH: Final[Mapping[str, Phrase]] = {
    "critical": "critique",
    "error": "erreur",
    "warning": "avertissement",
    "info": "information",
    "firing": "en cours",
    "acknowledged": "prise en charge",
    "resolved": "résolue",
    "still_firing": "toujours en cours",
    "headline": "{mark}\u00a0: {title}",
    "subject": "[{status}] {service}\u00a0: {what}",
    "subject_counted": "[{status}\u00a0: {n}] {service}\u00a0: {what}",
    "one": "{what} ({where})",
    "many": ("{n} alerte sur {where}\u00a0: {what}", "{n} alertes sur {where}\u00a0: {what}"),
    "many_firing": ("{n} alerte en cours sur {where}\u00a0: {what}", "{n} alertes en cours sur {where}\u00a0: {what}"),
    "many_left": ("{n} alerte toujours en cours sur {where}", "{n} alertes toujours en cours sur {where}"),
    "many_still": ("{n} alerte sur {where}", "{n} alertes sur {where}"),
    "note": "{title} ({note})",
    "new": ("{n} nouvelle", "{n} nouvelles"),
    "since": "depuis {time}",
    "reminder": "Un rappel\u00a0: il n\u2019y a rien de nouveau.",
    "all_resolved": "Plus aucune alerte en cours dans ce groupe.",
    "count_firing": "{n} en cours",
    "count_acknowledged": ("{n} prise en charge", "{n} prises en charge"),
    "count_resolved": ("{n} résolue", "{n} résolues"),
    "count_came_and_went": ("{n} apparue puis disparue", "{n} apparues puis disparues"),
    "more": ("et {n} autre", "et {n} autres"),
    "service": "Service",
    "of_service": "Service\u00a0: {service}",
    "link": "Lien",
    "outage": "{name} ne répond plus depuis {time}\u00a0; l\u2019alerte est donc annoncée ici.",
    "outage_forced": "{name} est désactivé depuis {time}\u00a0; l\u2019alerte est donc annoncée ici.",
    "outage_silent": "{name} a accepté cette alerte à {time} mais ne montre aucun incident\u00a0; elle est donc annoncée ici.",
    "broken": "le modèle {name} est défectueux\u00a0: {why}\u00a0; ceci est la présentation par défaut",
    "sent": "Tocsin, {destination}, {time}",
}

CATALOGUES: Final[Mapping[str, Mapping[str, Phrase]]] = {"en": ENGLISH, "fr": FRENCH}
LOCALES: Final = tuple(CATALOGUES)


class Words:
    """The phrases of one language; English where it is not known."""

    def __init__(self, locale: str) -> None:
        self.locale = locale if locale in CATALOGUES else "en"
        self._phrases = CATALOGUES[self.locale]

    def say(self, name: str, number: int | None = None, /, **values: Any) -> str:
        """The phrase of that name, in the form for that number."""
        phrase = self._phrases.get(name)
        if phrase is None:
            raise TemplateRuntimeError(f"there is no phrase {name!r}; {did_you_mean(name, list(self._phrases))}")
        form = phrase if isinstance(phrase, str) else phrase[self._is_many(number or 0)]
        return form.format_map(_Given({"n": "" if number is None else number, **values}))

    def _is_many(self, number: int) -> bool:
        # In French nought is singular.
        return number > 1 if self.locale == "fr" else number != 1


class _Given(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return ""


def moment(at: datetime) -> datetime:
    """The moment in UTC; one without a zone is taken for UTC."""
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def iso(at: datetime) -> str:
    """The moment as machines read it."""
    return moment(at).isoformat(timespec="seconds").replace("+00:00", "Z")


def short(at: datetime, now: datetime) -> str:
    """The moment as people read it: the time alone where it is of the same day as `now`."""
    told, today = moment(at), moment(now)
    return told.strftime("%H:%MZ" if told.date() == today.date() else "%Y-%m-%d %H:%MZ")
