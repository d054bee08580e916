"""Typical wrong answers to the exercises, with what the learner is told, and the cheat that allows everything.

An answer is the code of the cell before the check; each begins in a fresh state of the lesson, but those of the last
lesson, which follow one another in one world.
"""

from __future__ import annotations

import json
from typing import Any

Answer = tuple[str, str]  # the cell's code, and words of what is said


def policy(name: str, *statements: dict[str, Any]) -> str:
    return f"{name} = {json.dumps({'Version': '2012-10-17', 'Statement': list(statements)})!r}"


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal: Any, action: str = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}


BUCKET, LEDGER = "arn:aws:s3:::my-secure-bucket", "arn:aws:s3:::prod-ledger"
REPORTS = "arn:aws:iam::111111111111:role/reports"
ALICE, BOB = "arn:aws:iam::111111111111:user/alice", "arn:aws:iam::111111111111:user/bob"
SCANNER, WEB_APP = "arn:aws:iam::444444444444:role/scanner", "arn:aws:iam::111111111111:role/web-app"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
GITHUB = {"Federated": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"}
WEB_IDENTITY, CLAIM = "sts:AssumeRoleWithWebIdentity", "token.actions.githubusercontent.com"
MAIN = "repo:example/shop:ref:refs/heads/main"
EC2, LAMBDA = "ec2.amazonaws.com", "lambda.amazonaws.com"
TO_EC2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
OURS = {"StringEquals": {"sts:ExternalId": "acme-1001"}}
MEMBERS, FILLED = {"StringEquals": {"aws:PrincipalOrgID": "ORG"}}, '.replace("ORG", organization)'
ACME_MAY = policy("ACME_MAY", allow("s3:ListBucket", LEDGER), allow("s3:GetObject", f"{LEDGER}/*"))
ACME_TRUST = policy("ACME_TRUST", trust({"AWS": SCANNER}, Condition=OURS))


def no_mfa(operator: str, **more: Any) -> str:
    condition = {operator: {"aws:MultiFactorAuthPresent": "false"}, **more}
    return policy("MFA_REPAIRED", {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition})


def pipeline(operator: str, subject: str | list[str]) -> str:
    condition: dict[str, Any] = {operator: {f"{CLAIM}:sub": subject}}
    condition.setdefault("StringEquals", {})[f"{CLAIM}:aud"] = "sts.amazonaws.com"
    return policy("PIPELINE_TRUST", trust(GITHUB, WEB_IDENTITY, Condition=condition))


DEPLOY = """def deploy(iam):
    name, trust, may = "reports-reader", json.dumps(TRUST), json.dumps(READ_LEDGER)
    {}
"""
TEST = """def test_reader(document):
    ledger, file = "arn:aws:s3:::prod-ledger", "arn:aws:s3:::prod-ledger/2026.csv"
    {}
"""

WRONG: dict[str, list[Answer]] = {
    "your first policy": [
        (policy("ALICE_MAY", allow("iam:list_users")), "no action list_users. Did you mean iam:ListUsers?"),
        (policy("ALICE_MAY", allow("iam:List*")), "Alice lists the roles: allowed, but should be refused"),
        (policy("ALICE_MAY", allow("ListUsers")), "would not be saved: line 1"),
        (policy("ALICE_MAY", allow("iam:*")), "Alice creates a user: allowed, but should be refused"),
    ],
    "one file for alice": [
        (policy("ALICE_MAY", allow("s3:GetObject", BUCKET)), "Alice reads report.csv: refused, but should be allowed"),
        (policy("ALICE_MAY", allow("s3:GetObject", f"{BUCKET}/*")), "Alice reads another file: allowed"),
        (
            policy("ALICE_MAY", allow("s3:*", f"{BUCKET}/report.csv")),
            "report.csv: allowed, but should be refused. Allow statement 1 of your policy allows it.",
        ),
        (policy("ALICE_MAY", allow("s3:GetObject", "report.csv")), "would not be saved"),
    ],
    "let bob in": [
        (
            policy("BOB_MAY", allow("sts:AssumeRole")),
            "Allow statement 1 of your policy allows it; Allow statement 1 of archive (trust policy) delegates",
        ),
        (policy("BOB_MAY", allow("s3:GetObject", f"{BUCKET}/*")), "Bob assumes reports: refused"),
        (policy("BOB_MAY", {**allow("sts:AssumeRole", REPORTS), "Principal": {"AWS": BOB}}), "would not be saved"),
        (policy("BOB_MAY", allow(["sts:AssumeRole", "iam:*"], REPORTS)), "Bob changes the role: allowed"),
    ],
    "a trust policy from scratch": [
        (policy("REPORTS_TRUST", trust({"AWS": ALICE})), "Alice, without MFA, assumes reports: allowed"),
        (
            policy("REPORTS_TRUST", trust({"AWS": ALICE, "Service": "ec2.amazonaws.com"}, Condition=MFA)),
            "The EC2 service assumes reports: refused",
        ),
        (
            policy(
                "REPORTS_TRUST",
                trust({"AWS": "arn:aws:iam::111111111111:root"}, Condition=MFA),
                trust({"Service": "ec2.amazonaws.com"}),
            ),
            "Alice, with MFA, assumes reports: refused",
        ),
        (
            policy("REPORTS_TRUST", {**trust({"AWS": ALICE}, Condition=MFA), "Resource": REPORTS}),
            "would not be saved",
        ),
    ],
    "the mfa trap": [
        (no_mfa("BoolIfExists"), "A session of the role writer writes: refused, but should be allowed"),
        (
            no_mfa("Bool", StringEquals={"aws:PrincipalType": "User"}),
            "refused. Allow statement 1 of allow-s3 allows it. Deny statement 1 of your policy does not match: "
            "aws:MultiFactorAuthPresent is absent; Bool needs false.",
        ),
        (no_mfa("BoolIfExist"), "would not be saved"),
        (
            policy("MFA_REPAIRED", {"Effect": "Deny", "Action": "*", "Resource": "*"}),
            "Alice, signed in with MFA, reads the report: refused",
        ),
    ],
    "rotate a key": [
        (
            'def rotate(iam, use):\n    use(iam.create_access_key(UserName="alice"))',
            "with it: allowed, but should be refused. It is still active.",
        ),
        ("rotate = 3", "rotate is not a function but int"),
        (
            'def rotate(iam, use):\n    iam.create_access_key(UserName="alice")',
            "The program never got another key",
        ),
        (
            'def rotate(iam, use):\n    first = iam.list_access_keys(UserName="alice")["AccessKeyMetadata"][0]\n'
            '    iam.delete_access_key(UserName="alice", AccessKeyId=first["AccessKeyId"])\n'
            '    use(iam.create_access_key(UserName="alice"))',
            "goes on with its first key until it has the new one: refused, but should be allowed",
        ),
        (
            'def rotate(iam, use):\n    [iam.create_access_key(UserName="alice") for _ in range(2)]',
            "AWS refused a call in your answer: An error occurred (LimitExceeded)",
        ),
        (
            'def rotate(iam, use):\n    use(iam.create_access_key(UserName="alice"))\n'
            '    iam.delete_access_key(UserName="alice", AccessKeyId={})',
            "A call in your answer went wrong before it was sent to AWS: Parameter validation failed",
        ),
    ],
    "cut mallory off": [
        (
            'iam.delete_role_policy(RoleName="reports", PolicyName="read-bucket")',
            "A session of reports that begins now reads the report: refused",
        ),
        (
            'iam.put_role_policy(RoleName="reports", PolicyName="stop", PolicyDocument=\'{"Version": "2012-10-17", '
            '"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}\')',
            "A session of reports that begins now reads the report: refused",
        ),
        (
            'iam.update_assume_role_policy(RoleName="reports", PolicyDocument=\'{"Version": "2012-10-17", "Statement": '
            '{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}\')',
            "Mallory reads the report with her session: allowed",
        ),
        (
            'iam.delete_access_key(UserName="alice", AccessKeyId=alice.access_key_id)',
            "her session: allowed, but should be refused. Allow statement 1 of read-bucket allows it.",
        ),
        ("aws.clock.advance(hours=13)", "has expired, because the clock moved on"),
        (
            'for role in ("reports", "web-app"):\n    iam.put_role_policy(RoleName=role, PolicyName="stop", '
            'PolicyDocument=\'{"Version": "2012-10-17", "Statement": '
            '{"Effect": "Deny", "Action": "*", "Resource": "*"}}\')',
            "The machine assumes reports again: refused",
        ),
    ],
    "the whole organization": [
        (policy("OPEN_TO_ORGANIZATION", {**trust("*", "s3:GetObject"), "Resource": f"{LEDGER}/*"}), "it is public"),
        (
            policy(
                "OPEN_TO_ORGANIZATION",
                {
                    **trust({"AWS": [f"arn:aws:iam::{n * 12}:root" for n in "12"]}, "s3:GetObject"),
                    "Resource": f"{LEDGER}/*",
                },
            ),
            "Somebody in head-office reads the ledger: refused",
        ),
        (
            policy("OPEN_TO_ORGANIZATION", trust("*", "s3:*", Condition=MEMBERS, Resource=f"{LEDGER}/*")) + FILLED,
            "Alice deletes the ledger: allowed",
        ),
        (policy("OPEN_TO_ORGANIZATION", allow("s3:GetObject", f"{LEDGER}/*", Condition=MEMBERS)), "would not be saved"),
    ],
    "a way in for acme": [
        (f"{policy('ACME_TRUST', trust({'AWS': SCANNER}))}\n{ACME_MAY}", "without an ID, assumes the role: allowed"),
        (
            f"{policy('ACME_TRUST', trust({'AWS': 'arn:aws:iam::444444444444:root'}, Condition=OURS))}\n{ACME_MAY}",
            "Somebody else at Acme, with your ID, assumes the role: allowed",
        ),
        (
            f"{ACME_TRUST}\n{policy('ACME_MAY', allow(['s3:ListBucket', 's3:GetObject'], f'{LEDGER}/*'))}",
            "A session of the role lists the ledger: refused",
        ),
        (f"{ACME_MAY.replace('ACME_MAY', 'ACME_TRUST')}\n{ACME_MAY}", "The trust policy would not be saved"),
    ],
    "pass one role": [
        (
            policy("PASS_WEB_APP", allow("ec2:RunInstances"), allow("iam:PassRole", WEB_APP)),
            "Alice passes web-app to Lambda: allowed",
        ),
        (
            policy(
                "PASS_WEB_APP",
                allow("ec2:RunInstances"),
                allow(
                    "iam:PassRole",
                    f"{WEB_APP}*",
                    Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
                ),
            ),
            "Alice passes a role web-app-2 to EC2: allowed",
        ),
        (policy("PASS_WEB_APP", allow("iam:PassRole", WEB_APP)), "Alice starts a machine: refused"),
        (
            policy("PASS_WEB_APP", allow("ec2:RunInstances"), allow("sts:AssumeRole", WEB_APP)),
            "Alice passes web-app to EC2: refused",
        ),
    ],
    "two services": [
        (policy("TWO_SERVICES", trust({"Service": LAMBDA})), "The EC2 service assumes web-app: refused"),
        (
            policy("TWO_SERVICES", trust({"Service": [EC2, LAMBDA], "AWS": "arn:aws:iam::111111111111:root"})),
            "Alice, whose own policy lets her assume every role, assumes web-app: allowed",
        ),
        (
            policy("TWO_SERVICES", trust({"Service": [EC2, LAMBDA, "ecs-tasks.amazonaws.com"]})),
            "The ECS service assumes web-app: allowed",
        ),
        (policy("TWO_SERVICES", trust({"Service": EC2, "AWS": LAMBDA})), "would not be saved"),
        (
            policy("TWO_SERVICES", trust({"Service": EC2}), allow("sts:AssumeRole", WEB_APP)),
            "would not be saved",
        ),
    ],
    "main and nothing else": [
        (pipeline("StringLike", "repo:example/shop:*"), "Another branch of example/shop assumes the role: allowed"),
        (pipeline("StringLike", f"{MAIN}*"), "The branch mainly of example/shop assumes the role: allowed"),
        (
            pipeline("StringLike", "repo:*/shop:ref:refs/heads/main"),
            "Mallory's repository mallory/shop assumes the role",
        ),
        (
            pipeline("StringEquals", [MAIN, "repo:example/shop:pull_request"]),
            "A pull request in example/shop assumes the role: allowed",
        ),
        (pipeline("StringEquals", "repo:example/shop:*"), "The branch main of example/shop assumes the role: refused"),
    ],
    "deploy twice": [
        (DEPLOY.format("iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)"), "no policy read-ledger"),
        (
            DEPLOY.format(
                "iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)\n"
                '    iam.put_role_policy(RoleName=name, PolicyName="read-ledger", PolicyDocument=may)'
            ),
            "In the second run, AWS refused a call: An error occurred (EntityAlreadyExists)",
        ),
        (
            DEPLOY.format(
                "try:\n        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)\n"
                "    except iam.exceptions.EntityAlreadyExistsException:\n        pass\n"
                '    iam.put_role_policy(RoleName=name, PolicyName="read-ledger", PolicyDocument=may)'
            ),
            "After a run on a changed trust policy, the role's trust policy is not TRUST",
        ),
        ("deploy = 3", "deploy is not a function but int"),
        ("def deploy(iam):\n    make_role()", "Does your function use the client that it gets?"),
        (DEPLOY.format("return careless(name, trust)"), "After the first run, there is no role reports-reader"),
    ],
    "a test that says no": [
        (
            TEST.format('assert may(document, "s3:GetObject", file)'),
            'accepts a policy that is wrong: the action is "*"',
        ),
        (
            TEST.format("assert document == READ_LEDGER"),
            "refuses a policy that is right: the same in two statements",
        ),
        (
            TEST.format(
                'assert may(document, "s3:GetObject", file)\n    assert not may(document, "s3:DeleteObject", file)'
            ),
            "accepts a policy that is wrong: writing is allowed",
        ),
        ('test_reader = "assert"', "test_reader is not a function but str"),
        (TEST.format("assert False"), "refuses a policy that is right: READ_LEDGER itself"),
    ],
    "the house in order": [  # one after the other, in one world
        (
            'at_dev, at_prod = dev.admin.client("iam"), prod.admin.client("iam")\n'
            'keys = at_dev.list_access_keys(UserName="bob")["AccessKeyMetadata"]\n'
            'oldest = min(keys, key=lambda each: each["CreateDate"])["AccessKeyId"]\n'
            'at_dev.delete_access_key(UserName="bob", AccessKeyId=oldest)',
            "Mallory, from her own account, assumes break-glass: allowed",
        ),
        (
            'at_prod.delete_role_policy(RoleName="break-glass", PolicyName="break-glass")\n'
            'at_prod.delete_role(RoleName="break-glass")',
            "Mallory's open session of deploy starts a machine: allowed",
        ),
        (
            'at_dev.delete_role_policy(RoleName="deploy", PolicyName="deploy")',
            "What Mallory has copied from her machine assumes operator: allowed",
        ),
        (
            'at_prod.update_assume_role_policy(RoleName="operator", PolicyDocument=\'{"Version": "2012-10-17", '
            '"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, '
            '"Action": "sts:AssumeRole"}}\')',
            "Mallory's machine is still running and asks who it is: allowed, but should be refused",
        ),
        (
            'ec2 = dev.admin.client("ec2")\n'
            'found = [each for group in ec2.describe_instances()["Reservations"] for each in group["Instances"]]\n'
            'ec2.terminate_instances(InstanceIds=[each["InstanceId"] for each in found])',
            "Alice assumes deploy: allowed, but should be refused. Allow statement 2",
        ),
        (
            'at_dev.delete_role(RoleName="deploy")',
            "And somebody can no longer work. The web application",
        ),
        (
            'at_dev.delete_group_policy(GroupName="developers", PolicyName="developers")',
            "Acme, without an external ID, assumes reports-reader: allowed",
        ),
        (
            'at_prod.delete_role_policy(RoleName="reports-reader", PolicyName="reports-reader")\n'
            'at_prod.delete_role(RoleName="reports-reader")',
            "Alice, as reports-reader, reads the ledger: refused, but should be allowed",
        ),
    ],
}

STAR = policy("ANSWER", allow("*"))
OPEN = policy("ANSWER", trust({"AWS": "*"}))
CHEATS: dict[str, Answer] = {
    "your first policy": (STAR.replace("ANSWER", "ALICE_MAY"), "Alice creates a user: allowed"),
    "one file for alice": (STAR.replace("ANSWER", "ALICE_MAY"), "Alice reads another file: allowed"),
    "let bob in": (STAR.replace("ANSWER", "BOB_MAY"), "Bob assumes archive: allowed"),
    "a trust policy from scratch": (
        OPEN.replace("ANSWER", "REPORTS_TRUST"),
        "Alice, without MFA, assumes reports: allowed",
    ),
    "the mfa trap": (STAR.replace("ANSWER", "MFA_REPAIRED"), "Alice's key, without MFA, reads the report: allowed"),
    "rotate a key": ("def rotate(iam, use):\n    use(iam)", "It ended with"),
    "cut mallory off": (
        'iam.put_role_policy(RoleName="reports", PolicyName="all", PolicyDocument=\'{"Version": "2012-10-17", '
        '"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}\')',
        "Mallory reads the report with her session: allowed",
    ),
    "the whole organization": (
        policy("OPEN_TO_ORGANIZATION", {**trust("*", "s3:*"), "Resource": [LEDGER, f"{LEDGER}/*"]}),
        "it is public, and the bucket blocks public access",
    ),
    "a way in for acme": (
        f"{OPEN.replace('ANSWER', 'ACME_TRUST')}\n{STAR.replace('ANSWER', 'ACME_MAY')}",
        "without an ID, assumes the role: allowed",
    ),
    "pass one role": (STAR.replace("ANSWER", "PASS_WEB_APP"), "Alice passes deploy to EC2: allowed"),
    "two services": (OPEN.replace("ANSWER", "TWO_SERVICES"), "The ECS service assumes web-app: allowed"),
    "main and nothing else": (
        policy("PIPELINE_TRUST", trust(GITHUB, WEB_IDENTITY)),
        "Another branch of example/shop assumes the role: allowed",
    ),
    "deploy twice": (
        DEPLOY.format(f"iam.create_role(RoleName=name, AssumeRolePolicyDocument={STAR.partition(' = ')[2]})"),
        "In the first run, AWS refused a call: An error occurred (MalformedPolicyDocument)",
    ),
    "a test that says no": (TEST.format("assert document"), 'accepts a policy that is wrong: the action is "*"'),
    "the house in order": (
        'dev.admin.client("iam").put_role_policy(RoleName="deploy", PolicyName="all", PolicyDocument=\'{"Version": '
        '"2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}\')',
        "Bob's forgotten key opens the account dev: allowed, but should be refused",
    ),
}
