"""Documents of webhooks by templates of the user's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tasks.utils.notification_builder import NotificationBuilder
from tests.unit.notification_kit import Templates, growing

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = NotificationBuilder()


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    return Templates(tmp_path)


def test_a_webhook_may_get_a_document_of_the_users_own(templates: Templates) -> None:
    templates.write(
        "chat.json.j2",
        '{"content": "{{ headline }} \\"{{ members[0].summary }}\\"", "group": {{ group | tojson }}, "n": {{ open }}}',
    )
    about = growing()
    about.members[-1].summary = 'say "hi" \\ \n\u2028 {{ open }}'

    notice = templates.builder().notice("webhook", about, template="chat")

    assert notice.fell_back == ""
    assert notice.document["content"].endswith('(3 new) "say "hi" \\ {{ open }}"')
    assert notice.document["group"] == {"host": "web1", "region": "eu"}
    assert notice.document["n"] == 5
    assert notice.text == PLAIN.notice("webhook", about).text


@pytest.mark.parametrize(("template", "why"), [("{", "it makes no JSON: "), ("[1]", "it makes JSON, but no object")])
def test_a_document_that_is_no_json_object_gives_way_to_the_documented_one(
    templates: Templates, template: str, why: str
) -> None:
    templates.write("webhook.json.j2", template)

    notice = templates.builder().notice("webhook", growing())

    assert notice.fell_back.startswith(f"webhook.json.j2: {why}")
    assert notice.document["version"] == 1
    assert json.dumps(notice.document)
