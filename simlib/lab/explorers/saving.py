"""A policy document saved where it belongs: by the call of AWS's API that an administrator would make."""

from __future__ import annotations

from typing import Any

from simlib.cloud.inspection import Place

from ..attempts import Attempt, attempt


def save(world: Any, place: Place, text: str) -> Attempt:
    """Put a text at a place, as the administrator of the account that owns it; the attempt says what AWS answered.

    Raises `LookupError` for what AWS keeps no document of: session policies, or an SCP that is not there yet.
    """
    owner, kind, name = place
    short = owner.rpartition("/")[2]
    if kind == "resource":
        return _of_resource(world, owner, text)
    iam = _admin(world, owner.split(":")[4]).client("iam") if owner.count(":") >= 5 else None
    match kind, owner.rpartition(":")[2].partition("/")[0]:
        case "identity", "user":
            return attempt(iam.put_user_policy, UserName=short, PolicyName=name, PolicyDocument=text)
        case "identity", "role":
            return attempt(iam.put_role_policy, RoleName=short, PolicyName=name, PolicyDocument=text)
        case "identity", "group":
            return attempt(iam.put_group_policy, GroupName=short, PolicyName=name, PolicyDocument=text)
        case "identity" | "boundary", "policy":
            return attempt(iam.create_policy_version, PolicyArn=owner, PolicyDocument=text, SetAsDefault=True)
        case "trust", _:
            return attempt(iam.update_assume_role_policy, RoleName=short, PolicyDocument=text)
    raise LookupError(f"AWS keeps no such document: {kind} of {owner}.")


def _of_resource(world: Any, arn: str, text: str) -> Attempt:
    _, _, service, region, account, name = arn.split(":", 5)
    if service == "s3":
        owner = world.inspect.owner(arn)
        return attempt(_admin(world, owner).client("s3").put_bucket_policy, Bucket=name, Policy=text)
    client = _admin(world, account).client(service, region_name=region)
    match service:
        case "kms":
            return attempt(client.put_key_policy, KeyId=arn, PolicyName="default", Policy=text)
        case "sqs":
            url = client.get_queue_url(QueueName=name)["QueueUrl"]
            return attempt(client.set_queue_attributes, QueueUrl=url, Attributes={"Policy": text})
        case "sns":
            return attempt(client.set_topic_attributes, TopicArn=arn, AttributeName="Policy", AttributeValue=text)
        case "secretsmanager":
            return attempt(client.put_resource_policy, SecretId=arn, ResourcePolicy=text)
        case "dynamodb":
            return attempt(client.put_resource_policy, ResourceArn=arn, Policy=text)
    raise LookupError(f"The lab does not know how to save the policy of {arn}.")


def _admin(world: Any, account: str) -> Any:
    return world.account(world.account_name(account)).admin
