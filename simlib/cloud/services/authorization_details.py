"""AWS's own explanation of a refusal: authorization IDs, and the `iam-toolbox` client that answers for them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html. The answers are the
recorded `Evaluation`s in the members of botocore's model; nothing is decided here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.event import Event
from simlib.cloud.storage import organizations
from simlib.cloud.transport.refusals import Objection
from simlib.iam import Evaluation, Policy
from simlib.iam.decision import Check

KEPT = timedelta(hours=24)

_TYPES = {  # of the policies that a check asks, where the check is called otherwise
    "VPC_ENDPOINT": "VPC_ENDPOINT_POLICY",
    "RESOURCE": "RESOURCE_BASED_POLICY",
    "PRINCIPAL": "IDENTITY_BASED_POLICY",
    "SESSION": "SESSION_POLICY",
}
_GONE = "The requested authorization details do not exist in this region or have expired."
_NO_SUCH_POLICY = "The requested policy is not among the policies of these authorization details."


def details(context: CallContext) -> Mapping[str, Any]:
    """Everything on one page, for AWS does not document how much is on one.

    https://docs.aws.amazon.com/iam-toolbox/latest/APIReference/API_GetRequestAuthorizationDetails.html
    """
    if context.parameters.get("nextToken") is not None:
        raise Objection("ValidationException", "The value of nextToken is not valid.", 400)
    evaluations = _recorded(context).evaluations
    contexts = [
        {key: value if isinstance(value, str) else list(value) for key, value in evaluation.context.items()}
        for evaluation in evaluations
    ]
    shared = {key: value for key, value in contexts[0].items() if all(each.get(key) == value for each in contexts)}
    policies: dict[tuple[str, str], dict[str, Any]] = {}  # every policy that was asked, with all it is attached to
    described = []
    for evaluation, keys in zip(evaluations, contexts, strict=True):
        checks = []
        for check in evaluation.checks:
            kind, holder = _TYPES.get(check.check_type, check.check_type), _holder(check, evaluation)
            for policy in check.policies:
                uri, inline = _uri(policy, check, holder), not _is_managed(policy)
                new = {"type": kind, "inline": inline, "uri": uri, "attachedTo": []}
                holders = policies.setdefault((kind, uri), new)["attachedTo"]
                holders += [{"arn": holder}] if {"arn": holder} not in holders else []
            target = {} if check.level is None else {"targetArn": holder}
            checks.append({
                "checkType": check.check_type, "evaluatedEffect": check.effect, "relevantPolicyTypes": [kind],
                "matchedPolicies": _matched(check, holder), **target,
            })  # fmt: skip
        described.append({
            "action": evaluation.action, "resource": evaluation.resource, "evaluatedEffect": evaluation.effect,
            "context": {key: value for key, value in keys.items() if key not in shared}, "checks": checks,
        })  # fmt: skip
    return {"requestContext": shared, "evaluations": described, "policies": list(policies.values())}


def policy(context: CallContext) -> Mapping[str, Any]:
    """The document as it was when the request was denied.

    https://docs.aws.amazon.com/iam-toolbox/latest/APIReference/API_GetRequestAuthorizationPolicy.html
    """
    for evaluation in _recorded(context).evaluations:
        for check in evaluation.checks:
            for asked in check.policies:
                if _uri(asked, check, _holder(check, evaluation)) == context.parameters["policyUri"]:
                    return {"policyDocument": asked.document}
    raise Objection("ResourceNotFoundException", _NO_SUCH_POLICY, 404)


def _recorded(context: CallContext) -> Event:
    """The denied call of an ID: in this region, for 24 hours, for the organization or the account of its caller."""
    event = context.trail.by_authorization_id(str(context.parameters["authorizationId"]))
    if event is not None and event.region == context.call.region and context.now - event.when <= KEPT:
        theirs = event.evaluations[0].context.get("aws:PrincipalOrgID")
        ours = organizations.membership(context.caller.account)
        if context.caller.account == event.account if theirs is None else ours and ours.organization_id == theirs:
            return event
    raise Objection("ResourceNotFoundException", _GONE, 404)


def _is_managed(policy: Policy) -> bool:
    return ":policy/" in policy.name


def _uri(policy: Policy, check: Check, holder: str) -> str:
    """The ARN of a managed policy; of an inline one its type, holder and name, made opaque."""
    if _is_managed(policy):
        return policy.name
    identity = "\n".join((check.check_type, holder, policy.name))
    return f"inline-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def _holder(check: Check, evaluation: Evaluation) -> str:
    """The ARN of what the policies of a check hang on."""
    if check.level is not None:
        who = "Principal" if check.check_type == "SERVICE_CONTROL_POLICY" else "Resource"
        account = str(evaluation.context[f"aws:{who}Account"])
        return organizations.node_arn(str(evaluation.context[f"aws:{who}OrgPaths"][0]), account, check.level)
    if check.check_type in ("RESOURCE", "VPC_ENDPOINT"):
        return evaluation.resource
    return str(evaluation.context.get("aws:PrincipalArn", evaluation.principal))


def _matched(check: Check, holder: str) -> list[dict[str, Any]]:
    return [
        {
            "uri": _uri(match.policy, check, holder),
            "matchedStatements": [
                {"sid": each.sid or f"Statement{each.index + 1}", "evaluatedEffect": each.effect.upper()}
                for each in match.statements
            ],
        }
        for match in check.matched_policies
    ]


ANSWERS = {
    "iam-toolbox:GetRequestAuthorizationDetails": details,
    "iam-toolbox:GetRequestAuthorizationPolicy": policy,
}
