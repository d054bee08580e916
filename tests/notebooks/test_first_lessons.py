"""The first three lessons: what they claim happens, for the reason they give."""

from __future__ import annotations

import json
from functools import cache

import pytest

from simlib.lab import course
from tests.notebooks import lessons
from tests.notebooks.claims import Claim

SLUGS = ("users", "roles", "two-policies")
BOOKS = {slug: lessons.read(course.LESSONS[slug].notebook) for slug in SLUGS}

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
LAMBDA_TRUSTED = (
    'iam.update_assume_role_policy(RoleName="web-app", PolicyDocument=lab.trust(service="lambda.amazonaws.com"))'
)
ADMIN_TRUSTED = ('service="lambda.amazonaws.com"', '"arn:aws:iam::111111111111:user/lab-admin"')

# Lessons in which the reasons are taken away: the lesson, changes of its code by cell, and the last cell to run.
# Changes that leave each other's cells alone share a run.
LESSONS_WITHOUT: dict[str, tuple[str, dict[str, list[tuple[str, str]]], str]] = {
    "users A": (
        "users",
        {
            "access-key": [('key["AccessKey"]', 'aws.sign_in(key).client("sts").get_session_token()["Credentials"]')],
            "list-without-policy": [("alice = aws", f"{ALICE_MAY}\nalice = aws")],
            "list-a-year-later": [
                ("list_bucket(alice)", f"{SWITCH.format('Inactive')}\nlist_bucket(alice)"),
            ],
            "panel": [("PolicyDocument=READ_BUCKET", 'PolicyDocument=READ_BUCKET.replace("Allow", "Deny")')],
        },
        "",
    ),
    "users B": (
        "users",
        {"list-with-policy": [("PolicyDocument=READ_BUCKET", 'PolicyDocument=READ_BUCKET.replace("List", "Get")')]},
        "list-with-policy",
    ),
    "roles A": (
        "roles",
        {
            "machine-without-role": [("start_machine()", 'start_machine(IamInstanceProfile={"Name": "web-app"})')],
            "the-day-after": [("aws.clock", f"{LAMBDA_TRUSTED}\naws.clock")],
        },
        "machine-next-day",
    ),
    "roles B": ("roles", {"machine-with-key": [('"aws_secret_access_key"', '"region"')]}, "machine-with-key"),
    "without a profile": (
        "roles",
        {"start-machine": [('start_machine(IamInstanceProfile={"Name": "web-app"})', "start_machine()")]},
        "metadata",
    ),
    "without time": ("roles", {"the-day-after": [("days=1", "minutes=1")]}, "figure"),
    "policies A": (
        "two-policies",
        {
            "permission-gone": [("iam.delete_role_policy(", "dict(")],
            "trust-gone": [('"lambda.amazonaws.com"', '"ec2.amazonaws.com"')],
        },
        "",
    ),
    "policies B": (
        "two-policies",
        {
            "trust-gone": [ADMIN_TRUSTED, ("web.run", "aws.clock.advance(hours=7)\nweb.run")],
            "trust-restored": [("ec2.amazonaws.com", "lambda.amazonaws.com")],
        },
        "trust-restored",
    ),
    "policies without time": ("two-policies", {"seven-hours-later": [("hours=7", "minutes=7")]}, "seven-hours-later"),
}


LISTED = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +24 report\.csv"
NO_POLICY = "no identity-based policy allows the s3:ListBucket action"
NO_CREDENTIALS = "Unable to locate credentials"

CLAIMS = {
    "a key shows no end": Claim(
        "access-key", "users A", ("AKIA[A-Z2-7]{16}", "SecretAccessKey", "CreateDate"), ("Expir",)
    ),
    "a key without a policy may do nothing": Claim(
        "list-without-policy", "users A", ("✘ Refused", "AccessDenied", "user/alice is not", NO_POLICY)
    ),
    "the lab says what would help": Claim("why", "users A", ("user/alice", "would need an Allow for s3:ListBucket")),
    "with the article's policy she may": Claim("list-with-policy", "users B", ("✔ Allowed",)),
    "a year later the key still works": Claim("list-a-year-later", "users A", ("✔ Allowed",)),
    "a machine with a role needs no key": Claim("list-on-machine", "without a profile", (LISTED,)),
    "its credentials are temporary": Claim(
        "metadata", "without a profile", ('"AccessKeyId" : "ASIA', '"Token" : ', '"Expiration" : "20')
    ),
    "without a profile the trust policy gives a machine nothing": Claim(
        "machine-without-role", "roles A", (NO_CREDENTIALS,)
    ),
    "with a static key it works as well": Claim("machine-with-key", "roles B", (LISTED,)),
    "without the permission the open session is refused at once": Claim(
        "permission-gone", "policies A", ("AccessDenied", "assumed-role/web-app/i-", NO_POLICY, "exit code 25")
    ),
    "the panel names the deciding statement": Claim(
        "panel",
        "users A",
        (r"s3:ListBucket .* ✔ Allowed\n.*Allow statement 1 of read-bucket decides", "s3:PutObject .* ✘ Not allowed"),
    ),
    "without the trust the credentials at hand still work": Claim("trust-gone", "policies B", (LISTED,)),
    "and then no new ones come": Claim("seven-hours-later", "policies A", (NO_CREDENTIALS,)),
    "because their time is over": Claim("seven-hours-later", "policies without time", (NO_CREDENTIALS,)),
    "EC2 says that it may not assume the role": Claim(
        "metadata-without-trust", "policies A", ("AssumeRoleUnauthorizedAccess", "EC2 cannot assume the role web-app")
    ),
    "who may do everything may not borrow what does not trust her": Claim(
        "administrator-assumes",
        "policies B",
        ("✘ Refused", "AccessDenied", "not authorized to perform: sts:AssumeRole on resource: arn:.*:role/web-app$"),
    ),
    "the lab says whom the trust names": Claim(
        "why-administrator", "policies A", ("lab-admin", "is not in Principal .?lambda.amazonaws.com")
    ),
    "with the trust restored the machine works again": Claim("trust-restored", "policies B", (LISTED,)),
    "the day after only the key does": Claim(
        "the-day-after",
        "without time",
        (
            "key of Alice +✔ Allowed",
            "session of the machine +✘ Refused",
            "ExpiredToken: The provided token has expired",
        ),
    ),
    "the machine goes on with new credentials": Claim("machine-next-day", "roles A", (LISTED,)),
    "the picture tells the dead session from the living key": Claim(
        "figure",
        "without time",
        (
            "Alice's key AKIA….... ✔ valid, no expiry date",
            "the stolen session ASIA….... – expired",
            "the machine's next session ASIA….... ✔ valid until",
            r"the stolen session s3:ListBucket on \S+ ✘ Refused\n +Why\? AWS answers ExpiredToken",
        ),
    ),
}


@cache
def without(run: str) -> dict[str, str]:
    slug, changes, until = LESSONS_WITHOUT[run]
    return lessons.play(BOOKS[slug], changes, until)


@cache
def as_written(slug: str) -> dict[str, str]:
    return lessons.play(BOOKS[slug], {})


@pytest.mark.parametrize("name", CLAIMS)
def test_the_lesson_shows_what_it_claims(name: str) -> None:
    claim = CLAIMS[name]
    shown = as_written(LESSONS_WITHOUT[claim.without][0])[claim.cell]
    assert claim.holds(shown), shown


@pytest.mark.parametrize("name", CLAIMS)
def test_it_would_not_show_it_without_the_reason(name: str) -> None:
    claim = CLAIMS[name]
    shown = without(claim.without)[claim.cell]
    assert not claim.holds(shown), shown


@pytest.mark.parametrize("slug", SLUGS)
def test_every_prediction_is_asked_before_its_experiment_and_explained_after(slug: str) -> None:
    cells, names = BOOKS[slug].cells, [*course.lesson(slug).predictions]
    sources = [cell.source for cell in cells]
    for name in names[:-1]:  # the last asks about a case that is not run
        asked = next(i for i, source in enumerate(sources) if f'lab.predict("{name}")' in source)
        explained = next(i for i, source in enumerate(sources) if f'lab.explain("{name}")' in source)
        between = [cell for cell in cells[asked + 1 : explained] if cell.cell_type == "code"]
        assert between, f"nothing is run between the prediction {name!r} and its explanation"


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_articles_documents_and_commands_appear_unchanged() -> None:
    users, roles = ({cell.id: cell.source for cell in BOOKS[slug].cells} for slug in ("users", "roles"))
    assert json.loads(roles["article-trust"].split('"""')[1]) == TRUST
    assert json.loads(users["article-permissions"].split('"""')[1]) == PERMISSIONS
    assert roles["list-on-machine"] == 'web.run("aws s3 ls s3://my-secure-bucket")'
