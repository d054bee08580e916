"""What lesson 4 asks its reader to predict and to make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simlib.cloud.transport.refusals import Refusal
from simlib.lab.attempts import attempt
from simlib.lab.exercises import Exercise, Row, decided_by
from simlib.lab.predictions import Prediction

TITLE = "Temporary credentials"

QUESTIONS = {
    "an hour and a minute": Prediction(
        "61 minutes have passed. The same program asks for the same file, with the same session. What does AWS answer?",
        (
            "It refuses: the session is over.",
            "It sends the file: Alice's key is still good, and so is what was made from it.",
            "It sends the file once more, and warns.",
        ),
        answer=0,
        because="`ExpiredToken`. The end was written into the session at its birth, and nothing moves it: no work that "
        "is under way, and nobody's permission. A program that goes on must have fetched a new session before.",
    ),
    "a second too short": Prediction(
        "899 seconds are a second too short, 43201 a second too long. Who says no?",
        (
            "AWS, both times.",
            "The SDK, both times, before anything is sent.",
            "The SDK says no to the first, AWS to the second.",
            "Nobody: AWS takes the nearest duration it allows.",
        ),
        answer=2,
        because="The SDK knows a few of AWS's rules and saves you the trip: `ParamValidationError` is its own word. It "
        "checks the least value a parameter may have, and leaves the greatest to AWS, whose answer is "
        "`ValidationError`.",
    ),
    "two hours": Prediction(
        "`reports` lends itself for one hour at most. Alice asks for two. What does she get?",
        (
            "A session of one hour: AWS gives what it can.",
            "A session of two hours: 12 hours are the limit.",
            "A refusal.",
        ),
        answer=2,
        because="AWS does not quietly give less. Each role has its own `MaxSessionDuration`, between 1 and 12 hours; "
        "who asks for more is refused. Who asks for nothing gets one hour.",
    ),
    "two hours for the machine": Prediction(
        "The role now lends itself for 12 hours. Alice got her two. What does the machine get, from its own session?",
        (
            "A refusal.",
            "Two hours, as Alice did.",
            "One hour.",
        ),
        answer=0,
        because="Who borrows with borrowed credentials gets one hour at most, whatever the role allows, and is refused "
        "if more is asked for. Otherwise a session could prolong itself for ever, by borrowing before it ends.",
    ),
    "the key is deleted": Prediction(
        "The key is gone. What about the session that Alice got with it?",
        (
            "It ends with the key.",
            "It goes on until its own end, 12 hours from its birth.",
            "It goes on for one more hour.",
        ),
        answer=1,
        because="A session stands on its own. STS looked at the key once, at the session's birth. To delete or rotate "
        "a key stops nobody who has borrowed before. That is why a leaked key is never only a leaked key.",
    ),
    "twelve hours later": Prediction(
        "Twelve hours later. The application on the machine asks again, and Mallory asks with the copy. Who gets the "
        "file?",
        (
            "The machine only.",
            "Both.",
            "Neither.",
        ),
        answer=0,
        because="Both sessions have ended. But the SDK on the machine knows where its credentials came from, and goes "
        "there again before they end. A copy does not know where it came from. Nobody renews it.",
    ),
    "old variables": Prediction(
        "The machine has a role. In its environment there is Alice's key, too. Who is a program on this machine?",
        (
            "The role: on a machine the role comes first.",
            "Alice.",
            "Nobody: the SDK reports a contradiction.",
        ),
        answer=1,
        because="The variables come first in the list, and the SDK looks no further. The role is there, correct and "
        "unused; its policies explain nothing of what you see. `aws configure list` and `get-caller-identity` tell who "
        "you are. Ask them before you change a policy.",
    ),
    "a token from a session": Prediction(
        "`GetSessionToken` gives temporary credentials. Alice calls it with her key, and then with a session. What "
        "happens?",
        (
            "It works with the key and not with the session.",
            "Both calls work.",
            "It works with the session and not with the key.",
        ),
        answer=0,
        because="It is made for users and their keys, for instance to prove MFA once and work for some hours. With "
        "temporary credentials it cannot be called: a session would prolong itself.",
    ),
    "a third key": Prediction(
        "Alice has one access key. The administrator makes a second and a third. What does AWS say?",
        (
            "A user has as many keys as she needs.",
            "The second works, the third does not.",
            "The second is refused already: one person, one key.",
        ),
        answer=1,
        because="Two keys for each user, and one that is switched off counts too. Two are what you need to change from "
        "an old key to a new one without a gap, and for nothing else.",
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
        yield "The program was never given another key: call use(…) with what create_access_key returned."
        return
    second, was_good = used[-1]
    too_early = "Its first key was out of service before use(…) was called."
    yield Row("The program", "goes on with its first key until it has the new one", was_good, True, too_early)
    if second.access_key_id == first.access_key_id:
        yield "The program was given its first key again."
    taken_away = "AWS does not take that key any more."
    yield Row("The program", "calls AWS with the new key", _is_good(second), True, taken_away)
    yield Row("Whoever has found the first key", "calls AWS with it", _is_good(first), False, "It is still active.")


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
            "Her session has ended by itself, because the clock was moved. Run the cell that opens it once more, and "
            "end it before its time."
        )
    yield hers
    yield _row(world, "The machine", "borrows reports anew", True, WEB_APP, "sts:AssumeRole", REPORTS)
    yield _row(world, "A session of reports that is opened now", "reads the report", True, REPORTS, READ, REPORT)
    yield _row(world, "The machine", "reads the report as web-app", True, WEB_APP, READ, REPORT)


EXERCISES = {
    "rotate a key": Exercise(
        waits_for="Write the function above: a new key, the program changed to it, and the first key out of service.",
        given=("",),
        judge=_rotated,
        hints=(
            "Why may a user have two keys? For the time in which both are good.",
            "Make the second key first. Then `use` it. Only then may the first one go.",
            "`create_access_key`, `use(…)` with its answer, `delete_access_key` for the ID that was there before.",
        ),
        solution="""def rotate(iam, use):
    first = iam.list_access_keys(UserName="alice")["AccessKeyMetadata"][0]["AccessKeyId"]
    use(iam.create_access_key(UserName="alice"))
    iam.delete_access_key(UserName="alice", AccessKeyId=first)
""",
        because="In real life there is a pause before the last line: switch the first key off (`update_access_key`, "
        "`Inactive`), see whether anything breaks, and delete it some days later. A role would have spared you all "
        "this.",
        praise="No gap, and the first key opens nothing any more.",
    ),
    "cut mallory off": Exercise(
        waits_for="End Mallory's session of reports, in the cell above. The machine must go on working.",
        judge=_cut_off,
        untouched=_nothing_done,
        hints=(
            "A session cannot be deleted. But what it may do is looked up at every call.",
            "Deny everything to sessions of `reports` that were issued before now. Those that are issued later are not "
            "meant.",
            "As above: the inline policy `AWSRevokeOlderSessions` on the role `reports`, with `DateLessThan` "
            "`aws:TokenIssueTime`. Write the present time into it, from `aws.clock.now`, and mind that it must be "
            "later than Mallory's session.",
        ),
        solution="""aws.clock.advance(seconds=2)
now = f"{aws.clock.now:%Y-%m-%dT%H:%M:%SZ}"
older = {"DateLessThan": {"aws:TokenIssueTime": now}}
deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": older}
iam.put_role_policy(RoleName="reports", PolicyName="AWSRevokeOlderSessions",
    PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
""",
        because="Everything that was issued before is refused, also honest sessions: they are opened anew and go on. "
        "Deleting the role would have stopped the machine, too; and to narrow the trust policy stops nobody who is in.",
        praise="Mallory is out, and the machine has noticed nothing.",
    ),
}
