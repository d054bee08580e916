"""The table of error texts, its rows about documents, quotas and deletions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simlib import Cloud

from .conftest import refused, trust
from .test_error_table import ACCOUNT, ALICE, reader


def with_resource() -> str:
    text = json.loads(trust({"AWS": ACCOUNT}))
    text["Statement"][0]["Resource"] = "*"
    return json.dumps(text)


TRUST_POLICIES = {
    "trust policy has Resource": (with_resource(), "MalformedPolicyDocument", "Has prohibited field Resource"),
    "trust policy with other actions": (
        trust({"AWS": ACCOUNT}, "s3:GetObject"),
        "MalformedPolicyDocument",
        "AssumeRole policy may only specify STS AssumeRole actions.",
    ),
    "principal does not exist": (
        trust({"AWS": ALICE}),
        "MalformedPolicyDocument",
        f'Invalid principal in policy: "AWS":"{ALICE}"',
    ),
    "trust policy too long": (
        trust({"AWS": ACCOUNT}, Condition={"StringEquals": {"sts:ExternalId": "x" * 2048}}),
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
    ),
}


@pytest.mark.parametrize("row", TRUST_POLICIES)
@pytest.mark.parametrize("updating", [False, True], ids=["create", "update"])
def test_trust_policies(aws: Cloud, iam: Any, row: str, updating: bool) -> None:
    text, *said = TRUST_POLICIES[row]
    if updating:
        reader(iam)
        refusal = refused(lambda: iam.update_assume_role_policy(RoleName="reader", PolicyDocument=text))
    else:
        refusal = refused(lambda: iam.create_role(RoleName="reader", AssumeRolePolicyDocument=text))
    assert list(refusal) == said


def test_third_key(aws: Cloud, iam: Any) -> None:
    iam.create_user(UserName="alice")
    first = iam.create_access_key(UserName="alice")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="alice", AccessKeyId=first, Status="Inactive")  # counts all the same
    iam.create_access_key(UserName="alice")
    said = refused(lambda: iam.create_access_key(UserName="alice"))
    assert said == ("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")


def test_user_still_has_keys(aws: Cloud, iam: Any) -> None:
    iam.create_user(UserName="alice")
    iam.create_access_key(UserName="alice")
    said = refused(lambda: iam.delete_user(UserName="alice"))
    assert said == ("DeleteConflict", "Cannot delete entity, must delete access keys first.")
