"""What is wrong with policies, and with services that name one, beyond the form of each value."""

from collections.abc import Iterator, Mapping, Sequence

from config.channels import IncidentChannel
from config.errors import Problem, did_you_mean
from config.pagerduty import PagerDuty
from config.policies import EscalationPolicy
from config.services import Service
from config.sources import Node, Path, dotted


def policy_problems(policy: Node, holidays: Sequence[str]) -> Iterator[Problem]:
    """Every fault of one policy at once, also where other things in its file are at fault, too."""
    yield from _twice(policy, "steps")
    yield from _twice(policy, "hours")
    hours = [_text(one, "name") for _, one in _entries(policy, "hours")]
    for place, step in _entries(policy, "steps"):
        when = step.child("when")
        for key in ("hours", "outside") if when else ():
            name = _text(when, key)
            if name and name not in hours:
                mend = did_you_mean(name, hours) if hours else "write them under `hours` in this file"
                yield _problem(policy, (*place, "when", key), f"this policy has no hours {name!r}", mend)
    for place, one in _entries(policy, "hours"):
        for index, name in _listed(one, "holidays"):
            if name not in holidays:
                mend = did_you_mean(name, holidays) if holidays else f"write holidays/{name}.yaml"
                yield _problem(policy, (*place, "holidays", index), f"there is no list of holidays {name!r}", mend)


def unused_steps(policy: EscalationPolicy, node: Node) -> Iterator[Problem]:
    """Steps that no alert ever comes to, for none is both as severe and as urgent as they want."""
    for index, step in enumerate(policy.steps):
        if not policy.severities_of(step.when):
            what = f"can never be taken: no alert that is {' or '.join(step.when.severity)} has urgency {step.when.urgency}"
            mend = "remove severity or urgency, or change `urgencies`"
            yield _problem(node, ("steps", index, "when"), what, mend)


def missing_policy(node: Node, known: Sequence[str]) -> Iterator[Problem]:
    """A service that names a policy which does not exist."""
    name = _text(node, "escalation")
    if name and name not in known:
        mend = did_you_mean(name, known) if known else f"write policies/{name}.yaml, or remove it"
        yield _problem(node, ("escalation",), f"there is no policy {name!r}", mend)


def account_problems(service: Service, node: Node, policy: EscalationPolicy, account: PagerDuty) -> Iterator[Problem]:
    """What is missing to reach those whom a policy names in PagerDuty."""
    kinds = {kind for step in policy.steps for kind, _ in (target.named for target in step.targets)}
    if policy.hand_over is None and not kinds & {"user", "schedule", "policy"}:
        return
    if any(
        isinstance(channel, IncidentChannel) and channel.api_key and channel.from_email for channel in service.channels
    ):
        return
    for one, mend in (("api_key", "set PAGERDUTY_API_KEY"), ("from_email", "set PAGERDUTY_FROM_EMAIL")):
        if not getattr(account, one) and not (one == "api_key" and account.oauth.client_id):
            what = f"policy {policy.name!r} calls people by PagerDuty's ids, but pagerduty.{one} is not set"
            yield _problem(node, ("escalation",), what, mend)


def channel_problems(service: Service, node: Node, policy: EscalationPolicy) -> Iterator[Problem]:
    """Channels that a policy names and the service lacks."""
    kinds = {channel.name: channel.kind for channel in service.channels}
    for index, step in enumerate(policy.steps):
        who = f"{policy.step_name(index)} of policy {policy.name!r}"
        for kind, name in (target.named for target in step.targets):
            if kind in ("channel", "webhook") and name not in kinds:
                what = f"{who} names channel {name!r}, which this service does not have"
                yield _problem(node, ("escalation",), what, _mend(name, kinds))
            elif kind == "webhook" and kinds[name] != "webhook":
                what = f"{who} names webhook {name!r}, which is a channel of kind {kinds[name]} here"
                yield _problem(node, ("escalation",), what, f"write `- channel: {name}` in the policy")


def _mend(name: str, kinds: Mapping[str, str]) -> str:
    add = "add it (`routed_only: true` keeps other alerts from it), or name another policy"
    near = did_you_mean(name, list(kinds))
    return f"{near} Or {add}" if near.startswith("did") else add


def _twice(policy: Node, key: str) -> Iterator[Problem]:
    first: dict[str, Node] = {}
    for place, one in _entries(policy, key):
        name = _text(one, "name")
        if name in first:
            what = f"another one of the {key} is called {name!r} ({first[name].origin})"
            yield _problem(policy, (*place, "name"), what, "give each a name of its own")
        elif name:
            first[name] = one


def _entries(node: Node, key: str) -> Iterator[tuple[Path, Node]]:
    found = node.child(key)
    for index, one in found.children() if found is not None and isinstance(found.value, list) else ():
        if isinstance(one.value, dict):
            yield (key, index), one


def _listed(node: Node, key: str) -> Iterator[tuple[int, str]]:
    found = node.child(key)
    if found is not None and isinstance(found.value, list):
        yield from ((index, one.value.strip()) for index, one in enumerate(found.value) if isinstance(one.value, str))


def _text(node: Node | None, key: str) -> str:
    child = node.child(key) if node else None
    return child.value.strip() if child is not None and isinstance(child.value, str) else ""


def _problem(node: Node, path: Path, what: str, mend: str) -> Problem:
    return Problem(str(node.nearest(path).origin), dotted(path), what, mend)
