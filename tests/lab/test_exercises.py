"""Exercises are judged by what an answer does; checking never raises and changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from simlib import Cloud, lab
from simlib.lab import course, lesson_cells, questions
from simlib.lab.exercises import Advice, Exercise, ExerciseState
from simlib.lab.judging import Ask, At, Policies, Row
from simlib.lab.lesson_worlds import ALICE, allow
from simlib.lab.policy.view import code_view

BUCKET = "arn:aws:s3:::my-secure-bucket"


def read_only(*, given: str = "") -> Exercise:
    asks = [
        Ask("Alice", "reads a", ALICE, "s3:GetObject", f"{BUCKET}/a", True),
        Ask("Alice", "deletes a", ALICE, "s3:DeleteObject", f"{BUCKET}/a", False),
    ]
    hints = ("nudge", "idea", "nearly")
    return Exercise("Write it.", Policies(asks, [At(ALICE, "identity", "p")]), hints, "solved", "because", (given,))


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with lab.begin("sessions") as world:
        yield world


def checked(*answer: Any, exercise: Exercise | None = None) -> str:
    return str(ExerciseState(exercise or read_only(), "an exercise").check(*answer))


GIVEN = allow("s3:*", BUCKET)


def stub(iam: Any) -> None: ...


def described(iam: Any) -> None:
    """Makes the role."""


@pytest.mark.parametrize(
    "answer", ["", "  \n", None, ..., GIVEN, json.dumps(json.loads(GIVEN), indent=8), stub, described]
)
def test_an_untouched_exercise_says_what_it_waits_for(aws: Cloud, answer: Any) -> None:
    assert checked(answer, exercise=read_only(given=GIVEN)) == "… Not answered yet. Write it."


def test_without_a_world_there_is_a_sentence() -> None:
    assert "There is no running world" in checked(allow("s3:GetObject"))


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


ALL = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
ANSWERS = {  # an answer, and what is said of it
    "right": (allow("s3:GetObject", f"{BUCKET}/a"), "✔ Right."),
    "right, and AWS would not save it": (
        policy(*[{"Sid": "One", "Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/a"}] * 2),
        "would not be saved",
    ),
    "right in another way": (
        policy(
            {"Effect": "Allow", "Action": "s3:Get*", "Resource": [f"{BUCKET}/*"]},
            {"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": "*"},
        ),
        "✔ Right.",
    ),
    "too much": (
        allow("*"),
        "Alice deletes a: allowed, but should be refused. Allow statement 1 of your policy allows it.",
    ),
    "too little": (allow("s3:ListBucket", BUCKET), "✘ Not yet. Alice reads a: refused, but should be allowed."),
    "a deny that misses by one thing": (
        policy(ALL, {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": BUCKET}),
        f"Deny statement 2 of your policy does not match: the resource {BUCKET}/a is not in",
    ),
    "an action that is newer, or none": (
        allow("s3:ReadObject"),
        "AWS had no action s3:ReadObject on 20",
    ),
    "no action": (allow("s3:GetObjct"), "The service s3 has no action GetObjct. Did you mean s3:GetObject?"),
    "no JSON": ('{"Version": ', "The policy would not be saved: line 1"),
    "a principal": (policy({"Effect": "Deny", "Principal": "*", "Action": "*"}), "no Principal"),
    "a slip": (policy({"Efect": "Allow"}), "has no element Efect"),
    "no policy": (12, "The policy is not a text but int."),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_is_judged_by_what_it_does_and_the_first_wrong_row_is_told(aws: Cloud, case: str) -> None:
    answer, said = ANSWERS[case]
    assert said in " ".join(checked(answer).split())


def test_what_only_lets_through_is_not_said_to_allow() -> None:
    """In the world of the limits an SCP allows everything, and is a ceiling."""
    with lab.begin("limits"):
        assert "FullAWSAccess" not in checked(allow("*"))


def test_code_of_the_learner_that_fails_gets_a_sentence(aws: Cloud) -> None:
    def judge(_: Any, function: Any) -> Iterator[Row]:
        yield Row("It", "runs", bool(function()), True)

    made = Exercise("Write it.", judge, ("", "", ""), "", "", ("",))
    assert checked(lambda: 1 // 0 or print(), exercise=made).startswith("✘ Not yet. It ended with ZeroDivisionError")

    def refused() -> Any:
        return aws.account("dev").admin.client("iam").get_role(RoleName="no-such-role")

    assert "AWS refused a call in your answer:" in checked(refused, exercise=made)


def test_checking_leaves_the_world_and_its_trail_as_they_were(aws: Cloud) -> None:
    def judge(world: Cloud, function: Any) -> Iterator[Row]:
        function(world.account("a new one").admin.client("iam"))
        yield Row("It", "runs", False, True)

    def littering(iam: Any) -> None:
        iam.create_user(UserName="litter")
        iam.get_user(UserName="nobody")

    before = (list(aws.trail), aws.inspect.documents(ALICE), aws.accounts)
    for answer in (littering, lambda iam: iam.create_role(RoleName="litter"), lambda _: exit()):
        assert checked(answer, exercise=Exercise("Write it.", judge, ("", "", ""), "", "", ("",))).startswith("✘")
    checked(allow("*"))
    assert (list(aws.trail), aws.inspect.documents(ALICE), aws.accounts) == before


def test_no_other_policy_counts_for_an_answer(aws: Cloud) -> None:
    aws.account("dev").admin.client("iam").put_user_policy(
        UserName="alice", PolicyName="other", PolicyDocument=allow("s3:*")
    )
    assert "should be allowed" in checked(allow("s3:ListBucket", BUCKET))


def test_hints_come_one_after_the_other_and_the_last_stays() -> None:
    made = ExerciseState(read_only(), "an exercise")
    assert [made.hint().text for _ in range(4)] == ["nudge", "idea", "nearly", "nearly"]
    assert made.solution().code == "solved"


def test_what_is_shown_is_text_and_never_markup(aws: Cloud) -> None:
    shown = ExerciseState(read_only(), "an exercise").check('{"Version": "<script>alert(1)</script>"}')
    html = shown._repr_mimebundle_()["text/html"]
    assert "<script>" not in html
    assert "Not yet" in html


def test_a_name_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean 'rotate a key'"):
        lab.exercise("rotate key")


def test_no_name_stands_for_two_things() -> None:
    for kind in ("predictions", "exercises"):
        names = [name for slug in course.LESSONS for name in getattr(course.lesson(slug), kind)]
        assert len(names) == len(set(names))


def test_an_exercise_of_a_lesson_is_one_thing_in_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_states", {})
    assert lab.exercise("rotate a key") is lab.exercise("rotate a key")


# -- buttons ----------------------------------------------------------------------------------------------------------


def pressed(verdict: Any, *commands: str) -> str:
    """What a verdict shows after these buttons were pressed."""
    for command in commands:
        verdict.commands[command]("")
    return str(verdict.page().html(live=True))


def test_hints_and_the_solution_are_buttons_open_under_the_verdict_and_stay_in_its_picture(aws: Cloud) -> None:
    verdict = ExerciseState(read_only(), "an exercise").check("")
    shown = pressed(verdict)
    assert "Hint 1 / 3" in shown
    assert "nudge" not in shown
    assert "solved" not in shown
    shown = pressed(verdict, "hint", "hint")
    assert "nudge" in shown
    assert "idea" in shown
    assert "Hint 3 / 3" in shown
    assert "solved" in pressed(verdict, "solution")
    assert pressed(verdict, "hint", "hint").count("nearly") == 1
    assert "nudge" in verdict.picture()
    assert "<button" not in verdict.picture()


def test_the_panel_has_its_own_check_and_keeps_its_focus_in_a_row_of_buttons(aws: Cloud) -> None:
    panel = ExerciseState(read_only(), "an exercise").panel()
    shown = pressed(panel, "check")
    assert "Not answered yet." in shown
    assert re.search(r'<button[^>]*is-primary[^>]*data-do="check"', shown)
    panel.editor.edit(allow("*"))
    assert "Alice deletes a: allowed, but should be refused." in pressed(panel, "check")
    panel.editor.edit(allow("s3:GetObject", f"{BUCKET}/a"))
    assert "Right." in pressed(panel, "check")
    assert "Apply" not in str(panel)
    assert "Right." in str(panel)
    assert "because" in str(panel), "a right answer is told why it is right"
    asks = pressed(panel, "reset")
    assert re.search(r'<button[^>]*data-do="keep"[^>]*data-key="reset"', asks), "which gives its focus to this button"
    assert re.search(r'<button[^>]*data-do="reset"[^>]*data-key="reset"', pressed(panel, "keep"))


def test_an_answer_that_is_checked_in_its_panel_is_drawn_once(aws: Cloud) -> None:
    made, drawn = ExerciseState(read_only(), "an exercise"), list[str]()
    panel = made.panel()
    panel.editor.edit(allow("*"))
    panel.on_draw = lambda: drawn.append(panel.text)
    pressed(panel, "check")
    assert [text.partition(":")[0] for text in drawn] == ["Alice deletes a"]
    assert made.tries == 1


def test_a_panel_with_a_check_of_its_own_has_nothing_else_to_press_for_its_texts(aws: Cloud) -> None:
    editor = ExerciseState(read_only(), "an exercise").panel().editor
    editor.edit(allow("*"))
    (said,) = code_view(editor).marks["documents"]
    assert (said["place"], said["changed"]) == (None, False)
    editor.applies = True
    (said,) = code_view(editor).marks["documents"]
    assert (said["place"], said["changed"]) == (True, True)


def test_a_check_below_its_open_panel_says_how_it_went_and_leaves_the_reason_and_the_buttons_to_it(aws: Cloud) -> None:
    made = ExerciseState(read_only(), "an exercise")
    panel = made.panel()
    untouched = pressed(made.check())
    assert "Write your answer in the panel above." in untouched
    assert made.exercise.waits_for not in untouched, "the panel says it"
    panel.editor.edit(allow("*"))
    below = made.check()
    assert "Alice deletes a" in pressed(panel)
    assert "Alice deletes a" not in pressed(below)
    assert "The panel above says why." in pressed(below)
    assert (below.passed, panel.passed) == (False, False)
    assert panel.text == below.text
    assert "Hint 1" in pressed(panel)
    assert "Hint 1" not in pressed(below)
    assert "Hint 1" in pressed(made.check(allow("*"))), "an answer of the cell's own has them there"


def test_the_solution_of_policies_is_their_text_and_of_code_the_code() -> None:
    assert lab.exercise("let bob in").solution().code.startswith("{\n")
    both = lab.exercise("a way in for acme").solution().code
    assert both.count('"Version"') == 2
    assert "ACME" not in both
    assert lab.exercise("rotate a key").solution().code.startswith("def rotate")


def test_to_begin_a_step_again_repairs_the_world_and_keeps_what_was_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_states", {})
    monkeypatch.setattr(questions, "_guesses", {})
    names: dict[str, Any] = {"BOB_MAY": "what I wrote"}
    monkeypatch.setattr(lesson_cells, "names", lambda: names)
    wrecked = lab.begin(course.lesson_of("let bob in", "exercises"))
    lab.answer("root in the trust policy", "a")
    made = lab.exercise("let bob in")
    made.panel().editor.documents[0].read("what I wrote in the panel")
    iam = wrecked.account("dev").admin.client("iam")
    iam.delete_role_policy(RoleName="reports", PolicyName="read-bucket")
    iam.delete_role(RoleName="reports")
    verdict = made.check("")
    assert "Reset it now" in pressed(verdict, "reset"), "it asks first"
    assert Cloud.running is wrecked
    assert "Reset it now" not in pressed(verdict, "keep")
    assert "The world is back at the beginning of this step." in pressed(verdict, "reset", "reset")
    assert Cloud.running is not wrecked
    trust = names["iam"].get_role(RoleName="reports")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert names["BOB_MAY"] == "what I wrote"
    assert made.panel().editor.documents[0].text == "what I wrote in the panel"
    assert lab.predict("root in the trust policy").locked == 0
    assert Cloud.running is not None
    Cloud.running.stop()


def test_what_was_said_of_the_world_before_goes_when_a_step_is_begun_again(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise = replace(read_only(), untouched=lambda world, *_: False)
    verdict = ExerciseState(exercise, "an exercise").check(policy(ALL))
    assert verdict.passed is False
    monkeypatch.setattr(ExerciseState, "reset", lambda _: Advice("Reset", "It is done."))
    after = pressed(verdict, "reset", "reset")
    assert verdict.passed is None
    assert exercise.waits_for in after
    assert "should be refused" not in after


def test_a_step_that_cannot_be_begun_again_says_why(aws: Cloud) -> None:
    verdict = ExerciseState(read_only(), "an exercise").check("")
    assert "there is no exercise" in pressed(verdict, "reset", "reset")
