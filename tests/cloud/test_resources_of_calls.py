"""A policy that names the resource AWS names lets the call pass, and the refusal prints that resource.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simlib import Cloud

from .conftest import allow, deny, document, new_user, trust

ACCOUNT = "111111111111"
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "KMSAccessDenied",
          "KMS.AccessDeniedException", "KMSAccessDeniedException")  # fmt: skip


def arn(service: str, rest: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:us-east-1:{account}:{rest}"


ME = f"arn:aws:iam::{ACCOUNT}:user/alice"
SEALED = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/sealed"
WORKER = f"arn:aws:iam::{ACCOUNT}:role/worker"
TAG = {"Key": "a", "Value": "b"}
Call = Callable[[Any], Any]
# what, service, call, action, resource in the policy, what the refusal calls it ("" for nothing)
CASES: list[tuple[str, Call, str, str, str]] = [
    # IAM, in its own words
    ("iam", lambda c: c.change_password(OldPassword="aaaaaaaa", NewPassword="bbbbbbbb"),
     "iam:ChangePassword", "arn:aws:iam::*:user/${aws:username}", "user alice"),
    ("iam", lambda c: c.get_user(), "iam:GetUser", ME, "user alice"),
    ("iam", lambda c: c.list_policies(), "iam:ListPolicies", f"arn:aws:iam::{ACCOUNT}:policy/", "policy path /"),
    ("iam", lambda c: c.list_policies(PathPrefix="/team/"), "iam:ListPolicies", f"arn:aws:iam::{ACCOUNT}:policy/team/*",
     "policy path /team/"),
    ("iam", lambda c: c.list_roles(PathPrefix="/team/"), "iam:ListRoles", f"arn:aws:iam::{ACCOUNT}:role/team/*",
     f"arn:aws:iam::{ACCOUNT}:role/team/"),
    ("iam", lambda c: c.create_group(GroupName="devs"), "iam:CreateGroup", f"arn:aws:iam::{ACCOUNT}:group/devs",
     f"arn:aws:iam::{ACCOUNT}:group/devs"),
    ("iam", lambda c: c.get_group(GroupName="devs"), "iam:GetGroup", f"arn:aws:iam::{ACCOUNT}:group/devs",
     "group devs"),
    ("iam", lambda c: c.get_instance_profile(InstanceProfileName="web"), "iam:GetInstanceProfile",
     f"arn:aws:iam::{ACCOUNT}:instance-profile/web", "instance profile web"),
    ("iam", lambda c: c.tag_role(RoleName="worker", Tags=[{"Key": "a", "Value": "b"}]), "iam:TagRole",
     f"arn:aws:iam::{ACCOUNT}:role/worker", f"arn:aws:iam::{ACCOUNT}:role/worker"),
    ("iam", lambda c: c.create_service_linked_role(AWSServiceName="elasticloadbalancing.amazonaws.com"),
     "iam:CreateServiceLinkedRole",
     f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoad*",
     f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/elasticloadbalancing.amazonaws.com/"
     "AWSServiceRoleForElasticLoadBalancing"),
    ("iam", lambda c: c.list_account_aliases(), "iam:ListAccountAliases", "*", "*"),
    # the resource is named, and AWS's lists are patterns
    ("ssm", lambda c: c.get_parameters_by_path(Path="/app"), "ssm:GetParametersByPath", arn("ssm", "parameter/app"),
     arn("ssm", "parameter/app")),
    ("ssm", lambda c: c.get_parameter(Name="/aws/service/ami-x"), "ssm:GetParameter",
     arn("ssm", "parameter/aws/service/*", ""), arn("ssm", "parameter/aws/service/ami-x", "")),
    ("ssm", lambda c: c.get_document(Name="AWS-RunShellScript"), "ssm:GetDocument",
     arn("ssm", "document/AWS-RunShellScript", ""), arn("ssm", "document/AWS-RunShellScript", "")),
    ("ssm", lambda c: c.add_tags_to_resource(ResourceType="Parameter", ResourceId="/app/x", Tags=[TAG]),
     "ssm:AddTagsToResource", arn("ssm", "parameter/app/x"), arn("ssm", "parameter/app/x")),
    ("ssm", lambda c: c.describe_parameters(), "ssm:DescribeParameters", "*", arn("ssm", "*")),
    ("logs", lambda c: c.describe_log_groups(), "logs:DescribeLogGroups", arn("logs", "log-group:*"),
     arn("logs", "log-group::log-stream:")),
    ("logs", lambda c: c.filter_log_events(logGroupIdentifier=arn("logs", "log-group:/app/x")), "logs:FilterLogEvents",
     arn("logs", "log-group:/app/x:*"), arn("logs", "log-group:/app/x:log-stream:")),
    ("dynamodb", lambda c: c.list_tables(), "dynamodb:ListTables", arn("dynamodb", "table/*"),
     arn("dynamodb", "table/*")),
    ("sqs", lambda c: c.list_queues(), "sqs:ListQueues", arn("sqs", "*"), arn("sqs", "")),
    ("sqs", lambda c: c.create_queue(QueueName="jobs", tags={"team": "blue"}), "sqs:*", arn("sqs", "jobs"),
     arn("sqs", "jobs")),
    ("sns", lambda c: c.list_topics(), "sns:ListTopics", arn("sns", "*"), arn("sns", "*")),
    ("lambda", lambda c: c.get_layer_version(LayerName="tools", VersionNumber=3), "lambda:GetLayerVersion",
     arn("lambda", "layer:tools:3"), arn("lambda", "layer:tools:3")),
    ("lambda", lambda c: c.get_function(FunctionName="f", Qualifier="live"), "lambda:GetFunction",
     arn("lambda", "function:f:live"), arn("lambda", "function:f:live")),
    ("ecs", lambda c: c.run_task(taskDefinition="app:3"), "ecs:RunTask", arn("ecs", "task-definition/app:*"),
     arn("ecs", "task-definition/app:3")),
    ("ecs", lambda c: c.run_task(taskDefinition="app"), "ecs:RunTask", arn("ecs", "task-definition/app"),
     arn("ecs", "task-definition/app")),
    ("ecs", lambda c: c.list_clusters(), "ecs:ListClusters", "*", "*"),
    ("acm", lambda c: c.request_certificate(DomainName="example.com"), "acm:RequestCertificate",
     arn("acm", "certificate/*"), arn("acm", "certificate/*")),
    ("sagemaker", lambda c: c.list_models(), "sagemaker:ListModels", "*", ""),
    ("sagemaker", lambda c: c.list_domains(), "sagemaker:ListDomains", arn("sagemaker", "domain/*"),
     arn("sagemaker", "domain/*")),
    ("codedeploy", lambda c: c.list_deployments(), "codedeploy:ListDeployments", arn("codedeploy", "deploymentgroup:*"),
     arn("codedeploy", "deploymentgroup:*")),
    ("codedeploy", lambda c: c.list_deployments(applicationName="web", deploymentGroupName="blue"),
     "codedeploy:ListDeployments", arn("codedeploy", "deploymentgroup:web/blue"),
     arn("codedeploy", "deploymentgroup:web/blue")),
    ("scheduler", lambda c: c.list_schedules(GroupName="nightly"), "scheduler:ListSchedules",
     arn("scheduler", "schedule/*/*"), arn("scheduler", "schedule/*/*")),
    ("codepipeline", lambda c: c.list_pipelines(), "codepipeline:ListPipelines", "*", arn("codepipeline", "*")),
    ("cognito-identity", lambda c: c.list_identity_pools(MaxResults=1), "cognito-identity:ListIdentityPools", "*",
     arn("cognito-identity", "identitypool/")),
    ("es", lambda c: c.list_domain_names(), "es:ListDomainNames", "*", arn("es", "domain/*")),
    ("kafka", lambda c: c.list_clusters(), "kafka:ListClusters", "*", arn("kafka", "/v1/clusters")),
    ("route53", lambda c: c.list_tags_for_resource(ResourceType="hostedzone", ResourceId="Z1"),
     "route53:ListTagsForResource", "arn:aws:route53:::hostedzone/Z1", "arn:aws:route53:::hostedzone/Z1"),
    ("waf", lambda c: c.list_geo_match_sets(), "waf:ListGeoMatchSets", "*", f"arn:aws:waf::{ACCOUNT}:geomatchset/*"),
    ("sns", lambda c: c.unsubscribe(SubscriptionArn=arn("sns", "news:1111")), "sns:Unsubscribe", arn("sns", "news"),
     arn("sns", "news")),
    ("sns", lambda c: c.get_endpoint_attributes(EndpointArn=arn("sns", "endpoint/GCM/app/1111")),
     "sns:GetEndpointAttributes", arn("sns", "app/GCM/app"), arn("sns", "app/GCM/app")),
    ("ecs", lambda c: c.describe_tasks(cluster="web", tasks=["t1"]), "ecs:DescribeTasks", arn("ecs", "task/web/*"),
     arn("ecs", "task/web/t1")),
    ("events", lambda c: c.put_events(Entries=[{"Source": "s", "Detail": "{}", "DetailType": "t"}]), "events:PutEvents",
     arn("events", "event-bus/default"), arn("events", "event-bus/default")),
    ("events", lambda c: c.list_rules(), "events:ListRules", arn("events", "rule/*"), arn("events", "rule/*")),
    ("rds", lambda c: c.describe_db_instances(), "rds:DescribeDBInstances", arn("rds", "db:*"), arn("rds", "db:*")),
    ("rds", lambda c: c.describe_db_clusters(), "rds:DescribeDBClusters", arn("rds", "cluster:*"),
     arn("rds", "cluster:*")),
    ("rds", lambda c: c.describe_db_instances(DBInstanceIdentifier="main"), "rds:DescribeDBInstances",
     arn("rds", "db:main"),
     arn("rds", "db:main")),
    ("cloudformation", lambda c: c.describe_stacks(StackName="web"), "cloudformation:DescribeStacks",
     arn("cloudformation", "stack/web/*"), arn("cloudformation", "stack/web/*")),
    ("cloudformation", lambda c: c.describe_stacks(), "cloudformation:DescribeStacks", "*", ""),
    ("cloudformation", lambda c: c.list_stacks(), "cloudformation:ListStacks", arn("cloudformation", "stack/*/*"),
     arn("cloudformation", "stack/*/*")),
    ("athena", lambda c: c.start_query_execution(QueryString="select 1"), "athena:StartQueryExecution",
     arn("athena", "workgroup/primary"), arn("athena", "workgroup/primary")),
    ("ses", lambda c: c.verify_email_identity(EmailAddress="me@example.com"), "ses:VerifyEmailIdentity", "*", ""),
    ("elb", lambda c: c.delete_load_balancer(LoadBalancerName="web"), "elasticloadbalancing:DeleteLoadBalancer",
     arn("elasticloadbalancing", "loadbalancer/web"), arn("elasticloadbalancing", "loadbalancer/web")),
    ("elbv2", lambda c: c.create_load_balancer(Name="web"), "elasticloadbalancing:CreateLoadBalancer",
     arn("elasticloadbalancing", "loadbalancer/app/web/*"), arn("elasticloadbalancing", "loadbalancer/app/web/*")),
    ("elbv2", lambda c: c.describe_load_balancers(), "elasticloadbalancing:DescribeLoadBalancers", "*", ""),
    ("autoscaling", lambda c: c.delete_auto_scaling_group(AutoScalingGroupName="web"),
     "autoscaling:DeleteAutoScalingGroup",
     arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/web"),
     arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/web")),
    ("stepfunctions", lambda c: c.list_state_machines(), "states:ListStateMachines", arn("states", "stateMachine:*"),
     arn("states", "stateMachine:*")),
    ("bedrock-runtime", lambda c: c.converse(modelId="anthropic.claude-3-haiku-20240307-v1:0", messages=[]),
     "bedrock:InvokeModel", arn("bedrock", "foundation-model/anthropic.*", ""),
     arn("bedrock", "foundation-model/anthropic.claude-3-haiku-20240307-v1:0", "")),
    ("bedrock-runtime", lambda c: c.converse(modelId="us.anthropic.claude-3-haiku-20240307-v1:0", messages=[]),
     "bedrock:InvokeModel", arn("bedrock", "inference-profile/us.*"),
     arn("bedrock", "inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0")),
    ("s3", lambda c: c.list_buckets(), "s3:*", "arn:aws:s3:::*", ""),
    ("glue", lambda c: c.get_table(DatabaseName="d", Name="t"), "glue:GetTable", arn("glue", "*"),
     arn("glue", "catalog")),
    ("eks", lambda c: c.list_clusters(), "eks:ListClusters", arn("eks", "cluster/*"), arn("eks", "cluster/*")),
    ("ecr", lambda c: c.describe_repositories(), "ecr:DescribeRepositories", arn("ecr", "repository/*"),
     arn("ecr", "repository/*")),
    ("codebuild", lambda c: c.batch_get_builds(ids=["web:1"]), "codebuild:BatchGetBuilds",
     arn("codebuild", "project/web"),
     arn("codebuild", "project/web")),
]  # fmt: skip
IDS = [f"{number}-{action}" for number, (_, _, action, _, _) in enumerate(CASES)]


@pytest.fixture(scope="module")
def alice() -> Iterator[tuple[Any, Any]]:
    """A user who may nothing, and the IAM that gives her policies."""
    with Cloud.start() as aws:
        iam = aws.account("dev").admin.client("iam")
        iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust({"Service": "lambda.amazonaws.com"}))
        identity = new_user(aws, iam, "alice")
        iam.create_login_profile(UserName="alice", Password="aaaaaaaa")
        yield identity, iam


def denied(call: Callable[[], Any]) -> str:
    """Code and text of a refusal, "" where the policies let the call pass, whatever else the service has to say."""
    try:
        call()
    except ClientError as error:
        code, text = error.response["Error"]["Code"], error.response["Error"]["Message"]
        return f"{code}: {text}" if code in DENIED else ""
    return ""


@pytest.mark.parametrize(("service", "call", "action", "resource", "text"), CASES, ids=IDS)
def test_a_policy_that_names_the_resource_lets_the_call_pass(
    alice: tuple[Any, Any], service: str, call: Call, action: str, resource: str, text: str
) -> None:
    identity, iam = alice
    client = identity.client(service)
    said = denied(lambda: call(client))
    assert (f" on resource: {text} because" in said) if text else (said and " on resource" not in said)
    iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=document(allow(action, resource)))
    try:
        assert denied(lambda: call(client)) == ""
    finally:
        iam.delete_user_policy(UserName="alice", PolicyName="p")


def last_version(s3: Any) -> str:
    return str(s3.list_object_versions(Bucket="locked")["Versions"][0]["VersionId"])


def encrypted(kms: Any) -> bytes:
    return bytes(kms.encrypt(KeyId="alias/own", Plaintext=b"x")["CiphertextBlob"])


# Calls that need several permissions: what is missing when only these are given.
NEEDS: list[tuple[str, str, Call, list[dict[str, Any]], str]] = [
    ("a session needs its document", "ssm", lambda c: c.start_session(Target="i-0123456789abcdef0"),
     [allow("ssm:StartSession", arn("ec2", "instance/*"))],
     f"ssm:StartSession on resource: {arn('ssm', 'document/SSM-SessionManagerRunShell')}"),
    ("tags of a new policy", "iam",
     lambda c: c.create_policy(PolicyName="limits", PolicyDocument=document(allow("s3:*")), Tags=[TAG]),
     [allow("iam:CreatePolicy")], "iam:TagPolicy on resource: policy limits"),
    ("tags of a new role", "iam",
     lambda c: c.create_role(RoleName="r", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}), Tags=[TAG]),
     [allow("iam:CreateRole")], f"iam:TagRole on resource: arn:aws:iam::{ACCOUNT}:role/r"),
    ("tags of a task that is run", "ecs", lambda c: c.run_task(taskDefinition="app", cluster="web", tags=[
        {"key": "a", "value": "b"}]),
     [allow("ecs:RunTask")], f"ecs:TagResource on resource: {arn('ecs', 'task/web/*')}"),
    ("tags of a log group", "logs", lambda c: c.create_log_group(logGroupName="/app", tags={"a": "b"}),
     [allow("logs:CreateLogGroup")],
     'CreateLogGroup with Tags. An additional permission "logs:TagResource" is required.'),
    ("tags of a new key", "kms", lambda c: c.create_key(Tags=[{"TagKey": "a", "TagValue": "b"}]),
     [allow("kms:CreateKey")], "perform: kms:TagResource because"),
    ("tags of a new queue", "sqs", lambda c: c.create_queue(QueueName="jobs", tags={"a": "b"}),
     [allow("sqs:CreateQueue")], f"sqs:tagqueue on resource: {arn('sqs', 'jobs')}"),
    ("tags of a new load balancer", "elbv2", lambda c: c.create_load_balancer(Name="web", Tags=[TAG]),
     [allow("elasticloadbalancing:CreateLoadBalancer")],
     f"elasticloadbalancing:AddTags on resource: {arn('elasticloadbalancing', 'loadbalancer/app/web/*')}"),
    ("tags of a new cluster", "ecs", lambda c: c.create_cluster(clusterName="web", tags=[{"key": "a", "value": "b"}]),
     [allow("ecs:CreateCluster")], f"ecs:TagResource on resource: {arn('ecs', 'cluster/web')}"),
    ("a role by its name", "glue", lambda c: c.create_job(Name="j", Role="worker", Command={}),
     [allow("glue:*")], f"iam:PassRole on resource: arn:aws:iam::{ACCOUNT}:role/worker"),
    ("roles of a warehouse", "redshift",
     lambda c: c.create_cluster(ClusterIdentifier="c", NodeType="x", MasterUsername="u", IamRoles=[WORKER]),
     [allow("redshift:*")], f"iam:PassRole on resource: {WORKER}"),
    ("a role deep in a rule", "iot",
     lambda c: c.create_topic_rule(ruleName="r", topicRulePayload={"sql": "x", "actions": [
         {"dynamoDB": {"tableName": "t", "roleArn": WORKER, "hashKeyField": "a", "hashKeyValue": "b"}}]}),
     [allow("iot:*")], f"iam:PassRole on resource: {WORKER}"),
    ("a profile in a launch template", "ec2",
     lambda c: c.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateName": "web"}),
     [allow("ec2:*")], f"iam:PassRole on resource: {WORKER}"),
    ("a profile of spot instances", "ec2",
     lambda c: c.request_spot_instances(LaunchSpecification={"IamInstanceProfile": {"Name": "web"}}),
     [allow("ec2:*")], f"iam:PassRole on resource: {WORKER}"),
    ("a profile of a launch configuration", "autoscaling",
     lambda c: c.create_launch_configuration(LaunchConfigurationName="l", ImageId="ami-1",
                                             IamInstanceProfile="web"),
     [allow("autoscaling:*")], f"iam:PassRole on resource: {WORKER}"),
    ("a group under its name", "ec2", lambda c: c.delete_security_group(GroupName="guarded"),
     [allow("ec2:*"), deny("ec2:*", arn("ec2", "security-group/sg-*"))], "with an explicit deny"),
    ("a version of a parameter", "ssm", lambda c: c.get_parameter(Name="/app/secret:1"),
     [allow("ssm:*"), deny("ssm:*", arn("ssm", "parameter/app/secret"))], "with an explicit deny"),
    ("a queue by an odd address", "sqs", lambda c: c.send_message(QueueUrl="https://x.com/guarded", MessageBody="m"),
     [allow("sqs:*"), deny("sqs:*", arn("sqs", "guarded"))], "with an explicit deny"),
    ("secrets by a filter", "secretsmanager",
     lambda c: c.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["guarded"]}]),
     [allow("secretsmanager:*"), deny("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:guarded-*"))],
     "with an explicit deny"),
    ("a user who moves", "iam", lambda c: c.update_user(UserName="bob", NewPath="/admins/"),
     [allow("iam:*"), deny("iam:UpdateUser", f"arn:aws:iam::{ACCOUNT}:user/admins/*")], "with an explicit deny"),
    ("the key of a secret", "secretsmanager", lambda c: c.get_secret_value(SecretId="sealed"),
     [allow("secretsmanager:*")], "AccessDeniedException: Access to KMS is not allowed"),
    ("the key of a parameter", "ssm", lambda c: c.get_parameter(Name="sealed", WithDecryption=True),
     [allow("ssm:*")], "kms:Decrypt on resource: arn:aws:kms:"),
    ("the key of a queue", "sqs", lambda c: c.send_message(QueueUrl=SEALED, MessageBody="m"),
     [allow("sqs:*")], "KMS.AccessDeniedException: User: arn:aws:iam::111111111111:user/alice is not authorized to "
     "perform: kms:GenerateDataKey on resource: arn:aws:kms:"),
    ("the key of a topic", "sns", lambda c: c.publish(TopicArn=arn("sns", "sealed"), Message="m"),
     [allow("sns:*")], "action (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: "),
    ("the key of a stream", "kinesis", lambda c: c.put_record(StreamName="sealed", Data=b"x", PartitionKey="1"),
     [allow("kinesis:*")], "KMSAccessDeniedException: User: arn:aws:iam::111111111111:user/alice is not authorized to "
     "perform: kms:GenerateDataKey on resource: arn:aws:kms:"),
    ("the key of a table", "dynamodb", lambda c: c.get_item(TableName="sealed", Key={"id": {"S": "1"}}),
     [allow("dynamodb:*")], "kms:Decrypt on resource: arn:aws:kms:"),
    ("the key of a table, by PartiQL", "dynamodb", lambda c: c.execute_statement(Statement="SELECT * FROM sealed"),
     [allow("dynamodb:*")], "kms:Decrypt on resource: arn:aws:kms:"),
    ("a table's key for that table", "dynamodb", lambda c: c.get_item(TableName="sealed", Key={"id": {"S": "1"}}),
     [allow("dynamodb:*"), allow("kms:Decrypt", Condition={"StringEquals": {
         "kms:EncryptionContext:aws:dynamodb:tableName": "sealed", "kms:ViaService": "dynamodb.us-east-1.amazonaws.com",
         "kms:KeySpec": "SYMMETRIC_DEFAULT"}})], ""),
    ("a table under a key of AWS's", "dynamodb", lambda c: c.get_item(TableName="usual", Key={"id": {"S": "1"}}),
     [allow("dynamodb:*")], ""),
    ("a layer of a function", "lambda",
     lambda c: c.update_function_configuration(FunctionName="f", Layers=[arn("lambda", "layer:tools:1")]),
     [allow("lambda:UpdateFunctionConfiguration")],
     f"lambda:GetLayerVersion on resource: {arn('lambda', 'layer:tools:1')}"),
    ("machines of a group", "autoscaling",
     lambda c: c.create_auto_scaling_group(AutoScalingGroupName="g", MinSize=0, MaxSize=0,
                                           LaunchTemplate={"LaunchTemplateName": "web"}),
     [allow("autoscaling:*"), allow("iam:PassRole")], "You are not authorized to use launch template: web"),
    ("machines of several types", "autoscaling",
     lambda c: c.create_auto_scaling_group(
         AutoScalingGroupName="g", MinSize=0, MaxSize=0, MixedInstancesPolicy={"LaunchTemplate": {
             "LaunchTemplateSpecification": {"LaunchTemplateName": "web"}}}),
     [allow("autoscaling:*"), allow("iam:PassRole")], "You are not authorized to use launch template: web"),
    ("machines of a group, and their role", "autoscaling",
     lambda c: c.create_auto_scaling_group(AutoScalingGroupName="g", MinSize=0, MaxSize=0,
                                           LaunchTemplate={"LaunchTemplateName": "web"}),
     [allow(["autoscaling:*", "ec2:RunInstances"])], f"iam:PassRole on resource: {WORKER}"),
    ("an event bus of another account", "events",
     lambda c: c.put_events(Entries=[{"EventBusName": arn("events", "event-bus/b", "222222222222"), "Detail": "{}",
                                      "DetailType": "t", "Source": "s"}]),
     [allow("events:*")], f"{arn('events', 'event-bus/b', '222222222222')} because no resource-based policy allows"),
    ("an image of another account", "ecr",
     lambda c: c.describe_images(repositoryName="web", registryId="222222222222"), [allow("ecr:*")],
     f"{arn('ecr', 'repository/web', '222222222222')} because no resource-based policy allows"),
    ("a layer of another account", "lambda",
     lambda c: c.get_layer_version(LayerName=arn("lambda", "layer:tools", "222222222222"), VersionNumber=1),
     [allow("lambda:*")], f"{arn('lambda', 'layer:tools:1', '222222222222')} because no resource-based policy allows"),
    ("tags of a new bucket", "s3",
     lambda c: c.create_bucket(Bucket="tagged", CreateBucketConfiguration={"Tags": [TAG]}),
     [allow("s3:CreateBucket")], 's3:TagResource on resource: "arn:aws:s3:::tagged"'),
    ("a cluster to be", "eks", lambda c: c.create_cluster(name="main", roleArn=WORKER, resourcesVpcConfig={}),
     [allow("eks:DescribeCluster")], f"eks:CreateCluster on resource: {arn('eks', 'cluster/main')} because"),
    ("a key through another service", "secretsmanager", lambda c: c.get_secret_value(SecretId="sealed"),
     [allow("secretsmanager:*"),
      allow("kms:*", Condition={"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}})], ""),
    ("a key that is not there", "kms", lambda c: c.describe_key(KeyId="alias/none"), [allow("*")], ""),
    ("a lock that is passed over", "s3",
     lambda c: c.delete_object(Bucket="locked", Key="k", VersionId=last_version(c), BypassGovernanceRetention=True),
     [allow("s3:*"), deny("s3:BypassGovernanceRetention")], "s3:BypassGovernanceRetention"),
    ("the key that a ciphertext is under", "kms",
     lambda c: c.re_encrypt(CiphertextBlob=encrypted(c), DestinationKeyId="alias/other", SourceKeyId="alias/other"),
     [allow("kms:*"),
      deny("kms:ReEncrypt*", Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/own"}})],
     "kms:ReEncryptFrom"),
    ("whose items a query of old reads", "dynamodb",
     lambda c: c.query(TableName="t", KeyConditions={"id": {"ComparisonOperator": "EQ",
                                                            "AttributeValueList": [{"S": "bob"}]}}),
     [allow("dynamodb:Query", Condition={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "alice"}})],
     "dynamodb:Query on resource"),
    ("attributes of an item", "dynamodb",
     lambda c: c.get_item(TableName="t", Key={"id": {"S": "1"}}, ProjectionExpression="secret, #n",
                          ExpressionAttributeNames={"#n": "name"}),
     [allow("dynamodb:*", Condition={"ForAllValues:StringEquals": {"dynamodb:Attributes": ["id", "name"]}})],
     "dynamodb:GetItem on resource"),
]  # fmt: skip


@pytest.fixture(scope="module")
def things() -> Iterator[tuple[Any, Any]]:
    """What the calls above touch, and a user who gets a policy for each."""
    with Cloud.start() as aws:
        admin = aws.account("dev").admin
        iam = admin.client("iam")
        identity = new_user(aws, iam, "alice")
        iam.create_user(UserName="bob")
        iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
        iam.create_instance_profile(InstanceProfileName="web")
        iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="worker")
        ec2 = admin.client("ec2")
        data = {"ImageId": "ami-12c6146b", "IamInstanceProfile": {"Name": "web"}}
        ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
        ec2.create_security_group(GroupName="guarded", Description="d")
        kms = admin.client("kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/own", TargetKeyId=key)
        kms.create_alias(AliasName="alias/other", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
        s3 = admin.client("s3")
        s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
        until = datetime.now(UTC) + timedelta(days=9)
        s3.put_object(Bucket="locked", Key="k", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until)
        keys = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
        types = [{"AttributeName": "id", "AttributeType": "S"}]
        admin.client("dynamodb").create_table(TableName="t", AttributeDefinitions=types, **keys)
        for name, chosen in (("sealed", {"KMSMasterKeyId": key}), ("usual", {})):
            sealing = {"Enabled": True, "SSEType": "KMS", **chosen}
            admin.client("dynamodb").create_table(
                TableName=name, AttributeDefinitions=types, SSESpecification=sealing, **keys
            )
        admin.client("kinesis").create_stream(StreamName="sealed", ShardCount=1)
        admin.client("kinesis").start_stream_encryption(StreamName="sealed", EncryptionType="KMS", KeyId=key)
        secrets, ssm = admin.client("secretsmanager"), admin.client("ssm")
        secrets.create_secret(Name="guarded", SecretString="s")
        secrets.create_secret(Name="sealed", SecretString="s", KmsKeyId=key)
        ssm.put_parameter(Name="/app/secret", Value="s", Type="String")
        ssm.put_parameter(Name="sealed", Value="s", Type="SecureString", KeyId=key)
        sqs = admin.client("sqs")
        sqs.create_queue(QueueName="guarded")
        sqs.create_queue(QueueName="sealed", Attributes={"KmsMasterKeyId": key})
        admin.client("sns").create_topic(Name="sealed", Attributes={"KmsMasterKeyId": key})
        yield identity, iam


@pytest.mark.parametrize(("service", "call", "statements", "text"), [case[1:] for case in NEEDS],
                         ids=[case[0] for case in NEEDS])  # fmt: skip
def test_what_a_call_needs_besides(
    things: tuple[Any, Any], service: str, call: Call, statements: list[dict[str, Any]], text: str
) -> None:
    identity, iam = things
    iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=document(*statements))
    said = denied(lambda: call(identity.client(service)))
    assert (text in said) if text else said == ""


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda c, key, sealed: c.encrypt(KeyId=key, Plaintext=b"x"), "kms:Encrypt on this resource"),
        (lambda c, key, sealed: c.describe_key(KeyId=key), "kms:DescribeKey on this resource"),
        (lambda c, key, sealed: c.decrypt(KeyId=key, CiphertextBlob=sealed), "kms:Decrypt on this resource"),
        (lambda c, key, sealed: c.decrypt(CiphertextBlob=sealed),
         "kms:Decrypt on the resource associated with this ciphertext"),
    ],
)  # fmt: skip
def test_of_another_accounts_key_it_is_not_told_whether_it_is_there(aws: Cloud, call: Any, what: str) -> None:
    kms = aws.account("dev").admin.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    with pytest.raises(ClientError) as refused:
        call(aws.account("partner").admin.client("kms"), key, sealed)
    assert refused.value.response["Error"]["Message"].partition("perform: ")[2] == (
        f"{what} because the resource does not exist in this Region, no resource-based policies allow access, or a "
        "resource-based policy explicitly denies access"
    )
