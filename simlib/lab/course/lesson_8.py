"""What lesson 8, the incident, asks its reader to predict and to put right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simlib.cloud.transport.refusals import Refusal
from simlib.lab import incident
from simlib.lab.attempts import attempt
from simlib.lab.beginnings import ALICE, BOB
from simlib.lab.exercises import Exercise, Row, decided_by
from simlib.lab.predictions import Prediction

TITLE = "The incident"

QUESTIONS = {
    "the first credential": Prediction(
        "You have followed the ledger's readers back in the trail: `break-glass`, `operator`, a machine, "
        "`deploy`. Whose "
        "credential stands at the very beginning?",
        (
            "Mallory's own key, of the account 555555555555.",
            "A key of Bob's.",
            "The pipeline's token.",
            "Acme's session.",
        ),
        answer=1,
        because="Bob has two keys. One is used every morning from the office. The other is more than a year old, was "
        "never used until the seventh day, and then came from `198.51.100.66`. It lay in a repository. Bob "
        "himself has "
        "done nothing wrong, except to forget it.",
    ),
    "how far a key reaches": Prediction(
        "Bob's own policies let him read the bucket and assume roles. How far does his forgotten key reach?",
        (
            "The bucket, and nothing more: the rest is in prod.",
            "Every role in dev that trusts the account, and no further.",
            "Everything in prod.",
        ),
        answer=2,
        because="Each step is allowed by somebody who meant something else: Bob may assume `deploy`, `deploy` may "
        "pass "
        "any role to a machine, the machine's role may assume `operator`, and `operator` may do everything "
        "in prod. No "
        "single policy shows it. A path does.",
    ),
    "the key is gone": Prediction(
        "The forgotten key is deleted. Is Mallory out?",
        (
            "Yes: it was her way in.",
            "No: she holds what she opened with it, and a door of her own.",
        ),
        answer=1,
        because="Sessions do not end with the key. Her session of `deploy` lives for hours, her machine runs and "
        "renews "
        "its credentials, and `break-glass` trusts her account, so that she needs nobody's key any more.",
    ),
}


def _works(call: Callable[[], object]) -> bool:
    """Whether a call, or a few of them, is carried out to its end."""
    try:
        call()
    except (ClientError, BotoCoreError, LookupError, RuntimeError):
        return False
    return True


def _asked(world: Any, name: str, does: str, should: bool, *question: Any, **given: str) -> Row:
    try:
        found = world.inspect.ask(*question, circumstances={"iam:PassedToService": "ec2.amazonaws.com", **given})
    except (LookupError, Refusal):
        return Row(name, does, False, should, "There is nobody of this name any more.")
    return Row(name, does, found.allowed, should, decided_by(found))


def _ledger(session: Any) -> object:
    return session.client("s3").get_object(Bucket="prod-ledger", Key="2026.csv")


def _nothing_done(world: Any) -> bool:
    us = incident.people(world)
    mallory, scanner = f"arn:aws:iam::{incident.MALLORY}:user/lab-admin", incident.SCANNER
    doors = ((mallory, incident.BREAK_GLASS), (scanner, incident.READER), (BOB, incident.DEPLOY))
    still = attempt(us.mallory["bob's forgotten key"].client("sts").get_caller_identity).allowed
    return still and all(_asked(world, "", "", True, who, "sts:AssumeRole", role).allowed for who, role in doors)


def _in_order(world: Any) -> Iterator[Row]:
    us = incident.people(world)
    yield from _mallory_is_out(world, us)
    yield from _faults_are_mended(world, us)
    yield from _everybody_works_on(world, us)


def _mallory_is_out(world: Any, us: incident.People) -> Iterator[Row]:
    held = us.mallory
    key, door = held["bob's forgotten key"], held["her session of break-glass"]
    yield Row("Bob's forgotten key", "opens the account dev", _works(key.client("sts").get_caller_identity), False)
    yield Row("Mallory, from her own account,", "borrows break-glass", _works(lambda: incident.back_door(world)), False)
    yield Row("Mallory's open session of break-glass", "reads the ledger", _works(lambda: _ledger(door)), False)
    deploy = held["her session of deploy"].access_key_id
    machine = "arn:aws:ec2:us-east-1:111111111111:instance/*"
    yield _asked(
        world, "Mallory's open session of deploy", "starts a machine", False, deploy, "ec2:RunInstances", machine
    )
    copied = held["what her machine told her"].access_key_id
    borrow = ("sts:AssumeRole", incident.OPERATOR)
    yield _asked(world, "What Mallory has copied from her machine", "borrows operator", False, copied, *borrow)
    running = world.instance_facts(held["her machine"].id)
    yield Row("Mallory's machine", "is still running", bool(running and running.running), False)


def _faults_are_mended(world: Any, us: incident.People) -> Iterator[Row]:
    for name, arn in (("Alice", ALICE), ("Bob", BOB)):
        yield _asked(world, name, "borrows deploy", False, arn, "sts:AssumeRole", incident.DEPLOY)
    passing = ("iam:PassRole", incident.OPERATIONS)
    yield _asked(world, "The role deploy", "passes operations to a machine", False, incident.DEPLOY, *passing)
    for what, external_id in (("without an external ID", None), ("with Mallory's external ID", "acme-2002")):
        reads = _works(lambda external_id=external_id: _ledger(incident.as_acme(us, world, external_id)))
        yield Row(f"Acme, {what},", "reads the ledger", reads, False)


def _everybody_works_on(world: Any, us: incident.People) -> Iterator[Row]:
    def report(who: Any) -> object:
        return who.client("s3").get_object(Bucket="my-secure-bucket", Key="report.csv")

    def site() -> object:
        page = {"Bucket": "my-secure-bucket", "Key": "site/index.html", "Body": b"<h1>Shop</h1>"}
        return incident.as_pipeline(us, world).client("s3").put_object(**page)

    yield Row("Alice", "reads the report", _works(lambda: report(us.alice)), True)
    yield Row("Bob, with the key he uses,", "reads the report", _works(lambda: report(us.bob)), True)
    yield Row(
        "Alice, as reports-reader,", "reads the ledger", _works(lambda: _ledger(incident.as_alice(us, world))), True
    )
    yield Row("The web application", "reads the report", _works(lambda: report(us.web.session)), True)
    yield Row("The pipeline", "puts the site into the bucket", _works(site), True)
    web_app = "arn:aws:iam::111111111111:role/web-app"
    yield _asked(world, "The pipeline", "passes web-app to a machine", True, incident.DEPLOY, "iam:PassRole", web_app)
    ours = _works(lambda: _ledger(incident.as_acme(us, world)))
    yield Row("Acme, with the external ID it has given to you,", "reads the ledger", ours, True)


EXERCISES = {
    "the house in order": Exercise(
        waits_for="Cut Mallory off and mend the five faults, in the cell above. Everybody else must go on working.",
        judge=_in_order,
        untouched=_nothing_done,
        hints=(
            "Go by the path: the key, deploy, the machine, operator, break-glass. For each ask two questions. "
            "What does "
            "Mallory hold now? And what let her come this far?",
            "Delete the key and the role `break-glass`; end her machine; revoke the sessions of `deploy` and "
            "`operations`. "
            "Then four policies: the trust of `deploy`, what the developers may assume, what `deploy` may "
            "pass, and the "
            "trust of `reports-reader`.",
            "`deploy`: keep the statement `Pipeline`, drop `Account`; `iam:PassRole` on `web-app` alone. "
            "`developers`: "
            "`sts:AssumeRole` on `reports-reader` alone. `reports-reader`: Alice in one statement, Acme's scanner in "
            "another with `sts:ExternalId` `acme-1001`. Revoking: `AWSRevokeOlderSessions`, as in lesson 4.",
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
borrow = {"Effect": "Allow", "Action": "sts:AssumeRole"}
at_prod.update_assume_role_policy(RoleName="reports-reader", PolicyDocument=document(
    {**borrow, "Principal": {"AWS": "arn:aws:iam::111111111111:user/alice"}},
    {**borrow, "Principal": {"AWS": "arn:aws:iam::444444444444:role/scanner"},
     "Condition": {"StringEquals": {"sts:ExternalId": "acme-1001"}}},
))
aws.clock.advance(seconds=2)
""",
        because="First what she holds, then what let her in: the other way round she would have used the time. "
        "Revoking "
        "is not enough where a machine renews its credentials, and deleting the key is not enough where sessions are "
        "open. Your own way may be another one; it is judged by who can do what.",
        praise="Mallory is out, nothing lets her in again, and nobody else has noticed anything.",
    ),
}
