"""The capstone: what Mallory can still do is told, and a world that was saved half-way is gone on with."""

from __future__ import annotations

import json
import re
from pathlib import Path

from simlib import Cloud, lab
from simlib.lab import course, questions
from simlib.lab.investigation import tonight
from tests.notebooks.test_exercises_of_the_lessons import before

NAME = "the house in order"
REVOKE = """
document = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": '\\
    '{"DateLessThan": {"aws:TokenIssueTime": "NOW"}}}}'.replace("NOW", f"{aws.clock.now:%Y-%m-%dT%H:%M:%SZ}")
dev.admin.client("iam").put_role_policy(
    RoleName="deploy", PolicyName="AWSRevokeOlderSessions", PolicyDocument=document)
"""


def test_a_half_finished_incident_is_told_saved_and_finished_another_day(tmp_path: Path) -> None:
    questions._states.clear()
    with before(NAME) as names:
        assert "as on the nights before" in " ".join(str(tonight(names["aws"])).split())
        exec(REVOKE, names)
        night = str(tonight(names["aws"]))
        assert re.search(r"session of deploy starts a machine +✘ Refused", night)
        assert re.search(r"session of break-glass reads the ledger +✔ Allowed", night)
        assert "still running" in night
        names["aws"].save(tmp_path / "incident.json")
        names["aws"] = aws = Cloud.load(tmp_path / "incident.json")
        names |= {"dev": aws.account("dev"), "prod": aws.account("prod")}
        assert "Mallory is out, 1 of 6" in str(lab.exercise(NAME).check())
        exec(course.lesson("repair").exercises[NAME].solution, names)
        assert str(lab.exercise(NAME).check()).startswith("✔ Right.")
        assert "✔" not in str(tonight(aws))


def test_the_panels_of_the_page_are_enough_to_put_it_right() -> None:
    """No call is written: buttons are pressed, and four policies edited and applied."""
    questions._states.clear()
    with before(NAME) as names:
        aws = names["aws"]
        cut_off = lab.Containment(aws, accounts=["dev", "prod"])
        rows = {row.value: f"{row.what}: {row.known}" for row in cut_off.rows}
        (key,) = (value for value, said in rows.items() if said.startswith("key") and "198.51.100.66" in said)
        (machine,) = (value for value, said in rows.items() if "runs with the role operations" in said)
        cut_off.delete_key(key)
        cut_off.terminate(machine)
        cut_off.delete_role("arn:aws:iam::222222222222:role/break-glass")
        cut_off.revoke("arn:aws:iam::111111111111:role/deploy")
        cut_off.revoke("arn:aws:iam::111111111111:role/operations")
        editor = lab.PolicyEditor.of(aws, "deploy", "bob", "reports-reader/trust")
        for name, sid, change in (
            ("deploy", "Roles", {"Resource": "arn:aws:iam::111111111111:role/web-app"}),
            ("trust policy of deploy", "Account", None),
            ("developers", 1, {"Resource": "arn:aws:iam::222222222222:role/reports-reader"}),
            ("trust policy of reports-reader", 0, {"Principal": {"AWS": "arn:aws:iam::111111111111:user/alice"}}),
        ):
            document = json.loads(editor[name].text)
            kept = [
                each if sid not in (index, each.get("Sid")) else each | change
                for index, each in enumerate(document["Statement"])
                if change is not None or sid != each.get("Sid")
            ]
            if name == "trust policy of reports-reader":
                acme = {"AWS": "arn:aws:iam::444444444444:role/scanner"}
                number = {"StringEquals": {"sts:ExternalId": "acme-1001"}}
                kept.append(kept[0] | {"Principal": acme, "Condition": number})
            editor.edit(json.dumps(document | {"Statement": kept}), name)
            assert editor.apply(name).allowed
        assert str(lab.exercise(NAME).check()).startswith("✔ Right.")


def test_another_world_is_not_the_incident() -> None:
    questions._states.clear()
    with Cloud.start():
        said = " ".join(str(lab.exercise(NAME).check()).split())
    assert said == '✘ Not yet. This is not the world of the incident. Start it with lab.begin("incident").'
