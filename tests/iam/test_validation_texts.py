"""What AWS says when it refuses a policy: the texts themselves, and which of several problems it names."""

# ruff: noqa: E501 - a case a line: the tables are read across

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlib.iam import json_text, refusal_texts, validation
from simlib.iam.errors import PolicyError

GOOD = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
TRUSTED = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
PREFACED = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
UNFIT = "The provided policy document does not meet the requirements of the specified policy type."


PARSERS = {
    "boundary": "identity",
    "resource": "s3",
    "endpoint": "s3",
    "key": "kms",
    "scp": "organizations",
    "rcp": "organizations",
}


def answer(document: Any, kind: str, parser: str = "", **options: Any) -> str | None:
    text = document if isinstance(document, str) else json.dumps(document)
    try:
        located = json_text.parse(text)
        problems = validation.problems(located.value, kind, located, **options)
    except PolicyError as error:
        problems = list(error.problems)
    refused = refusal_texts.answer(problems, parser or PARSERS.get(kind, kind))
    return None if refused is None else refused.text


def identity(**elements: Any) -> dict[str, Any]:
    statement = {k: v for k, v in {**GOOD, **elements}.items() if v is not None}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust(**elements: Any) -> dict[str, Any]:
    statement = {k: v for k, v in {**TRUSTED, **elements}.items() if v is not None}
    return {"Version": "2012-10-17", "Statement": [statement]}


def bucket(**elements: Any) -> dict[str, Any]:
    return identity(**{"Principal": {"AWS": "111122223333"}, **elements})


CASES = [
    ("text that is no JSON", "identity", "{", "Syntax errors in policy."),
    ("a name twice", "identity", '{"Version":"2012-10-17","Version":"2012-10-17"}', "Syntax errors in policy."),
    ("an unknown element", "identity", identity(Resorce="*"), "Syntax errors in policy."),
    ("an unknown operator", "identity", identity(Condition={"StringEqual": {"aws:x": "y"}}), "Syntax errors in policy."),
    ("an effect that is none", "identity", identity(Effect="Maybe"), "Syntax errors in policy."),
    ("an effect in lower case", "identity", identity(Effect="allow"), "The policy failed legacy parsing"),
    ("an unknown operator that compares nothing", "identity", identity(Condition={"StringEqual": {}}), None),
    ("a date past 64 bits", "identity", identity(Condition={"DateLessThan": {"aws:EpochTime": str(2**63)}}), "The policy failed legacy parsing"),
    ("a date that is none", "identity", identity(Condition={"DateLessThan": {"aws:CurrentTime": "soon"}}), "The policy failed legacy parsing"),
    ("an ARN with too few colons", "identity", identity(Resource="arn:aws:s3::b"), "The policy failed legacy parsing"),
    ("a principal", "identity", identity(Principal="*"), "Policy document should not specify a principal."),
    ("no actions", "identity", identity(Action=None), "Policy statement must contain actions."),
    ("an empty list of actions", "identity", identity(Action=[]), "Policy statement must contain actions."),
    ("no resources", "identity", identity(Resource=None), "Policy statement must contain resources."),
    ("a resource that is no ARN", "identity", identity(Resource="b"), 'Resource b must be in ARN format or "*".'),
    ("an S3 address", "identity", identity(Resource="s3://b"), 'Partition "//b" is not valid for resource "arn://b:*:*:*:*".'),
    ("a partition that does not exist", "identity", identity(Resource="arn:awss:s3:::b"), 'Partition "awss" is not valid for resource "arn:awss:s3:::b".'),
    ("an ARN that stops after the partition", "identity", identity(Resource="arn:aws"), "Resource vendor must be fully qualified and cannot contain regexes."),
    ("a Region for a bucket", "identity", identity(Resource="arn:aws:s3:us-east-1::b"), "Resource arn:aws:s3:us-east-1::b can not contain region information."),
    ("a Region for a role", "identity", identity(Resource="arn:aws:iam:us-east-1:1:role/x"), "IAM resource arn:aws:iam:us-east-1:1:role/x cannot contain region information."),
    ("an IAM resource of no kind", "identity", identity(Resource="arn:aws:iam::111122223333:x"), 'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.'),
    ("an action without service", "identity", identity(Action="GetObject"), PREFACED),
    ("an action with two colons", "identity", identity(Action="s3:Get:Object"), "Actions/Condition can contain only one colon."),
    ("a wildcard in a service", "identity", identity(Action="s*:GetObject"), "Vendor s* is not valid"),
    ("a Sid with a hyphen", "identity", identity(Sid="a-b"), "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"),
    ("a Sid twice", "identity", {"Version": "2012-10-17", "Statement": [{**GOOD, "Sid": "A"}, {**GOOD, "Sid": "A"}]}, "Statement IDs (SID) in a single policy must be unique."),
    ("a boundary with a principal", "boundary", identity(Principal="*"), "Policy document should not specify a principal."),
    ("a session policy that is no JSON", "session", "", "Syntax errors in policy."),
    ("an unknown action, which IAM saves", "identity", identity(Action="s3:GetObjct"), None),
    ("trust: text that is no JSON", "trust", "{", "This policy contains invalid Json"),
    ("trust: a wrong type", "trust", [], "Syntax error in policy."),
    ("trust: an unknown element", "trust", trust(statement=1), "Unknown field statement"),
    ("trust: a version that does not exist", "trust", {**trust(), "Version": "2020"}, "The policy must contain a valid version string"),
    ("trust: no statement", "trust", {"Version": "2012-10-17", "Statement": []}, "Could not parse the policy: Statement is empty!"),
    ("trust: no effect", "trust", trust(Effect=None), "Missing required field Effect"),
    ("trust: another effect", "trust", trust(Effect="Maybe"), "Invalid effect: Maybe"),
    ("trust: no principal", "trust", trust(Principal=None), "Missing required field Principal"),
    ("trust: nobody", "trust", trust(Principal={}), "Missing required field Principal cannot be empty!"),
    ("trust: everybody", "trust", trust(Principal="*"), 'AssumeRolepolicy contained an invalid principal: "STAR":"*".'),
    ("trust: NotPrincipal", "trust", trust(Effect="Deny", Principal=None, NotPrincipal={"AWS": "111122223333"}), "AssumeRole policy must not contain NotPrincipal field."),
    ("trust: no action", "trust", trust(Action=None), "Missing required field Action"),
    ("trust: another action", "trust", trust(Action="s3:GetObject"), "AssumeRole policy may only specify STS AssumeRole actions."),
    ("trust: an action that STS does not have", "trust", trust(Action=["sts:AssumeRole", "sts:TagSessions"]), "AssumeRole policy may only specify STS AssumeRole actions."),
    ("trust: every action", "trust", trust(Action="*"), "AssumeRole policy may only specify STS AssumeRole actions."),
    ("trust: a resource", "trust", trust(Resource="*"), "Has prohibited field Resource"),
    ("trust: NotResource", "trust", trust(NotResource="arn:aws:s3:::b"), "AssumeRole policy must not contain resources."),
    ("trust: part of a name", "trust", trust(Principal={"AWS": "arn:aws:iam::111122223333:user/dev-*"}), 'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/dev-*"'),
    ("trust: the second of two", "trust", trust(Principal={"AWS": ["111122223333", "nobody"]}), 'Invalid principal in policy: "AWS":"nobody"'),
    ("trust: a misspelt service", "trust", trust(Principal={"Service": "ec2.amazonaws.co"}), 'Invalid principal in policy: "SERVICE":"ec2.amazonaws.co"'),
    ("trust: a provider that is none", "trust", trust(Action="sts:AssumeRoleWithSAML", Principal={"Federated": "x"}), "Federated principals must be valid domain names or SAML metadata ARNs"),
    ("trust: a kind of principal that does not exist", "trust", trust(Principal={"User": "x"}), 'Invalid principal in policy: "User"'),
    ("trust: a Sid twice", "trust", {"Version": "2012-10-17", "Statement": [{**TRUSTED, "Sid": "A"}, {**TRUSTED, "Sid": "A"}]}, "The Statement Ids in the policy are not unique"),
    ("trust: too long", "trust", trust(Sid="S" * 2048), "Cannot exceed quota for ACLSizePerRole: 2048"),
    ("bucket: text that is no JSON", "resource", "x", "Policies must be valid JSON and the first byte must be '{'"),
    ("bucket: no principal", "resource", bucket(Principal=None), "Missing required field Principal"),
    ("bucket: part of a name", "resource", bucket(Principal={"AWS": "arn:aws:iam::111122223333:user/d*"}), "Invalid principal in policy"),
    ("bucket: an action without service", "resource", bucket(Action="GetObject"), "Policy has invalid action"),
    ("bucket: a resource that is no ARN", "resource", bucket(Resource="b"), "Policy has invalid resource"),
    ("bucket: an operator that does not exist", "resource", bucket(Condition={"StringEqual": {"aws:x": "y"}}), "Invalid Condition type : StringEqual"),
    ("bucket: an unknown element", "resource", bucket(Resorce="*"), "Unknown field Resorce"),
    ("bucket: Allow with NotPrincipal", "resource", bucket(Principal=None, NotPrincipal="*"), "Allow with NotPrincipal is not allowed."),
    ("an SCP with a principal", "scp", identity(Principal="*"), UNFIT),
    ("an RCP that allows", "rcp", bucket(Principal="*"), UNFIT),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "document", "text"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_aws_says_about(kind: str, document: Any, text: str | None) -> None:
    assert answer(document, kind) == text


def test_s3_alone_refuses_what_others_save_with_a_warning() -> None:
    for elements, text in (
        ({"Resource": None}, "Missing required field Resource"),
        ({"Resource": "arn:aws:s3:::b"}, "Action does not apply to any resource(s) in statement"),
    ):
        assert answer(bucket(**elements), "resource") == text
        assert answer(bucket(**elements), "resource", "kms") is None


def test_aws_says_about_a_managed_policy_that_is_too_long() -> None:
    text = "Cannot exceed quota for PolicySize: 6144"
    assert answer(identity(Sid="S" * 11_000), "identity", stored_as="managed") == text


def test_aws_says_about_an_old_version_and_a_strange_character() -> None:
    old = {**identity(), "Version": "2008-10-17"}
    assert answer(old, "identity", stored_as="managed") == "Policy document must be version 2012-10-17 or greater."
    assert answer(old, "identity", stored_as="user") is None
    strange = json.dumps(identity(Resource="arn:aws:s3:::b/…"), ensure_ascii=False)
    assert str(answer(strange, "identity")).startswith("The specified value for policyDocument is invalid.")


def test_braces_in_a_document_do_no_harm_in_a_text() -> None:
    assert answer(identity(Resource="{value}{0}{"), "identity") == 'Resource {value}{0}{ must be in ARN format or "*".'
    assert answer(trust(**{"{x}": 1}), "trust") == "Unknown field {x}"


# ---- a second opinion: moto's validator was written from what AWS answered. Where the two differ:
#   Sid with a hyphen              moto accepts, AWS refuses ("Statement IDs (SID) must be alpha-numeric")
#   wildcard in an ARN's service   moto accepts, AWS does not (UG/reference_policies_elements_resource)
#   "s3:", ":GetObject", NullIfExists    moto accepts, the grammar does not
#   "arn:aws:s3" (completed by AWS), "arn:aws:iam::1:*", numbers in conditions    moto refuses, the UG allows
#   the order in which the resources of several statements are looked at    one statement here
# Those values are left out of what is generated.

EFFECTS = st.sampled_from(["Allow", "Allow", "Allow", "Deny", "allow", "Maybe", 5, None])
ACTIONS = st.sampled_from(
    ["s3:GetObject", "*", "s3:*", "*:*", "iam:PassRole", "s3", "s3:Get:Object", "s*:Get", "a b:c", "S3:x", [], ["s3:x"], ["s3"], 5, {}]
)  # fmt: skip
RESOURCES = st.sampled_from(
    ["*", "arn:aws:s3:::b", "arn:aws:s3:us-east-1::b", "arn:aws:iam::1:role/x", "arn:aws:iam::1:foo/x", "arn:aws:iam:us-east-1:1:role/x", "b",
     "arn", "arn:aws", "arn:aws:sqs:*", "arn:aws:s3::b", "arn:awss:s3:::b", "arn:*:s3:::b", "arn:aws::::b", [], ["*"], ["b"], 5, "s3://b"]
)  # fmt: skip
CONDITIONS = st.sampled_from(
    [{}, {"StringEquals": {"aws:username": "x"}}, {"StringEqual": {"a:b": "c"}}, {"StringEquals": "x"}, {"Bool": {"aws:SecureTransport": True}}, [],
     {"DateLessThan": {"aws:CurrentTime": "2020-01-01"}}, {"DateLessThan": {"aws:CurrentTime": "2020-13-01"}}, {"DateLessThan": {"a:b": "x"}},
     {"DateLessThan": {"a:b": "12345"}}, {"DateLessThan": {"a:b": "2020-1-1T1:1:1.5Z"}}, {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a"]}}]
)  # fmt: skip
STATEMENTS = st.fixed_dictionaries(
    {"Effect": EFFECTS},
    optional={
        "Sid": st.sampled_from(["a", "", 5]),
        "Action": ACTIONS,
        "NotAction": ACTIONS,
        "Resource": RESOURCES,
        "NotResource": RESOURCES,
        "Condition": CONDITIONS,
        "Foo": st.just(1),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"Statement": STATEMENTS | STATEMENTS.map(lambda statement: [statement])},
    optional={
        "Version": st.sampled_from(["2012-10-17"] * 6 + ["2008-10-17", "2020-01-01"]),
        "Id": st.sampled_from(["x", 5]),
    },
)


@settings(max_examples=500, deadline=None)
@given(DOCUMENTS)
def test_motos_validator_says_the_same(document: Any) -> None:
    from moto.iam.exceptions import MalformedPolicyDocument
    from moto.iam.policy_validation import IAMPolicyDocumentValidator

    try:
        IAMPolicyDocumentValidator(json.dumps(document)).validate()
        says = None
    except MalformedPolicyDocument as error:
        says = error.message
    assert answer(document, "identity", stored_as="managed") == says
