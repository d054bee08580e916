"""Predictions: nothing is given away before an answer is locked in, and locked stays locked."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from simlib import Cloud, lab
from simlib.lab import course, lesson_cells, progress, questions
from simlib.lab.course.texts import word
from simlib.lab.experiments import run_on_copy
from simlib.lab.options import by_letter
from simlib.lab.predictions import Experiment, Guess, Prediction, Reason

QUESTIONS = {name: each for slug in course.LESSONS for name, each in course.lesson(slug).predictions.items()}
SUM = Prediction("Is `2 + 2` four?", ("Yes, it is.", "No, it is not."), 0, "Because of arithmetic.")


@pytest.fixture(autouse=True)
def a_learner_who_has_said_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_guesses", {})


def everything_shown(shown: Any) -> str:
    """All that a browser, a terminal or a notebook file would receive, widget state included."""
    import ipywidgets

    bundle = shown._repr_mimebundle_()
    states = ipywidgets.Widget.get_manager_state()["state"].values()
    return " ".join([*map(str, bundle.values()), *map(str, states)])


def on_screen(shown: Any) -> Any:
    """The widget that displays a thing."""
    from ipywidgets.widgets.widget import _instances

    return _instances[shown._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"]]


def pressing(widget: Any, *pressed: str | int) -> list[Any]:
    """Press options (numbers) and buttons in a browser, and return what it is told in reply."""
    sent: list[Any] = []
    widget.send = lambda content, buffers=None: sent.append(content)
    for each in pressed:
        message = {"do": "choose", "value": str(each)} if isinstance(each, int) else {"do": each, "value": ""}
        widget._handle_custom_msg(message, [])
    return sent


@pytest.fixture
def no_widgets() -> Any:
    import ipywidgets

    ipywidgets.Widget.close_all()
    yield
    ipywidgets.Widget.close_all()


@pytest.mark.usefixtures("no_widgets")
@pytest.mark.parametrize("name", QUESTIONS)
def test_an_open_question_and_its_explanation_reveal_nothing(name: str) -> None:
    prediction = QUESTIONS[name]
    shown = everything_shown(lab.predict(name)) + everything_shown(lab.explain(name))
    for part in prediction.because.split("\n\n"):
        assert part.replace("`", "")[:30] not in shown.replace("`", "").replace("<code>", "")
    assert "As you predicted" not in shown
    assert "The answer:" not in shown
    assert "'answer'" not in shown


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (0, ["✔ As you predicted: Yes, it is."]),
        (1, ["✔ The answer: Yes, it is.", "✘ You expected: No, it is not."]),
        (2, ["✔ The answer: Yes, it is."]),
        ("b", ["✔ The answer: Yes, it is.", "✘ You expected: No, it is not."]),
    ],
)
def test_a_locked_answer_is_met_without_scolding(choice: int | str, said: list[str]) -> None:
    guess = Guess(SUM)
    guess.lock(choice)
    assert str(guess.explain()).splitlines() == [*said, "Because of arithmetic."]


@pytest.mark.parametrize("choice", [3, -1, "z", "no", "ab", ""])
def test_what_is_no_choice_locks_nothing_and_a_second_answer_does_not_count(choice: int | str) -> None:
    guess = Guess(SUM)
    assert guess.choices == ["Yes, it is.", "No, it is not.", word("unsure")]
    with pytest.raises(ValueError, match="choose one of a, b, c"):
        guess.lock(choice)
    assert guess.locked is None
    guess.lock(1)
    guess.lock(0)
    assert guess.locked == 1


def test_the_answer_must_be_one_of_the_choices() -> None:
    with pytest.raises(ValueError, match="none of the 2 choices"):
        Prediction("?", ("a", "b"), 2, "")


def test_the_text_of_a_question_is_enough_to_answer_it_without_a_browser() -> None:
    shown = str(lab.predict("the day after"))
    assert "b) Only Alice's key." in shown
    assert "lab.answer('the day after', 'a')" in shown
    assert str(lab.answer("the day after", "b")).startswith("✔ As you predicted: Only")


def test_the_browser_locks_what_was_chosen_once_which_opens_the_explanation_and_passes_the_focus_on() -> None:
    guess = Guess(SUM)
    widget, explanation = on_screen(guess), on_screen(guess.explain())
    pressing(widget, "lock")
    assert "Choose one of the answers first." in widget.html
    for nonsense in (9, -1, "x", ""):
        pressing(widget, nonsense, "lock")
    assert guess.locked is None
    assert "Waiting for your prediction" in explanation.html
    assert pressing(widget, 1, "lock").count({"next": True}) == 1
    assert "Choose one" not in widget.html
    assert "arithmetic" in explanation.html
    assert {"next": True} not in pressing(widget, 0, "lock")
    assert guess.locked == 1


def test_what_the_notebook_keeps_shows_the_answer_and_needs_no_kernel() -> None:
    guess = Guess(SUM)
    guess.lock(1)
    picture = guess.picture()
    assert "<input" not in picture
    assert "data-do" not in picture
    assert "Your answer, locked in" in picture
    assert "Run All Above Selected Cell" in picture
    assert "Because of arithmetic." in guess.explain().picture()


def test_running_a_cell_again_keeps_the_answer() -> None:
    lab.answer("the day after", "a")
    assert lab.predict("the day after").locked == 0


@pytest.mark.parametrize("slug", course.LESSONS)
def test_after_each_prediction_there_is_a_cell_to_go_on_with(slug: str) -> None:
    cells = lesson_cells.read_lesson(slug)
    for index, cell in enumerate(cells):
        if re.search(r"^lab\.predict\(", "".join(cell["source"]), re.MULTILINE) and cell["cell_type"] == "code":
            assert "".join(cell["source"]).strip().splitlines()[-1].startswith("lab.predict("), "it is what is shown"
            following = [each["cell_type"] for each in cells[index + 1 : index + 3]]
            assert "code" in following, "Shift + Enter goes on to the experiment"


def test_an_unknown_name_says_which_was_meant() -> None:
    with pytest.raises(KeyError, match="did you mean 'the day after'"):
        lab.predict("the day afer")


# -- the reason -------------------------------------------------------------------------------------------------------

REASONS = (
    Reason("The trust policy says no.", "For it: the message names the role.", "RESOURCE"),
    Reason("An SCP says no.", "Against it: there is none.", "SERVICE_CONTROL_POLICY"),
    Reason("The key is unknown.", "Against it: the message names the user."),
)
TRY = Experiment("Name yourself.", "print('it was tried')\n6 * 7")
WHY = Prediction("May she?", ("Yes.", "No."), 1, "Because of trust.", reasons=REASONS, experiment=TRY)
STEPS = replace(WHY, reasons=[replace(each, check="") for each in REASONS], ordered=True)


def given(reason: str, prediction: Prediction = WHY, choice: str = "b") -> Guess:
    guess = Guess(prediction)
    guess.lock(choice)
    guess.explain().answer([by_letter(each, len(REASONS) + 1) for each in reason])
    return guess


def letter(index: int, prediction: Prediction = WHY) -> str:
    """The letter that a reason has on the page."""
    return "abc"[prediction.mixed.index(index)]


@pytest.mark.usefixtures("no_widgets")
def test_until_a_reason_is_given_nothing_of_the_explanation_is_shown() -> None:
    guess = Guess(WHY)
    guess.lock("b")
    shown = everything_shown(guess.explain())
    assert "As you predicted" in shown
    assert all(each.text in shown for each in REASONS)
    assert "resource-based policy" not in shown, "only two of the three name a check"
    assert "Because of trust." not in shown
    assert "For it" not in shown
    assert "Against it" not in shown
    assert "print(" not in shown


def test_a_reason_is_told_what_speaks_for_it_and_another_what_speaks_against() -> None:
    right, wrong = (" ".join(str(given(letter(index)).explain()).split()) for index in (0, 1))
    assert "✔ The trust policy says no. resource-based policy Your reason For it" in right
    assert "✘" not in right
    assert "✘ An SCP says no. service control policy Your reason Against it: there is none." in wrong
    assert "✔ The trust policy says no. resource-based policy For it" in wrong
    assert "the message names the user" not in wrong, "of the third nothing is told"
    assert right.endswith("Because of trust.")
    assert "Because of trust. Try it: Name yourself." in wrong


def test_to_be_unsure_of_the_reason_shows_it() -> None:
    guess = given("d")
    assert guess.reason == ()
    assert "✔ The trust policy says no." in str(guess.explain())


def test_the_order_is_asked_mixed_and_told_in_order() -> None:
    assert [STEPS.reasons[index].text for index in STEPS.mixed] != [each.text for each in REASONS]
    right = given("".join(letter(index, STEPS) for index in range(3)), STEPS)
    assert right.reason == (0, 1, 2)
    assert [line[:2] for line in str(right.explain()).splitlines() if line[2:3].isdigit()] == ["✔ "] * 3
    swapped = given("".join(letter(index, STEPS) for index in (0, 2, 1)), STEPS)
    assert [line[0] for line in str(swapped.explain()).splitlines() if line[2:3].isdigit()] == ["✔", "✘", "✘"]

    with pytest.raises(ValueError, match="place in the order"):
        given("ab", STEPS)


@pytest.mark.usefixtures("no_widgets")
def test_what_is_missing_is_told_until_the_next_option_is_pressed() -> None:
    guess = Guess(STEPS)
    guess.lock("a")
    widget = on_screen(guess.explain())
    pressing(widget, "lock")
    assert "Give each of them a place in the order first." in widget.html
    pressing(widget, 0)
    assert "Give each of them a place in the order first." not in widget.html


@pytest.mark.usefixtures("no_widgets")
def test_by_mouse_a_reason_is_locked_in_once_and_the_focus_goes_on() -> None:
    guess = Guess(WHY)
    guess.lock("b")
    widget = on_screen(guess.explain())
    assert {"next": True} not in pressing(widget, "lock")
    assert "Choose one of the answers first." in widget.html
    assert {"next": True} in pressing(widget, WHY.mixed.index(0), "lock")
    assert guess.reason == (0,)
    pressing(widget, 1, "lock")
    assert guess.reason == (0,)


@pytest.mark.usefixtures("no_widgets")
def test_by_mouse_an_order_is_made_and_mended() -> None:
    guess = Guess(STEPS)
    guess.lock("b")
    widget = on_screen(guess.explain())
    pressing(widget, 0, 1, "lock")
    assert guess.reason is None
    pressing(widget, 0, 2, 0, "lock")  # the first gives its place up, and becomes the last
    assert guess.reason == tuple(STEPS.mixed[index] for index in (1, 2, 0))


def test_only_who_expected_otherwise_is_led_to_an_experiment() -> None:
    assert given(letter(0)).explain().experiment is None
    assert given(letter(1)).explain().experiment is TRY
    assert given(letter(0), choice="a").explain().experiment is TRY
    assert given("d").explain().experiment is TRY


@pytest.mark.usefixtures("no_widgets")
def test_the_same_button_makes_the_experiment() -> None:
    guess = Guess(WHY)
    guess.lock("a")
    widget = on_screen(guess.explain())
    assert {"next": True} not in pressing(widget, WHY.mixed.index(0), "lock"), "there is something to try here"
    assert "Try it" in widget.html
    with Cloud.start():
        pressing(widget, "lock")
    assert "it was tried\n42" in widget.html
    pressing(widget, "lock")
    assert "There is no running world." in widget.html


def test_an_experiment_changes_nothing_and_moves_the_clock_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with Cloud.start() as aws:
        iam = aws.account("dev").admin.client("iam")
        monkeypatch.setitem(sys.modules["__main__"].__dict__, "iam", iam)
        monkeypatch.setitem(sys.modules["__main__"].__dict__, "aws", aws)
        before = aws.clock.now
        said = run_on_copy(
            "aws.clock.advance(days=30)\nname = iam.create_user(UserName='zoe')['User']['UserName']\n"
            "print(aws.clock.now.year)\nname"
        )
        assert said.endswith("zoe")
        assert aws.clock.now - before < timedelta(minutes=1)
        assert [each["UserName"] for each in iam.list_users()["Users"]] == ["lab-admin"]
        assert "name" not in sys.modules["__main__"].__dict__
        assert "NoSuchEntity" in run_on_copy("iam.get_user(UserName='zoe')")
        assert "does not exist yet" in run_on_copy("READ_BUCKET")


def test_asked_again_on_purpose_it_is_open_once_more_and_the_last_answer_counts() -> None:
    lab.answer("the day after", "a")
    again = lab.predict("the day after", again=True)
    assert again.locked is None
    assert lab.predict("the day after").locked is None, "not even by running a cell again"
    assert "Waiting" in str(lab.explain("the day after"))
    lab.answer("the day after", "c")
    assert (
        progress.entry_of(course.lesson_of("the day after", "predictions"), "predictions", "the day after")["choice"]
        == 2
    )


@pytest.mark.usefixtures("no_widgets")
def test_a_button_asks_again_and_gives_its_focus_to_the_first_choice() -> None:
    guess = given(letter(1))
    widget = on_screen(guess)
    assert "data-home" not in widget.html, "to lock in, which takes the first choice away, passes the focus on"
    pressing(widget, "again")
    assert (guess.locked, guess.reason) == (None, None)
    assert "Lock in my answer" in widget.html
    assert re.findall(r'data-value="(\d)" data-home', widget.html) == ["0"]


def test_the_reason_is_kept_and_taken_up_in_another_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, Any] = {}
    monkeypatch.setattr(progress, "_keep", lambda lesson, kind, name, entry: kept.update(entry))
    guess = given(letter(1))
    progress.prediction(2, "x", guess)
    assert kept == {"choice": 1, "right": True, "reason": [1], "explained": False}
    other = Guess(WHY)
    other.recall(kept["choice"], kept["reason"])
    assert str(other.explain()) == str(guess.explain())
    older = Guess(WHY)
    older.recall(1, [7])  # of another version of the lesson
    assert older.reason is None
