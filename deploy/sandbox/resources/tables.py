"""The paths of everything an account is made of; a new module of resources is made known here."""

from __future__ import annotations

from deploy.sandbox.resources import (
    analytics,
    businesses,
    cache_variables,
    catalogue,
    custom_fields,
    groupings,
    incident_types,
    integrations,
    oncalls,
    orchestrations,
    overrides,
    policies,
    schedules,
    service_rules,
    services,
    tags,
    teams,
    trail,
    users,
    v3_schedules,
    v3_shifts,
    windows,
    workflows,
)

TABLES = tuple(
    module.ROUTES
    for module in (
        users,
        teams,
        schedules,
        overrides,
        v3_schedules,
        v3_shifts,
        policies,
        oncalls,
        services,
        integrations,
        businesses,
        windows,
        tags,
        catalogue,
        orchestrations,
        service_rules,
        cache_variables,
        groupings,
        incident_types,
        custom_fields,
        workflows,
        trail,
        analytics,
    )
)
