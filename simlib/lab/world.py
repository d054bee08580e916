"""What a panel reads of the running world: through AWS's own API, as anybody with the permission could."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simlib.iam import Policy

from .attempts import attempt


@dataclass(frozen=True)
class Attached:
    """The policies that hang on a role."""

    role_arn: str
    policies: tuple[Policy, ...]
    boundary: Policy | None


def attached_to_role(admin: Any, role: str, *, without: str = "") -> Attached:
    """A role's inline and managed policies and its boundary, leaving out the inline policy `without`."""
    iam = admin.client("iam")
    about = iam.get_role(RoleName=role)["Role"]
    inline = [
        Policy.parse(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"], name=name)
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        if name != without
    ]
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    managed = [_managed(iam, entry["PolicyArn"], "identity") for entry in attached]
    boundary = about.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return Attached(about["Arn"], (*inline, *managed), _managed(iam, boundary, "boundary") if boundary else None)


def _managed(iam: Any, arn: str, kind: str) -> Policy:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return Policy.parse(document, kind, name=arn.rpartition("/")[2])


def bucket_policies(admin: Any, resources: Iterable[str]) -> Mapping[str, Policy]:
    """The bucket policies of the S3 resources among these ARNs, by bucket ARN."""
    s3 = admin.client("s3")
    found = {}
    for bucket in {resource.partition("/")[0] for resource in resources if resource.startswith("arn:aws:s3:::")}:
        policy = attempt(s3.get_bucket_policy, Bucket=bucket.rpartition(":")[2])
        if policy.allowed:
            found[bucket] = Policy.parse(policy["Policy"], "resource", name=f"the policy of {bucket}")
    return found


def request_context(world: Any) -> dict[str, str]:
    """The condition keys a call made now would carry, whoever makes it."""
    from simlib.cloud.permissions.authorization import circumstances

    return circumstances(world.clock.now, world.source_ip, "simlib", "us-east-1")
