"""A trust policy is judged alike wherever it is written, and what AWS saves is kept as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import allow, document, refused, trust


def _trusting(action: Any, **more: Any) -> str:
    return trust({"AWS": "111111111111"}, action, **more)


TRUSTS = {
    "every action of STS": _trusting("sts:*"),
    "a misspelt action": _trusting("sts:AsumeRole"),
    "an action of STS that assumes no role": _trusting("sts:GetCallerIdentity"),
    "capitals": _trusting("STS:assumerole"),
    "setting a context": _trusting(["sts:AssumeRole", "sts:SetContext"]),
    "NotAction": _trusting("-").replace('"Action": "-"', '"NotAction": "sts:TagSession"'),
    "the older version": _trusting("sts:AssumeRole").replace("2012-10-17", "2008-10-17"),
    "a number in a condition": _trusting(
        "sts:AssumeRole", Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}}
    ),
    "every action": _trusting("*"),
    "another service": _trusting("s3:GetObject"),
    "a service that is none": trust({"Service": "ec2.amazonaw.com"}),
    "nobody": document({"Effect": "Allow", "Action": "sts:AssumeRole"}),
}


def _outcome(call: Any) -> Any:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return "stored"


@pytest.mark.parametrize("text", TRUSTS.values(), ids=TRUSTS.keys())
def test_a_trust_policy_is_judged_alike_when_a_role_is_created_and_when_it_is_updated(iam: Any, text: str) -> None:
    iam.create_role(RoleName="there", AssumeRolePolicyDocument=_trusting("sts:AssumeRole"))
    created = _outcome(lambda: iam.create_role(RoleName="r", AssumeRolePolicyDocument=text))
    updated = _outcome(lambda: iam.update_assume_role_policy(RoleName="there", PolicyDocument=text))
    assert created == updated
    if created == "stored":
        kept = iam.get_role(RoleName="there")["Role"]["AssumeRolePolicyDocument"]
        assert kept == json.loads(text) == iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"]


def test_every_action_of_sts_lets_in_and_a_misspelt_one_is_not_saved(dev: Any, iam: Any) -> None:
    iam.create_role(RoleName="wide", AssumeRolePolicyDocument=_trusting("sts:*"))
    sts = dev.admin.client("sts")
    assert sts.assume_role(RoleArn="arn:aws:iam::111111111111:role/wide", RoleSessionName="visit")["Credentials"]
    text = "AssumeRole policy may only specify STS AssumeRole actions."
    misspelt = {"RoleName": "misspelt", "AssumeRolePolicyDocument": _trusting("sts:AsumeRole")}
    assert refused(lambda: iam.create_role(**misspelt)) == ("MalformedPolicyDocument", text)


def test_a_number_may_stand_in_a_condition_of_every_kind_of_policy(iam: Any) -> None:
    text = document(allow("s3:ListBucket", Condition={"NumericLessThanEquals": {"s3:max-keys": 10}}))
    for kind in ("user", "group", "role"):
        name = {f"{kind.title()}Name": "x"}
        trusted = {"AssumeRolePolicyDocument": _trusting("sts:AssumeRole")} if kind == "role" else {}
        getattr(iam, f"create_{kind}")(**name, **trusted)
        getattr(iam, f"put_{kind}_policy")(**name, PolicyName="p", PolicyDocument=text)
    arn = iam.create_policy(PolicyName="p", PolicyDocument=text)["Policy"]["Arn"]
    assert iam.create_policy_version(PolicyArn=arn, PolicyDocument=text)["PolicyVersion"]["VersionId"] == "v2"
