import base64
import json
import os
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.channels import PagerDutyChannel
from config.made_up import FILE as KEY_FILE
from config.models import Settings
from deploy.local.child import Child, Stage
from deploy.local.files import write_private
from deploy.local.ports import pick_port

WORKER_GROUPS: Final = ("alert", "webhook", "delivery", "maintenance")
LISTENS: Final = re.compile(r'^\{"url": ')
WORKER_READY: Final = re.compile("worker_ready")
BEAT_READY: Final = re.compile("beat_ready")
SENTINEL_READY: Final = re.compile("sentinel_ready")
SANDBOX_FILE: Final = "sandbox.json"
SANDBOX_KEY: Final = "SandboxOpensNothing0"  # any 20 characters will do there
SANDBOX_USER: Final = "default@sandbox.invalid"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to run besides the server: where it will be reached, and how each process is started."""

    redis_url: str
    gateway_url: str
    flower_url: str
    sandbox_url: str | None
    flower_password: str | None
    environment: Mapping[str, str]
    children: tuple[Child, ...]


def make_plan(settings: Settings, redis_url: str, *, use_sandbox: bool) -> Plan:
    """The plan for these settings: preferred ports where they are free, others where not."""
    ports = _Ports()
    sandbox = ports.pick() if use_sandbox else None
    gateway = ports.pick(settings.gateway.port)
    flower = ports.pick(settings.flower.port)
    password = None if settings.flower.password else secrets.token_urlsafe(12)
    sandbox_url = f"http://127.0.0.1:{sandbox}" if sandbox else None
    environment = _environment(settings, redis_url, sandbox_url)
    scheme = "https" if settings.gateway.tls_cert_file else "http"
    children = [
        _serving("gateway", environment, Stage.PRODUCER, "--host", settings.gateway.host, "--port", str(gateway)),
        *(_worker(group, environment) for group in WORKER_GROUPS),
        _tocsin("beat", environment, Stage.PRODUCER, BEAT_READY),
        _serving("flower", _with_password(environment, password), Stage.OBSERVER, "--port", str(flower)),
    ]
    if settings.own_alerts.enabled:
        children.insert(-1, _tocsin("sentinel", environment, Stage.PRODUCER, SENTINEL_READY))
    if sandbox:
        children.insert(0, _sandbox(settings, sandbox))
    return Plan(
        redis_url=redis_url,
        gateway_url=f"{scheme}://{_reachable(settings.gateway.host)}:{gateway}",
        flower_url=f"http://{_reachable(settings.flower.host)}:{flower}",
        sandbox_url=sandbox_url,
        flower_password=password,
        environment=environment,
        children=tuple(children),
    )


class _Ports:
    """Hands out ports that differ from each other, though nobody listens on them yet."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def pick(self, preferred: int = 0) -> int:
        port = pick_port(preferred, taken=frozenset(self._taken))
        self._taken.add(port)
        return port


def _environment(settings: Settings, redis_url: str, sandbox_url: str | None) -> dict[str, str]:
    added = {
        "TOCSIN_STATE_DIR": str(settings.state_dir),
        "TOCSIN_CONFIG_DIR": str(settings.config_dir),
        # Readiness is read from what the children log, so they must log at least that.
        "LOG_LEVEL": "DEBUG" if settings.log_level == "DEBUG" else "INFO",
        "PYTHONUNBUFFERED": "1",
    }
    if not settings.redis.is_given:
        added["REDIS_URL"] = redis_url
    added |= _pagerduty(settings, sandbox_url)
    if settings.security.encryption_key is None and settings.environment == "development":
        _made_up_key(settings.state_dir / KEY_FILE)  # every process on that folder takes it up
    if settings.security.jwt_secret is None and settings.environment == "development":
        added["JWT_SECRET_FILE"] = str(_made_up_key(settings.state_dir / "jwt.secret"))
    return added


def _pagerduty(settings: Settings, sandbox_url: str | None) -> dict[str, str]:
    """Where PagerDuty is, if it is the sandbox: kept in the state folder too, for commands at the shell."""
    file = settings.state_dir / SANDBOX_FILE
    if sandbox_url is None:
        file.unlink(missing_ok=True)
        return {}
    asked = {"PAGERDUTY_API_URL": sandbox_url, "PAGERDUTY_EVENTS_URL": sandbox_url}
    if not settings.pagerduty.can_be_asked:
        asked["PAGERDUTY_API_KEY"] = SANDBOX_KEY
    if settings.pagerduty.from_email is None:
        asked["PAGERDUTY_FROM_EMAIL"] = SANDBOX_USER
    write_private(file, json.dumps(asked))
    return asked


def _made_up_key(path: Path) -> Path:
    """A key of this folder's own, made once: what it encrypted or signed must stay readable."""
    if not path.exists():
        write_private(path, base64.urlsafe_b64encode(os.urandom(32)).decode() + "\n")
    return path


def _with_password(environment: Mapping[str, str], password: str | None) -> dict[str, str]:
    return {**environment, **({"TOCSIN_FLOWER__PASSWORD": password} if password else {})}


def _tocsin(name: str, environment: Mapping[str, str], stage: Stage, ready: re.Pattern[str], *words: str) -> Child:
    # -P: a folder named `config` or `tasks` where the user happens to stand must not shadow ours
    command = (sys.executable, "-P", "-m", "workers.cli", *(words or (name,)))
    return Child(name=name, command=command, stage=stage, ready=ready, environment=environment)


def _serving(name: str, environment: Mapping[str, str], stage: Stage, *options: str) -> Child:
    return _tocsin(name, environment, stage, LISTENS, name, *options)


def _worker(group: str, environment: Mapping[str, str]) -> Child:
    return _tocsin(group, environment, Stage.WORKER, WORKER_READY, "worker", group)


def _sandbox(settings: Settings, port: int) -> Child:
    account = settings.state_dir / "sandbox-account.json"
    write_private(account, json.dumps(_account(settings)))
    command = (sys.executable, "-P", "-m", "deploy.sandbox", "--port", str(port), "--account", str(account))
    return Child(name="sandbox", command=command, stage=Stage.OBSERVER, ready=LISTENS)


def _account(settings: Settings) -> dict[str, object]:
    """An account of the sandbox in which every configured routing key belongs to a service of its name."""
    seen: set[str] = set()
    services = []
    for name, service in settings.services.items():
        paging = [channel for channel in service.channels if isinstance(channel, PagerDutyChannel)]
        for number, channel in enumerate(paging):
            keys = [key.get_secret_value() for key in (channel.routing_key, *channel.retired_keys)]
            doors = [{"routing_key": key} for key in keys if key not in seen]
            seen.update(keys)
            services.append({"name": f"{name} ({channel.name})" if number else name, "integrations": doors})
    return {"services": services}


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 (compared, not bound)
