from __future__ import annotations

from deploy.sandbox import alerts_rest, entries_rest, incidents_list, incidents_rest, notes_rest
from deploy.sandbox.resources import tables
from deploy.sandbox.router import Router
from deploy.sandbox.webhooks import subscriptions

# Each module of resources has its own table; this is where a new one is made known.
TABLES = (
    *tables.TABLES,
    incidents_list.ROUTES,
    incidents_rest.ROUTES,
    notes_rest.ROUTES,
    alerts_rest.ROUTES,
    entries_rest.ROUTES,
    subscriptions.ROUTES,
)


def router() -> Router:
    """Every path of the REST API."""
    made = Router()
    for table in TABLES:
        made.add(table)
    return made
