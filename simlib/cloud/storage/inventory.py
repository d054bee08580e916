"""Who and what there is in the world: users, roles, accounts that policies name, resources. Knows moto's inside.

Only what has been used is looked at: a service whose module nobody has loaded has no resources.
"""

from __future__ import annotations

from collections.abc import Iterator

from simlib.cloud.storage import buckets, resources
from simlib.cloud.storage.iam_entities import backend
from simlib.cloud.storage.organizations import organization_of


def is_of_the_world(account: str) -> bool:
    """Whether somebody has made this account; moto keeps some of its own besides, with no more than a role in them."""
    kept = backend(account)
    made = (role for role in kept.roles.values() if role.name != "OrganizationAccountAccessRole")
    return bool(kept.users) or any(made) or organization_of(account) is not None


def users(account: str) -> list[str]:
    """The names of an account's IAM users, oldest first."""
    return [str(user.name) for user in backend(account).users.values()]


def roles(account: str) -> list[str]:
    """The names of an account's roles, oldest first."""
    return [str(role.name) for role in backend(account).roles.values()]


def resource_arns(account: str) -> Iterator[str]:
    """The ARNs of what an account owns and policies can be about: buckets, keys, queues, functions, instances, …"""
    yield from (f"arn:aws:s3:::{name}" for name in buckets.names(account))
    yield from resources.resource_arns(account)
