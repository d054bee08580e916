"""What a service refuses about a resource's policy although it is well written: it would lock out, or let all in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from simlib.cloud.desk import Desk
from simlib.cloud.permissions.asked import Requested
from simlib.cloud.permissions.authorization import decide, parsed
from simlib.cloud.services import documents
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
    policy = parsed(str(text), "key", key)
    if not decide(asked, desk.caller, desk.store, desk.around, instead={Place(key, "resource"): policy}).allowed:
        text = "The new key policy will not allow you to update the key policy in the future."
        raise Objection("MalformedPolicyDocumentException", text, 400)


def check_public_secret(desk: Desk) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html"""
    if desk.parameters.get("BlockPublicPolicy") and public_access.is_public(
        parsed(str(desk.parameters["ResourcePolicy"]), "resource", "")
    ):
        text = (
            "The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access to "
            "the secret."
        )
        raise Objection("PublicPolicyException", text, 400)


def check_permission(desk: Desk) -> None:
    """A permission of a function or a topic is a statement of its policy, and must be one that AWS saves.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html,
    https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html
    """
    given, arn, service = desk.parameters, desk.evaluations[-1].resource, desk.call.service
    if service == "lambda":
        label, principal, actions = given["StatementId"], resources.principal(given["Principal"]), [given["Action"]]
    else:
        label, principal = given["Label"], {"AWS": given["AWSAccountId"]}
        actions = [f"SNS:{name}" for name in given["ActionName"]]
    policy = json.loads(resources.policy_of(arn) or '{"Version": "2012-10-17", "Statement": []}')
    new = {"Sid": label, "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": arn}
    documents.check(json.dumps({**policy, "Statement": [*policy["Statement"], new]}), "resource", service)


def keep_table_policy(desk: Desk, answer: RawAnswer) -> RawAnswer:
    """moto forgets the policy a table is created with."""
    policy = desk.parameters.get("ResourcePolicy")
    if answer.status == 200 and policy:
        name = str(desk.parameters["TableName"]).rpartition("/")[2]
        resources.set_table_policy(desk.caller.account, desk.call.region, name, str(policy))
    return answer


BEFORE: Mapping[str, Callable[[Desk], None]] = {
    "kms:CreateKey": check_lockout,
    "kms:PutKeyPolicy": check_lockout,
    "lambda:AddPermission": check_permission,
    "secretsmanager:PutResourcePolicy": check_public_secret,
    "sns:AddPermission": check_permission,
}
AFTER = {"dynamodb:CreateTable": keep_table_policy}
