"""Any service's call in the words of its policies: the action's name, and the ARNs of what it acts on.

Both come from the API's own model and AWS's Service Authorization Reference (`simlib.iam.service_data`): an action's
resource types give the ARNs, and the call's members fill their placeholders by name – `StreamName` fills
`stream/${StreamName}`, an ARN that has the form of a resource type stands for itself. Where nothing fits the resource
is `*`, which is stricter than AWS: only a policy that allows `*` lets such a call pass.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any
from urllib.parse import urlsplit

from simlib.cloud.transport.calls import Call, signing_name
from simlib.iam import service_data

# Where the prefix of a service's actions is not the name its signatures carry.
_PREFIXES = {
    "monitoring": "cloudwatch", "tagging": "tag", "iotdata": "iot", "data.iot": "iot", "iotjobsdata": "iot",
    "iotsecuredtunneling": "iot", "cloudcontrolapi": "cloudformation", "mturk-requester": "mechanicalturk",
    "awsssoportal": "sso", "application-cost-profiler": "application-cost-profiler",
}  # fmt: skip

# Where an operation is not an action of its own.
_ACTIONS = {
    "lambda:Invoke": "InvokeFunction",
    "lambda:InvokeWithResponseStream": "InvokeFunction",
    "lambda:GetLayerVersionByArn": "GetLayerVersion",
    "sqs:SendMessageBatch": "SendMessage",
    "sqs:DeleteMessageBatch": "DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "sns:PublishBatch": "Publish",
    "timestream-query:Query": "Select",
    "bedrock-runtime:Converse": "InvokeModel",
    "bedrock-runtime:ConverseStream": "InvokeModelWithResponseStream",
    "bedrock-runtime:InvokeModelWithBidirectionalStream": "InvokeModelWithResponseStream",
    "cloudfront:CreateDistributionWithTags": "CreateDistribution",
    "s3control:GetPublicAccessBlock": "GetAccountPublicAccessBlock",
    "s3control:PutPublicAccessBlock": "PutAccountPublicAccessBlock",
    "s3control:DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
}

# Members that fill a placeholder though their names do not say so.
_MEMBERS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("events", "RuleName"): ("Name", "Rule"),
    ("sns", "TopicName"): ("Name", "TopicArn", "TargetArn", "ResourceArn"),
    ("sqs", "QueueName"): ("QueueName", "QueueUrl"),
    ("ssm", "ParameterNameWithoutLeadingSlash"): ("Name", "Names", "ResourceId"),
    ("cloudwatch", "AlarmName"): ("AlarmName", "AlarmNames"),
    ("route53", "Id"): ("HostedZoneId", "Id"),
    ("rds", "DbInstanceName"): ("DBInstanceIdentifier",),
    ("rds", "DbClusterInstanceName"): ("DBClusterIdentifier",),
}
_EVERYWHERE = ("Partition", "Region", "Account")
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_SUFFIXES = ("identifiers", "identifier", "names", "name", "arns", "arn", "ids", "id", "s")


@dataclass(frozen=True, slots=True)
class _Form:
    """The ARN of a resource type: its text, its own placeholders, and the pattern of such ARNs."""

    kind: str
    text: str
    placeholders: tuple[str, ...]
    pattern: re.Pattern[str]


def prefix_of(service: str) -> str:
    """The prefix of a service's actions ("cloudwatch" for monitoring's), by botocore's name of the service."""
    name = signing_name(service)
    return _PREFIXES.get(name.lower(), name)


def action_of(call: Call) -> str:
    """`service:Operation` as policies spell it."""
    if call.service in ("apigateway", "apigatewayv2"):  # its actions are the methods of HTTP
        return f"apigateway:{call.raw.method.upper()}"
    prefix = prefix_of(call.service)
    if call.service == "apigatewaymanagementapi":
        return f"{prefix}:ManageConnections"
    if call.service == "budgets":  # two permissions for all
        reads = call.operation.startswith("Describe")
        known = service_data.service(prefix)
        if known is not None and call.operation.lower() not in known.actions:
            return f"{prefix}:{'ViewBudget' if reads else 'ModifyBudget'}"
    return f"{prefix}:{_ACTIONS.get(call.name, call.operation)}"


def resources_of(call: Call, action: str, account: str) -> list[str]:
    """The ARNs of what a call acts on, `account` being the caller's; ["*"] where they are not known.

    CloudWatch Logs asks about a log group as about its streams, so that policies name it with `:*` at the end.
    """
    if action.startswith("apigateway:"):
        return [f"arn:aws:apigateway:{call.region}::{urlsplit(call.url).path}"]
    forms = _forms(*action.split(":", 1))
    named = [arn for value in call.parameters.values() for arn in _texts(value) if _fits(arn, forms)]
    left = [form for form in forms if not any(form.pattern.fullmatch(arn) for arn in named)]
    for form in left:
        if filled := list(_filled(form, call, account, named, alone=len(forms) == 1)):
            return named + ([f"{arn}:log-stream:" for arn in filled] if form.kind == "log-group" else filled)
    return named or ["*"]


def _fits(text: str, forms: tuple[_Form, ...]) -> bool:
    return text.startswith("arn:") and any(form.pattern.fullmatch(text) for form in forms)


@cache
def _forms(prefix: str, action: str) -> tuple[_Form, ...]:
    """The resource types of an action, those that say most about a resource first."""
    known = service_data.service(prefix.lower())
    asked = known.actions.get(action.lower()) if known else None
    if known is None or asked is None:
        return ()
    forms = [_form(known.resource_types[kind]) for kind in asked.resource_types]
    return tuple(sorted(forms, key=lambda form: -len(form.placeholders)))


def _form(kind: service_data.ResourceType) -> _Form:
    names = [name for name in _PLACEHOLDER.findall(kind.arn) if name not in _EVERYWHERE]
    pattern = "".join(
        re.escape(piece) if index % 2 == 0 else ("[^:]*" if piece in _EVERYWHERE else ".+")
        for index, piece in enumerate(_PLACEHOLDER.split(kind.arn))
    )
    return _Form(kind.name, kind.arn, tuple(names), re.compile(pattern))


def _filled(form: _Form, call: Call, account: str, named: list[str], *, alone: bool) -> Iterator[str]:
    """The form's ARNs, from what the call's members say besides the ARNs that are `named` already."""
    given = {member: value for member, value in call.parameters.items() if not set(_texts(value)) & set(named)}
    choices = [_values(form, name, given, alone=alone) for name in form.placeholders]
    if not all(choices):
        if not (alone and call.operation.startswith("Create")):
            return
        choices = [values or ["*"] for values in choices]  # what is yet to be made has no name
    everywhere = {"Partition": "aws", "Region": call.region, "Account": account}
    for values in product(*choices):
        known = {**everywhere, **dict(zip(form.placeholders, values, strict=True))}
        yield _PLACEHOLDER.sub(lambda found, known=known: known[found[1]], form.text)  # type: ignore[misc]


def _values(form: _Form, placeholder: str, given: Mapping[str, Any], *, alone: bool) -> list[str]:
    """What a call's members say of a placeholder."""
    prefix = form.text.split(":")[2]
    for member in _MEMBERS.get((prefix, placeholder), ()):
        if member in given:
            return [_plain(text).lstrip("/") for text in _texts(given[member])]
    wanted = {_stem(placeholder)} | ({_stem(form.kind)} if len(form.placeholders) == 1 else set())
    for member, value in given.items():
        if _stem(member) in wanted:
            return [_plain(text) for text in _texts(value)]
    if alone and len(form.placeholders) == 1:
        bare = ("Id", "id") if placeholder.endswith("Id") else ("Name", "name")
        return [_plain(text) for member in bare for text in _texts(given.get(member))][:1]
    return []


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _plain(text: str) -> str:
    """A name, from an ARN or URL that ends with it."""
    if text.startswith("arn:"):
        return re.split("[:/]", text)[-1]
    return text.rstrip("/").rpartition("/")[2] if text.startswith("https://") else text


@cache
def _stem(name: str) -> str:
    low = re.sub("[^a-z0-9]", "", name.lower())
    return next((low[: -len(end)] for end in _SUFFIXES if low.endswith(end) and len(low) > len(end) + 1), low)
