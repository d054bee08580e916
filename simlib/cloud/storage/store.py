"""moto as a store: users, roles, policies and instances as values, and the calls that moto carries out.

moto keeps; it never decides. Everything here is read or written under the gate's lock.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator, Mapping
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

_HOLDERS = ("user", "group", "role")  # of inline policies
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

    # -- accounts and keys -------------------------------------------------------------------------------------------

    def administrator_key(self, account: str, user_name: str) -> StoredKey:
        """The active access key of an IAM user with AWS's AdministratorAccess policy; made, where need be."""
        iam = backend(account)
        if user_name not in iam.users:
            iam.create_user(region_name="us-east-1", user_name=user_name, path="/")
            iam.attach_user_policy(_ADMINISTRATOR, user_name)
        return stored_key(active_key(account, user_name) or iam.create_access_key(user_name=user_name), account)

    def create_administrator_role(self, account: str, name: str, trust_policy: str) -> None:
        """A role with AWS's AdministratorAccess policy."""
        iam = backend(account)
        iam.create_role(name, trust_policy, "/", None, "", [], "3600")
        iam.attach_role_policy(_ADMINISTRATOR, name)

    def free_account_id(self) -> str:
        """111111111111 for the first account, 222222222222 for the second; past nine, the number padded."""
        numbers = (str(number) * 12 if number < 10 else f"{number:012d}" for number in count(1))
        return next(number for number in numbers if not self.has(number))

    def accounts(self) -> Iterator[str]:
        yield from list(moto.iam_backends)

    def has(self, account: str) -> bool:
        """Whether anything is kept of an account."""
        return account in moto.iam_backends

    def is_of_the_world(self, account: str) -> bool:
        """Whether somebody has made it; moto keeps accounts of its own besides, with no more than a role in them."""
        kept = backend(account) if self.has(account) else None
        made = kept and (
            kept.users or any(role.name != "OrganizationAccountAccessRole" for role in kept.roles.values())
        )
        return bool(made) or organizations.organization_of(account) is not None

    def access_keys(self) -> Iterator[StoredKey]:
        """Every access key of every account that exists now."""
        for account in self.accounts():
            yield from (stored_key(key, account) for key in list(backend(account).access_keys.values()))

    def find_key(self, access_key_id: str) -> StoredKey | None:
        for account in self.accounts():
            if key := backend(account).access_keys.get(access_key_id):
                return stored_key(key, account)
        return None

    # -- identities --------------------------------------------------------------------------------------------------

    def user(self, account: str, name: str) -> StoredIdentity | None:
        return self._identity(account, "users", name)

    def role(self, account: str, name: str) -> StoredIdentity | None:
        return self._identity(account, "roles", name)

    def _identity(self, account: str, collection: str, name: str) -> StoredIdentity | None:
        entity = iam_entities.find(backend(account), collection, name)
        return self._stored_identity(account, collection, entity) if entity is not None else None

    def _stored_identity(self, account: str, collection: str, entity: Any) -> StoredIdentity:
        groups = backend(account).get_groups_for_user(entity.name) if collection == "users" else ()
        boundary = getattr(entity, "permissions_boundary_arn", None)
        return StoredIdentity(
            entity.arn,
            entity.id,
            account,
            entity.name,
            tuple(document for owner in (entity, *groups) for document in _documents(owner)),
            self.managed_policy(boundary) if boundary else None,
            tag_map(entity.tags),
            getattr(entity, "assume_role_policy_document", ""),
            int(getattr(entity, "max_session_duration", None) or 3600),
            tuple(group.arn for group in groups),
        )

    def identities(self, account: str) -> Iterator[StoredIdentity]:
        """An account's users, oldest first, then its roles."""
        for collection in ("users", "roles"):
            for entity in list(getattr(backend(account), collection).values()):
                yield self._stored_identity(account, collection, entity)

    def group_documents(self, account: str, name: str) -> tuple[StoredDocument, ...] | None:
        """The policies of a group; None where there is none of that name."""
        group = backend(account).groups.get(name)
        return tuple(_documents(group)) if group is not None else None

    def role_by_arn(self, arn: str) -> StoredIdentity | None:
        account, name = arn.split(":")[4], arn.rpartition("/")[2]
        role = self.role(account, name) if self.has(account) else None
        return role if role and role.arn == arn else None

    def path_of(self, kind: str, account: str, name: str) -> str:
        """ "/team/alice" for a user of that path; "/alice" where nothing of that name exists."""
        entity = iam_entities.find(backend(account), f"{kind.replace('-', '_')}s", name)
        return f"{entity.path}{name}" if entity is not None else f"/{name}"

    def profile_role(self, account: str, *, name: str | None = None, arn: str | None = None) -> StoredIdentity | None:
        """The role inside an instance profile."""
        for profile in backend(account).instance_profiles.values():
            if (profile.name == name or profile.arn == arn) and profile.roles:
                return self.role(account, profile.roles[0].name)
        return None

    # -- documents ---------------------------------------------------------------------------------------------------

    def boundary_of(self, account: str, parameters: Mapping[str, Any]) -> str | None:
        """The ARN of the boundary of the user or role that a call's parameters name."""
        user, role = parameters.get("UserName"), parameters.get("RoleName")
        entity = self.user(account, str(user)) if user else self.role(account, str(role)) if role else None
        return entity.permissions_boundary.name if entity and entity.permissions_boundary else None

    def managed_policy(self, arn: str) -> StoredDocument | None:
        """A managed policy by its ARN, AWS's own or an account's; None for anything else."""
        owner = arn.split(":")[4] if arn.count(":") >= 5 else ""
        account = next(self.accounts(), "") if owner == "aws" else owner
        policy = backend(account).managed_policies.get(arn) if self.has(account) else None
        return _managed_document(policy) if policy is not None else None

    def document_at(self, place: Place) -> StoredDocument | None:
        """The identity-based policy, boundary, SCP or RCP at a place; None while nothing is stored there."""
        if place.kind in ("scp", "rcp"):
            return organizations.policy(place.owner)
        if not place.name:
            return self.managed_policy(place.owner)
        match place.owner.split(":", 5):
            case [_, _, "iam", _, account, rest] if self.has(account):
                kind, _, path = rest.partition("/")
            case _:
                return None
        entity = iam_entities.find(backend(account), f"{kind}s", path.rpartition("/")[2]) if kind in _HOLDERS else None
        text = entity.policies.get(place.name) if entity is not None and entity.arn == place.owner else None
        return StoredDocument(place.name, text, place.owner) if text is not None else None

    # -- instances ---------------------------------------------------------------------------------------------------

    def instance(self, instance_id: str) -> StoredInstance | None:
        """An EC2 instance of any account and Region."""
        for account in list(moto.backends("ec2")):
            for ec2 in moto.keepers("ec2", account):
                if (instance := ec2.get_instance_by_id(instance_id)) is not None:
                    return self._instance(instance, ec2, account)
        return None

    def _instance(self, instance: Any, ec2: Any, account: str) -> StoredInstance:
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
            self.role(account, profile.roles[0].name) if profile and profile.roles else None,
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
