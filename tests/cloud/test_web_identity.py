"""AssumeRoleWithWebIdentity: tokens of an identity provider, GitHub Actions' above all, for a role's credentials."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from simlib import Cloud
from simlib.cloud.credentials.issuer import GITHUB, Issuer
from simlib.cloud.services.rules import INSTEAD

from .conftest import allow, document, refused, trust

HOST = GITHUB.removeprefix("https://")
PROVIDER = f"arn:aws:iam::111111111111:oidc-provider/{HOST}"
ROLE = "arn:aws:iam::111111111111:role/deploy"
REPOSITORY = "octo-org/octo-repo"
SUBJECT = f"repo:{REPOSITORY}:ref:refs/heads/main"
CONDITION = {"StringEquals": {f"{HOST}:aud": "sts.amazonaws.com", f"{HOST}:sub": SUBJECT}}
ACTION = "sts:AssumeRoleWithWebIdentity"
DENIED = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")


@pytest.fixture
def github(aws: Cloud, iam: Any) -> Issuer:
    """GitHub's provider, trusted by the account; the role deploy for octo-repo's main branch."""
    github = aws.oidc_provider()
    iam.create_open_id_connect_provider(Url=github.url, ClientIDList=["sts.amazonaws.com"])
    trusts(iam, CONDITION, create=True)
    iam.put_role_policy(RoleName="deploy", PolicyName="p", PolicyDocument=document(allow("s3:ListAllMyBuckets")))
    return github


def trusts(iam: Any, condition: Any, actions: Any = ACTION, *, create: bool = False) -> None:
    text = trust({"Federated": PROVIDER}, actions, Condition=condition)
    if create:
        iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=text)
    else:
        iam.update_assume_role_policy(RoleName="deploy", PolicyDocument=text)


def assume(token: str, **more: Any) -> Any:
    sts = boto3.client("sts", region_name="us-east-1", config=Config(signature_version=UNSIGNED))
    wanted = {"RoleArn": ROLE, "RoleSessionName": "job", "WebIdentityToken": token, **more}
    return sts.assume_role_with_web_identity(**wanted)


def test_a_workflow_gets_a_roles_credentials_without_any_key(aws: Cloud, github: Issuer) -> None:
    answer = assume(github.workflow_token(REPOSITORY))
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::111111111111:assumed-role/deploy/job"
    assert (answer["Provider"], answer["Audience"]) == (PROVIDER, "sts.amazonaws.com")
    assert answer["SubjectFromWebIdentityToken"] == SUBJECT
    assert (aws.trail[-1].who, aws.trail[-1].action) == (PROVIDER, "sts:AssumeRoleWithWebIdentity")
    aws.sign_in(answer).client("s3").list_buckets()


def tampered(token: str) -> str:
    """The same token with another subject, and the signature it had."""
    from simlib.cloud.credentials.issuer import _decode, _encode

    head, body, signature = token.split(".")
    claims = {**json.loads(_decode(body)), "sub": "repo:evil/repo:ref:refs/heads/main"}
    return ".".join((head, _encode(json.dumps(claims).encode()), signature))


NO_KEY = (
    "Couldn't retrieve verification key from your identity provider,  "
    "please reference AssumeRoleWithWebIdentity documentation for requirements"
)
NO_JWT = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
TOKENS: list[tuple[str, Callable[[Issuer], str], tuple[str, str]]] = [
    ("no JWT", lambda g: "gho_notatoken", ("InvalidIdentityToken", NO_JWT)),
    ("a JWT without subject", lambda g: g.token(""), ("InvalidIdentityToken", "Missing a required claim: sub")),
    (
        "another audience",
        lambda g: g.workflow_token(REPOSITORY, aud="https://github.com/octo-org"),
        ("InvalidIdentityToken", "Incorrect token audience"),
    ),
    (
        "an issuer the account does not know",
        lambda g: g.workflow_token(REPOSITORY, iss="https://evil.example"),
        ("InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://evil.example"),
    ),
    (
        "changed after signing",
        lambda g: tampered(g.workflow_token(REPOSITORY)),
        ("InvalidIdentityToken", "The signature of the web identity token does not match the provider's key"),
    ),
    ("another repository", lambda g: g.workflow_token("octo-org/other"), DENIED),
    ("another branch", lambda g: g.workflow_token(REPOSITORY, ref="refs/heads/feature"), DENIED),
    ("a pull request's environment", lambda g: g.workflow_token(REPOSITORY, environment="preview"), DENIED),
]


@pytest.mark.parametrize(("token", "said"), [case[1:] for case in TOKENS], ids=[case[0] for case in TOKENS])
def test_what_is_wrong_with_a_token(
    aws: Cloud, github: Issuer, token: Callable[[Issuer], str], said: tuple[str, str]
) -> None:
    assert refused(lambda: assume(token(github))) == said


def test_a_token_signed_by_somebody_else_is_not_believed(aws: Cloud, github: Issuer) -> None:
    forger = Issuer(GITHUB, lambda: aws.clock.now)  # the same name, another key
    assert refused(lambda: assume(forger.workflow_token(REPOSITORY)))[0] == "InvalidIdentityToken"


def test_a_token_expires(aws: Cloud, github: Issuer) -> None:
    token = github.workflow_token(REPOSITORY)
    aws.clock.advance(minutes=5)
    code, text = refused(lambda: assume(token))
    assert code == "ExpiredTokenException"
    assert text.startswith("Token expired: current date/time ")
    assume(github.workflow_token(REPOSITORY))


def test_a_provider_may_be_out_of_reach_or_reject_its_own_token(aws: Cloud, github: Issuer) -> None:
    token = github.workflow_token(REPOSITORY)
    github.reachable = False
    assert refused(lambda: assume(token)) == ("InvalidIdentityToken", NO_KEY)
    github.reachable = True
    github.reject(token)
    assert refused(lambda: assume(token))[0] == "IDPRejectedClaim"


@pytest.mark.parametrize("arn", [ROLE.replace("deploy", "nothing"), "arn:aws:iam::111111111111:user/x/y/z1234567"])
def test_a_role_that_is_none(aws: Cloud, github: Issuer, arn: str) -> None:
    said = DENIED if ":role/" in arn else ("ValidationError", "Request ARN is invalid")
    assert refused(lambda: assume(github.workflow_token(REPOSITORY), RoleArn=arn)) == said


CONDITIONS = [
    ("the repository, which GitHub's provider has a key for", {"repository": REPOSITORY}, True),
    ("who started the workflow", {"actor": "octocat"}, True),
    ("somebody else", {"actor": "mallory"}, False),
    ("a claim that AWS has no key for", {"repository_owner": "octo-org"}, False),
]


@pytest.mark.parametrize(("claims", "works"), [case[1:] for case in CONDITIONS], ids=[case[0] for case in CONDITIONS])
def test_claims_are_condition_keys(aws: Cloud, iam: Any, github: Issuer, claims: dict[str, str], works: bool) -> None:
    scope = {"StringLike": {f"{HOST}:sub": "repo:*"}}  # AWS saves no trust in GitHub without
    trusts(iam, {**scope, "StringEquals": {f"{HOST}:{name}": value for name, value in claims.items()}})
    token = github.workflow_token(REPOSITORY)
    if works:
        assume(token)
    else:
        assert refused(lambda: assume(token)) == DENIED


def test_the_subject_stays_with_the_session_and_other_claims_do_not(aws: Cloud, iam: Any, github: Issuer) -> None:
    session = aws.sign_in(assume(github.workflow_token(REPOSITORY)))
    for claim, value, works in (("sub", SUBJECT, True), ("actor", "octocat", False)):
        condition = {"StringEquals": {f"{HOST}:{claim}": value}}
        text = document(allow("s3:ListAllMyBuckets", Condition=condition))
        iam.put_role_policy(RoleName="deploy", PolicyName="p", PolicyDocument=text)
        if works:
            session.client("s3").list_buckets()
        else:
            assert refused(session.client("s3").list_buckets)[0] == "AccessDenied"


def test_a_token_brings_session_tags(aws: Cloud, iam: Any, github: Issuer) -> None:
    tags = {"principal_tags": {"team": ["red"]}, "transitive_tag_keys": ["team"]}
    token = github.workflow_token(REPOSITORY, **{"https://aws.amazon.com/tags": tags})
    assert refused(lambda: assume(token)) == ("AccessDenied", "Not authorized to perform sts:TagSession")
    trusts(iam, CONDITION, [ACTION, "sts:TagSession"])
    condition = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    iam.put_role_policy(
        RoleName="deploy", PolicyName="p", PolicyDocument=document(allow("s3:ListAllMyBuckets", Condition=condition))
    )
    aws.sign_in(assume(token)).client("s3").list_buckets()


@pytest.mark.parametrize("tags", ["red", {"principal_tags": ["red"]}, {"transitive_tag_keys": 7}])
def test_malformed_tags_in_a_token_are_refused(aws: Cloud, github: Issuer, tags: Any) -> None:
    token = github.workflow_token(REPOSITORY, **{"https://aws.amazon.com/tags": tags})
    assert refused(lambda: assume(token))[0] == "InvalidIdentityToken"


def test_an_sdk_with_a_token_file_assumes_the_role_by_itself(
    aws: Cloud, github: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(github.workflow_token(REPOSITORY), encoding="utf-8")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(file))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "job")
    arn = boto3.Session(region_name="us-east-1").client("sts").get_caller_identity()["Arn"]
    assert arn == "arn:aws:sts::111111111111:assumed-role/deploy/job"


def test_the_provider_of_one_account_serves_no_role_of_another(aws: Cloud, github: Issuer) -> None:
    prod = aws.account("prod").admin.client("iam")
    prod.create_role(
        RoleName="deploy", AssumeRolePolicyDocument=trust({"Federated": PROVIDER}, ACTION, Condition=CONDITION)
    )
    arn = ROLE.replace("1" * 12, prod.get_user()["User"]["Arn"].split(":")[4])
    text = f"No OpenIDConnect provider found in your account for {GITHUB}"
    assert refused(lambda: assume(github.workflow_token(REPOSITORY), RoleArn=arn)) == ("InvalidIdentityToken", text)


def test_saml_is_refused_with_a_sentence_that_says_what_it_is(aws: Cloud) -> None:
    sts = boto3.client("sts", region_name="us-east-1", config=Config(signature_version=UNSIGNED))
    asked = {"RoleArn": ROLE, "PrincipalArn": "arn:aws:iam::111111111111:saml-provider/adfs", "SAMLAssertion": "PHg+"}
    code, text = refused(lambda: sts.assume_role_with_saml(**asked))
    assert code == "NotImplemented"
    for words in ("AssumeRoleWithSAML", "signed", "no such service", "AssumeRoleWithWebIdentity instead"):
        assert words in text
    sent = urlencode({"Action": "AssumeRoleWithSAML", "Version": "2011-06-15", **asked}).encode()
    with pytest.raises(HTTPError) as over_http:  # nobody's signature, no SDK
        urlopen(aws.serve().url, data=sent)
    assert text in unescape(over_http.value.read().decode())


def test_the_page_about_moto_names_what_is_refused_for_want_of_it() -> None:
    page = (Path(__file__).parents[2] / "docs" / "moto.md").read_text("utf-8")
    assert [name for name in INSTEAD if f"`{name.partition(':')[2]}`" not in page] == []
