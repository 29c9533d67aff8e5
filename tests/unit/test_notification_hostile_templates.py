"""No template costs more than it may, whatever stands in it: neither time, nor memory, nor the page."""

from __future__ import annotations

import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tasks.utils.template_meter import PATIENCE, Limits, Meter, TemplateLimitError
from tests.unit.notification_kit import Templates, bundle, growing, member

if TYPE_CHECKING:
    from pathlib import Path

LOOP = "{% for i in range(1000) %}"
END = "{% endfor %}"
ENDLESS = {
    "long text": "{{ 'a' * 1000000000 }}",
    "long list": "{{ [1] * 1000000000 }}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "growing number": f"{{% set n = namespace(x=9) %}}{LOOP}{{% set n.x = n.x * n.x %}}{END}",
    "wide format": "{{ '%1000000000s' % 'x' }}",
    "wide method": "{{ '{:1000000000}'.format(1) }}{{ 'x'.ljust(1000000000) }}",
    "wide filter": "{{ 'x' | center(1000000000) }}",
    "wide indent": "{{ 'x' | indent(1000000000) }}",
    "wide json": "{{ group | tojson(1000000000) }}",
    "long range": "{% for i in range(1000000000) %}{% endfor %}",
    "loops that say nothing": LOOP * 4 + END * 4,
    "loops that say much": LOOP * 2 + "x" + END * 2,
    "loops that keep what they say": "{% set kept %}" + LOOP * 2 + "x" * 1000 + END * 2 + "{% endset %}",
    "a loop that chooses": "{% for i in range(1000) if namespace(x=range(1000) | list) and false %}{% endfor %}" * 100,
    "a macro in itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a macro twice in itself": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "a caller in itself": "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}",
    "a block in itself": "{% block a %}{{ self.a() }}{% endblock %}",
    "a loop in itself": "{% for x in [1, 2] recursive %}{{ loop([1, 2]) }}{% endfor %}",
    "a file in itself": "{% include 'tried.j2' %}",
    "a file on itself": "{% extends 'tried.j2' %}",
    "a file from itself": "{% import 'tried.j2' as m %}",
    "doubled by ~": f"{{% set n = namespace(x='ab') %}}{LOOP}{{% set n.x = n.x ~ n.x %}}{END}",
    "doubled by +": f"{{% set n = namespace(x='ab') %}}{LOOP}{{% set n.x = n.x + n.x %}}{END}",
    "doubled list": f"{{% set n = namespace(x=[1, 2]) %}}{LOOP}{{% set n.x = n.x + n.x %}}{END}",
    "doubled by join": f"{{% set n = namespace(x='ab') %}}{LOOP}{{% set n.x = [n.x, n.x] | join(n.x) %}}{END}",
    "doubled by replace": f"{{% set n = namespace(x='a') %}}{LOOP}{{% set n.x = n.x | replace('a', 'aaaa') %}}{END}",
    "doubled by nesting": "{% set a = [1, 1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a | tojson }}",
    "doubled by naming": "{% set a = {'x': 1} %}" + "{% set a = {'x': a, 'y': a} %}" * 60 + "{{ a | tojson }}",
    "doubled by arguments": "{% macro m(n) %}{{ m(varargs, varargs) }}{% endmacro %}{{ m(1) }}",
    "doubled by stars": "{% macro m(a, b) %}{{ m(*[a, b]) }}{% endmacro %}{{ m(1, 2) }}",
    "deep parentheses": "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}",
    "deep lists": "{{ " + "[" * 2000 + "]" * 2000 + " }}",
    "deep conditions": "{% if 1 %}" * 800 + "{% endif %}" * 800,
    "deep loops": "{% for x in [1] %}" * 40 + END * 40,
    "a long sum": "{{ 1" + " + 1" * 2000 + " }}",
    "a long chain": "{{ 1" + " | string" * 2000 + " }}",
    "a long path": "{{ group" + ".a" * 20_000 + " }}",
    "many sorts": "{{ members | sort(attribute='summary') | map('details') | list | length }}" * 250 + "{{ oops }}",
    "many texts": "{{ title }}" * 1600,
    "a long number": "{{ " + "9" * 60_000 + " }}",
    "many signs": "{{" * 30_000,
    "many comments": "{#" * 30_000,
    "a large file": "x" * 70_000,
}


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.mark.parametrize("template", ENDLESS.values(), ids=ENDLESS)
def test_what_has_no_end_ends_soon_and_the_page_goes_out(templates: Templates, template: str) -> None:
    began = time.thread_time()

    notice = templates.notice(template)

    assert time.thread_time() - began < 1.0
    assert "tried.j2" in notice.fell_back
    assert notice.text.startswith("CRITICAL: 5 alerts firing on web1, eu: disk 2 full (3 new)\n")


@pytest.mark.parametrize(
    "name", ["long text", "loops that keep what they say", "doubled by ~", "doubled list", "many texts"]
)
def test_what_has_no_end_takes_little_memory(tmp_path: Path, name: str) -> None:
    templates = Templates(tmp_path)
    tracemalloc.start()
    try:
        templates.notice(ENDLESS[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 40_000_000


def test_time_is_up_even_where_little_work_was_counted() -> None:
    now = 0.0
    meter = Meter(Limits(), clock=lambda: now)
    meter.spend(PATIENCE)
    now = 0.3

    with pytest.raises(TemplateLimitError, match="longer than 250 ms"):
        meter.spend(1)


def test_a_pause_of_the_machine_is_no_fault_of_a_template_that_has_hardly_begun() -> None:
    now = 0.0
    meter = Meter(Limits(), clock=lambda: now)
    now = 60.0

    meter.spend(PATIENCE)


OUTWARD = [
    "{{ ''.__class__.__mro__ }}",
    "{{ ''['__class__'] }}",
    "{{ members[0].__class__ }}",
    "{{ members['__len__'] }}",
    "{{ say.__globals__ }}",
    "{{ say.__call__('more') }}",
    "{{ namespace.__init__ }}",
    "{{ namespace(x=1).__class__ }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{% for x in [1] %}{{ loop._iterator }}{% endfor %}",
    "{% for x in [1] %}{{ loop.cycle.__func__ }}{% endfor %}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% macro m() %}{% endmacro %}{{ m.name }}",
    "{% import 'shipped/pagerduty.j2' as m with context %}{{ m._body_stream }}",
    "{{ oops.__class__ }}",
    "{{ range.__class__ }}",
    "{{ (1).__class__ }}",
    "{{ none() }}",
    "{{ what() }}",
    "{{ cycler() }}{{ joiner() }}{{ lipsum() }}{{ dict() }}",
    "{{ what | attr('__class__') }}",
    "{{ [what] | map('__class__') | first }}",
    "{{ members | sort(attribute='__class__') | length }}",
    "{{ members | selectattr('__class__') | length }}",
    "{{ say('{0.__class__}') }}",
    "{% autoescape false %}{{ what }}{% endautoescape %}",
    "{% filter upper %}x{% endfilter %}",
    "{{ what | safe }}",
    "{% do members.clear() %}",
    "{{ group.update({'a': 1}) }}",
]


@pytest.mark.parametrize("template", OUTWARD)
def test_there_is_no_way_out_of_a_template(templates: Templates, template: str) -> None:
    notice = templates.notice(template)

    assert "tried.j2:1: " in notice.fell_back


def test_a_value_is_never_a_template(tmp_path: Path) -> None:
    about = bundle(member(1, summary="{{ 7 * 7 }} {% raw %} ${HOME} {0.__class__} %s"))

    assert Templates(tmp_path).text("{{ what }}", about) == "{{ 7 * 7 }} {% raw %} ${HOME} {0.__class__} %s"
    assert Templates(tmp_path).text("{{ say('one', what=what) }}", about).startswith("{{ 7 * 7 }}")


def test_one_builder_may_be_used_while_another_thread_uses_it(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    templates = Templates(tmp_path)
    templates.write("good.j2", "{% for m in members %}{{ m.summary }}{% endfor %}")
    templates.write("bad.j2", ENDLESS["loops that say nothing"])
    builder = templates.builder()

    with ThreadPoolExecutor(4) as pool:
        names = ["good", "bad"] * 10
        notices = list(pool.map(lambda name: builder.notice("slack", growing(), template=name), names))

    assert all(bool(notice.fell_back) == (name == "bad") for name, notice in zip(names, notices, strict=True))
