"""The timeline in JupyterLab, Notebook 7 and Voilà: by keyboard only, by mouse, in both themes, wide and narrow."""

from __future__ import annotations

import re
from typing import Any

import pytest

SETUP = """
import json
from simlib import Cloud, lab

aws = Cloud.start()
admin = aws.account("dev").admin
iam = admin.client("iam")
admin.client("s3").create_bucket(Bucket="my-secure-bucket")

def document(action, **more):
    statement = {"Effect": "Allow", "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

iam.create_user(UserName="alice")
iam.put_user_policy(UserName="alice", PolicyName="borrow", PolicyDocument=document("sts:*", Resource="*"))
alice = aws.sign_in(iam.create_access_key(UserName="alice"))
trust = document("sts:AssumeRole", Principal={"AWS": "111111111111"})
iam.create_role(RoleName="reports", AssumeRolePolicyDocument=trust)
iam.put_role_policy(RoleName="reports", PolicyName="read", PolicyDocument=document("s3:*", Resource="*"))
wanted = {"RoleArn": "arn:aws:iam::111111111111:role/reports", "RoleSessionName": "lesson-6-of-the-course"}
session = aws.sign_in(alice.client("sts").assume_role(**wanted))
lab.attempt(alice.client("s3").list_objects_v2, Bucket="my-secure-bucket");
"""
PANEL = 'lab.SessionTimeline(aws, requests=[("s3:ListBucket", "arn:aws:s3:::my-secure-bucket")])'


@pytest.fixture(scope="module")
def opened(everywhere: Any) -> Any:
    everywhere.show(SETUP, PANEL)
    return everywhere


def panel(opened: Any) -> Any:
    found = opened.output(1).locator(".sl-live .sl-panel")
    found.get_by_role("slider", name="Look at another moment").wait_for()
    return found


def press_until(page: Any, name: str, most: int = 60) -> None:
    """Go on with Tab until the control of that name has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        text = "(node => `${node?.getAttribute('aria-label') ?? ''} ${node?.innerText ?? ''}`)(document.activeElement)"
        if name in page.evaluate(text):
            return
    raise AssertionError(f"{name!r} cannot be reached with the Tab key")


def test_looked_at_and_moved_by_keyboard_only(opened: Any) -> None:
    page, shown = opened.page, panel(opened)
    slider = shown.get_by_role("slider", name="Look at another moment")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    shown.get_by_text(re.compile("^On .* from now: ")).wait_for()
    page.keyboard.press("PageDown")  # to the next change: the session's end
    shown.get_by_text(re.compile(r"expired \d")).first.wait_for()
    assert slider.evaluate("node => node === document.activeElement")
    press_until(page, "Back to now")
    page.keyboard.press("Enter")
    shown.get_by_text(re.compile("^Now, ")).wait_for()
    shown.get_by_role("button", name="Move the clock to").focus()
    page.keyboard.press("Enter")
    shown.get_by_text("The clock was moved to").wait_for()
    shown.get_by_text("AWS answers ExpiredToken.").wait_for()
    why = shown.get_by_text("Why? No statement allows it.").first
    why.focus()
    page.keyboard.press("Enter")
    shown.locator(".sl-pipe .is-deciding").wait_for()
    assert why.evaluate("node => node === document.activeElement"), "the focus stays where it was"
    page.keyboard.press("d")
    page.keyboard.press("d")
    page.wait_for_timeout(200)
    assert why.is_visible(), "the cell is not deleted by keys meant for the panel"


def test_the_trail_is_filtered_and_opened_by_mouse(opened: Any) -> None:
    shown = panel(opened)
    shown.get_by_role("combobox", name="Decision").select_option("REFUSED")
    shown.get_by_text(re.compile("All 1 that match, of ")).wait_for()
    shown.get_by_label("Why? s3:ListBucket, call").click()
    shown.locator(".sl-trail").get_by_text("It would need an Allow for s3:ListBucket").wait_for()
    shown.get_by_role("combobox", name="Decision").select_option("")
    shown.get_by_role("combobox", name="Identity").select_option("arn:aws:iam::111111111111:user/alice")
    shown.get_by_text(re.compile("1 of 1 credential is valid")).wait_for()
    shown.get_by_role("combobox", name="Identity").select_option("")


def test_the_line_of_now_is_dragged_itself(opened: Any) -> None:
    page, shown = opened.page, panel(opened)
    slider = shown.get_by_role("slider", name="Look at another moment")
    slider.scroll_into_view_if_needed()
    box, axis = slider.bounding_box(), shown.locator(".sl-axis").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(1, 21):
        page.mouse.move(axis["x"] + axis["width"] * (0.5 + step / 50), box["y"] + box["height"] / 2)
    page.mouse.up()
    shown.get_by_text(re.compile("^On .* now: ")).wait_for()
    page.wait_for_function("node => Math.abs(node.ariaValueNow - 900) < 12", arg=slider.element_handle())
    shown.get_by_role("button", name="Back to now").click()


# The labels of lanes that are cut, or that reach into another lane or, above it, into its bar.
CUT = """panel => [...panel.querySelectorAll(".sl-lane")].filter(lane => {
    const [, told] = lane.querySelector(".sl-lane-label").children;
    const [box, around] = [told.getBoundingClientRect(), lane.getBoundingClientRect()];
    const below = lane.querySelector(".sl-span").getBoundingClientRect();
    const end = below.left < box.right ? below.top : around.bottom;
    const cut = [told, ...told.children].some(part => /hidden|clip/.test(getComputedStyle(part).overflow));
    return cut || box.right > around.right || box.top < around.top || box.bottom > end;
}).map(lane => lane.innerText)"""

# The times along the axis that reach into the next one.
CROWDED = """panel => [...panel.querySelectorAll(".sl-axis > span")].filter(span => span.checkVisibility()).filter(
    (span, at, all) => at && all[at - 1].getBoundingClientRect().right > span.getBoundingClientRect().left
).map(span => span.innerText)"""


def test_the_labels_of_lanes_and_axis_are_whole_at_every_width(opened: Any) -> None:
    for width in (390, 620, 700, 850, 1000, 1280, 1400):
        opened.width(width)
        shown = panel(opened)
        assert shown.locator(".sl-lane").count() == 3
        # a page takes its time to follow a window that has changed
        opened.page.wait_for_function(
            f"panel => ({CUT})(panel).length + ({CROWDED})(panel).length === 0", arg=shown.element_handle()
        )
    opened.width(1280)


def test_it_can_be_read_and_reached_in_both_themes_wide_and_narrow(opened: Any) -> None:
    opened.readable(timeline=lambda: panel(opened))
