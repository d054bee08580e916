"""Documents that AWS refuses to save, each by the call that would save it, with AWS's code and text."""

# ruff: noqa: E501 - a case a line: the tables are read across

from __future__ import annotations

import json
from typing import Any

import pytest

from simlib import Cloud

from .conftest import document, refused
from .test_functions import create as create_function

ACCOUNT = "111111111111"
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
NOBODY = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/nobody"}
GITHUB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
SUB = "token.actions.githubusercontent.com:sub"
IDENTITY, BUCKET = "MalformedPolicyDocument", "MalformedPolicy"
PREFACED = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
UNFIT = "The provided policy document does not meet the requirements of the specified policy type."
SYNTAX = "Syntax errors in policy."


def statement(base: dict[str, Any], elements: dict[str, Any]) -> str:
    """The document of one statement: `base` with other elements; None takes one away."""
    return document({key: value for key, value in {**base, **elements}.items() if value is not None})


def may(**elements: Any) -> str:
    return statement({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}, elements)


def trusts(**elements: Any) -> str:
    return statement({"Effect": "Allow", "Principal": ROOT, "Action": "sts:AssumeRole"}, elements)


def resource(action: str, **elements: Any) -> str:
    return statement({"Effect": "Allow", "Principal": ROOT, "Action": action, "Resource": "*"}, elements)


def bucket(**elements: Any) -> str:
    return resource("s3:GetObject", **{"Resource": "arn:aws:s3:::reports/*", **elements})


def old(text: str) -> str:
    return text.replace("2012-10-17", "2008-10-17")


def from_github(operator: str | None = None, key: str = SUB, values: Any = "*") -> str:
    condition = {"Condition": {operator: {key: values}}} if operator else {}
    return trusts(Principal={"Federated": GITHUB}, Action="sts:AssumeRoleWithWebIdentity", **condition)


class Saving:
    """Every call that saves a document, ready to be made; each takes the document alone."""

    def __init__(self, aws: Cloud) -> None:
        self.client = aws.account("dev").admin.client
        self.iam, self.s3 = self.client("iam"), self.client("s3")

    def identity(self) -> list[Any]:
        iam = self.iam
        iam.create_user(UserName="dev")
        iam.create_group(GroupName="devs")
        iam.create_role(RoleName="there", AssumeRolePolicyDocument=trusts())
        arn = iam.create_policy(PolicyName="there", PolicyDocument=may())["Policy"]["Arn"]
        inline = {"PolicyName": "p"}
        return [
            lambda text: iam.create_policy(PolicyName="p", PolicyDocument=text),
            lambda text: iam.create_policy_version(PolicyArn=arn, PolicyDocument=text),
            lambda text: iam.put_user_policy(UserName="dev", PolicyDocument=text, **inline),
            lambda text: iam.put_group_policy(GroupName="devs", PolicyDocument=text, **inline),
            lambda text: iam.put_role_policy(RoleName="there", PolicyDocument=text, **inline),
        ]

    def session(self) -> list[Any]:
        self.iam.create_role(RoleName="there", AssumeRolePolicyDocument=trusts())
        sts, arn = self.client("sts"), f"arn:aws:iam::{ACCOUNT}:role/there"
        return [
            lambda text: sts.assume_role(RoleArn=arn, RoleSessionName="work", Policy=text),
            lambda text: sts.get_federation_token(Name="work", Policy=text),
        ]

    def trust(self) -> list[Any]:
        self.iam.create_role(RoleName="there", AssumeRolePolicyDocument=trusts())
        return [
            lambda text: self.iam.create_role(RoleName="r", AssumeRolePolicyDocument=text),
            lambda text: self.iam.update_assume_role_policy(RoleName="there", PolicyDocument=text),
        ]

    def bucket(self) -> list[Any]:
        self.s3.create_bucket(Bucket="reports")
        return [lambda text: self.s3.put_bucket_policy(Bucket="reports", Policy=text)]

    def key(self) -> list[Any]:
        kms = self.client("kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        return [
            lambda text: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text),
            lambda text: kms.create_key(Policy=text),
        ]

    def topic(self) -> list[Any]:
        sns = self.client("sns")
        arn = sns.create_topic(Name="news")["TopicArn"]
        return [
            lambda text: sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text),
            lambda text: sns.create_topic(Name="other", Attributes={"Policy": text}),
        ]

    def queue(self) -> list[Any]:
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
        return [
            lambda text: sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": text}),
            lambda text: sqs.create_queue(QueueName="other", Attributes={"Policy": text}),
        ]

    def secret(self) -> list[Any]:
        secrets = self.client("secretsmanager")
        secrets.create_secret(Name="door", SecretString="open")
        return [lambda text: secrets.put_resource_policy(SecretId="door", ResourcePolicy=text)]

    def repository(self) -> list[Any]:
        ecr = self.client("ecr")
        ecr.create_repository(repositoryName="images")
        return [lambda text: ecr.set_repository_policy(repositoryName="images", policyText=text)]

    def table(self) -> list[Any]:
        dynamodb = self.client("dynamodb")
        arn = dynamodb.create_table(
            TableName="t", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        )["TableDescription"]["TableArn"]  # fmt: skip
        return [lambda text: dynamodb.put_resource_policy(ResourceArn=arn, Policy=text)]

    def control(self, kind: str) -> list[Any]:
        organizations = self.client("organizations")
        organizations.create_organization(FeatureSet="ALL")
        create = lambda text: organizations.create_policy(Name="p", Description="", Type=kind, Content=text)  # noqa: E731
        good = may(Effect="Deny", **({"Principal": "*"} if kind == "RESOURCE_CONTROL_POLICY" else {}))
        there = organizations.create_policy(Name="there", Description="", Type=kind, Content=good)
        policy = there["Policy"]["PolicySummary"]["Id"]
        return [create, lambda text: organizations.update_policy(PolicyId=policy, Content=text)]

    def scp(self) -> list[Any]:
        return self.control("SERVICE_CONTROL_POLICY")

    def rcp(self) -> list[Any]:
        return self.control("RESOURCE_CONTROL_POLICY")


def partition(name: str, arn: str) -> str:
    return f'Partition "{name}" is not valid for resource "{arn}".'


def principal(kind: str, name: str) -> str:
    return f'Invalid principal in policy: "{kind}":"{name}"'


def unscoped(provider: str, claims: str) -> str:
    return f"Trust policy with trusted principal {provider} must evaluate, using StringEquals, StringLike or StringEqualsIgnoreCase, {claims} which is not scoped to all."


GITHUBS = unscoped(GITHUB, f"{SUB} or token.actions.githubusercontent.com:job_workflow_ref")
GITLAB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.com"
COGNITO = "cognito-identity.amazonaws.com"
WEB = "sts:AssumeRoleWithWebIdentity"
NOT_SAVED = "Invalid value for the parameter Policy."
NO_PRINCIPALS = "Policy contains a statement with one or more invalid principals."
REPOSITORY = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"

CASES: list[tuple[str, str, str, str, str]] = [
    ("text that is no JSON", "identity", "{", IDENTITY, SYNTAX),
    ("an ARN with too few fields", "identity", may(Resource="arn:aws:s3::reports"), IDENTITY, "The policy failed legacy parsing"),
    ("an action without a service", "identity", may(Action="GetObject"), IDENTITY, PREFACED),
    ("an empty resource", "identity", may(Resource=""), IDENTITY, 'Resource  must be in ARN format or "*".'),
    ("a resource that is a tool's placeholder", "identity", may(Resource="arn:1:\no.apply(v)"), IDENTITY, partition("1", "arn:1:\no.apply(v):*:*:*")),
    ("a Region in an IAM ARN", "identity", may(Resource=f"arn:aws:iam:us-east-1:{ACCOUNT}:role/GlueJobRole"), IDENTITY, f"IAM resource arn:aws:iam:us-east-1:{ACCOUNT}:role/GlueJobRole cannot contain region information."),
    ("the partition left to a template", "identity", may(Resource="arn:${AWS::Partition}:s3:::reports/*"), IDENTITY, partition("${AWS", "arn:${AWS::Partition}:s3:::reports/*")),
    ("China's partition", "identity", may(Resource=["arn:aws:s3:::reports/*", "arn:aws-cn:s3:::reports"]), IDENTITY, partition("aws-cn", "arn:aws-cn:s3:::reports")),
    ("a partition that does not exist", "identity", may(Resource="arn:awss:s3:::reports"), IDENTITY, partition("awss", "arn:awss:s3:::reports")),
    ("a principal", "identity", may(Principal="*"), IDENTITY, "Policy document should not specify a principal."),
    ("no resources", "identity", may(Resource=None), IDENTITY, "Policy statement must contain resources."),
    ("no actions", "identity", may(Action=None), IDENTITY, "Policy statement must contain actions."),
    ("a service with a wildcard", "identity", may(Action="s*:GetObject"), IDENTITY, "Vendor s* is not valid"),
    ("a Sid with a space", "identity", may(Sid="read all"), IDENTITY, "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"),
    ("text that is no JSON", "session", "{", IDENTITY, SYNTAX),
    ("a principal", "session", may(Principal="*"), IDENTITY, "Policy document should not specify a principal."),
    ("another partition", "session", may(Resource="arn:aws-us-gov:s3:::reports/*"), IDENTITY, partition("aws-us-gov", "arn:aws-us-gov:s3:::reports/*")),
    ("a role that does not exist", "trust", trusts(Principal=NOBODY), IDENTITY, principal("AWS", NOBODY["AWS"])),
    ("an account of another partition", "trust", trusts(Principal={"AWS": f"arn:aws-cn:iam::{ACCOUNT}:root"}), IDENTITY, principal("AWS", f"arn:aws-cn:iam::{ACCOUNT}:root")),
    ("a provider of another partition", "trust", trusts(Action=WEB, Principal={"Federated": GITLAB.replace("aws", "aws-us-gov")}), IDENTITY, "Federated principals must be valid domain names or SAML metadata ARNs"),
    ("everybody", "trust", trusts(Principal="*"), IDENTITY, 'AssumeRolepolicy contained an invalid principal: "STAR":"*".'),
    ("nobody", "trust", trusts(Principal={}), IDENTITY, "Missing required field Principal cannot be empty!"),
    ("a list of nobody", "trust", trusts(Principal={"AWS": []}), IDENTITY, "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: The passed in policy has a statement with no principals!"),
    ("another action", "trust", trusts(Action="s3:GetObject"), IDENTITY, "AssumeRole policy may only specify STS AssumeRole actions."),
    ("a resource", "trust", trusts(Resource="*"), IDENTITY, "Has prohibited field Resource"),
    ("a service misspelt", "trust", trusts(Principal={"Service": "codepipeiine.amazonaws.com"}), IDENTITY, principal("SERVICE", "codepipeiine.amazonaws.com")),
    ("a service that assumes no roles", "trust", trusts(Principal={"Service": "tagging.amazonaws.com"}), IDENTITY, principal("SERVICE", "tagging.amazonaws.com")),
    ("a service under the shop's domain", "trust", trusts(Principal={"Service": ["ec2.amazonaws.com", "ec2.amazon.com"]}), IDENTITY, principal("SERVICE", "ec2.amazon.com")),
    ("all of GitHub, no condition", "trust", from_github(), IDENTITY, GITHUBS),
    ("all of GitHub, a star", "trust", from_github("StringLike"), IDENTITY, GITHUBS),
    ("all of GitHub, stars and question marks", "trust", from_github("StringLike", values="?*"), IDENTITY, GITHUBS),
    ("all of GitHub, the first of two a star", "trust", from_github("StringLike", values=["*", "repo:example/shop:*"]), IDENTITY, GITHUBS),
    ("all of GitHub, the audience only", "trust", from_github("StringEquals", "token.actions.githubusercontent.com:aud", "sts.amazonaws.com"), IDENTITY, GITHUBS),
    ("all of GitHub, another claim", "trust", from_github("StringEquals", "token.actions.githubusercontent.com:repository", "example/shop"), IDENTITY, GITHUBS),
    ("all of GitHub but one", "trust", from_github("StringNotEquals", values="repo:mallory/shop"), IDENTITY, GITHUBS),
    ("all of GitLab", "trust", trusts(Action=WEB, Principal={"Federated": GITLAB}), IDENTITY, unscoped(GITLAB, "gitlab.com:sub")),
    ("all of Cognito", "trust", trusts(Action=WEB, Principal={"Federated": COGNITO}), IDENTITY, unscoped(COGNITO, f"{COGNITO}:aud")),
    ("all of Google", "trust", trusts(Action=WEB, Principal={"Federated": "accounts.google.com"}), IDENTITY, "Policy trusting accounts.google.com requires a StringEquals condition on an application id"),
    ("all of GitHub, by every action of STS", "trust", trusts(Action="sts:*", Principal={"Federated": GITHUB}), IDENTITY, GITHUBS),
    ("a user who does not exist", "bucket", bucket(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"}), BUCKET, "Invalid principal in policy"),
    ("a service misspelt", "bucket", bucket(Principal={"Service": "cloudtrial.amazonaws.com"}), BUCKET, "Invalid principal in policy"),
    ("another bucket's name", "bucket", bucket(Resource="arn:aws:s3:::others/*"), BUCKET, "Policy has invalid resource"),
    ("what is no bucket", "bucket", bucket(Resource=f"arn:aws:iam::{ACCOUNT}:role/reports"), BUCKET, "Policy has invalid resource"),
    ("another partition", "bucket", bucket(Resource="arn:aws-cn:s3:::reports/*"), BUCKET, "Policy has invalid resource"),
    ("an action on objects with the bucket", "bucket", bucket(Resource="arn:aws:s3:::reports"), BUCKET, "Action does not apply to any resource(s) in statement"),
    ("a condition that no action has", "bucket", bucket(Condition={"StringLike": {"s3:prefix": "a/*"}}), BUCKET, "Conditions do not apply to combination of actions and resources in statement"),
    ("a condition key that does not exist", "bucket", bucket(Condition={"StringEquals": {"s3:x-acl": "private"}}), BUCKET, "Policy has an invalid condition key"),
    ("an action that does not exist", "bucket", bucket(Action="s3:HeadObject"), BUCKET, "Policy has invalid action"),
    ("another service's action", "bucket", bucket(Action="iam:GetUser"), BUCKET, "Policy has invalid action"),
    ("nobody", "bucket", bucket(Principal={}), BUCKET, "Missing required field Principal cannot be empty!"),
    ("no principal", "bucket", bucket(Principal=None), BUCKET, "Missing required field Principal"),
    ("no resource", "bucket", bucket(Resource=None), BUCKET, "Missing required field Resource"),
    ("an operator that does not exist", "bucket", bucket(Condition={"StringEqual": {"aws:x": "y"}}), BUCKET, "Invalid Condition type : StringEqual"),
    ("no statements", "bucket", '{"Version": "2012-10-17"}', BUCKET, "Missing required field Statement"),
    ("an empty list of statements", "bucket", document(), BUCKET, "Could not parse the policy: Statement is empty!"),
    ("words", "bucket", "not a policy", BUCKET, "Policies must be valid JSON and the first byte must be '{'"),
    ("JSON that breaks off", "bucket", "{", BUCKET, "This policy contains invalid Json"),
    ("JSON with a mistake", "bucket", '{"Version": 2012-10-17}', BUCKET, "This policy contains invalid Json"),
    ("JSON that is no object", "bucket", "[]", BUCKET, "Policies must be valid JSON and the first byte must be '{'"),
    ("text that is no JSON", "bucket", "x", BUCKET, "Policies must be valid JSON and the first byte must be '{'"),
    ("a role that does not exist", "key", resource("kms:*", Principal=NOBODY), "MalformedPolicyDocumentException", NO_PRINCIPALS),
    ("a service misspelt", "key", resource("kms:*", Principal={"Service": "log.amazonaws.com"}), "MalformedPolicyDocumentException", NO_PRINCIPALS),
    ("a word", "key", "x", "MalformedPolicyDocumentException", ""),
    ("text that is no JSON", "key", "not a policy", "MalformedPolicyDocumentException", ""),
    ("a misspelt element", "topic", resource("sns:Publish", Resorce="*"), "InvalidParameter", "Invalid parameter: Policy Error: null"),
    ("an empty policy", "topic", "{}", "InvalidParameter", "Invalid parameter: Policy Error: null"),
    ("all actions of SNS", "topic", resource("SNS:*"), "InvalidParameter", "Invalid parameter: Policy statement action out of service scope!"),
    ("all actions of all services", "topic", resource("*"), "InvalidParameter", "Invalid parameter: Policy statement action out of service scope!"),
    ("another service's action", "topic", resource("kms:Decrypt"), "InvalidParameter", "Invalid parameter: Policy statement action out of service scope!"),
    ("a role that does not exist", "topic", resource("sns:Publish", Principal=NOBODY), "InvalidParameter", "Invalid parameter: Policy Error: PrincipalNotFound"),
    ("no principal", "queue", resource("sqs:SendMessage", Principal=None), "InvalidAttributeValue", NOT_SAVED),
    ("a role that does not exist", "queue", resource("sqs:SendMessage", Principal=NOBODY), "InvalidAttributeValue", NOT_SAVED),
    ("another service's action", "queue", resource("sns:Publish"), "InvalidAttributeValue", NOT_SAVED),
    ("a service that does not exist", "secret", resource("secretsmanager:GetSecretValue", Principal={"Service": "lamda.amazonaws.com"}), "MalformedPolicyDocumentException", "This resource policy contains an unsupported service principal."),
    ("a role that does not exist", "secret", resource("secretsmanager:GetSecretValue", Principal=NOBODY), "MalformedPolicyDocumentException", "This resource policy contains an unsupported principal."),
    ("text that is no JSON", "secret", "x", "MalformedPolicyDocumentException", "This resource policy contains a syntax error."),
    ("a role that does not exist", "repository", resource("ecr:BatchGetImage", Principal=NOBODY, Resource=None), "InvalidParameterException", REPOSITORY),
    ("another service's action", "repository", resource("s3:GetObject", Resource=None), "InvalidParameterException", REPOSITORY),
    ("text that is no JSON", "repository", "x", "InvalidParameterException", REPOSITORY),
    ("a role that does not exist", "table", resource("dynamodb:GetItem", Principal=NOBODY), "ValidationException", "Invalid policy document: Invalid principal in policy"),
    ("a principal", "scp", may(Principal="*"), "MalformedPolicyDocumentException", UNFIT),
    ("the old version", "scp", old(may()), "MalformedPolicyDocumentException", UNFIT),
    ("no version", "scp", may().replace('"Version": "2012-10-17", ', ""), "MalformedPolicyDocumentException", UNFIT),
    ("the old version", "rcp", old(may(Effect="Deny", Principal="*")), "MalformedPolicyDocumentException", UNFIT),
    ("a service it does not reach", "rcp", may(Effect="Deny", Principal="*", Action="ec2:*", Resource="*"), "MalformedPolicyDocumentException", UNFIT),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text", "code", "said"), [c[1:] for c in CASES], ids=[f"{c[1]}: {c[0]}" for c in CASES]
)
def test_aws_does_not_save(aws: Cloud, kind: str, text: str, code: str, said: str) -> None:
    for save in getattr(Saving(aws), kind)():
        assert refused(lambda save=save: save(text)) == (code, said)  # type: ignore[misc]
        assert "not one AWS would store" in str(aws.why())


SAVED: list[tuple[str, str, str]] = [
    ("any partition", "identity", may(Resource="arn:*:s3:::reports/*")),
    ("variables", "identity", may(Resource="arn:aws:s3:::reports/${aws:username}/*")),
    ("a service with a Region", "trust", trusts(Principal={"Service": "states.eu-west-1.amazonaws.com"})),
    ("a part of a service", "trust", trusts(Principal={"Service": ["delivery.logs.amazonaws.com", "replicator.lambda.amazonaws.com"]})),
    ("services whose names are nobody's prefix", "trust", trusts(Principal={"Service": ["vpc-flow-logs.amazonaws.com", "edgelambda.amazonaws.com", "ecs-tasks.amazonaws.com", "spotfleet.amazonaws.com", "billingreports.amazonaws.com", "alexa-appkit.amazon.com"]})),
    ("a provider that is not there", "trust", trusts(Action=WEB, Principal={"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.example.com"})),
    ("one repository of GitHub", "trust", from_github("StringEquals", values="repo:example/shop:ref:refs/heads/main")),
    ("one repository of GitHub, in other capitals", "trust", from_github("StringEqualsIgnoreCase", SUB.upper(), "repo:example/shop:*")),
    ("one workflow of GitHub", "trust", from_github("StringLike", SUB.replace("sub", "job_workflow_ref"), "example/shop/*")),
    ("all of GitHub in other words, which AWS does not see", "trust", from_github("StringLike", values="repo:*")),
    ("all of GitHub in the second value, which AWS does not see", "trust", from_github("StringLike", values=["repo:example/shop", "*"])),
    ("all of GitHub is denied", "trust", from_github().replace("Allow", "Deny")),
    ("somebody else's own provider", "trust", trusts(Action=WEB, Principal={"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/login.example.com"})),
    ("a condition that one of two actions has", "bucket", bucket(Action=["s3:ListBucket", "s3:GetObject"], Resource=["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"], Condition={"StringLike": {"s3:prefix": "a/*"}})),
    ("global condition keys", "bucket", bucket(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1", "aws:Unheard": "x"}})),
    ("the old version", "bucket", old(bucket())),
    ("no resource beside a good statement", "key", json.dumps({"Version": "2012-10-17", "Statement": [json.loads(resource("kms:*"))["Statement"][0], {"Effect": "Allow", "Principal": ROOT, "Action": "kms:Decrypt"}]})),
    ("one action of SNS", "topic", resource("SNS:Publish")),
    ("all actions of SQS", "queue", resource("SQS:*")),
    ("all actions", "queue", resource("*")),
    ("everybody", "secret", resource("secretsmanager:GetSecretValue", Principal="*")),
    ("no resource", "repository", resource("ecr:*", Resource=None)),
    ("a service it reaches", "rcp", may(Effect="Deny", Principal="*", Action="s3:*", Resource="*")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [case[1:] for case in SAVED], ids=[f"{c[1]}: {c[0]}" for c in SAVED])
def test_aws_saves(aws: Cloud, kind: str, text: str) -> None:
    for save in getattr(Saving(aws), kind)():
        save(text)


@pytest.mark.parametrize("element", ["Action", "Resource"])
def test_a_statement_of_a_key_policy_that_lacks_an_element_is_saved_and_has_no_effect(aws: Cloud, element: str) -> None:
    kms, partner = aws.account("dev").admin.client("kms"), aws.account("partner").admin
    whole = {"Effect": "Allow", "Principal": {"AWS": aws.account("partner").id}, "Action": "kms:*", "Resource": "*"}
    ours = {**whole, "Principal": ROOT}
    lacking = {key: value for key, value in whole.items() if key != element}
    key = kms.create_key(Policy=document(ours, lacking))["KeyMetadata"]["Arn"]
    encrypt = lambda: partner.client("kms").encrypt(KeyId=key, Plaintext=b"x")  # noqa: E731
    assert refused(encrypt)[0] == "AccessDeniedException"
    assert json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])["Statement"] == [ours, lacking]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(ours, whole))
    assert encrypt()["KeyId"] == key
    alone = {key: value for key, value in ours.items() if key != element}
    assert (
        refused(lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(alone)))[0]
        == "MalformedPolicyDocumentException"
    )


def test_policies_that_are_too_long_exceed_a_quota(aws: Cloud) -> None:
    saving = Saving(aws)
    create, version, user, group, role = saving.identity()
    long = may(Sid="S" * 11_000)
    managed = ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144")
    assert refused(lambda: create(long)) == refused(lambda: version(long)) == managed
    for save, limit, owner in ((user, 2048, "user dev"), (group, 5120, "group devs"), (role, 10240, "role there")):
        text = f"Maximum policy size of {limit} bytes exceeded for {owner}"
        assert refused(lambda save=save: save(long)) == ("LimitExceeded", text)  # type: ignore[misc]
    trust = ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")
    longer = trusts(Sid="S" * 2048)
    assert refused(lambda: saving.iam.create_role(RoleName="r", AssumeRolePolicyDocument=longer)) == trust


def test_a_functions_permission_has_an_id_of_its_own_and_a_principal_that_is_there(aws: Cloud) -> None:
    client, iam = (aws.account("dev").admin.client(service) for service in ("lambda", "iam"))
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trusts(Principal={"Service": "lambda.amazonaws.com"}))
    create_function(client)
    add = lambda **more: client.add_permission(FunctionName="report", Action="lambda:InvokeFunction", **more)  # noqa: E731
    add(StatementId="AllowInvoke", Principal="s3.amazonaws.com")
    text = "The statement id (AllowInvoke) provided already exists. Please provide a new statement id, or remove the existing statement."
    said = refused(lambda: add(StatementId="AllowInvoke", Principal="sns.amazonaws.com"))
    assert said == ("ResourceConflictException", text)
    for nobody in ("s4.amazonaws.com", NOBODY["AWS"], "me", "alexa-appkit.smapi.amazon.com"):
        said = refused(lambda nobody=nobody: add(StatementId="Other", Principal=nobody))  # type: ignore[misc]
        text = "The provided principal was invalid. Please check the principal and try again."
        assert said == ("InvalidParameterValueException", text)
    for somebody in ("*", "222222222222", ROOT["AWS"], "alexa-appkit.amazon.com"):
        add(StatementId=f"For{len(somebody)}", Principal=somebody)


def test_a_topics_permission_is_for_what_topics_can_do(aws: Cloud) -> None:
    sns = Saving(aws).client("sns")
    arn = sns.create_topic(Name="news")["TopicArn"]
    add = lambda action: sns.add_permission(TopicArn=arn, Label="p", AWSAccountId=[ACCOUNT], ActionName=[action])  # noqa: E731
    said = refused(lambda: add("CreateTopic"))
    assert said == ("InvalidParameter", "Invalid parameter: Policy statement action out of service scope!")
    add("Publish")
