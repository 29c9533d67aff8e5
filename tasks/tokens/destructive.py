"""The acts that destroy or replace what cannot be had back: in production they need a second factor or a service identity; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Destructive(NamedTuple):
    """The scope that a service identity needs for it, and what it is in words."""

    scope: str
    about: str


DESTRUCTIVE: Final[Mapping[str, Destructive]] = {
    "backups.restore": Destructive("backups:restore", "restore a backup into an account or into Tocsin"),
    "backups.prune": Destructive("backups:prune", "delete old backups"),
    "tokens.rotate": Destructive("tokens:rotate", "replace keys and tokens by new ones"),
    "tokens.issue": Destructive("tokens:issue", "issue tokens that allow destructive acts"),
    "logs.clean_up": Destructive("logs:purge", "delete records that are past their time"),
    "deployments.apply": Destructive("deployments:apply", "bring a deployment out"),
    "deployments.canary": Destructive("deployments:apply", "bring a deployment out to a part"),
    "deployments.roll_back": Destructive("deployments:apply", "take a deployment back"),
    "deployments.migrate": Destructive("deployments:apply", "migrate stored state"),
    "notifications.drop": Destructive("dead-letters:drop", "give a dead letter up"),
    "notifications.purge": Destructive("dead-letters:drop", "give dead letters up"),
    "webhooks.delete": Destructive("webhooks:delete", "delete a webhook subscription at PagerDuty"),
    "security.second_factor": Destructive("second-factor:write", "change somebody's second factor"),
    "recover": Destructive("backups:restore", "rebuild an installation from its backup"),
}
ACT_SCOPES: Final[Mapping[str, str]] = {one.scope: one.about for one in DESTRUCTIVE.values()}  # scope -> in words
