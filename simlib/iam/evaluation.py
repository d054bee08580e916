"""Allowed or denied? This page follows AWS's flow chart from top to bottom.

An explicit deny anywhere wins; otherwise every check that needs an allow must have one
(UG/reference_policies_evaluation-logic_policy-eval-denyallow). Every check is worked out, also when an earlier one
denies, so that the answer can show them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.iam.matching import Values
from simlib.iam.policy import Policy
from simlib.iam.principals import ITSELF, NOT, ROLE, ROOT, Kind, Named
from simlib.iam.request import Request
from simlib.iam.statement import Statement

if TYPE_CHECKING:
    from simlib.iam.explanation import ExplainedStatement

ALLOW, NO_IMPACT, IMPLICIT_DENY, EXPLICIT_DENY = "ALLOW", "NO_IMPACT", "IMPLICIT_DENY", "EXPLICIT_DENY"

#: No policy can withhold these: STS/API_GetCallerIdentity, STS/API_GetSessionToken.
NEEDS_NO_PERMISSION = frozenset({"sts:getcalleridentity", "sts:getsessiontoken"})

#: What is decided by a role's trust policy (UG/id_roles_update-role-trust-policy).
TRUST_ACTIONS = frozenset(
    f"sts:{name}"
    for name in ("assumerole", "assumerolewithsaml", "assumerolewithwebidentity", "tagsession", "setsourceidentity")
)

#: Services whose resources obey resource control policies (Organizations/orgs_manage_policies_rcps), as announced up to
#: March 2026; AWS adds to them, and what it may have added since is left out (a choice).
RCP_SERVICES = frozenset(
    ("s3", "sts", "sqs", "kms", "secretsmanager", "cognito-identity", "cognito-idp", "logs", "dynamodb", "ecr", "aoss")
)

#: What the owner's root user can do to a bucket policy whatever the policy says (S3/bucket-policies).
BUCKET_POLICY_RESCUE = frozenset({"s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"})


class PolicySet(NamedTuple):
    """Every policy that could have a say.

    ``scps`` and ``rcps`` are levels from the organization's root down to the account, each a tuple of policies.
    ``session``: the session policies, which act as one; ``None`` is a session without. ``resource`` is the policy of
    the resource: a bucket policy, a role's trust policy, a key policy. Nothing given for a layer means that the layer
    does not apply.
    """

    identity: tuple[Policy, ...] = ()
    permissions_boundary: Policy | None = None
    session: tuple[Policy, ...] | Policy | None = None
    resource: Policy | None = None
    scps: tuple[tuple[Policy, ...], ...] = ()
    rcps: tuple[tuple[Policy, ...], ...] = ()
    vpc_endpoint: tuple[Policy, ...] = ()


class MatchedPolicy(NamedTuple):
    """A policy of which at least one statement matched."""

    policy: Policy
    statements: tuple[Statement, ...]


class Check(NamedTuple):
    """One requirement of the decision and its result, in the vocabulary of AWS's ``iam-toolbox`` API.

    ``level`` counts the levels of SCPs and RCPs from the organization's root, from 0; ``policies`` are all that were
    asked.
    """

    check_type: str
    effect: str
    matched_policies: tuple[MatchedPolicy, ...] = ()
    level: int | None = None
    policies: tuple[Policy, ...] = ()


class Finding(NamedTuple):
    """What the policies of one layer say: what matched, whether any denies, how the freest allow names the caller."""

    policies: tuple[Policy, ...]
    matched: tuple[MatchedPolicy, ...]
    denies: bool
    allows: Named

    def check(self, check_type: str, *, needed: bool, level: int | None = None) -> Check:
        """The effect of this layer, ``needed`` telling whether the request fails without an allow from it."""
        if self.denies:
            effect = EXPLICIT_DENY
        elif self.allows:
            effect = ALLOW
        else:
            effect = IMPLICIT_DENY if needed else NO_IMPACT
        return Check(check_type, effect, self.matched, level, self.policies)


def ask(policies: Iterable[Policy], request: Request, bounded: bool = False) -> Finding:
    """Put the request to every statement of some policies. Their order, and the order of statements, do not matter."""
    policies = tuple(policies)
    matched: list[MatchedPolicy] = []
    denies, allows = False, NOT
    for policy in policies:
        statements: list[Statement] = []
        for statement in policy.candidates(request.folded_action):
            named = statement.matches(request, bounded)
            if named:
                statements.append(statement)
                if statement.effect == "Deny":
                    denies = True
                elif named > allows:
                    allows = named
        if statements:
            if len(statements) > 1:
                statements.sort(key=_index)
            matched.append(MatchedPolicy(policy, tuple(statements)))
    return Finding(policies, tuple(matched), denies, allows)


def _index(statement: Statement) -> int:
    return statement.index


def evaluate(request: Request, policies: PolicySet) -> Evaluation:
    """Decide a request as AWS does."""
    if needs_no_permission(request):
        return Evaluation(request, policies, ALLOW, ())
    checks = (
        *resource_control_checks(request, policies),
        *service_control_checks(request, policies),
        *endpoint_checks(request, policies),
        *permission_checks(request, policies),
    )
    effects = {check.effect for check in checks}
    decisive = EXPLICIT_DENY if EXPLICIT_DENY in effects else IMPLICIT_DENY if IMPLICIT_DENY in effects else ALLOW
    return Evaluation(request, policies, decisive, checks)


def needs_no_permission(request: Request) -> bool:
    """GetCallerIdentity and GetSessionToken need credentials, and no permission; not even a deny withholds them."""
    return request.folded_action in NEEDS_NO_PERMISSION and request.caller.kind != Kind.ANONYMOUS


def resource_control_checks(request: Request, policies: PolicySet) -> list[Check]:
    """RCPs: ceilings over the resources of an account (Organizations/orgs_manage_policies_rcps).

    ``RCPFullAWSAccess`` is always attached and allows, so that an RCP can only deny. They do not limit service-linked
    roles, AWS-managed keys, nor services outside AWS's list.
    """
    if request.service not in RCP_SERVICES or request.caller.service_linked or ":alias/aws/" in request.resource:
        return []
    checks = []
    for level, attached in enumerate(policies.rcps):
        finding = ask(attached, request)
        effect = EXPLICIT_DENY if finding.denies else ALLOW
        checks.append(Check("RESOURCE_CONTROL_POLICY", effect, finding.matched, level, finding.policies))
    return checks


def service_control_checks(request: Request, policies: PolicySet) -> list[Check]:
    """SCPs: ceilings over the users and roles of an account; every level must allow (Organizations/…policies_scps).

    They limit the account's root user too, but not service-linked roles, and nobody outside an account: services,
    anonymous callers, identity providers.
    """
    if not request.caller.has_account or request.caller.service_linked:
        return []
    return [
        ask(attached, request).check("SERVICE_CONTROL_POLICY", needed=True, level=level)
        for level, attached in enumerate(policies.scps)
    ]


def endpoint_checks(request: Request, policies: PolicySet) -> list[Check]:
    """The policy of the VPC endpoint a request passes through; AWS services do not come through one.

    An account in its ``Principal`` means everybody in it, as at an interface endpoint; at a gateway endpoint AWS
    reads it as the root user alone (PrivateLink/vpc-endpoints-access), and a scenario does not say which it is (a
    choice).
    """
    if not policies.vpc_endpoint or request.caller.kind == Kind.SERVICE:
        return []
    bounded = is_bounded(request, policies)
    return [ask(policies.vpc_endpoint, request, bounded).check("VPC_ENDPOINT", needed=True)]


def permission_checks(request: Request, policies: PolicySet) -> list[Check]:
    """What grants: the resource's own policy, the caller's identity policies, and the ceilings over the caller."""
    resource = resource_finding(request, policies)
    if not request.caller.has_account:
        return [resource.check("RESOURCE", needed=True)]
    principal = principal_finding(request, policies)
    own = in_own_account(request)
    granted = resource.allows if own else NOT
    owner_decides = not own or owner_must_allow(request)
    checks = []
    if policies.resource is not None or owner_decides:
        checks.append(resource.check("RESOURCE", needed=owner_decides or not principal.allows))
    checks.append(principal.check("PRINCIPAL", needed=granted < ROLE))
    ceilings_count = granted < ITSELF or is_trust_question(request)
    if policies.permissions_boundary is not None and is_bounded(request, policies):
        boundary = ask((policies.permissions_boundary,), request)
        checks.append(boundary.check("PERMISSIONS_BOUNDARY", needed=ceilings_count))
    session = session_finding(request, policies)
    if session is not None:
        checks.append(session.check("SESSION", needed=ceilings_count))
    return checks


def in_own_account(request: Request) -> bool:
    """Whether caller and resource belong to the same account; two accounts of one organization are two accounts."""
    return request.caller.account == request.owner


def owner_must_allow(request: Request) -> bool:
    """Even in one account, a role's trust policy and a KMS key's policy must allow (UG/…policy-eval-denyallow).

    What neither names the caller nor its account is not delegated to identity policies: a role without a trust
    policy, or a key whose policy does not name the account, is out of everybody's reach.
    """
    return is_trust_question(request) or (request.service == "kms" and ":key/" in request.resource)


def is_trust_question(request: Request) -> bool:
    """Whether a role's trust policy decides. Then a boundary and (a choice) a session policy limit even a caller it
    names.

    UG/id_roles_update-role-trust-policy: a user that the trust policy names needs no identity policy, but its
    permissions boundary must allow ``sts:AssumeRole``. For a role that is named the same is assumed (a choice).
    """
    return request.folded_action in TRUST_ACTIONS and ":role/" in request.resource


def is_bounded(request: Request, policies: PolicySet) -> bool:
    """Whether the caller has a permissions boundary; only users and roles can (UG/access_policies_boundaries)."""
    return policies.permissions_boundary is not None and request.caller.kind < ROOT


def resource_finding(request: Request, policies: PolicySet) -> Finding:
    """The resource's own policy.

    The root user can always repair the policy of its account's own bucket. An identity provider with an ARN serves the
    roles of its own account alone (UG/id_roles_providers_create_oidc).
    """
    if policies.resource is None:
        return Finding((), (), False, NOT)
    finding = ask((policies.resource,), request, is_bounded(request, policies))
    if request.folded_action in BUCKET_POLICY_RESCUE and request.caller.kind == ROOT and in_own_account(request):
        return finding._replace(denies=False)
    if request.caller.kind == Kind.PROVIDER and request.caller.account and not in_own_account(request):
        return finding._replace(allows=NOT)
    return finding


def principal_finding(request: Request, policies: PolicySet) -> Finding:
    """The caller's identity policies. The root user has none and may do everything in its account, but assume roles.

    Credentials of ``GetFederationToken`` reach no IAM and, ``GetCallerIdentity`` aside, no STS
    (STS/API_GetFederationToken).
    """
    if request.caller.kind == ROOT:
        return Finding((), (), False, NOT if is_trust_question(request) else Named.ITSELF)
    finding = ask(policies.identity, request)
    if request.caller.kind == Kind.FEDERATED_USER and request.service in ("iam", "sts"):
        return finding._replace(allows=NOT)
    return finding


def session_finding(request: Request, policies: PolicySet) -> Finding | None:
    """Session policies, which limit a session to what they allow; ``None`` where there is nothing to limit.

    Of several any may allow. A federated user without a session policy may do nothing but what a resource policy
    grants it by name (STS/API_GetFederationToken).
    """
    attached = policies.session
    if isinstance(attached, Policy):
        attached = (attached,)
    if request.caller.kind == ROOT or (not attached and request.caller.kind != Kind.FEDERATED_USER):
        return None
    return ask(attached or (), request)


class Evaluation(NamedTuple):
    """The answer: ``effect`` is ``ALLOW``, ``IMPLICIT_DENY`` or ``EXPLICIT_DENY``; ``checks`` are in AWS's order.

    Explanations are worked out when they are asked for.
    """

    request: Request
    policies: PolicySet
    effect: str
    checks: tuple[Check, ...]

    @property
    def allowed(self) -> bool:
        return self.effect == ALLOW

    @property
    def action(self) -> str:
        return self.request.action

    @property
    def resource(self) -> str:
        return self.request.resource

    @property
    def principal(self) -> str:
        return self.request.principal

    @property
    def context(self) -> Mapping[str, Values]:
        """Every condition key the decision could see, those that AWS derives from the principal included."""
        return self.request.full_context

    @property
    def reason(self) -> str:
        """Why not, in AWS's words: ``because no identity-based policy allows …``; "" when allowed."""
        from simlib.iam.refusal import reason

        return reason(self)

    @property
    def message(self) -> str:
        """AWS's error text; "" when allowed."""
        from simlib.iam.refusal import message

        return message(self)

    @property
    def statements(self) -> Sequence[ExplainedStatement]:
        """Every statement of every policy that was asked, with what decided whether it matched."""
        from simlib.iam.explanation import explained_statements

        return explained_statements(self)

    def explain(self) -> str:
        """The decision in a learner's sentences."""
        from simlib.iam.explanation import explain

        return explain(self)

    def hint(self) -> str:
        """What would make this allowed; "" when it is."""
        from simlib.iam.explanation import hint

        return hint(self)

    def to_dict(self) -> dict[str, Any]:
        """The structured form: plain objects that JSON can hold."""
        from simlib.iam.explanation import to_dict

        return to_dict(self)
