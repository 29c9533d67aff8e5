import json
import textwrap

from config.models import Settings
from deploy.local.plan import Plan
from deploy.local.terminal import Terminal


def show_card(terminal: Terminal, settings: Settings, plan: Plan, seconds: float) -> None:
    """Tell once where everything is and how to use it."""
    rows = [
        ("Gateway", plan.gateway_url),
        ("API", f"{plan.gateway_url}/api/v1   token: tocsin tokens issue --role operator --subject me"),
        ("Flower", f"{plan.flower_url}   user {settings.flower.user}   {_password(plan)}"),
        ("PagerDuty", _pagerduty(settings, plan)),
        ("State", f"{settings.state_dir}   (logs in {settings.state_dir / 'logs'})"),
    ]
    terminal.show()
    terminal.show(terminal.bold(f"  Tocsin is up after {seconds:.1f} s. Ctrl-C stops everything."))
    terminal.show()
    for name, text in rows:
        terminal.show(f"    {name:<10} {text}")
    terminal.show()
    terminal.show("  Ring it:")
    terminal.show(textwrap.indent(curl_line(settings, plan), "    "))
    terminal.show()


def curl_line(settings: Settings, plan: Plan) -> str:
    """A shell line that sends an alert; with a key in it only where the key is a made-up one."""
    key = "YOUR_INGEST_KEY"
    service = settings.services.get(settings.default_service)
    if service is not None and service.ingest_keys and settings.environment == "development":
        key = service.ingest_keys[0].get_secret_value()
    alert = {
        "routing_key": key,
        "event_action": "trigger",
        "dedup_key": "first-alert",
        "payload": {"summary": "It rings", "source": "my shell", "severity": "critical"},
    }
    # A certificate is made out to a name, not to this address.
    options = "-sk" if plan.gateway_url.startswith("https:") else "-s"
    return f"curl {options} {plan.gateway_url}/v2/enqueue -d '{json.dumps(alert)}'"


def _password(plan: Plan) -> str:
    return f"password {plan.flower_password}" if plan.flower_password else "password as configured"


def _pagerduty(settings: Settings, plan: Plan) -> str:
    if plan.sandbox_url:
        return f"sandbox, calls nobody: {plan.sandbox_url}/"
    return f"the real one: {settings.pagerduty.events_url}"
