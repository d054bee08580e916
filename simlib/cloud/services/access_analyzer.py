"""IAM Access Analyzer's checks of policies, answered by the engine: `accessanalyzer` by boto3 or the AWS CLI.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ValidatePolicy.html and …_CheckNoNewAccess,
…_CheckAccessNotGranted, …_CheckNoPublicAccess. Analyzers and their findings are not offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.services.documents import span
from simlib.cloud.transport.answers import Refusal
from simlib.iam import Policy, PolicyError, Problem, Statement, service_data, validation
from simlib.iam.findings import issue_code, page
from simlib.iam.json_text import parse
from simlib.iam.matching import Patterns
from simlib.iam.public_access import is_public

_KINDS = {
    "IDENTITY_POLICY": "identity",
    "RESOURCE_POLICY": "resource",
    "SERVICE_CONTROL_POLICY": "scp",
    "RESOURCE_CONTROL_POLICY": "rcp",
}
_TRUST = "AWS::IAM::AssumeRolePolicyDocument"
_STEP = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[]+)')


def validate_policy(context: CallContext) -> Mapping[str, Any]:
    parameters = context.parameters
    text = str(parameters["policyDocument"])
    kind = _kind(parameters.get("policyType"), parameters.get("validatePolicyResourceType"))
    try:
        located = parse(text)
        problems: Iterable[Problem] = validation.problems(located.value, kind, located)
    except PolicyError as error:
        problems = error.problems
    return {"findings": [_finding(each, text) for each in problems if issue_code(each.code)]}


def _finding(problem: Problem, text: str) -> dict[str, Any]:
    gravity = validation.gravity(problem.code, problem.level)
    advice = f" {problem.suggestion[0].upper()}{problem.suggestion[1:]}." if problem.suggestion else ""
    steps = [match.groups() for match in _STEP.finditer(problem.path)]
    path = [{"index": int(index)} if index else {"value": name or plain} for name, index, plain in steps]
    names = ("line", "column", "offset")
    begin, end = (dict(zip(names, at, strict=True)) for at in span(text, problem.line or 1, problem.column or 1))
    return {
        "findingDetails": problem.message + advice,
        "findingType": gravity.upper().replace(" ", "_"),
        "issueCode": issue_code(problem.code),
        "learnMoreLink": page(problem.code),
        "locations": [{"path": path, "span": {"start": begin, "end": end}}],
    }


def check_no_new_access(context: CallContext) -> Mapping[str, Any]:
    from simlib.iam.difference import newly_allowed  # late: no lesson compares policies

    kind = _kind(context.parameters["policyType"], None)
    new, old = (_policy(context.parameters[name], kind) for name in ("newPolicyDocument", "existingPolicyDocument"))
    said = "The modified permissions do not grant new access compared to your existing policy."
    return _result((each.statement for each in newly_allowed(new, old)), said, "New access in the")


def check_access_not_granted(context: CallContext) -> Mapping[str, Any]:
    from simlib.iam.difference import RESOURCES, allowed  # late, too

    policy = _policy(context.parameters["policyDocument"], _kind(context.parameters["policyType"], None))
    statements = []
    for access in context.parameters["access"]:
        resources = access.get("resources") or RESOURCES
        named = access.get("actions") or [text for each in policy.statements for text in each.actions.texts]
        actions = (each for action in named for each in _expanded(str(action).lower()))
        statements += [witness.statement for each in actions if (witness := allowed(policy, each, *resources))]
    said = "The policy document does not grant access to perform the listed actions or resources."
    return _result(statements, said, "One or more of the listed actions or resources in the")


def check_no_public_access(context: CallContext) -> Mapping[str, Any]:
    kind = "trust" if context.parameters["resourceType"] == _TRUST else "resource"
    policy = _policy(context.parameters["policyDocument"], kind)
    alone = [Policy(policy.document, kind, "", [each]) for each in policy.statements]
    said = "The resource policy does not grant public access for the given resource type."
    public = (each.statements[0] for each in alone if is_public(each))
    return _result(public, said, "Public access granted in the following")


def _result(statements: Iterable[Statement], said: str, reason: str) -> dict[str, Any]:
    """`said` is the message where there are none."""
    reasons = []
    for each in dict.fromkeys(statements):
        place = f"sid: {each.sid}." if each.sid else f"index: {each.index}."
        sid = {"statementId": each.sid} if each.sid else {}
        reasons.append({"description": f"{reason} statement with {place}", "statementIndex": each.index, **sid})
    if reasons:
        said = re.sub("do(es)? not grant", lambda verb: "grants" if verb[1] else "grant", said)
        said = said.replace("perform the", "perform one or more of the")
    return {"result": "FAIL" if reasons else "PASS", "message": said, "reasons": reasons}


def _kind(policy_type: Any, resource_type: Any) -> str:
    return "trust" if resource_type == _TRUST else _KINDS[str(policy_type)]


def _policy(text: Any, kind: str) -> Policy:
    try:
        return Policy.parse(str(text), kind)
    except PolicyError as error:
        raise Refusal("ValidationException", f"The policy document is not valid: {error.problems[0]}", 400) from None


def _expanded(action: str) -> list[str]:
    """The actions of AWS that an action with wildcards stands for."""
    if "*" not in action and "?" not in action:
        return [action]
    fits, prefix = Patterns([action]), action.partition(":")[0]
    services = [prefix] if prefix in service_data.services() else service_data.services()
    known = ((name, service_data.service(name)) for name in services)
    names = (f"{name}:{each}" for name, service in known if service for each in service.actions)
    return [name for name in names if fits.matches(name, {})]


ANSWERS = {
    "accessanalyzer:ValidatePolicy": validate_policy,
    "accessanalyzer:CheckNoNewAccess": check_no_new_access,
    "accessanalyzer:CheckAccessNotGranted": check_access_not_granted,
    "accessanalyzer:CheckNoPublicAccess": check_no_public_access,
}
