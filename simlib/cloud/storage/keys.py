"""KMS's keys as moto keeps them: their policies, with grants, and their names. Knows moto's inside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from simlib.cloud import moto_names as moto
from simlib.cloud.moto_names import keeper
from simlib.cloud.storage.tables import open_keeper


def _key_by_arn(arn: str) -> Any | None:
    """moto's key behind an ARN; None where there is none."""
    region, account, name = arn.split(":", 5)[3:]
    return getattr(keeper("kms", account, region), "keys", {}).get(name.removeprefix("key/"))


def policy_of(key: Any) -> str | dict[str, Any]:
    """The key's policy, and its grants: each allows its grantee what it lists, in the words of a policy.

    https://docs.aws.amazon.com/kms/latest/developerguide/grants.html; whether a grant alone is enough for a principal
    of another account AWS leaves open: here its own account must allow too, as for a key policy (a choice).
    """
    if any(alias.startswith(_OF_AWS) for alias in key.aliases):
        return own_policy(key)
    grants = [statement for grant in key.grants.values() for statement in _grant_statements(grant)]
    if not grants:
        return str(key.policy)
    policy = json.loads(key.policy)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    return {**policy, "Version": "2012-10-17", "Statement": [*statements, *grants]}


_OF_AWS = "alias/aws/"


def own_policy(key: Any) -> dict[str, Any]:
    """The policy of a key that AWS manages for a service: only through the service, and only in the key's account.

    https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key
    """
    service = next(alias for alias in key.aliases if alias.startswith(_OF_AWS)).removeprefix(_OF_AWS)
    through = {"kms:CallerAccount": key.account_id, "kms:ViaService": f"{service}.{key.region}.amazonaws.com"}
    root = {"AWS": f"arn:aws:iam::{key.account_id}:root"}
    names = ("Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*", "CreateGrant", "DescribeKey")
    using = [f"kms:{name}" for name in names]
    statements = [
        {"Sid": f"Allow access through {service}", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": using,
         "Resource": "*", "Condition": {"StringEquals": through}},
        {"Sid": "Allow direct access to key metadata to the account", "Effect": "Allow", "Principal": root,
         "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"], "Resource": "*"},
    ]  # fmt: skip
    return {"Version": "2012-10-17", "Id": f"auto-{service}-1", "Statement": statements}


def is_of_aws(arn: str) -> bool:
    """Whether AWS manages a key, for one of its services."""
    return any(alias.startswith(_OF_AWS) for alias in getattr(_key_by_arn(arn), "aliases", ()))


def make_own(alias: str, region: str, account: str) -> None:
    """AWS's key for a service of an account, which is there as soon as somebody names it."""
    backend = open_keeper("kms", account, region)
    key = backend.keys.get(backend.get_key_id_from_alias(alias))
    if key is not None and key.key_manager != "AWS":
        key.key_manager, key.policy = "AWS", json.dumps(own_policy(key))
        service = alias.removeprefix(_OF_AWS)
        key.description = f"Default key that protects my {service} data when no other key is defined"


def find(name: str, region: str, account: str) -> Any | None:
    """The KMS key that an ID, an ARN or an alias means, as moto keeps it."""
    arn = arn_of(name, region, account)
    return _key_by_arn(arn) if arn else None


def make_replica(arn: str, policy: str | None, description: str, tags: list[Any]) -> Any:
    """A replica that moto has copied gets what it has to itself: all but its ID, its material and its kind."""
    replica: Any = _key_by_arn(arn)
    replica.policy, replica.description = policy or replica.generate_default_policy(), description
    replica.aliases, replica.grants = {}, {}
    # the list of replicas stays one for all of them
    replica.multi_region_configuration = {**replica.multi_region_configuration, "MultiRegionKeyType": "REPLICA"}
    open_keeper("kms", replica.account_id, replica.region).tagger.tag_resource(replica.id, tags)
    return replica


def arn_of(name: str, region: str, account: str) -> str | None:
    """The ARN of the KMS key that an ID, an ARN or an alias means; None where there is none."""
    if name.startswith("arn:"):
        region, account, name = name.split(":", 5)[3:]
    plain, every_key = name.removeprefix("key/"), getattr(keeper("kms", account, region), "keys", {})
    return next((str(key.arn) for key in list(every_key.values()) if plain == key.id or name in key.aliases), None)


def of_grant(token: str, region: str, account: str) -> str | None:
    """The key that a grant of an account is for, by the grant's token."""
    every_key = getattr(keeper("kms", account, region), "keys", {}).values()
    return next((str(key.arn) for key in every_key for grant in key.grants.values() if grant.token == token), None)


def of_ciphertext(blob: bytes, region: str) -> str | None:
    """The key that encrypted a text, in whichever account it is: a ciphertext begins with the key's ID."""
    name = blob[:36].decode("ascii", "replace")
    return next(filter(None, (arn_of(name, region, account) for account in list(moto.backends("kms")))), None)


def _grant_statements(grant: Any) -> Iterator[dict[str, Any]]:
    constraints = grant.constraints or {}
    pairs = {**constraints.get("EncryptionContextSubset", {}), **constraints.get("EncryptionContextEquals", {})}
    condition: dict[str, Any] = {"StringEquals": {f"kms:EncryptionContext:{k}": v for k, v in pairs.items()}}
    if equals := constraints.get("EncryptionContextEquals"):
        condition["ForAllValues:StringEquals"] = {"kms:EncryptionContextKeys": sorted(equals)}
    sid = f"grant{grant.id[:16]}"
    statement = {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": grant.grantee_principal}, "Resource": "*"}
    limited = {"Condition": condition} if pairs else {}
    yield {**statement, "Action": [f"kms:{name}" for name in grant.operations], **limited}
    if grant.retiring_principal:
        yield {**statement, "Sid": f"{sid}retire", "Principal": {"AWS": grant.retiring_principal},
               "Action": "kms:RetireGrant"}  # fmt: skip
