"""What lesson 7 asks its reader to predict and to make."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from simlib.lab.beginnings import PROD, allow, trust
from simlib.lab.exercises import Exercise
from simlib.lab.predictions import Prediction

TITLE = "Doing it from code"

MINUTES = {"": 15, "Two policies, mixed up": 13, "Let a test say no": 14}

QUESTIONS = {
    "the second run": Prediction(
        "The script runs a second time. Nothing has changed since the first run. What does AWS answer?",
        (
            "Nothing happens: the role exists already.",
            "There are now two roles with the same name.",
            "It answers with an error: a role with this name exists.",
        ),
        answer=2,
        because="A call that begins with `create` refuses to create the same thing twice: `EntityAlreadyExists`. A "
        "call that begins with `put` or `update` replaces what is there, without a question.\n\n"
        "So a script that may run twice needs a plan for each call. A script that leaves the same state however "
        "often it runs is called **idempotent**.",
    ),
    "a typing mistake": Prediction(
        "The script runs `careless` for the new role `deploy`. Its trust policy names `user/alcie`, and nobody has "
        "that name. What do you see?",
        (
            "An error: AWS refuses to save this trust policy.",
            "Nothing at all, and afterwards there is no role `deploy`.",
            "Nothing at all, and the role trusts nobody.",
        ),
        answer=1,
        because="AWS did refuse: a principal in a trust policy must exist. But `except ClientError` catches every "
        "AWS error, and `pass` throws it away. The script seems to succeed, and the role is missing.\n\n"
        "The next line of such a script fails, and its message points to the wrong place.",
    ),
    "a trust policy with a resource": Prediction(
        "You add a `Resource` to the trust policy: the role's own ARN. In a second try, you add the action "
        "`s3:GetObject` instead. Which one does AWS save?",
        (
            "Both.",
            "The one with the `Resource`: it only says what is true anyway.",
            "The one with `s3:GetObject`: it allows more.",
            "Neither.",
        ),
        answer=3,
        because="A trust policy is attached to the role, so the role is the resource, and AWS forbids naming one. "
        "And a trust policy is only about assuming the role, so it may have only STS actions. What a session may do "
        "belongs in the permissions policy.",
    ),
    "a session named after a branch": Prediction(
        "The pipeline asks for a session named `feature/login`. What does it get?",
        (
            "A session of that name.",
            "A session named `feature-login`: AWS replaces the slash.",
            "An error, because of the slash.",
        ),
        answer=2,
        because="A session's name becomes the last part of its ARN, where a slash separates parts. AWS allows "
        "letters, digits and `_+=,.@-`, 2 to 64 of them. If a name comes from elsewhere, replace the other "
        "characters first.",
    ),
    "one list": Prediction(
        "The account has 151 roles that you know of. How many does one call of `list_roles` return?",
        (
            "100.",
            "All 151.",
            "None: that is too many for one answer.",
        ),
        answer=0,
        because="AWS answers in pages, and `IsTruncated` says whether there are more. A program that reads one "
        "page works until the account grows. Then it misses the rest, without an error. A **paginator** fetches all "
        "pages. The AWS CLI does so by itself.",
    ),
    "half a test": Prediction(
        "Somebody replaces `s3:GetObject` with `*`, so that the role may delete the ledger, too. What does "
        "`half_a_test` say?",
        (
            "It passes.",
            "It fails: this is another policy.",
        ),
        answer=0,
        because="The test asked only whether reading works, and reading works. A policy can be wrong in two "
        "directions: too narrow and too wide. If you test only what must work, sooner or later you will have stars "
        "everywhere.",
    ),
    "a pull request with a star": Prediction(
        'A colleague\'s pull request changes `"Resource": "arn:aws:s3:::prod-ledger/*"` to '
        '`"arn:aws:s3:::prod-*"` in a policy. `simlib check` finds no mistake, and the tests that ask only what must '
        "work pass. What would have stopped the change?",
        (
            "Nothing can: the policy is valid.",
            "AWS, when the script saves the policy.",
            "A test which asserts that the role may not read another bucket, such as `prod-secrets`.",
            "A test which asserts that the role may read `prod-ledger` in the new policy, too.",
        ),
        answer=2,
        because="The policy is valid JSON and valid IAM; it is only too wide. AWS saves it. A check for mistakes "
        "looks at the form of a policy, a test at its effect – but only a test that asks about what must *not* "
        "work.\n\n"
        "The last answer repeats the mistake of `half_a_test`: the wide policy still allows what the narrow one did.",
    ),
}

LEDGER = ["arn:aws:s3:::prod-ledger", "arn:aws:s3:::prod-ledger/*"]
TRUST = json.loads(trust(f"arn:aws:iam::{PROD}:root"))
READ_LEDGER = json.loads(allow(["s3:ListBucket", "s3:GetObject"], LEDGER))
ROLE = {"RoleName": "reports-reader"}


def _deployed(world: Any, deploy: Callable[[Any], object]) -> Iterator[str]:
    """Run a deployment in an account without the role, again, and after somebody has changed things."""
    if not callable(deploy):
        yield f"deploy is not a function but {type(deploy).__name__}."
        return
    office = world.account("head-office")
    iam = office.admin.client("iam")
    anybody = trust(f"arn:aws:iam::{office.id}:root")
    changes: dict[str, Callable[[], object]] = {
        "the first run": lambda: None,
        "the second run": lambda: None,
        "a run on a changed trust policy": lambda: iam.update_assume_role_policy(**ROLE, PolicyDocument=anybody),
        "a run on changed permissions": lambda: iam.put_role_policy(
            **ROLE, PolicyName="read-ledger", PolicyDocument=allow("*")
        ),
        "a run on deleted permissions": lambda: iam.delete_role_policy(**ROLE, PolicyName="read-ledger"),
    }
    for run, change in changes.items():
        change()
        try:
            deploy(iam)
        except ClientError as error:
            there = run == "the first run" and error.response["Error"]["Code"] == "EntityAlreadyExists"
            whose = " Does your function use the client that it gets?" if there else ""
            yield f"In {run}, AWS refused a call: {error}{whose}"
            return
        yield from _differences(iam, f"After {run}")


def _differences(iam: Any, when: str) -> Iterator[str]:
    try:
        stored = iam.get_role(**ROLE)["Role"]["AssumeRolePolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        yield f"{when}, there is no role reports-reader in the account of the client that your function got."
        return
    if stored != TRUST:
        yield f"{when}, the role's trust policy is not TRUST."
    try:
        found = iam.get_role_policy(**ROLE, PolicyName="read-ledger")["PolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        yield f"{when}, the role has no policy read-ledger."
        return
    if found != READ_LEDGER:
        yield f"{when}, the policy read-ledger is not READ_LEDGER."


def _says_no(_world: Any, test: Callable[[Any], object]) -> Iterator[str]:
    """Put a test to policies that are right and to others that are too wide or too narrow."""
    if not callable(test):
        yield f"test_reader is not a function but {type(test).__name__}."
        return
    for what, document in _RIGHT.items():
        if not _passes(test, document):
            yield f"Your test refuses a policy that is right: {what}."
    for what, document in _WRONG.items():
        if _passes(test, document):
            yield f"Your test accepts a policy that is wrong: {what}."


def _passes(test: Callable[[Any], object], document: Any) -> bool:
    try:
        test(json.loads(json.dumps(document)))
    except AssertionError:
        return False
    return True


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(action: Any, resource: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


_READ = ["s3:ListBucket", "s3:GetObject"]
_RIGHT = {
    "READ_LEDGER itself": READ_LEDGER,
    "the same in two statements": _policy(_allow("s3:ListBucket", LEDGER[0]), _allow("s3:GetObject", LEDGER[1])),
    "the same with a deny that changes nothing": _policy(
        _allow(_READ, LEDGER), {"Effect": "Deny", "Action": "s3:*", "NotResource": LEDGER}
    ),
}
_WRONG = {
    'the action is "*"': _policy(_allow("*", LEDGER)),
    'the action is "s3:*"': _policy(_allow("s3:*", LEDGER)),
    "writing is allowed": _policy(_allow([*_READ, "s3:PutObject"], LEDGER)),
    "deleting is allowed": _policy(_allow([*_READ, "s3:DeleteObject"], LEDGER)),
    'the resource is "*"': _policy(_allow(_READ, "*")),
    "a second bucket can be read": _policy(_allow(_READ, "arn:aws:s3:::prod-*")),
    "the ledger cannot be read": _policy(_allow("s3:ListBucket", LEDGER[0])),
    "the ledger cannot be listed": _policy(_allow("s3:GetObject", LEDGER[1])),
}

EXERCISES = {
    "deploy twice": Exercise(
        waits_for="Write the function deploy in the cell above: it may run at any time, and always leaves the same "
        "role.",
        given=("",),
        judge=_deployed,
        hints=(
            "Which of the calls fails the second time, and which does not?",
            "Try to create the role. If it exists, update its trust policy. Put the permissions policy in both cases.",
            "`careful` above does the first half: do the same with the client `iam` that your function gets. "
            "`put_role_policy` does the second.",
        ),
        solution="""def deploy(iam):
    name, trust = "reports-reader", json.dumps(TRUST)
    try:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    except iam.exceptions.EntityAlreadyExistsException:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="read-ledger", PolicyDocument=json.dumps(READ_LEDGER))
""",
        because="The script does not ask what is there. Each time, it says what should be there. Tools such as "
        "Terraform and CloudFormation do the same for a whole account.",
        praise="However often it runs, and whatever was there before, the role is right.",
    ),
    "a test that says no": Exercise(
        waits_for="Write the function test_reader in the cell above, with asserts for what must work and what must "
        "not.",
        given=("",),
        judge=_says_no,
        hints=(
            "Begin with `half_a_test`. Which calls must not be allowed?",
            "Ask about other actions on the ledger (put, delete), and about reading and listing another bucket. "
            "Each is a line with `assert not may(…)`.",
            "Ask about a bucket whose name also begins with `prod-`. And remember that listing is about the bucket "
            "itself, without `/*`.",
        ),
        solution="""def test_reader(document):
    ledger, file = "arn:aws:s3:::prod-ledger", "arn:aws:s3:::prod-ledger/2026.csv"
    assert may(document, "s3:ListBucket", ledger)
    assert may(document, "s3:GetObject", file)
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert not may(document, action, file)
    assert not may(document, "s3:ListBucket", "arn:aws:s3:::prod-secrets")
    assert not may(document, "s3:GetObject", "arn:aws:s3:::prod-secrets/key")
""",
        because="A test cannot ask about everything that must not work. It asks about the nearest neighbours of "
        "what is allowed: the next action, the next bucket. That is where policies grow.",
        praise="It accepts the right policies, however they are written, and refuses the wrong ones.",
    ),
}
