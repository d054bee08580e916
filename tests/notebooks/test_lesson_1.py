"""Lesson 1: it runs, it gives nothing away, and what it claims happens for the reason it gives."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from simlib.lab import course
from tests.notebooks import lessons
from tests.notebooks.claims import Claim

NAME = "01-users-and-roles.ipynb"
BOOK = lessons.read(NAME)

# The two documents of the source article.
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
PERMISSIONS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:GetObject"],
            "Resource": ["arn:aws:s3:::my-secure-bucket", "arn:aws:s3:::my-secure-bucket/*"],
        }
    ],
}


ALICE_MAY = f'iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument={json.dumps(PERMISSIONS)!r})'
SWITCH = 'iam.update_access_key(UserName="alice", AccessKeyId=alice.access_key_id, Status="{}")'
ADMIN_TRUSTED = '\'"Service": "ec2.amazonaws.com"\', \'"AWS": "arn:aws:iam::111111111111:user/lab-admin"\''
WITH_PROFILE = 'MaxCount=1, IamInstanceProfile={"Name": "web-app"}'

# Lessons in which the reasons are taken away: changes of the code by cell, and the last cell to run. Changes that leave
# each other's cells alone share a lesson.
LESSONS_WITHOUT: dict[str, tuple[dict[str, list[tuple[str, str]]], str]] = {
    "A": (
        {
            "access-key": [('key["AccessKey"]', 'aws.sign_in(key).client("sts").get_session_token()["Credentials"]')],
            "list-without-policy": [("alice = aws", f"{ALICE_MAY}\nalice = aws")],
            "list-a-year-later": [
                ("list_bucket(alice)", f"{SWITCH.format('Inactive')}\nshown = list_bucket(alice)"),
                ("shown = list_bucket(alice)", f"shown = list_bucket(alice)\n{SWITCH.format('Active')}\nshown"),
            ],
            "machine-without-role": [("MaxCount=1", WITH_PROFILE)],
            "permission-gone": [("iam.delete_role_policy(", "dict(")],
            "panel": [("PolicyDocument=READ_BUCKET", 'PolicyDocument=READ_BUCKET.replace("Allow", "Deny")')],
            "trust-gone": [('"lambda.amazonaws.com"', '"ec2.amazonaws.com"')],
            "loot": [(".json()", '.json() | {"Expiration": "2027-11-24T06:00:00Z"}')],
            "the-same-day": [("lab.compare", "aws.clock.advance(days=1)\nlab.compare")],
        },
        "",
    ),
    "B": (
        {
            "list-with-policy": [("PolicyDocument=READ_BUCKET", 'PolicyDocument=READ_BUCKET.replace("List", "Get")')],
            "machine-with-key": [('"aws_secret_access_key"', '"region"')],
            "trust-gone": [
                ('"ec2.amazonaws.com", "lambda.amazonaws.com"', ADMIN_TRUSTED),
                ("web.run", "aws.clock.advance(hours=7)\nweb.run"),
            ],
            "trust-restored": [("TRUST_EC2", "TRUST_LAMBDA")],
            "loot": [("loot = web", "loot = key or web")],
        },
        "machine-next-day",
    ),
    "without a profile": ({"start-machine": [(', IamInstanceProfile={"Name": "web-app"}', "")]}, "metadata"),
    "without time": (
        {"seven-hours-later": [("hours=7", "minutes=7")], "the-day-after": [("days=1", "minutes=1")]},
        "figure",
    ),
}


LISTED = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +24 report\.csv"
NO_POLICY = "no identity-based policy allows the s3:ListBucket action"
NO_CREDENTIALS = "Unable to locate credentials"

CLAIMS = {
    "a key shows no end": Claim("access-key", "A", ("AKIA[A-Z2-7]{16}", "SecretAccessKey", "CreateDate"), ("Expir",)),
    "a key without a policy may do nothing": Claim(
        "list-without-policy", "A", ("✘ Refused", "AccessDenied", "user/alice is not", NO_POLICY)
    ),
    "the lab says what would help": Claim("why", "A", ("user/alice", "would need an Allow for s3:ListBucket")),
    "with the article's policy she may": Claim("list-with-policy", "B", ("✔ Allowed",)),
    "a year later the key still works": Claim("list-a-year-later", "A", ("✔ Allowed",)),
    "a machine with a role needs no key": Claim("list-on-machine", "without a profile", (LISTED,)),
    "its credentials come from the role": Claim("where-from", "without a profile", ("access_key .* iam-role",)),
    "its credentials are temporary": Claim(
        "metadata", "without a profile", ('"AccessKeyId" : "ASIA', '"Token" : ', '"Expiration" : "20')
    ),
    "without a profile the trust policy gives a machine nothing": Claim("machine-without-role", "A", (NO_CREDENTIALS,)),
    "with a static key it works as well": Claim("machine-with-key", "B", (LISTED,)),
    "the key lies there as plain text": Claim(
        "where-the-key-lies", "B", (r"\[default\]", "aws_access_key_id = AKIA", "aws_secret_access_key = ")
    ),
    "without the permission the open session is refused at once": Claim(
        "permission-gone", "A", ("AccessDenied", "assumed-role/web-app/i-", NO_POLICY, "exit code 25")
    ),
    "the panel names the deciding statement": Claim(
        "panel",
        "A",
        (r"s3:ListBucket .* ✔ Allowed\n.*Allow statement 1 of read-bucket decides", "s3:PutObject .* ✘ Not allowed"),
    ),
    "without the trust the credentials at hand still work": Claim("trust-gone", "B", (LISTED,)),
    "and then no new ones come": Claim("seven-hours-later", "A", (NO_CREDENTIALS,)),
    "because their time is over": Claim("seven-hours-later", "without time", (NO_CREDENTIALS,)),
    "EC2 says that it may not assume the role": Claim(
        "metadata-without-trust", "A", ("AssumeRoleUnauthorizedAccess", "EC2 cannot assume the role web-app")
    ),
    "who may do everything may not borrow what does not trust her": Claim(
        "administrator-knocks",
        "B",
        ("✘ Refused", "AccessDenied", "not authorized to perform: sts:AssumeRole on resource: arn:.*:role/web-app$"),
    ),
    "the lab says whom the trust names": Claim(
        "why-administrator", "A", ("lab-admin", "is not in Principal .?lambda.amazonaws.com")
    ),
    "with the trust restored the machine works again": Claim("trust-restored", "B", (LISTED,)),
    "on the same day both leaked copies work": Claim(
        "the-same-day", "A", ("key of Alice +✔ Allowed", "session of the machine +✔ Allowed")
    ),
    "the day after only the key does": Claim(
        "the-day-after",
        "without time",
        (
            "key of Alice +✔ Allowed",
            "session of the machine +✘ Refused",
            "ExpiredToken: The provided token has expired",
        ),
    ),
    "the machine goes on with new credentials": Claim("machine-next-day", "B", (LISTED,)),
    "the picture tells the dead session from the living key": Claim(
        "figure",
        "without time",
        (
            "Alice's key AKIA….... ✔ good, no expiry date",
            "the stolen session ASIA….... – expired",
            "the machine's next session ASIA….... ✔ good until",
            "whatever is asked – Not accepted\n +AWS answers ExpiredToken",
        ),
    ),
}


@cache
def without(lesson: str) -> dict[str, str]:
    changes, until = LESSONS_WITHOUT[lesson]
    return lessons.play(BOOK, changes, until)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with lessons.kernel(lessons.read(NAME)) as client:
        yield client


@pytest.fixture(scope="module")
def runs(client: Any) -> tuple[lessons.Run, lessons.Run]:
    """The lesson run twice in the same kernel, as committed."""
    return lessons.run_all(client), lessons.run_all(client)


@pytest.mark.parametrize("name", CLAIMS)
def test_the_lesson_shows_what_it_claims(name: str, runs: tuple[lessons.Run, lessons.Run]) -> None:
    claim = CLAIMS[name]
    assert claim.holds(runs[0].text[claim.cell]), runs[0].text[claim.cell]


@pytest.mark.parametrize("name", CLAIMS)
def test_it_would_not_show_it_without_the_reason(name: str) -> None:
    claim = CLAIMS[name]
    shown = without(claim.without)[claim.cell]
    assert not claim.holds(shown), shown


@pytest.mark.parametrize("name", CLAIMS)
def test_a_second_run_in_the_same_kernel_shows_the_same(name: str, runs: tuple[lessons.Run, lessons.Run]) -> None:
    assert CLAIMS[name].holds(runs[1].text[CLAIMS[name].cell])


def test_an_unanswered_prediction_reveals_nothing(runs: tuple[lessons.Run, lessons.Run]) -> None:
    for run in runs:
        explained = {cell: text for cell, text in run.text.items() if cell.startswith("explain-")}
        assert len(explained) == len(course.lesson(1).predictions)
        assert all(text.startswith("Waiting for your prediction") for text in explained.values())
        for question in course.lesson(1).predictions.values():
            assert question.because[:40] not in run.everything


def test_the_learners_own_aws_is_untouched_and_shown_nowhere(
    client: Any, runs: tuple[lessons.Run, lessons.Run]
) -> None:
    lessons.check_nothing_of_the_learners(lessons.leave(client))


def test_every_prediction_is_asked_before_its_experiment_and_explained_after() -> None:
    sources = [cell.source for cell in BOOK.cells]
    for name in [*course.lesson(1).predictions][:-1]:  # the last asks about a case that is not run
        asked = next(i for i, source in enumerate(sources) if f'lab.predict("{name}")' in source)
        explained = next(i for i, source in enumerate(sources) if f'lab.explain("{name}")' in source)
        between = [cell for cell in BOOK.cells[asked + 1 : explained] if cell.cell_type == "code"]
        assert between, f"nothing is run between the prediction {name!r} and its explanation"


def test_seconds_per_cell_are_reported(
    runs: tuple[lessons.Run, lessons.Run], record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = sorted(runs[0].seconds.items(), key=lambda item: -item[1])
    middle = statistics.median(runs[0].seconds.values())
    slowest = ", ".join(f"{cell} {spent:.1f}" for cell, spent in seconds[:3])
    report = f"{len(seconds)} cells in {sum(runs[0].seconds.values()):.1f} s, median {middle:.3f} s; slowest: {slowest}"
    record_property("seconds", report)
    with capsys.disabled():
        print(f"\n{NAME}: {report}")
    assert len(seconds) == len(lessons.code_cells(BOOK))


# -- the page ----------------------------------------------------------------------------------------------------------


def test_it_begins_with_one_import_and_has_no_other() -> None:
    sources = [cell.source for cell in lessons.code_cells(BOOK)]
    assert sources[0] == "from simlib import Cloud, lab"
    assert not any(re.search(r"^\s*(import|from) ", source, re.MULTILINE) for source in sources[1:])


def test_the_articles_documents_and_commands_appear_unchanged() -> None:
    sources = {cell.id: cell.source for cell in BOOK.cells}
    assert json.loads(sources["article-trust"].split('"""')[1]) == TRUST
    assert json.loads(sources["article-permissions"].split('"""')[1]) == PERMISSIONS
    assert sources["list-on-machine"] == 'web.run("aws s3 ls s3://my-secure-bucket")'


def test_the_cells_are_short() -> None:
    assert statistics.median(cell.source.count("\n") + 1 for cell in lessons.code_cells(BOOK)) <= 3
