"""AWS's words for a decision, and the services and actions that have rules of their own in it."""

from __future__ import annotations

#: Effects of a check and of an evaluation, as AWS's ``iam-toolbox`` API has them. ``NO_IMPACT``: nothing matched, and
#: nothing needed to.
ALLOW, NO_IMPACT, IMPLICIT_DENY, EXPLICIT_DENY = "ALLOW", "NO_IMPACT", "IMPLICIT_DENY", "EXPLICIT_DENY"

#: What an ``ALLOW`` of a resource's policy means where it names the caller's account: that account's own policies must
#: allow, too (UG/reference_policies_elements_principal#principal-accounts). The word is ours; AWS has none.
DELEGATES = "DELEGATES"

#: The types of checks in AWS's order, and how AWS calls their policies (UG/troubleshoot_access-denied).
POLICY_NAMES = {
    "RESOURCE_CONTROL_POLICY": "resource control policy",
    "SERVICE_CONTROL_POLICY": "service control policy",
    "VPC_ENDPOINT": "VPC endpoint policy",
    "RESOURCE": "resource-based policy",
    "PRINCIPAL": "identity-based policy",
    "PERMISSIONS_BOUNDARY": "permissions boundary",
    "SESSION": "session policy",
}

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
