"""What a call of EC2 asks permission for.

An ID tells its kind (`i-…` is an instance), and the action's resource types tell which kinds are asked about.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions import condition_keys, service_table
from simlib.cloud.permissions.permission import Context, Permission, tag_keys, tags_in
from simlib.cloud.storage import resources
from simlib.cloud.transport.calls import Call

_ID = re.compile(r"([a-z][a-z-]*)-[0-9a-f]{8,}")


def permissions_of(call: Call, caller: Caller) -> Iterator[Permission]:
    """Every resource a call of EC2 uses, changes or makes, and CreateTags where it makes something with tags."""
    if call.operation == "RunInstances":
        yield from _run_instances(call, caller)
    else:
        yield from _ordinary(call, caller)
    yield from _tags_on_creation(call, caller)


def _ordinary(call: Call, caller: Caller) -> Iterator[Permission]:
    action = f"ec2:{call.operation}"
    reference = service_table.reference_of(action)
    kinds, needed = (reference.resource_types, reference.required_types) if reference else ((), ())
    by_name = [service_table.of_aws(arn, "ec2") for arn in service_table.arns_from_table(call, action, caller.account)]
    named = [arn for arn in (*_arns(call, caller), *by_name) if _kind(arn) in kinds]
    new_type = _new_type(call) or (needed[0] if needed and not named else "")
    if new_type in kinds and not any(_kind(arn) == new_type for arn in named):
        first = call.operation in service_table.row("ec2")["made_first"]
        named.insert(0 if first else len(named), _arn(call, caller, new_type, "*"))
    attributes = _attributes(call, reference.condition_keys if reference else ())
    for arn in named or ["*"]:
        context = {**_facts(arn, call, caller), **(_request_tags(call, new_type) if _kind(arn) == new_type else {})}
        yield Permission(action, arn, caller.account, {**attributes, **context})


def _run_instances(call: Call, caller: Caller) -> Iterator[Permission]:
    """RunInstances is checked on every resource it uses or makes; `*` stands for what does not exist yet.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-template-permissions.html: whether a resource is that of
    the launch template, and which one that is.
    """
    templates, from_template, of_template = [], {""}, {}
    if named := call.parameters.get("LaunchTemplate"):  # what the call says itself goes before
        name, data = resources.launch_template(named, call.region, caller.account)
        templates.append(_arn(call, caller, "launch-template", name))
        of_template = {"ec2:LaunchTemplate": templates[0]}
        bare = replace(call, parameters=data)
        from_template = set(service_table.resources_of(bare, "ec2:RunInstances", caller.account))
        if call.parameters.keys() - _BESIDE_A_TEMPLATE:
            from_template = {arn for arn in from_template if not arn.endswith("*")}
        from_template.add(templates[0])
        call = replace(call, parameters={**data, **call.parameters})
    for arn in [*service_table.resources_of(call, "ec2:RunInstances", caller.account), *templates]:
        disks = [each["Ebs"] for each in call.parameters.get("BlockDeviceMappings") or () if each.get("Ebs")]
        for described in (disks or [{}]) if _kind(arn) == "volume" else [call.parameters]:
            paths = service_table.row("ec2")["new"].get(_kind(arn), {})
            new = condition_keys.context_at(paths, replace(call, parameters=described), caller.account)
            from_it = {"ec2:IsLaunchTemplateResource": str(arn in from_template).lower(), **of_template}
            context = {**_facts(arn, call, caller), **new, **_request_tags(call, _kind(arn)), **from_it}
            yield Permission("ec2:RunInstances", arn, caller.account, context)


# What a call may say without changing anything of what its launch template says
_BESIDE_A_TEMPLATE = {"LaunchTemplate", "MinCount", "MaxCount", "ClientToken", "DryRun", "TagSpecifications"}


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


_NO_ATTRIBUTES = ("DryRun", "OperationType", "UserIds", "UserGroups", "GroupNames", "ProductCodes", "ClientToken")


def _attributes(call: Call, keys: Collection[str]) -> Context:
    """What a call changes: the attributes' names as `ec2:Attribute`, and each as `ec2:Attribute/NAME`.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html
    """
    if "ec2:Attribute/*" not in keys:
        return {}
    given, shape = dict(call.parameters), call.model.input_shape
    for name in (*(shape.required_members if shape else ()), *_NO_ATTRIBUTES):
        given.pop(name, None)
    if "Attribute" in given:
        given = {str(given["Attribute"]): given.get("Value")}
    values = {name: value.get("Value") if isinstance(value, Mapping) else value for name, value in given.items()}
    each = {f"ec2:Attribute/{name}": text for name, value in values.items() if (text := condition_keys.text_of(value))}
    return {"ec2:Attribute": list(given), **each} if given and "ec2:Attribute" in keys else each


def _new_type(call: Call) -> str:
    """ "security-group" for CreateSecurityGroup; "" where nothing is made."""
    verb, _, thing = call.operation.partition("Create")
    return "" if verb or not thing else re.sub(r"(?<=.)([A-Z])", r"-\1", thing).lower()


def _arns(call: Call, caller: Caller) -> list[str]:
    """The ARNs of everything the call names by ID."""
    texts = [text for value in call.parameters.values() for text in (value if isinstance(value, list) else [value])]
    arns = []
    for text in filter(None, (_ID.fullmatch(text) for text in texts if isinstance(text, str))):
        kind, name = service_table.row("ec2")["ids"].get(text[1]), text[0]
        if kind == "instance-profile-association":
            kind, name = "instance", resources.association_instance(name, call.region, caller.account) or "*"
        if kind:
            arns.append(_arn(call, caller, kind, name))
    return list(dict.fromkeys(arns))


def _arn(call: Call, caller: Caller, kind: str, name: str) -> str:
    return service_table.of_aws(f"arn:aws:ec2:{call.region}:{caller.account}:{kind}/{name}", "ec2")


def _kind(arn: str) -> str:
    return arn.rpartition(":")[2].partition("/")[0]


def _facts(arn: str, call: Call, caller: Caller) -> Context:
    """What the table does not tell of a resource that is there, or is made."""
    facts = {"ec2:Region": call.region}
    if _kind(arn) == "instance" and arn.endswith("*"):
        facts["ec2:AvailabilityZone"] = f"{call.region}a"
    elif _kind(arn) == "instance" and (profile := resources.profile_of(arn)):
        facts["ec2:InstanceProfile"] = profile
    return facts
