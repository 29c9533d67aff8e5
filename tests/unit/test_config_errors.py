import pickle
import traceback
from pathlib import Path

import pytest

from config.errors import ConfigError, Problem
from tests.unit.config_kit import ENCRYPTION_KEY, KEY, Folder

SECRET = "geheimgeheim"


def test_all_problems_of_all_sources_are_said_at_once_each_with_its_place(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", "pagerduty:\n  api_timout: 3\n  retry_attempts: three\ndelivery: 5\n")
    folder.write("environments/development.yaml", "gateway:\n  port: 70000\n")
    folder.write("services/payments.yaml", "channels:\n  - name: primary\n    routing_key: 'abc\n")
    folder.write("services/shop.yaml", "channels:\n  - name: primary\n    routing_key: abc\n")

    problems = folder.problems({"REDIS_URL": "http://x", "TOCSIN_DEDUP__WINDO": "1", "JWT_SECRET_FILE": "/nowhere"})

    assert sorted(problem.partition("; mend: ")[0] for problem in problems) == [
        "environment JWT_SECRET_FILE: /nowhere cannot be read: No such file or directory",
        "environment REDIS_URL: redis.url: is not a Redis URL: the scheme 'http' is unknown",
        "environment TOCSIN_DEDUP__WINDO: there is no such setting",
        "environments/development.yaml:2: gateway.port: must be less than or equal to 65535, got '70000'",
        "pagerduty.yaml:2: pagerduty.api_timout: there is no such setting",
        "pagerduty.yaml:3: pagerduty.retry_attempts: must be a whole number, got 'three'",
        "pagerduty.yaml:4: delivery: must be a section of keys and values, got '5'",
        "services/payments.yaml:4: broken YAML: while scanning a quoted scalar, found unexpected end of stream",
        "services/shop.yaml:3: channels[0].routing_key: must be exactly 32 letters and digits, has 3 characters",
    ]
    assert all("; mend: " in problem for problem in problems)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("redis:\n  url: x\n prefix: y\n", 3, "did not find expected"),
        ("redis:\n\turl: x\n", 2, "character that cannot start any token"),
        ("redis: {url: x\n", 2, "did not find expected ',' or '}'"),
        ("redis: url: x\n", 1, "mapping values are not allowed"),
        ("dedup: 1\n---\ndedup: 2\n", 2, "found another document"),
        ("dedup: \x01", 1, "control characters"),
        (f"security: {{jwt_secret: *{SECRET}}}", 1, "undefined alias"),
        (f"security: {{jwt_secret: !{SECRET}!x y}}", 1, "undefined tag handle"),
    ],
)
def test_broken_yaml_is_said_with_line_and_reason(tmp_path: Path, text: str, line: int, what: str) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", text)

    problem = folder.problem()

    assert problem.startswith(f"pagerduty.yaml:{line}: broken YAML: ")
    assert what in problem
    assert SECRET not in problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a\n- b\n", "pagerduty.yaml:1: holds no settings; mend: write keys and values, such as `name: value`"),
        ("dedup: {window: 1}\ndedup: {window: 2}\n", "pagerduty.yaml:2: dedup: is written twice, first in line 1"),
        ("dedup: !secret x\n", "pagerduty.yaml:1: dedup: YAML tags are not supported"),
        ("dedup: &a [*a]\n", "pagerduty.yaml:1: dedup[0]: an alias contains itself"),
        ("a: &a {x: 1}\ndedup:\n  <<: *a\n", "pagerduty.yaml:3: dedup: a key must be a plain word"),
        ("[a, b]: 1\n", "pagerduty.yaml:1: a key must be a plain word"),
        ("config_dir: /x\n", "pagerduty.yaml:1: config_dir: cannot be set here; mend: set it outside of the files"),
        ("services: {}\n", "pagerduty.yaml:1: services: cannot be set here; mend: a service is a file of its own"),
    ],
)
def test_yaml_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", text)

    assert any(found.startswith(problem) for found in folder.problems())


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "pagerduty.yaml").write_bytes(b"\xff\xfe\x00")

    assert folder.problem().startswith("pagerduty.yaml: cannot be read: it is not UTF-8 text")


def test_values_stay_the_text_they_are_in_the_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    digits = "01234567" * 4
    folder.write("services/default.yaml", f"team: no\nchannels: [{{name: 007, routing_key: {digits}}}]")

    service = folder.load().services["default"]

    assert (service.team, service.channels[0].name) == ("no", "007")
    assert service.channels[0].routing_key.get_secret_value() == digits


@pytest.mark.parametrize(
    ("variable", "mend"),
    [
        ("TOCSIN_REDIS__URLL", "did you mean TOCSIN_REDIS__URL?"),
        ("TOCSIN_REDIS_URL", "did you mean TOCSIN_REDIS__URL?"),
        ("TOCSIN_ZZZ__QQQ_9", "remove it; docs/configuration.md lists all"),
        ("TOCSIN_SERVICES__SHOP__TEAM", "services are set in services/NAME.yaml"),
    ],
)
def test_unknown_variables_are_refused_with_the_nearest_name(tmp_path: Path, variable: str, mend: str) -> None:
    problem = Folder(tmp_path).problem({variable: SECRET})

    assert problem.startswith(f"environment {variable}: there is no such setting; mend: {mend}")


def test_variables_of_others_are_left_alone(tmp_path: Path) -> None:
    Folder(tmp_path).load({"TOCSIN_BENCH": "1", "OTHER__THING": "2", "TOCSIN_STATE_DIR": "/s"})


def test_unknown_keys_without_a_near_name_list_the_known_ones(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", "dedup:\n  xyzzy:\n")

    assert folder.problem() == (
        "pagerduty.yaml:2: dedup.xyzzy: there is no such setting; mend: remove it; known here: window"
    )


def test_an_unknown_flag_is_refused(tmp_path: Path) -> None:
    assert "flag: gateway.prot: there is no such setting; mend: did you mean port?" in Folder(tmp_path).problem(
        overrides={"gateway.prot": 1}
    )


def test_an_unset_variable_in_a_file_is_said_once_with_three_ways_out(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/default.yaml", "channels:\n  - name: a\n    routing_key: ${SHOP_KEY}\n")

    assert folder.problem() == (
        "services/default.yaml:3: channels[0].routing_key: the environment variable SHOP_KEY is not set; "
        "mend: export SHOP_KEY=…, or SHOP_KEY_FILE=/path/to/file, or give a default here: ${SHOP_KEY:-default}"
    )


def test_variables_in_files_are_replaced(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", "flower: {user: '${A:-x}-${B}-$${C}-$D', password: '${E:-}'}")
    secret = folder.write("secrets/b", "from-file\n")

    flower = folder.load({"B_FILE": str(secret)}).flower

    assert flower.user == "x-from-file-${C}-$D"
    assert flower.password is None


@pytest.mark.parametrize("text", ["${", "${}", "${A B}", "${1A}", "${A:-b"])
def test_a_malformed_variable_is_refused(tmp_path: Path, text: str) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", f"redis: {{prefix: '{text}x:'}}")

    assert folder.problems()[0].startswith("pagerduty.yaml:1: redis.prefix: holds a ${ that is not a variable")


def test_a_wrong_value_that_came_by_a_variable_names_the_variable(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/default.yaml", "channels:\n  - name: a\n    routing_key: ${SHOP_KEY}\n")

    problem = folder.problem({"SHOP_KEY": SECRET})

    assert problem.startswith("services/default.yaml:3: channels[0].routing_key (from ${SHOP_KEY}): must be exactly 32")
    assert SECRET not in problem


def test_secret_files_that_cannot_serve_are_said(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff")
    environ = {
        "ENCRYPTION_KEY_FILE": str(tmp_path),
        "JWT_SECRET_FILE": str(folder.write("secrets/empty", "\n")),
        "PAGERDUTY_API_KEY_FILE": str(tmp_path / "binary"),
        "REDIS_URL_FILE": "\0",
    }

    problems = "\n".join(folder.problems(environ))

    for what in ("Is a directory", "secrets/empty is empty", "binary is not UTF-8 text", "cannot be read: not a path"):
        assert what in problems


def test_files_that_would_not_be_read_are_pointed_out(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/shop.yml", "x")
    folder.write("services/.draft.yaml", "x")

    assert folder.problem().startswith("services/shop.yml: is not read: files of the configuration end in .yaml")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    from config.settings import load

    with pytest.raises(ConfigError, match=r"environment TOCSIN_CONFIG_DIR: config_dir: .*nowhere is not a folder"):
        load(environ={"HOME": "/h", "TOCSIN_CONFIG_DIR": str(tmp_path / "nowhere")})


def test_a_home_that_is_not_known_is_said(tmp_path: Path) -> None:
    problem = Folder(tmp_path).problem({"TOCSIN_STATE_DIR": "~nobody-of-this-name/state"})

    assert "the home folder of ~nobody-of-this-name/state is not known; mend: set TOCSIN_STATE_DIR" in problem


def test_a_value_in_place_of_a_section_is_refused_whatever_stood_below(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", "dedup: {window: 1}")
    folder.write("environments/development.yaml", "dedup: 5")

    assert "environments/development.yaml:1: dedup: must be a section of keys and values" in folder.problem()


def test_the_file_of_an_environment_cannot_choose_the_environment(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("environments/staging.yaml", "environment: production")

    assert "environments/staging.yaml:1: environment: cannot be set" in folder.problem({"ENVIRONMENT": "staging"})


def test_an_unknown_environment_is_refused(tmp_path: Path) -> None:
    problem = Folder(tmp_path).problem({"ENVIRONMENT": "produktion"})

    assert "must be 'development', 'staging' or 'production', got 'produktion'" in problem


@pytest.mark.parametrize(
    ("environ", "what"),
    [
        ({"TOCSIN_DELIVERY__LEASE": "5s"}, "delivery: lease must be longer than deadline"),
        ({"TOCSIN_DELIVERY__BACKOFF_CAP": "10ms"}, "delivery: backoff_cap is shorter than backoff_base"),
    ],
)
def test_times_that_contradict_each_other_are_refused(tmp_path: Path, environ: dict[str, str], what: str) -> None:
    assert what in Folder(tmp_path).problem(environ)


def test_no_secret_is_in_any_error_nor_its_traceback(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", f"security: [{SECRET}]\nflower: {{password: [{SECRET}]}}\n")
    channel = f"{{name: a, routing_key: {SECRET}, retired_keys: {SECRET}}}"
    folder.write("services/default.yaml", f"ingest_keys: [{SECRET}, {SECRET}]\nchannels: [{channel}]\n")
    environ = {"ENCRYPTION_KEY": SECRET, "REDIS_URL": f"redis://:{SECRET}@h:port", "TOCSIN_CACHE__REDIS_URL": SECRET}

    with pytest.raises(ConfigError) as caught:
        folder.load(environ)

    assert len(caught.value.problems) >= 8
    assert SECRET not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


def test_the_settings_never_show_a_secret(tmp_path: Path) -> None:
    settings = Folder(tmp_path).load(
        {"JWT_SECRET": SECRET, "REDIS_URL": f"redis://:{SECRET}@h", "PAGERDUTY_API_KEY": SECRET}
    )

    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()
    assert KEY not in repr(settings)


def test_a_missing_encryption_key_is_an_error_only_where_it_is_needed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    assert folder.load({"ENCRYPTION_KEY": ENCRYPTION_KEY}).require_encryption_key().get_secret_value() == ENCRYPTION_KEY
    with pytest.raises(ConfigError, match=r"security\.encryption_key: is not set; mend: make one with `tocsin config"):
        folder.load().require_encryption_key()


def test_an_error_survives_the_way_between_processes() -> None:
    error = ConfigError([Problem("a.yaml:1", "k", "is wrong", "mend it")])

    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert str(error) == "1 problem in the configuration:\n  a.yaml:1: k: is wrong; mend: mend it"


def test_a_negative_time_is_refused_in_plain_words(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", "dedup: {window: -5}")

    assert "dedup.window: must be greater than or equal to 0, got '-5'" in folder.problem()
