"""The editor of a running world in JupyterLab, Notebook 7 and Voilà: applied, refused, taken back, shown as code."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.test_policy_editor import behind

SETUP = """
from simlib import Cloud
from simlib.lab import PolicyEditor
aws = Cloud.start()
iam = aws.account("dev").admin.client("iam")
iam.create_user(UserName="alice")
trust = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": '\\
        '{"AWS": "arn:aws:iam::111111111111:user/alice"}, "Action": "sts:AssumeRole"}]}'
iam.create_role(RoleName="web-app", AssumeRolePolicyDocument=trust)
read = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
iam.put_role_policy(RoleName="web-app", PolicyName="read-bucket", PolicyDocument=read);
"""
EDITOR = "PolicyEditor.of(aws, 'arn:aws:iam::111111111111:role/web-app')"


@pytest.fixture(scope="module")
def opened(everywhere: Any) -> Any:
    everywhere.show(SETUP, EDITOR)
    return everywhere


def test_a_mistyped_name_is_refused_in_its_place_and_a_right_policy_is_applied_by_keyboard(opened: Any) -> None:
    page, editor = opened.page, opened.output(1).locator(".sle")
    editor.get_by_role("tab", name="trust policy of web-app").click()
    editor.get_by_label("trust policy of web-app, a trust policy").click()
    behind(page, editor, "user/alice")
    page.keyboard.press("Backspace")
    editor.get_by_role("tab", name="trust policy of web-app ● not applied").wait_for()
    tab_to(page, "Apply")
    page.keyboard.press("Enter")
    editor.get_by_text("✘ AWS has refused it. What is stored has not changed.").wait_for()
    assert editor.locator(".cm-lintRange-error").all_inner_texts() == ['"arn:aws:iam::111111111111:user/alic"']
    editor.get_by_role("listitem").filter(has_text="Invalid principal in policy").wait_for()
    opened.accessible(editor)
    opened.picture("policy-editor-refused")

    page.keyboard.press("Shift+Tab")  # back from the buttons …
    for _ in range(5):
        if page.evaluate("() => document.activeElement.classList.contains('cm-content')"):
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.type("e")
    tab_to(page, "Apply")
    page.keyboard.press("Enter")
    editor.get_by_text("Applied by the administrator of dev: iam update_assume_role_policy.").wait_for()
    tab_to(page, "Undo apply")
    page.keyboard.press("Enter")
    editor.get_by_text("Taken back. The world holds what it held before.").wait_for()


def test_the_code_for_it_is_shown(opened: Any) -> None:
    editor = opened.output(1).locator(".sle")
    editor.get_by_text("More", exact=True).click()
    for language, words in {
        "boto3": "client.update_assume_role_policy(",
        "AWS CLI": "aws iam update-assume-role-policy",
        "Terraform": 'resource "aws_iam_role" "web_app"',
    }.items():
        editor.get_by_label("Show as").select_option(language)
        editor.get_by_role("region", name="Policy as code").get_by_text(words).wait_for()
    opened.fits(editor)
    opened.accessible(editor)
    opened.picture("policy-editor-code")
    editor.get_by_label("Show as").select_option("no code")


def tab_to(page: Any, button: str) -> None:
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent") == button:
            return
    raise AssertionError(f"{button} cannot be reached by Tab")


def test_it_can_be_read_in_both_themes_wide_and_narrow(opened: Any) -> None:
    def as_terraform() -> Any:
        editor = opened.output(1).locator(".sle")
        if not editor.get_by_label("Show as").is_visible():
            editor.get_by_text("More", exact=True).click()
        editor.get_by_label("Show as").select_option("Terraform")
        editor.get_by_role("region", name="Policy as code").get_by_text("aws_iam_role").first.wait_for()
        return editor

    opened.readable(editor=as_terraform)
