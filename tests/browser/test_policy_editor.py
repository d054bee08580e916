"""The policy editor in JupyterLab: typed into as a person types, words chosen by keyboard, mistakes told in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SETUP = """
from simlib.iam import PolicySet, Request, evaluate
from simlib.lab import PolicyDocument, PolicyEditor
HOSTILE = "<img src=x onerror=document.title='run'>" + chr(0x202e) + chr(34) + "x" * 10_000
READ = '''{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Read",
      "Effect": "Allow",
      "Action": "s3:GetObject",
      "Resource": "*"
    },
    {
      "Sid": "Write",
      "Effect": "Allow",
      "Action": "s3:PutObject",
      "Resource": "*"
    }
  ]
}'''
TRUST = '''{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {"AWS": ""},
      "Action": "sts:AssumeRole"
    }
  ]
}'''
"""
EDITOR = """
editor = PolicyEditor(
    [PolicyDocument("read-bucket", text=READ), PolicyDocument("trust policy", "trust", TRUST)],
    principals=["arn:aws:iam::111111111111:user/alice"], resources=["arn:aws:s3:::my-secure-bucket"],
)
request = Request("arn:aws:iam::111111111111:user/alice", "s3:GetObject", "arn:aws:s3:::my-secure-bucket/report.csv")
def decide():
    editor.light(evaluate(request, PolicySet(identity=(editor["read-bucket"].policy,))))
editor.on_edit = decide
decide()
editor
"""
STRANGE = """
bad = "<img src=x onerror=document.title='run'>" + chr(0x202e) + "x" * 10_000
PolicyEditor({bad[:60]: READ.replace("Read", bad).replace('"Allow"', '"Alow' + bad + '"'), bad: READ})
"""
FACES = """
PolicyEditor({"faces": READ.replace('"Read"', '"😀😀"').replace('"Allow"', '"Alow"', 1)})
"""
STATE = "print(editor['read-bucket'].policy.document, editor['trust policy'].policy.document)"
CELLS = [SETUP, EDITOR, STRANGE, FACES, STATE]
ALLOWED, MISSED = "✔ allows", "– does not match"

CONTRASTS = """root => {
    const parse = colour => {
        const found = (colour.match(/[\\d.]+/g) ?? []).map(Number);
        return colour.startsWith("color(") ? found.map((part, at) => (at < 3 ? 255 * part : part)) : found;
    };
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
        .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = node => {
        for (; node; node = node.parentElement) {
            const [r, g, b, a = 1] = parse(getComputedStyle(node).backgroundColor);
            if (a > 0) return [r, g, b];
        }
        return [255, 255, 255];
    };
    const found = {};
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const node = walk.currentNode.parentElement;
        if (!walk.currentNode.textContent.trim() || !node.checkVisibility()) continue;
        const [one, other] = [light(parse(getComputedStyle(node).color)), light(ground(node))];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        found[`${node.className || node.tagName}: ${walk.currentNode.textContent.slice(0, 30)}`] = ratio;
    }
    return found;
}"""


@pytest.fixture(scope="module")
def opened(visit: Any, notebook: Callable[..., str]) -> Any:
    visit.open(notebook("policy-editor.ipynb", *CELLS))
    visit.run_all()
    return visit


def run(visit: Any, source: str) -> Any:
    """Run a cell again, and show it: its output."""
    index = CELLS.index(source)
    visit.page.evaluate(
        """async index => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = index;
            notebook.activate();
            await notebook.scrollToItem(index, "start");
        }""",
        index,
    )
    visit.command("notebook:run-cell")
    return visit.page.locator(f".jp-Cell[data-windowed-list-index='{index}'] .jp-Cell-outputWrapper")


@pytest.fixture
def editor(opened: Any) -> Any:
    """The editor, fresh, with the caret in it."""
    found = run(opened, EDITOR).locator(".sle")
    found.get_by_label("read-bucket, an identity-based policy").click()
    found.locator(".sle-badge").first.scroll_into_view_if_needed()
    return found


def lines(editor: Any) -> list[str]:
    """The text, without what is written into it."""
    return editor.locator(".cm-line").evaluate_all(
        """lines => lines.map(line => {
            const copy = line.cloneNode(true);
            copy.querySelectorAll(".sle-badge").forEach(badge => badge.remove());
            return copy.textContent;
        })"""
    )


def behind(page: Any, editor: Any, words: str) -> None:
    """Put the caret behind some words, by keyboard."""
    line, text = next((number, text) for number, text in enumerate(lines(editor)) if words in text)
    page.keyboard.press("Control+Home")
    for _ in range(line):
        page.keyboard.press("ArrowDown")
    for _ in range(text.index(words) + len(words)):
        page.keyboard.press("ArrowRight")


def badges(editor: Any, *texts: str) -> None:
    """Wait until these are the words at the statements."""
    for number, text in enumerate(texts):
        editor.locator(".sle-badge").nth(number).get_by_text(text, exact=True).wait_for()
    assert editor.locator(".sle-badge").count() == len(texts)


def test_a_mistake_is_told_where_it_stands_and_the_deciding_statement_is_lit(opened: Any, editor: Any) -> None:
    page = opened.page
    badges(editor, ALLOWED, MISSED)
    assert editor.locator(".sle-line-yes").count() == 6
    behind(page, editor, '"Allow')
    for _ in "Allow":
        page.keyboard.press("Backspace")
    page.keyboard.type("De", delay=20)
    editor.get_by_text("✘ Not a policy yet: 1 mistake.").wait_for()
    assert editor.locator(".cm-lintRange-error").all_inner_texts() == ['"De"']
    assert editor.locator(".cm-lint-marker-error").count() == 1
    told = editor.get_by_role("listitem").filter(has_text="Effect is De; it must be Allow or Deny. Did you mean Deny?")
    assert told.get_by_role("button").inner_text() == "Line 6, column 17"
    badges(editor, ALLOWED, MISSED)  # of the last complete text
    page.keyboard.type("ny", delay=20)
    badges(editor, "✘ denies", MISSED)
    editor.get_by_text("Statements, one by one").click()
    editor.get_by_text("Allow statement 2 (Write) does not match: the action s3:GetObject is not in Action").wait_for()
    editor.locator(".sle-grey", has_text="Put").first.wait_for()  # an action may break before a capital
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    badges(editor, ALLOWED, MISSED)


def test_words_are_chosen_and_everything_is_reached_by_keyboard(opened: Any, editor: Any) -> None:
    page = opened.page
    behind(page, editor, '"s3:GetObject')
    for _ in "s3:GetObject":
        page.keyboard.press("Backspace")
    choose(page, editor, "s3", "s3:")
    choose(page, editor, "geto", "s3:GetObject")
    assert '      "Action": "s3:GetObject",' in lines(editor)
    badges(editor, ALLOWED, MISSED)

    page.keyboard.press("Shift+Tab")  # Tab is not the editor's
    focused = "() => document.activeElement.textContent"
    assert page.evaluate(focused) == "read-bucket"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused).startswith("trust policy")
    page.keyboard.press("Tab")
    behind(page, editor, '"AWS": "')
    page.keyboard.press("Control+ ")
    editor.get_by_role("option", name="arn:aws:iam::111111111111:user/alice").wait_for()
    page.wait_for_timeout(100)  # CodeMirror does not take an Enter for a list in its first 75 ms
    page.keyboard.press("Enter")
    editor.get_by_text("✔ A valid policy.", exact=True).wait_for()
    output = run(opened, STATE)
    output.get_by_text("'Principal': {'AWS': 'arn:aws:iam::111111111111:user/alice'}").wait_for()


def choose(page: Any, editor: Any, typed: str, word: str) -> None:
    page.keyboard.type(typed, delay=20)
    editor.locator("[role=option][aria-selected]").get_by_text(word, exact=True).wait_for()
    page.wait_for_timeout(100)
    page.keyboard.press("Enter")


def test_remarks_are_read_by_keyboard_and_the_notebook_keeps_its_cells(opened: Any, editor: Any) -> None:
    page = opened.page
    page.keyboard.press("Control+Home")
    page.keyboard.press("F8")
    said = editor.locator(".sle-here")
    said.get_by_text("Line 4. Allow statement 1 (Read) allows.").wait_for()
    page.keyboard.press("F8")
    said.get_by_text("Line 10. Allow statement 2 (Write) does not match: the action s3:GetObject is not").wait_for()
    page.keyboard.press("Shift+F8")
    said.get_by_text("Line 4.").wait_for()
    cells = page.locator(".jp-Notebook-cell").count()
    page.keyboard.press("Escape")
    page.keyboard.type("dd")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.ariaLabel") == "Undo"
    page.keyboard.press("Enter")
    page.keyboard.type("dd")
    assert page.locator(".jp-Notebook-cell").count() == cells


def test_hostile_text_is_only_read(opened: Any) -> None:
    page = opened.page
    strange = run(opened, STRANGE).locator(".sle")
    strange.locator(".cm-lintRange-error").first.wait_for()
    assert page.title() != "run"
    assert strange.locator("img[src]").count() == 0
    assert strange.evaluate("node => node.scrollWidth <= node.clientWidth")


def test_a_mistake_behind_a_face_is_marked_where_it_stands(opened: Any) -> None:
    faces = run(opened, FACES).locator(".sle")
    faces.locator(".cm-lintRange-error").nth(1).wait_for()
    assert faces.locator(".cm-lintRange-error").all_inner_texts() == ['"', "😀", '😀"', '"Alow"']


def test_everything_can_be_read_in_both_themes(opened: Any, editor: Any) -> None:
    page = opened.page
    behind(page, editor, '"s3:PutObject')
    page.keyboard.type("s", delay=20)
    page.keyboard.press("Escape")
    editor.get_by_text("✔ A valid policy, with 1 warning.").wait_for()
    behind(page, editor, '"Allow')
    for theme in ("dark", "light"):
        opened.theme(theme)
        assert pale(editor) == {}, f"a lit statement, {theme}"
        opened.picture("policy-editor-lit")
        page.keyboard.press("Backspace")
        editor.get_by_text("Not a policy yet: 1 mistake").wait_for()
        page.keyboard.press("Control+ ")
        editor.get_by_role("option").first.wait_for()
        assert pale(editor) == {}, f"half-typed, {theme}"
        opened.picture("policy-editor-words")
        page.keyboard.press("Escape")
        page.keyboard.type("w")
        page.keyboard.press("Escape")
        badges(editor, ALLOWED, MISSED)


def pale(editor: Any) -> dict[str, float]:
    """Texts with a contrast below 4.5:1 to their ground."""
    return {what: ratio for what, ratio in editor.evaluate(CONTRASTS).items() if ratio < 4.5}
