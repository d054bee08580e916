"""The condition keys of a call: which there are the reference says, and their values stand in the call's members.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from simlib.cloud.permissions.permission import Context, Permission
from simlib.cloud.permissions.service_table import (
    Form,
    by_prefix,
    every_form,
    forms_of,
    letters,
    look_up,
    reference_of,
    row,
    with_inner,
)
from simlib.cloud.storage import resources
from simlib.cloud.storage.stored import JmespathView
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.protocols import service_model
from simlib.iam import service_data


def context_of(call: Call, action: str, account: str, arn: str) -> Context:
    """The condition keys of an action on a resource that a call's members have the values of.

    A key that describes another type of the action's resources says nothing of this one: `ec2:InstanceType` is the
    instance's alone.
    """
    others = _of_others(action, arn)
    paths = {k: p for k, p in key_members(call.service, call.operation, action).items() if k not in others}
    return context_at(paths, with_inner(call), account)


def always(permission: Permission) -> Context:
    """The condition keys of a service's own that every request has; without the account where it is not known."""
    texts = by_prefix(permission.action.partition(":")[0]).get("always", {})
    values = {key: text.format(account=permission.account) for key, text in texts.items()}
    return {key: value for key, value in values.items() if value}


def context_at(paths: Mapping[str, str], call: Call, account: str) -> Context:
    """The condition keys that have a value, by what the table or the API's model says of where it is.

    A key with a `*` is one for each pair of a name and a value there.
    """
    context: dict[str, str | list[str]] = {}
    for key, path in paths.items():
        found = look_up(path, call, account)
        for name, value in (found or ()) if "*" in key else [("", found)]:
            text, key_type = text_of(value), service_data.key_type(key) or ""
            if text is None and value and key_type == "Bool":
                text = "true"  # of a structure a condition can only ask whether it is there
            elif isinstance(text, str) and key_type.startswith("ArrayOf"):
                text = text.split(",")
            if text is not None:
                context[key.replace("*", str(name))] = text
    return context


def of_resource(permission: Permission, call: Call) -> Context:
    """What the condition keys of a resource's type say of what is there, as the table finds it in moto's object."""
    service, arn = permission.action.partition(":")[0], permission.resource
    facts = by_prefix(service).get("facts", {}) if arn.startswith(f"arn:aws:{service}:") else {}
    kind = _kind_of(arn, every_form(service)) if facts else ""
    thing = resources.thing_of(arn, permission.account) if kind in facts and not arn.endswith("*") else None
    if thing is None:
        return {}
    view: Any = JmespathView(thing)
    return context_at(facts[kind], replace(call, parameters=view), permission.account)


@cache
def _keys_by_type(action: str) -> Mapping[str, frozenset[str]]:
    """For each type of an action's resources the condition keys that describe other types and not it."""
    forms = forms_of(action)
    every = {key for form in forms for key in form.condition_keys}
    return {form.kind: frozenset(every.difference(form.condition_keys)) for form in forms}


def _kind_of(arn: str, forms: Iterable[Form]) -> str:
    """The type of the resource of an ARN, "" for none; of those that fit the one that says most."""
    fitting = [form for form in forms if form.pattern.fullmatch(arn)]
    return max(fitting, key=lambda form: len(form.text)).kind if fitting else ""


def _of_others(action: str, arn: str) -> frozenset[str]:
    forms = forms_of(action) if arn != "*" else ()
    kind = _kind_of(arn, forms) if len(forms) > 1 else ""
    return _keys_by_type(action)[kind] if kind else frozenset()


def text_of(value: Any) -> str | list[str] | None:
    """The value of a condition key that a member of a call has; None of a structure and of nothing."""
    if isinstance(value, list):
        texts = [text_of(item) for item in value]
        return [str(text) for text in texts] if value and None not in texts else None
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


@cache
def key_members(service: str, operation: str, action: str) -> Mapping[str, str]:
    """The condition keys of an action by the places of their values: members named alike, and the row's.

    A member has its own name, and the one it is sent by: `x-amz-acl` for ACL. One farther down is named by its whole
    path (`codebuild:vpcConfig.subnets`), also where the call has no more than the path's end (`environment.image`), or
    alone has its name (`lambda:SubnetIds`). What is called as a type of the service's resources is the ARN of one:
    "arn of cluster".
    """
    reference, service_reference = reference_of(action), service_data.service(action.split(":")[0])
    model = service_model(service)
    shape = model.operation_model(operation).input_shape if model and operation in model.operation_names else None
    shapes = shape.members if shape is not None else {}
    below = list(_below(shape, "")) if shape is not None else []
    names = Counter(_bare(path.rpartition(".")[2]) for path in below)
    sent = {name: path for path in below if names[name := _bare(path.rpartition(".")[2])] == 1}
    sent |= {_bare(path): path for path in below}
    sent |= {_bare(str(value.serialization.get("name", ""))): name for name, value in shapes.items()}
    sent |= {_bare(name): name for name in shapes}
    of_action = set(reference.condition_keys) if reference else set()
    of_types = {key for form in forms_of(action) for key in form.condition_keys if not key.startswith("aws:")}
    # some of the reference's pages have all keys at their actions
    keys = of_action | of_types if of_action.isdisjoint(of_types) else of_action
    names_of_keys = {key: key.partition(":")[2] for key in keys if "*" not in key}
    alike = {key: sent[_bare(name)] for key, name in names_of_keys.items() if _bare(name) in sent}
    parts = {
        key: _bare(name.partition(".")[2]) for key, name in names_of_keys.items() if key not in alike and "." in name
    }
    alike |= {key: sent[part] for key, part in parts.items() if part in sent}
    for key in alike:
        kind = key.partition(":")[2]
        if service_data.key_type(key) == "ARN" and service_reference and kind in service_reference.resource_types:
            alike[key] = f"arn of {kind}"
    columns = row(service).get("keys", {}) | row(service).get("new", {}).get(operation, {})
    return {**alike, **{key: path for key, path in columns.items() if key in of_action | of_types}}


def _below(shape: Any, before: str, depth: int = 3) -> Iterator[str]:
    """The paths of the members of a shape's members."""
    for name, member in shape.members.items():
        many = member.type_name == "list"
        inner = member.member if many else member
        if inner.type_name == "structure" and depth:
            path = f"{before}{name}{'[]' if many else ''}."
            yield from (f"{path}{below}" for below in inner.members)
            yield from _below(inner, path, depth - 1)


def names_of_tags(arn: str) -> list[str]:
    """What conditions call a resource's tags: `aws:ResourceTag`, and what its service calls those of its type."""
    service = service_data.service(arn.split(":")[2])
    forms = every_form(service.prefix) if service else ()
    keys = {key for form in forms if form.pattern.fullmatch(arn) for key in form.condition_keys}
    return ["aws:ResourceTag", *(key[:-2] for key in keys if _OWN_TAG.fullmatch(key))]


_OWN_TAG = re.compile(r"(?!aws:)[\w-]+:(?:[Rr]esourceTag|(?!req-)[\w-]+-tag)/\*")


def _bare(name: str) -> str:
    return letters(re.sub(r"^x-amz-|override(?=\W|$)", "", name.lower()))
