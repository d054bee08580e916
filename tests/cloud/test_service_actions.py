"""Every other service: the action and the resource come from the API's model and AWS's own reference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import moto.backends
import pytest
from moto.core.utils import get_service_model

from simlib import Cloud
from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.permissions import service_table
from simlib.cloud.permissions.call_permissions import EXACT, permissions_of
from simlib.cloud.storage import resources
from simlib.cloud.transport import protocols
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.protocols import protocol_of
from simlib.cloud.transport.wire import RawRequest
from simlib.iam import service_data

from .conftest import allow, deny, document, new_user, refused, trust
from .test_functions import zipped

ROOT = "arn:aws:{}:us-east-1:111111111111:"
LATER = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=9.5)
ME = Caller("arn:aws:iam::111111111111:user/me", "111111111111", "AIDA", "AKIA", None)


@pytest.fixture(scope="module")
def aws() -> Iterator[Cloud]:
    """One world for all: nothing is done in it."""
    with Cloud.start() as world:
        yield world


def call_of(service: str, operation: str, parameters: dict[str, Any]) -> Call:
    return Call(RawRequest("GET", "/"), service, operation, parameters, "us-east-1", protocol_of(service))


# service, operation, what it is given, what it asks for
CASES: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    ("logs", "CreateLogStream", {"logGroupName": "/app", "logStreamName": "s"},
     [("logs:CreateLogStream", "log-group:/app:log-stream:s")]),
    ("logs", "CreateLogGroup", {"logGroupName": "/app"}, [("logs:CreateLogGroup", "log-group:/app:log-stream:")]),
    ("logs", "DescribeLogGroups", {}, [("logs:DescribeLogGroups", "log-group::log-stream:")]),
    ("ssm", "GetParameter", {"Name": "/app/db"}, [("ssm:GetParameter", "parameter/app/db")]),
    ("ssm", "GetParameters", {"Names": ["/a", "b"]},
     [("ssm:GetParameters", "parameter/a"), ("ssm:GetParameters", "parameter/b")]),
    ("events", "PutRule", {"Name": "nightly"}, [("events:PutRule", "rule/nightly")]),
    ("events", "PutRule", {"Name": "nightly", "EventBusName": "mine"}, [("events:PutRule", "rule/mine/nightly")]),
    ("stepfunctions", "StartExecution", {"stateMachineArn": ROOT.format("states") + "stateMachine:m"},
     [("states:StartExecution", "stateMachine:m")]),
    ("ecr", "PutImage", {"repositoryName": "app"}, [("ecr:PutImage", "repository/app")]),
    ("kinesis", "PutRecord", {"StreamName": "clicks"}, [("kinesis:PutRecord", "stream/clicks")]),
    ("cloudwatch", "PutMetricData", {"Namespace": "x"}, [("cloudwatch:PutMetricData", "*")]),
    ("ecs", "DescribeClusters", {"clusters": ["a", "b"]},
     [("ecs:DescribeClusters", "cluster/a"), ("ecs:DescribeClusters", "cluster/b")]),
    ("rds", "DeleteDBInstance", {"DBInstanceIdentifier": "db1"}, [("rds:DeleteDBInstance", "db:db1")]),
    ("sns", "PublishBatch", {"TopicArn": ROOT.format("sns") + "news"}, [("sns:Publish", "news")]),
    ("sns", "Publish", {"PhoneNumber": "+1"}, [("sns:Publish", "+1")]),
    ("sqs", "CreateQueue", {"QueueName": "jobs"}, [("sqs:CreateQueue", "jobs")]),
    ("sqs", "SendMessage", {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/111111111111/jobs"},
     [("sqs:SendMessage", "jobs")]),
    ("dynamodb", "CreateTable", {"TableName": "t"}, [("dynamodb:CreateTable", "table/t")]),
    ("dynamodb", "ListTables", {}, [("dynamodb:ListTables", "table/*")]),
    ("dynamodb", "BatchGetItem", {"RequestItems": {}}, [("dynamodb:BatchGetItem", "*")]),
    ("resourcegroupstaggingapi", "GetResources", {}, [("tag:GetResources", "*")]),
    ("iot-data", "GetThingShadow", {"thingName": "lamp"}, [("iot:GetThingShadow", "thing/lamp")]),
    ("eks", "DescribeAccessEntry", {"clusterName": "c", "principalArn": "arn:aws:iam::111111111111:role/ops/deploy"},
     [("eks:DescribeAccessEntry", "access-entry/c/role/111111111111/deploy/*")]),
    ("athena", "StartQueryExecution", {"WorkGroup": "primary"}, [("athena:StartQueryExecution", "workgroup/primary")]),
    ("sesv2", "SendEmail", {"FromEmailAddress": "x"}, [("ses:SendEmail", "*")]),
    ("lambda", "UpdateFunctionCode", {"FunctionName": "f"}, [("lambda:UpdateFunctionCode", "function:f")]),
    ("lambda", "Invoke", {"FunctionName": "222222222222:function:f", "Qualifier": "live"},
     [("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:222222222222:function:f:live")]),
    ("lambda", "ListFunctions", {}, [("lambda:ListFunctions", "*")]),
    ("secretsmanager", "CreateSecret", {"Name": "db"}, [("secretsmanager:CreateSecret", "secret:db-??????")]),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "given", "asked"), CASES, ids=[f"{c[0]}:{c[1]}" for c in CASES])
def test_what_a_call_asks_for(
    aws: Cloud, dev: Any, service: str, operation: str, given: dict[str, Any], asked: list[tuple[str, str]]
) -> None:
    prefix = ROOT.format(asked[0][0].partition(":")[0])
    expected = [
        (action, what if what in ("*", "+1") or what.startswith("arn:") else prefix + what) for action, what in asked
    ]
    got = permissions_of(call_of(service, operation, given), ME)
    assert [(one.action, one.resource) for one in got] == expected


# service, operation, what it is given, condition keys of the first resource it asks about
KEYS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "a name becomes an ARN": ("ecs", "UpdateService", {"cluster": "main", "service": "web"},
                              {"ecs:cluster": ROOT.format("ecs") + "cluster/main"}),
    "also one that is left out": ("ecs", "RunTask", {"taskDefinition": "web:1"},
                                  {"ecs:cluster": ROOT.format("ecs") + "cluster/default"}),
    "a member farther down": ("lambda", "CreateFunction", {"FunctionName": "f", "VpcConfig": {"SubnetIds": ["s-1"]}},
                              {"lambda:SubnetIds": ["s-1"]}),
    "named by its path": ("codebuild", "CreateProject", {"name": "p", "vpcConfig": {"vpcId": "vpc-1"}},
                          {"codebuild:vpcConfig.vpcId": "vpc-1"}),
    "what a build has otherwise": ("codebuild", "StartBuild", {"projectName": "p", "sourceLocationOverride": "here"},
                                   {"codebuild:source.location": "here"}),
    "a key of the type of resources": ("rds", "CreateDBInstance", {"DBInstanceIdentifier": "d", "Engine": "mysql"},
                                       {"rds:DatabaseEngine": "mysql"}),
    "names in several members": ("acm", "RequestCertificate", {
        "DomainName": "a.example", "SubjectAlternativeNames": ["b.example"]},
        {"acm:DomainNames": ["a.example", "b.example"]}),
    "one name alone": ("acm", "RequestCertificate", {"DomainName": "a.example"}, {"acm:DomainNames": ["a.example"]}),
    "what is said to be false": ("sagemaker", "CreateTrainingJob", {
        "TrainingJobName": "j", "EnableNetworkIsolation": False}, {"sagemaker:NetworkIsolation": "false"}),
    "what a job of many has": ("sagemaker", "CreateHyperParameterTuningJob", {"TrainingJobDefinition": {
        "EnableNetworkIsolation": False, "VpcConfig": {"Subnets": ["s-1"]}, "OutputDataConfig": {"KmsKeyId": "k"},
        "InputDataConfig": [{"DataSource": {"FileSystemDataSource": {"DirectoryPath": "/a"}}}]}},
        {"sagemaker:NetworkIsolation": "false", "sagemaker:VpcSubnets": ["s-1"],
         "sagemaker:OutputKmsKeyArn": ROOT.format("kms") + "key/k", "sagemaker:FileSystemDirectoryPath": ["/a"]}),
    "a notebook's start-up script": ("sagemaker", "CreateNotebookInstance", {"LifecycleConfigName": "lc"}, {
        "sagemaker:NotebookInstanceLifecycleConfigArns": [
            ROOT.format("sagemaker") + "notebook-instance-lifecycle-config/lc"]}),
    "each model of an endpoint": ("sagemaker", "CreateEndpointConfig", {
        "ProductionVariants": [{"ModelName": "a"}, {"ModelName": "b"}], "KmsKeyId": "k"},
        {"sagemaker:ModelArn": [ROOT.format("sagemaker") + "model/" + name for name in "ab"],
         "sagemaker:VolumeKmsKeyArn": ROOT.format("kms") + "key/k"}),
    "settings of a domain's users": ("sagemaker", "CreateDomain", {"DefaultUserSettings": {
        "SharingSettings": {"S3KmsKeyId": "k"}, "JupyterLabAppSettings": {
            "DefaultResourceSpec": {"LifecycleConfigArn": "one", "SageMakerImageArn": "i"},
            "LifecycleConfigArns": ["two"]}}},
        {"sagemaker:StudioLifecycleConfigArns": ["one", "two"], "sagemaker:ImageArns": ["i"],
         "sagemaker:DomainSharingOutputKmsKey": "k"}),
    "whose a space is": ("sagemaker", "CreateSpace", {
        "DomainId": "d", "OwnershipSettings": {"OwnerUserProfileName": "u"}, "SpaceSharingSettings": {
            "SharingType": "Private"}},
        {"sagemaker:OwnerUserProfileArn": ROOT.format("sagemaker") + "user-profile/d/u",
         "sagemaker:SpaceSharingType": "Private"}),
    "another name than the member's": ("eks", "CreateCluster", {"name": "c", "version": "1.33"},
                                       {"eks:kubernetesVersion": "1.33"}),
    "a version is given": ("autoscaling", "CreateAutoScalingGroup", {"AutoScalingGroupName": "g", "LaunchTemplate": {
        "LaunchTemplateName": "t", "Version": "1"}}, {"autoscaling:LaunchTemplateVersionSpecified": "true"}),
    "a version is left out": ("autoscaling", "CreateAutoScalingGroup", {"AutoScalingGroupName": "g", "LaunchTemplate": {
        "LaunchTemplateName": "t"}}, {"autoscaling:LaunchTemplateVersionSpecified": "false"}),
    "an attribute and its value": ("ec2", "ModifyInstanceAttribute", {
        "InstanceId": "i-0123456789abcdef0", "DisableApiTermination": {"Value": True}, "DryRun": False},
        {"ec2:Attribute": ["DisableApiTermination"], "ec2:Attribute/DisableApiTermination": "true"}),
    "an attribute by its name": ("ec2", "ModifyInstanceAttribute", {
        "InstanceId": "i-0123456789abcdef0", "Attribute": "instanceType", "Value": "t3.large"},
        {"ec2:Attribute/instanceType": "t3.large", "ec2:Attribute/Attribute": None}),
    "attributes without a shape": ("ec2", "ModifyInstanceMetadataOptions", {
        "InstanceId": "i-0123456789abcdef0", "HttpTokens": "optional"}, {"ec2:Attribute/HttpTokens": "optional"}),
    "whom a snapshot is shared with": ("ec2", "ModifySnapshotAttribute", {
        "SnapshotId": "snap-0123456789abcdef0", "CreateVolumePermission": {"Add": [{"Group": "all"}]}},
        {"ec2:Add/group": ["all"], "ec2:Remove/group": None, "ec2:Attribute": ["CreateVolumePermission"]}),
    "the same in the older form": ("ec2", "ModifySnapshotAttribute", {
        "SnapshotId": "snap-0123456789abcdef0", "Attribute": "createVolumePermission", "OperationType": "remove",
        "GroupNames": ["all"]}, {"ec2:Remove/group": ["all"], "ec2:Add/group": None}),
    "the type of a new policy": ("organizations", "CreatePolicy", {"Type": "SERVICE_CONTROL_POLICY"},
                                 {"organizations:PolicyType": "SERVICE_CONTROL_POLICY"}),
    "how long an object is kept": ("s3", "PutObjectRetention", {
        "Bucket": "b", "Key": "k", "Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": LATER}},
        {"s3:object-lock-mode": "GOVERNANCE", "s3:object-lock-remaining-retention-days": "9"}),
    "whether an object is made": ("s3", "UploadPart", {"Bucket": "b", "Key": "k"},
                                  {"s3:ObjectCreationOperation": "false"}),
    "of several records": ("route53", "ChangeResourceRecordSets", {"HostedZoneId": "Z", "ChangeBatch": {"Changes": [
        {"Action": "CREATE", "ResourceRecordSet": {"Name": "a", "Type": "TXT"}}]}},
        {"route53:ChangeResourceRecordSetsRecordTypes": ["TXT"]}),
    "the end of a path": ("codebuild", "StartBuild", {"projectName": "p", "imageOverride": "img"},
                          {"codebuild:environment.image": "img", "codebuild:environment.computeType": None}),
    "an override farther down": ("codebuild", "StartBuild", {
        "projectName": "p", "sourceAuthOverride": {"type": "OAUTH"}}, {"codebuild:source.auth.type": "OAUTH"}),
    "whether a structure is there": ("codebuild", "CreateProject", {"name": "p", "vpcConfig": {"vpcId": "vpc-1"}},
                                     {"codebuild:vpcConfig": "true", "codebuild:cache": None}),
    "each of a list by its name": ("codebuild", "StartBuild", {
        "projectName": "p", "environmentVariablesOverride": [{"name": "STAGE", "value": "BETA"}]},
        {"codebuild:environment.environmentVariables/STAGE.value": "BETA",
         "codebuild:environment.environmentVariables": "true"}),
    "tags by the service's own name": ("rds", "AddTagsToResource", {
        "ResourceName": ROOT.format("rds") + "db:d", "Tags": [{"Key": "team", "Value": "blue"}]},
        {"rds:req-tag/team": "blue"}),
    "a list that is sent as a text": ("autoscaling", "UpdateAutoScalingGroup", {
        "AutoScalingGroupName": "g", "VPCZoneIdentifier": "subnet-1,subnet-2"},
        {"autoscaling:VPCZoneIdentifiers": ["subnet-1", "subnet-2"]}),
    "what a rule's pattern says": ("events", "PutRule", {
        "Name": "r", "EventPattern": '{"source": ["aws.ec2", {"prefix": "my"}], "detail": {"service": ["EC2"]}}'},
        {"events:source": ["aws.ec2"], "events:detail.service": ["EC2"], "events:detail-type": None}),
    "a pattern that is no JSON": ("events", "PutRule", {"Name": "r", "EventPattern": "{"}, {"events:source": None}),
    "an endpoint's type": ("apigateway", "CreateRestApi", {
        "name": "a", "endpointConfiguration": {"types": ["PRIVATE"]}, "disableExecuteApiEndpoint": False},
        {"apigateway:Request/EndpointType": ["PRIVATE"], "apigateway:Request/ApiName": "a",
         "apigateway:Request/DisableExecuteApiEndpoint": "false"}),
    "a stage that is patched": ("apigateway", "UpdateStage", {
        "restApiId": "a", "stageName": "live", "patchOperations": [
            {"op": "replace", "path": "/accessLogSettings/format", "value": "$context.requestId"}]},
        {"apigateway:Request/AccessLoggingFormat": "$context.requestId", "apigateway:Request/ApiName": None}),
    "what a new key is unless said otherwise": ("kms", "CreateKey", {}, {
        "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT", "kms:MultiRegion": "false",
        "kms:CallerAccount": "111111111111"}),
    "a constraint of a grant": ("kms", "CreateGrant", {
        "KeyId": "k", "Constraints": {"EncryptionContextSubset": {"a": "b"}}},
        {"kms:GrantConstraintType": "EncryptionContextSubset"}),
    "a database that is not encrypted": ("rds", "CreateDBInstance", {"DBInstanceIdentifier": "d", "Engine": "mysql"},
                                         {"rds:StorageEncrypted": "false"}),
    "a tunnel": ("ec2", "CreateVpnConnection", {"Options": {"StaticRoutesOnly": True, "TunnelOptions": [
        {"TunnelInsideCidr": "169.254.1.0/30", "IKEVersions": [{"Value": "ikev2"}]}]}},
        {"ec2:InsideTunnelCidr": ["169.254.1.0/30"], "ec2:IKEVersions": ["ikev2"],
         "ec2:RoutingType": "Static Routing"}),
    "limits of a cache": ("elasticache", "CreateServerlessCache", {
        "ServerlessCacheName": "c", "Engine": "redis", "CacheUsageLimits": {"DataStorage": {"Maximum": 5}}},
        {"elasticache:MaximumDataStorage": "5", "elasticache:EngineType": "redis"}),
}  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "given", "keys"), KEYS.values(), ids=KEYS.keys())
def test_a_calls_members_are_its_condition_keys(
    aws: Cloud, dev: Any, service: str, operation: str, given: dict[str, Any], keys: dict[str, Any]
) -> None:
    asked = permissions_of(call_of(service, operation, given), ME)[0]
    assert {key: asked.context.get(key) for key in keys} == keys


def test_each_job_of_many_is_asked_about(aws: Cloud, dev: Any) -> None:
    given = {"HyperParameterTuningJobName": "j", "TrainingJobDefinitions": [
        {"EnableNetworkIsolation": True}, {"EnableNetworkIsolation": False}]}  # fmt: skip
    asked = permissions_of(call_of("sagemaker", "CreateHyperParameterTuningJob", given), ME)
    assert {one.resource for one in asked} == {ROOT.format("sagemaker") + "hyper-parameter-tuning-job/j"}
    assert {one.context.get("sagemaker:NetworkIsolation") for one in asked} == {None, "true", "false"}


def test_a_policy_of_an_organization_has_a_type(aws: Cloud, dev: Any) -> None:
    organizations = dev.admin.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_policy(
        Name="p", Description="", Type="SERVICE_CONTROL_POLICY", Content=document(deny("s3:*"))
    )
    given = {"PolicyId": made["Policy"]["PolicySummary"]["Id"]}
    asked = permissions_of(call_of("organizations", "DeletePolicy", given), ME)[0]
    assert asked.context["organizations:PolicyType"] == "SERVICE_CONTROL_POLICY"


def test_a_function_is_in_the_vpcs_of_its_subnets(aws: Cloud, dev: Any) -> None:
    ec2 = dev.admin.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    for subnets, found in ([subnet], [vpc]), (["subnet-0123456789abcdef0"], None):
        given = {"FunctionName": "f", "VpcConfig": {"SubnetIds": subnets}}
        asked = permissions_of(call_of("lambda", "CreateFunction", given), ME)[0]
        assert asked.context.get("lambda:VpcIds") == found


THERE: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "a key of KMS": ("kms", "DescribeKey", {"KeyId": "alias/own"}, {
        "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT", "kms:KeyOrigin": "AWS_KMS",
        "kms:MultiRegion": "false", "kms:ResourceAliases": ["alias/own"]}),
    "a ciphertext under the same key": ("kms", "ReEncrypt", {
        "SourceKeyId": "alias/own", "DestinationKeyId": "alias/own"}, {"kms:ReEncryptOnSameKey": "true"}),
    "a database": ("rds", "StopDBInstance", {"DBInstanceIdentifier": "d"}, {
        "rds:DatabaseEngine": "mysql", "rds:DatabaseClass": "db.t3.micro"}),
    "a database that becomes larger": ("rds", "ModifyDBInstance", {
        "DBInstanceIdentifier": "d", "DBInstanceClass": "db.r5.large"}, {"rds:DatabaseClass": "db.r5.large"}),
    "a function with an address": ("lambda", "GetFunctionUrlConfig", {"FunctionName": "f"},
                                   {"lambda:FunctionUrlAuthType": "AWS_IAM"}),
    "an event source mapping": ("lambda", "DeleteEventSourceMapping", {"UUID": "@"},
                                {"lambda:FunctionArn": ROOT.format("lambda") + "function:f"}),
    "a SELECT of one partition": ("dynamodb", "ExecuteStatement", {"Statement": "SELECT * FROM t WHERE a=1 AND id='1'"},
                                  {"dynamodb:FullTableScan": "false", "dynamodb:EnclosingOperation": None}),
    "of several": ("dynamodb", "ExecuteStatement", {"Statement": "select * from \"t\" where \"id\" in ['1', '2']"},
                   {"dynamodb:FullTableScan": "false"}),
    "of one, or of something else": ("dynamodb", "ExecuteStatement", {
        "Statement": "SELECT * FROM t WHERE id = '1' OR a = '2'"}, {"dynamodb:FullTableScan": "true"}),
    "of everything": ("dynamodb", "ExecuteStatement", {"Statement": "SELECT id FROM t"},
                      {"dynamodb:FullTableScan": "true"}),
    "of one partition of an index": ("dynamodb", "ExecuteStatement", {
        "Statement": 'SELECT * FROM "t"."by-day" WHERE day = ?'}, {"dynamodb:FullTableScan": "false"}),
    "of an index by the table's key": ("dynamodb", "ExecuteStatement", {
        "Statement": 'SELECT * FROM "t"."by-day" WHERE id = ?'}, {"dynamodb:FullTableScan": "true"}),
    "a query of an index": ("dynamodb", "Query", {
        "TableName": "t", "IndexName": "by-day", "KeyConditionExpression": "#d = :d",
        "ExpressionAttributeNames": {"#d": "day"}, "ExpressionAttributeValues": {":d": {"S": "monday"}}},
        {"dynamodb:LeadingKeys": ["monday"]}),
    "of what looks like one partition": ("dynamodb", "ExecuteStatement", {
        "Statement": "SELECT * FROM t WHERE a = ' WHERE id = ''1'"}, {"dynamodb:FullTableScan": "true"}),
    "PartiQL in a transaction": ("dynamodb", "ExecuteTransaction", {
        "TransactStatements": [{"Statement": "DELETE FROM t WHERE id = '1'"}]},
        {"dynamodb:EnclosingOperation": "ExecuteTransaction", "dynamodb:FullTableScan": None}),
}  # fmt: skip


@pytest.fixture(scope="module")
def mapping(aws: Cloud) -> str:
    """The things that `THERE` speaks of; the ID of an event source mapping."""
    client = aws.account("dev").admin.client
    kms, functions, queue = client("kms"), client("lambda"), ROOT.format("sqs") + "jobs"
    kms.create_alias(AliasName="alias/own", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    client("rds").create_db_instance(DBInstanceIdentifier="d", DBInstanceClass="db.t3.micro", Engine="mysql")
    trusted = trust({"Service": "lambda.amazonaws.com"})
    role = client("iam").create_role(RoleName="f", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    code = {"ZipFile": zipped(app="")}
    functions.create_function(FunctionName="f", Runtime="python3.12", Role=role, Handler="app.h", Code=code)
    functions.create_function_url_config(FunctionName="f", AuthType="AWS_IAM")
    client("sqs").create_queue(QueueName="jobs")
    client("dynamodb").create_table(
        TableName="t", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "day")],
        GlobalSecondaryIndexes=[{"IndexName": "by-day", "Projection": {"ProjectionType": "ALL"},
                                 "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}]}],
    )  # fmt: skip
    return str(functions.create_event_source_mapping(FunctionName="f", EventSourceArn=queue)["UUID"])


@pytest.mark.parametrize(("service", "operation", "given", "keys"), THERE.values(), ids=THERE.keys())
def test_what_is_there_has_condition_keys(
    mapping: str, aws: Cloud, service: str, operation: str, given: dict[str, Any], keys: dict[str, Any]
) -> None:
    given = {member: mapping if value == "@" else value for member, value in given.items()}
    asked = permissions_of(call_of(service, operation, given), ME)[0]
    assert {key: asked.context.get(key) for key in keys} == keys


def test_an_api_and_its_parts_have_condition_keys(aws: Cloud, dev: Any) -> None:
    api = dev.admin.client("apigatewayv2")
    made = api.create_api(Name="shop", ProtocolType="HTTP", Tags={"team": "blue"})["ApiId"]
    authorizer = api.create_authorizer(
        ApiId=made, Name="a", AuthorizerType="JWT", IdentitySource=["x"], JwtConfiguration={"Issuer": "https://i"}
    )["AuthorizerId"]
    route = api.create_route(ApiId=made, RouteKey="GET /", AuthorizationType="NONE", ApiKeyRequired=True)["RouteId"]
    api.create_stage(ApiId=made, StageName="live", AccessLogSettings={"DestinationArn": "arn:l", "Format": "f"})

    def context(operation: str, **given: Any) -> dict[str, Any]:
        (asked,) = permissions_of(call_of("apigatewayv2", operation, {"ApiId": made, **given}), ME)
        prefix = "apigateway:Resource/"
        return {key.removeprefix(prefix): asked.context[key] for key in asked.context if key.startswith(prefix)}

    of_api = {"ApiName": "shop", "AuthorizerType": ["JWT"], "ApiKeyRequired": ["true"], "DisableExecuteApiEndpoint":
              "false", "RouteAuthorizationType": ["NONE"]}  # fmt: skip
    assert context("GetApi") == of_api
    assert context("GetAuthorizer", AuthorizerId=authorizer) == {"AuthorizerType": ["JWT"]}
    assert context("GetRoute", RouteId=route) == {"ApiKeyRequired": ["true"], "RouteAuthorizationType": ["NONE"]}
    logging = {"AccessLoggingDestination": "arn:l", "AccessLoggingFormat": "f"}
    assert context("GetStage", StageName="live") == logging
    assert context("GetStage", StageName="test") == context("GetRoutes") == {}
    assert resources.tags_of(f"arn:aws:apigateway:us-east-1::/apis/{made}", "111111111111") == {"team": "blue"}


def test_what_a_launch_template_says_is_told_from_what_the_call_says(dev: Any, aws: Cloud) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-template-permissions.html"""
    data = {"ImageId": "ami-12c6146b", "InstanceType": "t3.micro", "KeyName": "k"}
    made = dev.admin.client("ec2").create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    template = f"{ROOT.format('ec2')}launch-template/{made['LaunchTemplate']['LaunchTemplateId']}"

    def own(**more: Any) -> dict[str, Any]:
        given = {"LaunchTemplate": {"LaunchTemplateName": "web"}, "MinCount": 1, **more}
        asked = permissions_of(call_of("ec2", "RunInstances", given), ME)
        assert {one.context["ec2:LaunchTemplate"] for one in asked} == {template}
        return {one.resource.rpartition(":")[2]: one.context["ec2:IsLaunchTemplateResource"] for one in asked}

    assert set(own().values()) == {"true"}
    overridden = own(InstanceType="m5.large", ImageId="ami-03cf127a")
    assert (overridden["instance/*"], overridden["image/ami-03cf127a"], overridden["key-pair/k"]) == (
        "false", "false", "true",
    )  # fmt: skip


def _names(call: Call, aws: Cloud) -> set[str]:
    return {one.resource.rpartition(":")[2] for one in permissions_of(call, ME)}


def test_interfaces_of_a_new_instance_say_where_it_will_be(dev: Any, aws: Cloud) -> None:
    interfaces = [{"DeviceIndex": 0, "SubnetId": "subnet-1", "Groups": ["sg-1", "sg-2"]}]
    disks = [{"Ebs": {"SnapshotId": "snap-1"}}]
    given = {"ImageId": "ami-1", "NetworkInterfaces": interfaces, "BlockDeviceMappings": disks}
    asked = _names(call_of("ec2", "RunInstances", given), aws)
    assert {"subnet/subnet-1", "security-group/sg-1", "security-group/sg-2", "snapshot/snap-1"} <= asked
    assert not {"subnet/*", "security-group/*"} & asked
    attached = {"ImageId": "ami-1", "NetworkInterfaces": [{"DeviceIndex": 0, "NetworkInterfaceId": "eni-1"}]}
    asked = _names(call_of("ec2", "RunInstances", attached), aws)
    assert "network-interface/eni-1" in asked


def test_a_key_that_describes_another_type_of_resources_is_left_out(aws: Cloud, dev: Any) -> None:
    asked = permissions_of(call_of("ec2", "RunInstances", {"ImageId": "ami-1", "InstanceType": "t3.micro"}), ME)
    kinds = {one.resource.rpartition(":")[2].partition("/")[0]: one.context for one in asked}
    assert [kind for kind in kinds if "ec2:InstanceType" in kinds[kind]] == ["instance"]
    assert [kind for kind in kinds if "ec2:ImageID" in kinds[kind]] == ["image"]


def test_api_gateways_actions_are_the_methods_of_http(aws: Cloud) -> None:
    (asked,) = permissions_of(call_of("apigateway", "GetRestApi", {"restApiId": "abc"}), ME)
    assert (asked.action, asked.resource) == ("apigateway:GET", "arn:aws:apigateway:us-east-1::/restapis/abc")


PASSING: list[tuple[str, str, dict[str, Any], str]] = [
    ("ecs", "RegisterTaskDefinition", {"taskRoleArn": "@", "executionRoleArn": "@"}, "ecs-tasks.amazonaws.com"),
    ("stepfunctions", "CreateStateMachine", {"name": "m", "roleArn": "@"}, "states.amazonaws.com"),
    ("glue", "CreateJob", {"Name": "j", "Role": "@"}, "glue.amazonaws.com"),
    ("events", "PutTargets", {"Rule": "r", "Targets": [{"Id": "1", "RoleArn": "@"}]}, "events.amazonaws.com"),
    ("s3", "PutBucketReplication", {"Bucket": "b", "ReplicationConfiguration": {"Role": "@"}}, "s3.amazonaws.com"),
    ("cloudformation", "CreateStack", {"StackName": "s", "RoleARN": "@"}, "cloudformation.amazonaws.com"),
    ("cognito-idp", "CreateUserPool", {"PoolName": "p", "SmsConfiguration": {"SnsCallerArn": "@"}},
     "cognito-idp.amazonaws.com"),
    ("apigateway", "PutIntegration", {"restApiId": "a", "resourceId": "r", "httpMethod": "GET", "credentials": "@"},
     "apigateway.amazonaws.com"),
    ("apigatewayv2", "CreateAuthorizer", {"ApiId": "a", "Name": "n", "AuthorizerCredentialsArn": "@"},
     "apigateway.amazonaws.com"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "given", "to"), PASSING, ids=[f"{c[0]}:{c[1]}" for c in PASSING])
def test_whoever_hands_over_a_role_passes_it(
    aws: Cloud, dev: Any, service: str, operation: str, given: Any, to: str
) -> None:
    role = "arn:aws:iam::111111111111:role/worker"
    filled = _replaced(given, role)
    last = permissions_of(call_of(service, operation, filled), ME)[-1]
    assert (last.action, last.resource, last.context["iam:PassedToService"]) == ("iam:PassRole", role, to)


def test_whoever_runs_a_task_passes_the_roles_of_its_definition(aws: Cloud, dev: Any) -> None:
    ecs = dev.admin.client("ecs")
    task, execution, other = (f"arn:aws:iam::111111111111:role/{name}" for name in ("task", "execution", "other"))
    container = [{"name": "a", "image": "a", "memory": 128}]
    ecs.register_task_definition(
        family="web", containerDefinitions=container, taskRoleArn=task, executionRoleArn=execution
    )

    def passed(**given: Any) -> list[str]:
        asked = permissions_of(call_of("ecs", "RunTask", {"taskDefinition": "web:1", **given}), ME)
        return [one.resource for one in asked if one.action == "iam:PassRole"]

    assert passed() == passed(taskDefinition="web") == [execution, task]
    assert passed(overrides={"taskRoleArn": other}) == [execution, other]
    assert passed(taskDefinition="web:2") == passed(taskDefinition="api") == []


def test_whoever_rotates_a_secret_invokes_the_function(aws: Cloud, dev: Any) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html"""
    function = ROOT.format("lambda") + "function:rotate"
    given = {"SecretId": "db", "RotationLambdaARN": function}
    asked = permissions_of(call_of("secretsmanager", "RotateSecret", given), ME)[1:]
    assert [(one.action, one.resource, one.label) for one in asked] == [("lambda:InvokeFunction", function, None)]


def _replaced(value: Any, role: str) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, role) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, role) for item in value]
    return role if value == "@" else value


def services() -> Iterator[str]:
    """botocore's names of all services moto has."""
    plain = {name.replace("-", ""): name for name in protocols.service_metadata()}
    for module in moto.backends.list_of_moto_modules():
        if service := plain.get({"awslambda": "lambda"}.get(module, module)):
            yield service


def test_every_service_of_moto_has_a_prefix_that_policies_know() -> None:
    found = list(services())
    assert len(found) > 140
    assert [name for name in found if service_data.service(service_table.prefix_of(name).lower()) is None] == []
    assert set(EXACT) <= {*found, "dynamodbstreams"}


def test_no_operation_of_any_service_asks_for_nothing(aws: Cloud, dev: Any) -> None:
    for service in services():
        model = get_service_model(service)
        for operation in model.operation_names if service != "sts" else ():
            asked = permissions_of(call_of(service, operation, {}), ME)
            assert asked or operation == "DeleteObjects", f"{service}:{operation}"
            assert all(one.action.partition(":")[2] for one in asked)


# Where an exact service asks otherwise than the reference has it, and why.
OTHERWISE = {
    r"apigateway:.*": "the path of the address is the resource",
    r"\w+:.* .*[*:/]": "listing calls, and what is yet to be made, are asked as AWS's refusals print them",
    r"sns:\w*(Endpoint|Platform)\w* .*": "endpoints are asked by their application, as AWS's refusals print it",
    r"ecs:(Run|Start)Task .*": "without a revision where the call names none, as AWS's refusals print it",
    r"logs:DescribeFieldIndexes .*": "as AWS's refusals print it",
    r"eks:(Create|Register)\w+ .*": "what is yet to be made is asked by its name, as AWS's refusals print it",
}


def least(shape: Any, name: str) -> Any:
    """What the least call has in a member: its own name, so that nothing fits by chance."""
    match shape.type_name:
        case "string":
            arn = f"arn:aws:iam::111111111111:{IAM_ARNS[name]}/x" if name in IAM_ARNS else name
            return shape.enum[0] if shape.enum else arn
        case "list":
            return [least(shape.member, name)]
        case "structure":
            return {key: least(shape.members[key], key) for key in shape.required_members}
        case "map":
            return {}
    return 1


IAM_ARNS = {"PolicyArn": "policy", "OpenIDConnectProviderArn": "oidc-provider", "SAMLProviderArn": "saml-provider",
            "SerialNumber": "mfa", "PolicySourceArn": "user", "Arn": "user"}  # fmt: skip


@pytest.mark.parametrize("service", [name for name in EXACT if name not in ("sts", "organizations")])
def test_what_an_exact_service_asks_is_what_the_reference_says(aws: Cloud, dev: Any, service: str) -> None:
    """Every operation that the reference knows is asked on a resource of one of the types that it names there."""
    model, compared, unlike = get_service_model(service), 0, []
    for operation in model.operation_names:
        shape = model.operation_model(operation).input_shape
        given = {key: least(shape.members[key], key) for key in shape.required_members} if shape is not None else {}
        if "AliasName" in given:
            given["AliasName"] = "alias/x"
        for asked in permissions_of(call_of(service, operation, given), ME):
            action = service_table.reference_of(asked.action)
            if action is None or asked.resource == "*":  # newer than the reference, or without a resource
                continue
            reference = service_data.service(asked.action.partition(":")[0])
            assert reference is not None
            patterns = [fnmatch_of(reference.resource_types[kind].arn) for kind in action.resource_types]
            said = f"{asked.action} {asked.resource}"
            compared += 1
            if not any(re.fullmatch(each, asked.resource) for each in patterns):
                unlike += [said] if not any(re.fullmatch(each, said) for each in OTHERWISE) else []
    assert unlike == []
    assert compared > 0


def everything(shape: Any, name: str, depth: int = 0) -> Any:
    """What the fullest call has in a member, three levels down."""
    match shape.type_name:
        case "string" if name.lower() == "role" or name.lower().endswith(("rolearn", "permissionarn")):
            return "arn:aws:iam::111111111111:role/worker"
        case "list":
            return [everything(shape.member, name, depth)]
        case "structure":
            return {key: everything(shape.members[key], key, depth + 1) for key in shape.members if depth < 3}
        case "map":
            return {"k": everything(shape.value, name, depth + 1)}
        case "boolean":
            return True
    return least(shape, name)


# Dependent actions of the reference that are not asked, and why.
NOT_ASKED = {
    "iam:AddRoleToInstanceProfile ec2:AssociateIamInstanceProfile ec2:ReplaceIamInstanceProfileAssociation "
    "ec2:RunInstances ec2:RequestSpotInstances": "the instance profile is not there",
    "s3:PutReplicationConfiguration": "only with a role in the configuration, which a deletion has not",
    "sns:CreateTopic sns:SetTopicAttributes sns:CreatePlatformApplication sns:SetPlatformApplicationAttributes "
    "rds:ModifyOptionGroup": "only with a role among the attributes",
    "sagemaker:CreateCluster sagemaker:UpdateCluster ssm:CreateDocument sagemaker:CreateEdgeDeploymentPlan "
    "sagemaker:CreateEdgeDeploymentStage ec2:RequestSpotFleet ec2:EnableFastLaunch": "farther down, or in a document",
    "rds:DeleteDBCluster rds:DeleteDBInstance rds:DeleteTenantDatabase rds:ModifyDBInstance rds:StopDBInstance "
    "rds:PromoteReadReplica": "the tags of a snapshot that is made on the way",
    "dynamodb:SearchVectors": "looks at attributes as other readings do, newer than the reference's list of keys",
}  # fmt: skip


@pytest.mark.parametrize("service", [name for name in EXACT if name != "sts"])
def test_keys_and_dependent_actions_of_an_exact_service_are_the_references(aws: Cloud, dev: Any, service: str) -> None:
    """A call with every member brings no condition key that the reference does not know for one of its actions, and
    asks to pass a role and to tag where the reference says so."""
    model, unlike = get_service_model(service), []
    for operation in model.operation_names:
        shape = model.operation_model(operation).input_shape
        given = {key: everything(member, key) for key, member in shape.members.items()} if shape is not None else {}
        if "AliasName" in given:
            given["AliasName"] = "alias/x"
        asked = permissions_of(call_of(service, operation, given), ME)
        own = service_table.action_of(call_of(service, operation, given))
        if not asked or service_table.reference_of(asked[0].action) is None:  # newer than the reference
            continue
        references = list(filter(None, map(service_table.reference_of, [own, *(one.action for one in asked)])))
        prefix = own.partition(":")[0].lower()
        known = {key.lower() for action in references for key in keys_of(action, prefix)}
        named = " ".join(NOT_ASKED).split()
        for key in {key.lower() for one in asked for key in one.context if key.lower().startswith(f"{prefix}:")}:
            if own not in named and not any(re.fullmatch(fnmatch_of(each), key) for each in known):
                unlike.append(f"{service}:{operation} brings {key}")
        dependent = [name for action in references[:1] for name in action.dependent_actions if TAGS.search(name)]
        needed = {name for name in dependent if name.startswith((f"{prefix}:", "iam:PassRole"))}
        for name in needed - {one.action for one in asked}:
            if own not in named:
                unlike.append(f"{service}:{operation} does not ask {name}")
    assert unlike == []


TAGS = re.compile("^iam:PassRole$|:(?:Add|Create)?Tag(?:s|Resource|sToResource)?$")


def keys_of(action: service_data.Action, prefix: str) -> Iterator[str]:
    yield from action.condition_keys
    if service := service_data.service(prefix.lower()):
        for kind in action.resource_types:
            yield from service.resource_types[kind].condition_keys if kind in service.resource_types else ()


def fnmatch_of(arn: str) -> str:
    return re.sub(r"\\\$\\{\w+\\}|\\\*", ".*", re.escape(arn))


def test_a_name_that_belongs_to_another_member_does_not_hide_what_is_changed(aws: Cloud) -> None:
    """Both the log group and the destination are asked about."""
    destination = ROOT.format("logs") + "destination:mine"
    given = {"logGroupName": "theirs", "destinationArn": destination, "filterName": "f"}
    asked = permissions_of(call_of("logs", "PutSubscriptionFilter", given), ME)
    group = ROOT.format("logs") + "log-group:theirs:log-stream:"
    assert {one.resource for one in asked} == {destination, group}


def test_a_resource_of_its_own_name_is_allowed_and_another_is_not(aws: Cloud, iam: Any, dev: Any) -> None:
    alice = new_user(aws, iam, "alice", allow("ssm:PutParameter", ROOT.format("ssm") + "parameter/app/*")).client("ssm")
    alice.put_parameter(Name="/app/db", Value="x", Type="String")
    code, text = refused(lambda: alice.put_parameter(Name="/other/db", Value="x", Type="String"))
    assert code == "AccessDeniedException"
    assert f"ssm:PutParameter on resource: {ROOT.format('ssm')}parameter/other/db" in text
