"""What a call of EC2 asks permission for.

An ID tells its kind (`i-…` is an instance), and the action's resource types tell which kinds are asked about.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions import service_table
from simlib.cloud.permissions.permission import Context, Permission, tag_keys, tags_in
from simlib.cloud.storage import resources
from simlib.cloud.transport.calls import Call

_ID = re.compile(r"([a-z][a-z-]*)-[0-9a-f]{8,}")
_OF_AWS = ("image", "snapshot")  # their ARNs name no account

_METADATA = {
    "HttpTokens": ("ec2:MetadataHttpTokens", "optional"),
    "HttpEndpoint": ("ec2:MetadataHttpEndpoint", "enabled"),
    "HttpPutResponseHopLimit": ("ec2:MetadataHttpPutResponseHopLimit", "1"),
}


def permissions_of(call: Call, caller: Caller) -> Iterator[Permission]:
    """Every resource a call of EC2 uses, changes or makes, and CreateTags where it makes something with tags."""
    if call.operation == "RunInstances":
        yield from _run_instances(call, caller)
    else:
        yield from _ordinary(call, caller)
    yield from _tags_on_creation(call, caller)


def _ordinary(call: Call, caller: Caller) -> Iterator[Permission]:
    action = f"ec2:{call.operation}"
    known = service_table.known(action)
    kinds, needed = (known.resource_types, known.required_types) if known else ((), ())
    named = [arn for arn in _arns(call, caller) if _kind(arn) in kinds]
    named += [arn for arn in _by_name(call, caller) if _kind(arn) in kinds]
    made = _made(call) or (needed[0] if needed and not named else "")
    if made in kinds and not any(_kind(arn) == made for arn in named):
        named.append(_arn(call, caller, made, "*"))
    for arn in named or ["*"]:
        context = {**_facts(arn), **(_request_tags(call, made) if _kind(arn) == made else {})}
        yield Permission(action, arn, caller.account, {"ec2:Region": call.region, **context})


def _by_name(call: Call, caller: Caller) -> Iterator[str]:
    """The ARNs of what the call names otherwise than by ID."""
    parameters, place = call.parameters, (call.region, caller.account)
    if name := parameters.get("KeyName"):
        yield _arn(call, caller, "key-pair", str(name))
    names = parameters.get("GroupNames") or parameters.get("SecurityGroups") or ()
    if parameters.get("GroupName"):
        names = [parameters["GroupName"]]
    for name in names:
        yield _arn(call, caller, "placement-group", str(name))
        if call.operation != "CreateSecurityGroup":
            yield _arn(call, caller, "security-group", resources.security_group_id(str(name), *place) or "*")
    if parameters.get("LaunchTemplateName"):
        yield _arn(call, caller, "launch-template", resources.launch_template(parameters, *place)[0])


def _run_instances(call: Call, caller: Caller) -> Iterator[Permission]:
    """RunInstances is checked on every resource it uses or makes; `*` stands for what does not exist yet."""
    templates = []
    if named := call.parameters.get("LaunchTemplate"):  # what the call says itself goes before
        name, data = resources.launch_template(named, call.region, caller.account)
        templates.append(_arn(call, caller, "launch-template", name))
        call = replace(call, parameters={**data, **call.parameters})
    parameters = call.parameters
    arns = [_arn(call, caller, "instance", "*"), _arn(call, caller, "image", str(parameters.get("ImageId", "*")))]
    arns += [_arn(call, caller, kind, "*") for kind in ("network-interface", "volume")]
    groups = [_arn(call, caller, "security-group", str(name)) for name in parameters.get("SecurityGroupIds") or ()]
    groups += [arn for arn in _by_name(call, caller) if _kind(arn) == "security-group"]
    arns += [*(groups or [_arn(call, caller, "security-group", "*")])]
    arns.append(_arn(call, caller, "subnet", str(parameters.get("SubnetId", "*"))))
    arns += [arn for arn in _by_name(call, caller) if _kind(arn) == "key-pair"]
    for arn in [*arns, *templates]:
        context = _new_instance(call, caller) if _kind(arn) == "instance" else {"ec2:Region": call.region}
        context = {**_instance_type(call), **context, **_request_tags(call, _kind(arn))}
        yield Permission("ec2:RunInstances", arn, caller.account, context)


def _instance_type(call: Call) -> Context:
    return {"ec2:InstanceType": str(call.parameters.get("InstanceType", "m1.small"))}


def _new_instance(call: Call, caller: Caller) -> Context:
    """What the keys of the instance-to-be say."""
    parameters = call.parameters
    metadata = parameters.get("MetadataOptions") or {}
    context: dict[str, str | list[str]] = {
        "ec2:Region": call.region,
        "ec2:Tenancy": str((parameters.get("Placement") or {}).get("Tenancy", "default")),
        "ec2:AvailabilityZone": str((parameters.get("Placement") or {}).get("AvailabilityZone", f"{call.region}a")),
        **{key: str(metadata.get(member, default)) for member, (key, default) in _METADATA.items()},
    }
    profile = parameters.get("IamInstanceProfile") or {}
    if name := profile.get("Name"):
        context["ec2:InstanceProfile"] = f"arn:aws:iam::{caller.account}:instance-profile/{name}"
    if arn := profile.get("Arn"):
        context["ec2:InstanceProfile"] = str(arn)
    return context


def _tags_on_creation(call: Call, caller: Caller) -> Iterator[Permission]:
    """Tagging what is being made needs CreateTags, with the action that makes it as `ec2:CreateAction`.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    """
    for specification in call.parameters.get("TagSpecifications") or call.parameters.get("TagSpecification") or ():
        kind = str(specification.get("ResourceType", ""))
        if tags := _request_tags(call, kind):
            context = {"ec2:CreateAction": call.operation, "ec2:Region": call.region, **tags}
            yield Permission("ec2:CreateTags", _arn(call, caller, kind, "*"), caller.account, context)


def _request_tags(call: Call, kind: str) -> dict[str, str | list[str]]:
    pairs: dict[str, str] = {}
    for specification in call.parameters.get("TagSpecifications") or call.parameters.get("TagSpecification") or ():
        if specification.get("ResourceType") == kind:
            pairs |= tags_in(specification.get("Tags"))
    return {**tag_keys(pairs), "aws:TagKeys": list(pairs)} if pairs else {}


def _made(call: Call) -> str:
    """ "security-group" for CreateSecurityGroup; "" where nothing is made."""
    verb, _, thing = call.operation.partition("Create")
    return "" if verb or not thing else re.sub(r"(?<=.)([A-Z])", r"-\1", thing).lower()


def _arns(call: Call, caller: Caller) -> list[str]:
    """The ARNs of everything the call names by ID."""
    texts = [text for value in call.parameters.values() for text in _texts(value)]
    arns = []
    for text in texts:
        match = _ID.fullmatch(text)
        kind = service_table.row("ec2")["ids"].get(match[1]) if match else None
        if kind == "instance-profile-association":
            kind, text = "instance", resources.association_instance(text, call.region, caller.account) or "*"
        if kind:
            arns.append(_arn(call, caller, kind, text))
    return list(dict.fromkeys(arns))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _arn(call: Call, caller: Caller, kind: str, name: str) -> str:
    account = "" if kind in _OF_AWS else caller.account
    return f"arn:aws:ec2:{call.region}:{account}:{kind}/{name}"


def _kind(arn: str) -> str:
    return arn.rpartition(":")[2].partition("/")[0]


def _facts(arn: str) -> Context:
    return dict(resources.instance_facts(arn)) if _kind(arn) == "instance" else {}
