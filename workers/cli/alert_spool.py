"""Alerts of the shell while Redis is away: kept in the spool of this machine, and handed over from it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from workers.cli.output import CliError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from config.models import Settings
    from tasks.utils.spool import Spool

SOURCE = "shell"


class Drained(NamedTuple):
    """What a drain did: alerts handed over, damaged lines set aside, files that living processes look after."""

    handed_over: int
    damaged: int
    held_by_others: int


def is_outage(error: BaseException) -> bool:
    """Whether Redis is away, so that trying again later helps; a wrong password is none: a person must mend it."""
    from kombu.exceptions import OperationalError
    from redis.exceptions import AuthenticationError, AuthorizationError

    from tasks.utils.connect import is_away

    if isinstance(error, AuthenticationError | AuthorizationError):
        return False
    return isinstance(error, OperationalError) or is_away(error)


def keep(settings: Settings, task_id: str, alerts: Sequence[Mapping[str, Any]]) -> None:
    """Keep the alerts of one message under the ids the message would have given them. SpoolError if they cannot be kept."""
    from tasks.foundation import Foundation
    from tasks.utils.rows import InboxRow
    from tasks.utils.validators import check_alert

    received = str(time.time_ns() // 1_000_000)
    rows, fields = list[InboxRow](), Foundation(settings).sealed_fields  # Redis is away: it is asked nothing
    for index, alert in enumerate(alerts):
        checked = check_alert(fields.readable(alert))  # takes out whatever key an alert might still hold
        mended = {"adaptations": list(checked.adaptations)} if checked.adaptations else {}
        rows.append(InboxRow(f"{task_id}:{index}", {**fields.seal(checked.alert), **mended}, SOURCE, received))
    with _spool(settings) as spool:
        spool.append([rows])


def hand_over(settings: Settings) -> Drained:
    """Hand over to Redis what waits in files nobody else looks after. RedisError while it is away; the rest stays then."""
    from tasks.utils.connect import connect
    from tasks.utils.keys import Keys
    from tasks.utils.rows import Inbox

    redis = settings.redis
    handed_over = 0
    with (
        _spool(settings) as spool,
        connect(
            redis.url.get_secret_value(),
            socket_timeout=redis.socket_timeout.total_seconds(),
            connect_timeout=redis.connect_timeout.total_seconds(),
        ) as client,
    ):
        inbox = Inbox(client, Keys(redis.prefix))
        while rows := spool.read():
            inbox.put(rows)
            spool.advance()
            handed_over += len(rows)
        return Drained(handed_over, spool.damaged, len(spool.held_by_others()))


def waiting(settings: Settings) -> int:
    """How many alerts wait in files that nobody else looks after."""
    with _spool(settings) as spool:
        return spool.rows


def drain(settings: Settings) -> Drained:
    """The same as `hand_over` for a person: CliError (75) while Redis is away, with how many wait."""
    try:
        return hand_over(settings)
    except Exception as error:
        if not is_outage(error):
            raise
        left = f"{counted(waiting(settings))} kept in {folder(settings)}"
        raise CliError(f"Redis at {shown_url(settings)} does not answer; {left}", ExitCode.TRY_LATER) from error


def folder(settings: Settings) -> str:
    """Where the spool is."""
    from tasks.utils.spool import SPOOL_FOLDER

    return str(settings.state_dir / SPOOL_FOLDER)


def counted(alerts: int) -> str:
    """So many alerts, in words."""
    return f"{alerts} alert{'' if alerts == 1 else 's'}"


def shown_url(settings: Settings) -> str:
    """The server's address, fit to be shown."""
    from workers.cli.errors import mask_address

    return mask_address(settings.redis.url.get_secret_value())


@contextmanager
def _spool(settings: Settings) -> Iterator[Spool]:
    from tasks.utils.spool import SPOOL_FOLDER, Spool

    spool = Spool(settings.state_dir / SPOOL_FOLDER, max_bytes=settings.spool.max_bytes)
    try:
        spool.adopt()
        yield spool
    finally:
        spool.close()
