"""What the graph looks for: how one principal becomes another, what it can do to a resource, and what is left out.

Each row is a fact about AWS's API (https://docs.aws.amazon.com/service-authorization/latest/reference/): its actions
are put to the engine one by one, and all of them must be allowed.
"""

from __future__ import annotations

from typing import NamedTuple

# -- kinds of edges ----------------------------------------------------------------------------------------------------

ACTS, ASSUMES, MAY, STARTS, RUNS, TAKES, OWNS = "acts", "assumes", "may", "starts", "runs", "takes", "owns"

#: What an edge of each kind is called where there is room for a word only.
WORDS = {
    ACTS: "is",
    ASSUMES: "assumes",
    MAY: "may use",
    STARTS: "starts",
    RUNS: "runs as",
    TAKES: "takes over",
    OWNS: "controls",
}


# -- becoming somebody else --------------------------------------------------------------------------------------------


class TakeOver(NamedTuple):
    """One action on a user or a role, after which its caller acts as that one. `does`: "makes a key for {}"."""

    action: str
    on: str
    does: str
    page: str


TAKE_OVERS = (
    TakeOver("iam:CreateAccessKey", "user", "makes an access key for {}", "IAM/API_CreateAccessKey"),
    TakeOver("iam:CreateLoginProfile", "user", "gives {} a console password", "IAM/API_CreateLoginProfile"),
    TakeOver("iam:UpdateLoginProfile", "user", "changes the console password of {}", "IAM/API_UpdateLoginProfile"),
    TakeOver(
        "iam:UpdateAssumeRolePolicy", "role", "rewrites the trust policy of {} and assumes it",
        "IAM/API_UpdateAssumeRolePolicy",
    ),
)  # fmt: skip


class Rewrite(NamedTuple):
    """One action on an identity's own policies, after which they can say anything.

    `on` is what is changed: the identity itself (user, role), a group it is in, or a managed policy it has.
    """

    action: str
    on: str
    does: str
    page: str


REWRITES = (
    Rewrite("iam:PutUserPolicy", "user", "writes a policy into {}", "IAM/API_PutUserPolicy"),
    Rewrite("iam:AttachUserPolicy", "user", "attaches a policy to {}", "IAM/API_AttachUserPolicy"),
    Rewrite("iam:PutRolePolicy", "role", "writes a policy into {}", "IAM/API_PutRolePolicy"),
    Rewrite("iam:AttachRolePolicy", "role", "attaches a policy to {}", "IAM/API_AttachRolePolicy"),
    Rewrite("iam:PutGroupPolicy", "group", "writes a policy into the group {}", "IAM/API_PutGroupPolicy"),
    Rewrite("iam:AttachGroupPolicy", "group", "attaches a policy to the group {}", "IAM/API_AttachGroupPolicy"),
    Rewrite("iam:CreatePolicyVersion", "policy", "rewrites the managed policy {}", "IAM/API_CreatePolicyVersion"),
)


# -- through a service -------------------------------------------------------------------------------------------------


class Compute(NamedTuple):
    """A service that runs somebody's code with a role it is handed (iam:PassRole; UG/id_roles_use_passrole).

    `actions` are asked on `resources`, ARNs in which `{}` is the account, one after the other; `thing` is what the
    role then runs in.
    """

    service: str
    thing: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]


_EC2 = "arn:aws:ec2:us-east-1:{}:"

COMPUTE = (
    Compute(
        "ec2.amazonaws.com", "machine", ("ec2:RunInstances",),
        (*(f"{_EC2}{kind}/*" for kind in ("instance", "network-interface", "volume", "security-group", "subnet")),
         "arn:aws:ec2:us-east-1::image/*"),
    ),
    Compute(
        "lambda.amazonaws.com", "function", ("lambda:CreateFunction", "lambda:InvokeFunction"),
        ("arn:aws:lambda:us-east-1:{}:function:new",),
    ),
    Compute(
        "ecs-tasks.amazonaws.com", "ECS task", ("ecs:RegisterTaskDefinition", "ecs:RunTask"),
        ("arn:aws:ecs:us-east-1:{}:task-definition/new:1",),
    ),
    Compute(
        "cloudformation.amazonaws.com", "stack", ("cloudformation:CreateStack",),
        ("arn:aws:cloudformation:us-east-1:{}:stack/new/1",),
    ),
    Compute(
        "codebuild.amazonaws.com", "build", ("codebuild:CreateProject", "codebuild:StartBuild"),
        ("arn:aws:codebuild:us-east-1:{}:project/new",),
    ),
    Compute("glue.amazonaws.com", "Glue job", ("glue:CreateJob", "glue:StartJobRun"),
            ("arn:aws:glue:us-east-1:{}:job/new",)),
)  # fmt: skip


class Entry(NamedTuple):
    """Actions by which somebody gets into a machine or a function that exists, and so acts as its role."""

    service: str  # in the ARN of what is entered
    actions: tuple[str, ...]
    does: str


ENTRIES = (
    Entry("ec2", ("ssm:StartSession",), "opens a shell on {}"),
    Entry("ec2", ("ssm:SendCommand",), "runs a command on {}"),
    Entry("lambda", ("lambda:UpdateFunctionCode",), "puts code of its own into {}"),
)


# -- what can be done to a resource ------------------------------------------------------------------------------------


class Use(NamedTuple):
    """Something to be done to a resource of a service. `part` is added to its ARN where the action acts on a part."""

    verb: str
    action: str
    part: str = ""


USES = {
    "s3": (
        Use("list", "s3:ListBucket"),
        Use("read", "s3:GetObject", "/any-object"),
        Use("write", "s3:PutObject", "/any-object"),
        Use("delete", "s3:DeleteObject", "/any-object"),
        Use("share", "s3:PutBucketPolicy"),
    ),
    "dynamodb": (
        Use("read", "dynamodb:GetItem"),
        Use("read", "dynamodb:Scan"),
        Use("write", "dynamodb:PutItem"),
        Use("delete", "dynamodb:DeleteTable"),
        Use("share", "dynamodb:PutResourcePolicy"),
    ),
    "secretsmanager": (
        Use("read", "secretsmanager:GetSecretValue"),
        Use("write", "secretsmanager:PutSecretValue"),
        Use("share", "secretsmanager:PutResourcePolicy"),
    ),
    "kms": (Use("decrypt", "kms:Decrypt"), Use("encrypt", "kms:Encrypt"), Use("share", "kms:PutKeyPolicy")),
    "sqs": (
        Use("read", "sqs:ReceiveMessage"),
        Use("write", "sqs:SendMessage"),
        Use("share", "sqs:SetQueueAttributes"),
    ),
    "sns": (Use("read", "sns:Subscribe"), Use("write", "sns:Publish"), Use("share", "sns:SetTopicAttributes")),
    "lambda": (Use("invoke", "lambda:InvokeFunction"), Use("write", "lambda:UpdateFunctionCode")),
    "ec2": (Use("stop", "ec2:StopInstances"), Use("terminate", "ec2:TerminateInstances")),
    "ssm": (Use("read", "ssm:GetParameter"), Use("write", "ssm:PutParameter")),
    "logs": (Use("read", "logs:GetLogEvents"), Use("delete", "logs:DeleteLogGroup")),
}


# -- how far this goes -------------------------------------------------------------------------------------------------

LOOKED_AT = (
    "who may assume a role, in one account and across accounts; with MFA or an external ID where the role asks for it",
    "tokens of an identity provider that a role trusts",
    f"handing a role to {', '.join(row.thing for row in COMPUTE)} with iam:PassRole",
    "getting into a machine or a function that runs as a role: " + ", ".join(a for row in ENTRIES for a in row.actions),
    "taking over a user or a role: " + ", ".join(row.action.removeprefix("iam:") for row in TAKE_OVERS),
    "rewriting one's own permissions: " + ", ".join(row.action.removeprefix("iam:") for row in REWRITES),
    "keys and sessions that are good now, and accounts we cannot look into",
)
NOT_LOOKED_AT = (
    "what other services do with a role they already have (pipelines, schedules, other people's stacks)",
    "AddUserToGroup, SetDefaultPolicyVersion, and sessions with tags or a source identity",
    "what somebody under a permissions boundary gains by rewriting its own policies: whatever the boundary leaves it; "
    "boundaries that are changed or taken away",
    "whether an instance profile holds the role; whether a machine can be reached over the network",
    "actions on a resource beyond a few of each service; secrets inside of what can be read",
    "more than one condition at a time, other than those of the circumstances shown",
)
