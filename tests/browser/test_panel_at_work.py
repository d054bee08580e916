"""A panel whose command takes its time, and one whose command fails: both are told where the reader has pressed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SLOW = """
import time
from pathlib import Path
from simlib.lab.look import button, panel_card
from simlib.lab.page import el
from simlib.lab.panel import Panel

class Slow(Panel):
    def page(self):
        return panel_card("Slow", el("p", "Read this."), button("wait", "Wait"), button("fail", "Fail"))

    def wait(self, _):
        while not Path({go_on!r}).exists():
            time.sleep(0.05)

    @property
    def commands(self):
        return {{"wait": self.wait, "fail": lambda _: 1 / 0}}

Slow()
"""


def test_what_takes_long_says_that_it_works_and_what_fails_says_so(everywhere: Any, tmp_path: Path) -> None:
    go_on = tmp_path / "go on"
    everywhere.show(SLOW.format(go_on=str(go_on)), "print('end')")
    output = everywhere.output(0)
    output.get_by_role("button", name="Wait").click()
    told = output.locator(".sl-note")
    told.get_by_text("Working …").wait_for()
    for width in (1280, 390):
        everywhere.width(width)
        everywhere.fits(output)
        everywhere.accessible(output)
    everywhere.width(1280)
    everywhere.picture("at-work")
    go_on.touch()
    told.get_by_text("Working …").wait_for(state="detached")
    output.get_by_role("button", name="Fail").click()
    told.get_by_text("This has not worked. Run the cell of this panel again. (ZeroDivisionError:").wait_for()
    everywhere.picture("failed")
    output.get_by_role("button", name="Wait").click()
    told.get_by_text("This has not worked.").wait_for(state="detached")


def test_shift_and_enter_on_a_button_leads_to_the_next_cell_and_presses_nothing(visit: Any, tmp_path: Path) -> None:
    visit.show(SLOW.format(go_on=str(tmp_path)), "runs = globals().get('runs', 0) + 1; runs")
    visit.output(0).get_by_role("button", name="Fail").focus()
    visit.page.keyboard.press("Shift+Enter")
    visit.page.keyboard.press("Shift+Enter")
    visit.output(1).get_by_text("2", exact=True).wait_for()
    assert visit.output(0).get_by_text("This has not worked.").count() == 0
