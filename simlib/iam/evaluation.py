"""Allowed or denied? This page follows AWS's flow chart from top to bottom.

An explicit deny anywhere wins; otherwise every check that needs an allow must have one
(UG/reference_policies_evaluation-logic_policy-eval-denyallow). Every check is worked out, also when an earlier one
denies, so that the answer can show them all.
"""

from __future__ import annotations

from collections.abc import Sequence

from simlib.iam.decision import Check, MatchedPolicy, PolicySet
from simlib.iam.explanation import Evaluation
from simlib.iam.policy import Policy
from simlib.iam.principals import ITSELF, NOT, ROLE, ROOT, Kind
from simlib.iam.request import Request
from simlib.iam.statement import Statement
from simlib.iam.vocabulary import ALLOW, BUCKET_POLICY_RESCUE, EXPLICIT_DENY, IMPLICIT_DENY, NO_IMPACT, RCP_SERVICES

_tuple = tuple.__new__  # a named tuple's own constructor takes Python 3.11 twice as long
NO_RESOURCE_POLICY = Check("RESOURCE", IMPLICIT_DENY)


def evaluate(request: Request, policies: PolicySet) -> Evaluation:
    """Decide a request as AWS does."""
    if request.needs_no_permission:
        return Evaluation(request, policies, ALLOW, ())
    checks = (
        *resource_control_checks(request, policies),
        *service_control_checks(request, policies),
        *endpoint_checks(request, policies),
        *permission_checks(request, policies),
    )
    effects = [check.effect for check in checks]
    decisive = EXPLICIT_DENY if EXPLICIT_DENY in effects else IMPLICIT_DENY if IMPLICIT_DENY in effects else ALLOW
    return _tuple(Evaluation, (request, policies, decisive, checks))


def resource_control_checks(request: Request, policies: PolicySet) -> Sequence[Check]:
    """RCPs: ceilings over the resources of an account (Organizations/orgs_manage_policies_rcps).

    ``RCPFullAWSAccess`` is always attached and allows, so that an RCP can only deny. They do not limit service-linked
    roles, AWS-managed keys, nor services outside AWS's list.
    """
    if not policies.rcps or request.service not in RCP_SERVICES or request.caller.service_linked:
        return ()
    if ":alias/aws/" in request.resource:
        return ()
    levels = enumerate(policies.rcps)
    return [ask("RESOURCE_CONTROL_POLICY", each, request, level=level, silent=ALLOW) for level, each in levels]


def service_control_checks(request: Request, policies: PolicySet) -> Sequence[Check]:
    """SCPs: ceilings over the users and roles of an account; every level must allow (Organizations/…policies_scps).

    They limit the account's root user too, but not service-linked roles, and nobody outside an account: services,
    anonymous callers, identity providers.
    """
    if not policies.scps or not request.caller.has_account or request.caller.service_linked:
        return ()
    return [ask("SERVICE_CONTROL_POLICY", each, request, level=level) for level, each in enumerate(policies.scps)]


def endpoint_checks(request: Request, policies: PolicySet) -> Sequence[Check]:
    """The policy of the VPC endpoint a request passes through, AWS services' own requests included (a choice).

    AWS's documents are brief on services; its samples of data perimeters let them through by name. An account in its
    ``Principal`` means everybody in it, as at an interface endpoint; at a gateway endpoint AWS reads it as the root
    user alone (PrivateLink/vpc-endpoints-access), and a scenario does not say which it is (a choice).
    """
    if not policies.vpc_endpoint:
        return ()
    return [ask("VPC_ENDPOINT", policies.vpc_endpoint, request, policies.bounds(request))]


def permission_checks(request: Request, policies: PolicySet) -> list[Check]:
    """What grants: the resource's own policy, the caller's identity policies, and the ceilings over the caller.

    UG/id_roles_update-role-trust-policy: a user that a trust policy names needs no identity policy, but its permissions
    boundary must allow ``sts:AssumeRole``. For a role that is named, and for a session policy, the same is assumed (a
    choice).
    """
    resource = resource_check(request, policies)
    if not request.caller.has_account:
        return [resource]
    granted = resource.named if request.in_own_account else NOT
    principal = principal_check(request, policies, needed=granted < ROLE)
    checks = [principal, *ceiling_checks(request, policies, needed=granted < ITSELF or request.is_trust_question)]
    if request.owner_must_allow or not request.in_own_account:
        return [resource, *checks]
    if policies.resource is None:
        return checks
    return [resource.unneeded() if principal.named else resource, *checks]


def resource_check(request: Request, policies: PolicySet) -> Check:
    """The resource's own policy.

    The root user can always repair the policy of its account's own bucket. An identity provider with an ARN serves the
    roles of its own account alone (UG/id_roles_providers_create_oidc).
    """
    if policies.resource is None:
        return NO_RESOURCE_POLICY
    void = ""
    if request.folded_action in BUCKET_POLICY_RESCUE and request.caller.kind == ROOT and request.in_own_account:
        void = "Deny"
    elif request.caller.kind == Kind.PROVIDER and request.caller.account and not request.in_own_account:
        void = "Allow"
    return ask("RESOURCE", (policies.resource,), request, policies.bounds(request), void=void)


def principal_check(request: Request, policies: PolicySet, needed: bool) -> Check:
    """The caller's identity policies. The root user has none and may do everything in its account, but assume roles.

    Credentials of ``GetFederationToken`` reach no IAM and, ``GetCallerIdentity`` aside, no STS
    (STS/API_GetFederationToken).
    """
    if request.caller.kind == ROOT:
        trust = request.is_trust_question
        return Check("PRINCIPAL", IMPLICIT_DENY if trust else ALLOW, needed=needed, named=NOT if trust else ITSELF)
    unreachable = request.caller.kind == Kind.FEDERATED_USER and request.service in ("iam", "sts")
    return ask("PRINCIPAL", policies.identity, request, needed=needed, void="Allow" if unreachable else "")


def ceiling_checks(request: Request, policies: PolicySet, needed: bool) -> list[Check]:
    """Permissions boundary and session policies, of which any may allow; the root user has neither.

    A federated user without a session policy may do nothing but what a resource policy grants it by name
    (STS/API_GetFederationToken).
    """
    checks, boundary = [], policies.permissions_boundary
    if boundary is not None and policies.bounds(request):
        checks.append(ask("PERMISSIONS_BOUNDARY", (boundary,), request, needed=needed))
    if (policies.session or request.caller.kind == Kind.FEDERATED_USER) and request.caller.kind != ROOT:
        checks.append(ask("SESSION", policies.session, request, needed=needed))
    return checks


def ask(
    check_type: str,
    policies: tuple[Policy, ...],
    request: Request,
    bounded: bool = False,
    *,
    level: int | None = None,
    needed: bool = True,
    void: str = "",
    silent: str = IMPLICIT_DENY,
) -> Check:
    """Put the request to every statement of some policies; their order, and the order of statements, do not matter.

    ``bounded``: the caller has a permissions boundary. ``needed``: as in ``Check``. ``void``: the effect whose
    statements count for nothing. ``silent``: the effect where none applies, and one would be needed.
    """
    matched: list[MatchedPolicy] = []
    denies, allows, action = False, NOT, request.folded_action
    for policy in policies:
        statements: list[Statement] = []
        for statement in policy.candidates(action):
            if named := statement.fits(request, bounded):
                statements.append(statement)
                if statement.effect == void:
                    continue
                if statement.effect == "Deny":
                    denies = True
                elif named > allows:
                    allows = named
        if statements:
            matched.append(_tuple(MatchedPolicy, (policy, tuple(statements))))
    effect = EXPLICIT_DENY if denies else ALLOW if allows else silent if needed else NO_IMPACT
    return _tuple(Check, (check_type, effect, tuple(matched), level, policies, needed, allows))
