"""The services, one file each."""

from pathlib import Path

from config.channels import IncidentChannel
from config.encrypted_fields import hidden_by_any, hidden_labels, missing_key
from config.errors import Problem, did_you_mean
from config.named_files import check_named
from config.pagerduty import PagerDuty
from config.routing_rules import routing_problems
from config.services import Service
from config.sources import Node, Origin, dotted
from config.variables import Report, Variables
from config.yaml_file import read_yaml


class ServiceFiles:
    """What stands in the files of a folder: a node for every file, a service for every file without a fault."""

    def __init__(self, folder: Path, shown: str, variables: Variables) -> None:
        self.shown = shown
        self.nodes: dict[str, Node] = {}
        self.services: dict[str, Service] = {}
        self._report: Report = variables.report
        for path in sorted(folder.glob("*.yaml")):
            if not path.name.startswith("."):
                self._read(path, variables)
        self._check_ingest_keys()
        for problem in routing_problems(self.nodes):
            self._report(problem)

    def check_default(self, name: str, origin: Origin) -> None:
        """Report a default service that does not exist."""
        if not self.nodes:
            mend = "write one, or point TOCSIN_CONFIG_DIR at the folder that holds `services`"
            self._report(Problem(self.shown, "", "holds no service (NAME.yaml)", mend))
        elif name not in self.nodes:
            mend = f"{did_you_mean(name, list(self.nodes))} Or write {self.shown}/{name}.yaml"
            self._report(Problem(str(origin), "default_service", f"there is no service {name!r}", mend))

    def check_named(self, name: str | None, setting: str, origin: Origin) -> None:
        """Report a service that this setting names and that does not exist."""
        if name is not None and self.nodes and name not in self.nodes:
            mend = did_you_mean(name, list(self.nodes))
            self._report(Problem(str(origin), setting, f"there is no service {name!r}", mend))

    def check_mail(self) -> None:
        """Report every channel that sends mail, for there is no server to send it by."""
        mend = "set email.host and email.from in pagerduty.yaml (TOCSIN_EMAIL__HOST, TOCSIN_EMAIL__FROM), or remove it"
        for name, service in self.services.items():
            for index, channel in enumerate(service.channels):
                if channel.kind == "email":
                    path = ("channels", index, "kind")
                    where = str(self.nodes[name].nearest(path).origin)
                    self._report(Problem(where, dotted(path), "sends mail, but email.host is not set", mend))

    def check_incident_channels(self, pagerduty: PagerDuty) -> None:
        """Report channels that create incidents where it is not said with which key, or in whose name."""
        needed = {
            "api_key": "set PAGERDUTY_API_KEY, or api_key in the channel",
            "from_email": "set PAGERDUTY_FROM_EMAIL, or from_email in the channel",
        }
        for name, service in self.services.items():
            for index, channel in enumerate(service.channels):
                if isinstance(channel, IncidentChannel):
                    known = {"api_key": pagerduty.can_be_asked, "from_email": pagerduty.from_email}
                    missing = [one for one in needed if not (getattr(channel, one) or known[one])]
                    path = ("channels", index, "kind")
                    where = str(self.nodes[name].nearest(path).origin)
                    for one in missing:
                        what = f"creates incidents, but pagerduty.{one} is not set"
                        self._report(Problem(where, dotted(path), what, needed[one]))

    def check_encrypted(self, settings: Node, *, has_key: bool) -> None:
        """Report what cannot be done with fields that services want encrypted."""
        fields = {name: service.encrypt_fields for name, service in self.services.items()}
        problems = [] if has_key else list(missing_key(self.nodes, fields))
        problems += [one for name, wanted in fields.items() for one in hidden_labels(self.nodes[name], wanted)]
        for problem in [*problems, *hidden_by_any(settings, fields)]:
            self._report(problem)

    def _read(self, path: Path, variables: Variables) -> None:
        shown = f"{self.shown}/{path.name}"
        node = read_yaml(path, shown, variables)
        self.nodes[path.stem] = node or Node({}, Origin(shown))
        service = None if node is None else check_service(node, path, shown, variables.report)
        if service is not None:
            self.services[path.stem] = service

    def _check_ingest_keys(self) -> None:
        """Two services with one key would take each other's alerts."""
        seen: dict[object, tuple[str, Origin]] = {}
        for service, node in self.nodes.items():
            keys = node.child("ingest_keys")
            for index, key in keys.children() if keys else ():
                if key.value is None:
                    continue
                if key.value in seen:
                    other, origin = seen[key.value]
                    whose = "this service" if other == service else f"service {other!r}"
                    what = f"this key belongs to {whose} already ({origin})"
                    mend = "give every service keys of its own"
                    self._report(Problem(str(key.origin), dotted(("ingest_keys", index)), what, mend))
                seen.setdefault(key.value, (service, key.origin))


def check_service(node: Node, path: Path, shown: str, report: Report) -> Service | None:
    """The service in one file, by itself; None where something is wrong with it, which is reported."""
    return check_named(node, Service, path, shown, report)
