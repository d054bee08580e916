"""What a service refuses about a resource's policy although it is well written: it would lock out, or let all in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.permissions import service_table
from simlib.cloud.permissions.authorization import decide
from simlib.cloud.permissions.permission import Permission
from simlib.cloud.services import documents
from simlib.cloud.services.rules import CallFacts, checks
from simlib.cloud.storage import keys, resources
from simlib.cloud.storage.stored import Place, cached_policy
from simlib.cloud.storage.tables import open_keeper
from simlib.cloud.transport import answers
from simlib.cloud.transport.wire import RawAnswer
from simlib.iam import public_access


class _Policy(CallFacts):
    """What a policy that a call sets would do."""

    @property
    def locks_out(self) -> bool:
        """Whoever sets the policy of a key or a file system must be able to change it again, unless they waive that.

        https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html,
        https://docs.aws.amazon.com/efs/latest/ug/API_PutFileSystemPolicy.html
        """
        text, context = self["Policy"], self.context
        if not text or self["BypassPolicyLockoutSafetyCheck"]:
            return False
        action, arn, kind = "kms:PutKeyPolicy", f"arn:aws:kms:{context.call.region}:{self.account}:key/new", "key"
        if context.call.service == "efs":
            action, arn, kind = context.evaluations[0].action, context.evaluations[0].resource, "resource"
        instead = {Place(arn, "resource"): cached_policy(str(text), kind, arn)}
        asked = Permission(action, arn, self.account)
        return not decide(asked, context.caller, context.around, instead=instead).allowed

    @property
    def secret(self) -> Any:
        return resources.thing_of(self.context.evaluations[0].resource)

    @property
    def key(self) -> Any:
        return keys.find(str(self["KeyId"]), self.context.call.region, self.account)

    @property
    def replica(self) -> Any:
        """The key of the same ID in the Region for which one is asked."""
        return keys.find(self.key.id, str(self["ReplicaRegion"]), self.account) if self.key else None

    @property
    def named_source(self) -> str:
        """The key that is said to have encrypted a text, by its ARN; "" where none is named."""
        name = self["SourceKeyId" if self.operation == "ReEncrypt" else "KeyId"]
        return service_table.key_of(str(name), self.context.call.region, self.account) if name else ""

    @property
    def source_is_missing(self) -> bool:
        return bool(self.named_source) and keys.arn_of(self.named_source, "", "") is None

    @property
    def is_another_key(self) -> bool:
        """Whether a text was encrypted with another key than the one that is named."""
        source = keys.of_ciphertext(self["CiphertextBlob"] or b"", self.context.call.region)
        return bool(self.named_source and source) and self.named_source != source

    @property
    def is_public(self) -> bool:
        return public_access.is_public(cached_policy(str(self["ResourcePolicy"]), "resource", ""))


def make_own_key(context: CallContext) -> None:
    """A key that AWS manages is there when it is first named."""
    name = str(context.parameters.get("KeyId", ""))
    if name.startswith("alias/aws/"):
        keys.make_own(name, context.call.region, context.caller.account)


def name_key(context: CallContext, answer: RawAnswer) -> RawAnswer:
    """KMS names a key by its ARN, moto as the call does.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html (KeyId) and the like
    """
    named = {**json.loads(answer.body), "KeyId": context.evaluations[-1].resource}
    return replace(answer, body=json.dumps(named).encode())


def check_permission(context: CallContext) -> None:
    """A permission of a function or a topic is a statement of its policy, and must be one that AWS saves.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html,
    https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html
    """
    given, arn, service = context.parameters, context.evaluations[-1].resource, context.call.service
    if service == "lambda":
        label, principal, actions = given["StatementId"], resources.principal(given["Principal"]), [given["Action"]]
    else:
        label, principal = given["Label"], {"AWS": given["AWSAccountId"]}
        actions = [f"SNS:{name}" for name in given["ActionName"]]
    policy = json.loads(resources.policy_of(arn) or '{"Version": "2012-10-17", "Statement": []}')
    new = {"Sid": label, "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": arn}
    documents.check(json.dumps({**policy, "Statement": [*policy["Statement"], new]}), "resource", service)


def keep_table_policy(context: CallContext, answer: RawAnswer) -> RawAnswer:
    """moto forgets the policy a table is created with."""
    if policy := context.parameters.get("ResourcePolicy"):
        dynamodb = open_keeper("dynamodb", context.caller.account, context.call.region)
        dynamodb.put_resource_policy(json.loads(answer.body)["TableDescription"]["TableArn"], str(policy), None)
    return answer


def make_replica(context: CallContext, answer: RawAnswer) -> RawAnswer:
    """A replica has a policy, a description and tags of its own; moto would give it those of the primary key.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html
    """
    described = json.loads(answer.body)["ReplicaKeyMetadata"]
    given = context.parameters
    replica = keys.make_replica(
        described["Arn"], given.get("Policy"), str(given.get("Description") or ""), given.get("Tags") or []
    )
    metadata = replica.to_dict()["KeyMetadata"]
    tags = {"ReplicaTags": given["Tags"]} if given.get("Tags") else {}
    return answers.success(context.call, {"ReplicaKeyMetadata": metadata, "ReplicaPolicy": replica.policy, **tags})


BEFORE: Mapping[str, Callable[[CallContext], None]] = {
    "kms:*": make_own_key,
    **checks("kms", _Policy),
    **checks("secretsmanager", _Policy),
    **checks("efs", _Policy),
    "lambda:AddPermission": check_permission,
    "sns:AddPermission": check_permission,
}
AFTER = {
    "dynamodb:CreateTable": keep_table_policy,
    "kms:ReplicateKey": make_replica,
    **{
        f"kms:{operation}": name_key
        for operation in ("ScheduleKeyDeletion", "CancelKeyDeletion", "GetPublicKey", "GenerateMac", "VerifyMac")
    },
}
