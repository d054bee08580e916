"""IAM's policy simulator, answered by the engine that decides every other call.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simlib.cloud.desk import Desk
from simlib.cloud.permissions.authorization import parsed
from simlib.cloud.storage.organizations import membership
from simlib.cloud.storage.stored import StoredDocument
from simlib.cloud.transport.answers import Refusal
from simlib.iam import Evaluation, Policy, PolicyError, PolicySet, Request, RequestError, evaluate

_DECISIONS = {"ALLOW": "allowed", "EXPLICIT_DENY": "explicitDeny", "IMPLICIT_DENY": "implicitDeny"}
_NOBODY = "user/policy-simulator"  # whom custom policies are simulated for; no policy can name it
_VARIABLE = re.compile(r"\$\{\s*([\w:/.@-]+)")
_PAGE = 100


def simulate_principal_policy(desk: Desk) -> Mapping[str, Any]:
    """What an identity's own policies say to a list of actions on a list of resources."""
    source = str(desk.parameters["PolicySourceArn"])
    documents, boundary = _policies_of(desk, source)
    added = desk.parameters.get("PolicyInputList", [])
    identity = [_parse(document.text, "identity", document.name) for document in documents]
    identity += _inputs(added, "PolicyInputList")
    boundaries = _inputs(desk.parameters.get("PermissionsBoundaryPolicyInputList", []), "PermissionsBoundary")
    if boundary is not None and not boundaries:
        boundaries = [_parse(boundary.text, "boundary", boundary.name)]
    return _simulate(desk, source, identity, boundaries)


def simulate_custom_policy(desk: Desk) -> Mapping[str, Any]:
    """What policies that are attached to nobody say."""
    identity = _inputs(desk.parameters.get("PolicyInputList", []), "PolicyInputList")
    boundaries = _inputs(desk.parameters.get("PermissionsBoundaryPolicyInputList", []), "PermissionsBoundary")
    return _simulate(desk, f"arn:aws:iam::{desk.caller.account}:{_NOBODY}", identity, boundaries)


def context_keys_for_principal(desk: Desk) -> Mapping[str, Any]:
    """The context keys that an identity's policies ask about."""
    documents, _ = _policies_of(desk, str(desk.parameters["PolicySourceArn"]))
    policies = [_parse(document.text, "identity", document.name) for document in documents]
    return {"ContextKeyNames": _keys([*policies, *_inputs(desk.parameters.get("PolicyInputList", []), "")])}


def context_keys_for_custom(desk: Desk) -> Mapping[str, Any]:
    """The context keys that these policies ask about."""
    return {"ContextKeyNames": _keys(_inputs(desk.parameters.get("PolicyInputList", []), ""))}


def _simulate(desk: Desk, source: str, identity: list[Policy], boundaries: list[Policy]) -> Mapping[str, Any]:
    wanted = desk.parameters
    resource = wanted.get("ResourcePolicy")
    principal = str(wanted.get("CallerArn") or (source if ":group/" not in source else _member_of(source)))
    organization = membership(principal.split(":")[4]) if principal.count(":") >= 5 else None
    policies = PolicySet(
        identity=tuple(identity),
        permissions_boundary=boundaries[0] if boundaries else None,
        resource=_parse(str(resource), "resource", "ResourcePolicy") if resource else None,
        scps=tuple(
            tuple(_parse(document.text, "scp", document.name) for document in level) for level in organization.scps
        )
        if organization and not organization.management
        else (),
    )
    context = _context(wanted.get("ContextEntries", []))
    missing = [key for key in _keys([*identity, *boundaries]) if key.lower() not in {name.lower() for name in context}]
    owner = str(wanted["ResourceOwner"]).split(":")[4] if ":" in str(wanted.get("ResourceOwner", "")) else None
    results = [
        _result(_evaluate(principal, str(action), str(arn), owner, context, policies), missing)
        for action in wanted.get("ActionNames", [])
        for arn in wanted.get("ResourceArns") or ["*"]
    ]
    start, size = int(wanted.get("Marker") or 0), int(wanted.get("MaxItems") or _PAGE)
    more = start + size < len(results)
    page = {"EvaluationResults": results[start : start + size], "IsTruncated": more}
    return {**page, "Marker": str(start + size)} if more else page


def _evaluate(
    principal: str, action: str, arn: str, owner: str | None, context: Mapping[str, list[str]], policies: PolicySet
) -> Evaluation:
    try:
        return evaluate(Request(principal, action, arn, resource_account=owner, context=context), policies)
    except RequestError as error:
        raise Refusal("InvalidInput", f"Invalid Input: {error}", 400) from error


def _result(evaluation: Evaluation, missing: list[str]) -> Mapping[str, Any]:
    effects = {check.check_type: check.effect for check in evaluation.checks}
    statements = [
        {
            "SourcePolicyId": matched.policy.name,
            "SourcePolicyType": "IAM Policy" if check.check_type != "RESOURCE" else "Resource Policy",
        }
        for check in evaluation.checks
        if check.check_type in ("PRINCIPAL", "RESOURCE", "PERMISSIONS_BOUNDARY")
        for matched in check.matched_policies
        for statement in matched.statements
        if evaluation.effect != "EXPLICIT_DENY" or statement.effect == "Deny"
    ]
    result: dict[str, Any] = {
        "EvalActionName": evaluation.action,
        "EvalResourceName": evaluation.resource,
        "EvalDecision": _DECISIONS[evaluation.effect],
        "MatchedStatements": statements,
        "MissingContextValues": missing,
    }
    if "SERVICE_CONTROL_POLICY" in effects:
        allowed = all(c.effect == "ALLOW" for c in evaluation.checks if c.check_type == "SERVICE_CONTROL_POLICY")
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allowed}
    if "PERMISSIONS_BOUNDARY" in effects:
        allowed = effects["PERMISSIONS_BOUNDARY"] == "ALLOW"
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    return result


def _policies_of(desk: Desk, arn: str) -> tuple[Iterable[StoredDocument], StoredDocument | None]:
    """The policies attached to a user, group or role of the caller's account, and its boundary."""
    kind, _, path = arn.rpartition(":")[2].partition("/")
    name, account = path.rpartition("/")[2], desk.caller.account
    if kind == "group" and (documents := desk.store.group_documents(account, name)) is not None:
        return documents, None
    finders = {"user": desk.store.user, "role": desk.store.role}
    identity = finders[kind](account, name) if kind in finders else None
    if identity is None or identity.arn != arn:
        raise Refusal("NoSuchEntity", f"The entity with ARN {arn} cannot be found.", 404)
    return identity.documents, identity.permissions_boundary


def _inputs(texts: Iterable[str], name: str) -> list[Policy]:
    return [_parse(str(text), "identity", f"{name}.{number}") for number, text in enumerate(texts, 1)]


def _parse(text: str, kind: str, name: str) -> Policy:
    try:
        return parsed(text, kind, name)
    except PolicyError as error:
        raise Refusal("InvalidInput", f"Invalid policy {name}: {error.problems[0]}", 400) from error


def _context(entries: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    return {str(entry["ContextKeyName"]): [str(v) for v in entry.get("ContextKeyValues", [])] for entry in entries}


def _member_of(group: str) -> str:
    return f"arn:aws:iam::{group.split(':')[4]}:{_NOBODY}"


def _keys(policies: Iterable[Policy]) -> list[str]:
    """The context keys in conditions and variables, each once, in the order of the documents."""
    found: dict[str, str] = {}
    for policy in policies:
        for name in _names(policy.document):
            found.setdefault(name.lower(), name)
    return list(found.values())


def _names(document: Mapping[str, Any]) -> Iterator[str]:
    statements = document.get("Statement", [])
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        for keys in statement.get("Condition", {}).values():
            yield from keys
        yield from _VARIABLE.findall(str({**statement, "Sid": ""}))


ANSWERS = {
    "iam:SimulatePrincipalPolicy": simulate_principal_policy,
    "iam:SimulateCustomPolicy": simulate_custom_policy,
    "iam:GetContextKeysForPrincipalPolicy": context_keys_for_principal,
    "iam:GetContextKeysForCustomPolicy": context_keys_for_custom,
}
