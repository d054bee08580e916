"""The capstone: what Mallory can still do is told, and a world that was saved half-way is gone on with."""

from __future__ import annotations

import re
from pathlib import Path

from simlib import Cloud, lab
from simlib.lab import course, questions
from tests.notebooks.test_exercises_of_the_lessons import before

NAME = "the house in order"
REVOKE = """
document = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": '\\
    '{"DateLessThan": {"aws:TokenIssueTime": "NOW"}}}}'.replace("NOW", f"{aws.clock.now:%Y-%m-%dT%H:%M:%SZ}")
dev.admin.client("iam").put_role_policy(
    RoleName="deploy", PolicyName="AWSRevokeOlderSessions", PolicyDocument=document)
"""


def test_a_half_finished_incident_is_told_saved_and_finished_another_day(tmp_path: Path) -> None:
    questions._attempted.clear()
    with before(NAME) as names:
        tonight = names["tonight"]
        assert "as on the nights before" in str(tonight(names["aws"]))
        exec(REVOKE, names)
        night = str(tonight(names["aws"]))
        assert re.search(r"session of deploy starts a machine +✘ Refused", night)
        assert re.search(r"session of break-glass reads the ledger +✔ Allowed", night)
        assert "still running" in night
        names["aws"].save(tmp_path / "incident.json")
        names["aws"] = aws = Cloud.load(tmp_path / "incident.json")
        names |= {"dev": aws.account("dev"), "prod": aws.account("prod")}
        assert "Mallory is out, 1 of 6" in str(lab.exercise(NAME).check())
        exec(course.lesson(8).EXERCISES[NAME].solution, names)
        assert str(lab.exercise(NAME).check()).startswith("✔ Right.")
        assert "✔" not in str(tonight(aws))


def test_another_world_is_not_the_incident() -> None:
    questions._attempted.clear()
    with Cloud.start():
        said = " ".join(str(lab.exercise(NAME).check()).split())
    assert said == "✘ Not yet. This is not the world of the incident. Start it with lab.begin(8)."
