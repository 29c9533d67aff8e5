"""docs/notifications.md names everything a template can name, and its examples work."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tasks.utils.bundles import Bundle
from tasks.utils.notification_builder import NotificationBuilder
from tasks.utils.notification_facts import facts_of
from tasks.utils.notification_samples import samples
from tasks.utils.notification_words import Words
from tasks.utils.template_filters import FILTERS
from tasks.utils.template_meter import Limits
from tasks.utils.template_sandbox import FUNCTIONS
from tests.unit.notification_kit import Templates, growing

PAGE = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text("utf-8")
NAMED = set(re.findall(r"`(\w+)", PAGE))
SAMPLE = samples()["a group that grows"]


def test_the_page_names_every_fact_function_and_filter() -> None:
    facts = facts_of(SAMPLE, Words("en"))

    assert {*facts, *facts["members"][0], *FUNCTIONS, *FILTERS} <= NAMED


def test_the_page_names_every_field_of_the_document() -> None:
    document = NotificationBuilder().notice("webhook", SAMPLE).document
    section = PAGE.partition("## What programs get")[2]

    assert {*document, *document["members"][0], "note"} <= set(re.findall(r"`(\w+)`", section))


@pytest.mark.parametrize("template", re.findall(r"```jinja\n(.*?)```", PAGE, re.DOTALL))
@pytest.mark.parametrize("kind", ["slack", "teams", "email"])
def test_an_example_is_a_template_that_works_for_every_bundle(tmp_path: Path, template: str, kind: str) -> None:
    for bundle in (*samples().values(), growing()):
        assert Templates(tmp_path).notice(template, bundle, kind).fell_back == ""


def test_the_document_of_the_page_is_a_bundle_for_the_preview() -> None:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None

    assert Bundle.model_validate(json.loads(found[1])).members[0].summary == "disk full"


def test_the_limits_of_the_page_are_those_that_hold() -> None:
    limits = Limits()

    assert f"| file | {limits.source_bytes // 1024} KB, {limits.source_signs:,} names" in PAGE
    assert f"| text that it makes | {limits.output_bytes // 1024} KB |" in PAGE
    assert f"| time | {round(limits.time.total_seconds() * 1000)} ms of the processor |" in PAGE
    assert f"| work | {limits.work:,}, about" in PAGE
