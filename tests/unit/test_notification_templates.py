"""Templates of the user's: which is taken, what they can say, and that a broken one loses no page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tasks.utils.notification_builder import NotificationBuilder
from tasks.utils.template_meter import Limits
from tests.unit.notification_kit import WORDY, Templates, growing, member, reminder, resolved, single

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = NotificationBuilder()


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    return Templates(tmp_path)


@pytest.fixture(scope="module")
def one_folder(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """For tests of many templates, each of which is tried in the place of the one before."""
    folder = tmp_path_factory.mktemp("outer") / "templates"
    folder.mkdir()
    return Templates(folder)


def test_a_file_of_the_same_name_takes_the_place_of_the_shipped_one(templates: Templates) -> None:
    templates.write("slack.j2", "ours: {{ what }}")

    notice = templates.builder().notice("slack", growing())

    assert notice.text == "ours: disk 2 full\n"
    assert notice.subject == PLAIN.notice("slack", growing()).subject


def test_a_file_for_one_language_is_taken_for_that_language_alone(templates: Templates) -> None:
    templates.write("slack.fr.j2", "à nous")
    builder = templates.builder()

    assert builder.notice("slack", growing(), locale="fr").text == "à nous\n"
    assert builder.notice("slack", growing()) == PLAIN.notice("slack", growing())


def test_a_channel_may_name_a_template_of_its_own(templates: Templates) -> None:
    templates.write("night.j2", "night {{ open }}")
    templates.write("night.subject.j2", "wake up")
    builder = templates.builder()

    for name in ("night", "night.j2"):
        notice = builder.notice("teams", growing(), template=name)
        assert (notice.subject, notice.text) == ("wake up", "night 5\n")
    assert builder.notice("teams", growing()) == PLAIN.notice("teams", growing())


def test_a_mail_whose_text_is_the_users_is_not_accompanied_by_html_that_says_something_else(
    templates: Templates,
) -> None:
    templates.write("night.j2", "night")
    templates.write("day.j2", "day")
    templates.write("day.html.j2", "<p>day {{ what }}</p>")
    templates.write("page.html.j2", "<p>page</p>")
    builder = templates.builder()

    assert builder.notice("email", growing(), template="night").html == ""
    assert builder.notice("email", growing(), template="day").html == "<p>day disk 2 full</p>\n"
    assert "5 firing" in builder.notice("email", growing(), template="page").text


def test_a_template_may_build_on_the_shipped_one_and_on_files_beside_it(templates: Templates) -> None:
    templates.write("parts.j2", "{% macro loud(text) %}!{{ text }}!{% endmacro %}")
    templates.write("slack.j2", "{% from 'parts.j2' import loud %}{{ loud(what) }}\n{% include 'shipped/slack.j2' %}")

    text = templates.builder().notice("slack", growing()).text

    assert text.startswith("!disk 2 full!\n*CRITICAL: 5 alerts firing")


def test_a_file_that_is_edited_or_appears_counts_from_the_next_notice_on(templates: Templates) -> None:
    builder = templates.builder()
    before = builder.notice("slack", growing()).text
    file = templates.write("slack.j2", "one")
    first = builder.notice("slack", growing()).text
    templates.write("slack.j2", "two")
    second = builder.notice("slack", growing()).text
    file.unlink()

    assert (first, second) == ("one\n", "two\n")
    assert builder.notice("slack", growing()).text == before


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ members[0].summary }}, {{ members | length }}", "disk 5 full, 5"),
        ("{{ members | map('source') | join(', ') }}", "db5, db4, db3, db2, db1"),
        ("{{ members | selectattr('severity', 'eq', 'critical') | map('summary') | first }}", "disk 2 full"),
        ("{{ members | rejectattr('action', 'in', ['resolve']) | length }}", "3"),
        ("{{ members | sort(attribute='source') | map('source') | last }}", "db5"),
        ("{% for name, value in group | items %}{{ name }}={{ value }} {% endfor %}", "host=web1 region=eu"),
        ("{{ group.host }}{{ group['region'] }}{{ group.nowhere }}", "web1eu"),
        (
            "{{ group.nowhere | default('none') }} {{ nowhere | default('none') }} {{ '' | d('x', true) }}",
            "none none x",
        ),
        ("{{ members[0].details.a.b.c | default('-') }}", "-"),
        ("{{ 'yes' if members[0].labels.runbook else 'no' }}", "no"),
        ("{{ what | upper | replace('DISK', 'disk') | cut(6) }}", "disk…"),
        ("{{ [1, 2] | tojson }} {{ group | tojson }}", '[1, 2] {"host": "web1", "region": "eu"}'),
        ("{{ 7 // 2 + 1 }} {{ 7 % 2 }} {{ 3 * 2.5 }} {{ 2.345 | round(1) }} {{ '12' | int + 1 }}", "4 1 7.5 2.3 13"),
        ("{{ 'x' | int }} {{ 'x' | float(1.5) }} {{ none }}{{ true }}", "0 1.5 true"),
        (
            "{% set n = namespace(sum=0) %}{% for i in range(4) %}{% set n.sum = n.sum + i %}{% endfor %}{{ n.sum }}",
            "6",
        ),
        ("{% for m in members if m.action == 'resolve' %}{{ loop.index }}{{ m.source }} {% endfor %}", "1db5 2db4"),
        ("{% for x in [1, 2, 3] %}{{ loop.cycle('a', 'b') }}{% endfor %}", "aba"),
        ("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice(open) ~ '!' }}", "55!"),
        ("{% macro frame() %}[{{ caller() }}]{% endmacro %}{% call frame() %}x{% endcall %}", "[x]"),
        ("{% block a %}{{ open }}{% endblock %}{{ self.a() }}", "55"),
        ("{% set x %}<{{ what }}>{% endset %}{{ x | trim }}", "<disk 2 full>"),
        ("{{ say('more', 1) }}, {{ say('count_resolved', 3) }}, {{ locale }}", "and 1 more, 3 resolved, en"),
        ("{{ 'abc'[1:] }}{{ 'abc' | reverse }}{{ members[:2] | length }}", "bccba2"),
        ("{{ 'https://x.example' | link('here') }} {{ 'nowhere' | link('here') }}", "here: https://x.example here"),
        ("{{ severity }} {{ status }} {{ at }} {{ id }}", "critical firing 2026-01-31T03:12:00Z bundle-1-7"),
    ],
)
def test_what_a_template_can_say(one_folder: Templates, template: str, text: str) -> None:
    assert one_folder.text(template).strip() == text


def test_details_can_be_named_and_shown_with_their_lines(templates: Templates) -> None:
    about = single(details={"trace": "one\ntwo <b>", "deep": {"list": [1, {"x": None}]}})

    assert templates.text("{{ members[0].details.trace | lines }}", about) == "one\ntwo <b>"
    assert templates.text("{{ members[0].details.trace }}", about) == r"one\ntwo <b>"
    assert templates.text("{{ members[0].details.deep.list[0] }}", about) == "1"
    assert templates.text("{{ members[0].details.deep | tojson }}", about) == '{"list": [1, {"x": null}]}'


BROKEN = {
    "syntax": ("a\n{% if %}", "2: Expected an expression, got 'end of statement block'"),
    "end": ("{% if open %}", "1: Unexpected end of template."),
    "undefined": ("a\n\n{{ opne }}", "3: 'opne' is undefined"),
    "attribute": ("{{ members[0].sumary }}", "1: there is no 'sumary' here; did you mean summary?"),
    "filter": ("{{ open | safe }}", "1: No filter named 'safe'."),
    "division": ("{{ 1 / 0 }}", "1: division by zero (ZeroDivisionError)"),
    "include": ("{% include 'gone.j2' %}", "1: it asks for gone.j2, and there is no such template"),
    "out": ("{% include '../secret.j2' %}", "1: it asks for ../secret.j2, and there is no such template"),
    "blank": ("{% if false %}x{% endif %}", " it makes no text at all"),
    "list": ("{{ members }}", "1: a list cannot be shown as it is; use `join`, `items` or `tojson`"),
    "method": ("{{ what.upper() }}", "1: a text has no 'upper'; filters take the place of methods: x | upper"),
}


@pytest.mark.parametrize("kind", WORDY)
@pytest.mark.parametrize(("template", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_template_gives_way_to_the_plain_default_which_says_so(
    one_folder: Templates, kind: str, template: str, reason: str
) -> None:
    one_folder.write("night.j2", template)
    one_folder.reported.clear()

    notice = one_folder.named("night", kind=kind)

    assert notice.fell_back.startswith(f"night.j2:{reason}")
    assert notice.text.startswith(PLAIN.notice(kind, growing()).text)
    foot = notice.text.removeprefix(PLAIN.notice(kind, growing()).text)
    assert "is broken: " in foot
    assert foot.endswith("; this is the plain default\n")
    assert [error.reason for error in one_folder.reported] == [notice.fell_back]


def test_the_note_is_in_the_language_of_the_notice_and_in_every_part_of_it(templates: Templates) -> None:
    templates.write("email.html.j2", "{{ oops }}")
    templates.write("webhook.subject.j2", "{{ oops }}")
    builder = templates.builder()

    mail = builder.notice("email", growing(), locale="fr")
    hook = builder.notice("webhook", growing())

    note = "le modèle email.html.j2:1 est défectueux\u00a0: "
    assert note in mail.text
    assert note in mail.html
    assert mail.html.rstrip().endswith("</html>")
    assert hook.document["note"].startswith("template webhook.subject.j2:1 is broken: ")
    assert hook.subject == PLAIN.notice("webhook", growing()).subject


def test_only_the_broken_part_falls_back(templates: Templates) -> None:
    templates.write("email.j2", "our own text")
    templates.write("email.subject.j2", "{{ oops")

    notice = templates.builder().notice("email", growing())

    assert notice.subject == "[FIRING:5] checkout: disk 2 full"
    assert notice.text.startswith("our own text\n\ntemplate email.subject.j2:1 is broken")


@pytest.mark.parametrize(
    "name", ["gone", "../night", "/etc/passwd", "a/b", "..", ".hidden", "nul", "x" * 300, "é", "a\x00b"]
)
@pytest.mark.parametrize("kind", WORDY)
def test_a_name_that_is_no_file_of_the_folder_is_a_broken_template(one_folder: Templates, name: str, kind: str) -> None:
    (one_folder.folder.parent / "night.j2").write_text("escaped")

    notice = one_folder.named(name, kind=kind)

    assert "there is no template" in notice.fell_back
    assert "escaped" not in notice.text
    assert notice.text.startswith(PLAIN.notice(kind, growing()).text)


def test_a_link_out_of_the_folder_is_not_followed(templates: Templates, tmp_path: Path) -> None:
    secret = tmp_path.parent / "secret.j2"
    secret.write_text("the secret")
    (tmp_path / "night.j2").symlink_to(secret)

    notice = templates.builder().notice("slack", growing(), template="night")

    assert "night.j2: it cannot be read: 'night.j2' is a link out of " in notice.fell_back
    assert "the secret" not in notice.text


def test_files_that_cannot_be_read_are_broken_templates(templates: Templates, tmp_path: Path) -> None:
    (tmp_path / "latin.j2").write_bytes("é".encode("latin-1"))
    (tmp_path / "large.j2").write_text("x" * 70_000)
    (tmp_path / "gone.j2").symlink_to(tmp_path / "nothing.j2")
    builder = templates.builder()

    assert builder.notice("slack", growing(), template="latin").fell_back == "latin.j2: it is not UTF-8 text"
    assert builder.notice("slack", growing(), template="large").fell_back == "large.j2: it is larger than 64 KB"
    assert "gone.j2: it cannot be read: No such file" in builder.notice("slack", growing(), template="gone").fell_back


@pytest.mark.parametrize("about", [growing(), single(), reminder(), resolved()])
@pytest.mark.parametrize("kind", WORDY)
def test_plain_lines_remain_where_even_the_shipped_templates_fail(kind: str, about: object) -> None:
    builder = NotificationBuilder(limits=Limits(work=1))

    notice = builder.notice(kind, about)  # type: ignore[arg-type]

    assert f"{kind}.j2" in notice.fell_back
    assert notice.subject == PLAIN.notice("webhook", about).subject  # type: ignore[arg-type]
    assert "web1" in notice.text or "disk 1 full" in notice.text
    assert bool(notice.html) == (kind == "email")


def test_plain_lines_are_escaped_as_their_medium_asks_for() -> None:
    builder = NotificationBuilder(limits=Limits(work=1))
    about = single(summary="<script>alert(1)</script> <!channel> [x](http://y)")

    assert "<!channel>" not in builder.notice("slack", about).text
    assert "<script>" not in builder.notice("email", about).html
    assert r"\[x\]\(" in builder.notice("teams", about).text


def test_a_template_sees_labels_of_senders_choice_and_never_a_method_of_a_mapping(templates: Templates) -> None:
    about = growing()
    about.members = [member(1, labels={"items": "mine", "keys": "too", "__class__": "label"})]
    about.group = {"get": "x"}

    text = templates.text("{{ members[0].labels.items }} {{ members[0].labels['__class__'] }} {{ group.get }}", about)

    assert text == "mine label x"
