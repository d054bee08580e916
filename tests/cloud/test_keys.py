"""KMS takes a key by its ID or its ARN everywhere, by an alias where its API says so, and answers with the ARN.

https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import allow, document, refused

SIGNS = {"KeyUsage": "SIGN_VERIFY", "KeySpec": "RSA_2048"}
MACS = {"KeyUsage": "GENERATE_VERIFY_MAC", "KeySpec": "HMAC_256"}
MESSAGE = {"Message": b"m", "SigningAlgorithm": "RSASSA_PSS_SHA_256"}
CODE = {"Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
ROOT = {"AWS": "arn:aws:iam::111111111111:root"}
BOB = "arn:aws:iam::111111111111:user/bob"

# an operation, what it is called with besides the key, and what the key is made with
BY_ID_OR_ARN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("cancel_key_deletion", {}, {}),
    ("create_grant", {"GranteePrincipal": BOB, "Operations": ["Decrypt"]}, {}),
    ("disable_key", {}, {}),
    ("disable_key_rotation", {}, {}),
    ("enable_key", {}, {}),
    ("enable_key_rotation", {}, {}),
    ("get_key_policy", {"PolicyName": "default"}, {}),
    ("get_key_rotation_status", {}, {}),
    ("list_grants", {}, {}),
    ("list_key_policies", {}, {}),
    ("list_key_rotations", {}, {}),
    ("list_resource_tags", {}, {}),
    ("put_key_policy", {"PolicyName": "default", "Policy": document(allow("kms:*", "*", Principal=ROOT))}, {}),
    ("replicate_key", {"ReplicaRegion": "eu-west-1"}, {"MultiRegion": True}),
    ("rotate_key_on_demand", {}, {}),
    ("schedule_key_deletion", {"PendingWindowInDays": 7}, {}),
    ("tag_resource", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}, {}),
    ("untag_resource", {"TagKeys": ["a"]}, {}),
    ("update_key_description", {"Description": "files"}, {}),
]
BY_ALIAS_TOO: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("describe_key", {}, {}),
    ("encrypt", {"Plaintext": b"x"}, {}),
    ("generate_data_key", {"KeySpec": "AES_256"}, {}),
    ("generate_data_key_without_plaintext", {"KeySpec": "AES_256"}, {}),
    ("generate_mac", CODE, MACS),
    ("get_public_key", {}, SIGNS),
    ("sign", MESSAGE, SIGNS),
]
NAMED_BY_ID = "rotate_key_on_demand"  # AWS does not say how


def key(kms: Any, alias: str = "alias/own", **made: Any) -> tuple[str, str, str, str]:
    """A new key's ID, ARN, alias and the alias's ARN."""
    arn = kms.create_key(**made)["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=alias, TargetKeyId=arn)
    return arn.rpartition("/")[2], arn, alias, f"{arn.rpartition(':')[0]}:{alias}"


@pytest.mark.parametrize(("operation", "given", "made"), BY_ID_OR_ARN + BY_ALIAS_TOO)
def test_a_key_is_taken_by_what_its_operation_takes(dev: Any, operation: str, given: Any, made: Any) -> None:
    kms = dev.admin.client("kms")
    takes_alias = (operation, given, made) in BY_ALIAS_TOO
    for form, what in enumerate(("id", "arn", "alias", "alias-arn")):
        names = key(kms, f"alias/{what}", **made)
        if "alias" in what and not takes_alias:
            code, text = refused(lambda name=names[form]: getattr(kms, operation)(KeyId=name, **given))
            assert (code, text) == ("NotFoundException", f"Invalid keyId {names[form]}")
            continue
        said = getattr(kms, operation)(KeyId=names[form], **given)
        if "KeyId" in said and operation != NAMED_BY_ID:
            assert said["KeyId"] == names[1], what


def test_what_was_made_with_a_key_is_checked_by_any_name_of_it(dev: Any) -> None:
    kms = dev.admin.client("kms")
    names = key(kms, **SIGNS)
    signature = kms.sign(KeyId=names[1], **MESSAGE)["Signature"]
    assert all(kms.verify(KeyId=name, Signature=signature, **MESSAGE)["SignatureValid"] for name in names)


def test_the_state_of_a_key_is_changed_by_its_arn(dev: Any) -> None:
    kms = dev.admin.client("kms")
    arn = key(kms)[1]
    kms.disable_key(KeyId=arn)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    kms.schedule_key_deletion(KeyId=arn)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    kms.cancel_key_deletion(KeyId=arn)
    kms.enable_key(KeyId=arn)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Enabled"


def test_a_key_of_another_region_is_not_there(dev: Any) -> None:
    arn = key(dev.admin.client("kms", region_name="eu-west-1"))[1]
    code, _ = refused(lambda: dev.admin.client("kms").disable_key(KeyId=arn))
    assert code == "NotFoundException"


@pytest.mark.parametrize("form", range(4), ids=("id", "arn", "alias", "alias-arn"))
@pytest.mark.parametrize(("operation", "member"), [("decrypt", "KeyId"), ("re_encrypt", "SourceKeyId")])
def test_a_text_is_decrypted_with_the_key_it_was_encrypted_with(
    dev: Any, operation: str, member: str, form: int
) -> None:
    kms = dev.admin.client("kms")
    own, other = key(kms, "alias/own")[form], key(kms, "alias/other")[form]
    given = {"CiphertextBlob": kms.encrypt(KeyId=own, Plaintext=b"x")["CiphertextBlob"]}
    given |= {"DestinationKeyId": own} if operation == "re_encrypt" else {}
    assert getattr(kms, operation)(**given, **{member: own})["KeyId"] == getattr(kms, operation)(**given)["KeyId"]
    assert refused(lambda: getattr(kms, operation)(**given, **{member: other})) == (
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
    )
    code, text = refused(lambda: getattr(kms, operation)(**given, **{member: "alias/none"}))
    assert (code, text) == ("NotFoundException", "Alias arn:aws:kms:us-east-1:111111111111:alias/none is not found.")


def test_whoever_may_not_use_the_key_of_a_text_hears_nothing_of_it(aws: Any, dev: Any) -> None:
    kms, iam = dev.admin.client("kms"), dev.admin.client("iam")
    own, other = key(kms, "alias/own")[1], key(kms, "alias/other")[1]
    blob = kms.encrypt(KeyId=own, Plaintext=b"x")["CiphertextBlob"]
    iam.create_user(UserName="bob")
    iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=document(allow("kms:Decrypt", other)))
    bob = aws.sign_in(iam.create_access_key(UserName="bob")).client("kms")
    assert refused(lambda: bob.decrypt(CiphertextBlob=blob, KeyId=other))[0] == "AccessDeniedException"
