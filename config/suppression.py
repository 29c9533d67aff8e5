"""What a configuration says about alerts that are held back: inhibition and flapping."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from config.matchers import Matcher
from config.section import Section
from config.values import Name, PositiveDuration

MINUTE = timedelta(minutes=1)

SomeMatchers = Annotated[tuple[Matcher, ...], Field(min_length=1)]


class Inhibition(Section):
    """While an alert that matches `source` is open, alerts that match `target` are held back: the cause has called already."""

    name: Name = Field(description="Name of the rule, unique; the ledger calls it `inhibition:NAME`.")
    source: SomeMatchers = Field(description="Label matchers of the alerts that inhibit, such as `alertname=HostDown`.")
    target: SomeMatchers = Field(description="Label matchers of the alerts that are held back.")
    equal: tuple[str, ...] = Field(
        (),
        description="Labels that must be the same in both, such as `host`; none = any pair. A missing label counts as empty.",
    )


class Flapping(Section):
    """An alert that fires and resolves again and again: announced once, then held back until it is calm."""

    changes: Annotated[int, Field(ge=0, le=100)] = Field(
        0, description="Changes between firing and resolved within `window` that make an alert flap; 0 = never."
    )
    window: PositiveDuration = Field(10 * MINUTE, description="How far back changes count.")
    calm: PositiveDuration = Field(
        5 * MINUTE, description="How long nothing may change until the last word is let through."
    )
