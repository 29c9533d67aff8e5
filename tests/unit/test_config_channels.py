"""What service files may say about channels of every kind, and what they are told when it cannot be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jsonschema_rs
import pytest
import yaml

from config.channels import KINDS
from config.schema import json_schema
from config.view import view
from tests.unit.config_kit import ENCRYPTION_KEY, KEY, Folder

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "geheimgeheimgeheim"
SLACK = f"https://hooks.slack.com/services/T0/B0/{SECRET}"
MAIL = {"TOCSIN_EMAIL__HOST": "smtp.example", "TOCSIN_EMAIL__FROM": "tocsin@a.example"}
ALL = f"""
channels:
  - {{name: page, routing_key: {KEY}}}
  - {{name: incident, kind: pagerduty_incident, service_id: PABC123, api_key: {SECRET}, from_email: ops@a.example,
     urgencies: {{warning: high}}}}
  - {{name: chat, kind: slack, webhook_url: '{SLACK}', locale: fr, template: short.j2}}
  - {{name: cards, kind: teams, webhook_url: 'https://x.logic.azure.com/workflows/1?sig={SECRET}'}}
  - {{name: post, kind: email, to: [ops@a.example], cc: [boss@a.example]}}
  - {{name: hook, kind: webhook, url: 'https://a.example/in', secret: {SECRET}, allow_private: true}}
"""


def with_channel(tmp_path: Path, channel: str) -> Folder:
    """A folder whose service `shop` has this channel, in line 2 of its file."""
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", f"channels:\n  - {channel}\n")
    return folder


def test_a_service_may_have_channels_of_every_kind(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", ALL)

    page, incident, chat, cards, post, hook = folder.load(MAIL).services["shop"].channels

    assert [channel.kind for channel in (page, incident, chat, cards, post, hook)] == list(KINDS)
    assert (incident.urgencies.warning, incident.urgencies.critical, incident.urgencies.info) == ("high", "high", "low")
    assert (chat.locale, chat.template, page.locale, page.template) == ("fr", "short.j2", "en", None)
    assert (post.to, post.cc) == (("ops@a.example",), ("boss@a.example",))
    assert (hook.allow_private, cards.allow_private) == (True, False)


def test_a_channel_that_creates_incidents_needs_a_key_and_a_user(tmp_path: Path) -> None:
    folder = with_channel(tmp_path, "{name: a, kind: pagerduty_incident, service_id: PABC123}")

    problems = folder.problems()

    where = "services/shop.yaml:2: channels[0].kind: creates incidents, but"
    assert [problem.partition("services/")[2] for problem in problems] == [
        f"{where} pagerduty.api_key is not set; mend: set PAGERDUTY_API_KEY, or api_key in the channel".removeprefix(
            "services/"
        ),
        f"{where} pagerduty.from_email is not set; mend: set PAGERDUTY_FROM_EMAIL, or from_email in the channel".removeprefix(
            "services/"
        ),
    ]
    given = {"PAGERDUTY_API_KEY": SECRET, "PAGERDUTY_FROM_EMAIL": "ops@a.example"}
    assert folder.load(given).services["shop"].channels[0].kind == "pagerduty_incident"


def test_a_channel_that_creates_incidents_may_go_by_the_token_of_an_app(tmp_path: Path) -> None:
    folder = with_channel(
        tmp_path, "{name: a, kind: pagerduty_incident, service_id: PABC123, from_email: bot@a.example}"
    )
    oauth = {"CLIENT_ID": "app-1", "CLIENT_SECRET": "s3cr3t", "SUBDOMAIN": "acme", "SCOPES": "incidents.write"}

    settings = folder.load({f"TOCSIN_PAGERDUTY__OAUTH__{name}": value for name, value in oauth.items()})

    assert settings.pagerduty.can_be_asked


@pytest.mark.parametrize(
    ("channel", "problem"),
    [
        (
            "{name: a, kind: slak, webhook_url: x}",
            "channels[0].kind: there is no kind 'slak'; mend: did you mean slack?",
        ),
        ("{name: a, kind: 7}", "channels[0].kind: there is no kind '7'; mend: remove it; known here: email, pagerduty"),
        ("{name: a, kind: slack}", "channels[0].webhook_url: is missing; mend: expected: Address of the incoming"),
        (
            f"{{name: a, kind: slack, webhook_url: {SLACK}, webhok: x}}",
            "channels[0].webhok: there is no such setting; mend: did you mean webhook_url?",
        ),
        (
            f"{{name: a, routing_key: {KEY}, webhook_url: {SECRET}}}",
            "channels[0].webhook_url: there is no such setting; mend: remove it, or write `kind: slack`",
        ),
        (
            f"{{name: a, kind: teams, webhook_url: http://h/{SECRET}}}",
            "channels[0]: webhook_url is plain http, so that everybody on the way could read along; mend: write https",
        ),
        (
            f"{{name: a, kind: slack, webhook_url: 'https://h/{SECRET}#x'}}",
            "channels[0].webhook_url: must hold no user name, password or fragment",
        ),
        (
            f"{{name: a, kind: slack, webhook_url: 'https://h/{SECRET} x'}}",
            "channels[0].webhook_url: holds blanks or characters that stand in no URL",
        ),
        (f"{{name: a, kind: slack, webhook_url: {SECRET}}}", "channels[0].webhook_url: is not an http(s) URL"),
        (f"{{name: a, kind: slack, webhook_url: 'https://h:x/{SECRET}'}}", "channels[0].webhook_url: has no valid port"),
        (
            "{name: a, kind: webhook, url: 'https://h/', secret: short}",
            "channels[0].secret: must have at least 16 characters, has 5; mend: make one with `tocsin config keygen`",
        ),
        ("{name: a, kind: email, to: []}", "channels[0].to: needs at least one entry; mend: expected: Whom to write"),
        (
            '{name: a, kind: email, to: ["a@b.example\\r\\nBcc: c@d.example"]}',
            "channels[0].to[0]: is not an e-mail address",
        ),
        (
            "{name: a, kind: slack, webhook_url: 'https://h/', locale: de}",
            "channels[0].locale: must be 'en' or 'fr', got 'de'",
        ),
        (
            "{name: a, kind: slack, webhook_url: 'https://h/', template: ../../etc/passwd}",
            "channels[0].template: has characters that are not allowed here",
        ),
        (SECRET, "channels[0]: must be a section of keys and values; mend"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said_with_its_place_and_a_mend(tmp_path: Path, channel: str, problem: str) -> None:
    problems = with_channel(tmp_path, channel).problems(MAIL)

    assert any(found.startswith(f"services/shop.yaml:2: {problem}") for found in problems), problems
    assert not any(SECRET in found for found in problems)


def test_all_faults_of_all_channels_are_said_at_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(
        "services/shop.yaml",
        """\
        channels:
          - name: a
            kind: slack
            webhook_url: ${NOT_SET}
          - name: b
            kind: webhok
          - name: c
            kind: email
            to: [nobody]
        """,
    )

    assert [problem.partition("; mend: ")[0] for problem in folder.problems()] == [
        "services/shop.yaml:4: channels[0].webhook_url: the environment variable NOT_SET is not set",
        "services/shop.yaml:6: channels[1].kind: there is no kind 'webhok'",
        "services/shop.yaml:9: channels[2].to[0]: is not an e-mail address, got 'nobody'",
    ]


@pytest.mark.parametrize(
    ("one", "other", "noun"),
    [
        (f"kind: slack, webhook_url: '{SLACK}'", f"kind: slack, webhook_url: '{SLACK}', locale: fr", "webhook_url"),
        ("kind: email, to: [a@a.example, b@a.example]", "kind: email, to: [B@a.example], cc: [a@a.example]", "addressees"),
        (f"kind: webhook, url: 'https://h/', secret: {SECRET}", f"kind: webhook, url: 'https://h/', secret: {SECRET}2", "url"),
    ],
)  # fmt: skip
def test_two_channels_to_one_place_are_refused(tmp_path: Path, one: str, other: str, noun: str) -> None:
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", f"channels: [{{name: a, {one}}}, {{name: b, {other}}}]")

    problem = folder.problem(MAIL)

    assert f"two channels have the same {noun}, so the second can never help" in problem
    assert SECRET not in problem


def test_plain_http_is_for_private_hosts(tmp_path: Path) -> None:
    hook = "{name: a, kind: webhook, url: 'http://127.0.0.1:8090/', secret: 0123456789abcdef, allow_private: true}"

    assert with_channel(tmp_path, hook).load().services["shop"].channels[0].kind == "webhook"


def test_channels_that_send_mail_need_a_server_to_send_it_by(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", "channels:\n  - name: a\n    kind: email\n    to: [a@b.example]\n")

    assert folder.problem() == (
        "services/shop.yaml:3: channels[0].kind: sends mail, but email.host is not set; "
        "mend: set email.host and email.from in pagerduty.yaml (TOCSIN_EMAIL__HOST, TOCSIN_EMAIL__FROM), or remove it"
    )
    assert folder.load(MAIL)


@pytest.mark.parametrize(
    ("email", "problem"),
    [
        ("{host: smtp.example}", "email: names a host but no sender; mend: set email.from"),
        ("{username: u}", "email: has one of username and password only"),
        ("{port: 465}", "email: port 465 speaks TLS from the first byte, which is not STARTTLS; mend: write port: 587"),
        (
            f"{{host: h, from: a@b.example, username: u, password: {SECRET}, starttls: never}}",
            "email: the password would travel in the clear; mend: write starttls: required",
        ),
        ("{from: 'Tocsin <a@b.example>'}", "email.from: is not an e-mail address"),
        ("{starttls: maybe}", "email.starttls: must be 'required' or 'never', got 'maybe'"),
    ],
)
def test_mail_settings_that_contradict_each_other_are_refused(tmp_path: Path, email: str, problem: str) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", f"email: {email}")

    assert folder.problem().startswith(f"pagerduty.yaml:1: {problem}")
    assert SECRET not in folder.problem()


def test_the_mail_password_can_come_from_a_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    file = folder.write("secrets/mail", f"{SECRET}\n")

    email = folder.load({**MAIL, "TOCSIN_EMAIL__USERNAME": "u", "TOCSIN_EMAIL__PASSWORD_FILE": str(file)}).email

    assert email.sender == "tocsin@a.example"
    assert email.password is not None
    assert email.password.get_secret_value() == SECRET


def test_production_refuses_keys_that_travel_in_the_clear(tmp_path: Path) -> None:
    folder = with_channel(tmp_path, "{name: a, kind: slack, webhook_url: 'http://h/x', allow_private: true}")
    production = {"ENVIRONMENT": "prod", "ENCRYPTION_KEY": ENCRYPTION_KEY, "REDIS_URL": "redis://redis.example/0"}

    assert folder.load()
    assert "channels[0].webhook_url: plain http is refused in production" in folder.problem(production)


def test_no_secret_of_a_channel_is_ever_shown(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", ALL)

    loaded = folder.read(MAIL)
    shown = "\n".join(str(row) for row in view(loaded))

    assert "services.shop.channels[2].webhook_url = ********" in shown
    assert "services.shop.channels[4].to[0] = ops@a.example" in shown
    assert SECRET not in shown + repr(loaded.settings) + loaded.settings.model_dump_json()


def test_the_schema_allows_channels_of_every_kind_and_finds_their_faults() -> None:
    schema = json_schema("service")
    document = yaml.safe_load(ALL)

    jsonschema_rs.validate(schema, document)
    jsonschema_rs.validate(schema, {"channels": [{"name": "a", "kind": "slack", "webhook_url": "${URL}"}]})
    for fault in ({"kind": "slak"}, {"webhook_url": "https://h/"}, {"kind": "slack", "to": ["a@b.example"]}):
        assert not jsonschema_rs.is_valid(schema, {"channels": [{"name": "a", **fault}]})
