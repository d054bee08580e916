"""Two accounts as people have them, in the shape of `aws iam get-account-authorization-details`: a member that Control
Tower set up and whose people come by IAM Identity Center, and one that has grown for years."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.cloud.conftest import allow

MANAGEMENT, LOGS, MEMBER, GROWN = "210000000001", "210000000002", "210000000010", "333344445555"
GITHUB, CLUSTER = "token.actions.githubusercontent.com", "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B7"
COGNITO = "cognito-identity.amazonaws.com"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(principal: Any, action: Any = "sts:AssumeRole", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return document({**statement, **({"Condition": condition} if condition else {})})


def entity(kind: str, account: str, name: str, *managed: str, path: str = "/", **inline: Any) -> dict[str, Any]:
    unique = {"User": "AIDA", "Role": "AROA", "Group": "AGPA"}[kind] + hashlib.sha1(name.encode()).hexdigest().upper()[
        :17
    ]
    return {
        "Path": path, f"{kind}Name": name, f"{kind}Id": unique, "CreateDate": "2021-02-03T10:00:00+00:00",
        "Arn": f"arn:aws:iam::{account}:{kind.lower()}{path}{name}",
        f"{kind}PolicyList": [{"PolicyName": key, "PolicyDocument": text} for key, text in inline.items()],
        "AttachedManagedPolicies": [
            {"PolicyName": each.rpartition("/")[2], "PolicyArn": f"arn:aws:iam::aws:policy/{each}"} for each in managed
        ],
    }  # fmt: skip


def role(account: str, name: str, trusted: Any, *managed: str, path: str = "/", **inline: Any) -> dict[str, Any]:
    return {**entity("Role", account, name, *managed, path=path, **inline), "AssumeRolePolicyDocument": trusted}


def linked(account: str, service: str, name: str, policy: str) -> dict[str, Any]:
    path = f"/aws-service-role/{service}/"
    return role(account, name, trust({"Service": service}), f"aws-service-role/{policy}", path=path)


def roles(account: str, *rows: tuple[str, Any, str]) -> list[dict[str, Any]]:
    return [role(account, name, trusted, managed) for name, trusted, managed in rows]


def member() -> dict[str, Any]:
    signed_in = trust(
        {"Federated": f"arn:aws:iam::{MEMBER}:saml-provider/AWSSSO_1a2b3c4d5e6f7a8b_DO_NOT_DELETE"},
        ["sts:AssumeRoleWithSAML", "sts:TagSession"],
        StringEquals={"SAML:aud": "https://signin.aws.amazon.com/saml"},
    )
    path = "/aws-reserved/sso.amazonaws.com/"
    stack_sets = (
        "aws-service-role/stacksets.cloudformation.amazonaws.com/AWSServiceRoleForCloudFormationStackSetsOrgAdmin"
    )
    admin = {"AWS": f"arn:aws:iam::{LOGS}:role/aws-controltower-AuditAdministratorRole"}
    return {
        "RoleDetailList": [
            *(role(MEMBER, f"AWSReservedSSO_{name}_0a2b3c4d5e6f7a8b", signed_in, name, path=path)
              for name in ("AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess")),
            linked(MEMBER, "sso.amazonaws.com", "AWSServiceRoleForSSO", "AWSSSOServiceRolePolicy"),
            linked(MEMBER, "support.amazonaws.com", "AWSServiceRoleForSupport", "AWSSupportServiceRolePolicy"),
            *roles(
                MEMBER,
                ("AWSControlTowerExecution", trust({"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}), "AdministratorAccess"),
                ("aws-controltower-AdministratorExecutionRole", trust(admin), "AdministratorAccess"),
                ("aws-controltower-ConfigRecorderRole", trust({"Service": "config.amazonaws.com"}), "ReadOnlyAccess"),
                ("stacksets-exec-0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                 trust({"AWS": f"arn:aws:iam::{MANAGEMENT}:role/{stack_sets}"}), "AdministratorAccess"),
                ("checkout-task", trust({"Service": "ecs-tasks.amazonaws.com"}), "AmazonSQSFullAccess"),
                ("report", trust({"Service": "lambda.amazonaws.com"}), "service-role/AWSLambdaBasicExecutionRole"),
                ("stacks", trust({"Service": "cloudformation.amazonaws.com"}), "AdministratorAccess"),
            ),
        ],
    }  # fmt: skip


def grown() -> dict[str, Any]:
    def token(provider: str, operator: str, key: str, value: str) -> dict[str, Any]:
        whole = provider if provider == COGNITO else f"arn:aws:iam::{GROWN}:oidc-provider/{provider}"
        return trust({"Federated": whole}, "sts:AssumeRoleWithWebIdentity", **{operator: {f"{provider}:{key}": value}})

    def vendor(name: str, **condition: Any) -> dict[str, Any]:
        return trust({"AWS": f"arn:aws:iam::{name}"}, **condition)

    function, pods = trust({"Service": "lambda.amazonaws.com"}), "system:serviceaccount:kube-system:dns"
    partner = {"StringEquals": {"sts:ExternalId": "b2b1e6a0f5e9"}}
    collectors = trust({"AWS": ["arn:aws:iam::777788889999:user/collector", "AIDAJQABLZS4A3QDU576Q"]})
    own_key = allow("iam:CreateAccessKey", "arn:aws:iam::*:user/${aws:username}")
    deploys = document(allow(["s3:*", "lambda:*"], "*"), allow("iam:PassRole", f"arn:aws:iam::{GROWN}:role/lambda-*"))
    groups = {"break-glass": ["admins"], "jane.doe": ["developers"], "li.wei": ["developers"]}
    users = [*(entity("User", GROWN, name) for name in groups), entity("User", GROWN, "ci", deploy=deploys),
             entity("User", GROWN, "old-admin", "AdministratorAccess")]  # fmt: skip
    return {
        "UserDetailList": [{**user, "GroupList": groups.get(user["UserName"], [])} for user in users],
        "GroupDetailList": [
            entity("Group", GROWN, "admins", mfa=document(allow("*", "*", Condition=MFA))),
            entity("Group", GROWN, "developers", "PowerUserAccess", self=document(allow("iam:PassRole", "*"), own_key)),
        ],
        "RoleDetailList": roles(
            GROWN,
            ("github-deploy", token(GITHUB, "StringLike", "sub", "repo:acme/*"), "AdministratorAccess"),
            ("github-prefix", token(GITHUB, "StringLike", "sub", "repo:acme*"), "ReadOnlyAccess"),
            ("github-all", token(GITHUB, "StringEquals", "aud", "sts.amazonaws.com"), "ReadOnlyAccess"),
            ("dns", token(CLUSTER, "StringEquals", "sub", pods), "AmazonRoute53FullAccess"),
            ("any-pod", token(CLUSTER, "StringEquals", "aud", "sts.amazonaws.com"), "AmazonS3FullAccess"),
            ("any-pool", token(COGNITO, "ForAnyValue:StringLike", "amr", "authenticated"), "AmazonS3ReadOnlyAccess"),
            ("one-pool", token(COGNITO, "StringEquals", "aud", "us-east-1:1"), "AmazonS3ReadOnlyAccess"),
            ("monitoring", vendor("464622532012:root", **partner), "SecurityAudit"),
            ("consultant", vendor("777788889999:root"), "AdministratorAccess"),
            ("costs", collectors, "SecurityAudit"),
            ("lambda-api", function, "AmazonDynamoDBFullAccess"),
            ("lambda-admin", function, "AdministratorAccess"),
            ("deployer", vendor(f"{GROWN}:root", **MFA), "AdministratorAccess"),
            ("left-over", vendor(f"{GROWN}:user/contractor"), "ReadOnlyAccess"),
            ("OrganizationAccountAccessRole", vendor("999900001111:root"), "AdministratorAccess"),
        ),
    }
