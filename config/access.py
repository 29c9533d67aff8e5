"""The section of who may do what."""

from pydantic import Field

from config.section import Section
from config.sections import MINUTE
from config.values import Count, PositiveDuration, Texts


class Access(Section):
    """Who may do what cannot be undone: restore, rotate, prune, deploy, purge. See docs/access.md."""

    enforce: bool = Field(
        default=False,
        description="Ask for a second factor or a service identity outside production, too: to rehearse it. Production always does.",
    )
    tries: Count = Field(5, description="Wrong codes of one person before nothing is taken from them for a while.")
    lock_out: PositiveDuration = Field(
        5 * MINUTE,
        description="How long that while is; it doubles each time, up to an hour. Recovery codes work in it.",
    )
    grant_lifetime: PositiveDuration = Field(
        60 * MINUTE, description="How long a task somebody was allowed to send may wait for a worker until it begins."
    )
    schedules: Texts = Field(
        ("backups:prune", "tokens:rotate", "logs:purge"),
        description="Scopes of the identity that scheduled tasks act with; what is not named they may not do in production. "
        "In the environment: parted by blanks.",
    )
