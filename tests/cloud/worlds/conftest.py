"""A world with something of everything that a file holds, and a clock that can stand still."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simlib import Cloud
from simlib.cloud import clock

from ..conftest import allow, deny, document, new_user, trust

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
    furnish_rarer_things(dev.admin)
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


def furnish_rarer_things(admin: Any) -> None:
    """What no call of the tests asks for, and a file holds all the same."""
    iam, s3 = admin.client("iam"), admin.client("s3")
    iam.create_account_alias(AccountAlias="example-shop")
    iam.update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True, MaxPasswordAge=90)
    iam.create_saml_provider(Name="corp", SAMLMetadataDocument=f"<EntityDescriptor>{'x' * 1000}</EntityDescriptor>")
    iam.create_user(UserName="builder", Path="/machines/")
    inactive = iam.create_access_key(UserName="builder")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="builder", AccessKeyId=inactive, Status="Inactive")
    admin.client("s3control").put_public_access_block(AccountId="111111111111", PublicAccessBlockConfiguration={
        "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": False,
    })  # fmt: skip
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/mine"}}
    s3.create_bucket(Bucket="other-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_encryption(Bucket="other-bucket", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_tagging(Bucket="other-bucket", Tagging={"TagSet": [{"Key": "env", "Value": "test"}]})
    s3.put_bucket_ownership_controls(
        Bucket="other-bucket", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )
    s3.put_object(Bucket="other-bucket", Key="sealed", Body=b"mock", ChecksumAlgorithm="SHA256")
    sqs = admin.client("sqs")
    dead = sqs.get_queue_attributes(QueueUrl=sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})[
        "QueueUrl"], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]  # fmt: skip
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": "3"})
    sqs.create_queue(QueueName="a.fifo", Attributes={"FifoQueue": "true", "RedrivePolicy": redrive})
    admin.client("sns").create_topic(Name="news", Attributes={"DisplayName": "News"}, Tags=[{"Key": "a", "Value": "b"}])
    admin.client("sns").create_topic(Name="orders.fifo", Attributes={"FifoTopic": "true"})
    admin.client("secretsmanager").create_secret(Name="bytes", SecretBinary=b"\x00\xff")
    table = admin.client("dynamodb").create_table(
        TableName="orders", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 2},
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "at", "who")],
        GlobalSecondaryIndexes=[{
            "IndexName": "by-who", "KeySchema": [{"AttributeName": "who", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
            "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        }],
        Tags=[{"Key": "team", "Value": "blau"}],
    )["TableDescription"]["TableArn"]  # fmt: skip
    policy = allow("dynamodb:GetItem", table, Principal={"AWS": "222222222222"})
    admin.client("dynamodb").put_resource_policy(ResourceArn=table, Policy=document(policy))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", "def handler(event, context):\n    return event\n")
    functions = admin.client("lambda")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust({"Service": "lambda.amazonaws.com"}))
    functions.create_function(
        FunctionName="echo", Runtime="python3.13", Role="arn:aws:iam::111111111111:role/worker", Handler="main.handler",
        Code={"ZipFile": code.getvalue()}, Timeout=5, Environment={"Variables": {"STAGE": "test"}}, Tags={"a": "b"},
    )  # fmt: skip
    functions.add_permission(
        FunctionName="echo", StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )


def outcome(call: Callable[[], Any]) -> Any:
    """What a call answers, or the error it ends in."""
    try:
        answer = call()
    except Exception as error:
        response = getattr(error, "response", {}).get("Error", {})
        return type(error).__name__, response.get("Code"), response.get("Message")
    answer.pop("ResponseMetadata", None)
    return answer["Body"].read() if "Body" in answer else "done"
