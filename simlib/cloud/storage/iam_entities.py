"""moto's users, roles and keys, where the lab reads or changes more than moto's API does. Knows moto's inside."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from simlib.cloud import moto_names as moto
from simlib.cloud.storage.stored import PARTITION, StoredKey

_KEYS: WeakKeyDictionary[Any, dict[str, dict[str, str]]] = WeakKeyDictionary()


def find(backend: Any, collection: str, name: str) -> Any | None:
    """What is called so in a collection of moto's, which keeps some by their IDs; None where there is nothing.

    A look through a thousand roles for each decision would be slow: where each one is kept is remembered, and checked.
    """
    things, keys = getattr(backend, collection), _KEYS.setdefault(backend, {}).setdefault(collection, {})
    thing = things.get(keys.get(name, name))
    if thing is None or thing.name != name:
        keys.clear()
        keys.update((each.name, key) for key, each in things.items())
        thing = things.get(keys.get(name))
    return thing


def backend(account: str) -> Any:
    """moto's IAM of an account, begun where there is none."""
    return moto.iam_backends[account][PARTITION]


def entity(account: str, collection: str, name: str) -> Any:
    """A user, group, role or instance profile by its name, None where there is none."""
    return find(backend(account), collection, name)


def entity_at(arn: str) -> Any:
    """The user, role or group of that very ARN; None where there is none."""
    service, _, account, rest = arn.split(":", 5)[2:] if arn.count(":") >= 5 else [""] * 4
    kind, name = rest.partition("/")[0], rest.rpartition("/")[2]
    iam = moto.keeper("iam", account) if service == "iam" and kind in ("user", "role", "group") else None
    named = find(iam, f"{kind}s", name) if iam else None
    return named if named is not None and named.arn == arn else None


def arn_of(kind: str, name: str, account: str) -> str:
    """The ARN of a "user", "group", "role" or "instance-profile"; of the path "/" where there is none of that name."""
    path = getattr(entity(account, f"{kind.replace('-', '_')}s", name), "path", "/")
    return f"arn:{PARTITION}:iam::{account}:{kind}{path}{name}"


def boundary_of(account: str, parameters: Mapping[str, Any]) -> str | None:
    """The ARN of the boundary of the user or role that a call's parameters name."""
    names = {"users": parameters.get("UserName"), "roles": parameters.get("RoleName")}
    holder = next((entity(account, collection, str(name)) for collection, name in names.items() if name), None)
    return getattr(holder, "permissions_boundary_arn", None)


def role_of_profile(account: str, *names: Any) -> str | None:
    """The ARN of the role inside the instance profile of a name or an ARN."""
    profiles = (each for each in backend(account).instance_profiles.values() if {each.name, each.arn} & {*names})
    return next((str(each.roles[0].arn) for each in profiles if each.roles), None)


def opening_date(account: str) -> datetime:
    """When an account was opened: its first user is as old."""
    return min((user.create_date for user in backend(account).users.values()), default=datetime.min)


def root_keys(account: str) -> list[Any]:
    """The access keys of an account's root user; none unless somebody asked for one."""
    return [key for key in backend(account).access_keys.values() if key.user_name is None]


def root_key(account: str) -> tuple[str, str]:
    """Access key and secret of an account's root user, made when first asked for."""
    key = next(iter(root_keys(account)), None) or moto.AccessKey(None, prefix="AKIA", account_id=account)
    backend(account).access_keys[key.access_key_id] = key
    return key.access_key_id, key.secret_access_key


def active_key(account: str, user_name: str | None) -> Any | None:
    """An active access key of a user, or of the root user for None; None where there is none."""
    keys = backend(account).access_keys.values()
    return next((key for key in keys if key.user_name == user_name and key.status == "Active"), None)


def stored_key(key: Any, account: str) -> StoredKey:
    """An access key of moto's as a value."""
    name = key.user_name or ""  # the root user has none
    user = backend(account).users.get(name)
    owner = user.arn if user else f"arn:{PARTITION}:iam::{account}:root"
    created = key.create_date if key.create_date.tzinfo else key.create_date.replace(tzinfo=UTC)
    return StoredKey(key.access_key_id, key.secret_access_key, account, name, owner, key.status == "Active", created)


def unique_ids(account: str) -> Iterator[str]:
    """The unique IDs of the users and roles of an account that exist now."""
    for collection in (backend(account).users, backend(account).roles):
        yield from (str(each.id) for each in list(collection.values()))


_LINKED_ROLE = re.compile(r"role/aws-service-role/([\w.-]+\.amazonaws\.com)/AWSServiceRoleFor([\w.-]+)")


@cache
def linked_role_names() -> dict[str, str]:
    """What follows AWSServiceRoleFor in the name of a service's own role, as AWS's managed policies spell it."""
    others: dict[str, str] = tomllib.loads(Path(__file__).with_name("linked_roles.toml").read_text("utf-8"))
    return dict(reversed(_LINKED_ROLE.findall(moto.aws_managed_policies_data))) | others


def is_in_awss_policies(text: str) -> bool:
    """Whether some managed policy of AWS's has this text as a value."""
    return f'"{text}"' in moto.aws_managed_policies_data


def linked_role_name(service: str) -> str:
    """What follows AWSServiceRoleFor in the name of a service's own role."""
    first = service.partition(".")[0]
    return linked_role_names().get(service) or "".join(word.capitalize() for word in re.split(r"[-_]", first))


def create_linked_role(account: str, name: str, service: str, description: str) -> Any:
    """A service's own role, with the policy that AWS names after it."""
    statement = {"Effect": "Allow", "Principal": {"Service": [service]}, "Action": ["sts:AssumeRole"]}
    trust, iam = json.dumps({"Version": "2012-10-17", "Statement": [statement]}), backend(account)
    role = iam.create_role(name, trust, f"/aws-service-role/{service}/", None, description, [], "3600", service)
    service_name = re.escape(linked_role_name(service).replace("_", ""))
    its_own = re.compile(rf"(?i)(AWS|Amazon)?{service_name}(ServiceRole|ServiceLinkedRole|SLR)?Policy")
    for policy in iam.managed_policies.values():
        if policy.path == "/aws-service-role/" and its_own.fullmatch(policy.name):
            policy.attach_to(role)
            break
    return role


def note_use(
    account: str, access_key_id: str, role_name: str | None, when: datetime, service: str, region: str
) -> None:
    """Keep when and where a key, or the role of a session, was last used."""
    when = when.replace(microsecond=0)
    if key := backend(account).access_keys.get(access_key_id):
        key.last_used = moto.AccessKeyLastUsed(when, service, region)
    if role_name and (role := entity(account, "roles", role_name)):
        role.last_used, role.last_used_region = when, region


def rename_user(user: Any, path: str, name: str) -> str:
    """Have a user's keys and tags follow it to a new path and name, which moto forgets; the ARN it will have."""
    account, old = user.account_id, user.arn
    new = f"arn:{PARTITION}:iam::{account}:user{path}{name}"
    tags = backend(account).tagger.tags
    if old in tags:
        tags[new] = tags.pop(old)
    for key in user.access_keys:
        key.user_name = name
    return new


def set_user_boundary(user: Any, arn: str | None) -> None:
    """moto keeps no boundary for users; named as its serializer looks for it, GetUser shows it."""
    user.permissions_boundary_arn = arn
    user.permissions_boundary = arn and {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}


def update_role(account: str, name: str, description: str | None, max_session_seconds: int | None) -> None:
    """Change what is given and leave the rest, where moto would reset it."""
    role = entity(account, "roles", name)
    if description is not None:
        role.description = description
    if max_session_seconds is not None:
        role.max_session_duration = max_session_seconds


def oidc_provider(account: str, url: str) -> Any:
    """The OpenID Connect provider an account has for an issuer's URL, None where it has none."""
    providers = getattr(moto.keeper("iam", account), "open_id_providers", {})
    return providers.get(f"arn:{PARTITION}:iam::{account}:oidc-provider/{url.removeprefix('https://').rstrip('/')}")
