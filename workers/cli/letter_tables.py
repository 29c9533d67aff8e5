"""Dead letters as tables and as JSON."""

from tasks.notifications.dead_letters import DeadLetters
from tasks.notifications.letter_filter import LetterFilter
from tasks.notifications.models import DeadLetter, LetterGroup
from workers.cli.output import answer, answer_json, answer_table, say

_GROUPS = ("SERVICE", "DESTINATION", "REASON", "LETTERS", "OLDEST", "NEWEST", "OF THESE")
_EACH = ("EVENT", "DIED", "SERVICE", "REASON", "ACTION", "SEVERITY", "CHANNEL", "SUMMARY", "SINCE THEN")


def show_groups(letters: DeadLetters, where: LetterFilter, *, as_json: bool) -> None:
    """How many of which destination died of what."""
    groups = letters.groups(where)
    total = sum(group.count for group in groups)
    if as_json:
        answer_json({"count": total, "groups": [group.model_dump(mode="json") for group in groups]})
    elif groups:
        answer_table(_GROUPS, [_group(group) for group in groups])
        say(f"{total} in all. One by one: --each. Mend what killed them, then: tocsin notifications replay")
    else:
        answer("no dead letter fits" if not where.fits_all else "there are no dead letters")


def show_each(letters: DeadLetters, where: LetterFilter, *, as_json: bool) -> None:
    """Each by itself, newest death first."""
    found = list(letters.walk(where))
    if as_json:
        answer_json([letter.model_dump(mode="json", exclude={"alert", "raw"}) for letter in found])
    elif found:
        answer_table(_EACH, [_each(letter) for letter in found])
    else:
        answer("no dead letter fits" if not where.fits_all else "there are no dead letters")


def _group(group: LetterGroup) -> tuple[object, ...]:
    special = {
        "resolved meanwhile": group.resolved,
        "overtaken": group.overtaken,
        "unreadable": group.unreadable,
    }
    told = ", ".join(f"{count} {what}" for what, count in special.items() if count)
    destination = group.destination if group.destination != group.service else ""
    oldest, newest = (f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (group.oldest, group.newest))
    return group.service or "(none)", destination, group.reason, group.count, oldest, newest, told


def _each(letter: DeadLetter) -> tuple[object, ...]:
    since = {"resolved": "resolved meanwhile", "overtaken": "overtaken by newer news"}.get(letter.meanwhile, "")
    return (
        letter.id,
        f"{letter.died_at:%Y-%m-%d %H:%M:%S}",
        letter.service,
        letter.reason,
        letter.action,
        letter.severity,
        letter.channel,
        letter.summary,
        since if letter.can_be_replayed else "unreadable",
    )
