"""Judges of what a learner does with credentials and sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simlib.cloud.transport.refusals import Refusal
from simlib.lab.attempts import attempt
from simlib.lab.judging import Row, decided_by
from simlib.lab.lesson_worlds import DEV

REPORTS, WEB_APP = (f"arn:aws:iam::{DEV}:role/{name}" for name in ("reports", "web-app"))
READ, REPORT = "s3:GetObject", "arn:aws:s3:::my-secure-bucket/report.csv"


def _is_good(identity: Any) -> bool:
    return attempt(identity.client("sts").get_caller_identity).allowed


def rotated(world: Any, rotate: Any) -> Iterator[Row | str]:
    """Run a rotation in an account of its own, as alice's program would live through it."""
    if not callable(rotate):
        yield f"rotate is not a function but {type(rotate).__name__}."
        return
    iam = world.account("prod").admin.client("iam")
    iam.create_user(UserName="alice")
    first = world.sign_in(iam.create_access_key(UserName="alice"))
    trials: list[tuple[Any, bool]] = []

    def use(answer: Mapping[str, Any]) -> None:
        trials.append((world.sign_in(answer), _is_good(first)))

    use.__qualname__ = "use"  # as Python calls it where it is used wrongly
    rotate(iam, use)
    if not trials:
        yield "The program never got another key: call use(…) with the answer of create_access_key."
        return
    second, was_good = trials[-1]
    too_early = "Its first key stopped working before you called use(…)."
    yield Row("The program", "goes on with its first key until it has the new one", was_good, True, too_early)
    if second.access_key_id == first.access_key_id:
        yield "The program got its first key again."
    taken_away = "AWS does not accept that key any more."
    yield Row("The program", "calls AWS with the new key", _is_good(second), True, taken_away)
    yield Row("Somebody who has the first key", "calls AWS with it", _is_good(first), False, "It is still active.")


def _row(world: Any, name: str, does: str, should: bool, *question: str) -> Row:
    """Who asks is an ARN or the access key of a session; an action and a resource follow."""
    try:
        evaluation = world.inspect.ask(*question)
    except (LookupError, Refusal) as gone:
        return Row(name, does, False, should, str(gone))
    return Row(name, does, evaluation.allowed, should, decided_by(evaluation))


def nothing_done(world: Any, mallory: Any) -> bool:
    """Whether nobody has called IAM since Mallory's first call, and her session is still what it was."""
    since = next((event.number for event in world.trail if event.access_key_id == mallory.access_key_id), None)
    quiet = since is not None and not any(event.service == "iam" for event in world.trail.since(since))
    return quiet and _mallory(world, mallory).allowed


def _mallory(world: Any, mallory: Any) -> Row:
    return _row(world, "Mallory", "reads the report with her session", False, mallory.access_key_id, READ, REPORT)


def cut_off(world: Any, mallory: Any) -> Iterator[Row | str]:
    row = _mallory(world, mallory)
    if "ExpiredToken" in row.because:
        yield (
            "Her session has expired, because the clock moved on. Run the cell that opens it again, and end it "
            "before it expires."
        )
    yield row
    yield _row(world, "The machine", "assumes reports again", True, WEB_APP, "sts:AssumeRole", REPORTS)
    yield _row(world, "A session of reports that begins now", "reads the report", True, REPORTS, READ, REPORT)
    yield _row(world, "The machine", "reads the report as web-app", True, WEB_APP, READ, REPORT)
