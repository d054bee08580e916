"""The judge of the incident: who may do what once a learner has put it right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Evaluation
from simlib.lab import incident, investigation
from simlib.lab.attempts import Attempt, attempt
from simlib.lab.beginnings import ALICE, BOB, DEV, IMAGE, trust
from simlib.lab.judging import NOTHING, Row, decided_by

nothing_done = investigation.nothing_done

_ARN = re.compile(r"arn:aws:iam::(?:\d{12}|aws):(?:role|user|group|policy)/")


def in_order(world: Any) -> Iterator[str]:
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
    scanner = incident.acting(us, world, "scanner").client("sts")
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
        ("Alice, as reports-reader,", "reads the ledger"): lambda: _reads(incident.acting(us, world, "alice in prod")),
        ("Bob, with the key he uses,", "reads the report"): lambda: us.bob.client("s3").get_object(**report),
        ("The web application", "lists the bucket"): lambda: web.session.client("s3").list_objects_v2(
            Bucket="my-secure-bucket"
        ),
        ("The web application", "reads the report"): lambda: web.session.client("s3").get_object(**report),
        ("The pipeline", "uploads the site to the bucket"): lambda: (
            incident.acting(us, world, "pipeline").client("s3").put_object(**page)
        ),
        ("The pipeline", "starts a machine with the role web-app"): lambda: (
            incident.acting(us, world, "pipeline").client("ec2").run_instances(**profile)
        ),
        ("Acme, with your external ID,", "reads the ledger"): lambda: _reads(
            incident.acting(us, world, "acme in prod")
        ),
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
