"""Access Analyzer's checks of policies answer by the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simlib import Cloud

from .conftest import allow, deny, document


@pytest.fixture(scope="module")
def analyzer() -> Iterator[Any]:
    with Cloud.start() as aws:
        yield aws.account("dev").admin.client("accessanalyzer")


def test_a_policy_is_validated_with_awss_codes_and_places(analyzer: Any) -> None:
    text = '{"Version": "2012-10-17",\n "Statement": [{"Effect": "Allow", "Action": ["s3:GetObjct"], "Resource": "*"}]}'
    [finding] = analyzer.validate_policy(policyDocument=text, policyType="IDENTITY_POLICY")["findings"]
    assert (finding["findingType"], finding["issueCode"]) == ("ERROR", "INVALID_ACTION")
    assert finding["learnMoreLink"].endswith("#access-analyzer-reference-policy-checks-error-invalid-action")
    [location] = finding["locations"]
    assert location["path"] == [{"value": "Statement"}, {"index": 0}, {"value": "Action"}, {"index": 0}]
    start, end = (location["span"][name]["offset"] for name in ("start", "end"))
    assert text[start:end] == '"s3:GetObjct"'
    assert location["span"]["start"]["line"] == 2


def test_what_is_no_json_is_a_finding(analyzer: Any) -> None:
    [finding] = analyzer.validate_policy(policyDocument="{", policyType="IDENTITY_POLICY")["findings"]
    assert finding["issueCode"] == "JSON_SYNTAX_ERROR"


@pytest.mark.parametrize(
    ("new", "old", "result"),
    [
        (document(allow("s3:Get*", "*")), document(allow("s3:*", "*")), "PASS"),
        (document(allow("s3:*", "*")), document(allow("s3:Get*", "*")), "FAIL"),
        (document(allow("s3:*", "*")), document(allow("s3:*", "*"), deny("s3:DeleteBucket", "*")), "FAIL"),
    ],
)
def test_new_access(new: str, old: str, result: str, analyzer: Any) -> None:
    answer = analyzer.check_no_new_access(
        newPolicyDocument=new, existingPolicyDocument=old, policyType="IDENTITY_POLICY"
    )
    assert answer["result"] == result
    assert bool(answer["reasons"]) is (result == "FAIL")
    assert ("do not grant" in answer["message"]) is (result == "PASS")
    assert all(reason["statementIndex"] == 0 for reason in answer["reasons"])


@pytest.mark.parametrize(
    ("access", "result"),
    [
        ({"actions": ["s3:PutObject"]}, "PASS"),
        ({"actions": ["s3:GetObject"]}, "FAIL"),
        ({"actions": ["s3:*"]}, "FAIL"),
        ({"actions": ["iam:*"]}, "PASS"),
        ({"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::other/*"]}, "PASS"),
        ({"resources": ["arn:aws:s3:::mine/a"]}, "FAIL"),
    ],
)
def test_access_that_is_not_to_be_granted(access: dict[str, Any], result: str, analyzer: Any) -> None:
    policy = document(allow("s3:Get*", "arn:aws:s3:::mine/*"))
    answer = analyzer.check_access_not_granted(policyDocument=policy, access=[access], policyType="IDENTITY_POLICY")
    assert answer["result"] == result


def test_public_access(analyzer: Any) -> None:
    def check(**more: Any) -> str:
        policy = document(allow("s3:GetObject", "arn:aws:s3:::b/*", Principal="*", **more))
        return str(analyzer.check_no_public_access(policyDocument=policy, resourceType="AWS::S3::Bucket")["result"])

    assert check() == "FAIL"
    assert check(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}) == "PASS"


def test_a_document_that_is_no_policy_is_refused(analyzer: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        analyzer.check_no_public_access(policyDocument=json.dumps({"Statement": 7}), resourceType="AWS::S3::Bucket")


def test_it_needs_permission() -> None:
    with Cloud.start() as aws:
        iam = aws.account("dev").admin.client("iam")
        iam.create_user(UserName="alice")
        alice = aws.sign_in(iam.create_access_key(UserName="alice"))
        with pytest.raises(ClientError, match="not authorized to perform: access-analyzer:ValidatePolicy"):
            alice.client("accessanalyzer").validate_policy(policyDocument="{}", policyType="IDENTITY_POLICY")
