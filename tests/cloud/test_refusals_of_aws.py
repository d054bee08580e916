"""Refusals that the real AWS has printed, set up and played: code and text must be AWS's to the letter.

The rows come from public reports (`../shared/data/aws-refusals.jsonl` beside the project); where the file is not
there, there is nothing to compare with. The call is built from its operation's model and the ARN in AWS's text, the
world from the reason in the text: whose policy did not allow, or denied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import Shape

from simlib import Cloud
from simlib.iam import service_data

from .conftest import allow, deny, document, new_user, trust

FILE = Path(__file__).parents[3] / "shared" / "data" / "aws-refusals.jsonl"
KINDS = "aef"  # access denied, PassRole, EC2
ROLE = "arn:aws:iam::111111111111:role/fn"
TAG = {"Key": "team", "Value": "blue", "key": "team", "value": "blue", "TagKey": "team", "TagValue": "blue"}

# Rows whose source is doubtful, and what the lab does not say alike, and why.
DOUBTFUL = {231, 271, 309, 385}
ARGUED = {
    31: "row 35 is newer",
    41: "no service of the lab's writes logs by itself, so none is refused",
    119: "the lab has no VPC endpoints that a call could come through",
    147: "a task's token tells nobody but Step Functions which machine it belongs to",
    213: "row 205 is newer",
    223: "the lab has no VPC endpoints that a call could come through",
}

# What neither the model nor the ARN tells.
TEXT = {"PolicyDocument": document(allow("s3:*")), "AssumeRolePolicyDocument": trust({"AWS": "111111111111"})}
ZIP = b"PK\x05\x06" + bytes(18)  # an empty archive
ACTIONS = {39: "logs:TagResource", 97: "s3:GetObject"}
GIVEN: dict[str, dict[str, Any]] = {
    "CreateDeployment": {"restApiId": "n2ltx01vri"},
    "CreateRestApi": {"tags": {"team": "blue"}},
    "RegisterTaskDefinition": {"containerDefinitions": [{"name": "web", "image": "web"}]},
    "CreateTargetGroup": {"Name": "web"},
    "CreateDBSubnetGroup": {"DBSubnetGroupName": "main"},
    "CreateTopic": {"Name": "alerts"},
    "GetSecretValue": {"SecretId": "prod/app/db"},
    "BatchWriteItem": {"RequestItems": {"orders": [{"PutRequest": {"Item": {"id": {"S": "1"}}}}]}},
    "GetItem": {"Key": {"id": {"S": "1"}}},
    "Query": {"TableName": "orders", "IndexName": "by-customer"},
    "CreatePolicy": {"PolicyName": "limits", "PolicyDocument": TEXT["PolicyDocument"]},
    "CreatePolicyVersion": {"PolicyDocument": TEXT["PolicyDocument"]},
    "PutUserPolicy": {"PolicyDocument": TEXT["PolicyDocument"]},
    "UpdateAssumeRolePolicy": {"PolicyDocument": TEXT["AssumeRolePolicyDocument"]},
    "CreateRole": {"AssumeRolePolicyDocument": TEXT["AssumeRolePolicyDocument"]},
    "CreateServiceLinkedRole": {"AWSServiceName": "autoscaling.amazonaws.com"},
    "DeletePolicyVersion": {"VersionId": "v1"},
    "RunInstances": {"ImageId": "ami-12c6146b"},
    "StartSession": {"Target": "i-0123456789abcdef0"},
    "SendCommand": {"DocumentName": "AWS-RunShellScript", "InstanceIds": ["i-0123456789abcdef0"]},
    "PutEvents": {"Entries": [{"EventBusName": "orders", "Detail": "{}", "DetailType": "t", "Source": "s"}]},
    "BatchGetBuilds": {"ids": ["web:1234"]},
    "SendTaskFailure": {"taskToken": "arn:aws:states:us-east-1:111111111111:stateMachine:flow"},
    "CreateFunction": {"FunctionName": "hello", "Runtime": "python3.12", "Handler": "a.b", "Code": {"ZipFile": ZIP}},
    "CreateStateMachine": {"definition": "{}"},
    "AssociateVPCWithHostedZone": {"VPC": {"VPCRegion": "us-east-1", "VPCId": "vpc-12345678"}},
    "CreateSchedule": {"Target": {"Arn": "arn:aws:sqs:us-east-1:111111111111:q",
                                  "RoleArn": "arn:aws:iam::222222222222:role/fn"}},
    "CreateAutoScalingGroup": {"LaunchTemplate": {"LaunchTemplateName": "web"}},
    "HeadObject": {"Bucket": "x" * 3},
}  # fmt: skip
BOTO3_NAMES = {
    "bedrock:InvokeModel": "bedrock-runtime",
    "states": "stepfunctions",
    "elasticloadbalancing": "elbv2",
    "ses": "sesv2",
}


def rows() -> Iterator[dict[str, Any]]:
    for line in FILE.read_text(encoding="utf-8").splitlines() if FILE.exists() else ():
        row = json.loads(line)
        if row["kind"] in KINDS and row["n"] not in DOUBTFUL:
            yield row


# -- the call --------------------------------------------------------------------------------------------------------


def stem(name: str) -> str:
    return re.sub(r"(identifiers?|names?|arns?|ids?|s)$", "", name.lower()) or name.lower()


def minimal(shape: Shape, name: str = "") -> Any:
    """The smallest value that botocore sends and the service's model takes."""
    kind = shape.type_name
    if kind == "structure":
        tagged = {key: TAG[key] for key in shape.members if key in TAG} if stem(name) in ("tag", "taglist") else {}
        return tagged or {key: minimal(shape.members[key], key) for key in shape.required_members}
    if kind == "list":
        return [minimal(shape.member, name)]
    if kind == "map":
        return {"team": "blue"} if shape.value.type_name == "string" else {}
    if kind == "string":
        text = ROLE if stem(name).endswith("role") else "x" * max(1, shape.metadata.get("min", 1))
        return shape.enum[0] if shape.enum else text
    return {"boolean": True, "timestamp": "2026-01-01", "blob": b"x"}.get(kind, max(1, shape.metadata.get("min", 1)))


def named_in(arn: str, action: str) -> dict[str, str]:
    """What the ARN in the text says of the call: placeholders of the resource types, by the stem of their names."""
    words = re.fullmatch(r"(user|role|group|policy|instance profile) (\S+)", arn)
    if words:
        return {stem(words[1].replace(" ", "")): words[2]}
    found: dict[str, str] = {}
    service = service_data.service(action.partition(":")[0])
    for kind in service.resource_types.values() if service else ():
        names = re.findall(r"\$\{(\w+)\}", kind.arn)
        pattern = re.sub(r"\\\$\\\{\w+\\\}", "(.*?)", re.escape(kind.arn))
        if match := re.fullmatch(pattern, arn):
            values = dict(zip(names, match.groups(), strict=True))
            found |= {stem(name): value for name, value in values.items() if "*" not in value}
            if len(values.keys() - {"Partition", "Region", "Account"}) == 1:
                found[stem(kind.name)] = match.groups()[-1]
                found[""] = match.groups()[-1]
    return found


def parameters(client: Any, operation: str, arn: str, action: str) -> dict[str, Any]:
    shape = client.meta.service_model.operation_model(operation).input_shape
    given = GIVEN.get(operation, {})
    if shape is None:
        return given
    named = named_in(arn, action)
    made = {name: minimal(member, name) for name, member in shape.members.items() if name in shape.required_members}
    own = next(iter(shape.required_members), "")
    for name, member in shape.members.items():
        if stem(name) in ("tag", "taglist") and "Tag" in action:
            made[name] = minimal(member, name)
        text = arn if name.lower().endswith("arn") and arn.startswith("arn:") else named.get(stem(name))
        if text is None and name in (own, "Key"):
            text = named.get("", "").rpartition("/")[2] if name == "Key" else named.get("")
        if name == "QueueUrl" and text:
            text = "https://sqs.us-east-1.amazonaws.com/" + "/".join(arn.split(":")[4:])
        if "PassRole" in action and "role" in name.lower() and member.type_name == "string":
            made[name] = ROLE
        if text and "*" not in text and action.partition(":")[2] != "PassRole":
            if member.type_name == "string":
                made[name] = text
            elif member.type_name == "list" and member.member.type_name == "string":
                made[name] = [text]
    return {**made, **given}


# -- the world -------------------------------------------------------------------------------------------------------


class Lab:
    """One world for all rows, each of which is a rehearsal; one client of a service, whoever signs."""

    def __init__(self, aws: Cloud) -> None:
        self.aws, self.dev = aws, aws.account("dev")
        self.session = aws.sign_in({"AccessKeyId": "AKIA", "SecretAccessKey": "s"}).session
        self.clients: dict[str, Any] = {}
        self.admin = cache(self.dev.admin.client)

    def client(self, identity: Any, service: str) -> Any:
        keys = self.session.get_credentials()
        keys.access_key, keys.secret_key = identity.access_key_id, identity.secret_access_key
        keys.token = identity.session_token
        if service not in self.clients:
            self.clients[service] = self.session.client(service)
        return self.clients[service]


class Situation:
    """A world in which the policies decide that AWS's text names; account 111111111111 is the caller's."""

    def __init__(self, lab: Lab, row: dict[str, Any]) -> None:
        self.lab, self.aws, self.dev = lab, lab.aws, lab.dev
        self.text, self.cause = row["text"], row["cause"]
        self.operation = row["operation"]
        found = re.search(r"perform: (\S+)(?: on resource: (.*?))?(?: because .*| with .*|)$", self.text)
        self.action, self.arn = (found[1], (found[2] or "").strip('"')) if found else ("", "")
        self.action = ACTIONS.get(row["n"], self.action)
        self.iam = lab.admin("iam")
        trusted = "ec2.amazonaws.com" if "cannot be assumed by Lambda" in self.text else "lambda.amazonaws.com"
        self.iam.create_role(RoleName="fn", AssumeRolePolicyDocument=trust({"Service": trusted}))

    def control(self, kind: str) -> None:
        """An SCP or RCP that denies, on the caller's account, which is a member of an organization."""
        boss = self.aws.account("boss")
        client = boss.admin.client("organizations")
        client.create_organization(FeatureSet="ALL")
        self.aws.account("dev", organization=boss)
        if not kind:
            return
        root = client.list_roots()["Roots"][0]
        if kind not in [each["Type"] for each in root["PolicyTypes"]]:
            client.enable_policy_type(RootId=root["Id"], PolicyType=kind)
        statement = deny("*") if kind.startswith("SERVICE") else deny("s3:*", Principal="*")
        made = client.create_policy(Name="no", Description="no", Type=kind, Content=document(statement))
        client.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=self.dev.id)

    def managed(self, name: str, statement: dict[str, Any]) -> str:
        return str(self.iam.create_policy(PolicyName=name, PolicyDocument=document(statement))["Policy"]["Arn"])

    def layers(self) -> tuple[list[dict[str, Any]], dict[str, Any] | None, dict[str, Any] | None]:
        """The caller's identity-based statements, boundary and session policy."""
        lacking = allow("*") | {"NotAction": self.action}
        del lacking["Action"]
        nothing = allow("none:*")
        reason = self.text.partition(self.action)[2] if self.action else ""
        if "permissions boundary" in reason:
            return [allow("*")], deny("*") if "explicit deny" in reason else nothing, None
        if "session policy" in reason:
            return [allow("*")], None, deny("*") if "explicit deny" in reason else nothing
        if "explicit deny" in reason and ("identity-based" in reason or reason.endswith("deny")):
            return [] if ":policy/" in reason else [allow("*"), deny("*")], None, None
        if "is allowed, the" in self.cause:
            other = allow(self.action) | {"NotResource": self.arn}
            del other["Resource"]
            return [other], None, None
        if "no identity-based" in reason or not re.search("because|with an", reason):
            return [lacking if self.action else allow("*")], None, None
        return ([] if self.action.startswith("organizations:") else [allow("*")]), None, None

    def caller(self) -> Any:
        """Whoever AWS's text names, under these policies."""
        if self.action.startswith("organizations:"):
            self.control("")
        statements, boundary, session = self.layers()
        limits = {"PermissionsBoundary": self.managed("boundary", boundary)} if boundary else {}
        policy = {"Policy": document(session)} if session else {}
        if ":assumed-role/" in self.text:
            self.iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust({"AWS": self.dev.id}), **limits)
            if statements:
                self.iam.put_role_policy(RoleName="app", PolicyName="p", PolicyDocument=document(*statements))
            role = f"arn:aws:iam::{self.dev.id}:role/app"
            client = self.lab.admin("sts")
            return self.aws.sign_in(client.assume_role(RoleArn=role, RoleSessionName="session", **policy))
        name = "tenant" if ":federated-user/" in self.text else "dev"
        identity = new_user(self.aws, self.iam, name, *statements)
        if name == "tenant":
            return self.aws.sign_in(self.lab.client(identity, "sts").get_federation_token(Name=name, **policy))
        if limits:
            self.iam.put_user_permissions_boundary(UserName="dev", **limits)
        if "explicit deny in an identity-based policy: " in self.text:
            self.iam.attach_user_policy(UserName="dev", PolicyArn=self.managed("deny", deny("*")))
        return identity

    def resources(self) -> None:
        """What has to be there: S3 tells of a missing bucket before it refuses."""
        if "autoscaling" in self.arn or "autoscaling" in self.action or "CreateAutoScalingGroup" in self.operation:
            self.iam.create_instance_profile(InstanceProfileName="web")
            self.iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="fn")
            data = {"ImageId": "ami-12c6146b", "IamInstanceProfile": {"Name": "web"}}
            ec2 = self.lab.admin("ec2")
            ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
        if self.operation == "HeadObject":
            self.lab.admin("s3").create_bucket(Bucket="x" * 3)
        if self.arn.startswith("arn:aws:s3:::"):
            bucket = self.arn.removeprefix("arn:aws:s3:::").partition("/")[0]
            s3 = self.lab.admin("s3")
            s3.create_bucket(Bucket=bucket)
            if "resource-based policy" in self.text:
                refusing = deny("s3:*", [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"], Principal={"AWS": "*"})
                condition = {"ArnNotLike": {"aws:PrincipalArn": "*:root"}, "StringNotLike": {"aws:username": "admin*"}}
                s3.put_bucket_policy(Bucket=bucket, Policy=document(refusing | {"Condition": condition}))


def played(row: dict[str, Any], lab: Lab) -> tuple[str, str]:
    """Code and text of what the lab answers, identifiers made neutral as in the data."""
    name = f"{row['service']}:{row['operation']}"
    service = BOTO3_NAMES.get(name, BOTO3_NAMES.get(row["service"], row["service"]))
    with lab.aws.rehearsal():
        situation = Situation(lab, row)
        situation.resources()
        caller = situation.caller()
        if "service control policy" in row["text"] or "resource control policy" in row["text"]:
            situation.control("SERVICE_CONTROL_POLICY" if "service" in row["text"] else "RESOURCE_CONTROL_POLICY")
        client = lab.client(caller, service)
        method = boto3_method(client, row["operation"])
        given = parameters(client, row["operation"], situation.arn, situation.action)
        try:
            getattr(client, method)(**given)
        except ClientError as error:
            said = error.response["Error"]
            return said["Code"], neutral(said["Message"])
    return "-", "done"


def boto3_method(client: Any, operation: str) -> str:
    return next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation)


def neutral(text: str) -> str:
    text = re.sub(r"(Encoded authorization failure message: ).*", r"\1<ENCODED>", text)
    return re.sub(r"organizations::\d+:policy/o-\w+/(\w+)/p-\w+", r"organizations::ORG:policy/o-ID/\1/p-ID", text)


def same(row: dict[str, Any], said: tuple[str, str]) -> bool:
    """Before 2022 AWS gave no reasons, before 2026 no policy's ARN: of such texts the beginning counts.

    CloudTrail shows some codes shortened.
    """
    code, text = said
    wanted = row["text"].rstrip()
    old = row["year"] <= 2022 and not re.search("because no|with an explicit deny in a", wanted)
    old = old or (row["year"] < 2026 and bool(re.search("with an explicit deny in a", wanted)))
    shortened = "as CloudTrail shows it" in row["cause"]
    return (code.removesuffix("Exception") if shortened else code) == row["code"] and (
        text.startswith(wanted) if old else text == wanted
    )


ROWS = [pytest.param(row, id=f"{row['n']}-{row['service']}:{row['operation']}") for row in rows()]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Cloud.start() as aws:
        yield Lab(aws)


@pytest.mark.skipif(not ROWS, reason="the collection of AWS's refusals is not beside the project")
@pytest.mark.parametrize("row", ROWS)
def test_what_aws_prints_is_what_the_lab_prints(row: dict[str, Any], lab: Lab) -> None:
    said = played(row, lab)
    if row["n"] in ARGUED:
        assert not same(row, said), "no longer to be argued"
        return
    assert same(row, said), f"\nAWS: {row['code']} {row['text']}\nlab: {said[0]} {said[1]}"


@pytest.mark.skipif(not ROWS, reason="the collection of AWS's refusals is not beside the project")
def test_at_least_ninety_five_of_a_hundred_are_said_alike() -> None:
    """The rows above are compared one by one; this is their share."""
    numbers = [row["n"] for row in rows()]
    alike = [number for number in numbers if number not in ARGUED]
    print(f"{len(alike)} of {len(numbers)} refusals of AWS are said to the letter")
    assert len(alike) >= 0.95 * len(numbers)
