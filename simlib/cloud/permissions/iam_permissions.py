"""What a call of IAM asks permission for, and the words in which IAM's refusals name it.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions import service_table
from simlib.cloud.permissions.permission import Permission
from simlib.cloud.storage import store
from simlib.cloud.storage.iam_entities import arn_of, boundary_of, linked_role_names
from simlib.cloud.transport.calls import Call, members

_WORDS = ("user", "role", "group", "policy", "instance-profile")
_MADE = re.compile("(?:Create|Upload)(?:Virtual)?")


def permissions_of(call: Call, caller: Caller) -> Iterator[Permission]:
    """Every permission a call of IAM needs: renaming needs it for both names, tags at creation need a second one."""
    parameters, action, account = call.parameters, f"iam:{call.operation}", caller.account
    context: dict[str, str | list[str]] = {}
    if boundary := parameters.get("PermissionsBoundary") or boundary_of(account, parameters):
        context["iam:PermissionsBoundary"] = str(boundary)  # the one asked for, else the one that is attached
    resource = _resource(call, caller)
    kind = resource.split(":", 5)[-1].partition("/")[0]
    label = _words(call, kind, resource)
    yield Permission(action, resource, account, context, label)
    if call.operation in ("UpdateUser", "UpdateGroup", "UpdateServerCertificate"):
        noun = call.operation.removeprefix("Update")
        name, path = parameters.get(f"New{noun}Name"), parameters.get("NewPath")
        if name or path:
            head, _, last = resource.partition(f":{kind}")[2].rpartition("/")
            yield Permission(
                action, f"arn:aws:iam::{account}:{kind}{path or f'{head}/'}{name or last}", account, context
            )
    if parameters.get("Tags") and (made := _MADE.match(call.operation)):
        yield Permission(f"iam:Tag{call.operation[made.end() :]}", resource, account, context, label)


def _resource(call: Call, caller: Caller) -> str:
    """The ARN of the resource; a name that may be left out means the caller."""
    parameters, root = call.parameters, f"arn:aws:iam::{caller.account}:"
    if call.operation == "CreateServiceLinkedRole":
        return _service_linked(root, parameters)
    if call.operation == "GetAccessKeyLastUsed":
        key = store.find_key(str(parameters.get("AccessKeyId")))
        return arn_of("user", key.user_name, caller.account) if key else f"{root}user/*"
    own = call.operation == "ChangePassword" or "UserName" in members("iam", call.operation)
    itself = caller.arn if own and caller.user_name else "*"
    return next(iter(service_table.arns_from_table(call, "iam:*", caller.account)), itself)


def _service_linked(root: str, parameters: Any) -> str:
    """The role that a service will be given; its name is the service's own, in capitals that only AWS knows."""
    service = str(parameters.get("AWSServiceName", ""))
    suffix = f"_{parameters['CustomSuffix']}" if parameters.get("CustomSuffix") else ""
    return f"{root}role/aws-service-role/{service}/AWSServiceRoleFor{linked_role_names().get(service, '*')}{suffix}"


def _words(call: Call, kind: str, resource: str) -> str | None:
    """How IAM's text calls the resource: `role NAME`, `policy ARN`; ARNs where it is made, tagged or listed."""
    if call.operation == "ListPolicies":
        return f"policy path {call.parameters.get('PathPrefix') or '/'}"
    noun = kind.title().replace("-", "")
    made, listing = call.operation == f"Create{noun}", call.operation == f"List{noun}s"
    if kind not in _WORDS or "Tag" in call.operation or listing or (made and kind != "policy"):
        return None
    if "Simulate" in call.operation or "ServiceLinked" in call.operation or "ContextKeys" in call.operation:
        return None
    name = resource if kind == "policy" and not made else resource.rpartition("/")[2]
    return f"{kind.replace('-', ' ')} {name}"
