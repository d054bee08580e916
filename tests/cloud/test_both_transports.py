"""boto3 in this process and the AWS CLI in another one meet the same gate and hear the same answers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Any

import pytest

from simlib import Cloud

from .conftest import allow, new_user

BUCKET = "my-secure-bucket"

# the CLI's words, the same call by boto3: a service of each protocol, allowed and refused, with a body and without
CASES: list[tuple[str, Any]] = [
    ("sts get-caller-identity", lambda s: s.client("sts").get_caller_identity()),
    ("iam list-users", lambda s: s.client("iam").list_users()),
    ("iam get-user --user-name alice", lambda s: s.client("iam").get_user(UserName="alice")),
    (f"s3api list-objects-v2 --bucket {BUCKET}", lambda s: s.client("s3").list_objects_v2(Bucket=BUCKET)),
    (f"s3api head-object --bucket {BUCKET} --key report.txt",
     lambda s: s.client("s3").head_object(Bucket=BUCKET, Key="report.txt")),
    ("ec2 describe-instances", lambda s: s.client("ec2").describe_instances()),
    ("dynamodb list-tables", lambda s: s.client("dynamodb").list_tables()),
    ("sqs list-queues", lambda s: s.client("sqs").list_queues()),
    ("lambda list-functions", lambda s: s.client("lambda").list_functions()),
    ("sts get-session-token --duration-seconds 129601",
     lambda s: s.client("sts").get_session_token(DurationSeconds=129601)),
]  # fmt: skip


def by_cli(identity: Any, command: str) -> str:
    """What the AWS CLI prints in a process of its own, reduced to what boto3's exceptions say."""
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": identity.access_key_id,
        "AWS_SECRET_ACCESS_KEY": identity.secret_access_key,
    }
    words = [shutil.which("aws") or "", *command.split()]  # the one that `!aws` in a cell finds
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
    return "allowed" if done.returncode == 0 else _said(done.stderr)


def by_boto3(identity: Any, call: Any) -> str:
    try:
        call(identity.session)
    except Exception as error:
        return _said(str(error))
    return "allowed"


def _said(text: str) -> str:
    found = re.search(r"An error occurred \(.*", text, re.DOTALL)
    return (found[0] if found else text).partition(" Encoded authorization failure message: ")[0].strip()


@pytest.mark.parametrize(("command", "call"), CASES, ids=[case[0].partition(" --")[0] for case in CASES])
def test_the_cli_and_boto3_hear_the_same(aws: Cloud, iam: Any, dev: Any, command: str, call: Any) -> None:
    s3 = dev.admin.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="report.txt", Body=b"x")
    alice = new_user(aws, iam, "alice", allow(["iam:ListUsers", "dynamodb:*"]))
    heard = by_boto3(alice, call)
    assert by_cli(alice, command) == heard
    assert aws.trail[-1].error_code == aws.trail[-2].error_code
