"""What lesson 8, the incident, asks its reader to predict and to put right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Evaluation
from simlib.lab import incident, investigation
from simlib.lab.attempts import Attempt, attempt
from simlib.lab.beginnings import ALICE, BOB, DEV, IMAGE, trust
from simlib.lab.exercises import Exercise
from simlib.lab.judging import NOTHING, Row, decided_by
from simlib.lab.predictions import Prediction

TITLE = "The incident"

MINUTES = {"": 16, "Put it right": 19, "What the trail taught": 4}

QUESTIONS = {
    "the first credential": Prediction(
        "You have followed the readers of the ledger back through the trail: `break-glass`, `operator`, a machine, "
        "`deploy`. Whose credential comes first?",
        (
            "Mallory's own key, in the account 555555555555.",
            "A key of Bob's.",
            "The pipeline's token.",
            "Acme's session.",
        ),
        answer=1,
        because="Bob has two keys. He uses one every morning from the office. The other is more than a year old. "
        "Nobody had used it until the seventh day, and then a call with it came from `198.51.100.66`. It had been "
        "left in a repository. Bob did nothing wrong, except forget it.",
    ),
    "how far a key reaches": Prediction(
        "Bob's own policies let him read the bucket and assume roles. How far does his forgotten key reach?",
        (
            "Everything in prod.",
            "The bucket, and nothing more: the rest is in prod.",
            "Every role in dev that trusts the account, and no further.",
        ),
        answer=0,
        because="Each step is allowed by somebody who meant something else. Bob may assume `deploy`; `deploy` may "
        "pass any role to a machine; the machine's role may assume `operator`; and `operator` may do everything in "
        "prod. No single policy shows this. The path does.",
    ),
    "the key is gone": Prediction(
        "You delete the forgotten key. Is Mallory out?",
        (
            "No: she holds what she got with it, and another way in.",
            "Yes: it was her way in.",
        ),
        answer=0,
        because="Sessions do not end with the key. Her session of `deploy` is valid for hours. Her machine runs "
        "and renews its credentials. And `break-glass` trusts her account, so she needs no key of yours any more.",
    ),
    "the order of the first hour": Prediction(
        "Another firm, another night. An attacker holds a session of the role `ci`, valid for six hours, and she "
        "has created an access key for the user `backup`. The pipeline needs `ci` every ten minutes; nobody needs "
        "`backup`. You have one minute before she notices you. What do you do first?",
        (
            "Delete the role `ci`: that ends her session for certain.",
            "Revoke the older sessions of `ci`, and deactivate the key of `backup`.",
            "Narrow the trust policy of `ci`, so that she cannot assume it again.",
            "Read the whole trail first, so that you miss nothing.",
        ),
        answer=1,
        because="Both are things she holds, and both stop at once. The pipeline assumes `ci` again and goes on.\n\n"
        "Deleting the role stops the pipeline, too. The trust policy does not touch an open session. Reading the "
        "trail is next: she may hold more. But every minute counts, and neither step destroys evidence: the key is "
        "deactivated, not deleted.",
    ),
}


_ARN = re.compile(r"arn:aws:iam::(?:\d{12}|aws):(?:role|user|group|policy)/")


def _in_order(world: Any) -> Iterator[str]:
    us = incident.people(world)
    parts = {
        "Mallory is out": list(_mallory_is_out(world)),
        "what let her in is repaired": list(_faults_are_mended(world, us)),
        "everybody works": list(_everybody_works_on(world, us)),
    }
    wrong = [row for rows in parts.values() for row in rows if not row.right]
    if wrong:
        counts = [f"{what}, {sum(row.right for row in rows)} of {len(rows)}" for what, rows in parts.items()]
        yield f"{wrong[0].sentence}\n\nSo far: {'; '.join(counts)}."


def _mallory_is_out(world: Any) -> Iterator[Row]:
    for who, does, tried in investigation.mallorys_ways(world):
        yield Row(who, does, tried.allowed, False, _decided(world, tried))
    still = "It has credentials of a role, and renews them by itself."
    runs = investigation.runs(world, incident.people(world).mallory["her machine"])
    yield Row("Mallory's machine", "goes on running", runs, False, still)


def _faults_are_mended(world: Any, us: incident.People) -> Iterator[Row]:
    for name, arn in (("Alice", ALICE), ("Bob", BOB)):
        yield _asked(world, name, "assumes deploy", arn, "sts:AssumeRole", incident.DEPLOY)
    whoever = {"RoleName": "newcomer", "AssumeRolePolicyDocument": trust(f"arn:aws:iam::{DEV}:root")}
    newcomer = world.account("prod").admin.client("iam").create_role(**whoever)["Role"]["Arn"]
    for name, person in (("Alice", us.alice), ("Bob", us.bob)):
        tried = attempt(person.client("sts").assume_role, RoleArn=newcomer, RoleSessionName="try")
        yield Row(name, "assumes a new role that trusts the account dev", tried.allowed, False, _decided(world, tried))
    to_ec2 = {"iam:PassedToService": "ec2.amazonaws.com"}
    passes = ("iam:PassRole", incident.OPERATIONS)
    yield _asked(world, "The role deploy", "passes operations to a machine", incident.DEPLOY, *passes, given=to_ec2)
    scanner = incident.as_scanner(us, world).client("sts")
    reader = {"RoleArn": incident.READER, "RoleSessionName": "acme"}
    for what, number in (("without an external ID", {}), ("for its customer acme-2002", {"ExternalId": "acme-2002"})):
        tried = attempt(scanner.assume_role, **reader, **number)
        yield Row(f"Acme, {what},", "assumes reports-reader", tried.allowed, False, _decided(world, tried))


def _everybody_works_on(world: Any, us: incident.People) -> Iterator[Row]:
    report = {"Bucket": "my-secure-bucket", "Key": "report.csv"}
    page = {"Bucket": "my-secure-bucket", "Key": "site/index.html", "Body": b"<h1>Shop</h1>"}
    profile = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "IamInstanceProfile": {"Name": "web-app"}}
    web: Any = us.web
    work: dict[tuple[str, str], Callable[[], object]] = {
        ("Alice, as reports-reader,", "reads the ledger"): lambda: _reads(incident.as_alice(us, world)),
        ("Bob, with the key he uses,", "reads the report"): lambda: us.bob.client("s3").get_object(**report),
        ("The web application", "lists the bucket"): lambda: web.session.client("s3").list_objects_v2(
            Bucket="my-secure-bucket"
        ),
        ("The web application", "reads the report"): lambda: web.session.client("s3").get_object(**report),
        ("The pipeline", "uploads the site to the bucket"): lambda: (
            incident.as_pipeline(us, world).client("s3").put_object(**page)
        ),
        ("The pipeline", "starts a machine with the role web-app"): lambda: (
            incident.as_pipeline(us, world).client("ec2").run_instances(**profile)
        ),
        ("Acme, with your external ID,", "reads the ledger"): lambda: _reads(incident.as_acme(us, world)),
    }
    for (who, does), call in work.items():
        if who == "The web application" and not investigation.runs(world, us.web):
            yield Row(who, does, False, True, "Its machine is gone.")
            continue
        tried = attempt(call)
        yield Row(who, does, tried.allowed, True, _decided(world, tried))


def _reads(session: Any) -> dict[str, Any]:
    """Both of what the ledger's readers do."""
    s3 = session.client("s3")
    s3.list_objects_v2(Bucket="prod-ledger")
    return dict(s3.get_object(Bucket="prod-ledger", Key="2026.csv"))


def _asked(world: Any, name: str, does: str, *question: Any, given: Any = NOTHING) -> Row:
    """A row of what should be refused, as the engine decides it."""
    try:
        found = world.inspect.ask(*question, circumstances=given)
    except (LookupError, Refusal):
        return Row(name, does, False, False)  # there is nobody of this name any more
    return Row(name, does, found.allowed, False, _told(found))


def _decided(world: Any, tried: Attempt) -> str:
    """What decided the last call, which was really made; AWS's own words where no policy did."""
    asked = world.trail[-1].evaluations
    evaluation = next((each for each in asked if not each.allowed), asked[0] if asked else None)
    if evaluation is not None and evaluation.allowed is tried.allowed:
        return _told(evaluation)
    return (
        "No policy decides this: the key is active."
        if tried.allowed
        else f"The answer is {tried.code}: {tried.message}"
    )


def _told(evaluation: Evaluation) -> str:
    """What decided, with names for ARNs."""
    return _ARN.sub("", decided_by(evaluation))


EXERCISES = {
    "the house in order": Exercise(
        waits_for="Cut Mallory off and repair the five mistakes, in the panels or in the cell above. Everybody "
        "else must go on working.",
        judge=_in_order,
        untouched=investigation.nothing_done,
        hints=(
            "Follow the path: the key, deploy, the machine, operator, break-glass. At each step, ask two "
            "questions. What does Mallory hold now? And what let her come this far?",
            "Delete the key and the role `break-glass`. Terminate her machine. Revoke the sessions of `deploy` and "
            "`operations`. Then change four policies: the trust policy of `deploy`, what `developers` may assume, "
            "what `deploy` may pass, and the trust policy of `reports-reader`.",
            "`deploy`: keep the statement `Pipeline`, remove `Account`; allow `iam:PassRole` on `web-app` alone. "
            "`developers`: `sts:AssumeRole` on `reports-reader` alone. `reports-reader`: Alice in one statement, "
            "Acme's scanner in another with `sts:ExternalId` `acme-1001`. Revoke with `AWSRevokeOlderSessions`, as "
            "in lesson 4.",
        ),
        solution="""import json

def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})

def revoke(iam, role):
    iam.put_role_policy(RoleName=role, PolicyName="AWSRevokeOlderSessions", PolicyDocument=document({
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": f"{aws.clock.now:%Y-%m-%dT%H:%M:%SZ}"}},
    }))

at_dev, at_prod, ec2 = dev.admin.client("iam"), prod.admin.client("iam"), dev.admin.client("ec2")

# What Mallory holds: the key, her machine, her sessions, her door.
keys = at_dev.list_access_keys(UserName="bob")["AccessKeyMetadata"]
oldest = min(keys, key=lambda each: each["CreateDate"])
at_dev.delete_access_key(UserName="bob", AccessKeyId=oldest["AccessKeyId"])
for reservation in ec2.describe_instances()["Reservations"]:
    for machine in reservation["Instances"]:
        if machine["IamInstanceProfile"]["Arn"].endswith("/operations"):
            ec2.terminate_instances(InstanceIds=[machine["InstanceId"]])
revoke(at_dev, "deploy")
revoke(at_dev, "operations")
at_prod.delete_role_policy(RoleName="break-glass", PolicyName="break-glass")
at_prod.delete_role(RoleName="break-glass")

# What let her in.
trust = at_dev.get_role(RoleName="deploy")["Role"]["AssumeRolePolicyDocument"]
at_dev.update_assume_role_policy(RoleName="deploy", PolicyDocument=document(
    *[each for each in trust["Statement"] if each["Sid"] == "Pipeline"]))
may = at_dev.get_role_policy(RoleName="deploy", PolicyName="deploy")["PolicyDocument"]
for statement in may["Statement"]:
    if statement["Sid"] == "Roles":
        statement["Resource"] = "arn:aws:iam::111111111111:role/web-app"
at_dev.put_role_policy(RoleName="deploy", PolicyName="deploy", PolicyDocument=json.dumps(may))
may = at_dev.get_group_policy(GroupName="developers", PolicyName="developers")["PolicyDocument"]
for statement in may["Statement"]:
    if statement["Action"] == "sts:AssumeRole":
        statement["Resource"] = "arn:aws:iam::222222222222:role/reports-reader"
at_dev.put_group_policy(GroupName="developers", PolicyName="developers", PolicyDocument=json.dumps(may))
assume = {"Effect": "Allow", "Action": "sts:AssumeRole"}
at_prod.update_assume_role_policy(RoleName="reports-reader", PolicyDocument=document(
    {**assume, "Principal": {"AWS": "arn:aws:iam::111111111111:user/alice"}},
    {**assume, "Principal": {"AWS": "arn:aws:iam::444444444444:role/scanner"},
     "Condition": {"StringEquals": {"sts:ExternalId": "acme-1001"}}},
))
""",
        because="Cut off what she holds first, then repair what let her in: in the other order, she would have "
        "used the time. Revoking is not enough where a machine renews its credentials, and deleting the key is not "
        "enough where sessions are open. You may have found another way: the check judges who can do what. "
        "`operations` and `operator` are still there. Only Mallory has used them, so delete them if you like.",
        praise="Mallory is out, nothing lets her in again, and nobody else has noticed anything. Good night.\n\n"
        "The five mistakes were: a key that nobody used any more; the trust of `deploy` in the whole account; "
        "`sts:AssumeRole` on `*` for the developers; `iam:PassRole` on `*` for `deploy`; and a partner's access "
        "without an external ID.",
    ),
}
