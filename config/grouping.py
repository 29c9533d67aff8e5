"""What a configuration says about alerts that are told of together."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from config.section import Section
from config.sections import HOUR, SECOND, Severity
from config.values import Duration, in_parts

GroupBy = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=256)], ...], Field(max_length=20)]
BundleSize = Annotated[int, Field(ge=1, le=500)]


class Grouping(Section):
    """How news of several alerts becomes one message: the first word at once, the rest in bundles. See docs/grouping.md."""

    max_wait: Duration = Field(
        30 * SECOND, description="How long news may wait after a message of its group; 0 sends each at once."
    )
    max_size: BundleSize = Field(50, description="Most news in one message; as soon as so much waits, it goes.")
    repeat_interval: Duration = Field(
        4 * HOUR,
        description="After how long without news people are told again that a group still fires; 0 = never. "
        "PagerDuty's own alerts need no reminder: there only where a route or service says so.",
    )
    urgent: Annotated[tuple[Severity, ...], BeforeValidator(in_parts)] = Field(
        ("critical",),
        description="Severities that do not wait: such an alert takes with it whatever waits. In the environment: parted by blanks.",
    )
