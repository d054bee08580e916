"""Files of somebody's own account: whatever shape they have, what can be read is kept, and the rest is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlib import Cloud
from simlib.cloud.inspection import Place
from simlib.cloud.storage.store import Store
from simlib.cloud.worlds import dump, snapshot
from simlib.cloud.worlds.shape import WorldFileError

ACCOUNT = "123456789012"
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
DATE = "2013-10-14T18:32:24Z"


def arn(kind: str, name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:{kind}/{name}"


def details(account: str = ACCOUNT, **changes: Any) -> dict[str, Any]:
    """What the CLI prints of an account with one of each."""
    user = {
        "Path": "/", "UserName": "alice", "UserId": "AIDACKCEVSQ6C2EXAMPLE", "Arn": arn("user", "alice", account),
        "CreateDate": DATE, "GroupList": ["admins"], "AttachedManagedPolicies": [],
        "UserPolicyList": [{"PolicyName": "read", "PolicyDocument": READ}], "Tags": [{"Key": "team", "Value": "a"}],
    }  # fmt: skip
    group = {
        "Path": "/", "GroupName": "admins", "GroupId": "AGPACKCEVSQ6C7EXAMPLE", "Arn": arn("group", "admins", account),
        "CreateDate": DATE, "GroupPolicyList": [],
        "AttachedManagedPolicies": [{"PolicyName": "limits", "PolicyArn": arn("policy", "limits", account)}],
    }  # fmt: skip
    role = {
        "Path": "/team/", "RoleName": "web", "RoleId": "AROAFP4BKI7Y7TEXAMPLE", "Arn": arn("role", "team/web", account),
        "CreateDate": DATE, "AssumeRolePolicyDocument": TRUST, "InstanceProfileList": [], "RolePolicyList": [],
        "AttachedManagedPolicies": [
            {"PolicyName": "AmazonS3FullAccess", "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"}
        ], "RoleLastUsed": {},
    }  # fmt: skip
    policy = {
        "PolicyName": "limits", "PolicyId": "ANPAJ2UCCR6DPCEXAMPLE", "Arn": arn("policy", "limits", account),
        "Path": "/", "DefaultVersionId": "v9", "AttachmentCount": 1, "CreateDate": DATE, "UpdateDate": DATE,
        "PolicyVersionList": [
            {"Document": READ, "VersionId": "v9", "IsDefaultVersion": True, "CreateDate": DATE}
        ],
    }  # fmt: skip
    lists = {"UserDetailList": [user], "GroupDetailList": [group], "RoleDetailList": [role], "Policies": [policy]}
    return {name: [{**entry, **changes.get(name, {})} for entry in entries] for name, entries in lists.items()}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    """Opens files with these contents, by their names; the world and its remarks."""

    def load(_: str = "dump.json", /, **files: Any) -> Cloud:
        for name, content in files.items():
            path = tmp_path / "files" / name.replace("__", "/").replace("_json", ".json")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content), "utf-8")
        return Cloud.load(tmp_path / "files")

    yield load
    if Cloud.running:
        Cloud.running.stop()


def load(tmp_path: Path, content: bytes, name: str = "dump.json") -> Cloud:
    (tmp_path / name).write_bytes(content)
    return Cloud.load(tmp_path / name)


def reasons(cloud: Cloud) -> str:
    return "\n".join(map(str, cloud.remarks))


@pytest.fixture(autouse=True)
def stopped_afterwards() -> Iterator[None]:
    yield
    if Cloud.running:
        Cloud.running.stop()


def complete(cloud: Cloud, *accounts: str) -> None:
    """Whether everything that `details` has is there, and decides."""
    for account in accounts or (ACCOUNT,):
        names = {each.name.rpartition("/")[2] for each in cloud.inspect.documents(arn("user", "alice", account))}
        assert {"read", "limits"} <= names
        assert cloud.inspect.ask(arn("user", "alice", account), "s3:GetObject", "arn:aws:s3:::b/k").allowed
        assert cloud.inspect.ask(arn("role", "team/web", account), "s3:PutObject", "arn:aws:s3:::b/k").allowed
        assert not cloud.inspect.ask(arn("user", "alice", account), "s3:PutObject", "arn:aws:s3:::b/k").allowed


YAML = """\
UserDetailList:
- Arn: arn:aws:iam::123456789012:user/alice
  CreateDate: 2013-10-14T18:32:24+00:00
  GroupList: [admins]
  UserPolicyList:
  - PolicyName: read
    PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "*"}]}
GroupDetailList:
- Arn: arn:aws:iam::123456789012:group/admins
  AttachedManagedPolicies:
  - PolicyArn: arn:aws:iam::123456789012:policy/limits
RoleDetailList:
- Arn: arn:aws:iam::123456789012:role/team/web
  AssumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}'
  AttachedManagedPolicies: {PolicyArn: "arn:aws:iam::aws:policy/AmazonS3FullAccess"}
Policies:
- Arn: arn:aws:iam::123456789012:policy/limits
  PolicyVersionList:
  - {VersionId: v1, IsDefaultVersion: true, Document: {Statement: []}}
"""
PAGES = [{"UserDetailList": details()["UserDetailList"], "IsTruncated": True, "Marker": "x"},
         {name: entries for name, entries in details().items() if name != "UserDetailList"}]  # fmt: skip
ENCODED = quote(json.dumps(READ)).replace("%7B", "%7b")
FILES = {
    "whole": json.dumps(details()).encode(),
    "with a mark": b"\xef\xbb\xbf" + json.dumps(details()).encode(),
    "utf-16": json.dumps(details()).encode("utf-16"),
    "utf-16 without a mark": json.dumps(details()).encode("utf-16-le"),
    "yaml": YAML.encode(),
    "a list of pages": json.dumps(PAGES).encode(),
    "pages one after the other": "\n".join(map(json.dumps, PAGES)).encode(),
    "one attached policy, no list": json.dumps(
        details(GroupDetailList={"AttachedManagedPolicies": {"PolicyArn": arn("policy", "limits")}})
    ).encode(),
    "percent-encoded": json.dumps(
        details(UserDetailList={"UserPolicyList": [{"PolicyName": "read", "PolicyDocument": ENCODED}]})
    ).encode(),
    "dates with a space": json.dumps(details(RoleDetailList={"CreateDate": "2019-08-16 17:27:59+00:00"})).encode(),
    "dates as numbers": json.dumps(
        details(RoleDetailList={"CreateDate": 1406740160.0}, Policies={"CreateDate": 1406740160000})
    ).encode(),
    "IDs of any form": json.dumps(details(UserDetailList={"UserId": "obama"}, RoleDetailList={"RoleId": 7})).encode(),
    "another partition": json.dumps(details()).replace("arn:aws:", "arn:aws-us-gov:").encode(),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_dump_opens_whatever_it_looks_like(content: bytes, tmp_path: Path) -> None:
    complete(load(tmp_path, content))


def test_what_was_read_otherwise_is_said(tmp_path: Path) -> None:
    assert reasons(load(tmp_path, FILES["whole"])) == ""
    assert "1 × IDs of a form" in reasons(load(tmp_path, json.dumps(details(UserDetailList={"UserId": "x"})).encode()))
    assert "aws-us-gov" in reasons(load(tmp_path, FILES["another partition"]))
    assert "a page that says there are more" in reasons(load(tmp_path, FILES["a list of pages"]))
    assert "dates that are missing" in reasons(load(tmp_path, FILES["yaml"]))


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        ({"UserDetailList": {"GroupList": ["admins", "none"]}}, "user alice", "group none"),
        ({"UserDetailList": {"AttachedManagedPolicies": [{"PolicyArn": arn("policy", "none")}]}}, "user alice",
         "in none of the files"),
        ({"UserDetailList": {"AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/NewerThanTheLab"}]}},
         "user alice", "in none of the files"),
        ({"RoleDetailList": {"RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": 7}}]}},
         "RoleDetailList[0].RolePolicyList[0].PolicyDocument", "is not a policy that AWS accepts: Statement"),
        ({"RoleDetailList": {"RolePolicyList": [{"PolicyDocument": READ}]}}, "RolePolicyList[0].PolicyName",
         "is missing"),
        ({"RoleDetailList": {"RolePolicyList": [{"PolicyName": "p", "PolicyDocument": READ}] * 2}}, "RolePolicyList",
         "has p twice"),
        ({"RoleDetailList": {"MaxSessionDuration": "an hour"}}, "RoleDetailList[0].MaxSessionDuration",
         "is not a whole number"),
        ({"RoleDetailList": {"InstanceProfileList": [{"InstanceProfileName": "web"}]}}, "RoleDetailList[0]",
         "no instance-profile with an ARN"),
        ({"RoleDetailList": {"PermissionsBoundary": {"PermissionsBoundaryArn": arn("policy", "none")}}}, "role web",
         "the boundary"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_and_the_rest_is_kept(
    changes: dict[str, Any], place: str, reason: str, tmp_path: Path
) -> None:
    cloud = load(tmp_path, json.dumps(details(**changes)).encode())
    [remark] = cloud.remarks
    assert place in str(remark)
    assert reason in remark.reason
    complete(cloud)


def test_a_role_whose_trust_policy_cannot_be_read_lets_nobody_in(tmp_path: Path) -> None:
    cloud = load(tmp_path, json.dumps(details(RoleDetailList={"AssumeRolePolicyDocument": "x"})).encode())
    assert "AssumeRolePolicyDocument: is not a policy that AWS accepts" in reasons(cloud)
    complete(cloud)


def test_an_aws_managed_policy_of_the_file_counts_before_the_labs_own(tmp_path: Path) -> None:
    managed = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    newer = {**details()["Policies"][0], "Arn": managed, "PolicyName": "AmazonS3FullAccess"}
    content = {**details(), "Policies": [*details()["Policies"], newer]}
    cloud = load(tmp_path, json.dumps(content).encode())
    assert cloud.remarks == ()
    assert not cloud.inspect.ask(arn("role", "team/web"), "s3:PutObject", "arn:aws:s3:::b/k").allowed


def test_no_administrator_is_in_somebodys_own_account(tmp_path: Path) -> None:
    cloud = load(tmp_path, FILES["whole"])
    names = {each.name for each in cloud.inspect.principals() if each.account == ACCOUNT}
    assert names == {"alice", "web", "root user"}


def test_several_accounts_in_one_folder(opened: Callable[..., Cloud]) -> None:
    other = "222222222222"
    cloud = opened(dev_json=details(), prod__iam_json=details(other), notes_json={"hello": 1}, list_json=[1])
    complete(cloud, ACCOUNT, other)
    assert [Path(each.file).name for each in cloud.remarks] == ["list.json", "notes.json"]


def test_an_organization_and_its_policies(opened: Callable[..., Cloud]) -> None:
    other = "222222222222"
    deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    full = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

    def control(name: str, content: Any) -> dict[str, Any]:
        summary = {
            "Id": name,
            "Arn": f"arn:aws:organizations::{ACCOUNT}:policy/o-abcdefghij/service_control_policy/{name}",
        }
        summary |= {"Name": name, "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": "Full" in name}
        return {"Policy": {"PolicySummary": summary, "Content": json.dumps(content)}}

    listed = [control("p-FullAWSAccess", full)["Policy"]["PolicySummary"]]
    files = {
        "a_json": details(), "b_json": details(other),
        "org_json": {"Organization": {"Id": "o-abcdefghij", "MasterAccountId": ACCOUNT, "FeatureSet": "ALL"}},
        "roots_json": {"Roots": [{"Id": "r-ab12", "Name": "Root"}]},
        "r-ab12_json": {"OrganizationalUnits": [{"Id": "ou-ab12-12345678", "Name": "Prod"}]},
        "ou-ab12-12345678-accounts_json": {"Accounts": [{"Id": other, "Name": "prod", "Email": "p@example.com"}]},
        "full_json": control("p-FullAWSAccess", full), "no_json": control("p-nothing1", deny),
        "scps of r-ab12_json": {"Policies": listed},
        "list-targets-for-policy-p-nothing1_json": {"Targets": [{"TargetId": "ou-ab12-12345678"}]},
    }  # fmt: skip
    cloud = opened(**files)
    evaluation = cloud.inspect.ask(arn("user", "alice", other), "s3:GetObject", "arn:aws:s3:::b/k")
    assert evaluation.effect == "EXPLICIT_DENY"
    assert evaluation.deciding.check is not None
    assert evaluation.deciding.check.check_type == "SERVICE_CONTROL_POLICY"
    complete(cloud, ACCOUNT)


def one(list_name: str) -> dict[str, Any]:
    [entry] = details()[list_name]
    return dict(entry)


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({"roles.json": json.dumps(details()["RoleDetailList"])}, {"web"}),
        ({"roles.json": json.dumps({"Roles": details()["RoleDetailList"]})}, {"web"}),
        ({"r.json": json.dumps({"Role": one("RoleDetailList")}), "u.json": json.dumps({"User": one("UserDetailList")})},
         {"alice", "web"}),
        ({"all.json": json.dumps({"first": {"iam": details()}, "second": {"iam": details("222222222222")}})},
         {"alice", "web"}),
        ({"copied.txt": f"$ aws iam get-account-authorization-details\n{json.dumps(details(), indent=2)}\n$ "},
         {"alice", "web"}),
    ],
    ids=["a query for one list", "list-roles", "get-role and get-user", "of a script", "copied from a terminal"],
)  # fmt: skip
def test_other_calls_and_ways_to_keep_their_answers(files: dict[str, str], names: set[str], tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content, "utf-8")
    cloud = Cloud.load(tmp_path)
    assert {each.name for each in cloud.inspect.principals() if each.kind in ("user", "role")} == names


def test_that_a_list_of_roles_has_no_policies_is_said(opened: Callable[..., Cloud]) -> None:
    role = {name: value for name, value in one("RoleDetailList").items() if "Polic" not in name}
    cloud = opened(roles_json={"Roles": [{**role, "AssumeRolePolicyDocument": TRUST}]})
    assert "1 × users, groups and roles without their policies: what they may do is missing" in reasons(cloud)


def test_the_policy_of_a_bucket_alone_is_its(opened: Callable[..., Cloud]) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}
    cloud = opened(a_json=details(), policy_json={"Version": "2012-10-17", "Statement": [statement]})
    assert cloud.inspect.document(Place("arn:aws:s3:::reports", "resource")) is not None
    assert cloud.remarks == ()


def test_text_of_a_windows_console(tmp_path: Path) -> None:
    tags = {"Tags": [{"Key": "place", "Value": "Zürich"}]}
    cloud = load(tmp_path, json.dumps(details(UserDetailList=tags), ensure_ascii=False).encode("cp1252"))
    complete(cloud)


def test_where_the_files_show_no_scp_there_is_the_one_that_aws_attaches(opened: Callable[..., Cloud]) -> None:
    other = "222222222222"
    content = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    summary = {"Id": "p-buckets0", "Name": "buckets", "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": False}
    cloud = opened(
        a_json=details(other),
        org_json={"Organization": {"Id": "o-abcdefghij", "MasterAccountId": ACCOUNT, "FeatureSet": "ALL"}},
        roots_json={"Roots": [{"Id": "r-ab12", "Name": "Root"}]},
        accounts_json={"Accounts": [{"Id": each, "Name": each} for each in (ACCOUNT, other)]},
        policy_json={"Policy": {"PolicySummary": summary, "Content": json.dumps(content)}},
        **{"p-buckets0_targets_json": {"Targets": [{"TargetId": "r-ab12", "Type": "ROOT"}]}},
    )
    complete(cloud, other)
    assert "2 × roots, units and accounts without an SCP in the files: read as FullAWSAccess" in reasons(cloud)


def test_policies_of_resources_in_the_shapes_of_the_cli(opened: Callable[..., Cloud]) -> None:
    def allow(action: str, resource: str) -> str:
        principal = {"AWS": arn("user", "bob", "999999999999")}
        statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    queue, topic = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders", f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"
    secret, key = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:db-AbCdEf", "1234abcd-12ab-34cd-56ef-1234567890ab"
    cloud = opened(**{
        "a_json": details(),
        "bucket_json": {"Policy": allow("s3:GetObject", "arn:aws:s3:::reports/*")},
        "queue_json": {"Attributes": {"QueueArn": queue, "Policy": allow("sqs:SendMessage", queue)}},
        "topic_json": {"Attributes": {"TopicArn": topic, "Policy": allow("sns:Publish", topic)}},
        "secret_json": {"ARN": secret, "Name": "db", "ResourcePolicy": allow("secretsmanager:GetSecretValue", "*")},
        f"{key}_json": {"Policy": allow("kms:Decrypt", "*"), "PolicyName": "default"},
    })  # fmt: skip
    for resource in ("arn:aws:s3:::reports", queue, topic, secret, f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{key}"):
        assert "999999999999" in "".join(each.text for each in cloud.inspect.documents(resource)), resource
    assert cloud.remarks == ()


def test_the_folders_of_iam_collect(opened: Callable[..., Cloud]) -> None:
    home = f"aws__aws__accounts__{ACCOUNT}__iam__"
    cloud = opened(**{
        f"{home}user__alice__metadata_json": {"arn": arn("user", "alice"), "id": "AIDACKCEVSQ6C2EXAMPLE"},
        f"{home}user__alice__inline-policies_json": [
            {"PolicyName": name, "PolicyDocument": READ} for name in ("read", "more", "last")
        ],
        f"{home}user__alice__managed-policies_json": [arn("policy", "limits")],
        f"{home}role__web__metadata_json": {"arn": arn("role", "team/web")},
        f"{home}role__web__trust-policy_json": TRUST,
        f"{home}role__web__managed-policies_json": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"],
        f"{home}policy__limits__metadata_json": {"arn": arn("policy", "limits")},
        f"{home}policy__limits__policy_json": READ,
    })  # fmt: skip
    complete(cloud)
    names = {document.name for document in cloud.inspect.documents(arn("user", "alice"))}
    assert {"read", "more", "last"} <= names


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"[]", b"{", b"\xff\xfe\x00", b"[[[[", json.dumps({"UserDetailList": []}).encode()]
)
def test_a_file_that_holds_no_account_is_said_to_hold_none_and_changes_nothing(content: bytes, tmp_path: Path) -> None:
    with Cloud.start() as running:
        with pytest.raises(WorldFileError, match="Nothing here is a world of the lab"):
            load(tmp_path, content)
        assert Cloud.running is running


def test_a_dump_that_is_saved_and_loaded_again_is_the_same_world(tmp_path: Path) -> None:
    cloud = load(tmp_path, FILES["whole"])
    cloud.save(tmp_path / "world.json")
    cloud = Cloud.load(tmp_path / "world.json")
    complete(cloud)
    assert cloud.clock.now >= datetime(2026, 1, 1, tzinfo=UTC)


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_stands_in_a_dump_it_is_read_or_said_and_what_is_read_can_be_made(data: st.DataObject) -> None:
    value: Any = deepcopy(details())
    for _ in range(data.draw(st.integers(1, 3))):
        part = value
        while isinstance(part, dict | list) and part:
            keys = list(part) if isinstance(part, dict) else range(len(part))
            key = data.draw(st.sampled_from(list(keys)))
            if not isinstance(part[key], dict | list) or not part[key] or data.draw(st.booleans()):
                part[key] = data.draw(_ANYTHING)
                break
            part = part[key]
    try:
        values, remarks = dump.load_content(json.dumps(value).encode(), "dump.json")
    except WorldFileError:
        return
    assert all(isinstance(str(remark), str) for remark in remarks)
    store = Store()
    try:
        snapshot.restore(values)
    finally:
        store.close()
