"""Worlds as files: what was saved is there again, what is no world changes nothing."""

from __future__ import annotations

import copy
import http.server
import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simlib import Cloud
from simlib.cloud import clock
from simlib.cloud.worlds import file
from simlib.cloud.worlds.shape import WorldFileError

from .conftest import allow, deny, document, new_user, refused, trust

ROLE = "arn:aws:iam::111111111111:role/team/reports"


class Frozen(clock.TimeMachine):
    """A clock that stands still, so that two files of one world are the same to the second."""

    def start(self) -> None:
        import time

        self._travel = self._library.travel(time.time(), tick=False)
        self._traveller = self._travel.start()


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "best_mechanism", Frozen)


@pytest.fixture
def stopped() -> Iterator[None]:
    yield
    if Cloud.running is not None:
        Cloud.running.stop()


def furnished(aws: Cloud) -> dict[str, Any]:
    """A world in which everything that a file holds is there at least once; and the keys somebody holds."""
    dev = aws.account("dev")
    iam, s3 = dev.admin.client("iam"), dev.admin.client("s3")
    alice = new_user(
        aws, iam, "alice", allow("s3:Get*"), allow("sts:*"), deny("s3:GetObject", "arn:aws:s3:::*/secret*")
    )
    iam.tag_user(UserName="alice", Tags=[{"Key": "team", "Value": "blau + grün"}])
    ceiling = iam.create_policy(PolicyName="ceiling", PolicyDocument=document(allow(["s3:*", "sts:*"])))["Policy"]
    iam.create_policy_version(PolicyArn=ceiling["Arn"], PolicyDocument=document(allow("s3:*")), SetAsDefault=False)
    iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=ceiling["Arn"])
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="g", PolicyDocument=document(allow("dynamodb:*")))
    iam.attach_group_policy(GroupName="readers", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.add_user_to_group(GroupName="readers", UserName="alice")
    iam.create_login_profile(UserName="alice", Password="correct horse 1A!")
    trusted = {"AWS": "arn:aws:iam::111111111111:user/alice", "Service": "ec2.amazonaws.com"}
    iam.create_role(
        RoleName="reports", Path="/team/", MaxSessionDuration=7200, Description="Berichte",
        AssumeRolePolicyDocument=trust(trusted), Tags=[{"Key": "env", "Value": "test"}],
    )  # fmt: skip
    iam.put_role_policy(RoleName="reports", PolicyName="p", PolicyDocument=document(allow("s3:*")))
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="reports")
    iam.create_instance_profile(InstanceProfileName="empty")
    iam.create_open_id_connect_provider(Url=aws.oidc_provider().url, ClientIDList=["sts.amazonaws.com"])
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")
    app = aws.authenticator(device)
    serial = device["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName="alice", SerialNumber=serial, AuthenticationCode1=app.code, AuthenticationCode2=app.next_code
    )
    s3.create_bucket(Bucket="my-bucket")
    s3.put_bucket_versioning(Bucket="my-bucket", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_policy(
        Bucket="my-bucket",
        Policy=document(allow("s3:GetObject", "arn:aws:s3:::my-bucket/open/*", Principal={"AWS": "222222222222"})),
    )
    for key, body in (("report.csv", b"a,b\n1,2\n"), ("open/x", b"\x00\xff"), ("secret", b"old"), ("secret", b"new")):
        s3.put_object(Bucket="my-bucket", Key=key, Body=body, Metadata={"by": "alice"}, Tagging="t=1")
    s3.delete_object(Bucket="my-bucket", Key="secret")
    organizations = dev.admin.client("organizations")
    organizations.create_organization()
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="teams")["OrganizationalUnit"]["Id"]
    prod = aws.account("prod", organization=dev)
    organizations.move_account(AccountId=prod.id, SourceParentId=root, DestinationParentId=unit)
    scp = organizations.create_policy(
        Name="no-sqs", Description="", Type="SERVICE_CONTROL_POLICY", Content=document(deny("sqs:*"))
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=scp, TargetId=unit)
    kms = dev.admin.client("kms")
    key = kms.create_key(Description="k", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
    kms.create_grant(KeyId=key, GranteePrincipal=ROLE, Operations=["Decrypt"])
    blob = kms.encrypt(KeyId=key, Plaintext=b"hidden")["CiphertextBlob"]
    dev.admin.client("sqs").create_queue(QueueName="q", Attributes={"VisibilityTimeout": "7"}, tags={"a": "b"})
    dev.admin.client("sns").create_topic(Name="t")
    secret = dev.admin.client("secretsmanager").create_secret(Name="db", SecretString="mock")["ARN"]
    table = dev.admin.client("dynamodb")
    table.create_table(
        TableName="items", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip
    table.put_item(TableName="items", Item={"id": {"S": "1"}, "n": {"N": "2"}, "l": {"L": [{"BOOL": True}]}})
    machine = dev.admin.client("ec2").run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceType="t3.micro", IamInstanceProfile={"Name": "web"}
    )["Instances"][0]["InstanceId"]
    short = dev.admin.client("sts").get_session_token(DurationSeconds=900)
    aws.clock.advance(seconds=901)
    narrow = document(allow("s3:GetObject", "arn:aws:s3:::my-bucket/report.csv"))
    session = alice.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="me", Policy=narrow)
    return {
        "admin": dev.admin, "prod": prod.admin, "alice": alice, "session": aws.sign_in(session),
        "federated": aws.sign_in(dev.admin.client("sts").get_federation_token(Name="guest")),
        "expired": aws.sign_in(short), "key": key, "blob": blob, "secret": secret, "machine": machine, "serial": serial,
        "code": app, "token": aws.oidc_provider().workflow_token("example/shop"),
    }  # fmt: skip


def outcome(call: Callable[[], Any]) -> Any:
    """What a call answers, or the error it ends in."""
    try:
        answer = call()
    except Exception as error:
        response = getattr(error, "response", {}).get("Error", {})
        return type(error).__name__, response.get("Code"), response.get("Message")
    answer.pop("ResponseMetadata", None)
    return answer["Body"].read() if "Body" in answer else "done"


_BUCKET = {"Bucket": "my-bucket"}


def table_of_requests(held: dict[str, Any]) -> dict[str, Any]:
    """The same requests by everybody, with the keys in hand, and how each of them ends."""
    told = {}
    for who in ("admin", "prod", "alice", "session", "federated", "expired"):
        mine = held[who]
        s3 = mine.client("s3")
        requests: dict[str, Callable[[], Any]] = {
            "who": lambda c=mine: c.client("sts").get_caller_identity(),
            "report": lambda s3=s3: s3.get_object(**_BUCKET, Key="report.csv"),
            "open": lambda s3=s3: s3.get_object(**_BUCKET, Key="open/x"),
            "secret": lambda s3=s3: s3.get_object(**_BUCKET, Key="secret"),
            "list": lambda s3=s3: s3.list_objects_v2(**_BUCKET),
            "users": lambda c=mine: c.client("iam").list_users(),
            "queues": lambda c=mine: c.client("sqs").list_queues(),
            "decrypt": lambda c=mine: c.client("kms").decrypt(CiphertextBlob=held["blob"]),
            "value": lambda c=mine: c.client("secretsmanager").get_secret_value(SecretId=held["secret"]),
            "item": lambda c=mine: c.client("dynamodb").get_item(TableName="items", Key={"id": {"S": "1"}}),
            "role": lambda c=mine: c.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="again"),
        }
        told |= {f"{who} {what}": outcome(ask) for what, ask in requests.items()}
    return told


def test_what_is_saved_and_loaded_and_saved_is_the_same(still: None, tmp_path: Path, stopped: None) -> None:
    aws = Cloud.start()
    furnished(aws)
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert "2 accounts" in repr(aws.save(first))
    Cloud.load(first).save(second)
    assert json.loads(second.read_text("utf-8")) == json.loads(first.read_text("utf-8"))


def test_every_decision_is_the_same_with_the_keys_in_hand(tmp_path: Path, stopped: None) -> None:
    aws = Cloud.start()
    held = furnished(aws)
    before = table_of_requests(held)
    assert len({str(outcome) for outcome in before.values()}) > 20  # allowed, refused by many, expired
    aws.save(tmp_path / "w.json")
    again = Cloud.load(tmp_path / "w.json")
    assert table_of_requests(held) == before
    assert again.account("prod").admin.access_key_id == held["prod"].access_key_id
    assert again.account("third").id == "3" * 12


def test_ids_dates_and_what_hangs_on_them_survive(tmp_path: Path, stopped: None) -> None:
    aws = Cloud.start()
    held = furnished(aws)

    def look(world: Cloud) -> list[Any]:
        iam = held["admin"].client("iam")
        ec2 = held["admin"].client("ec2").describe_instances()["Reservations"][0]["Instances"][0]
        told = [
            iam.get_user(UserName="alice")["User"],
            iam.get_role(RoleName="reports")["Role"] | {"RoleLastUsed": None},
            iam.list_access_keys(UserName="alice")["AccessKeyMetadata"],
            iam.list_mfa_devices(UserName="alice")["MFADevices"],
            held["admin"].client("organizations").list_parents(ChildId="2" * 12)["Parents"],
            held["admin"].client("kms").list_aliases()["Aliases"],
            held["admin"].client("s3").list_object_versions(Bucket="my-bucket").get("Versions"),
            [ec2[name] for name in ("InstanceId", "LaunchTime", "PrivateIpAddress", "IamInstanceProfile")],
        ]
        return json.loads(json.dumps(told, default=lambda value: str(value).split(".")[0].removesuffix("+00:00")))

    before = look(aws)
    aws.save(tmp_path / "w.json")
    again = Cloud.load(tmp_path / "w.json")
    assert look(again) == before
    assert "report.csv" in again.instance(held["machine"]).run("aws s3 ls s3://my-bucket").stdout
    trusted = trust({"Federated": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"},
                    "sts:AssumeRoleWithWebIdentity")  # fmt: skip
    held["admin"].client("iam").create_role(RoleName="pipeline", AssumeRolePolicyDocument=trusted)
    answer = boto3.client("sts").assume_role_with_web_identity(
        RoleArn="arn:aws:iam::111111111111:role/pipeline", RoleSessionName="run",
        WebIdentityToken=again.oidc_provider().workflow_token("example/shop"),
    )  # fmt: skip
    assert answer["Audience"] == "sts.amazonaws.com"
    again.clock.advance(minutes=1)
    sts = held["alice"].client("sts")
    assert sts.get_session_token(SerialNumber=held["serial"], TokenCode=held["code"].code)["Credentials"]
    assert again.oidc_provider().signed(held["token"])  # a token from before is signed by the same key


def test_the_clock_goes_on_and_sessions_end_in_their_time(tmp_path: Path, stopped: None) -> None:
    aws = Cloud.start()
    admin = aws.account().admin
    aws.clock.advance(days=3)
    session = aws.sign_in(admin.client("sts").get_session_token(DurationSeconds=900))
    saved = aws.clock.now
    aws.save(tmp_path / "w.json")
    again = Cloud.load(tmp_path / "w.json")
    assert timedelta(seconds=-1) <= again.clock.now - saved < timedelta(seconds=30)
    assert session.client("sts").get_caller_identity()
    again.clock.advance(minutes=16)
    assert refused(session.client("sts").get_caller_identity)[0] == "ExpiredToken"


_NAMES = st.text("abcXYZ019+=,.@-_", min_size=1, max_size=12)
_ACTIONS = st.lists(st.sampled_from(["s3:*", "s3:GetObject", "iam:List*", "sts:AssumeRole", "*"]), min_size=1)
_RESOURCES = st.sampled_from(["*", "arn:aws:s3:::bücket/*", "arn:aws:iam::*:role/${aws:username}"])
_STATEMENTS = st.builds(
    lambda effect, actions, resource, keyed: {
        "Effect": effect,
        "Action": actions,
        "Resource": resource,
        **({"Condition": {"StringLike": {"aws:PrincipalTag/team": ["a*", "ü"]}}} if keyed else {}),
    },
    st.sampled_from(["Allow", "Deny"]), _ACTIONS, _RESOURCES, st.booleans(),
)  # fmt: skip


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    users=st.dictionaries(_NAMES, st.lists(_STATEMENTS, min_size=1, max_size=3), max_size=5),
    tags=st.dictionaries(
        st.text("abcxyz019+=.@-_", min_size=1, max_size=12), st.text("aü北 +=:/@", max_size=9), max_size=3
    ),
    body=st.binary(max_size=40),
    days=st.integers(1, 900),
)
def test_any_world_survives(
    tmp_path_factory: pytest.TempPathFactory, users: dict[str, Any], tags: dict[str, str], body: bytes, days: int
) -> None:
    folder = tmp_path_factory.mktemp("worlds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "best_mechanism", Frozen)
        aws = Cloud.start()
        iam, s3 = aws.account("dev").admin.client("iam"), aws.account("dev").admin.client("s3")
        aws.clock.advance(days=days)
        by_lower = {name.lower(): name for name in users}
        for name in by_lower.values():
            key = new_user(aws, iam, name, *users[name])
            aws.sign_in(key.client("sts").get_session_token())
            if tags:
                iam.tag_user(UserName=name, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
        s3.create_bucket(Bucket="any-bucket")
        s3.put_object(Bucket="any-bucket", Key="ä b", Body=body)
        aws.save(folder / "1.json")
        with Cloud.load(folder / "1.json") as again:
            again.save(folder / "2.json")
    assert json.loads((folder / "1.json").read_text("utf-8")) == json.loads((folder / "2.json").read_text("utf-8"))


# -- what is refused ---------------------------------------------------------------------------------------------------

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
        (b"", "cannot be read as JSON"),
        (b"\x80\x04K*.", "cannot be read as JSON"),
        (b"[" * 200_000, "cannot be read as JSON"),
        (b'{"IamLabWorld": NaN}', "NaN is not a number in JSON"),
        (b"[]", "not a world of the lab"),
        (b'{"hello": 1}', "not a world of the lab"),
        ({**world(), "IamLabWorld": 2}, "another version of the lab"),
        ({**world(), "IamLabWorld": True}, "another version of the lab"),
        ({**world(), "Clock": "yesterday"}, r'Clock: "yesterday" is not a date'),
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
        ({"UserDetailList": [{**_USER, "CreateDate": 5}]}, r"UserDetailList\[0\]\.CreateDate: 5 is not a date"),
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


# -- files and links ---------------------------------------------------------------------------------------------------


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(
    aws: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.json"
    aws.save(path)
    old = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    aws.account("dev")
    with pytest.raises(WorldFileError, match="No space left"):
        aws.save(path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(WorldFileError, match="cannot be written"):
        aws.save(tmp_path / "no" / "folder.json")


def test_a_file_holds_nothing_of_the_learners_own_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = "AKIAREALREALREALREAL"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.setenv(name, mine)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(f"[default]\naws_access_key_id={mine}\n", "utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    with Cloud.start() as aws:
        furnished(aws)
        aws.save(tmp_path / "w.json")
    assert mine not in (tmp_path / "w.json").read_text("utf-8")


@pytest.fixture
def classroom(tmp_path: Path) -> Iterator[str]:
    """A web server in the classroom's own network."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(tmp_path))

        def do_GET(self) -> None:
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
                self.end_headers()
            else:
                super().do_GET()

        def log_message(self, *_: Any) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_link_in_the_classroom_is_opened_when_it_is_named(
    classroom: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: None
) -> None:
    aws = Cloud.start()
    key = aws.account("dev").admin.access_key_id
    aws.save(tmp_path / "w.json")
    assert Cloud.load(f"{classroom}/w.json").account("dev").admin.access_key_id == key
    running = Cloud.running
    assert running is not None
    for path, said in (("none.json", "cannot be fetched"), ("away", "never goes to the real AWS")):
        with pytest.raises(WorldFileError, match=said):
            Cloud.load(f"{classroom}/{path}")
    for url in ("https://s3.amazonaws.com/b/w.json", "http://169.254.169.254/latest"):
        with pytest.raises(WorldFileError, match="never goes to the real AWS"):
            Cloud.load(url)
    monkeypatch.setattr(file, "SECONDS", -1)
    with pytest.raises(WorldFileError, match=r"took longer|cannot be fetched"):
        Cloud.load(f"{classroom}/w.json")
    monkeypatch.setattr(file, "SECONDS", 30)
    monkeypatch.setattr(file, "LARGEST", 100)
    for source in (f"{classroom}/w.json", tmp_path / "w.json"):
        with pytest.raises(WorldFileError, match="is larger than"):
            Cloud.load(source)
    with pytest.raises(WorldFileError, match="too large for a file"):
        running.save(tmp_path / "large.json")
    assert Cloud.running is running


def test_a_dump_of_somebodys_own_account_is_a_world(tmp_path: Path, stopped: None) -> None:
    aws = Cloud.start()
    held = furnished(aws)
    pages = held["admin"].client("iam").get_account_authorization_details()
    pages.pop("ResponseMetadata")
    dump = json.loads(json.dumps(pages, default=str))
    dump["RoleDetailList"][0]["SomethingNew"] = {"that": "AWS has added"}
    dump["Policies"] = [policy for policy in dump["Policies"] if "::aws:" not in policy["Arn"]]
    path = tmp_path / "dump.json"
    path.write_text(json.dumps(dump), "utf-8")
    again = Cloud.load(path)
    account = again.account()
    assert (account.name, account.id) == ("main", "1" * 12)
    iam = account.admin.client("iam")
    user = next(user for user in dump["UserDetailList"] if user["UserName"] == "alice")
    assert iam.get_user(UserName="alice")["User"]["UserId"] == user["UserId"]
    asked = {"PolicySourceArn": user["Arn"], "ResourceArns": ["arn:aws:s3:::b/secret"]}
    answer = iam.simulate_principal_policy(**asked, ActionNames=["s3:GetObject", "s3:GetBucketPolicy"])
    assert [one["EvalDecision"] for one in answer["EvaluationResults"]] == ["explicitDeny", "allowed"]
