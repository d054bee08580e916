"""moto as a store: users, roles, policies and instances as values, and the calls that moto carries out.

moto keeps; it never decides. Everything here is read or written under the gate's lock.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

from simlib.cloud import moto_names as moto
from simlib.cloud.storage import changes, contents, iam_entities, organizations
from simlib.cloud.storage.dispatch import carry_out
from simlib.cloud.storage.iam_entities import active_key, backend, stored_key
from simlib.cloud.storage.stored import (
    PARTITION,
    Place,
    StoredDocument,
    StoredIdentity,
    StoredInstance,
    StoredKey,
    tag_map,
)
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.wire import RawAnswer

_ADMINISTRATOR = f"arn:{PARTITION}:iam::aws:policy/AdministratorAccess"


class Store:
    """moto's state while one world is open; `close()` undoes every change made to moto's modules."""

    def __init__(self) -> None:
        self._changes, self._known_modules = ExitStack(), 0
        try:
            changes.make(self._changes)
            contents.forget()
        except BaseException:
            self._changes.close()
            raise

    def close(self) -> None:
        with self._changes:
            contents.forget()

    def act(self, call: Call, account: str) -> RawAnswer:
        """Let moto carry out a call that has been authorised, in the account that owns the resource.

        Raises `NotStored` where moto has no such operation or breaks on it.
        """
        try:
            return carry_out(call, account)
        finally:
            if len(sys.modules) != self._known_modules:
                changes.silence(self._changes)
                self._known_modules = len(sys.modules)


# -- accounts and keys -------------------------------------------------------------------------------------------------


def administrator_key(account: str, user_name: str) -> StoredKey:
    """The active access key of an IAM user with AWS's AdministratorAccess policy; made, where need be."""
    iam = backend(account)
    if user_name not in iam.users:
        iam.create_user(region_name="us-east-1", user_name=user_name, path="/")
        iam.attach_user_policy(_ADMINISTRATOR, user_name)
    return stored_key(active_key(account, user_name) or iam.create_access_key(user_name=user_name), account)


def create_administrator_role(account: str, name: str, trust_policy: str) -> None:
    """A role with AWS's AdministratorAccess policy."""
    iam = backend(account)
    iam.create_role(name, trust_policy, "/", None, "", [], "3600")
    iam.attach_role_policy(_ADMINISTRATOR, name)


def free_account_id() -> str:
    """111111111111 for the first account, 222222222222 for the second; past nine, the number padded."""
    numbers = (str(number) * 12 if number < 10 else f"{number:012d}" for number in count(1))
    return next(number for number in numbers if not has(number))


def accounts() -> Iterator[str]:
    yield from list(moto.iam_backends)


def has(account: str) -> bool:
    """Whether anything is kept of an account."""
    return account in moto.iam_backends


def is_of_the_world(account: str) -> bool:
    """Whether somebody has made it; moto keeps accounts of its own besides, with no more than a role in them."""
    kept = backend(account) if has(account) else None
    made = kept and (kept.users or any(role.name != "OrganizationAccountAccessRole" for role in kept.roles.values()))
    return bool(made) or organizations.organization_of(account) is not None


def access_keys() -> Iterator[StoredKey]:
    """Every access key of every account that exists now."""
    for account in accounts():
        yield from (stored_key(key, account) for key in list(backend(account).access_keys.values()))


def find_key(access_key_id: str) -> StoredKey | None:
    for account in accounts():
        if key := backend(account).access_keys.get(access_key_id):
            return stored_key(key, account)
    return None


# -- identities --------------------------------------------------------------------------------------------------------


def identity(kind: str, account: str, name: str) -> StoredIdentity | None:
    """A "user", "role" or "group" by its name."""
    entity = iam_entities.entity(account, f"{kind}s", name)
    return _stored_identity(account, entity) if entity is not None else None


def identity_at(arn: str) -> StoredIdentity | None:
    """The user, role or group of that very ARN; None where there is none."""
    entity = iam_entities.entity_at(arn)
    return _stored_identity(arn.split(":")[4], entity) if entity is not None else None


def _stored_identity(account: str, entity: Any) -> StoredIdentity:
    groups = [group for group in backend(account).groups.values() if entity in group.users]
    boundary = getattr(entity, "permissions_boundary_arn", None)
    return StoredIdentity(
        entity.arn,
        entity.id,
        account,
        entity.name,
        tuple(document for owner in (entity, *groups) for document in _documents(owner)),
        managed_policy(boundary) if boundary else None,
        tag_map(getattr(entity, "tags", None)),
        getattr(entity, "assume_role_policy_document", ""),
        int(getattr(entity, "max_session_duration", None) or 3600),
        tuple(group.arn for group in groups),
    )


def identities(account: str) -> Iterator[StoredIdentity]:
    """An account's users, oldest first, then its roles."""
    for entity in (*backend(account).users.values(), *backend(account).roles.values()):
        yield _stored_identity(account, entity)


# -- documents ---------------------------------------------------------------------------------------------------------


def managed_policy(arn: str) -> StoredDocument | None:
    """A managed policy by its ARN, AWS's own or an account's; None for anything else."""
    owner = arn.split(":")[4] if arn.count(":") >= 5 else ""
    account = next(accounts(), "") if owner == "aws" else owner
    policy = backend(account).managed_policies.get(arn) if has(account) else None
    return _managed_document(policy) if policy is not None else None


def document_at(place: Place) -> StoredDocument | None:
    """The identity-based policy, boundary, SCP or RCP at a place; None while nothing is stored there."""
    if place.kind in ("scp", "rcp"):
        return organizations.policy(place.owner)
    if not place.name:
        return managed_policy(place.owner)
    text = getattr(iam_entities.entity_at(place.owner), "policies", {}).get(place.name)
    return StoredDocument(place.name, text, place.owner) if text is not None else None


# -- instances ---------------------------------------------------------------------------------------------------------


def instance(instance_id: str) -> StoredInstance | None:
    """An EC2 instance of any account and Region."""
    for account in list(moto.backends("ec2")):
        for ec2 in moto.keepers("ec2", account):
            if (instance := ec2.get_instance_by_id(instance_id)) is not None:
                return _instance(instance, ec2, account)
    return None


def _instance(instance: Any, ec2: Any, account: str) -> StoredInstance:
    association, options = ec2.iam_instance_profile_associations.get(instance.id), instance.metadata_options
    profile = association.iam_instance_profile if association else None
    details = {
        "ami-id": instance.image_id,
        "instance-type": instance.instance_type,
        "local-ipv4": instance.private_ip,
        "public-ipv4": instance.public_ip,
        "availability-zone": instance._placement.zone or f"{ec2.region_name}a",
        "mac": instance.nics[0].mac_address if instance.nics else None,
        "security-groups": "\n".join(str(group.name) for group in instance.security_groups),
        "launch-time": f"{instance.launch_time:%Y-%m-%dT%H:%M:%SZ}",
        "http-endpoint": options.http_endpoint,
        "user-data": base64.b64decode(str(instance.user_data or "")).decode("utf-8", "replace"),
    }
    return StoredInstance(
        instance.id,
        account,
        ec2.region_name,
        instance.state == "running",
        profile and profile.arn,
        profile and profile.id,
        identity("role", account, profile.roles[0].name) if profile and profile.roles else None,
        str(options.http_tokens),
        {name: str(value or "") for name, value in details.items()},
    )


def _documents(entity: Any) -> Iterator[StoredDocument]:
    for name, text in entity.policies.items():
        yield StoredDocument(name, text, entity.arn)
    for policy in entity.managed_policies.values():
        yield _managed_document(policy)


def _managed_document(policy: Any) -> StoredDocument:
    text = next(version.document for version in policy.versions if version.version_id == policy.default_version_id)
    return StoredDocument(policy.arn, text)
