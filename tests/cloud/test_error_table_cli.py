"""AWS's refusals as the AWS CLI prints them: the same texts behind a beginning of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simlib import Cloud
from simlib.cloud.machines import cli

from .conftest import allow, document, new_user, trust

ACCOUNT = "111111111111"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
DENIED = f"User: {ALICE} is not authorized to perform: "
NO_IDENTITY = "because no identity-based policy allows the {} action"
SIGNATURE = "The request signature we calculated does not match the signature you provided. "
ASSUME = f"aws sts assume-role --role-arn {ROLE}"


@pytest.fixture
def run(aws: Cloud, iam: Any, tmp_path: Path) -> Any:
    """The CLI with alice's keys; keyword arguments take the place of variables."""
    aws.account("dev").admin.client("s3").create_bucket(Bucket="notes")
    alice = new_user(aws, iam, "alice", allow(["sts:*", "iam:*"]))
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))
    keys = {
        "AWS_ACCESS_KEY_ID": alice.access_key_id,
        "AWS_SECRET_ACCESS_KEY": alice.secret_access_key,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
    }

    def run_it(command: str, **other: str | None) -> cli.Result:
        environment = {name: value for name, value in {**keys, **other}.items() if value is not None}
        return cli.run(command, environment, folder=tmp_path)

    return run_it


def said(code: str, operation: str, text: str) -> str:
    return f"An error occurred ({code}) when calling the {operation} operation: {text}"


ROWS: dict[str, tuple[str, str]] = {
    "no allow, JSON": (
        "aws dynamodb list-tables",
        said(
            "AccessDeniedException", "ListTables",
            f"{DENIED}dynamodb:ListTables on resource: arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/* "
            f"{NO_IDENTITY.format('dynamodb:ListTables')}",
        ),
    ),
    "no allow, SNS": (
        "aws sns create-topic --name news",
        said("AuthorizationError", "CreateTopic", f"{DENIED}SNS:CreateTopic on resource: "
             f"arn:aws:sns:us-east-1:{ACCOUNT}:news {NO_IDENTITY.format('SNS:CreateTopic')}"),
    ),
    "no allow, S3": (
        "aws s3 ls s3://notes",
        said("AccessDenied", "ListObjectsV2", f'{DENIED}s3:ListBucket on resource: "arn:aws:s3:::notes" '
             f"{NO_IDENTITY.format('s3:ListBucket')}"),
    ),
    "no body behind HEAD": ("aws s3 cp s3://notes/a .", said("403", "HeadObject", "Forbidden")),
    "no such role": (
        "aws sts assume-role --role-session-name work --role-arn arn:aws:iam::111111111111:role/nobodys",
        said("AccessDenied", "AssumeRole", f"{DENIED}sts:AssumeRole on resource: "
             f"arn:aws:iam::{ACCOUNT}:role/nobodys"),
    ),
    "above the role's maximum": (
        f"{ASSUME} --role-session-name work --duration-seconds 3601",
        said("ValidationError", "AssumeRole",
             "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."),
    ),
    "above twelve hours": (
        f"{ASSUME} --role-session-name work --duration-seconds 43201",
        said("ValidationError", "AssumeRole", "1 validation error detected: Value '43201' at 'durationSeconds' "
             "failed to satisfy constraint: Member must have value less than or equal to 43200"),
    ),
    "session name": (
        f"{ASSUME} --role-session-name a/b",
        said("ValidationError", "AssumeRole", "1 validation error detected: Value 'a/b' at 'roleSessionName' failed "
             r"to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*"),
    ),
    "user still has keys": (
        "aws iam delete-user --user-name alice",
        said("DeleteConflict", "DeleteUser", "Cannot delete entity, must delete access keys first."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_what_aws_answers_is_printed_with_its_code(run: Any, row: str) -> None:
    command, text = ROWS[row]
    result = run(command)
    assert text in result.stderr
    assert result.stdout == ""
    assert result.returncode == (1 if command.startswith("aws s3 cp") else 255)  # s3's transfers have their own


def test_ec2s_message_has_a_beginning_and_an_end_of_its_own(run: Any) -> None:
    printed = run("aws ec2 stop-instances --instance-ids i-0123456789abcdef0").stderr
    assert (
        said("UnauthorizedOperation", "StopInstances", "You are not authorized to perform this operation. User:")
        in printed
    )
    assert ". Encoded authorization failure message: " in printed


@pytest.mark.parametrize(
    ("document_", "text"),
    [
        (document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole", "Resource": "*"}),
         "Has prohibited field Resource"),
        (trust({"AWS": ACCOUNT}, "s3:GetObject"), "AssumeRole policy may only specify STS AssumeRole actions."),
        (trust({"AWS": f"{ALICE}2"}), f'Invalid principal in policy: "AWS":"{ALICE}2"'),
    ],
)  # fmt: skip
def test_trust_policies(run: Any, document_: str, text: str) -> None:
    printed = run(["aws", "iam", "create-role", "--role-name", "r", "--assume-role-policy-document", document_])
    assert said("MalformedPolicyDocument", "CreateRole", text) in printed.stderr


CREDENTIALS: dict[str, tuple[str, dict[str, str | None], str]] = {
    "unknown key": (
        "aws sts get-caller-identity", {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"},
        said("InvalidClientTokenId", "GetCallerIdentity", "The security token included in the request is invalid."),
    ),
    "wrong secret": (
        "aws sts get-caller-identity", {"AWS_SECRET_ACCESS_KEY": "wrong"},
        said("SignatureDoesNotMatch", "GetCallerIdentity", SIGNATURE),
    ),
    "wrong secret, S3": (
        "aws s3 ls", {"AWS_SECRET_ACCESS_KEY": "wrong"},
        said("SignatureDoesNotMatch", "ListBuckets", f"{SIGNATURE}Check your key and signing method."),
    ),
    "none anywhere": (
        "aws s3 ls", {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "Unable to locate credentials",
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", CREDENTIALS)
def test_credentials(run: Any, row: str) -> None:
    command, other, text = CREDENTIALS[row]
    result = run(command, **other)
    assert text in result.stderr
    assert result.returncode != 0


EXPIRED = {
    "aws sts get-caller-identity": ("ExpiredToken", "The security token included in the request is expired"),
    "aws dynamodb list-tables": ("ExpiredTokenException", "The security token included in the request is expired"),
    "aws ec2 describe-instances": ("RequestExpired", "Request has expired."),
    "aws s3 ls": ("ExpiredToken", "The provided token has expired."),
}


def test_expired_session(aws: Cloud, run: Any) -> None:
    session = aws.sign_in(aws.account("dev").admin.client("sts").get_session_token(DurationSeconds=900))
    aws.clock.advance(hours=1)
    pasted = {
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
        "AWS_SESSION_TOKEN": session.session_token,
    }
    for command, (code, text) in EXPIRED.items():
        printed = run(command, **pasted).stderr
        assert f"An error occurred ({code}) when calling the " in printed
        assert printed.rstrip().endswith(f"operation: {text}")


def test_chained_and_root_and_tokens_of_tokens(aws: Cloud, iam: Any, run: Any) -> None:
    dev = aws.account("dev")
    first = aws.sign_in(dev.admin.client("sts").get_session_token())
    root = dev.root
    keys = lambda who: {  # noqa: E731
        "AWS_ACCESS_KEY_ID": who.access_key_id,
        "AWS_SECRET_ACCESS_KEY": who.secret_access_key,
        "AWS_SESSION_TOKEN": who.session_token,
    }
    longer = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    chained = run(f"{ASSUME} --role-session-name work --duration-seconds 3601", **keys(first))
    assert said("ValidationError", "AssumeRole", longer) in chained.stderr
    roots = run(f"{ASSUME} --role-session-name work", **keys(root))
    assert said("AccessDenied", "AssumeRole", "Roles may not be assumed by root accounts.") in roots.stderr
    for operation in ("GetSessionToken", "GetFederationToken --name emma"):
        name, _, more = operation.partition(" ")
        command = "aws sts get-session-token" if name == "GetSessionToken" else f"aws sts get-federation-token {more}"
        text = f"Cannot call {name} with session credentials"
        assert said("AccessDenied", name, text) in run(command, **keys(first)).stderr


def test_what_the_cli_refuses_by_itself_is_not_aws(aws: Cloud, run: Any) -> None:
    """Values that botocore's model excludes never reach AWS, as with boto3."""
    asked = len(aws.trail)
    short = run(f"{ASSUME} --role-session-name work --duration-seconds 899")
    assert "valid min value: 900" in short.stderr
    assert "valid min length: 2" in run(f"{ASSUME} --role-session-name a").stderr
    assert len(aws.trail) == asked
