"""iam:PassRole: whoever hands a role to a service must be allowed to, for that role and that service.

A role is handed over wherever a member of a call is called a role and holds the ARN of one – `Role`, `roleArn`,
`executionRoleArn`, also a level or two down – which is how AWS's APIs name them.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions.asked import Requested, account_of
from simlib.cloud.storage.store import Store
from simlib.cloud.transport.calls import Call, signing_name
from simlib.cloud.transport.refusals import Refusal

# The service a role is passed to, where it is not the API's own name.
_PASSED_TO = {
    "ecs": "ecs-tasks", "stepfunctions": "states", "emr": "elasticmapreduce", "cloudwatch": "cloudwatch",
    "sesv2": "ses", "bedrock-agent": "bedrock", "apigatewayv2": "apigateway", "autoscaling": "ec2", "opensearch": "es",
}  # fmt: skip
_PROFILES = ("RunInstances", "AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation")
# Services that decide about roles instead of taking them.
_NOT_PASSED = ("iam", "sts", "organizations", "sso", "sso-admin", "kms", "s3control", "lakeformation", "ram")
_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/.+")
_DEPTH = 3


def passed_roles(call: Call, caller: Caller, store: Store) -> Iterator[Requested]:
    """The permission to pass each role a call hands over; a role of another account cannot be passed at all."""
    for arn, service in _handed_over(call, caller, store):
        if (account_of(arn) or caller.account) != caller.account:
            raise Refusal("AccessDeniedException" if call.service != "ec2" else "UnauthorizedOperation",
                          "Cross-account pass role is not allowed.", 403)  # fmt: skip
        context = {"iam:PassedToService": service} if service else {}
        yield Requested("iam:PassRole", arn, caller.account, context)


def _handed_over(call: Call, caller: Caller, store: Store) -> Iterator[tuple[str, str]]:
    """The ARNs of the roles and the services they are passed to; "" where AWS leaves the service out."""
    if call.service == "ec2" and call.operation in _PROFILES:
        profile = call.parameters.get("IamInstanceProfile") or {}
        if role := store.profile_role(caller.account, name=profile.get("Name"), arn=profile.get("Arn")):
            yield role.arn, "ec2.amazonaws.com"
    elif call.name == "iam:AddRoleToInstanceProfile":
        if role := store.role(caller.account, str(call.parameters.get("RoleName", ""))):
            yield role.arn, "ec2.amazonaws.com"
    elif call.service not in _NOT_PASSED:
        service = f"{_PASSED_TO.get(call.service, signing_name(call.service))}.amazonaws.com"
        for arn in dict.fromkeys(_roles_in(call.parameters, _DEPTH)):
            yield arn, service


def _roles_in(value: Any, depth: int, member: str = "") -> Iterator[str]:
    if isinstance(value, str):
        if member.lower().removesuffix("arn").endswith("role") and _ROLE.fullmatch(value):
            yield value
    elif depth and isinstance(value, Mapping):
        for name, item in value.items():
            yield from _roles_in(item, depth - 1, str(name))
    elif depth and isinstance(value, list):
        for item in value:
            yield from _roles_in(item, depth, member)
