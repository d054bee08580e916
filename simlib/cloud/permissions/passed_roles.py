"""iam:PassRole: whoever hands a role to a service must be allowed to, for that role and that service.

A role is handed over wherever a member of a call is called a role and holds the ARN of one – `Role`, `roleArn`,
`IamRoles`, also levels down –, which is how most of AWS's APIs name them; some take its name. With an instance profile,
also one that a launch template has, its role is handed to EC2; with a task, the roles in its definition to ECS.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions.permission import Permission, account_of
from simlib.cloud.permissions.service_table import row
from simlib.cloud.storage import iam_entities, resources
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.protocols import signing_name
from simlib.cloud.transport.refusals import Refusal

# Services that decide about roles instead of taking them.
_NOT_PASSED = ("iam", "sts", "organizations", "sso", "sso-admin", "kms", "s3control", "lakeformation", "ram")
_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/.+")
_NAME = re.compile(r"[\w+=,.@-]{1,64}")
_ROLE_MEMBER = re.compile(
    r".*role(s|name|arn|arns)?|DeliverLogsPermissionArn|SnsCallerArn|(authorizer)?credentials(arn)?", re.IGNORECASE
)
_PROFILES = ("IamInstanceProfile", "JobFlowRole")
_TEMPLATES = ("LaunchTemplate", "LaunchTemplateSpecification")
_DEPTH = 8


def passed_roles(call: Call, caller: Caller) -> Iterator[Permission]:
    """The permission to pass each role a call hands over; a role of another account cannot be passed at all."""
    for arn, service in dict.fromkeys(_handed_over(call, caller)):
        if (account_of(arn) or caller.account) != caller.account:
            stop = "" if call.service == "scheduler" else "."
            raise Refusal("AccessDeniedException" if call.service != "ec2" else "UnauthorizedOperation",
                          f"Cross-account pass role is not allowed{stop}", 403)  # fmt: skip
        yield Permission("iam:PassRole", arn, caller.account, {"iam:PassedToService": f"{service}.amazonaws.com"})


def _handed_over(call: Call, caller: Caller) -> Iterator[tuple[str, str]]:
    """The ARNs of the roles and the services they are passed to."""
    added = call.parameters.get("RoleName") if call.name == "iam:AddRoleToInstanceProfile" else None
    if added and (role := iam_entities.entity(caller.account, "roles", str(added))):
        yield role.arn, "ec2"
    if call.service in _NOT_PASSED or "LaunchTemplate" in call.operation:  # a template is only kept
        return
    if call.name in ("ecs:RunTask", "ecs:StartTask"):  # those of its definition, unless the call has others
        own = resources.roles_of_task(str(call.parameters.get("taskDefinition")), call.region, caller.account)
        overrides = {**own, **(call.parameters.get("overrides") or {})}
        call = replace(call, parameters={**call.parameters, "overrides": overrides})
    facts = row(call.service)
    service = facts.get("passed_to", signing_name(call.service))
    for member, value in _members(call.parameters, _DEPTH):
        if member in _PROFILES:
            yield from _of_profile(value, caller)
        elif member in _TEMPLATES and isinstance(value, Mapping):
            _, data = resources.launch_template(value, call.region, caller.account)
            yield from _of_profile(data.get("IamInstanceProfile"), caller)
        elif isinstance(value, str) and _ROLE_MEMBER.fullmatch(member):
            by_name = facts.get("roles_by_name") and _NAME.fullmatch(value)
            arn = iam_entities.arn_of("role", value, caller.account) if by_name else value
            if _ROLE.fullmatch(arn):
                yield arn, facts.get("passed_by", {}).get(member, service)


def _of_profile(profile: Any, caller: Caller) -> Iterator[tuple[str, str]]:
    """The role in an instance profile that is named, or given as {Name} or {Arn}."""
    names = (profile.get("Name"), profile.get("Arn")) if isinstance(profile, Mapping) else (profile,)
    if role := iam_entities.role_of_profile(caller.account, *names):
        yield role, "ec2"


def _members(value: Any, depth: int, member: str = "") -> Iterator[tuple[str, Any]]:
    """Every member of a call with its name; the items of a list have the list's."""
    if member and not isinstance(value, list):
        yield member, value
    if depth and isinstance(value, Mapping):
        for name, item in value.items():
            yield from _members(item, depth - 1, str(name))
    elif depth and isinstance(value, list):
        for item in value:
            yield from _members(item, depth, member)
