"""Which credentials the settings stand for."""

from __future__ import annotations

from typing import Any

import fakeredis
import pytest

from config.errors import ConfigError
from config.settings import load
from tasks.utils.keys import Keys
from tasks.utils.rest.credentials import KeyCredentials
from tasks.utils.rest.oauth import OAuthCredentials
from tasks.utils.rest.wiring import rest_client

APP = {"client_id": "app-1", "client_secret": "s3cr3t", "scopes": "incidents.read", "subdomain": "acme"}


def credentials_of(**pagerduty: Any) -> object:
    settings = load(environ={}, overrides={"pagerduty": pagerduty})
    with rest_client(settings, fakeredis.FakeRedis(), Keys(), lambda: settings) as rest:
        return rest.caller.credentials


def test_a_key_is_used_where_there_is_no_app() -> None:
    assert isinstance(credentials_of(api_key="k" * 20), KeyCredentials)


def test_an_app_is_used_rather_than_a_key() -> None:
    assert isinstance(credentials_of(api_key="k" * 20, oauth=APP), OAuthCredentials)


@pytest.mark.parametrize("missing", ["client_secret", "scopes", "subdomain"])
def test_an_app_that_lacks_something_is_refused_when_settings_are_read(missing: str) -> None:
    app = {name: value for name, value in APP.items() if name != missing}

    with pytest.raises(ConfigError, match=f"client_id is set, and {missing} is not"):
        credentials_of(oauth=app)
