"""A policy that names the resource AWS names lets the call pass, and the refusal prints that resource.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simlib import Cloud

from .conftest import allow, deny, document, new_user, refused, trust

ACCOUNT = "111111111111"
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")


def arn(service: str, rest: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:us-east-1:{account}:{rest}"


ME = f"arn:aws:iam::{ACCOUNT}:user/alice"
QUEUE = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/jobs"
Call = Callable[[Any], Any]
# what, service, call, action, resource in the policy, what the refusal calls it ("" for nothing)
CASES: list[tuple[str, Call, str, str, str | None]] = [
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
    ("ssm", lambda c: c.start_session(Target="i-0123456789abcdef0"), "ssm:StartSession",
     "arn:aws:ec2:us-east-1:111111111111:instance/*", None),
    ("ssm", lambda c: c.get_parameters_by_path(Path="/app"), "ssm:GetParametersByPath", arn("ssm", "parameter/app"),
     arn("ssm", "parameter/app")),
    ("ssm", lambda c: c.get_parameter(Name="/aws/service/ami-x"), "ssm:GetParameter",
     arn("ssm", "parameter/aws/service/*", ""), arn("ssm", "parameter/aws/service/ami-x", "")),
    ("ssm", lambda c: c.get_document(Name="AWS-RunShellScript"), "ssm:GetDocument",
     arn("ssm", "document/AWS-RunShellScript", ""), arn("ssm", "document/AWS-RunShellScript", "")),
    ("ssm", lambda c: c.add_tags_to_resource(ResourceType="Parameter", ResourceId="/app/x", Tags=[{"Key": "a", "Value": "b"}]),
     "ssm:AddTagsToResource", arn("ssm", "parameter/app/x"), arn("ssm", "parameter/app/x")),
    ("ssm", lambda c: c.describe_parameters(), "ssm:DescribeParameters", "*", arn("ssm", "*")),
    ("logs", lambda c: c.describe_log_groups(), "logs:DescribeLogGroups", arn("logs", "log-group:*"),
     arn("logs", "log-group::log-stream:")),
    ("logs", lambda c: c.filter_log_events(logGroupIdentifier=arn("logs", "log-group:/app/x")), "logs:FilterLogEvents",
     arn("logs", "log-group:/app/x:*"), arn("logs", "log-group:/app/x:log-stream:")),
    ("dynamodb", lambda c: c.list_tables(), "dynamodb:ListTables", arn("dynamodb", "table/*"), arn("dynamodb", "table/*")),
    ("sqs", lambda c: c.list_queues(), "sqs:ListQueues", arn("sqs", "*"), arn("sqs", "")),
    ("sqs", lambda c: c.create_queue(QueueName="jobs", tags={"team": "blue"}), "sqs:*", arn("sqs", "jobs"), arn("sqs", "jobs")),
    ("sns", lambda c: c.list_topics(), "sns:ListTopics", arn("sns", "*"), arn("sns", "*")),
    ("lambda", lambda c: c.get_layer_version(LayerName="tools", VersionNumber=3), "lambda:GetLayerVersion",
     arn("lambda", "layer:tools:3"), arn("lambda", "layer:tools:3")),
    ("lambda", lambda c: c.get_function(FunctionName="f", Qualifier="live"), "lambda:GetFunction",
     arn("lambda", "function:f:live"), arn("lambda", "function:f:live")),
    ("ecs", lambda c: c.run_task(taskDefinition="app:3"), "ecs:RunTask", arn("ecs", "task-definition/app:*"),
     arn("ecs", "task-definition/app:3")),
    ("ecs", lambda c: c.list_clusters(), "ecs:ListClusters", "*", "*"),
    ("ecs", lambda c: c.describe_tasks(cluster="web", tasks=["t1"]), "ecs:DescribeTasks", arn("ecs", "task/web/*"),
     arn("ecs", "task/web/t1")),
    ("events", lambda c: c.put_events(Entries=[{"Source": "s", "Detail": "{}", "DetailType": "t"}]), "events:PutEvents",
     arn("events", "event-bus/default"), arn("events", "event-bus/default")),
    ("events", lambda c: c.list_rules(), "events:ListRules", arn("events", "rule/*"), arn("events", "rule/*")),
    ("rds", lambda c: c.describe_db_instances(), "rds:DescribeDBInstances", arn("rds", "db:*"), arn("rds", "db:*")),
    ("rds", lambda c: c.describe_db_clusters(), "rds:DescribeDBClusters", arn("rds", "cluster:*"), arn("rds", "cluster:*")),
    ("rds", lambda c: c.describe_db_instances(DBInstanceIdentifier="main"), "rds:DescribeDBInstances", arn("rds", "db:main"),
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
    ("autoscaling", lambda c: c.delete_auto_scaling_group(AutoScalingGroupName="web"), "autoscaling:DeleteAutoScalingGroup",
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
    ("efs", lambda c: c.create_file_system(), "elasticfilesystem:CreateFileSystem", "*", None),
    ("glue", lambda c: c.get_table(DatabaseName="d", Name="t"), "glue:GetTable", arn("glue", "*"), arn("glue", "catalog")),
    ("eks", lambda c: c.list_clusters(), "eks:ListClusters", arn("eks", "cluster/*"), arn("eks", "cluster/*")),
    ("ecr", lambda c: c.describe_repositories(), "ecr:DescribeRepositories", arn("ecr", "repository/*"),
     arn("ecr", "repository/*")),
    ("codebuild", lambda c: c.batch_get_builds(ids=["web:1"]), "codebuild:BatchGetBuilds", arn("codebuild", "project/web"),
     arn("codebuild", "project/web")),
]  # fmt: skip
IDS = [f"{number}-{action}" for number, (_, _, action, _, _) in enumerate(CASES)]


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Cloud, Any]]:
    with Cloud.start() as aws:
        iam = aws.account("dev").admin.client("iam")
        iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust({"Service": "lambda.amazonaws.com"}))
        iam.create_login_profile(UserName=new_user_name(aws, iam), Password="aaaaaaaa")
        yield aws, iam


def new_user_name(aws: Cloud, iam: Any) -> str:
    global _alice
    _alice = new_user(aws, iam, "alice")
    return "alice"


_alice: Any = None


@pytest.mark.parametrize(("service", "call", "action", "resource", "text"), CASES, ids=IDS)
def test_a_policy_that_names_the_resource(
    world: tuple[Cloud, Any], service: str, call: Call, action: str, resource: str, text: str | None
) -> None:
    _, iam = world
    client = _alice.client(service)
    code, said = refused(lambda: call(client))
    assert code in DENIED
    if text is not None:
        assert f" on resource: {text} because" in said if text else " on resource" not in said
    iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=document(allow(action, resource)))
    try:
        if action == "ssm:StartSession":
            assert "document/SSM-SessionManagerRunShell" in refused(lambda: call(client))[1]
            return
        call(client)
    except ClientError as error:  # what else the service has to say
        assert error.response["Error"]["Code"] not in DENIED, error
    finally:
        iam.delete_user_policy(UserName="alice", PolicyName="p")
