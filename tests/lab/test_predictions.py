"""Predictions: nothing is given away before an answer is locked in, and locked stays locked."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simlib import lab
from simlib.lab import catching_up, course, questions
from simlib.lab.predictions import UNSURE, Guess, Prediction

QUESTIONS = {name: each for number in course.LESSONS for name, each in course.lesson(number).predictions.items()}
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
    assert "What happens:" not in shown
    assert "'answer'" not in shown


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (0, "As you predicted: Yes, it is."),
        (1, "You expected: No, it is not.\n\nWhat happens: Yes, it is."),
        (2, "What happens: Yes, it is."),
        ("b", "You expected: No, it is not.\n\nWhat happens: Yes, it is."),
    ],
)
def test_a_locked_answer_is_met_without_scolding(choice: int | str, said: str) -> None:
    guess = Guess(SUM)
    guess.lock(choice)
    assert guess.outcome == said
    assert str(guess.explain()) == f"{said}\n\nBecause of arithmetic."


def test_a_second_answer_does_not_count() -> None:
    guess = Guess(SUM)
    guess.lock(1)
    guess.lock(0)
    assert guess.locked == 1


@pytest.mark.parametrize("choice", [3, -1, "z", "no", "ab", ""])
def test_what_is_no_choice_is_refused_and_locks_nothing(choice: int | str) -> None:
    guess = Guess(SUM)
    with pytest.raises(ValueError, match="choose one of a, b, c"):
        guess.lock(choice)
    assert guess.locked is None


def test_to_be_unsure_is_always_a_choice() -> None:
    assert Guess(SUM).choices == ["Yes, it is.", "No, it is not.", UNSURE]


def test_the_answer_must_be_one_of_the_choices() -> None:
    with pytest.raises(ValueError, match="none of the 2 choices"):
        Prediction("?", ("a", "b"), 2, "")


def test_the_text_of_a_question_is_enough_to_answer_it_without_a_browser() -> None:
    shown = str(lab.predict("a year later"))
    assert "a) No: a key expires after 90 days." in shown
    assert "lab.answer('a year later', 'a')" in shown
    assert str(lab.answer("a year later", "c")).startswith("As you predicted: Yes")


def test_an_explanation_on_the_screen_opens_when_the_guess_is_locked() -> None:
    guess = Guess(SUM)
    widget = on_screen(guess.explain())
    assert "Waiting for your prediction" in widget.value
    guess.lock(0)
    assert "arithmetic" in widget.value


def test_the_browser_locks_what_was_chosen_and_cannot_unlock() -> None:
    guess = Guess(SUM)
    widget = on_screen(guess)

    def browser_says(do: str, value: str = "") -> None:
        widget._handle_custom_msg({"do": do, "value": value}, [])

    browser_says("lock")
    assert "Choose one of the answers first." in widget.html
    for nonsense in ("9", "-1", "x", ""):
        browser_says("choose", nonsense)
        browser_says("lock")
    assert guess.locked is None
    browser_says("choose", "1")
    browser_says("lock")
    assert guess.locked == 1
    assert "Choose one" not in widget.html
    browser_says("choose", "0")
    browser_says("lock")
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
    lab.answer("a year later", "a")
    assert lab.predict("a year later").locked == 0


def test_running_cells_fifty_times_leaves_no_more_widgets_than_once() -> None:
    from ipywidgets.widgets.widget import _instances

    guess = Guess(SUM)

    def run() -> int:
        guess._repr_mimebundle_()
        guess.explain()._repr_mimebundle_()
        return len(_instances)

    once = run()
    assert [run() for _ in range(50)][-1] == once


@pytest.mark.parametrize("number", course.LESSONS)
def test_after_each_prediction_there_is_a_cell_to_go_on_with(number: int) -> None:
    cells = catching_up.read_lesson(number)
    for index, cell in enumerate(cells):
        if re.search(r"^lab\.predict\(", "".join(cell["source"]), re.MULTILINE) and cell["cell_type"] == "code":
            assert "".join(cell["source"]).strip().splitlines()[-1].startswith("lab.predict("), "it is what is shown"
            following = [each["cell_type"] for each in cells[index + 1 : index + 3]]
            assert "code" in following, "Shift + Enter goes on to the experiment"


@pytest.mark.parametrize("name", QUESTIONS)
def test_to_lock_in_passes_the_focus_on_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    widget, sent = on_screen(Guess(QUESTIONS[name])), []
    monkeypatch.setattr(widget, "send", lambda content, buffers=None: sent.append(content))
    for do, value in (("lock", ""), ("choose", "1"), ("lock", ""), ("lock", "")):
        widget._handle_custom_msg({"do": do, "value": value}, [])
    assert sent.count({"next": True}) == 1


def test_an_unknown_name_says_which_was_meant() -> None:
    with pytest.raises(KeyError, match="did you mean 'a year later'"):
        lab.predict("a year late")
