"""What a service refuses about a resource's policy although it is well written: it would lock out, or let all in."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simlib.cloud.desk import Desk
from simlib.cloud.permissions.asked import Requested
from simlib.cloud.permissions.authorization import decide, parsed
from simlib.cloud.storage import resources
from simlib.cloud.storage.stored import Place
from simlib.cloud.transport.refusals import Objection
from simlib.cloud.transport.wire import RawAnswer
from simlib.iam import public_access


def check_lockout(desk: Desk) -> None:
    """Whoever sets a key policy must be able to change it again, unless they waive that.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """
    text = desk.parameters.get("Policy")
    if not text or desk.parameters.get("BypassPolicyLockoutSafetyCheck"):
        return
    account = desk.caller.account
    key = f"arn:aws:kms:{desk.call.region}:{account}:key/new"
    asked = Requested("kms:PutKeyPolicy", key, account, {})
    policy = parsed(str(text), "resource", key)
    if not decide(asked, desk.caller, desk.store, desk.around, instead={Place(key, "resource"): policy}).allowed:
        text = "The new key policy will not allow you to update the key policy in the future."
        raise Objection("MalformedPolicyDocumentException", text, 400)


def check_public_secret(desk: Desk) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html"""
    if desk.parameters.get("BlockPublicPolicy") and public_access.is_public(
        json.loads(str(desk.parameters["ResourcePolicy"]))
    ):
        text = (
            "The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access to "
            "the secret."
        )
        raise Objection("PublicPolicyException", text, 400)


def check_bucket(desk: Desk) -> None:
    """A bucket's policy speaks of that bucket and its objects."""
    bucket = str(desk.parameters["Bucket"])
    for arn in _resources(json.loads(str(desk.parameters["Policy"]))):
        named = arn.removeprefix("arn:aws:s3:::").partition("/")[0]
        if arn.startswith("arn:aws:s3:::") and "$" not in named and not fnmatch.fnmatchcase(bucket, named):
            raise Objection("MalformedPolicy", "Policy has invalid resource", 400)


def keep_table_policy(desk: Desk, answer: RawAnswer) -> RawAnswer:
    """moto forgets the policy a table is created with."""
    policy = desk.parameters.get("ResourcePolicy")
    if answer.status == 200 and policy:
        name = str(desk.parameters["TableName"]).rpartition("/")[2]
        resources.set_table_policy(desk.caller.account, desk.call.region, name, str(policy))
    return answer


def _resources(document: Any) -> Iterator[str]:
    statements = document.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        for element in ("Resource", "NotResource"):
            given = statement.get(element, [])
            yield from map(str, given if isinstance(given, list) else [given])


BEFORE: Mapping[str, Callable[[Desk], None]] = {
    "kms:CreateKey": check_lockout,
    "kms:PutKeyPolicy": check_lockout,
    "secretsmanager:PutResourcePolicy": check_public_secret,
}
AFTER = {"dynamodb:CreateTable": keep_table_policy}
