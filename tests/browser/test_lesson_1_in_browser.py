"""Lesson 1 as a learner has it: run in JupyterLab, a policy edited by typing, read in both themes."""

from __future__ import annotations

import os
import re
import shutil
from io import BytesIO
from typing import Any

import pytest

from tests.browser.servers import ROOT
from tests.browser.test_policy_editor import behind

LESSON = ROOT / "notebooks" / "01-users.ipynb"
PICTURE = ROOT / "docs" / "lesson-1.png"
LIST, GET, PUT = "s3:ListBucket", "s3:GetObject", "s3:PutObject"


@pytest.fixture(scope="module")
def lesson(visit: Any) -> Any:
    """The lesson, run from top to bottom once."""
    shutil.copy(LESSON, visit.server.folder / LESSON.name)
    visit.open(LESSON.name)
    visit.run_all()
    return visit


@pytest.fixture
def panel(lesson: Any) -> Any:
    """The panel as it comes, in view: the cell is run again, which puts the article's policy back."""
    lesson.run_cell("panel")
    found = lesson.page.locator(".sl-live .sl-panel:has(.sle):has(li.sl-req)")
    show(lesson.page, found)
    return found


def show(page: Any, what: Any) -> None:
    """Scroll to something; the notebook draws the cells in view only, so it is looked for while scrolling."""
    for cell in range(page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")):
        if what.count():
            break
        page.evaluate("index => window.jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start')", cell)
        page.wait_for_timeout(100)  # a panel comes a moment after its cell
    what.first.scroll_into_view_if_needed()


def verdict(panel: Any, action: str) -> Any:
    """The row of an action: its verdict and what decided."""
    return panel.locator("li.sl-req", has_text=action)


def says(row: Any, *words: str) -> None:
    """Wait until a row says all of this."""
    for word in words:
        row.get_by_text(word).first.wait_for()


def change(page: Any, panel: Any, old: str, new: str) -> None:
    """Type `new` in the place of `old`, one key after the other."""
    behind(page, panel.locator(".sle"), old)
    for _ in old:
        page.keyboard.press("Backspace")
    page.keyboard.type(new, delay=10)


def type_in(panel: Any) -> None:
    panel.locator(".cm-content").click()


def test_an_edited_policy_answers_at_every_keystroke(lesson: Any, panel: Any) -> None:
    page = lesson.page
    assert page.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0
    says(verdict(panel, LIST), "✔ Allowed", "Allow statement 1 of read-bucket")
    says(verdict(panel, PUT), "✘ Not allowed", "No statement allows it")

    type_in(panel)
    change(page, panel, '"s3:ListBucket",', "")
    says(verdict(panel, LIST), "✘ Not allowed", "No statement allows it", "s3:ListBucket is not in Action")
    says(verdict(panel, GET), "✔ Allowed")

    change(page, panel, '"s3:GetObject"', '"s3:*"')
    says(verdict(panel, PUT), "✔ Allowed", "Allow statement 1 of read-bucket")

    change(page, panel, "Allow", "De")
    panel.get_by_text("is not a policy yet. Line 5, column 17").wait_for()
    says(verdict(panel, PUT), "✔ Allowed")  # the last verdict stays
    page.keyboard.type("ny", delay=10)
    says(verdict(panel, PUT), "✘ Denied", "Deny statement 1 of read-bucket")


def test_a_saved_policy_counts_for_the_machine(lesson: Any, panel: Any) -> None:
    page = lesson.page
    type_in(panel)
    change(page, panel, "Allow", "Deny")
    says(verdict(panel, LIST), "✘ Denied")
    page.keyboard.press("Escape")
    panel.get_by_role("button", name="Apply", exact=True).click()
    panel.get_by_text("Applied by the administrator of dev").first.wait_for()

    lesson.run_cell("saved-policy")
    says(page.locator(".jp-OutputArea-output"), "with an explicit deny in an identity-based policy")

    panel.locator(".sle").get_by_text("More", exact=True).click()
    panel.get_by_role("button", name="Read again").click()
    says(verdict(panel, LIST), "✘ Denied")  # what the world holds now
    assert '"Deny"' in panel.locator(".cm-content").inner_text()


def test_the_panel_by_keyboard_alone(lesson: Any, panel: Any) -> None:
    page = lesson.page
    lesson.select("panel")
    for _ in range(12):  # from the selected cell into its output
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.classList.contains('cm-content')"):
            break
    change(page, panel, "Allow", "Deny")
    says(verdict(panel, LIST), "✘ Denied", "Deny statement 1 of read-bucket")
    page.keyboard.press("Escape")  # what is offered to complete it
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent") == "Apply":
            break
    page.keyboard.press("Enter")
    panel.get_by_text("Applied by the administrator of dev").first.wait_for()
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    page.keyboard.type("dd")
    assert page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length") == cells


def test_the_lesson_in_both_themes(lesson: Any, panel: Any) -> None:
    page = lesson.page
    type_in(panel)
    change(page, panel, '"s3:ListBucket",', "")
    says(verdict(panel, LIST), "✘ Not allowed")
    for theme in ("light", "dark"):
        lesson.theme(theme)
        show(page, panel)
        ground = page.evaluate("() => getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor")
        for part in (".sl-v.is-yes", ".sl-v.is-no", ".sl-dim"):
            ink = panel.locator(part).first.evaluate("node => getComputedStyle(node).color")
            assert contrast(ink, ground) >= 4.5, f"{part} in {theme}: {ink} on {ground}"
        lesson.picture("lesson-1")
    if os.environ.get("SIMLIB_PICTURE"):  # how the README's picture is made anew
        from PIL import Image

        lesson.theme("light")
        lesson.command("application:toggle-left-area")
        page.set_viewport_size({"width": 1100, "height": 620})
        show(page, panel)
        PICTURE.parent.mkdir(exist_ok=True)
        Image.open(BytesIO(page.screenshot())).quantize(64).save(
            PICTURE, optimize=True
        )  # small: it is in the repository


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as a browser computes them, by WCAG 2."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    whole = 1 if colour.startswith("color(") else 255
    parts = [float(part) / whole for part in re.findall(r"[\d.]+", colour)[:3]]
    assert len(parts) == 3, f"no colour: {colour!r}"
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
