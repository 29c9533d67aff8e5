import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from config.errors import ConfigError, UnfitError
from config.mapping_files import load_mapping
from config.mapping_paths import parse_path, parse_text
from config.mapping_values import KEYS
from config.view import view
from tests.searching import searched
from tests.unit.config_kit import Folder
from tests.unit.mapping_kit import Mapper

OWN = """\
description: Ours.
alerts:
  - fields: {event_action: trigger, dedup_key: "{id}", summary: "{title}"}
"""


@pytest.fixture
def mapper(tmp_path: Path) -> Mapper:
    return Mapper(tmp_path)


def test_a_mapping_is_one_file_more_beside_the_shipped_ones(tmp_path: Path) -> None:
    folder = Folder(tmp_path, with_shipped_mappings=True)
    folder.write("mappings/own.yaml", OWN)

    mappings = folder.load().mappings

    assert set(mappings) == {"own", "cloudwatch_sns", "datadog", "generic", "grafana", "sentry"}
    assert mappings["own"].options.description == "Ours."


def test_a_file_of_ones_own_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    folder = Folder(tmp_path, with_shipped_mappings=True)
    folder.write("mappings/sentry.yaml", OWN)

    assert folder.load().mappings["sentry"].options.description == "Ours."


def test_every_fault_of_every_mapping_is_told_at_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path, with_shipped_mappings=True)
    folder.write("mappings/a.yaml", "alert: []\n")
    folder.write("mappings/b.yaml", OWN.replace("{id}", "{id"))
    folder.write("mappings/Not a name.yaml", OWN)

    problems = folder.problems()

    assert [problem.partition("; mend: ")[0] for problem in problems] == [
        "mappings/Not a name.yaml: 'Not a name' cannot be the name of a mapping",
        "mappings/a.yaml:1: alert: there is no such key",
        "mappings/a.yaml:1: alerts: is missing",
        "mappings/b.yaml:3: alerts[0].fields.dedup_key: has a lone '{'",
    ]
    assert [problem.partition("; mend: ")[2] for problem in problems] == [
        "rename it: small letters, digits, - and _, since the name stands in an address",
        "did you mean alerts?",
        "write entries with `fields` and, where wanted, name, when, each, ignore",
        "write {path} or {path|text if there is none}; write {{ and }} where a brace itself is meant",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("sumary: x", "alerts[0].fields.sumary: there is no such key; mend: did you mean summary?"),
        ('source: "{a..b}"', "alerts[0].fields.source: 'a..b' is no path; mend: write names with dots"),
        ('source: "{}"', "alerts[0].fields.source: '' is no path; mend: write names"),
        ("source: {from: a, text: b}", "alerts[0].fields.source: has from and text, only one can be"),
        ("source: {lower: true}", "alerts[0].fields.source: needs one of from, text, first, hash; mend:"),
        ("source: [a]", "alerts[0].fields.source: must be a value; mend:"),
        ("source:", "alerts[0].fields.source: has no value; mend:"),
        ("source: {first: []}", "alerts[0].fields.source.first: is empty; mend:"),
        ("source: {first: a}", "alerts[0].fields.source.first: must be a list; mend:"),
        ("source: {from: a, lower: 'yes'}", "alerts[0].fields.source.lower: is unknown; mend: write true or false"),
        ("source: {from: a, parse: xml}", "alerts[0].fields.source.parse: is unknown; mend: write json"),
        ("source: {from: a, map: [x]}", "alerts[0].fields.source.map: must be a table; mend:"),
        ("severity: {from: a, map: {x: fatal}}", "severity: can become 'fatal'; mend: known here: critical, error,"),
        ("severity: {first: ['{a}'], default: bad}", "alerts[0].fields.severity: can become 'bad'; mend:"),
        (
            'source: "{$item.x}"',
            "there is no $item here; $item is known beneath `each` only; mend: known here: $header",
        ),
        ('source: "{$alarm.x}"', "alerts[0].fields.source: there is no $alarm here; mend:"),
        ('source: "{a[*][*][*]}"', "alerts[0].fields.source: the path 'a[*][*][*]' is too long; mend:"),
        ("custom_details: [a]", "alerts[0].fields.custom_details: must be keys and values; mend:"),
        ("links: [{text: x}]", "alerts[0].fields.links[0].href: is missing; mend:"),
    ],
)
def test_a_slip_in_a_field_is_told_with_its_line_and_its_mend(mapper: Mapper, line: str, problem: str) -> None:
    fields = (
        f'alerts:\n  - fields:\n      event_action: trigger\n      dedup_key: x\n      summary: "{{s}}"\n      {line}\n'
    )

    [told] = mapper.problems(fields)

    assert told.startswith("own.yaml:6: ")
    assert problem in told


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "own.yaml: alerts: is missing"),
        ("alerts: []", "own.yaml:1: alerts: is empty"),
        ("alerts: x", "own.yaml:1: alerts: must be a list"),
        ("alerts: [{when: a=b}]", "own.yaml:1: alerts[0].fields: is missing"),
        ("alerts: [{fields: {dedup_key: a, summary: b}}]", "own.yaml:1: alerts[0].fields.event_action: is missing"),
        (
            "alerts: [{fields: {event_action: trigger, summary: b}}]",
            "own.yaml:1: alerts[0].fields.dedup_key: is missing",
        ),
        (f"let: {{item: x}}\n{OWN}", "own.yaml:1: let.item: is no name that can be given"),
        (f"let: [x]\n{OWN}", "own.yaml:1: let: must be names with values"),
        (f'let: {{a: "{{$b}}", b: "{{x}}"}}\n{OWN}', "own.yaml:1: let.a: there is no $b here"),
        (f"ignore: [{{name: x}}]\n{OWN}", "own.yaml:1: ignore[0]: needs a name and a when"),
        (f"ignore: [{{name: x, when: a}}]\n{OWN}", "own.yaml:1: ignore[0].when: 'a' is no matcher"),
        (f"ignore: [{{name: x, when: 'a=~('}}]\n{OWN}", "own.yaml:1: ignore[0].when: '(' is no regular expression"),
        (f"signature: {{secret: x}}\n{OWN}", "own.yaml:1: signature.header: is missing"),
        (f"signature: {{header: X, algorithm: md5}}\n{OWN}", "own.yaml:1: signature.algorithm: must be 'sha256'"),
        (f"sns: {{verify: perhaps}}\n{OWN}", "own.yaml:1: sns.verify: must be a valid boolean"),
    ],
)
def test_a_slip_in_the_frame_is_told_with_its_line_and_its_mend(mapper: Mapper, text: str, problem: str) -> None:
    [told] = mapper.problems(text)

    assert told.startswith(problem)
    assert "; mend: " in told


FRAME = (
    "let",
    "ignore",
    "alerts",
    "name",
    "when",
    "each",
    "fields",
    "links",
    "href",
    "custom_details",
    "signature",
    "sns",
)
NAMES = [*FRAME, *KEYS, "event_action", "dedup_key", "summary"]
TEXTS = [None, "{a}", "{$item.x}", "$b", "a=b", "a[*]", "json", "true", "{", "trigger", "", "-1", "\u2028", "{a|b}}"]


def anything(chance: random.Random, depth: int = 0) -> Any:
    """A text, a list or a table of such things, with names that mean something."""
    kind = chance.randint(0, 5 if depth < 4 else 2)
    if kind < 3:
        return chance.choice(TEXTS)
    below = [anything(chance, depth + 1) for _ in range(chance.randint(0, 5))]
    return below if kind == 3 else dict(zip(chance.sample(NAMES, len(below)), below, strict=True))


# A draw of Hypothesis costs more than reading the mapping does: one for each of a few large parts.
PARTS = [anything(random.Random(number)) for number in range(5000)]


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(PARTS), max_size=5))
@searched(80, HealthCheck.function_scoped_fixture)
def test_whatever_stands_in_a_mapping_is_read_or_told(mapper: Mapper, content: dict[str, object]) -> None:
    mapper.file.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper), encoding="utf-8")

    try:
        load_mapping(mapper.file, {})
    except ConfigError as error:
        told = [problem.mend for problem in error.problems]
    else:
        told = ["nothing"]

    assert all(told)


@searched(40)
@given(st.text(st.sampled_from("ab.[]*=-'\"${}|0 "), max_size=20))
def test_whatever_stands_in_a_text_is_read_or_told(text: str) -> None:
    with suppress(UnfitError):
        parse_text(text)
    with suppress(UnfitError):
        parse_path(text)


def test_a_value_nested_without_end_is_refused(mapper: Mapper) -> None:
    value = "{first: [" * 12 + "x" + "]}" * 12

    [told] = mapper.problems(f"alerts: [{{fields: {{event_action: trigger, dedup_key: x, summary: {value}}}}}]")

    assert "is nested too deep; mend: use at most 8 levels" in told


def test_the_secret_of_a_mapping_comes_from_the_environment_and_is_shown_nowhere(tmp_path: Path) -> None:
    folder = Folder(tmp_path, with_shipped_mappings=True)
    folder.write("mappings/own.yaml", f"signature: {{header: X-Signature, secret: '${{OWN_SECRET}}'}}\n{OWN}")

    loaded = folder.read({"OWN_SECRET": "swordfish"})
    signature = loaded.settings.mappings["own"].options.signature

    assert signature is not None
    assert signature.secret is not None
    assert signature.secret.get_secret_value() == "swordfish"
    assert "swordfish" not in repr(loaded.settings) + "".join(map(str, view(loaded)))
    assert "OWN_SECRET is not set" in folder.problem({})
