"""What lesson 4 asks its reader to predict and to make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simlib.cloud.transport.refusals import Refusal
from simlib.lab.attempts import attempt
from simlib.lab.exercises import Exercise, Row, decided_by
from simlib.lab.predictions import Prediction

TITLE = "Temporary credentials"

MINUTES = {"": 14, "Take the key away": 17, "Rotate a key without a gap": 15}

QUESTIONS = {
    "an hour and a minute": Prediction(
        "61 minutes have passed. The same program asks for the same file, with the same session. What does AWS answer?",
        (
            "It refuses: the session has expired.",
            "It sends the file: Alice's key is still valid, and so is the session she got with it.",
            "It sends the file once more, with a warning.",
        ),
        answer=0,
        because="`ExpiredToken`. The expiry is fixed when the session begins, and nothing moves it: neither work "
        "in progress nor anybody's permission. A program that goes on must get a new session before.",
    ),
    "a second too short": Prediction(
        "899 seconds are one second too few, 43201 one second too many. Who refuses?",
        (
            "AWS, both times.",
            "The SDK, both times, before it sends anything.",
            "The SDK refuses the first, AWS the second.",
            "Nobody: AWS takes the nearest duration it allows.",
        ),
        answer=2,
        because="The SDK knows a few of AWS's rules and saves you the call: `ParamValidationError` is its own "
        "error. It checks the smallest value of a parameter and leaves the largest to AWS, which answers "
        "`ValidationError`.",
    ),
    "two hours": Prediction(
        "Sessions of `reports` last one hour at most. Alice asks for two. What does she get?",
        (
            "A session of one hour: AWS gives what it can.",
            "A session of two hours: the limit is 12.",
            "An error, and no session.",
        ),
        answer=2,
        because="AWS does not quietly give less. Each role has its own `MaxSessionDuration`, between 1 and 12 "
        "hours, and AWS refuses a longer session. Without `DurationSeconds` you get one hour.",
    ),
    "two hours for the machine": Prediction(
        "The role now allows sessions of 12 hours, and Alice got her two. What does the machine get when it asks "
        "with its own session?",
        (
            "An error, and no session.",
            "Two hours, as Alice did.",
            "One hour.",
        ),
        answer=0,
        because="With role chaining, one hour is the most, whatever the role allows. AWS refuses more. Otherwise a "
        "session could prolong itself for ever by assuming a role before it expires.",
    ),
    "the key is deleted": Prediction(
        "The key is deleted. What about the session that Alice got with it?",
        (
            "It ends with the key.",
            "It goes on until its own expiry, 12 hours after it began.",
            "It goes on for one more hour.",
        ),
        answer=1,
        because="A session does not depend on the key. STS checked the key once, when the session began. Deleting "
        "or rotating a key stops nobody who has assumed a role before. That is why a leaked key is never only a "
        "leaked key.",
    ),
    "twelve hours later": Prediction(
        "Twelve hours later, the application on the machine asks for the file, and Mallory asks with the copy. Who "
        "gets it?",
        (
            "The machine only.",
            "Both.",
            "Neither.",
        ),
        answer=0,
        because="Both of those sessions have expired. But the SDK on the machine knows where its credentials came "
        "from, and fetches new ones before they expire. A copy has no such source, so nobody renews it.",
    ),
    "old variables": Prediction(
        "The machine has a role. Its environment holds Alice's key, too. As whom does a program on this machine act?",
        (
            "As the role: on a machine, the role comes first.",
            "As Alice.",
            "As nobody: the SDK reports a conflict.",
        ),
        answer=1,
        because="Environment variables come first in the list, and the SDK looks no further. The role is there, "
        "correct and unused, and its policies explain nothing of what you see. `aws configure list` and "
        "`get-caller-identity` tell you who you are. Ask them before you change a policy.",
    ),
    "a token from a session": Prediction(
        "`GetSessionToken` gives temporary credentials. Alice calls it with her key, and then with a session. What "
        "happens?",
        (
            "It works with the key, but not with the session.",
            "Both calls work.",
            "It works with the session, but not with the key.",
        ),
        answer=0,
        because="The call is for users with access keys, for instance to prove MFA once and then work for some "
        "hours. You cannot call it with temporary credentials: a session could prolong itself.",
    ),
    "a third key": Prediction(
        "Alice has one access key. You create a second one, and a third. What does AWS do?",
        (
            "It creates both: a user may have as many keys as she needs.",
            "It creates the second and refuses the third.",
            "It refuses the second: one person, one key.",
        ),
        answer=1,
        because="A user may have two keys, and an inactive key counts, too. Two are what you need to switch from "
        "an old key to a new one without a gap.",
    ),
    "a laptop is stolen": Prediction(
        "A laptop is stolen. On it are an access key of the user `eve` and a session of the role `reports`, which "
        "`eve` assumed this morning for 12 hours. You delete the key at once. What should you do next, and why?",
        (
            "Nothing: the session ended with the key.",
            "Revoke the sessions of `reports`: it is valid until its expiry, with or without the key.",
            "Remove `eve` from the trust policy of `reports`: that ends her session.",
            "Lower the maximum session duration of `reports` to one hour: that shortens the session.",
        ),
        answer=1,
        because="The session stands on its own until it expires, so deny it: revoke the sessions of `reports`. "
        "Others who use the role assume it again and go on.\n\n"
        "The trust policy and the maximum duration count when somebody assumes the role. They are worth changing, "
        "but they do not touch a session that is already open.",
    ),
}

REPORTS, WEB_APP = (f"arn:aws:iam::111111111111:role/{name}" for name in ("reports", "web-app"))
ALICE = "arn:aws:iam::111111111111:user/alice"
READ, REPORT = "s3:GetObject", "arn:aws:s3:::my-secure-bucket/report.csv"


def _is_good(identity: Any) -> bool:
    return attempt(identity.client("sts").get_caller_identity).allowed


def _rotated(world: Any, rotate: Any) -> Iterator[Row | str]:
    """Run a rotation in an account of its own, as alice's program would live through it."""
    if not callable(rotate):
        yield f"rotate is not a function but {type(rotate).__name__}."
        return
    iam = world.account("prod").admin.client("iam")
    iam.create_user(UserName="alice")
    first = world.sign_in(iam.create_access_key(UserName="alice"))
    used: list[tuple[Any, bool]] = []

    def use(answer: Mapping[str, Any]) -> None:
        used.append((world.sign_in(answer), _is_good(first)))

    use.__qualname__ = "use"  # as Python calls it where it is used wrongly
    rotate(iam, use)
    if not used:
        yield "The program never got another key: call use(…) with the answer of create_access_key."
        return
    second, was_good = used[-1]
    too_early = "Its first key stopped working before you called use(…)."
    yield Row("The program", "goes on with its first key until it has the new one", was_good, True, too_early)
    if second.access_key_id == first.access_key_id:
        yield "The program got its first key again."
    taken_away = "AWS does not accept that key any more."
    yield Row("The program", "calls AWS with the new key", _is_good(second), True, taken_away)
    yield Row("Somebody who has the first key", "calls AWS with it", _is_good(first), False, "It is still active.")


def _row(world: Any, name: str, does: str, should: bool, *asked: str) -> Row:
    """Who asks is an ARN or the access key of a session; an action and a resource follow."""
    try:
        found = world.inspect.ask(*asked)
    except (LookupError, Refusal) as gone:
        return Row(name, does, False, should, str(gone))
    return Row(name, does, found.allowed, should, decided_by(found))


def _nothing_done(world: Any, mallory: Any) -> bool:
    """Whether nobody has called IAM since Mallory's first call, and her session is still what it was."""
    since = next((event.number for event in world.trail if event.access_key_id == mallory.access_key_id), None)
    quiet = since is not None and not any(event.service == "iam" for event in world.trail.since(since))
    return quiet and _mallory(world, mallory).allowed


def _mallory(world: Any, mallory: Any) -> Row:
    return _row(world, "Mallory", "reads the report with her session", False, mallory.access_key_id, READ, REPORT)


def _cut_off(world: Any, mallory: Any) -> Iterator[Row | str]:
    hers = _mallory(world, mallory)
    if "ExpiredToken" in hers.because:
        yield (
            "Her session has expired, because the clock moved on. Run the cell that opens it again, and end it "
            "before it expires."
        )
    yield hers
    yield _row(world, "The machine", "assumes reports again", True, WEB_APP, "sts:AssumeRole", REPORTS)
    yield _row(world, "A session of reports that begins now", "reads the report", True, REPORTS, READ, REPORT)
    yield _row(world, "The machine", "reads the report as web-app", True, WEB_APP, READ, REPORT)


EXERCISES = {
    "rotate a key": Exercise(
        waits_for="Write the function above: a new key, the program switched to it, and the first key useless.",
        given=("",),
        judge=_rotated,
        hints=(
            "Why may a user have two keys? So that both are valid while you switch.",
            "Create the second key first. Then `use` it. Only then delete the first.",
            "`create_access_key`, then `use(…)` with its answer, then `delete_access_key` for the ID that was "
            "there before.",
        ),
        solution="""def rotate(iam, use):
    first = iam.list_access_keys(UserName="alice")["AccessKeyMetadata"][0]["AccessKeyId"]
    use(iam.create_access_key(UserName="alice"))
    iam.delete_access_key(UserName="alice", AccessKeyId=first)
""",
        because="In practice you pause before the last line: deactivate the first key (`update_access_key`, "
        "`Inactive`), see whether anything breaks, and delete it some days later. With a role, you would need none "
        "of this.",
        praise="There was no gap, and the first key opens nothing any more.",
    ),
    "cut mallory off": Exercise(
        waits_for="End Mallory's session of reports in the cell above. The machine must go on working.",
        judge=_cut_off,
        untouched=_nothing_done,
        hints=(
            "You cannot delete a session. But AWS decides what it may do at every call.",
            "Deny everything to sessions of `reports` that began before now. Later sessions must not be affected.",
            "As above: the inline policy `AWSRevokeOlderSessions` on the role `reports`, with `DateLessThan` and "
            "`aws:TokenIssueTime`. Take the present time from `aws.clock.now`. It must be later than the beginning "
            "of Mallory's session.",
        ),
        solution="""aws.clock.advance(seconds=2)
now = f"{aws.clock.now:%Y-%m-%dT%H:%M:%SZ}"
older = {"DateLessThan": {"aws:TokenIssueTime": now}}
deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": older}
iam.put_role_policy(RoleName="reports", PolicyName="AWSRevokeOlderSessions",
    PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
""",
        because="The policy refuses every session that began before, also honest ones: they assume the role again "
        "and go on. Deleting the role would have stopped the machine. Narrowing the trust policy does not end an "
        "open session.",
        praise="Mallory is out, and the machine has noticed nothing.",
    ),
}
