"""Who and what there is in the world: users, roles, accounts that policies name, resources. Knows moto's inside.

Only what has been used is looked at: a service whose module nobody has loaded has no resources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from simlib.cloud.storage import buckets, resources
from simlib.cloud.storage.iam_entities import backend
from simlib.cloud.storage.organizations import organization_of

# A service's backends in moto, and the ARNs of what one backend keeps.
_KEPT: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "kms": lambda keeper: [key.arn for key in keeper.keys.values()],
    "sqs": lambda keeper: [queue.queue_arn for queue in keeper.queues.values()],
    "sns": lambda keeper: list(keeper.topics),
    "secretsmanager": lambda keeper: [secret.arn for secret in keeper.secrets.values()],
    "dynamodb": lambda keeper: [table.table_arn for table in keeper.tables.values()],
    "lambda": lambda keeper: [function.function_arn for function in keeper.list_functions()],
    "ec2": lambda keeper: [_instance_arn(keeper, each) for each in keeper.all_instances()],
}


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
    for service, kept in _KEPT.items():
        for keeper in resources.keepers(service, account):
            yield from map(str, kept(keeper))


def _instance_arn(keeper: Any, instance: Any) -> str:
    return f"arn:aws:ec2:{keeper.region_name}:{keeper.account_id}:instance/{instance.id}"
