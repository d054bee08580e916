"""What the browser tests rely on: their checks find what they are to find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.visits import visiting

PAGES = """
from IPython.display import HTML, display
display(HTML('<p class="good">Read me.</p><p class="pale" style="color: #999; background: #fff">pale</p>'))
display(HTML('<button class="nameless"></button><div class="wide" style="width: 2000px; height: 1em">wide</div>'))
"""


@pytest.fixture(scope="module")
def shown(everywhere: Any) -> Any:
    everywhere.show(PAGES, "1 + 1")
    everywhere.output(0)
    return everywhere


def test_an_output_is_looked_at_and_nothing_around_it(shown: Any) -> None:
    part = shown.output(0)
    shown.accessible(part.locator(".good"))
    shown.fits(part.locator(".good"))
    assert shown.output(1).inner_text().endswith("2")


@pytest.mark.parametrize(("part", "complaint"), [(".pale", "color-contrast"), (".nameless", "button-name")])
def test_what_cannot_be_read_or_named_is_found(shown: Any, part: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        shown.accessible(shown.output(0).locator(part))


def test_what_is_too_wide_is_found(shown: Any) -> None:
    with pytest.raises(AssertionError, match="too wide for 1280 px"):
        shown.fits(shown.output(0).locator(".wide"))


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("console.error('lost')", "lost"),
        ("fetch('http://127.0.0.1:9/').catch(() => {})", "somebody else"),
        ("setTimeout(() => { throw new Error('thrown') })", "thrown"),
    ],
)
def test_an_error_and_a_stranger_fail_the_visit(
    browser: Any, server: Any, tmp_path: Path, script: str, complaint: str
) -> None:
    def visited() -> None:
        with visiting(browser, server, tmp_path, "visit") as visit:
            visit.page.goto(f"{server.url}/static/favicon.ico")
            visit.page.evaluate(script)
            visit.page.wait_for_timeout(200)

    with pytest.raises(AssertionError, match=complaint):
        visited()
