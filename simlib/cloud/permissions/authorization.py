"""From an authenticated caller to a decision: gather every policy that bears on a request and ask the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions import condition_keys
from simlib.cloud.permissions.permission import Permission, account_of
from simlib.cloud.storage import buckets, resources, store
from simlib.cloud.storage.organizations import Levels, Membership, context_keys, membership
from simlib.cloud.storage.stored import Place, StoredDocument, cached_policy
from simlib.iam import Evaluation, Policy, PolicyError, PolicySet, Request, evaluate, public_access
from simlib.iam.principals import identify
from simlib.iam.vocabulary import TRUST_ACTIONS

_KEYS_OF_ACCOUNT = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "%s"}, '
    '"Action": "kms:*", "Resource": "*"}]}'
)

Instead = Mapping[Place, Policy | None]
AS_STORED: Instead = MappingProxyType({})


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
    permission: Permission, caller: Caller, around: Mapping[str, str], *, instead: Instead = AS_STORED
) -> Evaluation:
    """Whether `caller` may do what is asked, `around` being the request's circumstances.

    `instead` are documents that are to count in place of stored ones, or beside them: see `gather_policies`.
    """
    context = {**around, **caller.context, **_once(_tag_keys(permission)), **_once(permission.context)}
    if permission.account:
        context["aws:ResourceAccount"] = permission.account
    context |= condition_keys.always(permission)
    if caller.user_id:
        context["aws:userid"] = caller.user_id
    callers, owners = membership(caller.account), membership(permission.account)
    context |= {**context_keys(callers, "Principal"), **context_keys(owners, "Resource")}
    request = Request(
        caller.arn,
        permission.action,
        permission.resource,
        resource_account=permission.account or None,
        context=context,
        role_arn=caller.role_arn,
    )
    return evaluate(request, gather_policies(permission, caller, callers, owners, instead))


def _once(tags: Mapping[str, str | list[str]]) -> Mapping[str, str | list[str]]:
    """Of keys that differ in their capitals alone the first: most services' tags may, condition keys may not.

    A choice, for AWS only advises against such tags. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
    """
    if len({key.lower() for key in tags}) == len(tags):
        return tags
    first: dict[str, str] = {}
    for key in tags:
        first.setdefault(key.lower(), key)
    return {key: tags[key] for key in first.values()}


def gather_policies(
    permission: Permission,
    caller: Caller,
    callers: Membership | None,
    owners: Membership | None,
    instead: Instead = AS_STORED,
) -> PolicySet:
    """Every policy that bears on a request, from where it is stored: the one place where they are gathered.

    A policy of `instead` takes the place of the stored document with its address; None takes that away. At an address
    that belongs to somebody who is asked and where nothing is stored it is one more: a new inline policy of a user, a
    boundary, a policy for a bucket that has none.
    """
    identity = caller.identity
    boundaries = _layer(
        [identity.permissions_boundary] if identity and identity.permissions_boundary else (),
        "boundary",
        [identity.arn] if identity else (),
        instead,
    )
    return PolicySet(
        identity=_layer(identity.documents, "identity", (identity.arn, *identity.groups), instead) if identity else (),
        permissions_boundary=boundaries[-1] if boundaries else None,
        session=_session(caller, instead),
        resource=_resource_policy(permission, caller, instead),
        scps=_levels(callers, callers.scps, "scp", instead) if callers and not callers.management else (),
        rcps=_levels(owners, owners.rcps, "rcp", instead) if owners and not owners.management else (),
    )


def _layer(
    documents: Iterable[StoredDocument], kind: str, owners: Iterable[str], instead: Instead
) -> tuple[Policy, ...]:
    """The policies of one layer, whose documents hang on `owners`."""
    if not instead:
        return tuple(cached_policy(document.text, kind, document.name, document.title) for document in documents)
    stored = {document.place(kind): document for document in documents}
    added = (place for place in instead if place.kind == kind and place.owner in owners and place not in stored)
    more = [instead[place] for place in added]
    present = [
        instead[p] if p in instead else cached_policy(document.text, kind, document.name, document.title)
        for p, document in stored.items()
    ]
    return tuple(policy for policy in (*present, *more) if policy is not None)


def _session(caller: Caller, instead: Instead) -> tuple[Policy, ...]:
    """The session policies, which are no stored documents: they came with the request for the session."""
    policies = (caller.session.session_policies if caller.session else None) or ()
    owners = (caller.arn, caller.role_arn)
    edited = {place.name: each for place, each in instead.items() if place.kind == "session" and place.owner in owners}
    if not edited:
        return policies
    named = {policy.name: policy for policy in policies} | edited
    return tuple(policy for policy in named.values() if policy is not None)


def _levels(member: Membership, levels: Levels, kind: str, instead: Instead) -> tuple[tuple[Policy, ...], ...]:
    return tuple(_layer(level, kind, (node,), instead) for node, level in zip(member.nodes, levels, strict=False))


def _resource_policy(permission: Permission, caller: Caller, instead: Instead) -> Policy | None:
    """The policy that hangs on the resource itself, where the lab knows one; a role's is its trust policy."""
    document = resource_document(permission.resource, trust=permission.action.lower() in TRUST_ACTIONS)
    if document is None:
        return None
    place, text, name = document
    policy = instead.get(place)
    if place not in instead and text:
        try:
            policy = cached_policy(text, "key" if place.owner.startswith("arn:aws:kms:") else place.kind, name)
        except PolicyError:  # put together by moto, not by a caller: what nobody can read allows nothing
            return None
    bucket = place.owner.removeprefix("arn:aws:s3:::")
    if policy is None or bucket == place.owner or not buckets.public_access_block(bucket).restrict_public_buckets:
        return policy
    return public_access.restricted(policy, identify(caller.arn, caller.role_arn), permission.account)


def resource_document(arn: str, *, trust: bool) -> tuple[Place, str, str] | None:
    """The address of a resource's own policy, its text ("" while there is none), and what answers call it.

    `trust`: of a role, its trust policy. None for what cannot have a policy.
    """
    service, _, rest = arn.removeprefix("arn:aws:").partition(":")
    if service == "s3":
        bucket = rest.removeprefix("::").partition("/")[0]
        owner = f"arn:aws:s3:::{bucket}"
        return Place(owner, "resource"), buckets.policy(bucket) or "", owner
    if service == "iam" and ":role/" in arn:
        role = store.identity_at(arn) if trust else None
        return (Place(arn, "trust"), role.trust_policy, f"{arn} (trust policy)") if role else None
    if not arn.startswith("arn:"):
        return None
    text = resources.policy_of(arn) or ""
    if not text and ":kms:" in arn:  # of a key that is not there AWS says so to whoever may use the account's keys
        text = _KEYS_OF_ACCOUNT % account_of(arn)
    return Place(resources.policy_owner(arn), "resource"), text, arn


def _tag_keys(permission: Permission) -> dict[str, str]:
    """The resource's tags as condition keys: `aws:ResourceTag/…`, and by the names that its service gives them.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html. S3's objects have only
    `s3:ExistingObjectTag/…`; its buckets' tags decide once that is switched on for the bucket.
    """
    service, _, rest = permission.resource.removeprefix("arn:aws:").partition(":")
    if service == "s3":
        bucket, _, key = rest.removeprefix("::").partition("/")
        version = permission.context.get("s3:versionid")
        if key:
            tags = buckets.object_tags(bucket, key, str(version) if version else None)
            return {f"s3:ExistingObjectTag/{key}": value for key, value in tags.items()}
        of_bucket = buckets.bucket_tags(bucket)
        return {f"{name}/{k}": v for k, v in of_bucket.items() for name in ("aws:ResourceTag", "s3:BucketTag")}
    tags = resources.tags_of(permission.resource, permission.account)
    names = condition_keys.names_of_tags(permission.resource) if tags else ()
    return {f"{name}/{key}": value for key, value in tags.items() for name in names}
