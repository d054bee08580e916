"""What is no world is refused in a sentence, and the running one goes on."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simlib import Cloud
from simlib.cloud.worlds.shape import WorldFileError

from .conftest import furnished

_USER = {
    "UserName": "eve",
    "UserId": "AIDAQAAAAAAAAAAAAAAAA",
    "Arn": "arn:aws:iam::111111111111:user/eve",
    "CreateDate": "2026-01-01T00:00:00Z",
}


def world(**account: Any) -> dict[str, Any]:
    entry = {"Id": "111111111111", "Name": "dev", **account}
    return {"IamLabWorld": 1, "Clock": "2026-01-01T00:00:00Z", "Accounts": [entry]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\x80\x04K*.", "neither JSON nor YAML"),
        (b"[" * 200_000, "neither JSON nor YAML"),
        (b"a: &a [*a]", "by YAML's aliases"),
        (b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "by YAML's aliases"),
        (b'{"IamLabWorld": NaN}', "NaN is not a number in JSON"),
        (b"[]", "Nothing here is a world of the lab"),
        (b'{"hello": 1}', "Nothing here is a world of the lab"),
        (b'{"Version": "2012-10-17", "Statement": []}', "a policy alone, .* `python -m simlib check` reads policies"),
        ({**world(), "IamLabWorld": 2}, "another version of the lab"),
        ({**world(), "IamLabWorld": True}, "another version of the lab"),
        ({**world(), "Clock": "yesterday"}, r'Clock: "yesterday" is not a date'),
        ({**world(), "Clock": "9999-12-31T00:00:00Z"}, "Clock: .* is too far: the lab's time ends with the year 2999"),
        ({**world(), "Accounts": {}}, "is not a list"),
        (world(UserDetailsList=[]), r"Accounts\[0\]\.UserDetailsList: there is no such member\. Did you mean UserDe"),
        (world(UserDetailList=[{**_USER, "UserName": "<script>"}]), r"UserDetailList\[0\]\.UserName: .* is not a name"),
        (world(UserDetailList=[{**_USER, "Arn": "arn:aws:iam::222222222222:user/eve"}]), "should be arn:aws:iam::1111"),
        (world(UserDetailList=[_USER, _USER]), "there is another eve"),
        (world(UserDetailList=[{**_USER, "GroupList": ["none"]}]), "there is no group none"),
        (world(UserDetailList=[{**_USER, "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/x"}]}]),
         "names the policy arn:aws:iam::aws:policy/x, which the file does not hold"),
        (world(UserDetailList=[{**_USER, "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": 7}}]}]),
         r"PolicyDocument: .* is not a policy that AWS accepts"),
        (world(AccessKeys=[{"AccessKeyId": "AKIAQAAAAAAAAAAAAAAA", "SecretAccessKey": "a" * 40, "Status": "Active",
                            "UserName": "nobody", "CreateDate": "2026-01-01"}]), "there is no user nobody"),
        (world(Buckets=[{"Name": "../../etc", "Region": "us-east-1", "CreationDate": "2026-01-01"}]), "a bucket"),
        (world(Functions=[{"FunctionName": "f", "Region": "us-east-1", "Role": "r", "MemorySize": 1, "Timeout": 1,
                           "LastModified": "", "ZipFile": "%%"}]), "ZipFile: .* is not text in Base64"),
        (world(Queues=[{"QueueName": "no spaces", "Region": "us-east-1", "CreatedTimestamp": 1}]), "cannot be made"),
        (world(Instances=[{"Region": "mars", "InstanceId": "i-12345678", "ImageId": "ami-1", "InstanceType": "t",
                           "State": "running", "LaunchTime": "2026-01-01"}]), "cannot be made"),
        ({**world(), "IdentityProviders": [{"Url": "https://x", "Key": "AAAA"}]}, "key of https://x cannot be read"),
        ({**world(), "Accounts": world()["Accounts"] * 2}, "another account of this ID"),
        ({**world(), "Organizations": [{"Id": "o-1234567890", "MasterAccountId": "9" * 12, "FeatureSet": "ALL",
                                        "Policies": [], "OrganizationalUnits": [], "Accounts": []}]},
         "account 999999999999 is not among"),
        ({"UserDetailList": []}, "names no account"),
        (b'{"a": ' * 900 + b"1" + b"}" * 900, "Nothing here is a world of the lab"),
    ],
)  # fmt: skip
def test_what_is_no_world_is_refused_and_the_running_one_goes_on(
    aws: Cloud, tmp_path: Path, content: Any, said: str
) -> None:
    admin = aws.account("dev").admin
    admin.client("iam").create_user(UserName="alice")
    admin.client("s3").create_bucket(Bucket="stays-here")
    path = tmp_path / "w.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(WorldFileError, match=said):
        Cloud.load(path)
    assert Cloud.running is aws
    assert admin.client("iam").get_user(UserName="alice")
    assert [bucket["Name"] for bucket in admin.client("s3").list_buckets()["Buckets"]] == ["stays-here"]


def test_a_file_with_any_part_missing_or_wrong_never_ends_in_anything_but_a_sentence(
    tmp_path: Path, stopped: None
) -> None:
    aws = Cloud.start()
    furnished(aws)
    path = tmp_path / "w.json"
    aws.save(path)
    whole = json.loads(path.read_text("utf-8"))
    places = list(_places(whole))
    for number, place in enumerate(places[:: max(1, len(places) // 30)]):
        broken = copy.deepcopy(whole)
        inner = broken
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = [None, -1, "\x00", [], {"a": [1]}][number % 5]
        path.write_text(json.dumps(broken), "utf-8")
        try:
            aws = Cloud.load(path)
        except WorldFileError:
            assert Cloud.running is aws
    assert aws.account("dev").admin.client("sts").get_caller_identity()


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in inner:
        yield (*place, step)
        yield from _places(item, (*place, step))


def test_without_a_running_world_a_refused_file_leaves_nothing_behind(tmp_path: Path) -> None:
    before = dict(os.environ)
    path = tmp_path / "w.json"
    path.write_text(json.dumps(world(UserDetailList=[_USER, _USER])), "utf-8")
    with pytest.raises(WorldFileError):
        Cloud.load(path)
    assert Cloud.running is None
    assert dict(os.environ) == before
    with pytest.raises(WorldFileError, match="cannot be read: No such file"):
        Cloud.load(tmp_path / "none.json")
