"""Virtual MFA devices: codes on the simulated clock, and what they open."""

from __future__ import annotations

from typing import Any

import pytest

from simlib import Cloud
from simlib.cloud.services.mfa import code_at

from .conftest import allow, deny, document, new_user, refused, trust

ROLE = "arn:aws:iam::111111111111:role/reader"
WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
WITHOUT_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
BAD_CODE = ("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.")


def test_the_codes_are_those_of_the_rfc() -> None:
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the RFC's secret, its times, the last six of its eight digits
    codes = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}
    assert {when: code_at(seed, when // 30) for when in codes} == codes


@pytest.fixture
def phone(aws: Cloud, iam: Any) -> Any:
    """alice's authenticator app; she may assume reader. Half a minute has passed since her device was enabled."""
    iam.create_user(UserName="alice")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="alice")
    phone = aws.authenticator(device)
    serial = device["VirtualMFADevice"]["SerialNumber"]
    assert serial == "arn:aws:iam::111111111111:mfa/alice"
    iam.enable_mfa_device(
        UserName="alice",
        SerialNumber=serial,
        AuthenticationCode1=phone.code,
        AuthenticationCode2=phone.next_code,
    )
    aws.clock.advance(seconds=30)
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": "111111111111"}, Condition=WITH_MFA))
    iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=document(allow(["sts:*", "s3:*", "iam:*"])))
    return phone


@pytest.fixture
def alice(aws: Cloud, iam: Any, phone: Any) -> Any:
    return aws.sign_in(iam.create_access_key(UserName="alice"))


SERIAL = {"SerialNumber": "arn:aws:iam::111111111111:mfa/alice"}
ASSUME = {"RoleArn": ROLE, "RoleSessionName": "work"}


def test_a_seed_is_base32_and_a_device_lists_its_user(aws: Cloud, iam: Any, phone: Any) -> None:
    assert [d["SerialNumber"] for d in iam.list_mfa_devices(UserName="alice")["MFADevices"]] == list(SERIAL.values())
    assert phone.code.isdigit()
    assert len(phone.code) == 6


@pytest.mark.parametrize(("first", "second"), [("code", "code"), ("next_code", "code"), ("000000", "next_code")])
def test_a_device_is_enabled_by_two_codes_in_a_row(aws: Cloud, iam: Any, first: str, second: str) -> None:
    iam.create_user(UserName="bob")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="bob")
    phone = aws.authenticator(device)
    codes = {"AuthenticationCode1": getattr(phone, first, first), "AuthenticationCode2": getattr(phone, second)}
    serial = device["VirtualMFADevice"]["SerialNumber"]
    said = refused(lambda: iam.enable_mfa_device(UserName="bob", SerialNumber=serial, **codes))
    assert said == ("InvalidAuthenticationCode", "Authentication code for device is not valid.")


def test_a_trust_policy_may_ask_for_mfa(aws: Cloud, alice: Any, phone: Any) -> None:
    sts = alice.client("sts")
    assert refused(lambda: sts.assume_role(**ASSUME))[0] == "AccessDenied"
    session = aws.sign_in(sts.assume_role(**ASSUME, **SERIAL, TokenCode=phone.code))
    assert session.client("sts").get_caller_identity()["Arn"].endswith(":assumed-role/reader/work")


def test_the_role_session_itself_is_none_of_mfa(aws: Cloud, iam: Any, alice: Any, phone: Any) -> None:
    iam.put_role_policy(
        RoleName="reader", PolicyName="p", PolicyDocument=document(allow("s3:ListAllMyBuckets", Condition=WITH_MFA))
    )
    session = aws.sign_in(alice.client("sts").assume_role(**ASSUME, **SERIAL, TokenCode=phone.code))
    assert refused(session.client("s3").list_buckets)[0] == "AccessDenied"


def test_a_code_works_once_and_not_for_long(aws: Cloud, alice: Any, phone: Any) -> None:
    sts, code = alice.client("sts"), phone.code
    sts.get_session_token(**SERIAL, TokenCode=code)
    assert refused(lambda: sts.get_session_token(**SERIAL, TokenCode=code)) == BAD_CODE
    aws.clock.advance(seconds=30)
    late = phone.code
    aws.clock.advance(seconds=90)
    assert refused(lambda: sts.get_session_token(**SERIAL, TokenCode=late)) == BAD_CODE
    sts.get_session_token(**SERIAL, TokenCode=phone.code)


def test_serial_number_and_code_come_together_and_belong_to_the_caller(
    aws: Cloud, iam: Any, alice: Any, phone: Any
) -> None:
    sts = alice.client("sts")
    assert "must provide both" in refused(lambda: sts.get_session_token(**SERIAL))[1]
    bob = new_user(aws, iam, "bob").client("sts")
    text = refused(lambda: bob.get_session_token(**SERIAL, TokenCode=phone.code))[1]
    assert "verify your MFA serial number is valid and associated with this user" in text


def test_a_session_with_mfa_reaches_iam_and_has_an_age(aws: Cloud, iam: Any, alice: Any, phone: Any) -> None:
    young = {"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}
    iam.put_user_policy(
        UserName="alice", PolicyName="p", PolicyDocument=document(allow("iam:ListUsers", Condition=young))
    )
    session = aws.sign_in(alice.client("sts").get_session_token(**SERIAL, TokenCode=phone.code))
    assert session.client("iam").list_users()["Users"]
    aws.clock.advance(minutes=6)
    assert refused(session.client("iam").list_users)[0] == "AccessDenied"


def test_the_deny_of_the_user_guide_leaves_a_user_without_mfa_nothing(
    aws: Cloud, iam: Any, alice: Any, phone: Any
) -> None:
    statements = [allow("s3:*"), deny("s3:*", Condition=WITHOUT_MFA)]
    iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=document(*statements))
    assert "explicit deny" in refused(alice.client("s3").list_buckets)[1]
    without = aws.sign_in(alice.client("sts").get_session_token())
    assert "explicit deny" in refused(without.client("s3").list_buckets)[1]
    aws.sign_in(alice.client("sts").get_session_token(**SERIAL, TokenCode=phone.code)).client("s3").list_buckets()


def test_a_device_in_use_is_not_deleted_nor_its_user(aws: Cloud, iam: Any, phone: Any) -> None:
    said = refused(lambda: iam.delete_virtual_mfa_device(**SERIAL))
    assert said == ("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.")
    iam.delete_user_policy(UserName="alice", PolicyName="p")
    said = refused(lambda: iam.delete_user(UserName="alice"))
    assert said == ("DeleteConflict", "Cannot delete entity, must delete MFA device first.")
    iam.deactivate_mfa_device(UserName="alice", **SERIAL)
    iam.delete_virtual_mfa_device(**SERIAL)
    iam.delete_user(UserName="alice")
