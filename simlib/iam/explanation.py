"""A decision in words: AWS's exact error text, a learner's sentences, what would help. Nothing here decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simlib.iam.principals import Kind
from simlib.iam.vocabulary import ALLOW, DELEGATES, EXPLICIT_DENY, IMPLICIT_DENY, NO_IMPACT, POLICY_NAMES

if TYPE_CHECKING:
    from simlib.iam.decision import Check, Decision, ExplainedStatement
    from simlib.iam.request import Request

# --- AWS's error text (UG/troubleshoot_access-denied) ---------------------------------------------------------------


def reason(decision: Decision) -> str:
    """``because no … policy allows …`` or ``with an explicit deny in a … policy`` (UG/troubleshoot_access-denied)."""
    check = decision.deciding.check
    if check is None:
        return ""
    name = POLICY_NAMES[check.check_type]
    if decision.effect == IMPLICIT_DENY:
        return f"because no {name} allows the {decision.request.action} action"
    return f"with an explicit deny in {'an' if name[0] == 'i' else 'a'} {name}"


def message(decision: Decision) -> str:
    """AWS's exact error text; "" when allowed. STS gives no reason, and S3 one only to its own family."""
    if decision.allowed:
        return ""
    request = decision.request
    if request.caller.kind == Kind.ROOT and request.folded_action == "sts:assumerole":
        return "Roles may not be assumed by root accounts."
    resource = request.resource
    if request.service == "s3":
        if not _in_family(request):
            return "Access Denied"
        resource = f'"{resource}"'
    text = f"User: {request.caller.arn} is not authorized to perform: {request.action} on resource: {resource}"
    return text if request.is_trust_question else f"{text} {reason(decision)}{_denying_policy(decision)}"


def _denying_policy(decision: Decision) -> str:
    """``: ARN`` of the managed policy that denies, within one account or organization, as AWS adds it since 2026."""
    check, statements, _ = decision.deciding
    if check is None or check.check_type == "RESOURCE" or not _in_family(decision.request):
        return ""
    names = (each.policy.name for each in statements if each.check_type == check.check_type)
    return next((f": {name}" for name in names if ":policy/" in name), "")


def _in_family(request: Request) -> bool:
    """Whether S3 gives its reason: only within one account or one organization."""
    ours, theirs = request.values.get("aws:principalorgid"), request.values.get("aws:resourceorgid")
    return request.in_own_account or (ours is not None and ours == theirs)


# --- a learner's sentences ------------------------------------------------------------------------------------------

VERDICTS = {
    ALLOW: "Allowed",
    IMPLICIT_DENY: "Denied, because nothing allows it",
    EXPLICIT_DENY: "Denied by a statement",
}
MEANINGS = {
    ALLOW: "allows",
    DELEGATES: "delegates to the caller's account, whose own policies must allow",
    NO_IMPACT: "says nothing, and need not",
    IMPLICIT_DENY: "an Allow is needed here, and nothing allows",
    EXPLICIT_DENY: "denies",
}


def explain(decision: Decision) -> str:
    """The decision, then one line for each check, with the statements that matched or came near."""
    request = decision.request
    asked = f"{request.caller.arn} asks for {request.action} on {request.resource}"
    lines = [f"{VERDICTS[decision.effect]}: {asked}."]
    if request.needs_no_permission:
        lines.append("This action needs no permission, and no policy can withhold it.")
    for check in decision.checks:
        trust = check.check_type == "RESOURCE" and request.is_trust_question
        name = "trust policy" if trust else _name(check)
        lines.append(f"{name[0].upper()}{name[1:]}: {MEANINGS[check.meaning]}.")
        for policy, statements in check.matched_policies:
            lines += [f"  {decision.explained(check, policy, each).title} matches." for each in statements]
        if check.effect == IMPLICIT_DENY:
            lines += [f"  {each.sentence}." for each in near_misses(decision, check)]
    return "\n".join([*lines, *filter(None, [_special_case(decision)])])


def _name(check: Check) -> str:
    """``service control policy (level 1 from the organization's root)``."""
    level = "" if check.level is None else f" (level {check.level + 1} from the organization's root)"
    return POLICY_NAMES[check.check_type] + level


def near_misses(decision: Decision, check: Check, most: int = 3) -> list[ExplainedStatement]:
    """Allow statements that cover the action and fail on as few other elements as possible."""
    request = decision.request
    near = [
        decision.explained(check, policy, statement)
        for policy in check.policies
        for statement in policy.candidates(request.folded_action)
        if statement.effect == "Allow" and statement.covers_action(request)
    ]
    return [each for each in sorted(near, key=lambda each: each.misses)[:most] if each.misses]


def _special_case(decision: Decision) -> str:
    """The rule behind a denial that no policy explains."""
    request = decision.request
    if decision.allowed:
        return ""
    if request.caller.kind == Kind.ROOT and request.is_trust_question:
        return "The root user cannot assume a role, whatever the policies say."
    if request.caller.kind == Kind.FEDERATED_USER and request.service in ("iam", "sts"):
        return "Credentials from GetFederationToken cannot call IAM, nor STS but for GetCallerIdentity."
    if request.caller.kind == Kind.FEDERATED_USER and not decision.policies.session:
        return "Without a session policy a federated user has no permissions of its own."
    return ""


def hint(decision: Decision) -> str:
    """What would make this allowed, in as few sentences as are honest; "" when it is allowed."""
    deciding = decision.deciding
    if special := _special_case(decision):
        return special
    if decision.effect == EXPLICIT_DENY:
        return " ".join(map(_way_round, deciding.statements))
    return " ".join(_missing_allow(decision, check) for check in deciding.lacking)


def _way_round(denying: ExplainedStatement) -> str:
    conditions = [element for element in denying.elements if element.name == "Condition"]
    means = f"; it would not match if this were otherwise: {conditions[0].sentence}" if conditions else ""
    return f"No Allow helps against {denying.title} ({POLICY_NAMES[denying.check_type]}){means}."


def _missing_allow(decision: Decision, check: Check) -> str:
    """Which allow is lacking; the nearest statement is mentioned where one thing alone keeps it from matching."""
    request = decision.request
    # a session has no identity policies of its own, they are its role's
    holder = request.caller.context.get("aws:PrincipalArn", request.caller.arn)
    resource = "the role's trust policy" if request.is_trust_question else f"the policy of {request.resource}"
    place = {
        "SERVICE_CONTROL_POLICY": f"the {_name(check)}",
        "VPC_ENDPOINT": "the VPC endpoint's policy",
        "RESOURCE": f"{resource}, with {request.caller.arn} as its Principal",
        "PRINCIPAL": f"an identity-based policy of {holder}",
        "PERMISSIONS_BOUNDARY": "the permissions boundary",
        "SESSION": "the session policy",
    }[check.check_type]
    text = f"It would need an Allow for {request.action} on {request.resource} in {place}"
    for near in near_misses(decision, check, most=1):
        if near.misses == 1 and near.deciding is not None:
            text += f"; {near.title} lacks one thing: {near.deciding.sentence}"
    return text + "."


# --- plain objects --------------------------------------------------------------------------------------------------


def answer(decision: Decision) -> dict[str, Any]:
    """A decision as a line of ``python -m simlib decide`` answers it, without the ``id``."""
    return {
        "decision": decision.effect,
        "checks": [
            {
                "check_type": check.check_type,
                "effect": check.effect,
                "matched": [
                    {"policy": policy.name, "sid": each.sid, "index": each.index, "effect": each.effect.upper()}
                    for policy, statements in check.matched_policies
                    for each in statements
                ],
            }
            for check in decision.checks
        ],
        "message": message(decision),
    }


def to_dict(decision: Decision) -> dict[str, Any]:
    """Everything above as plain objects."""
    request = decision.request
    context = {key: list(value) if isinstance(value, tuple) else value for key, value in request.full_context.items()}
    return {
        "principal": request.principal,
        "action": request.action,
        "resource": request.resource,
        "context": context,
        **answer(decision),
        "reason": reason(decision),
        "explanation": explain(decision),
        "hint": hint(decision),
        "statements": [statement.to_dict() for statement in decision.statements],
    }
