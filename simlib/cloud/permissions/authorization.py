"""From an authenticated caller to a decision: gather every policy that bears on a request and ask the engine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions import public_access
from simlib.cloud.permissions.asked import Requested
from simlib.cloud.storage import buckets, resources
from simlib.cloud.storage.organizations import Levels, context_keys, membership
from simlib.cloud.storage.store import Store, StoredDocument
from simlib.iam import Evaluation, Policy, PolicyError, PolicySet, Request, evaluate

# services whose resources' tags also have a condition key of the service's own
_OWN_TAG_KEYS = ("ec2", "iam", "secretsmanager", "ecs", "ssm", "ecr", "elasticloadbalancing")


@lru_cache(maxsize=4096)
def parsed(text: str, kind: str, name: str) -> Policy:
    """A stored document, prepared once for all decisions; raises `PolicyError` where it is not a policy."""
    return Policy.parse(text, kind, name=name)


def _policy(document: StoredDocument, kind: str) -> Policy:
    return parsed(document.text, kind, document.name)


def circumstances(now: datetime, source_ip: str, user_agent: str, region: str) -> dict[str, str]:
    """The condition keys of a request that depend on nobody's identity.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html. The lab stands for AWS's
    HTTPS endpoints, so `aws:SecureTransport` is true on the loopback endpoint too.
    """
    return {
        "aws:CurrentTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:SecureTransport": "true",
        "aws:SourceIp": source_ip,
        "aws:UserAgent": user_agent,
        "aws:RequestedRegion": region,
        "aws:ViaAWSService": "false",
    }


def decide(
    asked: Requested,
    caller: Caller,
    store: Store,
    around: Mapping[str, str],
    *,
    resource_policy: Policy | None = None,
) -> Evaluation:
    """Whether `caller` may do what is asked, `around` being the request's circumstances."""
    context = {**around, **caller.context, **_tag_keys(asked), **asked.context}
    if asked.account:
        context["aws:ResourceAccount"] = asked.account
    if caller.user_id:
        context["aws:userid"] = caller.user_id
    callers, owners = membership(caller.account), membership(asked.account)
    context |= {**context_keys(callers, "Principal"), **context_keys(owners, "Resource")}
    request = Request(
        caller.arn,
        asked.action,
        asked.resource,
        resource_account=asked.account or None,
        context=context,
        role_arn=caller.role_arn,
    )
    identity = caller.identity
    boundary = identity.permissions_boundary if identity else None
    policies = PolicySet(
        identity=tuple(_policy(document, "identity") for document in identity.documents) if identity else (),
        permissions_boundary=_policy(boundary, "boundary") if boundary else None,
        session=caller.session.session_policies if caller.session else None,
        resource=resource_policy or _resource_policy(asked, caller, store),
        scps=_levels(callers.scps, "scp") if callers and not callers.management else (),
        rcps=_levels(owners.rcps, "rcp") if owners and not owners.management else (),
    )
    return evaluate(request, policies)


def _levels(levels: Levels, kind: str) -> tuple[tuple[Policy, ...], ...]:
    return tuple(tuple(_policy(document, kind) for document in level) for level in levels)


def _resource_policy(asked: Requested, caller: Caller, store: Store) -> Policy | None:
    """The policy that hangs on the resource itself, where the lab knows one."""
    service, _, rest = asked.resource.removeprefix("arn:aws:").partition(":")
    if service == "s3":
        bucket = rest.removeprefix("::").partition("/")[0]
        text = store.bucket_policy(bucket)
        if text and _restricted(bucket, text, asked, caller):
            return None
        return parsed(text, "resource", f"arn:aws:s3:::{bucket}") if text else None
    text = resources.policy_of(asked.resource)
    try:
        return parsed(text, "resource", asked.resource) if text else None
    except PolicyError:  # put together by moto, not by a caller: what nobody can read allows nothing
        return None


def _restricted(bucket: str, policy: str, asked: Requested, caller: Caller) -> bool:
    """RestrictPublicBuckets: a public policy speaks only to the owner's account and to AWS's services."""
    outsider = caller.arn == "anonymous" or bool(caller.account and caller.account != asked.account)
    return outsider and buckets.public_access_block(bucket).restrict_public_buckets and public_access.is_public(policy)


def _tag_keys(asked: Requested) -> dict[str, str]:
    """The resource's tags as condition keys: `aws:ResourceTag/…`, and by the names that its service gives them.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html. S3's objects have only
    `s3:ExistingObjectTag/…`; its buckets' tags decide once that is switched on for the bucket.
    """
    service, _, rest = asked.resource.removeprefix("arn:aws:").partition(":")
    if service == "s3":
        bucket, _, key = rest.removeprefix("::").partition("/")
        version = asked.context.get("s3:VersionId")
        if key:
            tags = buckets.object_tags(bucket, key, str(version) if version else None)
            return {f"s3:ExistingObjectTag/{key}": value for key, value in tags.items()}
        of_bucket = buckets.bucket_tags(bucket)
        return {f"{name}/{k}": v for k, v in of_bucket.items() for name in ("aws:ResourceTag", "s3:BucketTag")}
    names = ("aws:ResourceTag", f"{service}:ResourceTag") if service in _OWN_TAG_KEYS else ("aws:ResourceTag",)
    return {f"{name}/{k}": v for k, v in resources.tags_of(asked.resource).items() for name in names}
