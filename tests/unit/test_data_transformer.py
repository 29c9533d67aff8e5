from pathlib import Path
from typing import Any

import pytest

from tasks.utils.data_transformer import Ignored
from tasks.utils.error_handler import InvalidAlertError
from tests.unit.mapping_kit import EACH, Mapper


@pytest.fixture
def mapper(tmp_path: Path) -> Mapper:
    return Mapper(tmp_path)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('"{a.b}"', {"c": [10, 20]}),
        ('"{a.b.c[0]}"', 10),
        ('"{a.b.c[-1]}"', 20),
        ('"{a.b.c[7]}"', None),
        ("'{[\"odd key\"].x}'", "y"),
        ('"{tags[name=disk].value}"', 5),
        ('"{tags[name=none].value}"', None),
        ('"{tags[*].name}"', ["disk", "cpu"]),
        ('"{pairs[0=host][1]}"', "db-1"),
        ('"{$.yes}"', True),
        ('"{$header.X-Kind}"', None),
        ('{from: "a.b.c[1]"}', 20),
    ],
)
def test_a_path_finds_a_value_as_it_is(mapper: Mapper, value: str, found: object) -> None:
    document = {
        "a": {"b": {"c": [10, 20]}},
        "odd key": {"x": "y"},
        "tags": [{"name": "disk", "value": 5}, {"name": "cpu"}],
        "pairs": [["level", "x"], ["host", "db-1"]],
        "yes": True,
    }

    assert mapper.value(value, document) == found


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ('"{host}: {n} of {size}"', "db-1: 3 of 1.5"),
        ('"{host}: {absent}"', None),
        ('"{host}: {absent|none}"', "db-1: none"),
        ('"{blank|empty}"', "empty"),
        ('"{{{host}}}"', "{db-1}"),
        ('"on: {yes}"', "on: true"),
        ('"{list} {object}"', 'a, b {"k":"v"}'),
        ('{first: ["{absent}", "{blank}", "{host}"]}', "db-1"),
        ('{first: ["{absent}"], default: "on {host}"}', "on db-1"),
        ("{from: host, map: {db-1: one, db-2: two}}", "one"),
        ("{from: host, map: {db-2: two}}", None),
        ("{from: host, map: {db-2: two}, default: other}", "other"),
        ("{from: n, map: {3: three}}", "three"),
        ("{from: loud, lower: true}", "panic"),
        ("{from: loud, lower: true, map: {panic: 911}}", "911"),
        ("{from: text, parse: json}", {"deep": [1]}),
        ("{from: host, parse: json}", None),
    ],
)
def test_a_value_is_made_as_it_is_written(mapper: Mapper, value: str, made: object) -> None:
    document = {
        "host": "db-1",
        "n": 3,
        "size": 1.5,
        "blank": " ",
        "yes": True,
        "loud": "PANIC",
        "text": '{"deep": [1]}',
        "list": ["a", "b"],
        "object": {"k": "v"},
    }

    assert mapper.value(value, document) == made


def test_a_hash_tells_values_apart_and_does_not_see_the_order_of_keys(mapper: Mapper) -> None:
    def digest(document: dict[str, object]) -> Any:
        return mapper.value('{hash: ["{a}", "{b}"]}', document)

    assert len(digest({"a": "x", "b": "y"})) == 32
    assert digest({"a": "x", "b": "y"}) != digest({"a": "xy"})
    assert digest({"a": {"p": 1, "q": 2}}) == digest({"a": {"q": 2, "p": 1}})
    assert digest({}) is None


def test_let_names_a_part_and_json_within_a_text(mapper: Mapper) -> None:
    above = "let:\n  outer: {from: message, parse: json}\n  inner: {from: $outer.detail}"

    assert mapper.value('"{$inner.state}"', {"message": '{"detail": {"state": "ALARM"}}'}, above) == "ALARM"
    assert mapper.value('"{$inner.state}"', {"message": "no json"}, above) is None


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (1767225600, "2026-01-01T00:00:00.000+00:00"),
        ("1767225600000", "2026-01-01T00:00:00.000+00:00"),
        (1767225600.5, "2026-01-01T00:00:00.500+00:00"),
        (1767225600000000000, "2026-01-01T00:00:00.000+00:00"),
        ("2026-01-12T16:30:42.236+0100", "2026-01-12T16:30:42.236+01:00"),
        ("2026-01-12T16:30:42Z", "2026-01-12T16:30:42.000+00:00"),
        ("2026-01-12 16:30", "2026-01-12T16:30:00.000+00:00"),
        ("yesterday", None),
        (float("inf"), None),
        (1e300, None),
        ({}, None),
        (True, None),
    ],
)
def test_a_timestamp_is_understood_in_every_usual_form(mapper: Mapper, moment: object, text: str | None) -> None:
    [alert] = mapper.with_fields('timestamp: "{at}"').alerts({"id": 1, "title": "t", "at": moment})

    assert alert["payload"].get("timestamp") == text


def test_each_makes_an_alert_of_every_entry_and_one_at_fault_costs_no_other(mapper: Mapper) -> None:
    entries = [
        {"id": 1, "title": "one"},
        {"id": 2},
        {"id": 3, "title": "three", "muted": True},
        {"id": 4, "title": "four"},
    ]

    made = mapper.of(EACH).outcomes({"group": "g", "items": entries})

    assert [each["dedup_key"] for each in made if isinstance(each, dict)] == ["g/1", "g/4"]
    assert made[2] == Ignored("muted")
    assert isinstance(made[1], InvalidAlertError)
    assert str(made[1]) == (
        "own.yaml:11: summary: the document has nothing fit for it at $item.title; "
        "mend: correct the path, complete the `map`, or give a `default`"
    )


@pytest.mark.parametrize(
    ("document", "rule"),
    [({"kind": "test-2"}, "test"), ({"kind": "quiet", "age": 3}, "quiet and old"), ({"kind": "quiet"}, None)],
)
def test_a_rule_ignores_a_document_by_name(mapper: Mapper, document: dict[str, Any], rule: str | None) -> None:
    made = mapper.of(EACH).outcomes({"group": "g", "title": "t", **document})

    assert (made == [Ignored(rule)]) == (rule is not None)


def test_the_first_shape_that_holds_is_taken_and_a_document_for_none_is_told_so(mapper: Mapper) -> None:
    transformer = mapper.of(EACH)

    assert transformer.alerts({"group": "g", "title": "t"})[0]["event_action"] == "resolve"
    with pytest.raises(InvalidAlertError, match="the document fits none of 'list', 'single'; mend:"):
        transformer.alerts({"group": "g"})


def test_each_needs_a_list(mapper: Mapper) -> None:
    transformer = mapper.of(EACH.replace("when: items[0]", "when: items"))

    with pytest.raises(InvalidAlertError, match=r"own\.yaml:7: each: the document has no list at items"):
        transformer.alerts({"group": "g", "items": "x"})


def test_an_action_that_is_none_is_told_with_the_words_there_are(mapper: Mapper) -> None:
    transformer = mapper.of('alerts: [{fields: {event_action: "{state}", dedup_key: x, summary: y}}]')

    with pytest.raises(InvalidAlertError) as caught:
        transformer.alerts({"state": "on fire"})

    assert str(caught.value) == (
        "own.yaml:1: event_action: the document makes it 'on fire', which is none of trigger, acknowledge, resolve, change; "
        "mend: give the words of the sender a `map`"
    )


def test_no_mapping_sees_who_may_send(mapper: Mapper) -> None:
    transformer = mapper.with_fields(
        'custom_details: {a: "{$header.authorization}", b: "{$header.x-b}", c: "{$header}"}'
    )

    [alert] = transformer.alerts({"id": 1, "title": "t"}, {"Authorization": "Bearer x", "Cookie": "x", "X-B": "seen"})

    assert alert["payload"]["custom_details"] == {"b": "seen", "c": {"x-b": "seen"}}


def test_a_change_needs_no_key_and_has_none(mapper: Mapper) -> None:
    transformer = mapper.of('alerts: [{fields: {event_action: change, summary: "{title}"}}]')

    assert transformer.alerts({"title": "deployed"}) == [{"event_action": "change", "payload": {"summary": "deployed"}}]


@pytest.mark.parametrize(
    "text", ["{id}", "{{7*7}}", "${HOME}", "{$header.authorization}", "%(id)s", "{0.__class__}", "<script>", "{title"]
)
def test_text_of_a_document_is_never_taken_for_a_template(mapper: Mapper, text: str) -> None:
    transformer = mapper.with_fields('source: "{host}"\ncustom_details: {again: "{title} {title}"}')

    [alert] = transformer.alerts({"id": text, "title": text, "host": text}, {"Authorization": "a secret"})

    assert alert["dedup_key"] == alert["payload"]["summary"] == alert["payload"]["source"] == text
    assert alert["payload"]["custom_details"] == {"again": f"{text} {text}"}


def test_a_key_of_any_length_stays_one_of_its_own(mapper: Mapper) -> None:
    transformer = mapper.with_fields("")
    keys = [transformer.alerts({"id": "x" * 5000 + end, "title": "t"})[0]["dedup_key"] for end in ("a", "b", "a")]

    assert len(keys[0]) < 1_100
    assert keys[0] == keys[2] != keys[1]
