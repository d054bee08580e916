"""Policy documents are refused in AWS's words before anything is stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, document, refused, trust


def test_a_malformed_document_is_refused_before_it_is_stored(aws: Cloud, iam: Any) -> None:
    with_resource = json.loads(trust({"AWS": "111111111111"}))
    with_resource["Statement"][0]["Resource"] = "*"
    said = refused(lambda: iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(with_resource)))
    assert said == ("MalformedPolicyDocument", "Has prohibited field Resource")
    other = trust({"AWS": "111111111111"}, "s3:GetObject")
    said = refused(lambda: iam.create_role(RoleName="r", AssumeRolePolicyDocument=other))
    assert said == ("MalformedPolicyDocument", "AssumeRole policy may only specify STS AssumeRole actions.")
    assert iam.list_roles()["Roles"] == []


CASES = [
    ("not JSON at all", "iam", "{'Version'", "MalformedPolicyDocument", "Syntax errors in policy."),
    (
        "a principal in a permission policy",
        "iam",
        document({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}),
        "MalformedPolicyDocument",
        "Policy document should not specify a principal.",
    ),
    (
        "an action without its service",
        "iam",
        document({"Effect": "Allow", "Action": "GetObject", "Resource": "*"}),
        "MalformedPolicyDocument",
        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    ),
    ("a bucket policy without principal", "s3", document(allow("s3:*")), "MalformedPolicy", "Missing required field P"),
]


@pytest.mark.parametrize(("service", "text", "code", "said"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_each_mistake_has_awss_words(
    aws: Cloud, dev: Any, iam: Any, service: str, text: str, code: str, said: str
) -> None:
    iam.create_user(UserName="alice")
    s3 = dev.admin.client("s3")
    s3.create_bucket(Bucket="my-secure-bucket")
    calls = {
        "iam": lambda: iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=text),
        "s3": lambda: s3.put_bucket_policy(Bucket="my-secure-bucket", Policy=text),
    }
    heard = refused(calls[service])
    assert heard[0] == code
    assert heard[1].startswith(said)
    assert "not one AWS would store" in str(aws.why())


def test_a_trust_policy_has_its_size(aws: Cloud, iam: Any) -> None:
    long = trust({"AWS": "111111111111"}, Condition={"StringEquals": {"sts:ExternalId": "x" * 2048}})
    said = refused(lambda: iam.create_role(RoleName="r", AssumeRolePolicyDocument=long))
    assert said == ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")
