"""The escalation policies and the lists of holidays, one file each."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from config.folders import shown
from config.holidays import Holidays
from config.named_files import check_named
from config.pagerduty import PagerDuty
from config.policies import EscalationPolicy
from config.policy_rules import account_problems, channel_problems, missing_policy, policy_problems, unused_steps
from config.section import Section
from config.service_files import ServiceFiles
from config.sources import Node, Origin
from config.variables import Variables
from config.yaml_file import read_yaml

Model = TypeVar("Model", bound=Section)


class PolicyFiles:
    """What stands in `policies` and `holidays`: a node for every file, a policy or list for every one without a fault."""

    def __init__(self, folder: Path, variables: Variables) -> None:
        self._folder, self._variables = folder, variables
        self.files: list[str] = []
        self.holiday_nodes, self.holidays = self._read("holidays", Holidays)
        self.nodes, self.policies = self._read("policies", EscalationPolicy)
        for node in self.nodes.values():
            for problem in policy_problems(node, list(self.holiday_nodes)):
                variables.report(problem)
        for name, policy in self.policies.items():
            for problem in unused_steps(policy, self.nodes[name]):
                variables.report(problem)

    def check_services(self, files: ServiceFiles) -> None:
        """Report services whose policy does not exist, or names channels that they lack."""
        for name, node in files.nodes.items():
            for problem in missing_policy(node, list(self.nodes)):
                self._variables.report(problem)
            service = files.services.get(name)
            policy = self.policies.get((service.escalation if service else None) or "")
            if service is not None and policy is not None:
                for problem in channel_problems(service, node, policy):
                    self._variables.report(problem)

    def check_account(self, files: ServiceFiles, account: PagerDuty) -> None:
        """Report services whose policy calls people by PagerDuty's ids where its REST API cannot be used."""
        for name, service in files.services.items():
            policy = self.policies.get(service.escalation or "")
            if policy is not None:
                for problem in account_problems(service, files.nodes[name], policy, account):
                    self._variables.report(problem)

    def _read(self, kind: str, model: type[Model]) -> tuple[dict[str, Node], dict[str, Model]]:
        nodes: dict[str, Node] = {}
        found: dict[str, Model] = {}
        for path in _yaml_files(self._folder / kind):
            name = shown(path)
            self.files.append(name)
            node = read_yaml(path, name, self._variables)
            nodes[path.stem] = node or Node({}, Origin(name))
            one = None if node is None else check_named(node, model, path, name, self._variables.report)
            if one is not None:
                found[path.stem] = one
        return nodes, found


def _yaml_files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.glob("*.yaml")) if not path.name.startswith("."))
