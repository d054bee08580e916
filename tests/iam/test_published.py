"""Policies of the kinds that AWS publishes as examples pass as what they are: no error, and no doubt of our own.

After Organizations/orgs_manage_policies_scps_examples and …_rcps_examples, UG/access_policies_boundaries,
UG/access_policies_data-perimeters and the confused-deputy pages of the services.
"""

# ruff: noqa: E501 - a case a line: the table is read across

from __future__ import annotations

from typing import Any

import pytest

from simlib.iam.findings import ERROR, FINDINGS
from tests.iam.documents import bucket, found, policy, rcp, trust

ORG = "o-1234567890"
EXEMPT = {"aws:PrincipalArn": "arn:aws:iam::*:role/BreakGlass"}
DATA = ["s3:*", "sqs:*", "kms:*", "secretsmanager:*", "sts:AssumeRole", "sts:SetContext"]


def deny(**elements: Any) -> dict[str, Any]:
    return policy(**{"Effect": "Deny", "Resource": "*", **elements})


EXAMPLES = [
    ("nothing outside two Regions", "scp", deny(Action=None, NotAction=["a4b:*", "budgets:*", "iam:*", "route53:*", "sts:*", "support:*"], Condition={"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}, "ArnNotLike": EXEMPT})),
    ("certain roles stay as they are", "scp", deny(Action=["iam:AttachRolePolicy", "iam:DeleteRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"], Resource=["arn:aws:iam::*:role/name-of-role-to-deny"], Condition={"StringNotLike": {"aws:PrincipalTag/team": "cloud*"}})),
    ("nothing is stopped without MFA", "scp", deny(Action=["ec2:StopInstances", "ec2:TerminateInstances"], Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": False}})),
    ("no work of the root user", "scp", deny(Action=["ec2:*"], Resource=["*"], Condition={"StringLike": {"aws:PrincipalArn": ["arn:aws:iam::*:root"]}})),
    ("no leaving the organization", "scp", deny(Action=["organizations:LeaveOrganization"])),
    ("small instances only", "scp", deny(Action="ec2:RunInstances", Resource=["arn:aws:ec2:*:*:instance/*"], Condition={"StringNotEquals": {"ec2:InstanceType": "t2.micro"}})),
    ("encrypted volumes only", "scp", deny(Action="ec2:AttachVolume", Resource="arn:aws:ec2:*:*:volume/*", Condition={"Bool": {"ec2:Encrypted": "false"}})),
    ("tags on what is made", "scp", deny(Action=["secretsmanager:CreateSecret"], Condition={"Null": {"aws:RequestTag/Project": "true"}})),
    ("no shares beyond the organization", "scp", deny(Action=["ram:CreateResourceShare", "ram:UpdateResourceShare"], Condition={"Bool": {"ram:RequestedAllowsExternalPrincipals": "true"}})),
    ("no public buckets' settings changed", "scp", deny(Action=["s3:PutAccountPublicAccessBlock", "s3:PutBucketPublicAccessBlock"], Condition={"ArnNotLikeIfExists": EXEMPT})),
    ("FullAWSAccess", "scp", policy(Action="*", Resource="*")),
    ("only resources of the organization", "scp", deny(Action="*", Condition={"StringNotEqualsIfExists": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}", "aws:PrincipalTag/dp:exclude:resource": "true"}, "ForAllValues:StringNotEquals": {"aws:CalledVia": ["dataexchange.amazonaws.com", "servicecatalog.amazonaws.com"]}})),
    ("only resources of the organization, or AWS's own", "scp", deny(Action="*", Resource=None, NotResource=["arn:aws:iam::aws:policy/*", "arn:aws:ssm:*::document/*", "arn:aws:ssm:*::automation-definition/*", "arn:aws:imagebuilder:*:aws:component/*", "arn:aws:ec2:*:aws:prefix-list/*", "arn:aws:lambda:*:580247275435:layer:*", "arn:aws:s3:::elasticbeanstalk-samples-us-east-1/*", "arn:aws:s3:::aws-neptune-notebook"], Condition={"StringNotEqualsIfExists": {"aws:ResourceOrgID": ORG, "ec2:Owner": "amazon"}})),
    ("functions in a VPC only", "scp", deny(Action=["lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"], Condition={"Null": {"lambda:VpcIds": "true"}, "StringNotEqualsIfExists": {"aws:PrincipalTag/dp:exclude": "true"}})),
    ("no tags of the perimeter in sessions", "rcp", rcp(Action="sts:TagSession", Condition={"Null": {"SAML:aud": "true"}, "StringNotEqualsIfExists": {"aws:PrincipalTag/team": "admin"}, "ForAnyValue:StringLike": {"aws:TagKeys": ["dp:*", "team"]}})),
    ("grants to AWS's services only", "scp", deny(Action="kms:CreateGrant", Condition={"BoolIfExists": {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"}})),
    ("only from expected networks", "scp", deny(Action=None, NotAction=["es:ES*", "dax:GetItem", "dax:PutItem"], Condition={"BoolIfExists": {"aws:ViaAWSService": "false"}, "NotIpAddressIfExists": {"aws:SourceIp": ["203.0.113.0/24"]}, "StringNotEqualsIfExists": {"aws:SourceVpc": ["vpc-0123456789abcdef0"], "aws:PrincipalTag/dp:exclude:network": "true"}, "ArnNotLikeIfExists": {"aws:PrincipalArn": ["arn:aws:iam::*:role/aws:ec2-infrastructure"]}})),
    ("only identities of the organization", "rcp", rcp(Action=DATA, Condition={"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORG, "aws:PrincipalAccount": ["444455556666"], "aws:ResourceTag/dp:exclude:identity": "true"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}})),
    ("services only for the organization", "rcp", rcp(Action=DATA[:-1], Condition={"StringNotEqualsIfExists": {"aws:SourceOrgID": ORG, "aws:ResourceTag/dp:exclude:confused-deputy": "true"}, "Null": {"aws:SourceAccount": "false"}, "Bool": {"aws:PrincipalIsAWSService": "true"}})),
    ("TLS only", "rcp", rcp(Action=["s3:*", "sqs:*", "kms:*", "secretsmanager:*"], Condition={"BoolIfExists": {"aws:SecureTransport": "false"}})),
    ("one tenant of GitHub", "rcp", rcp(Action="sts:AssumeRoleWithWebIdentity", Condition={"StringNotLikeIfExists": {"token.actions.githubusercontent.com:sub": "repo:my-org/*"}, "Null": {"token.actions.githubusercontent.com:sub": "false"}})),
    ("some services as boundary", "boundary", policy(Action=["s3:*", "cloudwatch:*", "ec2:*", "dynamodb:*"], Resource="*")),
    ("a boundary that must be passed on", "boundary", policy(Action=["iam:CreateUser", "iam:DeleteUserPolicy", "iam:AttachUserPolicy", "iam:PutUserPermissionsBoundary"], Resource="*", Condition={"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::123456789012:policy/XCompanyBoundaries"}})),
    ("a boundary that is left alone", "boundary", deny(Action=["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:SetDefaultPolicyVersion"], Resource=["arn:aws:iam::123456789012:policy/XCompanyBoundaries", "arn:aws:iam::123456789012:policy/DelegatedUserBoundary"])),
    ("an endpoint for the organization", "endpoint", bucket(Principal="*", Action="*", Resource="*", Condition={"StringEquals": {"aws:PrincipalOrgID": ORG, "aws:ResourceOrgID": ORG}})),
    ("an endpoint for AWS's own buckets", "endpoint", bucket(Principal="*", Action="s3:GetObject", Resource=["arn:aws:s3:::packages.us-east-1.amazonaws.com/*", "arn:aws:s3:::al2023-repos-us-east-1-de612dc2/*"])),
    ("a bucket for expected networks", "resource", bucket(Effect="Deny", Principal="*", Action="s3:*", Resource=["arn:aws:s3:::b", "arn:aws:s3:::b/*"], Condition={"NotIpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}, "StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-0123456789abcdef0"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"}})),
    ("a trail's bucket", "resource", bucket(Principal={"Service": "cloudtrail.amazonaws.com"}, Action="s3:PutObject", Resource="arn:aws:s3:::b/AWSLogs/111122223333/*", Condition={"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": "arn:aws:cloudtrail:us-east-1:111122223333:trail/t"}})),
    ("a role for one branch", "trust", trust(Principal={"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, Action="sts:AssumeRoleWithWebIdentity", Condition={"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:org/name:ref:refs/heads/main", "token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}})),
    ("a role for Roles Anywhere", "trust", trust(Principal={"Service": "rolesanywhere.amazonaws.com"}, Action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], Condition={"StringEquals": {"aws:PrincipalTag/x509Subject/CN": "app"}})),
    # what is not an error to Access Analyzer, kind by kind
    ("a tag of a secret", "identity", policy(Action="secretsmanager:GetSecretValue", Resource="*", Condition={"StringEquals": {"secretsmanager:ResourceTag/Team": "a", "aws:ResourceTag/Team": "a"}})),
    ("a tag of a parameter", "identity", policy(Action="ssm:GetParameter", Resource="*", Condition={"StringEquals": {"ssm:resourceTag/Team": "a"}})),
    ("AWS's parameters and documents", "identity", policy(Action=["ssm:GetParameter", "ssm:SendCommand"], Resource=["arn:aws:ssm:*::parameter/aws/service/*", "arn:aws:ssm:us-east-1::parameter/aws/service/ami-amazon-linux-latest/x", "arn:aws:ssm:*::document/AWS-*", "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript"])),
    ("transforms, and stacks by name", "identity", policy(Action="cloudformation:CreateChangeSet", Resource=["arn:aws:cloudformation:*:aws:transform/*", "arn:aws:cloudformation:us-east-1:aws:transform/Serverless-2016-10-31", "arn:aws:cloudformation:us-east-1:111122223333:stack/my-stack"])),
    ("the endpoint of a state", "identity", policy(Action="states:InvokeHTTPEndpoint", Resource="*", Condition={"StringEquals": {"states:HTTPMethod": "GET"}, "StringLike": {"states:HTTPEndpoint": "https://example.com/*"}})),
    ("all but the root users", "identity", deny(Action="iam:*", Resource=None, NotResource="arn:aws:iam::*:root")),
    ("log groups without their word", "identity", policy(Action="logs:PutLogEvents", Resource="arn:aws:logs:*:*:/aws-glue/*")),
    ("a key of one of two actions", "identity", policy(Action=["s3:ListBucket", "s3:GetObject"], Resource=["arn:aws:s3:::b", "arn:aws:s3:::b/*"], Condition={"StringLike": {"s3:prefix": "home/*"}})),
    ("two pages that share a prefix", "identity", policy(Action=["apigateway:GET", "elasticloadbalancing:DescribeLoadBalancers", "lex:PostText", "lex:RecognizeText"], Resource="*")),
    ("APIs of both kinds", "identity", policy(Action="apigateway:GET", Resource=["arn:aws:apigateway:us-east-1::/restapis/*", "arn:aws:apigateway:us-east-1::/apis/*"])),
    ("load balancers of both kinds", "identity", policy(Action="elasticloadbalancing:DeleteLoadBalancer", Resource=["arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/classic", "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/a/50dc6c495c0c9188"])),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "document"), [case[1:] for case in EXAMPLES], ids=[case[0] for case in EXAMPLES])
def test_no_error_and_no_doubt_of_ours_in(kind: str, document: Any) -> None:
    rows = [(problem, FINDINGS[problem.code]) for problem in found(document, kind)]
    assert [str(problem) for problem, row in rows if row.gravity == ERROR or row.ours] == []
