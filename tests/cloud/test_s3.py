"""S3: what each call asks for, who else has a say, and what S3 tells those who may not.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from simlib import Cloud

from .conftest import allow, deny, document, new_user, refused, trust
from .worlds.conftest import outcome

BUCKET = "my-secure-bucket"
ARN = f"arn:aws:s3:::{BUCKET}"
OBJECT = f"{ARN}/report.txt"
OTHER = "landing"
SOURCE = {"Bucket": BUCKET, "Key": "report.txt"}


@pytest.fixture
def s3(dev: Any) -> Any:
    client = dev.admin.client("s3")
    for bucket in (BUCKET, OTHER):
        client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=BUCKET, Key="report.txt", Body=b"the report", Tagging="team=blue")
    client.put_object(Bucket=BUCKET, Key="diary.txt", Body=b"dear diary")
    return client


def stranger() -> Any:
    return boto3.client("s3", region_name="us-east-1", config=Config(signature_version=UNSIGNED))


# a sentence, the call, and everything it asks for
ASKED: list[tuple[str, Callable[[Any], Any], list[tuple[str, str]]]] = [
    ("listing", lambda c: c.list_objects_v2(Bucket=BUCKET), [("s3:ListBucket", ARN)]),
    ("the old listing", lambda c: c.list_objects(Bucket=BUCKET), [("s3:ListBucket", ARN)]),
    ("is it there", lambda c: c.head_bucket(Bucket=BUCKET), [("s3:ListBucket", ARN)]),
    ("all buckets", lambda c: c.list_buckets(), [("s3:ListAllMyBuckets", "arn:aws:s3:::*")]),
    ("versions", lambda c: c.list_object_versions(Bucket=BUCKET), [("s3:ListBucketVersions", ARN)]),
    ("uploads", lambda c: c.list_multipart_uploads(Bucket=BUCKET), [("s3:ListBucketMultipartUploads", ARN)]),
    ("a head", lambda c: c.head_object(**SOURCE), [("s3:GetObject", OBJECT)]),
    ("attributes are two permissions", lambda c: c.get_object_attributes(**SOURCE, ObjectAttributes=["ETag"]),
     [("s3:GetObject", OBJECT), ("s3:GetObjectAttributes", OBJECT)]),
    ("writing with tags is two permissions", lambda c: c.put_object(**SOURCE, Body=b"x", Tagging="a=b"),
     [("s3:PutObject", OBJECT), ("s3:PutObjectTagging", OBJECT)]),
    ("writing with an ACL is two permissions",
     lambda c: c.put_object(**SOURCE, Body=b"x", ACL="bucket-owner-full-control"),
     [("s3:PutObject", OBJECT), ("s3:PutObjectAcl", OBJECT)]),
    ("copying asks for reading there and writing here",
     lambda c: c.copy_object(Bucket=OTHER, Key="copy", CopySource={"Bucket": BUCKET, "Key": "diary.txt"}),
     [("s3:GetObject", f"{ARN}/diary.txt"), ("s3:PutObject", f"arn:aws:s3:::{OTHER}/copy")]),
    ("copying an object with tags asks for these too",
     lambda c: c.copy_object(Bucket=OTHER, Key="copy", CopySource=SOURCE),
     [("s3:GetObject", OBJECT), ("s3:GetObjectTagging", OBJECT), ("s3:PutObject", f"arn:aws:s3:::{OTHER}/copy"),
      ("s3:PutObjectTagging", f"arn:aws:s3:::{OTHER}/copy")]),
    ("unless it replaces them",
     lambda c: c.copy_object(Bucket=OTHER, Key="copy", CopySource=SOURCE, TaggingDirective="REPLACE"),
     [("s3:GetObject", OBJECT), ("s3:PutObject", f"arn:aws:s3:::{OTHER}/copy")]),
    ("an upload in parts is PutObject", lambda c: c.create_multipart_upload(Bucket=BUCKET, Key="big"),
     [("s3:PutObject", f"{ARN}/big")]),
    ("each key to delete", lambda c: c.delete_objects(
        Bucket=BUCKET, Delete={"Objects": [{"Key": "a"}, {"Key": "b", "VersionId": "null"}]}),
     [("s3:DeleteObject", f"{ARN}/a"), ("s3:DeleteObjectVersion", f"{ARN}/b")]),
    ("a version is a permission of its own", lambda c: c.get_object_tagging(**SOURCE, VersionId="null"),
     [("s3:GetObjectVersionTagging", OBJECT)]),
    ("CORS is spelled in capitals", lambda c: c.delete_bucket_cors(Bucket=BUCKET), [("s3:PutBucketCORS", ARN)]),
    ("lifecycle has no Bucket in its name",
     lambda c: c.delete_bucket_lifecycle(Bucket=BUCKET), [("s3:PutLifecycleConfiguration", ARN)]),
    ("encryption", lambda c: c.get_bucket_encryption(Bucket=BUCKET), [("s3:GetEncryptionConfiguration", ARN)]),
    ("a new bucket with its ownership", lambda c: c.create_bucket(Bucket="new", ObjectOwnership="ObjectWriter"),
     [("s3:CreateBucket", "arn:aws:s3:::new"), ("s3:PutBucketOwnershipControls", "arn:aws:s3:::new")]),
    ("block public access",
     lambda c: c.get_public_access_block(Bucket=BUCKET), [("s3:GetBucketPublicAccessBlock", ARN)]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "asked"), [case[1:] for case in ASKED], ids=[case[0] for case in ASKED])
def test_what_a_call_asks_for(aws: Cloud, s3: Any, call: Callable[[Any], Any], asked: list[tuple[str, str]]) -> None:
    try:
        call(s3)
    except ClientError as error:
        assert error.response["Error"]["Code"].startswith(("NoSuch", "ServerSideEncryption"))  # noqa: PT017
    seen = [(evaluation.action, evaluation.resource) for evaluation in aws.trail[-1].evaluations]
    assert seen[: len(asked)] == asked
    assert {action for action, _ in seen[len(asked) :]} <= {"s3:ListBucket"}  # a 404 asks whether it may be told


@pytest.mark.parametrize(("call", "asked"), [case[1:] for case in ASKED], ids=[case[0] for case in ASKED])
def test_each_of_them_is_needed(
    aws: Cloud, iam: Any, s3: Any, call: Callable[[Any], Any], asked: list[tuple[str, str]]
) -> None:
    for missing in dict.fromkeys(action for action, _ in asked):
        iam.create_user(UserName=f"no-{missing[3:]}")
        text = document(allow("s3:*"), deny(missing))
        iam.put_user_policy(UserName=f"no-{missing[3:]}", PolicyName="p", PolicyDocument=text)
        user = aws.sign_in(iam.create_access_key(UserName=f"no-{missing[3:]}"))
        try:
            answer = call(user.client("s3"))
        except ClientError as error:
            assert error.response["Error"]["Code"] in ("AccessDenied", "403")  # noqa: PT017
        else:
            assert [e["Code"] for e in answer["Errors"]] == ["AccessDenied"]
        assert aws.trail[-1].decision == "EXPLICIT_DENY"


def test_deleting_several_objects_deletes_those_that_may_be(aws: Cloud, iam: Any, s3: Any) -> None:
    alice = new_user(aws, iam, "alice", allow("s3:DeleteObject"), deny("s3:DeleteObject", f"{ARN}/diary.txt"))
    keys = [{"Key": "report.txt"}, {"Key": "diary.txt"}, {"Key": "never-there"}]
    answer = alice.client("s3").delete_objects(Bucket=BUCKET, Delete={"Objects": keys})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert [entry["Key"] for entry in answer["Deleted"]] == ["report.txt", "never-there"]
    (error,) = answer["Errors"]
    assert (error["Key"], error["Code"]) == ("diary.txt", "AccessDenied")
    assert "with an explicit deny in an identity-based policy" in error["Message"]
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["diary.txt"]


def test_deleting_quietly_tells_errors_alone(s3: Any) -> None:
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "report.txt"}], "Quiet": True})
    assert "Deleted" not in answer
    assert "Errors" not in answer


def test_deleting_in_a_versioned_bucket_tells_its_markers(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    (told,) = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "report.txt"}]})["Deleted"]
    assert told["DeleteMarker"]
    assert told["DeleteMarkerVersionId"]


def test_deleting_from_a_bucket_that_does_not_exist(s3: Any) -> None:
    missing = lambda: s3.delete_objects(Bucket="nowhere", Delete={"Objects": [{"Key": "a"}]})  # noqa: E731
    assert refused(missing)[0] == "NoSuchBucket"


# a sentence, the condition, whether report.txt (tag team=blue) can be read
TAG_CASES = [
    ("an object's own tag", {"StringEquals": {"s3:ExistingObjectTag/team": "blue"}}, "report.txt", True),
    ("another value", {"StringEquals": {"s3:ExistingObjectTag/team": "red"}}, "report.txt", False),
    ("an object without tags", {"StringEquals": {"s3:ExistingObjectTag/team": "blue"}}, "diary.txt", False),
    ("aws:ResourceTag does not speak of objects", {"StringEquals": {"aws:ResourceTag/team": "blue"}}, "report.txt",
     False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "key", "works"), [case[1:] for case in TAG_CASES], ids=[case[0] for case in TAG_CASES]
)
def test_tags_of_objects_decide(
    aws: Cloud, iam: Any, s3: Any, condition: dict[str, Any], key: str, works: bool
) -> None:
    alice = new_user(aws, iam, "alice", allow("s3:GetObject", Condition=condition)).client("s3")
    read = lambda: alice.get_object(Bucket=BUCKET, Key=key)  # noqa: E731
    assert read() if works else refused(read)[0] == "AccessDenied"


def test_tags_that_a_request_brings_decide(aws: Cloud, iam: Any, s3: Any) -> None:
    blue = {"StringEquals": {"s3:RequestObjectTag/team": "blue"}}
    alice = new_user(aws, iam, "alice", allow("s3:PutObject"), allow("s3:PutObjectTagging", Condition=blue))
    client = alice.client("s3")
    client.put_object(Bucket=BUCKET, Key="a", Body=b"", Tagging="team=blue")
    assert refused(lambda: client.put_object(Bucket=BUCKET, Key="a", Body=b"", Tagging="team=red"))[0] == "AccessDenied"
    red = {"TagSet": [{"Key": "team", "Value": "red"}]}
    assert refused(lambda: client.put_object_tagging(Bucket=BUCKET, Key="a", Tagging=red))[0] == "AccessDenied"


def test_a_buckets_tags_decide_once_that_is_switched_on(aws: Cloud, iam: Any, s3: Any) -> None:
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "team", "Value": "blue"}]})
    blue = {"StringEquals": {"aws:ResourceTag/team": "blue"}}
    alice = new_user(aws, iam, "alice", allow("s3:ListBucket", Condition=blue)).client("s3")
    assert refused(lambda: alice.list_objects_v2(Bucket=BUCKET))[0] == "AccessDenied"
    s3.put_bucket_abac(Bucket=BUCKET, AbacStatus={"Status": "Enabled"})
    assert s3.get_bucket_abac(Bucket=BUCKET)["AbacStatus"]["Status"] == "Enabled"
    alice.list_objects_v2(Bucket=BUCKET)
    assert refused(lambda: alice.list_objects_v2(Bucket=OTHER))[0] == "AccessDenied"


PREFIX_CASES = [
    ("inside the prefix", {"Prefix": "home/alice/"}, True),
    ("deeper inside it", {"Prefix": "home/alice/photos/"}, True),
    ("elsewhere", {"Prefix": "home/bob/"}, False),
    ("no prefix at all", {}, False),
    ("an empty prefix", {"Prefix": ""}, False),
]


@pytest.mark.parametrize(
    ("given", "works"), [case[1:] for case in PREFIX_CASES], ids=[case[0] for case in PREFIX_CASES]
)
def test_everybody_lists_a_home_of_his_own(aws: Cloud, iam: Any, s3: Any, given: Any, works: bool) -> None:
    home = {"StringLike": {"s3:prefix": "home/${aws:username}/*"}}
    alice = new_user(aws, iam, "alice", allow("s3:ListBucket", ARN, Condition=home)).client("s3")
    list_it = lambda: alice.list_objects_v2(Bucket=BUCKET, **given)  # noqa: E731
    assert list_it() if works else refused(list_it)[0] == "AccessDenied"


# -- block public access and ACLs ------------------------------------------------------------------------------------


def for_everybody(**more: Any) -> str:
    return document({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{ARN}/*", **more})


ALICE_ROOT = {"AWS": "arn:aws:iam::111111111111:root"}
PUBLIC_CASES = [
    ("everybody", {}, True),
    ("everybody in its long form", {"Principal": {"AWS": "*"}}, True),
    ("an account", {"Principal": ALICE_ROOT}, False),
    ("a deny for everybody", {"Effect": "Deny"}, False),
    ("everybody of an organization", {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-example123"}}}, False),
    ("everybody, unless an organization is given",
     {"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-example123"}}}, True),
    ("everybody but one", {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": "111111111111"}}}, True),
    ("an office", {"Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}, False),
    ("half of the internet", {"Condition": {"IpAddress": {"aws:SourceIp": "128.0.0.0/1"}}}, True),
    ("a wildcard fixes nothing", {"Condition": {"StringLike": {"aws:PrincipalAccount": "1*"}}}, True),
    ("a variable fixes nothing",
     {"Condition": {"StringEquals": {"aws:PrincipalAccount": "${aws:SourceAccount}"}}}, True),
    ("a key that is no guard", {"Condition": {"StringEquals": {"aws:UserAgent": "mine"}}}, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "public"), [case[1:] for case in PUBLIC_CASES], ids=[case[0] for case in PUBLIC_CASES]
)
def test_a_new_bucket_takes_no_public_policy(s3: Any, more: dict[str, Any], public: bool) -> None:
    put = lambda: s3.put_bucket_policy(Bucket=BUCKET, Policy=for_everybody(**more))  # noqa: E731
    if not public:
        put()
        return
    code, text = refused(put)
    assert code == "AccessDenied"
    assert "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access" in text
    s3.delete_public_access_block(Bucket=BUCKET)
    put()


def block(**settings: bool) -> dict[str, bool]:
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {name: settings.get(name, False) for name in names}


def test_a_public_policy_can_be_switched_off_for_outsiders(aws: Cloud, iam: Any, s3: Any) -> None:
    s3.delete_public_access_block(Bucket=BUCKET)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=for_everybody())
    partner, alice = aws.account("partner").admin, new_user(aws, iam, "alice")
    for client in (stranger(), partner.client("s3"), alice.client("s3")):
        client.get_object(**SOURCE)
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=block(RestrictPublicBuckets=True))
    alice.client("s3").get_object(**SOURCE)
    for client in (stranger(), partner.client("s3")):
        assert refused(lambda client=client: client.get_object(**SOURCE)) == ("AccessDenied", "Access Denied")


def test_the_accounts_settings_count_for_every_bucket(dev: Any, s3: Any) -> None:
    s3.delete_public_access_block(Bucket=BUCKET)
    control = dev.admin.client("s3control")
    control.put_public_access_block(AccountId=dev.id, PublicAccessBlockConfiguration=block(BlockPublicPolicy=True))
    assert refused(lambda: s3.put_bucket_policy(Bucket=BUCKET, Policy=for_everybody()))[0] == "AccessDenied"
    control.delete_public_access_block(AccountId=dev.id)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=for_everybody())


ACL_CALLS: list[tuple[str, Callable[[Any], Any], bool]] = [
    ("a public object", lambda c: c.put_object(**SOURCE, Body=b"x", ACL="public-read"), False),
    ("an object for the bucket's owner", lambda c: c.put_object(**SOURCE, Body=b"x", ACL="bucket-owner-full-control"),
     True),
    ("a public bucket", lambda c: c.put_bucket_acl(Bucket=BUCKET, ACL="public-read"), False),
    ("an object made public", lambda c: c.put_object_acl(**SOURCE, ACL="public-read"), False),
]  # fmt: skip


@pytest.mark.parametrize(("call", "works"), [case[1:] for case in ACL_CALLS], ids=[case[0] for case in ACL_CALLS])
def test_acls_are_off_in_a_new_bucket(s3: Any, call: Callable[[Any], Any], works: bool) -> None:
    if works:
        call(s3)
    else:
        refusal = ("AccessControlListNotSupported", "The bucket does not allow ACLs")
        assert refused(lambda: call(s3)) == refusal
        s3.put_bucket_ownership_controls(
            Bucket=BUCKET, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
        )
        call(s3)


def test_a_new_bucket_tells_its_ownership_and_its_blocks(s3: Any) -> None:
    (rule,) = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"]
    assert rule == {"ObjectOwnership": "BucketOwnerEnforced"}
    assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())


# -- presigned URLs ------------------------------------------------------------------------------------------------


@pytest.fixture
def reader(aws: Cloud, iam: Any) -> Any:
    """Credentials of a role session that may read; they last fifteen minutes."""
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": "111111111111"}))
    iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=document(allow("s3:GetObject")))
    sts = aws.account("dev").admin.client("sts")
    role = "arn:aws:iam::111111111111:role/reader"
    return aws.sign_in(sts.assume_role(RoleArn=role, RoleSessionName="me", DurationSeconds=900))


def opened(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_presigned_url_dies_with_its_session(aws: Cloud, s3: Any, reader: Any) -> None:
    url = reader.client("s3").generate_presigned_url("get_object", Params=SOURCE, ExpiresIn=36000)
    assert url.startswith("http://127.0.0.1:")
    assert opened(url) == (200, b"the report")
    aws.clock.advance(minutes=16)
    status, body = opened(url)
    assert (status, b"ExpiredToken" in body) == (400, True)


def test_a_presigned_url_dies_with_its_role(aws: Cloud, iam: Any, s3: Any, reader: Any) -> None:
    url = reader.client("s3").generate_presigned_url("get_object", Params=SOURCE)
    iam.delete_role_policy(RoleName="reader", PolicyName="p")
    assert opened(url)[0] == 403


def test_a_policy_can_tell_a_presigned_url(aws: Cloud, iam: Any, s3: Any) -> None:
    by_header = {"StringEquals": {"s3:authType": "REST-HEADER"}}
    alice = new_user(aws, iam, "alice", allow("s3:GetObject", Condition=by_header)).client("s3")
    alice.get_object(**SOURCE)
    assert opened(alice.generate_presigned_url("get_object", Params=SOURCE))[0] == 403


def test_a_policy_can_limit_how_old_a_presigned_url_is(aws: Cloud, iam: Any, s3: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html"""
    old = {"NumericGreaterThan": {"s3:signatureAge": "600000"}}
    statements = allow("s3:GetObject"), {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": old}
    alice = new_user(aws, iam, "alice", *statements).client("s3", config=Config(signature_version="s3v4"))
    url = alice.generate_presigned_url("get_object", Params=SOURCE, ExpiresIn=3600)
    aws.clock.advance(minutes=9)
    assert opened(url)[0] == 200
    aws.clock.advance(minutes=2)
    assert opened(url)[0] == 403
    alice.get_object(**SOURCE)  # signed just now, in a header


def test_a_policy_can_want_bodies_signed(aws: Cloud, iam: Any, s3: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html"""
    signed = {"StringNotEquals": {"s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD"}}
    person = new_user(aws, iam, "alice", allow("s3:GetObject", Condition=signed))
    alice = person.client("s3", config=Config(signature_version="s3v4"))
    alice.get_object(**SOURCE)
    assert opened(alice.generate_presigned_url("get_object", Params=SOURCE))[0] == 403


def test_another_accounts_bucket_is_found_and_its_object_belongs_there(aws: Cloud, s3: Any) -> None:
    partner = aws.account("partner")
    policy = {"Effect": "Allow", "Principal": {"AWS": partner.id}, "Action": "s3:*", "Resource": [ARN, f"{ARN}/*"]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [policy]}))
    theirs = partner.admin.client("s3")
    theirs.put_object(Bucket=BUCKET, Key="gift", Body=b"from a partner")
    assert s3.get_object(Bucket=BUCKET, Key="gift")["Body"].read() == b"from a partner"
    assert BUCKET not in {bucket["Name"] for bucket in theirs.list_buckets()["Buckets"]}


# -- keys and forms ------------------------------------------------------------------------------------------------


def test_an_object_under_a_key_is_read_only_by_those_who_may_use_the_key(
    aws: Cloud, iam: Any, dev: Any, s3: Any
) -> None:
    key = dev.admin.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3.put_object(Bucket=BUCKET, Key="secret", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    alice = new_user(aws, iam, "alice", allow("s3:*")).client("s3")
    read = lambda: alice.get_object(Bucket=BUCKET, Key="secret")  # noqa: E731
    code, text = refused(read)
    assert code == "AccessDenied"
    assert f"not authorized to perform: kms:Decrypt on resource: {key}" in text
    through_s3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    may_use = document(allow("kms:*", key, Condition=through_s3))
    iam.put_user_policy(UserName="alice", PolicyName="key", PolicyDocument=may_use)
    read()


def test_a_buckets_default_key_is_needed_to_write(aws: Cloud, iam: Any, dev: Any, s3: Any) -> None:
    key = dev.admin.client("kms").create_key()["KeyMetadata"]["Arn"]
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": by_default}]}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration=rules)
    alice = new_user(aws, iam, "alice", allow("s3:*")).client("s3")
    put = lambda **more: alice.put_object(Bucket=BUCKET, Key="new", Body=b"x", **more)  # noqa: E731
    assert f"kms:GenerateDataKey on resource: {key}" in refused(put)[1]
    put(ServerSideEncryption="AES256")


def sent(form: dict[str, Any], content: bytes, **fields: str) -> tuple[int, str]:
    """Status and body of what S3 answers to a browser's form."""
    named = {**form["fields"], **fields}
    body = "".join(f'--x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in named.items())
    head = '--x\r\nContent-Disposition: form-data; name="file"; filename="cat.txt"\r\n\r\n'
    whole = body.encode() + head.encode() + content + b"\r\n--x--\r\n"
    request = urllib.request.Request(form["url"], whole, {"content-type": "multipart/form-data; boundary=x"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_browsers_form_uploads_what_its_policy_allows(aws: Cloud, s3: Any, iam: Any, version: str) -> None:
    identity = new_user(aws, iam, "alice", allow("s3:PutObject*", f"arn:aws:s3:::{BUCKET}/pets/*"))
    alice = identity.session.client("s3", config=Config(signature_version=version))
    kind: dict[str, str] = {"Content-Type": "text/plain"}
    conditions: list[Any] = [["content-length-range", 1, 5], kind]
    form = alice.generate_presigned_post(BUCKET, "pets/${filename}", kind, conditions, ExpiresIn=600)
    assert sent(form, b"meow")[0] == 204
    assert s3.get_object(Bucket=BUCKET, Key="pets/cat.txt")["Body"].read() == b"meow"
    assert aws.trail[-2].action == "s3:PutObject"
    assert "EntityTooLarge" in sent(form, b"too long")[1]
    assert "Extra input fields: x-amz-meta-a" in sent(form, b"meow", **{"x-amz-meta-a": "b"})[1]
    other = sent(form, b"meow", **{"Content-Type": "text/html"})[1]
    assert 'Policy Condition failed: ["eq", "$Content-Type", "text/plain"]' in other
    signature = "signature" if version == "s3" else "x-amz-signature"
    assert "SignatureDoesNotMatch" in sent(form, b"meow", **{signature: "0" * 64})[1]
    assert "AccessDenied" in sent(alice.generate_presigned_post(BUCKET, "other"), b"meow")[1]
    assert "AccessDenied" in sent({"url": form["url"], "fields": {"key": "k"}}, b"meow")[1]  # a stranger's
    aws.clock.advance(hours=1)
    assert "Invalid according to Policy: Policy expired." in sent(form, b"meow")[1]


def test_a_single_grant_is_refused_with_a_sentence(s3: Any) -> None:
    s3.create_bucket(Bucket="with-acls", ObjectOwnership="ObjectWriter")
    s3.put_object(Bucket="with-acls", Key="k")
    grant = {"Bucket": "with-acls", "Key": "k", "GrantRead": 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'}
    code, text = refused(lambda: s3.put_object_acl(**grant))
    assert code == "NotImplemented"
    assert "canned ACLs" in text


@pytest.mark.parametrize(
    ("name", "of_123456789"),  # the CRCs' check values: https://reveng.sourceforge.io/crc-catalogue/
    [("MD5", None), ("CRC32", "cbf43926"), ("CRC32C", "e3069283"), ("CRC64NVME", "ae8b14860a799888"), ("SHA1", None),
     ("SHA256", None)],
)  # fmt: skip
def test_a_body_must_fit_its_digests(s3: Any, name: str, of_123456789: str | None) -> None:
    body, member = b"123456789", "ContentMD5" if name == "MD5" else f"Checksum{name}"
    right = bytes.fromhex(of_123456789) if of_123456789 else hashlib.new(name, body).digest()
    said = "what we received" if name == "MD5" else "the calculated checksum"
    text = f"The {'Content-MD5' if name == 'MD5' else name} you specified did not match {said}."
    put = lambda value: s3.put_object(Bucket=BUCKET, Key="k", Body=body, **{member: b64encode(value).decode()})  # noqa: E731
    assert refused(lambda: put(bytes(len(right)))) == ("BadDigest", text)
    assert put(right).get(member, name) in (name, b64encode(right).decode())


OWNERSHIP = [  # the bucket's setting, the writer's ACL, who may read: the bucket's account, the writer's, a third
    ("BucketOwnerEnforced", None, (True, True, True)),
    ("ObjectWriter", None, (False, True, False)),
    ("ObjectWriter", "bucket-owner-read", (True, True, False)),
    ("ObjectWriter", "bucket-owner-full-control", (True, True, False)),
    ("ObjectWriter", "public-read", (True, True, True)),
    ("BucketOwnerPreferred", None, (False, True, False)),
    ("BucketOwnerPreferred", "bucket-owner-full-control", (True, True, True)),
]


@pytest.mark.parametrize(("setting", "acl", "may"), OWNERSHIP)
def test_an_object_is_its_writers_where_acls_are_on(
    aws: Cloud, setting: str, acl: str | None, may: tuple[bool, ...], tmp_path: Path
) -> None:
    accounts = [aws.account(name) for name in ("owner", "writer", "third")]
    mine, writers, thirds = (account.admin.client("s3") for account in accounts)
    mine.create_bucket(Bucket="shared-by-three", ObjectOwnership=setting)
    everybody = {"AWS": [accounts[1].id, accounts[2].id]}
    policy = allow("s3:*", ["arn:aws:s3:::shared-by-three", "arn:aws:s3:::shared-by-three/*"], Principal=everybody)
    mine.put_bucket_policy(Bucket="shared-by-three", Policy=document(policy))
    mine.delete_public_access_block(Bucket="shared-by-three")
    place = {"Bucket": "shared-by-three", "Key": "theirs"}
    writers.put_object(**place, Body=b"x", **({"ACL": acl} if acl else {}))

    def readable() -> tuple[bool, ...]:
        return tuple(outcome(lambda s3=s3: s3.get_object(**place)) == b"x" for s3 in (mine, writers, thirds))

    assert readable() == may
    aws.save(tmp_path / "w.json")
    with Cloud.load(tmp_path / "w.json"):
        assert readable() == may
        copy = {"Bucket": "shared-by-three", "Key": "copy", "CopySource": place}
        assert (outcome(lambda: mine.copy_object(**copy)) == "done") == may[0]
        enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        mine.put_bucket_ownership_controls(Bucket="shared-by-three", OwnershipControls=enforced)
        assert readable() == (True, True, True)
        mine.delete_object(**place)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"ACL": "public-read"}, "InvalidBucketAclWithObjectOwnership"),
        ({"GrantRead": 'id="x"'}, "InvalidBucketAclWithObjectOwnership"),
        ({"ACL": "public-read", "ObjectOwnership": "BucketOwnerEnforced"}, "InvalidBucketAclWithObjectOwnership"),
        ({"ACL": "private"}, None),
        ({"ACL": "public-read", "ObjectOwnership": "ObjectWriter"}, None),
    ],
)
def test_a_new_bucket_with_acls_off_is_given_none_that_opens_it(
    aws: Cloud, more: dict[str, str], code: str | None
) -> None:
    s3 = aws.account("dev").admin.client("s3")
    if code is None:
        assert s3.create_bucket(Bucket="bucket-of-ours", **more)
    else:
        assert refused(lambda: s3.create_bucket(Bucket="bucket-of-ours", **more))[0] == code
