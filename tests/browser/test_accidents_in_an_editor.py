"""What happens to a learner at the editor: ten megabytes pasted, a binary file pasted, a policy that comes while one
types, two hundred policies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.test_policy_editor import behind

SETUP = """
import json
from simlib import Cloud, lab
aws = Cloud.start()
iam = aws.account("dev").admin.client("iam")
def policy(action):
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
for name in ("alice", "carol"):
    iam.create_user(UserName=name)
iam.put_user_policy(UserName="alice", PolicyName="read", PolicyDocument=policy("s3:GetObject"))
for number in range(200):
    iam.create_policy(PolicyName=f"part-{number}", PolicyDocument=policy("s3:GetObject"))
for number in range(20):
    iam.put_user_policy(UserName="carol", PolicyName=f"part-{number}", PolicyDocument=policy("s3:List*"))
FILE = "arn:aws:s3:::my-secure-bucket/report.csv"
"""
EDITOR = 'lab.AccessExplorer(aws, who="alice", requests=[("s3:GetObject", FILE)])'
MANY = 'lab.AccessExplorer(aws, who="carol", requests=[("s3:GetObject", FILE)])'
SLOW = """
import time
time.sleep(1)
iam.put_user_policy(UserName="alice", PolicyName="write", PolicyDocument=policy("s3:PutObject"));
"""

# What the clipboard does: an event with the text. The clipboard itself belongs to whoever runs the tests.
PASTE = """(area, [text, times]) => {
    const data = new DataTransfer();
    data.setData("text/plain", text.repeat(times));
    area.focus();
    area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""
TEN_MEGABYTES = ["0123456789", 1_000_000]
BINARY = ["\x00\x01\x1b[31m\x7f\ufffd\u202e\r\n\ud83d\ude00\t", 3]


@pytest.fixture(scope="module")
def opened(visit: Any) -> Any:
    visit.show(SETUP, EDITOR, MANY)
    visit.output(1).locator(".cm-content").get_by_text("allows").first.wait_for()  # the editor is filled, and marked
    return visit


def test_ten_megabytes_are_not_taken_and_nothing_is_lost(opened: Any) -> None:
    page, panel = opened.page, opened.output(1).locator(".sl-live .sl-panel")
    area = panel.locator(".cm-content")
    before = area.inner_text()
    area.evaluate(PASTE, TEN_MEGABYTES)
    panel.get_by_text("10,000,000 characters more are too many for a policy.").wait_for()
    panel.get_by_text("AWS takes at most 2,048 characters in the inline policies of a user").wait_for()
    assert area.inner_text() == before
    area.click()
    behind(page, panel.locator(".sle"), '"s3:')
    page.keyboard.type("x")
    panel.locator("[data-key=answers]").get_by_text(
        "✘ Not allowed"
    ).first.wait_for()  # the kernel is there, and answers
    page.keyboard.press("Backspace")
    page.keyboard.press("Escape")  # what is offered to complete it
    panel.locator("[data-key=answers]").get_by_text("✔ Allowed").first.wait_for()
    opened.accessible(panel)
    opened.picture("pasted-too-much")


def test_a_binary_file_is_shown_as_what_it_is_and_undone(opened: Any) -> None:
    page, panel = opened.page, opened.output(1).locator(".sl-live .sl-panel")
    area = panel.locator(".cm-content")
    before = area.inner_text()
    area.click()
    page.keyboard.press("Control+Home")
    area.evaluate(PASTE, BINARY)
    panel.locator(".sle-summary").get_by_text("✘ Not a policy yet").wait_for()
    assert panel.locator(".cm-specialChar").count() >= 3
    panel.get_by_text("is not a policy yet").first.wait_for()
    opened.picture("pasted-binary")
    page.keyboard.press("Control+z")
    panel.locator(".sle-summary").get_by_text("✔ A valid policy.").wait_for()
    assert area.inner_text() == before


def test_what_is_typed_stays_when_a_policy_comes(opened: Any) -> None:
    page, panel = opened.page, opened.output(1).locator(".sl-live .sl-panel")
    panel.locator(".cm-content").click()
    behind(page, panel.locator(".sle"), '"s3:')
    kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    page.evaluate(f"code => void {kernel}.requestExecute({{ code }})", SLOW)
    page.keyboard.type("aBc", delay=50)  # while the kernel is busy with it
    panel.get_by_role("tab", name="write").wait_for()
    panel.get_by_role("tab", name="read", selected=True).wait_for()
    page.keyboard.type("D")
    page.keyboard.press("Escape")
    panel.get_by_text("s3:aBcDGetObject").first.wait_for()
    panel.get_by_text("Your text, not applied yet: read.").wait_for()
    opened.picture("policy-that-came")
    panel.get_by_role("tab", name="write").click()
    panel.get_by_label("write, an identity-based policy").get_by_text("s3:PutObject").wait_for()


def test_of_many_documents_one_is_chosen_from_a_list(opened: Any) -> None:
    page, panel = opened.page, opened.output(2).locator(".sl-live .sl-panel")
    choice = panel.get_by_label("20 documents")
    choice.select_option("part-7")
    panel.get_by_label("part-7, an identity-based policy").click()
    behind(page, panel.locator(".sle"), '"s3:')
    page.keyboard.type("GetObject*")
    for _ in "List*":
        page.keyboard.press("Delete")
    page.keyboard.press("Escape")
    panel.locator("[data-key=answers]").get_by_text("✔ Allowed").first.wait_for()
    from playwright.sync_api import expect

    expect(choice.locator("option").nth(7)).to_have_text("part-7 ● not applied")
    opened.fits(panel)
    opened.accessible(panel)
    opened.picture("many-policies")
