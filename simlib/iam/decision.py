"""What a decision is made of: the policies that have a say, and the checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simlib.iam.principals import ACCOUNT, NOT, ROOT, Named
from simlib.iam.vocabulary import ALLOW, DELEGATES, IMPLICIT_DENY, NO_IMPACT

if TYPE_CHECKING:
    from simlib.iam.policy import Policy
    from simlib.iam.request import Request
    from simlib.iam.statement import Statement

GRANTS = ("RESOURCE", "PRINCIPAL")  # the checks that can grant; the others are ceilings


class PolicySet(NamedTuple):
    """Every policy that could have a say.

    ``scps`` and ``rcps`` are levels from the organization's root down to the account, each a tuple of policies.
    ``session``: the session policies, which act as one. ``resource`` is the policy of the resource: a bucket policy, a
    role's trust policy, a key policy. Nothing given for a layer means that the layer does not apply.
    """

    identity: tuple[Policy, ...] = ()
    permissions_boundary: Policy | None = None
    session: tuple[Policy, ...] = ()
    resource: Policy | None = None
    scps: tuple[tuple[Policy, ...], ...] = ()
    rcps: tuple[tuple[Policy, ...], ...] = ()
    vpc_endpoint: tuple[Policy, ...] = ()

    def bounds(self, request: Request) -> bool:
        """Whether the caller has a permissions boundary; only users and roles can (UG/access_policies_boundaries)."""
        return self.permissions_boundary is not None and request.caller.kind < ROOT


class MatchedPolicy(NamedTuple):
    """A policy of which at least one statement matched."""

    policy: Policy
    statements: tuple[Statement, ...]


class Check(NamedTuple):
    """One requirement of the decision and its result, in the vocabulary of AWS's ``iam-toolbox`` API.

    ``level`` counts the levels of SCPs and RCPs from the organization's root, from 0; ``policies`` are all that were
    asked. ``needed``: whether the request fails without an allow from here. ``named``: how the freest allow names the
    caller, ``Named.NOT`` where nothing allows.
    """

    check_type: str
    effect: str
    matched_policies: tuple[MatchedPolicy, ...] = ()
    level: int | None = None
    policies: tuple[Policy, ...] = ()
    needed: bool = True
    named: Named = NOT

    def unneeded(self) -> Check:
        """The same where the request does without an allow from here."""
        effect = NO_IMPACT if self.effect == IMPLICIT_DENY else self.effect
        return Check(self.check_type, effect, self.matched_policies, self.level, self.policies, False, self.named)

    @property
    def meaning(self) -> str:
        """The effect, told apart where a resource's policy names only the caller's account: it ``DELEGATES``."""
        delegates = self.effect == ALLOW and self.check_type == "RESOURCE" and self.named == ACCOUNT
        return DELEGATES if delegates else self.effect
