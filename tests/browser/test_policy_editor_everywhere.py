"""The policy editor's main path in JupyterLab, Notebook 7 and Voilà: by keyboard, in both themes, wide and narrow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.test_policy_editor import ALLOWED, EDITOR, MISSED, SETUP, badges, behind


@pytest.fixture(scope="module")
def opened(everywhere: Any) -> Any:
    everywhere.show(SETUP, EDITOR)
    return everywhere


def test_typed_into_by_keyboard(opened: Any) -> None:
    page, editor = opened.page, opened.output(1).locator(".sle")
    badges(editor, ALLOWED, MISSED)
    editor.get_by_label("read-bucket, an identity-based policy").click()
    behind(page, editor, '"Allow')
    for _ in "Allow":
        page.keyboard.press("Backspace")
    page.keyboard.type("De", delay=20)
    editor.get_by_text("✘ Not a policy yet: 1 mistake.").wait_for()
    page.keyboard.type("ny", delay=20)
    badges(editor, "✘ denies", MISSED)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_can_be_read_and_reached_wide_and_narrow(opened: Any, theme: str) -> None:
    opened.theme(theme)
    for width in (1280, 390):
        opened.width(width)
        editor = opened.output(1).locator(".sle")
        editor.locator(".sle-badge").first.wait_for()
        opened.fits(editor)
        opened.accessible(editor)
        opened.picture("policy-editor")
    opened.width(1280)
