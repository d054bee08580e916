"""From an authenticated caller to a decision: gather every policy that bears on a request and ask the engine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from ..iam import Evaluation, Policy, PolicySet, Request, evaluate
from .organizations import Levels, context_keys, membership
from .requested import Requested
from .sessions import Caller
from .store import Store, StoredDocument


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
    context = {**around, **caller.context, **asked.context}
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
        resource=resource_policy or _resource_policy(asked, store),
        scps=_levels(callers.scps, "scp") if callers and not callers.management else (),
        rcps=_levels(owners.rcps, "rcp") if owners and not owners.management else (),
    )
    return evaluate(request, policies)


def _levels(levels: Levels, kind: str) -> tuple[tuple[Policy, ...], ...]:
    return tuple(tuple(_policy(document, kind) for document in level) for level in levels)


def _resource_policy(asked: Requested, store: Store) -> Policy | None:
    """The policy that hangs on the resource itself, where the lab knows one."""
    service, _, rest = asked.resource.removeprefix("arn:aws:").partition(":")
    if service == "s3":
        bucket = rest.removeprefix("::").partition("/")[0]
        text = store.bucket_policy(bucket)
        return parsed(text, "resource", f"arn:aws:s3:::{bucket}") if text else None
    if service == "kms":
        text = store.key_policy(asked.resource)
        return parsed(text, "resource", asked.resource) if text else None
    return None
