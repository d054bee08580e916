"""moto as a store: the one place that knows moto's inside.

moto keeps users, roles, buckets, instances; it never decides. Everything here is read or written under the gate's
lock. The private names used are few, and `tests/cloud/test_store.py` says which one moved when moto changes.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cache
from itertools import count
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import botocore.session
import moto.iam.models as iam_models
import requests
from moto.core import utils as moto_utils
from moto.core.common_models import BaseModel
from moto.core.config import default_user_config
from moto.core.models import MockAWS
from moto.iam.utils import generate_access_key_id_from_account_id
from moto.s3.models import FakeBucket

from simlib.cloud.storage import buckets, contents, organizations
from simlib.cloud.storage.dispatch import carry_out
from simlib.cloud.storage.iam_entities import active_key, backend, named
from simlib.cloud.storage.remembered import remembered
from simlib.cloud.storage.stored import (
    PARTITION,
    Place,
    StoredDocument,
    StoredIdentity,
    StoredInstance,
    StoredKey,
    tag_map,
)
from simlib.cloud.storage.tables import model_for_moto, service_models
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.wire import RawAnswer

# Prefixes of unique IDs, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
_ID_PREFIXES = {"User": "AIDA", "Group": "AGPA", "InstanceProfile": "AIPA", "ManagedPolicy": "ANPA"}

_HOLDERS = ("user", "group", "role")  # of inline policies


def unique_id(account: str, prefix: str, length: int = 21) -> str:
    """An identifier in AWS's form; access keys have 20 characters, other IDs 21."""
    return str(generate_access_key_id_from_account_id(account, prefix, length))


def _with_unique_id(cls: type, prefix: str) -> Any:
    original = cls.__init__  # type: ignore[misc]

    def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.id = unique_id(self.account_id if self.account_id.isdigit() else "0" * 12, prefix)

    return patch.object(cls, "__init__", initialise)


@cache
def aws_managed_policies() -> tuple[Any, ...]:
    """AWS's own 1,500 managed policies, read once for all accounts and worlds (measured: 0.2 s).

    Each document becomes a text as soon as it is read: all of them at once as objects would take 13 MB more.
    """
    policies = json.loads(
        iam_models.aws_managed_policies_data,
        object_hook=lambda mapping: json.dumps(mapping) if "Statement" in mapping else mapping,
    )
    return tuple(
        iam_models.AWSManagedPolicy(
            name,
            account_id="aws",
            region="us-east-1",
            default_version_id=each["DefaultVersionId"],
            path=each["Path"],
            document=each["Document"],
            create_date=datetime.fromisoformat(each["CreateDate"]),
            update_date=datetime.fromisoformat(each["UpdateDate"]),
        )
        for name, each in policies.items()
    )


def _own_copies(backend: Any) -> list[Any]:
    """Each account counts its own attachments; the documents are shared. (`copy.copy` takes five times as long.)"""
    own = []
    for policy in aws_managed_policies():
        own.append(object.__new__(type(policy)))
        own[-1].__dict__ = policy.__dict__.copy()
    return own


def _whole_second() -> datetime:
    """The time as IAM writes it down."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


@staticmethod  # type: ignore[misc]
def _untracked(cls: type, *_: Any, **__: Any) -> Any:
    """A new object that moto's list of all objects ever made does not hold on to: what is replaced is freed."""
    return object.__new__(cls)


def _delivered(*args: Any, **kwargs: Any) -> Any:
    """What moto hears when it would send something: accepted, and gone nowhere."""
    return SimpleNamespace(status_code=200, ok=True, text="", content=b"", headers={}, json=dict)


_SILENCED = SimpleNamespace(
    post=_delivered, get=_delivered, put=_delivered, request=_delivered, exceptions=requests.exceptions
)


def _silence(stack: ExitStack) -> None:
    """Take the network from moto's modules: SNS, Firehose and others would really POST."""
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.") and isinstance(module, ModuleType) and vars(module).get("requests") is requests:
            stack.enter_context(patch.object(module, "requests", _SILENCED))


class Store:
    """moto's state while one world is open; `close()` undoes every change made to moto's modules."""

    def __init__(self) -> None:
        self._patches = ExitStack()
        self._known_modules = 0
        try:
            self._patches.enter_context(patch.dict(default_user_config, _CONFIGURATION))
            self._patches.enter_context(patch.object(MockAWS, "start", _refuse_to_mock))
            self._patches.enter_context(patch.object(BaseModel, "__new__", _untracked))
            self._patches.enter_context(patch.object(iam_models.IAMBackend, "_init_aws_policies", _own_copies))
            self._patches.enter_context(patch.object(botocore.session, "create_loader", lambda *_: service_models()))
            self._patches.enter_context(patch.object(moto_utils, "_load_service_model", model_for_moto))
            self._patches.enter_context(remembered())
            self._patches.enter_context(patch.object(iam_models, "utcnow", _whole_second))
            self._patches.enter_context(patch.object(FakeBucket, "encryption", buckets.ENCRYPTION, create=True))
            for name in ("IAMPolicyDocumentValidator", "IAMTrustPolicyDocumentValidator"):  # `documents` has decided
                self._patches.enter_context(patch.object(getattr(iam_models, name), "validate", lambda _: None))
            for name, prefix in _ID_PREFIXES.items():
                self._patches.enter_context(_with_unique_id(getattr(iam_models, name), prefix))
            contents.forget()
        except BaseException:
            self._patches.close()
            raise

    def close(self) -> None:
        with self._patches:
            contents.forget()

    def act(self, call: Call, account: str) -> RawAnswer:
        """Let moto carry out a call that has been authorised, in the account that owns the resource.

        Raises `NotStored` where moto has no such operation or breaks on it.
        """
        try:
            return carry_out(call, account)
        finally:
            if len(sys.modules) != self._known_modules:
                _silence(self._patches)
                self._known_modules = len(sys.modules)

    # -- IAM ---------------------------------------------------------------------------------------------------------

    def administrator_key(self, account: str, user_name: str) -> StoredKey:
        """The active access key of an IAM user with AWS's AdministratorAccess policy; made, where need be."""
        iam = backend(account)
        if user_name not in iam.users:
            iam.create_user(region_name="us-east-1", user_name=user_name, path="/")
            iam.attach_user_policy(f"arn:{PARTITION}:iam::aws:policy/AdministratorAccess", user_name)
        return _stored_key(active_key(account, user_name) or iam.create_access_key(user_name=user_name), account)

    def create_administrator_role(self, account: str, name: str, trust_policy: str) -> None:
        """A role with AWS's AdministratorAccess policy."""
        iam = backend(account)
        iam.create_role(name, trust_policy, "/", None, "", [], "3600")
        iam.attach_role_policy(f"arn:{PARTITION}:iam::aws:policy/AdministratorAccess", name)

    def free_account_id(self) -> str:
        """111111111111 for the first account, 222222222222 for the second; past nine, the number padded."""
        numbers = (str(number) * 12 if number < 10 else f"{number:012d}" for number in count(1))
        return next(number for number in numbers if number not in iam_models.iam_backends)

    def accounts(self) -> Iterator[str]:
        yield from list(iam_models.iam_backends)

    def has(self, account: str) -> bool:
        """Whether anything is kept of an account."""
        return account in iam_models.iam_backends

    def is_of_the_world(self, account: str) -> bool:
        """Whether somebody has made it; moto keeps accounts of its own besides, with no more than a role in them."""
        kept = backend(account) if self.has(account) else None
        made = kept and (
            kept.users or any(role.name != "OrganizationAccountAccessRole" for role in kept.roles.values())
        )
        return bool(made) or organizations.organization_of(account) is not None

    def find_key(self, access_key_id: str) -> StoredKey | None:
        for account in self.accounts():
            key = backend(account).access_keys.get(access_key_id)
            if key is not None:
                return _stored_key(key, account)
        return None

    def user(self, account: str, name: str) -> StoredIdentity | None:
        return self._identity(account, "users", name)

    def role(self, account: str, name: str) -> StoredIdentity | None:
        return self._identity(account, "roles", name)

    def _identity(self, account: str, collection: str, name: str) -> StoredIdentity | None:
        entity = named(backend(account), collection, name)
        return self._stored(account, collection, entity) if entity is not None else None

    def _stored(self, account: str, collection: str, entity: Any) -> StoredIdentity:
        groups = backend(account).get_groups_for_user(entity.name) if collection == "users" else ()
        return StoredIdentity(
            entity.arn,
            entity.id,
            account,
            entity.name,
            tuple(document for owner in (entity, *groups) for document in _documents(owner)),
            self.managed_policy(getattr(entity, "permissions_boundary_arn", None) or ""),
            tag_map(entity.tags),
            getattr(entity, "assume_role_policy_document", ""),
            int(getattr(entity, "max_session_duration", None) or 3600),
            tuple(group.arn for group in groups),
        )

    def identities(self, account: str) -> Iterator[StoredIdentity]:
        """An account's users, oldest first, then its roles."""
        for collection in ("users", "roles"):
            for entity in list(getattr(backend(account), collection).values()):
                yield self._stored(account, collection, entity)

    def group_documents(self, account: str, name: str) -> tuple[StoredDocument, ...] | None:
        """The policies of a group; None where there is none of that name."""
        group = backend(account).groups.get(name)
        return tuple(_documents(group)) if group is not None else None

    def role_by_arn(self, arn: str) -> StoredIdentity | None:
        account, name = arn.split(":")[4], arn.rpartition("/")[2]
        role = self.role(account, name) if account in iam_models.iam_backends else None
        return role if role and role.arn == arn else None

    def path_of(self, kind: str, account: str, name: str) -> str:
        """ "/team/alice" for a user of that path; "/alice" where nothing of that name exists."""
        stored = named(backend(account), f"{kind.replace('-', '_')}s", name)
        return f"{stored.path}{name}" if stored is not None else f"/{name}"

    def profile_role(self, account: str, *, name: str | None = None, arn: str | None = None) -> StoredIdentity | None:
        """The role inside an instance profile."""
        for profile in backend(account).instance_profiles.values():
            if (profile.name == name or profile.arn == arn) and profile.roles:
                return self.role(account, profile.roles[0].name)
        return None

    def boundary_of(self, account: str, named: Mapping[str, Any]) -> str | None:
        """The ARN of the boundary of the user or role that a call's parameters name."""
        user, role = named.get("UserName"), named.get("RoleName")
        entity = self.user(account, str(user)) if user else self.role(account, str(role)) if role else None
        return entity.permissions_boundary.name if entity and entity.permissions_boundary else None

    def managed_policy(self, arn: str) -> StoredDocument | None:
        """A managed policy by its ARN, AWS's own or an account's; None for anything else."""
        owner = arn.split(":")[4] if arn.count(":") >= 5 else ""
        account = next(self.accounts(), "") if owner == "aws" else owner
        if account not in iam_models.iam_backends:
            return None
        policy = backend(account).managed_policies.get(arn)
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
        entity = named(backend(account), f"{kind}s", path.rpartition("/")[2]) if kind in _HOLDERS else None
        text = entity.policies.get(place.name) if entity is not None and entity.arn == place.owner else None
        return StoredDocument(place.name, text, place.owner) if text is not None else None

    # -- S3 and EC2 --------------------------------------------------------------------------------------------------

    def instance(self, instance_id: str) -> StoredInstance | None:
        if "moto.ec2.models" not in sys.modules:  # a second of import that no lesson without an instance needs to pay
            return None
        from moto.ec2.models import ec2_backends

        for account, regions in list(ec2_backends.items()):
            for region, ec2 in list(regions.items()):
                instance = ec2.get_instance_by_id(instance_id)
                if instance is not None:
                    return self._instance(instance, ec2, account, region)
        return None

    def _instance(self, instance: Any, ec2: Any, account: str, region: str) -> StoredInstance:
        association = ec2.iam_instance_profile_associations.get(instance.id)
        profile = association.iam_instance_profile if association else None
        role = self.role(account, profile.roles[0].name) if profile and profile.roles else None
        return StoredInstance(
            instance.id,
            account,
            region,
            instance.state == "running",
            profile.arn if profile else None,
            profile.id if profile else None,
            role,
            str(instance.metadata_options.http_tokens),
            {
                "ami-id": str(instance.image_id),
                "instance-type": str(instance.instance_type),
                "local-ipv4": str(instance.private_ip),
                "public-ipv4": str(instance.public_ip or ""),
                "availability-zone": str(instance._placement.zone or f"{region}a"),
                "mac": str(instance.nics[0].mac_address) if instance.nics else "",
                "security-groups": "\n".join(str(group.name) for group in instance.security_groups),
                "launch-time": f"{instance.launch_time:%Y-%m-%dT%H:%M:%SZ}",
                "http-endpoint": str(instance.metadata_options.http_endpoint),
                "user-data": _decoded(instance.user_data),
            },
        )


def _decoded(user_data: Any) -> str:
    return base64.b64decode(str(user_data)).decode("utf-8", "replace") if user_data else ""


_CONFIGURATION: dict[str, Any] = {
    "batch": {"use_docker": False},
    "lambda": {"use_docker": False},
}


def _refuse_to_mock(*_: Any, **__: Any) -> None:
    raise RuntimeError(
        "mock_aws would empty this world: the lab is a mocked AWS already, and every boto3 client meets it. Leave "
        "mock_aws out, or stop() the Cloud first."
    )


def _stored_key(key: Any, account: str) -> StoredKey:
    name = key.user_name or ""  # the root user has none
    return StoredKey(key.access_key_id, key.secret_access_key, account, name, key.status == "Active")


def _documents(entity: Any) -> Iterator[StoredDocument]:
    for name, text in entity.policies.items():
        yield StoredDocument(name, text, entity.arn)
    for policy in entity.managed_policies.values():
        yield _managed_document(policy)


def _managed_document(policy: Any) -> StoredDocument:
    text = next(version.document for version in policy.versions if version.version_id == policy.default_version_id)
    return StoredDocument(policy.arn, text)
