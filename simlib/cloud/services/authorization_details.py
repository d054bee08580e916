"""AWS's own explanation of a refusal: authorization IDs, and the `iam-toolbox` client that answers for them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html. The answers are the
recorded `Evaluation`s in the members of botocore's model; nothing is decided here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.event import Event
from simlib.cloud.storage import organizations
from simlib.cloud.transport.answers import Refusal
from simlib.iam import Evaluation, Policy
from simlib.iam.decision import Check

KEPT = timedelta(hours=24)
PAGE = 50  # evaluations; AWS does not document how many

_TYPES = {
    "RESOURCE_CONTROL_POLICY": "RESOURCE_CONTROL_POLICY",
    "SERVICE_CONTROL_POLICY": "SERVICE_CONTROL_POLICY",
    "VPC_ENDPOINT": "VPC_ENDPOINT_POLICY",
    "RESOURCE": "RESOURCE_BASED_POLICY",
    "PRINCIPAL": "IDENTITY_BASED_POLICY",
    "PERMISSIONS_BOUNDARY": "PERMISSIONS_BOUNDARY",
    "SESSION": "SESSION_POLICY",
}
_GONE = "The requested authorization details do not exist in this region or have expired."
_NO_SUCH_POLICY = "The requested policy is not among the policies of these authorization details."


def details(context: CallContext) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/iam-toolbox/latest/APIReference/API_GetRequestAuthorizationDetails.html"""
    evaluations = _recorded(context).evaluations
    shared = _shared_context(evaluations)
    start = _start(context.parameters.get("nextToken"), len(evaluations))
    answer = {
        "requestContext": shared,
        "evaluations": [_described(evaluation, shared) for evaluation in evaluations[start : start + PAGE]],
        "policies": list(_policies(evaluations).values()),
    }
    more = start + PAGE < len(evaluations)
    return {**answer, "nextToken": str(start + PAGE)} if more else answer


def policy(context: CallContext) -> Mapping[str, Any]:
    """The document as it was when the request was denied.

    https://docs.aws.amazon.com/iam-toolbox/latest/APIReference/API_GetRequestAuthorizationPolicy.html
    """
    uri = str(context.parameters["policyUri"])
    for evaluation in _recorded(context).evaluations:
        for check, each in _policies_read(evaluation):
            if _uri(check, each, evaluation) == uri:
                return {"policyDocument": each.document}
    raise Refusal("ResourceNotFoundException", _NO_SUCH_POLICY, 404, situation="service")


def _recorded(context: CallContext) -> Event:
    """The denied call of an ID: in this region, for 24 hours, for the organization or the account of its caller."""
    event = context.trail.by_authorization_id(str(context.parameters["authorizationId"]))
    if (
        event is None
        or context.now - event.when > KEPT
        or event.region != context.call.region
        or not _may_see(context, event)
    ):
        raise Refusal("ResourceNotFoundException", _GONE, 404, situation="service")
    return event


def _may_see(context: CallContext, event: Event) -> bool:
    recorded = event.evaluations[0].context.get("aws:PrincipalOrgID")
    if recorded is None:
        return context.caller.account == event.account
    ours = organizations.membership(context.caller.account)
    return ours is not None and ours.organization_id == recorded


def _start(token: Any, count: int) -> int:
    if token is None:
        return 0
    if not str(token).isdigit() or not 0 < int(token) < count:
        raise Refusal("ValidationException", "The value of nextToken is not valid.", 400, situation="service")
    return int(token)


# -- an evaluation in the model's members ------------------------------------------------------------------------------


def _shared_context(evaluations: Iterable[Evaluation]) -> dict[str, Any]:
    """The keys that have the same value for every action and resource of a request."""
    first, *others = (_context(evaluation) for evaluation in evaluations)
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}


def _context(evaluation: Evaluation) -> dict[str, Any]:
    return {key: value if isinstance(value, str) else list(value) for key, value in evaluation.context.items()}


def _described(evaluation: Evaluation, shared: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "action": evaluation.action,
        "resource": evaluation.resource,
        "context": {key: value for key, value in _context(evaluation).items() if key not in shared},
        "evaluatedEffect": evaluation.effect,
        "checks": [_check(check, evaluation) for check in evaluation.checks],
    }


def _check(check: Check, evaluation: Evaluation) -> dict[str, Any]:
    matched = [
        {
            "uri": _uri(check, match.policy, evaluation),
            "matchedStatements": [
                {"sid": s.sid or f"Statement{s.index + 1}", "evaluatedEffect": s.effect.upper()}
                for s in match.statements
            ],
        }
        for match in check.matched_policies
    ]
    target = {} if check.level is None else {"targetArn": _attached_to(check, evaluation)}
    described = {"checkType": check.check_type, "evaluatedEffect": check.effect, **target}
    return {**described, "relevantPolicyTypes": [_TYPES[check.check_type]], "matchedPolicies": matched}


def _policies(evaluations: Iterable[Evaluation]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every policy that was asked, once for each type and URI, with all it is attached to."""
    policies: dict[tuple[str, str], dict[str, Any]] = {}
    for evaluation in evaluations:
        for check, each in _policies_read(evaluation):
            kind, uri = _TYPES[check.check_type], _uri(check, each, evaluation)
            new = {"type": kind, "inline": not _is_managed(each), "uri": uri, "attachedTo": []}
            holders = policies.setdefault((kind, uri), new)["attachedTo"]
            holder = {"arn": _attached_to(check, evaluation)}
            if holder not in holders:
                holders.append(holder)
    return policies


def _policies_read(evaluation: Evaluation) -> Iterator[tuple[Check, Policy]]:
    for check in evaluation.checks:
        yield from ((check, each) for each in check.policies)


def _is_managed(each: Policy) -> bool:
    return ":policy/" in each.name


def _uri(check: Check, each: Policy, evaluation: Evaluation) -> str:
    """The ARN of a managed policy; of an inline one its type, holder and name, made opaque."""
    if _is_managed(each):
        return each.name
    identity = "\n".join((check.check_type, _attached_to(check, evaluation), each.name))
    return f"inline-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def _attached_to(check: Check, evaluation: Evaluation) -> str:
    """The ARN of what the policies of a check hang on."""
    if check.level is not None:
        who = "Principal" if check.check_type == "SERVICE_CONTROL_POLICY" else "Resource"
        account = str(evaluation.context[f"aws:{who}Account"])
        return organizations.node_arn(str(evaluation.context[f"aws:{who}OrgPaths"][0]), account, check.level)
    if check.check_type in ("RESOURCE", "VPC_ENDPOINT"):
        return evaluation.resource
    return str(evaluation.context.get("aws:PrincipalArn", evaluation.principal))


ANSWERS = {
    "iam-toolbox:GetRequestAuthorizationDetails": details,
    "iam-toolbox:GetRequestAuthorizationPolicy": policy,
}
