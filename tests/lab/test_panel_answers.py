"""Exercises are answered in a panel as well as in Python: handed to the check, written in their own, or applied."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simlib import Cloud, lab
from simlib.cloud.inspection import Place
from simlib.lab import course, questions
from simlib.lab.lesson_worlds import ALICE, BOB

REPORTS, AUDIT = "arn:aws:iam::111111111111:role/reports", "arn:aws:iam::222222222222:role/audit"
LEDGER, REPORT = "arn:aws:s3:::prod-ledger", "arn:aws:s3:::my-secure-bucket/report.csv"
READS = [("s3:GetObject", REPORT)]
SCANNER = "acme-audit/scanner"


@pytest.fixture(autouse=True)
def a_new_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_states", {})


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Cloud]]:
    """The exercise of that name, and a world as its lesson begins."""
    with lab.begin(course.lesson_of(request.param, "exercises")) as world:
        if request.param == "one file for alice":
            world.account("dev").admin.client("iam").create_user(UserName="alice")
        yield lab.exercise(request.param), world


def document(effect: str, action: str, resource: str) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(principal: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def solved(exercise: Any, world: Cloud) -> list[str]:
    """The solution's policies, in the order in which they are asked for."""
    found: dict[str, Any] = {"json": json, "organization": ""}
    if "organization" in exercise.exercise.solution:
        office = world.account("head-office").admin.client("organizations")
        found["organization"] = office.describe_organization()["Organization"]["Id"]
    exec(exercise.exercise.solution, found)
    return [value for name, value in found.items() if name.isupper()]


def of_alice(world: Cloud) -> Any:
    return lab.PolicyEditor.of(world, Place(ALICE, "identity", "read-report"))


def explorer_of_alice(world: Cloud) -> Any:
    return lab.AccessExplorer(world, who="alice", requests=READS, edit=["alice/mine"])


def of_reports(world: Cloud) -> Any:
    return lab.TrustExplorer(world, role="reports")


def of_ledger(world: Cloud) -> Any:
    return lab.PolicyEditor.of(world, LEDGER)


def of_both(world: Cloud) -> Any:
    return lab.CrossAccount(world, who=SCANNER, role="prod/audit", edit=["prod/audit/trust", "prod/audit/all"])


def mfa_of_writer(world: Cloud) -> Any:
    return lab.AccessExplorer(world, who="writer", requests=READS, edit=["writer/mfa"])


PANELS = [
    ("one file for alice", of_alice),
    ("one file for alice", explorer_of_alice),
    ("a trust policy from scratch", of_reports),
    ("the whole organization", of_ledger),
    ("a way in for acme", of_both),
    ("the mfa trap", mfa_of_writer),
]
each_panel = pytest.mark.parametrize(("asked", "made"), PANELS, indirect=["asked"])
Made = Callable[[Cloud], Any]


def write(panel: Any, texts: list[str]) -> list[Any]:
    """Put the texts into the panel's documents, as typing would."""
    editor = getattr(panel, "editor", panel)
    for each, text in zip(editor.documents, texts, strict=True):
        editor.edit(text, each.name)
    return list(editor.documents)


@each_panel
def test_handed_to_the_check_it_counts_as_it_stands_there(asked: Any, made: Made) -> None:
    exercise, world = asked
    panel = made(world)
    write(panel, solved(exercise, world))
    assert str(exercise.check(panel)).startswith("✔ Right.")
    assert exercise.passed


@each_panel
def test_applied_it_counts_where_the_cell_is_untouched(asked: Any, made: Made) -> None:
    exercise, world = asked
    panel = made(world)
    given = exercise.exercise.given
    assert str(exercise.check(*given)).startswith("… Not answered yet.")
    documents = write(panel, solved(exercise, world))
    assert str(exercise.check(*given)).startswith("… Not answered yet."), "written and not applied: it may be a draft"
    editor = getattr(panel, "editor", panel)
    assert all(editor.apply(each.name).allowed for each in documents)
    assert str(exercise.check(*given)).startswith("✔ Right.")
    assert "what you have applied in a panel" in str(exercise.check())
    while editor.can_take_back:
        editor.take_back()
    assert str(exercise.check(*given)).startswith("… Not answered yet."), "taken back, it is as it was"


@pytest.mark.parametrize("asked", dict.fromkeys(name for name, _ in PANELS), indirect=True)
def test_written_in_its_own_panel_it_counts(asked: Any) -> None:
    exercise, world = asked
    panel = exercise.panel()
    assert exercise.panel() is panel
    assert "Apply" not in str(panel)
    assert str(exercise.check()).startswith("… Not answered yet.")
    write(panel, solved(exercise, world))
    said = str(exercise.check(*exercise.exercise.given))
    assert said.startswith("✔ Right.")
    assert "About the text in the panel" in said


@pytest.mark.parametrize("asked", ["one file for alice"], indirect=True)
def test_a_wrong_answer_in_a_panel_is_told_as_any(asked: Any) -> None:
    exercise, world = asked
    panel = exercise.panel().editor
    panel.edit(document("Allow", "s3:GetObject", "arn:aws:s3:::my-secure-bucket/*"))
    wrong = "✘ Not yet. Alice reads another file: allowed, but should be refused."
    assert str(exercise.check()) == "✘ Not yet. The panel above says why."
    assert wrong in str(exercise.panel())
    assert "About the text" not in str(exercise.panel()), "it is about the text that stands above it"
    panel.edit('{"Version": ')
    assert "read-report would not be saved: line 1" in str(exercise.check(panel))
    panel = of_alice(world)
    panel.edit(document("Allow", "s3:GetObject", "arn:aws:s3:::my-secure-bucket/*"))
    assert panel.apply().allowed
    assert str(exercise.check(panel)).startswith(wrong)


@pytest.mark.parametrize("asked", ["a trust policy from scratch"], indirect=True)
def test_a_trust_policy_in_a_panel_is_called_the_trust_policy_of_its_role(asked: Any) -> None:
    exercise, _ = asked
    exercise.panel().editor.edit(trust(ALICE))
    exercise.check()
    assert "Allow statement 1 of the trust policy of reports" in " ".join(str(exercise.panel()).split())


@pytest.mark.parametrize("asked", ["one file for alice", "a trust policy from scratch"], indirect=True)
def test_a_text_with_gaps_has_no_mistakes_before_anything_is_written(asked: Any) -> None:
    exercise, _ = asked
    (document,) = exercise.panel().editor.documents
    assert (document.summary, document.errors) == ("○ Not a policy yet. Fill in the gaps.", [])
    document.read(document.text + " ")
    assert document.errors, "what has been written is looked at"


@pytest.mark.parametrize("asked", ["a trust policy from scratch"], indirect=True)
def test_what_the_world_holds_does_not_fill_the_gaps(asked: Any) -> None:
    exercise, world = asked
    editor = exercise.panel().editor
    iam = world.account("dev").admin.client("iam")
    iam.update_assume_role_policy(RoleName="reports", PolicyDocument=trust("111111111111"))
    assert editor.refresh()
    assert editor.documents[0].summary == "○ Not a policy yet. Fill in the gaps."


@pytest.mark.parametrize("asked", ["one file for alice"], indirect=True)
def test_what_is_written_in_the_cell_goes_before_the_panel_and_that_is_said(asked: Any) -> None:
    exercise, world = asked
    exercise.panel().editor.edit(solved(exercise, world)[0])
    said = " ".join(str(exercise.check(document("Allow", "s3:*", "*"))).split())
    assert said.startswith("✘ Not yet.")
    assert "About the text in the cell" in said


@pytest.mark.parametrize("asked", ["a way in for acme"], indirect=True)
def test_one_policy_in_the_cell_and_the_other_in_the_panel(asked: Any) -> None:
    exercise, world = asked
    door, may = solved(exercise, world)
    panel = exercise.panel().editor
    panel.edit(may, panel.documents[1].name)
    assert str(exercise.check("", "")).startswith("… Not answered yet."), "half an answer"
    assert str(exercise.check(door, "")).startswith("✔ Right.")


@pytest.mark.parametrize("asked", ["a trust policy from scratch"], indirect=True)
def test_a_panel_of_something_else_gets_a_sentence(asked: Any) -> None:
    exercise, world = asked
    said = " ".join(str(exercise.check(lab.PolicyEditor.of(world, Place(BOB, "identity", "x")))).split())
    assert "This panel does not hold the trust policy of reports." in said


@pytest.mark.parametrize("asked", ["one file for alice"], indirect=True)
def test_an_editor_of_a_text_alone_and_one_document_will_do(asked: Any) -> None:
    exercise, world = asked
    (text,) = solved(exercise, world)
    editor = lab.PolicyEditor(text)
    for panel in (editor, editor["policy"], lab.PolicyEditor(text)):
        assert str(exercise.check(panel)).startswith("✔ Right.")


@pytest.mark.parametrize("asked", ["one file for alice"], indirect=True)
def test_what_was_written_goes_along_into_a_new_world(asked: Any) -> None:
    exercise, world = asked
    exercise.panel().editor.edit(solved(exercise, world)[0])
    with lab.begin("trust"):
        assert str(exercise.check()).startswith("✔ Right.")
        assert exercise.panel().editor.shelf.world is Cloud.running
        assert str(exercise.check()).startswith("✔ Right.")


@pytest.mark.parametrize("asked", ["rotate a key"], indirect=True)
def test_what_wants_a_function_says_so(asked: Any) -> None:
    exercise, world = asked
    assert "Write a function" in str(exercise.panel())
    assert "not about the text of a policy" in str(exercise.check(of_alice(world)))


@pytest.mark.parametrize("asked", ["cut mallory off"], indirect=True)
def test_a_world_is_put_right_by_what_a_panel_applies(asked: Any) -> None:
    exercise, world = asked
    iam = world.account("dev").admin.client("iam")
    alice = world.sign_in(iam.create_access_key(UserName="alice"))
    mallory = world.sign_in(alice.client("sts").assume_role(RoleArn=REPORTS, RoleSessionName="mallory"))
    mallory.client("s3").get_object(Bucket="my-secure-bucket", Key="report.csv")
    assert str(exercise.check(mallory)).startswith("… Not answered yet.")
    assert "any panel" in str(exercise.panel())
    world.clock.advance(seconds=2)
    older = {"DateLessThan": {"aws:TokenIssueTime": f"{world.clock.now:%Y-%m-%dT%H:%M:%SZ}"}}
    text = json.loads(document("Deny", "*", "*"))
    text["Statement"][0]["Condition"] = older
    editor = lab.PolicyEditor.of(world, Place(REPORTS, "identity", "AWSRevokeOlderSessions"))
    editor.edit(json.dumps(text))
    assert editor.apply().allowed
    assert str(exercise.check(mallory)).startswith("✔ Right.")
