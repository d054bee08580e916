"""Validation, case by case: what is found in a document, where, and what is said to be right instead.

The cases follow AWS's pages: the policy grammar, the elements reference, the quotas, SCP and RCP syntax, and IAM Access
Analyzer's policy check reference, whose issue codes the codes are.
"""

# ruff: noqa: E501 - a case a line: the tables are read across

from __future__ import annotations

from typing import Any

import pytest

from simlib.iam import Policy, PolicyError, advice, validation
from simlib.iam.findings import FINDINGS, page
from simlib.iam.statement import KINDS
from tests.iam.documents import BUCKET, OBJECTS, ROLE, bucket, found, policy, rcp, trust, when

GITHUB = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
GOOD = [
    ("an identity-based policy", "identity", policy()),
    ("a single statement as an object", "identity", {"Version": "2012-10-17", "Statement": policy()["Statement"][0]}),
    ("a short resource of API Gateway", "resource", bucket(Action="execute-api:Invoke", Resource="execute-api:/prod/*")),
    ("NotAction and NotResource in a denial", "identity", policy(Effect="Deny", Action=None, NotAction="s3:*", Resource=None, NotResource=BUCKET)),
    ("everything denied", "identity", policy(Effect="Deny", Action="*", Resource="*")),
    ("*:* for every action", "identity", policy(Effect="Deny", Action="*:*", Resource="*")),
    ("an action that has no resources", "identity", policy(Action="s3:ListAllMyBuckets", Resource="*")),
    ("an action that has no resources, on its whole service", "identity", policy(Action="s3:ListAllMyBuckets", Resource="arn:aws:s3:::*")),
    ("bucket and objects for both kinds of actions", "identity", policy(Action=["s3:ListBucket", "s3:GetObject"], Resource=[BUCKET, OBJECTS])),
    ("actions in any case", "identity", policy(Action="S3:getobject")),
    ("a variable in a resource", "identity", policy(Resource=f"{BUCKET}/${{aws:username}}/*")),
    ("a variable with a default", "identity", policy(Resource=f"{BUCKET}/${{aws:username, 'anonymous'}}/*")),
    ("escaped signs", "identity", policy(Resource=f"{BUCKET}/${{*}}${{?}}${{$}}")),
    ("a tag of the principal", "identity", when(StringEquals={"aws:PrincipalTag/team": "${aws:PrincipalTag/team}"})),
    ("true and numbers without quotes", "identity", when(Bool={"aws:SecureTransport": True}, NumericLessThan={"aws:MultiFactorAuthAge": 3600})),
    ("dates and addresses", "identity", when(DateLessThan={"aws:CurrentTime": "2026-11-23T10:00:00Z"}, IpAddress={"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]})),
    ("a day", "identity", when(DateLessThan={"aws:CurrentTime": "2026-11-23"})),
    ("epoch seconds for aws:EpochTime", "identity", when(NumericLessThan={"aws:EpochTime": "1700000000"}, DateLessThan={"aws:EpochTime": "1700000000"})),
    ("set operators on keys with several values", "identity", policy(Effect="Deny", Action="ec2:CreateTags", Resource="*", Condition={"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}})),
    ("ForAllValues with the question for presence", "identity", policy(Action="ec2:CreateTags", Resource="*", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "Null": {"aws:TagKeys": "false"}})),
    ("Null", "identity", policy(Effect="Deny", Condition={"Null": {"aws:TokenIssueTime": "true"}})),
    ("BoolIfExists for MFA", "identity", policy(Effect="Deny", Action="*", Resource="*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})),
    ("MFA denial that asks for presence itself", "identity", policy(Effect="Deny", Action="*", Resource="*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}, "Null": {"aws:MultiFactorAuthPresent": "false"}})),
    ("an MFA requirement", "identity", when(Bool={"aws:MultiFactorAuthPresent": "true"})),
    ("PassRole on one role", "identity", policy(Action="iam:PassRole", Resource=ROLE)),
    ("PassRole to one service", "identity", policy(Action="iam:PassRole", Resource="*", Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})),
    ("a key of its action", "identity", policy(Action="s3:ListBucket", Resource=BUCKET, Condition={"StringLike": {"s3:prefix": "home/*"}})),
    ("a key of several services", "identity", when(ArnEquals={"ec2:SourceInstanceArn": "arn:aws:ec2:us-east-1:111122223333:instance/i-1"})),
    ("a bucket's account does not stand in its ARN, a table's does", "identity", policy(Action="dynamodb:GetItem", Resource="arn:aws:dynamodb:us-east-1:111122223333:table/t")),
    ("an access point has a Region", "identity", policy(Resource="arn:aws:s3:us-east-1:111122223333:accesspoint/a/object/*")),
    ("another partition", "identity", policy(Resource="arn:aws-cn:s3:::b/*")),
    ("a boundary", "boundary", policy(Action="*", Resource="*")),
    ("an SCP", "scp", policy(Action="*", Resource="*")),
    ("an SCP in the whole language", "scp", policy(Effect="Allow", Action=None, NotAction="iam:*User", Resource=None, NotResource=OBJECTS, Condition={"Bool": {"aws:SecureTransport": "true"}})),
    ("an RCP", "rcp", rcp(Condition={"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}})),
    ("RCPFullAWSAccess", "rcp", rcp(Effect="Allow", Action="*")),
    ("a trust policy for a service", "trust", trust()),
    ("a trust policy for an account", "trust", trust(Principal={"AWS": ["111122223333", "arn:aws:iam::444455556666:root"]}, Condition={"StringEquals": {"sts:ExternalId": "x1"}})),
    ("a trust policy for users, roles and sessions", "trust", trust(Principal={"AWS": ["arn:aws:iam::111122223333:user/a/b/alice", "arn:aws:iam::111122223333:role/db", "arn:aws:sts::111122223333:assumed-role/web/i-1", "arn:aws:sts::111122223333:federated-user/bob"]})),
    ("a trust policy with session tags", "trust", trust(Principal={"AWS": ROLE}, Action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])),
    ("a trust policy with an external ID for all that AssumeRole asks", "trust", trust(Principal={"AWS": ROLE}, Action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], Condition={"StringEquals": {"sts:ExternalId": "x1"}})),
    ("a trust policy with the console's empty Sid", "trust", trust(Sid="")),
    ("a trust policy for web identities", "trust", trust(Action="sts:AssumeRoleWithWebIdentity", Principal={"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, Condition={"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}})),
    ("a trust policy for SAML", "trust", trust(Action="sts:AssumeRoleWithSAML", Principal={"Federated": "arn:aws:iam::111122223333:saml-provider/corp"}, Condition={"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}})),
    ("a trust policy for Cognito", "trust", trust(Action="sts:AssumeRoleWithWebIdentity", Principal={"Federated": "cognito-identity.amazonaws.com"}, Condition={"StringEquals": {"cognito-identity.amazonaws.com:aud": "pool"}})),
    ("a bucket policy", "resource", bucket()),
    ("a bucket policy for an organization", "resource", bucket(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}})),
    ("a bucket policy for CloudFront", "resource", bucket(Principal={"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EH1HDMB1FH2TC"})),
    ("a bucket policy for a canonical user", "resource", bucket(Principal={"CanonicalUser": "a" * 64})),
    ("a resource policy for a service acting for one account", "resource", bucket(Principal={"Service": "cloudtrail.amazonaws.com"}, Action="s3:PutObject", Condition={"StringEquals": {"AWS:SourceAccount": "111122223333"}})),
    ("Sids with spaces in a bucket policy", "resource", bucket(Sid="may read")),
    ("NotPrincipal in a denial", "resource", bucket(Effect="Deny", Principal=None, NotPrincipal={"AWS": ROLE})),
    ("an Id in a resource policy", "resource", {"Id": "mine", **bucket()}),
    ("an endpoint policy", "endpoint", bucket(Principal="*")),
    ("a session policy", "session", policy()),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "document"), [case[1:] for case in GOOD], ids=[case[0] for case in GOOD])
def test_nothing_is_found_in(kind: str, document: Any) -> None:
    assert [str(problem) for problem in found(document, kind)] == []


# sentence, kind, document, code, path, part of the suggestion (None: there is none)
BAD = [
    # the document
    ("a list", "identity", [], "data-type-mismatch", "", None),
    ("nothing", "identity", None, "data-type-mismatch", "", None),
    ("no statement", "identity", {"Version": "2012-10-17"}, "missing-statement", "", "Statement"),
    ("an empty list of statements", "identity", {"Version": "2012-10-17", "Statement": []}, "empty-array-statement", "Statement", "Effect"),
    ("a statement that is a text", "identity", {"Version": "2012-10-17", "Statement": "x"}, "data-type-mismatch", "Statement", None),
    ("a list with a text as statement", "identity", {"Version": "2012-10-17", "Statement": ["x"]}, "data-type-mismatch", "Statement[0]", None),
    ("a misspelt element of the document", "identity", {**policy(), "Statment": []}, "invalid-policy-element", "Statment", "Statement?"),
    ("an element of a statement in the document", "identity", {**policy(), "Effect": "Allow"}, "invalid-policy-element", "Effect", "belongs in a statement"),
    ("a name that is no text", "identity", {**policy(), 5: "x"}, "invalid-policy-element", "5", None),
    ("no version", "identity", {"Statement": policy()["Statement"]}, "missing-version", "", "2012-10-17"),
    ("today as version", "identity", {**policy(), "Version": "2026-11-23"}, "invalid-version", "Version", "2012-10-17"),
    ("a number as version", "identity", {**policy(), "Version": 2012}, "data-type-mismatch", "Version", None),
    ("a number as Id", "resource", {**bucket(), "Id": 5}, "data-type-mismatch", "Id", None),
    ("an Id in an identity-based policy", "identity", {**policy(), "Id": "x"}, "id-element", "Id", "remove"),
    # statements
    ("a misspelt element", "identity", policy(Resources="*"), "invalid-policy-element", "Statement[0].Resources", "Resource?"),
    ("an element in the wrong case", "identity", policy(condition={}), "invalid-policy-element", "Statement[0].condition", "Condition?"),
    ("no Effect", "identity", policy(Effect=None), "missing-effect", "Statement[0]", "Effect"),
    ("an Effect in lower case", "identity", policy(Effect="allow"), "invalid-effect", "Statement[0].Effect", "Allow?"),
    ("an Effect that is a list", "identity", policy(Effect=["Allow"]), "data-type-mismatch", "Statement[0].Effect", None),
    ("no Action", "identity", policy(Action=None), "missing-action", "Statement[0]", "Action"),
    ("an empty list of actions", "identity", policy(Action=[]), "empty-array-action", "Statement[0].Action", "fill"),
    ("an object as action", "identity", policy(Action={"s3": "*"}), "data-type-mismatch", "Statement[0].Action", None),
    ("a number among actions", "identity", policy(Action=["s3:GetObject", 1]), "data-type-mismatch", "Statement[0].Action[1]", None),
    ("Action and NotAction", "identity", policy(Effect="Deny", NotAction="s3:PutObject"), "unsupported-element-combination", "Statement[0].NotAction", "two statements"),
    ("Principal and NotPrincipal", "resource", bucket(Effect="Deny", NotPrincipal={"AWS": ROLE}), "unsupported-element-combination", "Statement[0].NotPrincipal", "remove"),
    ("no Resource", "identity", policy(Resource=None), "missing-resource", "Statement[0]", "Resource"),
    ("no Resource in a resource policy", "resource", bucket(Resource=None), "no-resource", "Statement[0]", "Resource"),
    ("an empty list of resources", "identity", policy(Resource=[]), "empty-array-resource", "Statement[0].Resource", "fill"),
    ("a number as resource", "identity", policy(Resource=5), "data-type-mismatch", "Statement[0].Resource", None),
    ("a principal in an identity-based policy", "identity", policy(Principal="*"), "unsupported-principal", "Statement[0].Principal", "trust"),
    ("a principal in a boundary", "boundary", policy(Principal="*"), "unsupported-principal", "Statement[0].Principal", "remove"),
    ("a NotPrincipal in a session policy", "session", policy(NotPrincipal="*"), "unsupported-principal", "Statement[0].NotPrincipal", "remove"),
    ("a principal in an SCP", "scp", policy(Principal="*"), "scp-syntax-error-principal", "Statement[0].Principal", "remove"),
    ("no principal in a bucket policy", "resource", policy(), "missing-principal", "Statement[0]", "Principal"),
    ("no principal in an endpoint policy", "endpoint", policy(), "missing-principal", "Statement[0]", "Principal"),
    ("no principal in a trust policy", "trust", trust(Principal=None), "missing-principal", "Statement[0]", "Principal"),
    ("a Sid with a hyphen", "identity", policy(Sid="read-it"), "unsupported-sid", "Statement[0].Sid", None),
    ("an empty Sid", "identity", policy(Sid=""), "empty-sid-value", "Statement[0].Sid", "name"),
    ("a number as Sid", "identity", policy(Sid=1), "data-type-mismatch", "Statement[0].Sid", None),
    # actions
    ("an action without service", "identity", policy(Action="GetObject"), "action-format", "Statement[0].Action", None),
    ("a service alone", "identity", policy(Action="s3"), "action-format", "Statement[0].Action", "s3:*?"),
    ("an action with a full stop", "identity", policy(Action="s3.GetObject"), "action-format", "Statement[0].Action", "s3:GetObject?"),
    ("an action with two colons", "identity", policy(Action="s3:Get:Object"), "action-format", "Statement[0].Action", None),
    ("an action without a name", "identity", policy(Action="s3:"), "action-format", "Statement[0].Action", None),
    ("an action without a service before the colon", "identity", policy(Action=":GetObject"), "action-vendor", "Statement[0].Action", "write the service out"),
    ("a wildcard in the service of an action", "identity", policy(Action="s*:GetObject"), "action-vendor", "Statement[0].Action", "after the colon"),
    ("a misspelt action", "identity", policy(Action="s3:GetObjct"), "invalid-action", "Statement[0].Action", "s3:GetObject?"),
    ("a misspelt action with a wildcard", "identity", policy(Action="s3:GetObjct*"), "invalid-action", "Statement[0].Action", "s3:GetObject*?"),
    ("an action that is like no other", "identity", policy(Action="s3:Xyzzy"), "unknown-action", "Statement[0].Action", None),
    ("a service that does not exist", "identity", policy(Action="s4:GetObject"), "invalid-service-in-action", "Statement[0].Action", "s3:GetObject?"),
    ("an object's action on a bucket", "identity", policy(Resource=BUCKET), "resource-mismatch", "Statement[0].Action", "${BucketName}/${ObjectName}"),
    ("a bucket's action on objects", "identity", policy(Action=["s3:GetObject", "s3:ListBucket"]), "resource-mismatch", "Statement[0].Action[1]", "${BucketName}"),
    ("an action on another service's resource", "identity", policy(Resource="arn:aws:sqs:us-east-1:111122223333:q"), "resource-mismatch", "Statement[0].Action", "arn"),
    ("an action without resources on a bucket", "identity", policy(Action="s3:ListAllMyBuckets", Resource=BUCKET), "resource-mismatch", "Statement[0].Action", '"*"'),
    ("wildcards of which none fits", "identity", policy(Action="s3:GetBucket*"), "resource-mismatch", "Statement[0].Action", "${BucketName}"),
    ("an action twice", "identity", policy(Action=["s3:GetObject", "s3:getobject"]), "redundant-action", "Statement[0].Action[0]", "remove"),
    ("an action covered by a wildcard", "identity", policy(Action=["s3:GetObject", "s3:GetObj*"]), "redundant-action", "Statement[0].Action[0]", "remove"),
    # resources
    ("a resource that is no ARN", "identity", policy(Resource="my-secure-bucket"), "invalid-arn-prefix", "Statement[0].Resource", None),
    ("an S3 address as resource", "identity", policy(Resource="s3://b/*"), "invalid-arn-prefix", "Statement[0].Resource", "arn:aws:s3:::b/*?"),
    ("an ARN without arn", "identity", policy(Resource="aws:s3:::b/*"), "invalid-arn-prefix", "Statement[0].Resource", "arn:aws:s3:::b/*?"),
    ("a partition that does not exist", "identity", policy(Resource="arn:aw:s3:::b/*"), "invalid-partition", "Statement[0].Resource", "aws?"),
    ("a wildcard in the service of an ARN", "identity", policy(Resource="arn:aws:s*:::b/*"), "arn-service", "Statement[0].Resource", None),
    ("an ARN that ends after the partition", "identity", policy(Resource="arn:aws"), "arn-service", "Statement[0].Resource", None),
    ("an ARN with too few colons", "identity", policy(Resource="arn:aws:s3::b/*"), "arn-fields", "Statement[0].Resource", "arn:aws:s3:::b/*?"),
    ("an ARN that stops early", "identity", policy(Action="sqs:SendMessage", Resource="arn:aws:sqs"), "missing-arn-field", "Statement[0].Resource", "write all six"),
    ("a Region in a bucket's ARN", "identity", policy(Resource="arn:aws:s3:us-east-1::b/*"), "arn-region-not-allowed", "Statement[0].Resource", "arn:aws:s3:::b/*?"),
    ("a Region in a role's ARN", "identity", policy(Action="iam:GetRole", Resource="arn:aws:iam:us-east-1:111122223333:role/x"), "arn-region-not-allowed", "Statement[0].Resource", ROLE[:25]),
    ("an IAM resource of no kind", "identity", policy(Action="iam:GetRole", Resource="arn:aws:iam::111122223333:roles/x"), "iam-resource-path", "Statement[0].Resource", "role/?"),
    ("an account in a bucket's ARN", "identity", policy(Resource="arn:aws:s3::111122223333:b/*"), "arn-account-not-allowed", "Statement[0].Resource", "arn:aws:s3:::b/*?"),
    ("no Region in a table's ARN", "identity", policy(Action="dynamodb:*", Resource="arn:aws:dynamodb::111122223333:table/t"), "missing-arn-region", "Statement[0].Resource", None),
    ("no account in a role's ARN", "identity", policy(Action="iam:GetRole", Resource="arn:aws:iam:::role/x"), "missing-arn-account", "Statement[0].Resource", None),
    ("an account ID of eleven digits", "identity", policy(Action="iam:GetRole", Resource="arn:aws:iam::11112222333:role/x"), "invalid-arn-account", "Statement[0].Resource", None),
    ("an ARN's service in capitals", "identity", policy(Resource="arn:aws:S3:::b/*"), "invalid-arn-service-case", "Statement[0].Resource", "lower case"),
    ("an ARN of a service that does not exist", "identity", policy(Action="sqs:*", Resource="arn:aws:sqss:us-east-1:111122223333:q"), "invalid-service", "Statement[0].Resource", "sqs?"),
    ("an ARN of no kind of resource", "identity", policy(Action="dynamodb:*", Resource="arn:aws:dynamodb:us-east-1:111122223333:tabel/t"), "invalid-arn-resource", "Statement[0].Resource", "arn:"),
    ("a resource covered by another", "identity", policy(Resource=[OBJECTS, f"{BUCKET}/a"]), "redundant-resource", "Statement[0].Resource[0]", "remove"),
    ("a service newer than the data", "identity", policy(Action="quasar:Shine", Resource="*"), "unknown-action", "Statement[0].Action", None),
    ("an ARN of a service newer than the data", "identity", policy(Effect="Deny", Action="*", Resource="arn:aws:quasar:us-east-1:111122223333:star/1"), "unknown-service", "Statement[0].Resource", None),
    ("an action newer than the data", "identity", policy(Action=["s3:GetObject", "s3:GetBucketAura"], Resource="*"), "unknown-action", "Statement[0].Action[1]", "s3:GetBucketA"),
    ("an action of words that AWS uses", "identity", policy(Action="s3:RestoreBucket", Resource="*"), "unknown-action", "Statement[0].Action", "s3:CreateBucket?"),
    ("an operation that is no action", "identity", policy(Action="s3:ListObjectsV2", Resource=BUCKET), "invalid-action", "Statement[0].Action", "s3:ListBucket?"),
    ("letters in the wrong order", "identity", policy(Action="ec2:DescribeInstacnes", Resource="*"), "invalid-action", "Statement[0].Action", "ec2:DescribeInstances?"),
    ("an action that AWS has withdrawn", "identity", policy(Action="cloudhsm:CreateHapg", Resource="*"), "invalid-action", "Statement[0].Action", None),
    ("a service that AWS has withdrawn", "identity", policy(Action="elastic-inference:Connect", Resource="*"), "invalid-service-in-action", "Statement[0].Action", None),
    ("actions that have no resources", "identity", policy(Action="ec2:DescribeInstances", Resource="arn:aws:ec2:us-east-1:111122223333:instance/*"), "resource-mismatch", "Statement[0].Action", '"*"'),
    # principals
    ("a principal as a list", "resource", bucket(Principal=["111122223333"]), "invalid-principal-format", "Statement[0].Principal", None),
    ("a principal as an ARN", "resource", bucket(Principal=ROLE), "invalid-principal-format", "Statement[0].Principal", '{"AWS": "arn:aws:iam'),
    ("a kind of principal that does not exist", "resource", bucket(Principal={"Services": "s3.amazonaws.com"}), "invalid-principal-key", "Statement[0].Principal.Services", "Service?"),
    ("a number as principal", "resource", bucket(Principal={"AWS": 111122223333}), "data-type-mismatch", "Statement[0].Principal.AWS", None),
    ("nobody as principal", "resource", bucket(Principal={}), "empty-object-principal", "Statement[0].Principal", "name"),
    ("an empty list of principals", "resource", bucket(Principal={"AWS": []}), "empty-array-principal", "Statement[0].Principal", "name"),
    ("no principal at all in a trust policy", "trust", trust(Principal={}), "no-principals", "Statement[0].Principal", "name"),
    ("nobody as principal of a trust policy", "trust", trust(Principal={"AWS": []}), "no-listed-principals", "Statement[0].Principal", "name"),
    ("part of a name as principal", "resource", bucket(Principal={"AWS": "arn:aws:iam::111122223333:user/dev-*"}), "unsupported-wildcard-in-principal", "Statement[0].Principal.AWS", "aws:PrincipalArn"),
    ("part of an account as principal", "resource", bucket(Principal={"AWS": ["1111*"]}), "unsupported-wildcard-in-principal", "Statement[0].Principal.AWS[0]", "aws:PrincipalArn"),
    ("every session as principal", "trust", trust(Principal={"AWS": "arn:aws:sts::111122223333:assumed-role/web/*"}), "session-wildcard", "Statement[0].Principal.AWS", "role"),
    ("a group as principal", "resource", bucket(Principal={"AWS": "arn:aws:iam::111122223333:group/dev"}), "invalid-principal", "Statement[0].Principal.AWS", "group"),
    ("a policy as principal", "resource", bucket(Principal={"AWS": "arn:aws:iam::111122223333:policy/dev"}), "invalid-principal", "Statement[0].Principal.AWS", None),
    ("an account ID of eleven digits as principal", "resource", bucket(Principal={"AWS": "11112222333"}), "invalid-principal", "Statement[0].Principal.AWS", None),
    ("an organization as principal", "resource", bucket(Principal={"AWS": "o-2clr3pc3js"}), "invalid-principal", "Statement[0].Principal.AWS", "aws:PrincipalOrgID"),
    ("a service under AWS", "trust", trust(Principal={"AWS": "ec2.amazonaws.com"}), "invalid-principal", "Statement[0].Principal.AWS", '"Service"'),
    ("an identity provider under Service", "trust", trust(Principal={"Service": GITHUB}), "invalid-service-principal-format", "Statement[0].Principal.Service", '"Federated"'),
    ("an identity provider under AWS", "trust", trust(Principal={"AWS": GITHUB}), "invalid-principal", "Statement[0].Principal.AWS", '"Federated"'),
    ("an account under Service", "trust", trust(Principal={"Service": "111122223333"}), "invalid-service-principal-format", "Statement[0].Principal.Service", '"AWS"'),
    ("a service without its domain", "trust", trust(Principal={"Service": "lambda"}), "invalid-service-principal-format", "Statement[0].Principal.Service", "lambda.amazonaws.com?"),
    ("a service with a misspelt domain", "trust", trust(Principal={"Service": "ec2.amazonaws.co"}), "invalid-service-principal-format", "Statement[0].Principal.Service", "ec2.amazonaws.com"),
    ("a service in capitals", "trust", trust(Principal={"Service": "EC2.amazonaws.com"}), "invalid-service-principal-format", "Statement[0].Principal.Service", "ec2.amazonaws.com"),
    ("every service", "trust", trust(Principal={"Service": "*"}), "invalid-service-principal-format", "Statement[0].Principal.Service", "ec2.amazonaws.com"),
    ("a user's ID as principal", "resource", bucket(Principal={"AWS": "AIDACKCEVSQ6C2EXAMPLE"}), "invalid-user-reference", "Statement[0].Principal.AWS", "ARN"),
    ("a role's ID as principal", "trust", trust(Principal={"AWS": "AROACKCEVSQ6C2EXAMPLE"}), "invalid-role-reference", "Statement[0].Principal.AWS", "ARN"),
    ("a provider that is neither domain nor ARN", "trust", trust(Action="sts:AssumeRoleWithSAML", Principal={"Federated": "corp"}), "invalid-federated-principal-syntax-in-role-trust-policy", "Statement[0].Principal.Federated", "domain"),
    ("a provider in a bucket policy", "resource", bucket(Principal={"Federated": "cognito-identity.amazonaws.com"}), "federated-principal-not-supported", "Statement[0].Principal.Federated", "role"),
    ("a canonical user in a trust policy", "trust", trust(Principal={"CanonicalUser": "a" * 64}), "canonical-user-not-supported", "Statement[0].Principal.CanonicalUser", "role"),
    ("a short canonical user", "resource", bucket(Principal={"CanonicalUser": "abc"}), "invalid-principal", "Statement[0].Principal.CanonicalUser", "64"),
    ("everybody without condition", "resource", bucket(Principal="*"), "open-principal", "Statement[0].Principal", "condition"),
    ("everybody under AWS without condition", "resource", bucket(Principal={"AWS": ["*"]}), "open-principal", "Statement[0].Principal.AWS[0]", "condition"),
    ("everybody in a trust policy", "trust", trust(Principal={"AWS": "*"}), "open-principal", "Statement[0].Principal.AWS", "condition"),
    ("Allow with NotPrincipal", "resource", bucket(Principal=None, NotPrincipal={"AWS": ROLE}), "allow-with-not-principal", "Statement[0].NotPrincipal", "Principal"),
    ("a service acting for anybody", "resource", bucket(Principal={"Service": "sns.amazonaws.com"}), "restrict-access-to-service-principal", "Statement[0].Principal.Service", "aws:SourceArn"),
    # trust policies
    ("a resource in a trust policy", "trust", trust(Resource="*"), "role-trust-policy-syntax-error-resource", "Statement[0].Resource", "remove"),
    ("another action in a trust policy", "trust", trust(Action=["sts:AssumeRole", "s3:GetObject"]), "unsupported-action-in-policy", "Statement[0].Action[1]", "sts:AssumeRole?"),
    ("every action in a trust policy", "trust", trust(Action="*"), "unsupported-action-in-policy", "Statement[0].Action", "sts:AssumeRole?"),
    ("a misspelt action in a trust policy", "trust", trust(Action="sts:AssumRole"), "unsupported-action-in-policy", "Statement[0].Action", "sts:AssumeRole?"),
    ("NotPrincipal in a trust policy", "trust", trust(Effect="Deny", Principal=None, NotPrincipal={"AWS": ROLE}), "role-trust-policy-syntax-error-notprincipal", "Statement[0].NotPrincipal", "Principal"),
    ("SAML for users", "trust", trust(Action="sts:AssumeRoleWithSAML", Principal={"AWS": ROLE}), "mismatched-action-for-principal", "Statement[0].Action", None),
    ("web identity for users", "trust", trust(Action="sts:AssumeRoleWithWebIdentity", Principal={"AWS": ROLE}), "mismatched-action-for-principal", "Statement[0].Action", None),
    ("web identity for a SAML provider", "trust", trust(Action="sts:AssumeRoleWithWebIdentity", Principal={"Federated": "arn:aws:iam::111122223333:saml-provider/corp"}), "mismatched-action-for-principal", "Statement[0].Action", None),
    ("plain AssumeRole for a provider", "trust", trust(Principal={"Federated": "arn:aws:iam::111122223333:saml-provider/corp"}), "mismatched-action-for-principal", "Statement[0].Action", None),
    ("anybody from GitHub", "trust", trust(Action="sts:AssumeRoleWithWebIdentity", Principal={"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}), "missing-condition-key-for-oidc-principal", "Statement[0].Principal.Federated", "token.actions.githubusercontent.com:sub"),
    # resource control policies
    ("an RCP for one role", "rcp", rcp(Principal={"AWS": ROLE}), "rcp-syntax-error-principal", "Statement[0].Principal", "condition"),
    ("an RCP that allows something", "rcp", rcp(Effect="Allow"), "rcp-syntax-error-allow", "Statement[0].Effect", "Deny"),
    ("an RCP with NotAction", "rcp", rcp(Action=None, NotAction="s3:*"), "rcp-syntax-error-notaction", "Statement[0].NotAction", "Action"),
    ("an RCP for every service", "rcp", rcp(Action="*"), "rcp-syntax-error-action", "Statement[0].Action", "s3:*"),
    ("an RCP for a service it does not reach", "rcp", rcp(Action="ec2:*"), "rcp-service", "Statement[0].Action", None),
    # conditions
    ("a condition that is a text", "identity", policy(Condition="x"), "data-type-mismatch", "Statement[0].Condition", None),
    ("an operator without keys", "identity", when(Bool="true"), "data-type-mismatch", "Statement[0].Condition.Bool", None),
    ("an empty condition", "identity", policy(Condition={}), "empty-object-condition", "Statement[0].Condition", "remove"),
    ("an empty operator", "identity", when(Bool={}), "empty-object-condition", "Statement[0].Condition.Bool", "remove"),
    ("a misspelt operator", "identity", when(StringEqual={"aws:username": "a"}), "invalid-condition-operator", "Statement[0].Condition.StringEqual", "StringEquals?"),
    ("an operator in the wrong case", "identity", when(stringLike={"aws:username": "a"}), "invalid-condition-operator", "Statement[0].Condition.stringLike", "StringLike?"),
    ("a misspelt operator with all its parts", "identity", when(**{"ForAnyValue:StringLikesIfExists": {"aws:TagKeys": "a"}}), "invalid-condition-operator", "Statement[0].Condition.ForAnyValue:StringLikesIfExists", "ForAnyValue:StringLikeIfExists?"),
    ("a misspelt qualifier", "identity", when(**{"foranyvalue:StringLike": {"aws:TagKeys": "a"}}), "invalid-condition-operator", "Statement[0].Condition.foranyvalue:StringLike", "ForAnyValue:StringLike?"),
    ("NullIfExists", "identity", when(NullIfExists={"aws:TokenIssueTime": "true"}), "null-with-if-exists", "Statement[0].Condition.NullIfExists", "Null?"),
    ("ForAllValues:Null", "identity", when(**{"ForAllValues:Null": {"aws:TagKeys": "true"}}), "null-with-qualifier", "Statement[0].Condition.ForAllValues:Null", "remove"),
    ("a key in two cases", "identity", when(StringEquals={"aws:username": "a", "aws:UserName": "b"}), "duplicate-keys-with-different-case", "Statement[0].Condition.StringEquals.aws:UserName", "merge"),
    ("null as value", "identity", when(StringEquals={"aws:username": None}), "data-type-mismatch", "Statement[0].Condition.StringEquals.aws:username", None),
    ("an object among values", "identity", when(StringEquals={"aws:username": ["a", {}]}), "data-type-mismatch", "Statement[0].Condition.StringEquals.aws:username[1]", None),
    ("no value", "identity", when(StringEquals={"aws:username": []}), "empty-array-condition", "Statement[0].Condition.StringEquals.aws:username", "Null"),
    ("a key without prefix", "identity", when(StringEquals={"username": "a"}), "invalid-condition-key-format", "Statement[0].Condition.StringEquals.username", "aws:username"),
    ("a misspelt global key", "identity", when(StringEquals={"aws:PrincipleArn": "a"}), "invalid-global-condition-key", "Statement[0].Condition.StringEquals.aws:PrincipleArn", "aws:PrincipalArn?"),
    ("a misspelt key of a service", "identity", when(StringEquals={"s3:prefx": "a"}), "invalid-service-condition-key", "Statement[0].Condition.StringEquals.s3:prefx", "s3:prefix?"),
    ("a key of no service", "identity", when(StringEquals={"s33:prefix": "a"}), "invalid-service", "Statement[0].Condition.StringEquals.s33:prefix", "s3?"),
    ("a tag key without tag", "identity", when(StringEquals={"aws:RequestTag": "a"}), "missing-tag-key-in-condition", "Statement[0].Condition.StringEquals.aws:RequestTag", "aws:RequestTag/"),
    ("the old aws:ARN", "identity", when(StringEquals={"aws:ARN": "a"}), "unsupported-global-condition-key", "Statement[0].Condition.StringEquals.aws:ARN", "aws:PrincipalArn"),
    ("a key that the action does not have", "identity", when(StringEquals={"s3:prefix": "a"}), "key-without-action", "Statement[0].Condition.StringEquals.s3:prefix", None),
    ("several values without qualifier", "identity", policy(Action="ec2:CreateTags", Resource="*", Condition={"StringEquals": {"aws:TagKeys": "a"}}), "missing-qualifier", "Statement[0].Condition.StringEquals.aws:TagKeys", "ForAnyValue:StringEquals?"),
    ("ForAllValues on one value", "identity", when(**{"ForAllValues:StringEquals": {"aws:username": "a"}}), "forallvalues-with-single-valued-key", "Statement[0].Condition.ForAllValues:StringEquals.aws:username", "remove"),
    ("ForAllValues with Allow", "identity", when(**{"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "a"}}), "for-all-values-allow", "Statement[0].Condition.ForAllValues:StringEquals.aws:PrincipalOrgPaths", '"Null"'),
    ("a string operator for an address", "identity", when(StringEquals={"aws:SourceIp": "203.0.113.7"}), "type-mismatch", "Statement[0].Condition.StringEquals.aws:SourceIp", "IpAddress"),
    ("a number for a truth value", "identity", when(NumericEquals={"aws:SecureTransport": "1"}), "type-mismatch", "Statement[0].Condition.NumericEquals.aws:SecureTransport", "Bool"),
    ("yes as truth value", "identity", when(Bool={"aws:SecureTransport": "yes"}), "type-mismatch-boolean", "Statement[0].Condition.Bool.aws:SecureTransport", None),
    ("a number as condition key", "identity", when(StringEquals={5: "x"}), "data-type-mismatch", "Statement[0].Condition.StringEquals.5", None),
    ("yes for Null", "identity", when(Null={"aws:TokenIssueTime": "yes"}), "type-mismatch-boolean", "Statement[0].Condition.Null.aws:TokenIssueTime", None),
    ("both truth values", "identity", when(Bool={"aws:SecureTransport": ["true", "false"]}), "invalid-condition-multiple-boolean", "Statement[0].Condition.Bool.aws:SecureTransport", None),
    ("a word as number", "identity", when(NumericLessThan={"aws:MultiFactorAuthAge": "1h"}), "type-mismatch-number", "Statement[0].Condition.NumericLessThan.aws:MultiFactorAuthAge", None),
    ("a word as date", "identity", when(DateLessThan={"aws:CurrentTime": "tomorrow"}), "type-mismatch-date", "Statement[0].Condition.DateLessThan.aws:CurrentTime", "YYYY"),
    ("the thirteenth month", "identity", when(DateLessThan={"aws:CurrentTime": "2026-13-01"}), "type-mismatch-date", "Statement[0].Condition.DateLessThan.aws:CurrentTime", "YYYY"),
    ("a date without zeros", "identity", when(DateLessThan={"aws:CurrentTime": "2026-1-2"}), "invalid-date-value", "Statement[0].Condition.DateLessThan.aws:CurrentTime", "YYYY"),
    ("epoch seconds for a date", "identity", when(DateLessThan={"aws:CurrentTime": 1700000000}), "invalid-date-value", "Statement[0].Condition.DateLessThan.aws:CurrentTime", "YYYY"),
    ("no address", "identity", when(IpAddress={"aws:SourceIp": "300.0.0.1"}), "type-mismatch-ip-range", "Statement[0].Condition.IpAddress.aws:SourceIp", None),
    ("a netmask in digits", "identity", when(IpAddress={"aws:SourceIp": "203.0.113.0/255.255.255.0"}), "type-mismatch-ip-range", "Statement[0].Condition.IpAddress.aws:SourceIp", None),
    ("bits after the mask", "identity", when(IpAddress={"aws:SourceIp": "203.0.113.7/24"}), "improve-ip-range", "Statement[0].Condition.IpAddress.aws:SourceIp", "203.0.113.0/24"),
    ("a private address", "identity", when(IpAddress={"aws:SourceIp": "10.0.0.0/8"}), "private-ip-address", "Statement[0].Condition.IpAddress.aws:SourceIp", "aws:VpcSourceIp"),
    ("a private address among others", "identity", when(IpAddress={"aws:SourceIp": ["203.0.113.0/24", "fd00::/8"]}), "private-ip-address-subset", "Statement[0].Condition.IpAddress.aws:SourceIp[1]", "aws:VpcSourceIp"),
    ("a private address excluded", "identity", policy(Effect="Deny", Condition={"NotIpAddress": {"aws:SourceIp": "192.168.0.0/16"}}), "private-not-ip-address", "Statement[0].Condition.NotIpAddress.aws:SourceIp", "aws:VpcSourceIp"),
    ("no base64", "identity", policy(Action="kms:Decrypt", Resource="*", Condition={"BinaryEquals": {"kms:RecipientAttestation:ImageSha384": "%"}}), "type-mismatch-string", "Statement[0].Condition.BinaryEquals.kms:RecipientAttestation:ImageSha384", None),
    ("a name as ARN", "identity", when(ArnLike={"aws:PrincipalArn": "alice"}), "arn-value", "Statement[0].Condition.ArnLike.aws:PrincipalArn", "arn:"),
    ("a wildcard in StringEquals", "identity", when(StringEquals={"aws:username": "dev-*"}), "wildcard-without-like-operator", "Statement[0].Condition.StringEquals.aws:username", "StringLike?"),
    ("a wildcard in an account ID", "identity", when(StringLike={"aws:PrincipalAccount": "1111*"}), "wildcard-usage-too-permissive", "Statement[0].Condition.StringLike.aws:PrincipalAccount", "write it out"),
    ("an MFA denial that misses access keys", "identity", policy(Effect="Deny", Action="*", Resource="*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}), "mfa-bool", "Statement[0].Condition.Bool.aws:MultiFactorAuthPresent", "BoolIfExists?"),
    ("an MFA requirement that access keys slip through", "identity", when(BoolIfExists={"aws:MultiFactorAuthPresent": True}), "mfa-if-exists", "Statement[0].Condition.BoolIfExists.aws:MultiFactorAuthPresent", "Bool?"),
    ("a key newer than the data", "identity", when(StringEquals={"s3:Aura": "a"}), "unknown-key", "Statement[0].Condition.StringEquals.s3:Aura", None),
    ("a global key newer than the data", "identity", when(StringEquals={"aws:AuraOfCaller": "a"}), "unknown-key", "Statement[0].Condition.StringEquals.aws:AuraOfCaller", None),
    ("a withdrawn key", "identity", policy(Action="lakeformation:GetDataAccess", Resource="*", Condition={"Null": {"lakeformation:GlueARN": "false"}}), "invalid-service-condition-key", "Statement[0].Condition.Null.lakeformation:GlueARN", None),
    ("any value at all", "identity", when(StringLike={"aws:PrincipalTag/team": "*"}), "equivalent-to-null-false", "Statement[0].Condition.StringLike.aws:PrincipalTag/team", '"false"'),
    ("no value at all", "identity", policy(Effect="Deny", Condition={"StringNotLike": {"aws:PrincipalTag/team": ["*"]}}), "equivalent-to-null-true", "Statement[0].Condition.StringNotLike.aws:PrincipalTag/team[0]", '"true"'),
    ("StringLike for an ARN", "identity", policy(Effect="Deny", Condition={"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}), "string-like-operator-with-arn-condition-keys", "Statement[0].Condition.StringNotLike.aws:PrincipalArn", "ArnNotLike"),
    ("a service principal in a condition that is none", "identity", when(**{"ForAnyValue:StringEquals": {"aws:CalledVia": ["athena.amazonaws.com", "cloudformation"]}}), "invalid-service-principal-format-as-value", "Statement[0].Condition.ForAnyValue:StringEquals.aws:CalledVia[1]", "amazonaws.com"),
    ("a tag condition on an action that has no tags", "identity", policy(Action=["ec2:StartInstances", "ec2:DescribeInstances"], Resource="*", Condition={"StringEquals": {"aws:ResourceTag/team": "a"}}), "allow-with-unsupported-tag-condition-key-for-service", "Statement[0].Action[1]", "of its own"),
    ("a denial by tags that misses an action", "identity", policy(Effect="Deny", Action=["ec2:StartInstances", "ec2:DescribeInstances"], Resource="*", Condition={"StringEquals": {"aws:ResourceTag/team": "a"}}), "deny-with-unsupported-tag-condition-key-for-service", "Statement[0].Action[1]", "of its own"),
    ("all but some actions by tags", "identity", policy(Action=None, NotAction="iam:*", Resource=ROLE, Condition={"StringEquals": {"aws:ResourceTag/team": "a"}}), "allow-notaction-with-unsupported-tag-condition-key-for-service", "Statement[0].NotAction", "Action"),
    ("all but some actions denied by tags", "identity", policy(Effect="Deny", Action=None, NotAction="iam:*", Resource="*", Condition={"StringEquals": {"aws:ResourceTag/team": "a"}}), "deny-notaction-with-unsupported-tag-condition-key-for-service", "Statement[0].NotAction", "Action"),
    ("a private address of no VPC", "identity", when(IpAddress={"aws:VpcSourceIp": "10.0.0.0/8"}), "missing-paired-condition-keys", "Statement[0].Condition.IpAddress.aws:VpcSourceIp", "aws:SourceVpc"),
    ("values of two JSON types", "identity", when(NumericEquals={"aws:MultiFactorAuthAge": ["60", 61]}), "invalid-condition-data-type", "Statement[0].Condition.NumericEquals.aws:MultiFactorAuthAge", "strings"),
    ("two limits of which one counts", "identity", when(NumericLessThan={"aws:MultiFactorAuthAge": ["2700", "3600"]}), "redundant-condition-value-num", "Statement[0].Condition.NumericLessThan.aws:MultiFactorAuthAge", "widest"),
    ("no value for all", "identity", policy(Action="ec2:CreateTags", Resource="*", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": []}}), "empty-array-condition-forallvalues", "Statement[0].Condition.ForAllValues:StringEquals.aws:TagKeys", "Null"),
    ("no value for any", "identity", policy(Action="ec2:CreateTags", Resource="*", Condition={"ForAnyValue:StringEquals": {"aws:TagKeys": []}}), "empty-array-condition-foranyvalue", "Statement[0].Condition.ForAnyValue:StringEquals.aws:TagKeys", "Null"),
    ("no value, if it exists", "identity", when(StringEqualsIfExists={"aws:username": []}), "empty-array-condition-ifexists", "Statement[0].Condition.StringEqualsIfExists.aws:username", "Null"),
    ("an audience as if it were several", "trust", trust(Action="sts:AssumeRoleWithWebIdentity", Principal={"Federated": "accounts.google.com"}, Condition={"ForAllValues:StringEquals": {"accounts.google.com:aud": "app"}}), "confirm-audience-claim-type", 'Statement[0].Condition.ForAllValues:StringEquals["accounts.google.com:aud"]', "remove"),
    ("any branch of a repository on GitHub", "trust", trust(Action="sts:AssumeRoleWithWebIdentity", Principal={"Federated": GITHUB}, Condition={"StringLike": {"token.actions.githubusercontent.com:sub": "repo:me/app:*"}}), "specific-github-repo-and-branch-recommended", 'Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"]', "branch"),
    ("a star for GitHub that StringEquals takes as it stands", "trust", trust(Action="sts:AssumeRoleWithWebIdentity", Principal={"Federated": GITHUB}, Condition={"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:me/app:*"}}), "wildcard-without-like-operator", 'Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"]', "StringLike"),
    ("Roles Anywhere without its other actions", "trust", trust(Principal={"Service": "rolesanywhere.amazonaws.com"}), "missing-action-for-roles-anywhere-trust-policy", "Statement[0].Principal.Service", "sts:TagSession"),
    ("a session of a role that is named too", "trust", trust(Principal={"AWS": [ROLE, "arn:aws:sts::111122223333:assumed-role/web/i-1"]}), "redundant-principal-in-role-trust-policy", "Statement[0].Principal.AWS[1]", "remove"),
    ("an RCP for one organization that stops AWS's services", "rcp", rcp(Condition={"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1234567890"}}), "rcp-missing-related-principal-condition-key", "Statement[0].Condition.StringNotEqualsIfExists.aws:PrincipalOrgID", "aws:PrincipalIsAWSService"),
    ("an RCP against confused deputies that asks others, too", "rcp", rcp(Condition={"StringNotEqualsIfExists": {"aws:SourceOrgID": "o-1234567890"}}), "rcp-missing-related-service-condition-key", "Statement[0].Condition.StringNotEqualsIfExists.aws:SourceOrgID", "aws:PrincipalIsAWSService"),
    # variables
    ("a variable in the old version", "identity", {**policy(Resource=f"{BUCKET}/${{aws:username}}"), "Version": "2008-10-17"}, "variable-unsupported-in-version", "Statement[0].Resource", "2012-10-17"),
    ("a variable in a condition of the old version", "identity", {**when(StringEquals={"aws:userid": "${aws:username}"}), "Version": "2008-10-17"}, "variable-unsupported-in-version", "Statement[0].Condition.StringEquals.aws:userid", "2012-10-17"),
    ("a variable as account", "identity", policy(Action="iam:GetUser", Resource="arn:aws:iam::${aws:PrincipalAccount}:user/x"), "variable-position", "Statement[0].Resource", "*"),
    ("a variable in an action", "identity", policy(Action="s3:Get${Object}"), "variable-unsupported-in-element", "Statement[0].Action", None),
    ("a variable for a number", "identity", when(NumericLessThan={"aws:MultiFactorAuthAge": "${aws:EpochTime}"}), "invalid-variable-for-operator", "Statement[0].Condition.NumericLessThan.aws:MultiFactorAuthAge", None),
    ("a variable that is not closed", "identity", policy(Resource=f"{BUCKET}/${{aws:username"), "missing-brace-in-variable", "Statement[0].Resource", "}"),
    ("a variable without name", "identity", policy(Resource=f"{BUCKET}/${{}}"), "empty-variable", "Statement[0].Resource", "aws:username"),
    ("a variable with a space", "identity", policy(Resource=f"{BUCKET}/${{ aws:username}}"), "unsupported-space-in-variable", "Statement[0].Resource", "${aws:username}?"),
    ("a default without quotes", "identity", policy(Resource=f"{BUCKET}/${{aws:username, none}}"), "missing-quote-in-variable", "Statement[0].Resource", "'none'"),
    ("a misspelt variable", "identity", policy(Resource=f"{BUCKET}/${{aws:usrname}}"), "unknown-variable", "Statement[0].Resource", "aws:username?"),
    ("a variable with several values", "identity", policy(Resource=f"{BUCKET}/${{aws:TagKeys}}"), "multivalued-variable", "Statement[0].Resource", None),
    # handed out
    ("PassRole on every role", "identity", policy(Action="iam:PassRole", Resource="*"), "pass-role-with-star-in-resource", "Statement[0].Action", "iam:PassedToService"),
    ("PassRole on every role of an account", "identity", policy(Action="iam:PassRole", Resource="arn:aws:iam::111122223333:role/*"), "pass-role-with-star-in-resource", "Statement[0].Action", "iam:PassedToService"),
    ("PassRole by a wildcard", "identity", policy(Action="iam:Pass*", Resource="*"), "pass-role-with-star-in-action-and-resource", "Statement[0].Action", "name the roles"),
    ("PassRole by NotAction", "identity", policy(Action=None, NotAction=["iam:Create*"], Resource="*"), "pass-role-with-star-in-resource-and-not-action", "Statement[0].NotAction", "name the roles"),
    ("PassRole with NotResource", "identity", policy(Action="iam:PassRole", Resource=None, NotResource=ROLE), "pass-role-with-not-resource", "Statement[0].Action", "name the roles"),
    ("PassRole by a wildcard with NotResource", "session", policy(Action="iam:P*Role", Resource=None, NotResource=ROLE), "pass-role-with-star-in-action-and-not-resource", "Statement[0].Action", "name the roles"),
    ("PassRole by NotAction with NotResource", "identity", policy(Action=None, NotAction="iam:Create*", Resource=None, NotResource=ROLE), "pass-role-with-not-action-and-not-resource", "Statement[0].NotAction", "name the roles"),
    ("service-linked roles", "identity", policy(Action="iam:CreateServiceLinkedRole", Resource="*"), "create-slr-with-star-in-resource", "Statement[0].Action", "iam:AWSServiceName"),
    ("service-linked roles by a wildcard", "identity", policy(Action="iam:CreateServiceLinked*", Resource="*"), "create-slr-with-star-in-action-and-resource", "Statement[0].Action", "iam:AWSServiceName"),
    ("service-linked roles by NotAction", "identity", policy(Action=None, NotAction="iam:Pass*", Resource="*"), "create-slr-with-star-in-resource-and-not-action", "Statement[0].NotAction", "iam:AWSServiceName"),
    ("service-linked roles with NotResource", "identity", policy(Action="iam:CreateServiceLinkedRole", Resource=None, NotResource=ROLE), "create-slr-with-not-resource", "Statement[0].Action", "iam:AWSServiceName"),
    ("service-linked roles by a wildcard with NotResource", "identity", policy(Action="iam:CreateServiceLinked*", Resource=None, NotResource=ROLE), "create-slr-with-star-in-action-and-not-resource", "Statement[0].Action", "iam:AWSServiceName"),
    ("service-linked roles by NotAction with NotResource", "identity", policy(Action=None, NotAction="iam:Pass*", Resource=None, NotResource=ROLE), "create-slr-with-not-action-and-not-resource", "Statement[0].NotAction", "iam:AWSServiceName"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "document", "code", "path", "suggestion"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_one_thing_is_found_in(kind: str, document: Any, code: str, path: str, suggestion: str | None) -> None:
    problems = found(document, kind)
    assert [problem.code for problem in problems] == [code]
    (problem,) = problems
    assert problem.path == path
    assert problem.level == FINDINGS[code].level
    if suggestion is None:
        assert problem.suggestion is None
    else:
        assert suggestion in str(problem.suggestion)
    assert "{" not in problem.message.replace('{"AWS"', "").replace("${", "")
    assert problem.message.endswith(".")


@pytest.mark.parametrize(
    ("kind", "document", "codes"),
    [
        ("trust", trust(Principal="*"), {"role-trust-policy-unsupported-wildcard-in-principal"}),
        ("trust", trust(Principal=None, NotPrincipal={"AWS": ROLE}), {"role-trust-policy-syntax-error-notprincipal"}),
        ("identity", when(NullIfExists={}), {"empty-object-condition"}),  # AWS saves an operator that compares nothing
        ("identity", when(StringEqual={}), {"empty-object-condition"}),
        ("rcp", rcp(Principal=None, NotPrincipal="*"), {"rcp-syntax-error-principal"}),
        ("resource", bucket(Effect="Deny", Principal=None, NotPrincipal="*"), set()),
        ("identity", policy(Action="*", Resource="*"), {"pass-role-with-star-in-action-and-resource", "create-slr-with-star-in-action-and-resource"}),
    ],
)  # fmt: skip
def test_several_things_can_be_found_in_one_statement(kind: str, document: Any, codes: set[str]) -> None:
    assert {problem.code for problem in found(document, kind)} == codes


def test_every_code_is_met_by_some_case() -> None:
    met = {case[3] for case in BAD}
    elsewhere = {
        "unsupported-character",
        "document-too-long",
        "old-version",
        "redundant-statement",
        "unique-sids-required",
        "unique-sids-recommended",
        "role-trust-policy-unsupported-wildcard-in-principal",
        "policy-size",
        "policy-size-exceeds-identity-policy-quota",
        "policy-size-exceeds-resource-policy-quota",
        "policy-size-exceeds-scp-quota",
        "policy-size-exceeds-rcp-quota",
        "private-not-ip-address-subset",
    }
    assert met | elsewhere == {code for code in FINDINGS if not code.startswith("json-")}


def test_every_row_of_the_table_has_its_test_or_is_what_aws_refuses() -> None:
    for code, row in FINDINGS.items():
        saved = row.level == "warning" and not code.startswith("policy-size")
        assert bool(row.test or row.when) is saved or (row.when and row.level == "refused"), code
        assert not row.test or callable(advice.TESTS[row.test]), code
        assert page(code).endswith(f"-{code.removesuffix('-as-value')}") is not row.ours, code


def test_gravity_is_access_analyzers_and_every_code_of_the_reader_is_an_error() -> None:
    assert validation.gravity("invalid-action") == "error"
    assert validation.gravity("pass-role-with-star-in-resource") == "security warning"
    assert validation.gravity("missing-version") == "warning"
    assert validation.gravity("redundant-action") == "suggestion"
    assert validation.gravity("json-syntax") == "error"
    assert validation.issue_code("missing-effect") == "MISSING_EFFECT"
    assert validation.issue_code("mfa-bool") is None
    assert validation.issue_code("json-duplicate-key") == "JSON_SYNTAX_ERROR"


def test_the_engine_takes_each_of_these_documents_as_every_kind_exactly_if_there_is_no_error() -> None:
    met = set()
    for document in (case[2] for case in (*GOOD, *BAD)):
        for kind in KINDS:
            errors = [problem for problem in found(document, kind, advice=False) if problem.level == "error"]
            met |= {problem.code for problem in errors}
            try:
                Policy.parse(document, kind)
                refused = False
            except PolicyError:
                refused = True
            assert refused is bool(errors), (kind, document, errors)
    assert met == {code for code, row in FINDINGS.items() if row.level == "error" and not code.startswith("json-")}
