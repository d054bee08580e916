"""The twenty misconceptions: each is met by running it in a lesson, and gone when its cause is taken away."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from simlib.lab import course
from tests.notebooks import lessons


@dataclass(frozen=True)
class Met:
    """Where a misconception is met: in a cell of a lesson, which shows `shown`.

    Where `old` is replaced by `new` in the code of `at` (default: the same cell), its cause is gone; then the cell must
    not show it any more.
    """

    lesson: int
    cell: str
    shown: str
    old: str
    new: str
    at: str = ""


NOT_AUTHORIZED = r"AccessDenied: User: \S+ is not authorized to perform: "
ONE_SIDE = (
    'at_prod.update_assume_role_policy(RoleName="reports-reader", PolicyDocument=TRUST_ALICE);',
    'at_prod.update_assume_role_policy(RoleName="reports-reader", PolicyDocument=TRUST_ALICE)\n'
    'at_dev.put_user_policy(UserName="alice", PolicyName="both", PolicyDocument=\'{"Version": "2012-10-17", '
    '"Statement": '
    '{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}}\')',
)

MISCONCEPTIONS = {
    "1 one side is enough for cross-account": Met(
        5, "prod-trusts-alice", NOT_AUTHORIZED + "sts:AssumeRole", *ONE_SIDE, at="trust-alice"
    ),
    "2 trust and permissions policy mixed up": Met(
        2,
        "alice-and-the-bucket",
        r"Alice herself +✘ Refused.*her session of reports +✔ Allowed",
        "read(alice)",
        "read(session)",
    ),
    "3 root means the root user": Met(
        2,
        "root-tried",
        r"the root user +✘ Refused +root user .*\n +AccessDenied: Roles may not be assumed by root accounts",
        "assume(dev.root)",
        "assume(dev.admin)",
    ),
    "4 a session outlives its clock": Met(
        4, "an-hour-and-a-minute", r"the session +✘ Refused.*ExpiredToken", "minutes=61", "minutes=59"
    ),
    "5 duration above the role's maximum": Met(
        4,
        "two-hours",
        "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration",
        "assume(alice, 2 * 3600)",
        "assume(alice, 3600)",
    ),
    "6 chaining above one hour": Met(
        4,
        "chained",
        "exceeds the 1 hour session limit for roles assumed by role chaining",
        "assume(web.session, 2 * 3600)",
        "assume(alice, 2 * 3600)",
    ),
    "7 duration outside 900 to 43200": Met(
        4, "durations", r"ParamValidationError.*ValidationError.*43200", "43201", "43200"
    ),
    "8 a principal that does not exist": Met(
        2,
        "name-of-tomorrow",
        r'MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:user/carol"',
        "user/carol",
        "user/bob",
    ),
    "9 re-creating a principal restores trust": Met(
        2,
        "alice-is-back",
        NOT_AUTHORIZED + "sts:AssumeRole",
        'iam.delete_user(UserName="alice")\naws.clock.advance(days=180)\niam.create_user(UserName="alice")\n',
        "aws.clock.advance(days=180)\n",
        at="alice-leaves",
    ),
    "10 the external ID is a secret": Met(
        5,
        "with-external-id",
        r"Acme for you +✔ Allowed.*Acme for Mallory +✘ Refused.*Mallory herself, with your ID +✘ Refused",
        '"AWS": "arn:aws:iam::444444444444:role/scanner"',
        '"AWS": "*"',
        at="external-id",
    ),
    "11 PassRole is AssumeRole": Met(
        6,
        "alice-starts",
        r"is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111111111111:role/deploy",
        "PolicyDocument=ALICE_MAY",
        'PolicyDocument=ALICE_MAY.replace("sts:AssumeRole", "iam:PassRole")',
        at="start-machines",
    ),
    "12 rotating the key ends the session": Met(
        4,
        "key-deleted",
        r"the key +✘ Refused.*InvalidAccessKeyId.*its session +✔ Allowed",
        "iam.delete_access_key(",
        "dict(",
    ),
    "13 a boundary grants": Met(
        3,
        "boundary-for-bob",
        NOT_AUTHORIZED + "s3:GetObject",
        "iam.put_user_permissions_boundary(",
        'iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=S3_ONLY)\n'
        "iam.put_user_permissions_boundary(",
        at="boundary",
    ),
    "13 an SCP grants": Met(
        3,
        "scp-for-dev",
        NOT_AUTHORIZED + "s3:GetObject",
        'iam.delete_user_policy(UserName="bob", PolicyName="everything")',
        "None",
        at="scp",
    ),
    "13 a session policy grants": Met(
        3,
        "generous-session-policy",
        r"write +✔ Allowed.*read +✘ Refused",
        '"s3:PutObject"))',
        '"s3:*"))',
        at="writer",
    ),
    "14 an MFA Bool deny catches access keys": Met(
        3,
        "mfa-trap",
        r"Alice's key, read +✔ Allowed.*a session of writer, write +✘ Refused",
        '"Bool"',
        '"BoolIfExists"',
        at="mfa-deny",
    ),
    "15 keys per user": Met(
        4,
        "third-key",
        "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2",
        "lab.compare({",
        'iam.delete_access_key(UserName="alice", AccessKeyId=alice.access_key_id)\nlab.compare({',
    ),
    "16 GetSessionToken from a session": Met(
        4,
        "token-from-session",
        "AccessDenied: Cannot call GetSessionToken with session credentials",
        "session.client",
        "alice.client",
    ),
    "17 TagSession and SetSourceIdentity are actions of their own": Met(
        5,
        "tag-and-source-identity",
        r"sts:TagSession on resource.*sts:SetSourceIdentity on resource",
        "lab.compare({",
        'at_dev.put_user_policy(UserName="alice", PolicyName="all", '
        'PolicyDocument=MAY_ASSUME.replace("sts:AssumeRole", "sts:*"))\n'
        'at_prod.update_assume_role_policy(RoleName="reports-reader", '
        "PolicyDocument=TRUST_ALICE.replace('\"sts:AssumeRole\"', "
        '\'["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]\'))\nlab.compare({',
    ),
    "18 a role trusts itself": Met(
        2,
        "role-and-itself",
        NOT_AUTHORIZED + "sts:AssumeRole",
        'TRUST_ROOT.replace(":root", ":user/alice")',
        'TRUST_ROOT.replace("\\"arn:aws:iam::111111111111:root\\"", "[\\"arn:aws:iam::111111111111:user/alice\\", '
        '\\"arn:aws:iam::111111111111:role/reports\\"]")',
        at="borrow-itself",
    ),
    "19 session-name characters": Met(
        7, "branch-name", r"ValidationError: .*'feature/login' at 'roleSessionName'", "feature/login", "feature-login"
    ),
    "20 a role is its instance profile": Met(
        6,
        "role-name",
        r"InvalidParameterValue: .*Invalid IAM Instance Profile name",
        "start_machine(dev.admin",
        'iam.create_instance_profile(InstanceProfileName="web-app")\nstart_machine(dev.admin',
    ),
    "20 IMDSv1 and SSRF": Met(
        6,
        "preview",
        r'"AccessKeyId" : "ASIA',
        "loot = preview",
        'ec2.modify_instance_metadata_options(InstanceId=web.id, HttpTokens="required")\nloot = preview',
    ),
    "20 stale variables hide the role": Met(
        4, "old-variables", r"arn:aws:iam::111111111111:user/alice", "web.variables |= {", "dict() | {"
    ),
}


@cache
def as_written(lesson: int) -> dict[str, str]:
    return played(lesson, {}, "")


def played(lesson: int, changes: Any, until: str) -> dict[str, str]:
    return lessons.play(lessons.read(course.LESSONS[lesson]), changes, until)


@pytest.mark.parametrize("name", MISCONCEPTIONS)
def test_it_is_met_by_running_it(name: str) -> None:
    met = MISCONCEPTIONS[name]
    assert re.search(met.shown, as_written(met.lesson)[met.cell], re.DOTALL)


@pytest.mark.parametrize("name", MISCONCEPTIONS)
def test_without_its_cause_it_is_gone(name: str) -> None:
    met = MISCONCEPTIONS[name]
    shown = played(met.lesson, {met.at or met.cell: [(met.old, met.new)]}, met.cell)
    assert not re.search(met.shown, shown[met.cell], re.DOTALL)


def test_all_twenty_are_there() -> None:
    numbers = defaultdict(list)
    for name in MISCONCEPTIONS:
        numbers[int(name.split()[0])].append(name)
    assert sorted(numbers) == list(range(1, 21))
