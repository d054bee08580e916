"""What bare moto answers, what AWS answers, what the lab answers: the same calls, put to both mocks.

`python -m tests.cloud.moto_gaps` prints bare moto's answers as JSON. Questions marked ° are put with moto's own access
control switched on.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from .conftest import allow, deny, document, trust

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "moto.md"
REGION = "us-east-1"
WORKS = "works"


class World:
    """One of the two mocks: two accounts with an administrator each, and a clock."""

    def admin(self, service: str, account: int = 1) -> Any:
        raise NotImplementedError

    def account_id(self, account: int = 1) -> str:
        raise NotImplementedError

    def wait(self, hours: int) -> None:
        raise NotImplementedError

    def strictly(self, call: Callable[[], Any]) -> Any:
        """Make a call with all the access control the mock has, also that which is off unless asked for."""
        return call()

    def client(self, service: str, answer: Mapping[str, Any]) -> Any:
        """A client with the credentials of an answer."""
        keys = answer.get("AccessKey") or answer["Credentials"]
        session = boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"), region_name=REGION
        )
        return session.client(service)

    def user(self, name: str, *statements: Any, **more: Any) -> Mapping[str, Any]:
        """A user with an inline policy, and the answer that holds its key."""
        iam = self.admin("iam")
        iam.create_user(UserName=name, **more)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(*statements))
        key: Mapping[str, Any] = iam.create_access_key(UserName=name)
        return key

    def role(self, *statements: Any, principal: Any = None, **more: Any) -> str:
        iam = self.admin("iam")
        trusted = trust(principal or {"AWS": self.account_id()}, **more.pop("trust", {}))
        arn = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trusted, **more)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=document(*statements))
        return str(arn)

    def session(self, key: Mapping[str, Any], role: str, **more: Any) -> Mapping[str, Any]:
        sts = self.client("sts", key)
        answer: Mapping[str, Any] = sts.assume_role(RoleArn=role, RoleSessionName="work", **more)
        return answer

    def outcome(self, call: Callable[[], Any], *, strict: bool = False) -> str:
        """`works`, AWS's error code, or how the mock broke."""
        try:
            self.strictly(call) if strict else call()
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        except Exception as error:
            return f"breaks: {type(error).__name__}"
        return WORKS


# -- the questions -----------------------------------------------------------------------------------------------------

ASSUME = allow("sts:AssumeRole")


def no_such_role(world: World) -> str:
    alice = world.user("alice", ASSUME)
    return world.outcome(lambda: world.session(alice, f"arn:aws:iam::{world.account_id()}:role/nowhere"))


def trust_names_another(world: World) -> str:
    world.user("bob")
    role = world.role(principal={"AWS": f"arn:aws:iam::{world.account_id()}:user/bob"})
    alice = world.user("alice", ASSUME)
    return world.outcome(lambda: world.session(alice, role))


def trust_in_the_account(world: World) -> str:
    role, alice = world.role(), world.user("alice", ASSUME)
    return world.outcome(lambda: world.session(alice, role), strict=True)


def external_id_left_out(world: World) -> str:
    role = world.role(trust={"Condition": {"StringEquals": {"sts:ExternalId": "blue"}}})
    alice = world.user("alice", ASSUME)
    return world.outcome(lambda: world.session(alice, role))


def longer_than_the_role_allows(world: World) -> str:
    role, alice = world.role(), world.user("alice", ASSUME)
    return world.outcome(lambda: world.session(alice, role, DurationSeconds=7200))


def session_after_two_hours(world: World) -> str:
    role, alice = world.role(allow("s3:*")), world.user("alice", ASSUME)
    s3 = world.client("s3", world.session(alice, role))
    world.wait(hours=2)
    return world.outcome(s3.list_buckets)


def session_policy_that_allows_less(world: World) -> str:
    role, alice = world.role(allow("*")), world.user("alice", ASSUME)
    session = world.session(alice, role, Policy=document(allow("ec2:*")))
    return world.outcome(world.client("dynamodb", session).list_tables, strict=True)


def two_session_tokens(world: World) -> str:
    sts = world.client("sts", world.user("alice"))
    keys = {sts.get_session_token()["Credentials"]["AccessKeyId"] for _ in range(2)}
    return "two keys" if len(keys) == 2 else "the same key twice"


def permissions_boundary(world: World) -> str:
    limit = world.admin("iam").create_policy(PolicyName="limit", PolicyDocument=document(allow("ec2:*")))["Policy"]
    alice = world.user("alice", allow("*"), PermissionsBoundary=limit["Arn"])
    return world.outcome(world.client("dynamodb", alice).list_tables, strict=True)


def condition_on_the_address(world: World) -> str:
    office = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    alice = world.user("alice", allow("*", Condition=office))
    return world.outcome(world.client("dynamodb", alice).list_tables, strict=True)


def policy_variable(world: World) -> str:
    own = "arn:aws:iam::*:user/${aws:username}"
    alice = world.user("alice", allow("iam:GetUser", own))
    return world.outcome(lambda: world.client("iam", alice).get_user(UserName="alice"), strict=True)


def bucket_policy_that_allows(world: World) -> str:
    world.admin("s3").create_bucket(Bucket="notes")
    world.admin("s3").put_object(Bucket="notes", Key="a", Body=b"")
    alice = world.user("alice")
    named = {"AWS": f"arn:aws:iam::{world.account_id()}:user/alice"}
    text = document(allow("s3:ListBucket", "arn:aws:s3:::notes", Principal=named))
    world.admin("s3").put_bucket_policy(Bucket="notes", Policy=text)
    return world.outcome(lambda: world.client("s3", alice).list_objects_v2(Bucket="notes"), strict=True)


def service_control_policy(world: World) -> str:
    organizations = world.admin("organizations")
    organizations.create_organization(FeatureSet="ALL")
    member = organizations.create_account(AccountName="member", Email="m@example.com")["CreateAccountStatus"]
    no = document(deny("dynamodb:*"))
    kind = "SERVICE_CONTROL_POLICY"
    scp = organizations.create_policy(Name="no", Description="", Type=kind, Content=no)["Policy"]["PolicySummary"]
    organizations.attach_policy(PolicyId=scp["Id"], TargetId=member["AccountId"])
    role = f"arn:aws:iam::{member['AccountId']}:role/OrganizationAccountAccessRole"
    visit = world.admin("sts").assume_role(RoleArn=role, RoleSessionName="visit")
    return world.outcome(world.client("dynamodb", visit).list_tables)


def trust_document_with_a_resource(world: World) -> str:
    text = trust({"AWS": world.account_id()}, Resource="*")
    return world.outcome(lambda: world.admin("iam").create_role(RoleName="r", AssumeRolePolicyDocument=text))


def principal_that_does_not_exist(world: World) -> str:
    text = trust({"AWS": f"arn:aws:iam::{world.account_id()}:user/nobody"})
    return world.outcome(lambda: world.admin("iam").create_role(RoleName="r", AssumeRolePolicyDocument=text))


def maximum_of_a_month(world: World) -> str:
    text, iam = trust({"AWS": world.account_id()}), world.admin("iam")
    month = {"RoleName": "r", "AssumeRolePolicyDocument": text, "MaxSessionDuration": 2_592_000}
    return world.outcome(lambda: iam.create_role(**month))


def deleted_principal_in_a_trust_policy(world: World) -> str:
    iam = world.admin("iam")
    iam.create_user(UserName="alice")
    world.role(principal={"AWS": f"arn:aws:iam::{world.account_id()}:user/alice"})
    iam.delete_user(UserName="alice")
    stored = iam.get_role(RoleName="reader")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]
    return "her unique ID" if stored.startswith("AIDA") else "her ARN"


def simulator(world: World) -> str:
    asked = {"PolicyInputList": [document(allow("s3:*"))], "ActionNames": ["s3:GetObject"]}
    return world.outcome(lambda: world.admin("iam").simulate_custom_policy(**asked))


def secret_of_another_account(world: World) -> str:
    theirs = world.admin("secretsmanager", 2)
    us = {"AWS": f"arn:aws:iam::{world.account_id()}:root"}
    them = {"AWS": f"arn:aws:iam::{world.account_id(2)}:root"}
    shared = document(allow("kms:*", "*", Principal=them), allow("kms:Decrypt", "*", Principal=us))
    key = world.admin("kms", 2).create_key(Policy=shared)["KeyMetadata"]["Arn"]
    arn = theirs.create_secret(Name="plan", SecretString="x", KmsKeyId=key)["ARN"]
    text = document(allow("secretsmanager:GetSecretValue", "*", Principal=us))
    theirs.put_resource_policy(SecretId=arn, ResourcePolicy=text)
    alice = world.user("alice", allow("secretsmanager:*"), allow("kms:Decrypt"))
    return world.outcome(lambda: world.client("secretsmanager", alice).get_secret_value(SecretId=arn))


GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
STS = "https://docs.aws.amazon.com/STS/latest/APIReference/"


@dataclass(frozen=True, slots=True)
class Question:
    """A question in words, how it is put, and AWS's answer with the page that says so."""

    words: str
    put: Callable[[World], str]
    aws: str
    page: str


QUESTIONS = (
    Question("Assume a role that does not exist", no_such_role, "AccessDenied", f"{STS}API_AssumeRole.html"),
    Question("Assume a role whose trust policy names somebody else", trust_names_another, "AccessDenied",
             f"{GUIDE}id_roles_update-role-trust-policy.html"),
    Question("Assume a role that trusts the account°", trust_in_the_account, WORKS,
             f"{GUIDE}reference_policies_elements_principal.html#principal-accounts"),
    Question("Leave out the external ID", external_id_left_out, "AccessDenied",
             f"{GUIDE}id_roles_common-scenarios_third-party.html"),
    Question("Two hours from a role that allows one", longer_than_the_role_allows, "ValidationError",
             f"{STS}API_AssumeRole.html"),
    Question("Use an hour's session after two", session_after_two_hours, "ExpiredToken",
             f"{GUIDE}id_credentials_temp_use-resources.html"),
    Question("Call what the session policy does not allow°", session_policy_that_allows_less, "AccessDeniedException",
             f"{GUIDE}access_policies.html#policies_session"),
    Question("Ask for a session token twice", two_session_tokens, "two keys", f"{STS}API_GetSessionToken.html"),
    Question("Call what the permissions boundary does not allow°", permissions_boundary, "AccessDeniedException",
             f"{GUIDE}access_policies_boundaries.html"),
    Question("Call from outside of the addresses a condition allows°", condition_on_the_address,
             "AccessDeniedException", f"{GUIDE}reference_policies_condition-keys.html"),
    Question("Read oneself, allowed by `${aws:username}`°", policy_variable, WORKS,
             f"{GUIDE}reference_policies_variables.html"),
    Question("List a bucket by its policy alone°", bucket_policy_that_allows, WORKS,
             f"{GUIDE}access_policies_identity-vs-resource.html"),
    Question("Call what a service control policy denies", service_control_policy, "AccessDeniedException",
             "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html"),
    Question("Store a trust policy with a `Resource`", trust_document_with_a_resource, "MalformedPolicyDocument",
             f"{GUIDE}reference_policies_elements_resource.html"),
    Question("Trust a user who does not exist", principal_that_does_not_exist, "MalformedPolicyDocument",
             f"{GUIDE}reference_policies_elements_principal.html"),
    Question("Let sessions last a month", maximum_of_a_month, "ValidationError",
             "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"),
    Question("What a trust policy shows of a deleted user", deleted_principal_in_a_trust_policy, "her unique ID",
             f"{GUIDE}reference_policies_elements_principal.html"),
    Question("Simulate a policy", simulator, WORKS,
             "https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html"),
    Question("Read another account's secret that is shared with us", secret_of_another_account, WORKS,
             "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html"),
)  # fmt: skip


# -- bare moto ---------------------------------------------------------------------------------------------------------


class BareMoto(World):
    """moto as it comes; `strictly` switches its access control on."""

    def __init__(self) -> None:
        self.travel: Any = None

    def account_id(self, account: int = 1) -> str:
        return "123456789012" if account == 1 else "222222222222"

    def admin(self, service: str, account: int = 1) -> Any:
        client = boto3.Session("testing", "testing", region_name=REGION).client(service)
        if account != 1:
            name = {"x-moto-account-id": self.account_id(account)}
            client.meta.events.register(
                "before-sign.*", lambda request, **_: [request.headers.add_header(*pair) for pair in name.items()]
            )
        return client

    def wait(self, hours: int) -> None:
        import time

        import time_machine

        self.travel = time_machine.travel(time.time() + hours * 3600, tick=True)
        self.travel.start()

    def strictly(self, call: Callable[[], Any]) -> Any:
        from moto.core import set_initial_no_auth_action_count

        return set_initial_no_auth_action_count(0)(call)()


def ask_moto() -> dict[str, str]:
    """Bare moto's answers; to be run in a process of its own."""
    from moto import mock_aws

    answers = {}
    for question in QUESTIONS:
        with mock_aws():
            world = BareMoto()
            try:
                answers[question.words] = question.put(world)
            except Exception as error:  # broke before the question could be put
                answers[question.words] = f"breaks: {type(error).__name__}"
            finally:
                if world.travel is not None:
                    world.travel.stop()
    return answers


def bare_moto_says() -> dict[str, str]:
    """What a fresh process with bare moto answers."""
    command = [sys.executable, "-m", "tests.cloud.moto_gaps"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=300, check=True)
    said: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return said


def table(moto: Mapping[str, str], lab: Mapping[str, str]) -> str:
    """The table of the page."""
    rows = ["| | bare moto says | AWS says | the lab says |", "|---|---|---|---|"]
    for question in QUESTIONS:
        said = f"[{question.aws}]({question.page})"
        rows.append(f"| {question.words} | {moto[question.words]} | {said} | {lab[question.words]} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(json.dumps(ask_moto()))
