from __future__ import annotations

from deploy.sandbox import incidents_rest
from deploy.sandbox.resources import integrations, policies, services, teams, users
from deploy.sandbox.router import Router

# Each module of resources has its own table; this is where a new one is made known.
TABLES = (
    incidents_rest.ROUTES,
    users.ROUTES,
    teams.ROUTES,
    policies.ROUTES,
    services.ROUTES,
    integrations.ROUTES,
)


def router() -> Router:
    """Every path of the REST API."""
    made = Router()
    for table in TABLES:
        made.add(table)
    return made
