"""What moto keeps about a resource, by its ARN: its policy, its tags, its real name. Knows moto's inside."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from simlib.cloud import moto_names as moto
from simlib.cloud.moto_names import keeper, keepers
from simlib.cloud.storage import iam_entities, keys
from simlib.cloud.storage.stored import tag_map
from simlib.cloud.storage.tables import open_keeper


def _split(arn: str) -> tuple[str, str, str, str]:
    """Service, region, account and name of an ARN."""
    parts = arn.split(":", 5)
    return (parts[2], parts[3], parts[4], parts[5]) if len(parts) == 6 and parts[0] == "arn" else ("", "", "", "")


_ROWS: Mapping[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def _find(backend: Any, service: str, arn: str, name: str) -> Any:
    """What an ARN names in the collections of a backend; `name` is what follows the account in it."""
    for pattern, collection in _ROWS[service]["in"].items():
        if match := re.fullmatch(pattern, name):
            return _collection(backend, collection).get(match[1] if match.re.groups else arn)
    return None


def _collection(backend: Any, name: str) -> Any:
    """The things in a collection of a backend by their keys, those of groups each by itself; {} of no backend."""
    things: Any = getattr(backend, name, {})
    if callable(things) or isinstance(things, list):
        return {str(each.id): each for each in (things() if callable(things) else things)}
    if not isinstance(next(iter(things.values()), None), dict):
        return things
    return {key: thing for group in list(things.values()) for key, thing in group.items()}


def _function(keeper: Any, name: str) -> Any:
    kind, name, *qualifier = name.split(":")
    if kind == "event-source-mapping":
        return keeper.get_event_source_mapping(name)
    try:
        return keeper.get_function(name, qualifier[0] if qualifier else None)
    except Exception:  # moto raises an error of its own for each way of not being there
        return None


def _parameter(keeper: Any, name: str) -> Any:
    name = name.removeprefix("parameter/")
    versions = keeper._parameters.get(name) or keeper._parameters.get(f"/{name}")
    return versions[-1] if versions else None


def _of_api_gateway(keeper: Any, name: str) -> Any:
    """Down the path, /apis/ID/routes/ID; moto keeps no REST APIs without packages that the lab has not."""
    _, *parts = name.split("/")
    for collection, identifier in zip(parts[::2], parts[1::2], strict=False):
        keeper = getattr(keeper, collection.replace("domainnames", "domain_names"), {}).get(identifier)
    return keeper


# What is found by more than a look into a collection.
_FINDERS: Mapping[str, Callable[[Any, str], Any]] = {
    "ssm": _parameter,
    "lambda": _function,
    "apigateway": _of_api_gateway,
    "route53": lambda keeper, name: SimpleNamespace(tags=keeper.resource_tags.get(name.rpartition("/")[2])),
}


def thing_of(arn: str, owner: str = "") -> Any:
    """moto's object behind an ARN, which may name a part or a version of it; None where there is none.

    `owner` is the account of an ARN that names none.
    """
    service, region, account, name = _split(arn)
    account = account or owner
    if service == "elasticloadbalancing" and name.count("/") == 1:  # a classic one
        service = "elb"
    backend = keeper(service, account, region) if service in {*_ROWS, *_FINDERS} else None
    if service == "ec2" and backend is None and account:  # where a VPC and images are from the start
        with suppress(KeyError):
            backend = open_keeper(service, account, region)
    if backend is None:
        return None
    return _FINDERS[service](backend, name) if service in _FINDERS else _find(backend, service, arn, name)


def _things_in(backend: Any, service: str) -> list[Any]:
    """Everything in the collections of a backend."""
    return [thing for name in _ROWS[service]["in"].values() for thing in list(_collection(backend, name).values())]


def resource_arns(account: str) -> Iterator[str]:
    """The ARNs of what an account owns and policies can be about: buckets, keys, queues, functions, …"""
    for service, row in _ROWS.items():
        for backend in keepers(service, account) if "arn" in row else ():
            yield from (str(getattr(each, row["arn"])) for each in _things_in(backend, service))
    for backend in keepers("lambda", account):
        yield from (str(function.function_arn) for function in backend.list_functions())
    for backend in keepers("ec2", account):
        place = f"arn:aws:ec2:{backend.region_name}:{account}:instance/"
        yield from (f"{place}{instance.id}" for instance in backend.all_instances())


# -- policies of resources -------------------------------------------------------------------------------------------


def policy_of(arn: str) -> str | None:
    """The text of the policy that hangs on a resource; None where there is none. S3's are the store's."""
    service, region, account, _ = _split(arn)
    if service in _POLICIES_BY_ARN:
        policies = getattr(keeper(service, account, region), "resource_policies", {})
        return _POLICIES_BY_ARN[service](policies[policy_owner(arn)]) if policy_owner(arn) in policies else None
    thing, attribute = thing_of(arn), _ROWS.get(service, {}).get("policy", "")
    if thing is None:
        return None
    policy = _POLICIES[service](thing) if service in _POLICIES else getattr(thing, attribute, None)
    return policy if isinstance(policy, str) else json.dumps(policy) if policy else None


def policy_owner(arn: str) -> str:
    """The ARN that the policy of a resource, or of a part of one, hangs on."""
    service = _split(arn)[0]
    if service == "dynamodb":  # the table's speaks for its indexes too; a stream has one of its own
        return arn if "/stream/" in arn else arn.partition("/index/")[0]
    if service == "glue":  # all of an account's tables have that of its catalog
        return f"{':'.join(arn.split(':')[:5])}:catalog"
    return ":".join(arn.split(":")[:7]) if service == "lambda" else arn


def policy_holders() -> Iterator[tuple[Any, str]]:
    """Everything of every account that has a policy of its own, and the attribute that holds it."""
    for service, row in _ROWS.items():
        for account in list(moto.backends(service)) if "policy" in row else ():
            for backend in keepers(service, account):
                yield from ((owner, row["policy"]) for owner in _things_in(backend, service))


def _function_policy(function: Any) -> dict[str, Any] | None:
    kept = getattr(function, "policy", None)  # an event source mapping has none
    statements = [{**each, "Principal": principal(each["Principal"])} for each in (kept.statements if kept else ())]
    return {"Version": "2012-10-17", "Statement": statements} if statements else None


def principal(value: Any) -> Any:
    """moto keeps what AddPermission was given; AWS makes a principal of it."""
    if not isinstance(value, str) or value == "*":
        return value
    return {"AWS": value} if value.isdigit() or value.startswith("arn:") else {"Service": value}


# Policies that are put together of what moto keeps.
_POLICIES: Mapping[str, Callable[[Any], Any]] = {
    "lambda": _function_policy, "kms": keys.policy_of, "events": lambda bus: bus.policy,
}  # fmt: skip
# Where policies are kept by the ARNs they hang on: the text of one.
_POLICIES_BY_ARN: Mapping[str, Callable[[Any], str]] = {
    "dynamodb": lambda policy: policy.policy_doc, "kinesis": str, "glue": lambda policy: policy["PolicyInJson"],
}  # fmt: skip


# -- tags ------------------------------------------------------------------------------------------------------------


def tags_of(arn: str, owner: str = "") -> Mapping[str, str]:
    """The tags of a resource, or of what it is a part of; none for what does not exist or moto keeps no tags of.

    `owner` is the account of an ARN that names none.
    """
    service, region, account, name = _split(arn)
    backend: Any = keeper(service, account or owner, region) if not name.endswith("*") else None
    if service == "ec2" and backend:  # keyed by ID, which spares a walk through everything there is
        return dict(backend.tags.get(name.rpartition("/")[2], {}))
    if service == "iam" and backend:
        collection = _TAGGED.get(name.partition("/")[0])
        others = backend.managed_policies | backend.open_id_providers | backend.virtual_mfa_devices
        entity = iam_entities.find(backend, collection, name.rpartition("/")[2]) if collection else others.get(arn)
        return tag_map(getattr(entity, "tags", None))
    whole = "/".join(arn.split("/")[:2]) if service == "dynamodb" else arn
    whole = ":".join(arn.split(":")[:7]) if service in ("lambda", "logs") else whole
    try:
        resources: Any = getattr(backend, "iter_tagged_resources", tuple)()
        tags = next((each.tags for each in resources if each.arn == whole), None)
        tags = tags or getattr(thing_of(whole, owner), "tags", None)
    except Exception:  # moto stumbles over something else that is half made, and can list no tags of the service's
        return {}
    tagger = getattr(backend, "tagger", None) or getattr(backend, "tagging_service", None)
    return tag_map(tags) if tags or not tagger else tagger.get_tag_dict_for_resource(whole)


_TAGGED = {"role": "roles", "user": "users", "instance-profile": "instance_profiles"}

# -- names -----------------------------------------------------------------------------------------------------------


def _of_ec2(account: str, region: str, collection: str) -> list[Any]:
    return list(_collection(keeper("ec2", account, region), collection).values())


def secret_arns(region: str, account: str) -> list[str]:
    """The secrets of an account in a region."""
    return [str(secret.arn) for secret in _things_in(keeper("secretsmanager", account, region), "secretsmanager")]


def secret_arn(name: str, region: str, account: str) -> str | None:
    """The full ARN of the secret that a name, an ARN or an ARN without its last six characters means."""
    if name.startswith("arn:"):
        _, region, account, _ = _split(name)
    backend = keeper("secretsmanager", account, region)
    secret = backend.secrets.get(name) if backend is not None else None
    return str(secret.arn) if secret is not None else None


def partition_key(arn: str) -> str:
    """The name of the partition key of a table, or of an index, which has its own; "" where there is no such table."""
    table, index = thing_of(arn), arn.partition("/index/")[2]
    schemas = (each.schema for each in (table.all_indexes() if index and table else ()) if each.name == index)
    keys = (key["AttributeName"] for schema in schemas for key in schema if key["KeyType"] == "HASH")
    return str(next(keys, getattr(table, "hash_key_attr", "")))


def association_instance(association_id: str, region: str, account: str) -> str | None:
    """The instance that an instance profile's association belongs to."""
    associations = _of_ec2(account, region, "iam_instance_profile_associations")
    return next((str(each.instance.id) for each in associations if each.association_id == association_id), None)


def launch_template(specification: Mapping[str, Any], region: str, account: str) -> tuple[str, Mapping[str, Any]]:
    """The ID of the launch template that a call names by ID or name, and what its version says."""
    name, identifier = specification.get("LaunchTemplateName"), specification.get("LaunchTemplateId")
    templates = _of_ec2(account, region, "launch_templates")
    template = next((each for each in templates if identifier == each.id or (name and name == each.name)), None)
    if template is None:
        return str(identifier or "*"), {}
    try:
        return template.id, template.get_version(specification.get("Version") or "$Default").data
    except Exception:  # moto's own error, which the call will meet
        return template.id, {}


def roles_of_task(name: str, region: str, account: str) -> dict[str, str]:
    """The roles in the definition of a task that a call names, by their members; the newest without a revision."""
    family, _, revision = name.rpartition("/")[2].partition(":")
    revisions = getattr(keeper("ecs", account, region), "task_definitions", {}).get(family, {})
    definition = revisions.get(int(revision) if revision.isdecimal() else max(revisions, default=0))
    roles = {"executionRoleArn": "execution_role_arn", "taskRoleArn": "task_role_arn"}
    return {member: str(arn) for member, own in roles.items() if (arn := getattr(definition, own, None))}


def security_group_id(name: str, region: str, account: str) -> str | None:
    """The ID of the security group of a name."""
    return next((str(group.id) for group in _of_ec2(account, region, "groups") if group.name == name), None)


def vpc_of_subnet(subnet_id: str, region: str, account: str) -> str | None:
    """The ID of the VPC that a subnet is in."""
    return getattr(thing_of(f"arn:aws:ec2:{region}:{account}:subnet/{subnet_id}"), "vpc_id", None)


def profile_of(instance_arn: str) -> str | None:
    """The ARN of an instance's profile."""
    _, region, account, name = _split(instance_arn)
    associations = getattr(keeper("ec2", account, region), "iam_instance_profile_associations", {})
    association = associations.get(name.removeprefix("instance/"))
    return str(association.iam_instance_profile.arn) if association else None


# -- logs ------------------------------------------------------------------------------------------------------------


def has_log_group(region: str, account: str, group: str) -> bool:
    """Whether there is a group of logs with something in it."""
    groups = getattr(keeper("logs", account, region), "groups", {})
    return group in groups and bool(groups[group].streams)


def write_log(region: str, account: str, group: str, stream: str, text: str, milliseconds: int) -> None:
    """A new stream with a line for each of the text's, in a group that is made if need be."""
    if (backend := keeper("logs", account, region)) is not None:
        backend.ensure_log_group(group)
        backend.create_log_stream(group, stream)
        events = [{"timestamp": milliseconds, "message": line} for line in text.splitlines() if line]
        backend.put_log_events(group, stream, events)
