"""What a service file may say about routes, and what is refused with its line and its mend."""

from pathlib import Path

import pytest

from config.view import view
from tests.unit.config_kit import KEY, OTHER_KEY, SERVICE, Folder

THIRD_KEY = "T" * 32
CHANNELS = f"""\
channels:
  - {{name: primary, routing_key: {KEY}}}
  - {{name: night, routing_key: {OTHER_KEY}, routed_only: true}}
  - {{name: desk, routing_key: {THIRD_KEY}, routed_only: true}}
"""  # four lines, and one for `routes:`


def problems(path: Path, routes: str) -> list[str]:
    folder = Folder(path)
    folder.write("services/shop.yaml", f"{CHANNELS}routes:\n{routes}")
    return folder.problems()


def problem(path: Path, routes: str) -> str:
    (only,) = problems(path, routes)
    return only


def test_a_tree_is_read_as_it_is_written(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(
        "services/shop.yaml",
        f"""{CHANNELS}
routes:
  - name: database
    match: [team=db, 'host=~"db[0-9]+"']
    continue: true
    service: default
  - name: quiet
    severity: [Warning, info]
    time_zone: Europe/Berlin
    routes:
      - name: at-night
        times: [{{days: [Mon, tue], from: 9:00, to: 06:00}}]
        channels: [night, primary]
""",
    )

    database, quiet = folder.load().services["shop"].routes

    assert [str(matcher) for matcher in database.match] == ["team=db", "host=~db[0-9]+"]
    assert (database.goes_on, database.service) == (True, "default")
    assert quiet.severity == ("warning", "info")
    assert str(quiet.routes[0].times[0]) == "mon,tue 09:00-06:00"


def test_the_destinations_of_a_service_are_its_own_list_and_those_of_its_routes(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    routes = "  - {name: a, match: [x=1], channels: [night, primary]}\n  - {name: b, channels: [primary]}\n"
    folder.write("services/shop.yaml", f"{CHANNELS}routes:\n{routes}")

    assert folder.load().services["shop"].destinations == {"shop": ("primary",), "shop/night": ("night", "primary")}


def test_every_problem_of_a_tree_is_said_at_once_each_with_its_line(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        """\
  - name: a
    match: [team]
    severity: [citical]
    times: [{days: [mon], from: "25:00"}]
    time_zone: Europe/Berlim
    routes:
      - name: a
        match: ['host=~web(']
        channels: [nigth]
      - name: c
        service: defalt
  - name: d
  - name: e
    match: [x=1]
    chanels: [night]
""",
    )

    text = "\n".join(said)
    for found in (
        "services/shop.yaml:7: routes[0].match[0]: 'team' is no matcher",
        "services/shop.yaml:8: routes[0].severity[0]: must be 'critical', 'error', 'warning' or 'info', got 'citical'",
        "services/shop.yaml:9: routes[0].times[0].from: is no time of day, got '25:00'; mend: write hours and minutes",
        "services/shop.yaml:10: routes[0].time_zone: is no time zone, got 'Europe/Berlim'; mend: did you mean Europe/Berlin?",
        "services/shop.yaml:12: routes[0].routes[0].name: another route is called 'a' (services/shop.yaml:6)",
        "services/shop.yaml:13: routes[0].routes[0].match[0]: 'web(' is no regular expression",
        "services/shop.yaml:14: routes[0].routes[0].channels[0]: there is no channel 'nigth' in this service; mend: did you mean night?",
        "services/shop.yaml:16: routes[0].routes[1].service: there is no service 'defalt'; mend: did you mean default?",
        "services/shop.yaml:17: routes[1]: is empty; mend: give match, severity or times",
        "services/shop.yaml:20: routes[2].chanels: there is no such setting; mend: did you mean channels?",
    ):
        assert found in text
    assert all("; mend: " in one for one in said)
    assert str(tmp_path) not in text


def test_lists_that_begin_alike_must_be_equal(tmp_path: Path) -> None:
    said = problem(
        tmp_path,
        """\
  - {name: a, match: [x=1], channels: [night, primary]}
  - {name: b, match: [x=2], channels: [night, desk]}
  - {name: c, match: [x=3], channels: [night, primary]}
""",
    )

    assert said == (
        "services/shop.yaml:7: routes[1].channels: begins with 'night' like the list of route 'a' (night, primary), "
        "but goes on differently; mend: make the two equal, or begin with another channel"
    )


def test_a_list_that_begins_like_the_services_own_must_equal_it(tmp_path: Path) -> None:
    said = problem(tmp_path, "  - {name: a, match: [x=1], channels: [primary, night]}\n")

    assert "begins with 'primary' like the service's own list (primary), but goes on differently" in said
    assert "`routed_only: true`" in said


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("channels: [desk]", "match: [x=1]"),
        ("match: [x=1], channels: [desk]", "match: [y=2, x=1], severity: [info]"),
        ("severity: [info, error]", "severity: [error, info], times: [{days: [sat]}]"),
        ("times: [{days: [sat]}]", "times: [{days: [sat]}], match: [x=1]"),
    ],
)
def test_a_route_that_no_alert_can_reach_is_refused(tmp_path: Path, earlier: str, later: str) -> None:
    said = problem(tmp_path, f"  - {{name: first, {earlier}}}\n  - {{name: second, {later}, channels: [night]}}\n")

    assert said == (
        "services/shop.yaml:7: routes[1]: can never be taken: route 'first' before it takes every alert that would "
        "come here; mend: move it before 'first', or write `continue: true` there"
    )


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("channels: [desk], continue: true", "match: [x=1]"),
        ("match: [x=1]", "match: [x=2]"),
        ("match: [x=1], severity: [info]", "match: [x=1]"),
        ("times: [{days: [sat]}], time_zone: Asia/Tokyo", "times: [{days: [sat]}], time_zone: UTC"),
    ],
)
def test_a_route_that_an_alert_can_reach_is_not(tmp_path: Path, earlier: str, later: str) -> None:
    folder = Folder(tmp_path)
    routes = f"  - {{name: first, {earlier}}}\n  - {{name: second, {later}, channels: [night]}}\n"
    folder.write("services/shop.yaml", f"{CHANNELS}routes:\n{routes}")

    assert len(folder.load().services["shop"].routes) == 2


@pytest.mark.parametrize(
    ("route", "what"),
    [
        ("service: default, channels: [night]", "service: stands beside channels"),
        ("channels: [night, night]", "channel 'night' is in this list already"),
        ("match: [x=1], channels: []", "channels: needs at least one entry"),
        ("times: [{from: 08:00, to: '08:00'}]", "begins and ends at the same time"),
        ("times: [{from: '24:00', to: '06:00'}]", "begins at the end of the day"),
        ("times: [{to: '24:00'}]", "is the whole week"),
        ("times: [{days: [monday]}]", "days[0]: must be 'mon', 'tue'"),
        ("times: [{to: 8am}]", "to: is no time of day, got '8am'"),
        ("times: [{start: '08:00'}]", "start: there is no such setting; mend: "),
        ("match: [x=1], time_zone: Europe", "is no time zone, got 'Europe'"),
        ("match: [x=1], time_zone: ../../etc/passwd", "is no time zone"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, route: str, what: str) -> None:
    said = problem(tmp_path, f"  - {{name: a, {route}}}\n")

    assert said.startswith("services/shop.yaml:6: routes[0]")
    assert what in said


def test_a_service_keeps_a_channel_of_its_own(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", f"channels: [{{name: a, routing_key: {KEY}, routed_only: true}}]")

    assert "every channel is routed_only" in folder.problem()


def test_a_hand_over_to_a_service_whose_file_is_at_fault_is_no_fault(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/broken.yaml", "channels: []\n")
    folder.write("services/shop.yaml", f"{SERVICE}\nroutes: [{{name: a, match: [x=1], service: broken}}]\n")

    assert folder.problem().startswith("services/broken.yaml:1: channels: ")


def test_routes_stand_in_the_view_with_their_source(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(
        "services/shop.yaml",
        f"{CHANNELS}routes:\n  - {{name: a, match: [x=1], times: [{{from: 8:00}}], continue: true}}\n",
    )

    rows = {row.key: str(row).replace(f"{tmp_path}/", "") for row in view(folder.read())}

    assert rows["services.shop.routes[0].match[0]"].endswith("= x=1   (source: services/shop.yaml:6)")
    assert rows["services.shop.routes[0].times[0].from"].endswith("= 08:00   (source: services/shop.yaml:6)")
    assert rows["services.shop.routes[0].continue"].endswith("= True   (source: services/shop.yaml:6)")
