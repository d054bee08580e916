"""AWS's own explanation of a refusal: authorization IDs, and the `iam-toolbox` client that answers for them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html. The answers are the
recorded `Evaluation`s in the members of botocore's model; nothing is decided here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from simlib.cloud.call_context import CallContext
from simlib.cloud.event import Event
from simlib.cloud.storage import organizations
from simlib.cloud.transport.refusals import Objection
from simlib.iam import Evaluation, Policy
from simlib.iam.decision import Check

KEPT = timedelta(hours=24)

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
    for asked in _asked(evaluations):
        kind = _TYPES[asked.check.check_type]
        new = {"type": kind, "inline": not asked.is_managed, "uri": asked.uri, "attachedTo": []}
        holders = policies.setdefault((kind, asked.uri), new)["attachedTo"]
        if {"arn": asked.holder} not in holders:
            holders.append({"arn": asked.holder})
    described = [
        {
            "action": evaluation.action,
            "resource": evaluation.resource,
            "context": {key: value for key, value in keys.items() if key not in shared},
            "evaluatedEffect": evaluation.effect,
            "checks": [_check(check, evaluation) for check in evaluation.checks],
        }
        for evaluation, keys in zip(evaluations, contexts, strict=True)
    ]
    return {"requestContext": shared, "evaluations": described, "policies": list(policies.values())}


def policy(context: CallContext) -> Mapping[str, Any]:
    """The document as it was when the request was denied.

    https://docs.aws.amazon.com/iam-toolbox/latest/APIReference/API_GetRequestAuthorizationPolicy.html
    """
    for asked in _asked(_recorded(context).evaluations):
        if asked.uri == context.parameters["policyUri"]:
            return {"policyDocument": asked.policy.document}
    raise Objection("ResourceNotFoundException", _NO_SUCH_POLICY, 404)


def _recorded(context: CallContext) -> Event:
    """The denied call of an ID: in this region, for 24 hours, for the organization or the account of its caller."""
    event = context.trail.by_authorization_id(str(context.parameters["authorizationId"]))
    if event is not None:
        theirs = event.evaluations[0].context.get("aws:PrincipalOrgID")
        ours = organizations.membership(context.caller.account)
        ours_too = (
            context.caller.account == event.account if theirs is None else ours and ours.organization_id == theirs
        )
        if ours_too and event.region == context.call.region and context.now - event.when <= KEPT:
            return event
    raise Objection("ResourceNotFoundException", _GONE, 404)


class _Asked(NamedTuple):
    """A policy that a check of an evaluation has asked."""

    policy: Policy
    check: Check
    evaluation: Evaluation

    @property
    def is_managed(self) -> bool:
        return ":policy/" in self.policy.name

    @property
    def uri(self) -> str:
        """The ARN of a managed policy; of an inline one its type, holder and name, made opaque."""
        if self.is_managed:
            return self.policy.name
        identity = "\n".join((self.check.check_type, self.holder, self.policy.name))
        return f"inline-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"

    @property
    def holder(self) -> str:
        return _holder(self.check, self.evaluation)


def _asked(evaluations: Iterable[Evaluation]) -> Iterator[_Asked]:
    for evaluation in evaluations:
        for check in evaluation.checks:
            yield from (_Asked(each, check, evaluation) for each in check.policies)


def _holder(check: Check, evaluation: Evaluation) -> str:
    """The ARN of what the policies of a check hang on."""
    if check.level is not None:
        who = "Principal" if check.check_type == "SERVICE_CONTROL_POLICY" else "Resource"
        account = str(evaluation.context[f"aws:{who}Account"])
        return organizations.node_arn(str(evaluation.context[f"aws:{who}OrgPaths"][0]), account, check.level)
    if check.check_type in ("RESOURCE", "VPC_ENDPOINT"):
        return evaluation.resource
    return str(evaluation.context.get("aws:PrincipalArn", evaluation.principal))


def _check(check: Check, evaluation: Evaluation) -> dict[str, Any]:
    matched = []
    for match in check.matched_policies:
        statements = [
            {"sid": each.sid or f"Statement{each.index + 1}", "evaluatedEffect": each.effect.upper()}
            for each in match.statements
        ]
        matched.append({"uri": _Asked(match.policy, check, evaluation).uri, "matchedStatements": statements})
    target = {} if check.level is None else {"targetArn": _holder(check, evaluation)}
    described = {"checkType": check.check_type, "evaluatedEffect": check.effect, **target}
    return {**described, "relevantPolicyTypes": [_TYPES[check.check_type]], "matchedPolicies": matched}


ANSWERS = {
    "iam-toolbox:GetRequestAuthorizationDetails": details,
    "iam-toolbox:GetRequestAuthorizationPolicy": policy,
}
