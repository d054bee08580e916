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

    lesson: str
    cell: str
    shown: str
    old: str
    new: str
    at: str = ""


NOT_AUTHORIZED = r"AccessDenied: User: \S+ is not authorized to perform: "
ONE_SIDE = (
    'at_prod.update_assume_role_policy(RoleName="reports-reader", PolicyDocument=TRUST_ALICE)',
    'at_prod.update_assume_role_policy(RoleName="reports-reader", PolicyDocument=TRUST_ALICE)\n'
    'at_dev.put_user_policy(UserName="alice", PolicyName="both", PolicyDocument=lab.allow("sts:*"))',
)

MISCONCEPTIONS = {
    "1 one side is enough for cross-account": Met(
        "accounts", "prod-trusts-alice", NOT_AUTHORIZED + "sts:AssumeRole", *ONE_SIDE, at="trust-alice"
    ),
    "2 trust and permissions policy mixed up": Met(
        "trust",
        "alice-and-the-bucket",
        r"Alice herself +✘ Refused.*her session of reports +✔ Allowed",
        "read(alice)",
        "read(session)",
    ),
    "3 root means the root user": Met(
        "trust",
        "root-tried",
        r"the root user +✘ Refused +root user .*\n +AccessDenied: Roles may not be assumed by root accounts",
        "assume(dev.root)",
        "assume(dev.admin)",
    ),
    "4 a session outlives its clock": Met(
        "sessions", "an-hour-and-a-minute", r"the session +✘ Refused.*ExpiredToken", "minutes=61", "minutes=59"
    ),
    "5 duration above the role's maximum": Met(
        "sessions",
        "two-hours",
        "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration",
        "assume(alice, 2 * 3600)",
        "assume(alice, 3600)",
    ),
    "6 chaining above one hour": Met(
        "sessions",
        "chained",
        "exceeds the 1 hour session limit for roles assumed by role chaining",
        "assume(web.session, 2 * 3600)",
        "assume(alice, 2 * 3600)",
    ),
    "7 duration outside 900 to 43200": Met(
        "sessions", "durations", r"ParamValidationError.*ValidationError.*43200", "43201", "43200"
    ),
    "8 a principal that does not exist": Met(
        "names",
        "no-such-user-yet",
        r'MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:user/carol"',
        "user/carol",
        "user/bob",
    ),
    "9 re-creating a principal restores trust": Met(
        "names",
        "alice-is-back",
        NOT_AUTHORIZED + "sts:AssumeRole",
        'iam.delete_user(UserName="alice")\naws.clock.advance(days=180)\niam.create_user(UserName="alice")\n',
        "aws.clock.advance(days=180)\n",
        at="alice-leaves",
    ),
    "10 the external ID is a secret": Met(
        "partners",
        "with-external-id",
        r"Acme for you +✔ Allowed.*Acme for Mallory +✘ Refused.*Mallory herself, with your ID +✘ Refused",
        "lab.trust(SCANNER, ",
        'lab.trust("*", ',
        at="external-id",
    ),
    "11 PassRole is AssumeRole": Met(
        "machines",
        "alice-starts",
        r"is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111111111111:role/deploy",
        "sts:AssumeRole",
        "iam:PassRole",
        at="start-machines",
    ),
    "12 rotating the key ends the session": Met(
        "revoking",
        "key-deleted",
        r"the key +✘ Refused.*InvalidAccessKeyId.*its session +✔ Allowed",
        "iam.delete_access_key(",
        "dict(",
    ),
    "13 a boundary grants": Met(
        "limits",
        "boundary-for-bob",
        NOT_AUTHORIZED + "s3:GetObject",
        "iam.put_user_permissions_boundary(",
        'iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=S3_ONLY)\n'
        "iam.put_user_permissions_boundary(",
        at="boundary",
    ),
    "13 an SCP grants": Met(
        "limits",
        "scp-for-dev",
        NOT_AUTHORIZED + "s3:GetObject",
        'iam.delete_user_policy(UserName="bob", PolicyName="everything")',
        "None",
        at="scp",
    ),
    "13 a session policy grants": Met(
        "limits",
        "generous-session-policy",
        r"write +✔ Allowed.*read +✘ Refused",
        "session = aws",
        'iam.put_role_policy(RoleName="writer", PolicyName="all", PolicyDocument=lab.allow("*"))\nsession = aws',
    ),
    "14 an MFA Bool deny catches access keys": Met(
        "deny",
        "mfa-trap",
        r"Alice's key, read +✔ Allowed.*a session of writer, write +✘ Refused",
        '"Bool"',
        '"BoolIfExists"',
        at="mfa-deny",
    ),
    "15 keys per user": Met(
        "credentials",
        "third-key",
        "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2",
        "lab.compare({",
        'iam.delete_access_key(UserName="alice", AccessKeyId=alice.access_key_id)\nlab.compare({',
    ),
    "16 GetSessionToken from a session": Met(
        "sessions",
        "token-from-session",
        "AccessDenied: Cannot call GetSessionToken with session credentials",
        "session.client",
        "alice.client",
    ),
    "17 TagSession and SetSourceIdentity are actions of their own": Met(
        "accounts",
        "tag-and-source-identity",
        r"sts:TagSession on resource.*sts:SetSourceIdentity on resource",
        "PolicyDocument=MAY_ASSUME)",
        'PolicyDocument=lab.allow("sts:*"))\n'
        "at_prod.update_assume_role_policy(RoleName='reports-reader', PolicyDocument=lab.trust("
        "'arn:aws:iam::111111111111:user/alice', "
        "Action=['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity']))",
    ),
    "18 a role trusts itself": Met(
        "sessions",
        "role-and-itself",
        NOT_AUTHORIZED + "sts:AssumeRole",
        "iam.put_role_policy(",
        'iam.update_assume_role_policy(RoleName="reports", '
        'PolicyDocument=lab.trust("arn:aws:iam::111111111111:root"))\n'
        "iam.put_role_policy(",
        at="borrow-itself",
    ),
    "19 session-name characters": Met(
        "pipelines", "branch-name", r"ValidationError: .*'feature/login' at 'roleSessionName'", "feature/login", "login"
    ),
    "20 a role is its instance profile": Met(
        "roles",
        "role-name",
        r"InvalidParameterValue: .*Invalid IAM Instance Profile name",
        "start_machine(IamI",
        'iam.create_instance_profile(InstanceProfileName="web-app")\nstart_machine(IamI',
    ),
    "20 IMDSv1 and SSRF": Met(
        "metadata",
        "preview",
        r'"AccessKeyId" : "ASIA',
        "stolen = preview",
        'ec2.modify_instance_metadata_options(InstanceId=web.id, HttpTokens="required")\nstolen = preview',
    ),
    "20 stale variables hide the role": Met(
        "credentials",
        "old-variables",
        r"arn:aws:iam::111111111111:user/alice",
        'web.variables["AWS_ACCESS_KEY_ID"]',
        "elsewhere",
    ),
}


@cache
def as_written(lesson: str) -> dict[str, str]:
    return played(lesson, {}, "")


def played(lesson: str, changes: Any, until: str) -> dict[str, str]:
    return lessons.play(lessons.read(course.LESSONS[lesson].notebook), changes, until)


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
