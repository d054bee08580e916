"""Predictions in a real browser: by mouse, by keyboard, and with nothing given away beforehand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

SETUP = """
import sys
from simlib.lab.predictions import Guess, Prediction
because = 'Because of <script>arithmetic</script>.'
guess = Guess(Prediction('Is `two & two` <b>four</b>?', ['Yes, <i>four</i>.', 'No.'], 0, because))
guess
"""


@pytest.fixture(scope="module")
def prepared(visit: Any, notebook: Callable[..., str]) -> Any:
    visit.open(notebook("prediction.ipynb", SETUP, "guess.explain()", "print('kernel in', sys.prefix)", "1 + 1"))
    return visit


@pytest.fixture
def opened(prepared: Any) -> Any:
    visit = prepared
    visit.run_all()  # a guess of its own for each test
    visit.page.wait_for_selector(".sl-live .sl-predict")
    return visit


def test_the_kernel_runs_in_the_python_of_the_tests(opened: Any) -> None:
    opened.page.wait_for_selector(f"text=kernel in {sys.prefix}")


def test_nothing_of_the_answer_is_on_the_page_before_it_is_locked_in(opened: Any) -> None:
    opened.page.locator(".sl-live").get_by_text("Waiting for your prediction").wait_for()
    outputs = " ".join(opened.page.locator(".jp-OutputArea-output").all_inner_texts())
    assert "arithmetic" not in outputs
    assert opened.page.locator(".sl-live .sl-predict input:checked").count() == 0


def test_by_mouse(opened: Any) -> None:
    page = opened.page
    page.get_by_role("button", name="Lock in my answer").click()
    page.locator(".sl-live").get_by_text("Choose one of the answers first.").wait_for()
    page.get_by_label("No.").check()
    page.get_by_role("button", name="Lock in my answer").click()
    page.locator(".sl-live").get_by_text("You expected: No.").wait_for()
    assert page.locator(".sl-live").get_by_text("Because of <script>arithmetic</script>.").is_visible()
    assert page.locator(".sl-live .sl-predict input:enabled").count() == 0, "locked stays locked"


def test_by_keyboard_alone(opened: Any) -> None:
    page = opened.page
    cells = page.locator(".jp-Notebook-cell").count()
    page.locator(".sl-live .sl-predict input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("dd")  # JupyterLab deletes a cell by this; not from inside a question
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Lock in my answer"
    page.keyboard.press("Enter")
    page.locator(".sl-live").get_by_text("As you predicted: Yes, <i>four</i>.").wait_for()
    assert page.locator(".jp-Notebook-cell").count() == cells


@pytest.mark.parametrize("everywhere", ["voila"], indirect=True)
def test_in_voila_the_focus_goes_on_to_what_comes_next(everywhere: Any) -> None:
    everywhere.show(SETUP, "guess.explain()")
    question = everywhere.output(0)
    question.get_by_role("radio").first.check()
    question.get_by_role("radio").first.press("Enter")
    everywhere.output(1).get_by_text("As you predicted").wait_for()
    everywhere.page.wait_for_function("() => document.activeElement.textContent.includes('As you predicted')")


REASONS = """
from simlib import Cloud
from simlib.lab.predictions import Experiment, Guess, Prediction, Reason
aws = Cloud.start()
reasons = [Reason("The one.", "For it."), Reason("The other.", "Against it."), Reason("A third.", "No.")]
tried = Experiment("Move the clock by 365 days.", "aws.clock.advance(days=365)\\n'it was moved'")
picked, ordered = (Guess(Prediction("Well?", ["Yes.", "No."], 0, "So it is.", reasons=reasons, ordered=each,
    experiment=tried)) for each in (False, True))
picked.lock(0), ordered.lock(0)
"""


@pytest.mark.parametrize("everywhere", ["lab", "notebook"], indirect=True)
def test_a_reason_by_keyboard_and_an_order_by_mouse(everywhere: Any) -> None:
    page = everywhere.page
    everywhere.show(REASONS, "picked.explain()", "ordered.explain()", "1 + 1")
    reasons = everywhere.output(1)
    assert reasons.get_by_text("So it is.").count() == 0
    reasons.get_by_label("The other.").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    reasons.get_by_text("Against it.").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Try it", (
        "the button keeps the focus, and says what is next"
    )
    page.keyboard.press("Enter")
    reasons.get_by_text("it was moved").last.wait_for()
    steps = everywhere.output(2)
    for name in ("A third.", "The one.", "A third.", "The other.", "A third."):  # the third gives its first place up
        steps.get_by_role("button", name=name).click()
        page.wait_for_timeout(100)
    steps.get_by_role("button", name="Lock in my reason").click()
    steps.get_by_text("So it is.").wait_for()
    assert steps.get_by_text("Your place").count() == 3
    assert steps.locator(".is-true").count() == 4, "what happens, and each in its place"
    page.wait_for_function("() => document.activeElement.closest('.jp-Cell')?.textContent.includes('1 + 1')")
    for theme in ("dark", "light"):
        everywhere.theme(theme)
        everywhere.accessible(reasons)
        everywhere.fits(reasons)


EXERCISE = """
import os, tempfile
os.environ["IAM_LAB_PROGRESS"] = os.path.join(tempfile.mkdtemp(), "progress.json")
from simlib import Cloud, lab
aws = lab.begin("trust")
"""


@pytest.mark.parametrize("everywhere", ["lab"], indirect=True)
def test_an_exercise_helps_on_by_buttons_and_begins_again(everywhere: Any) -> None:
    page = everywhere.page
    everywhere.show(EXERCISE, 'lab.exercise("let bob in").check("{}")')
    shown = everywhere.output(1)
    shown.get_by_role("button", name="Hint 1 / 3").click()
    shown.get_by_text("Think of this.").wait_for()
    page.keyboard.press("Enter")
    shown.get_by_text("The idea.").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Hint 3 / 3"
    shown.get_by_role("button", name="Solution").click()
    shown.get_by_text("A solution.").wait_for()
    shown.get_by_role("button", name="Reset this step").click()
    shown.get_by_role("button", name="Reset it now").click()
    shown.get_by_text("The world is back at the beginning of this step.").wait_for()
    for theme in ("dark", "light"):
        everywhere.theme(theme)
        everywhere.accessible(shown)
        everywhere.fits(shown)


@pytest.mark.parametrize("everywhere", ["lab"], indirect=True)
def test_an_exercise_is_checked_where_it_is_written_and_no_button_loses_the_focus(everywhere: Any) -> None:
    everywhere.show("from simlib import lab\naws = lab.begin('trust')", "lab.exercise('let bob in').panel()")
    panel = everywhere.output(1)
    buttons = {"Check": "Not answered yet", "Hint": "Think of this", "Reset this step": "Reset it now"}
    for name, said in buttons.items():
        panel.get_by_role("button", name=name).click()
        panel.get_by_text(said).first.wait_for()
        assert everywhere.page.evaluate("document.activeElement.tagName") == "BUTTON"
    panel.get_by_role("button", name="Leave it as it is").press("Enter")
    panel.get_by_role("button", name="Check").wait_for()
    assert everywhere.page.evaluate("document.activeElement.textContent") == "Reset this step"
    everywhere.accessible(panel)
