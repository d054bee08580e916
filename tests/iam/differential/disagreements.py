"""Where the peer is wrong, or AWS is silent: each with its page, and how to ask the question without the disputed part.

``settle`` rewrites a scenario so that what is disputed is said in words both understand, as AWS's documentation means
it: where a service control policy does not apply, it is left out. Our answer to the scenario must be our answer to what
it is rewritten to, and the peer's answer to that. A rewriting that hid a mistake of ours would change our own answer.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

from tests.iam.differential import disputed_callers as callers
from tests.iam.differential import disputed_language as language
from tests.iam.differential.parts import Scenario


def settle(scenario: Scenario) -> tuple[Scenario, list[str]]:
    """The scenario without what is disputed, and the names of what was."""
    settled, applied = copy.deepcopy(scenario), []
    before = json.dumps(settled, sort_keys=True)
    for name, (_, rewrite) in DISAGREEMENTS.items():
        rewrite(settled)
        after = json.dumps(settled, sort_keys=True)
        if after != before:
            applied.append(name)
        before = after
    return settled, applied


#: name -> (AWS's page, or why the choice; the rewriting)
DISAGREEMENTS: dict[str, tuple[str, Callable[[Scenario], None]]] = {
    "a * and a newline": ("UG/reference_policies_elements_resource: any character", language.line_breaks),
    "*:* as an action": ("a choice: every action of every service, as written in many policies", language.every_action),
    "incomplete ARNs, and a part's last *": (
        "UG/reference-arns; UG/reference_policies_elements_resource",
        language.incomplete_arns,
    ),
    "a wildcard in a resource type": (
        "UG/reference-arns: not allowed; if there, a wildcard (a choice)",
        language.resource_types,
    ),
    "escaped signs": ("UG/reference_policies_variables: ${*}, ${?}, ${$}", language.escapes),
    "a variable first in a resource": (
        "UG/reference_policies_variables: after the fifth colon",
        language.variables_first,
    ),
    "variables before 2012-10-17": ("UG/reference_policies_elements_version: literal text", language.old_versions),
    "default values": ("UG/reference_policies_variables: default values, in any policy", language.default_values),
    "a variable without a value": (
        "UG/reference_policies_variables: matches nothing",
        language.variables_without_value,
    ),
    "epoch seconds": (
        "UG/reference_policies_elements_condition_operators: epoch time is allowed",
        language.epoch_seconds,
    ),
    "what is not a number": ("UG/reference_policies_elements_condition_operators: number", language.not_numbers),
    "addresses": ("RFC 4291: one address, many spellings; RFC 4632: 0.0.0.0/0 is every address", language.addresses),
    "what is not an ARN": ("UG/reference_policies_elements_condition_operators: negated matching", language.not_arns),
    "empty values under set operators": (
        "UG/reference_policies_multi-value-conditions, condition builder",
        language.sets_of_nothing,
    ),
    "lists without a set operator": ("a choice: AWS says one is required", language.lists_without_set_operator),
    "NotPrincipal": ("UG/reference_policies_elements_notprincipal", callers.not_principals),
    "principals in endpoint policies": ("PrivateLink/vpc-endpoints-access: they count", language.endpoint_principals),
    "service-linked roles": (
        "Organizations/orgs_manage_policies_scps, …_rcps: not limited",
        callers.service_linked_roles,
    ),
    "service principals and SCPs": (
        "Organizations/orgs_manage_policies_scps: not limited",
        callers.services_outside_organizations,
    ),
    "services without RCPs": ("Organizations/orgs_manage_policies_rcps: the list", callers.services_without_rcps),
    "the root user": ("UG/id_root-user: full access", callers.root_user),
    "who a federated user came from": (
        "UG/reference_policies_evaluation-logic_policy-eval-denyallow",
        callers.federating_users,
    ),
    "federated users": ("STS/API_GetFederationToken", callers.federated_users),
    "identity providers": (
        "UG/reference_policies_elements_principal; …id_roles_providers_create_oidc",
        callers.providers,
    ),
    "a role without trust policy": ("UG/id_roles_terms-and-concepts: every role has one", callers.roles_without_trust),
    "who a trust policy names": (
        "UG/id_roles_update-role-trust-policy: the boundary limits",
        callers.bounded_callers_of_roles,
    ),
    "who a resource policy names": (
        "UG/reference_policies_evaluation-logic_policy-eval-denyallow",
        callers.named_sessions,
    ),
}
