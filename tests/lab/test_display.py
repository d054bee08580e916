"""How a notebook shows the cloud's answers: for reading, and never as markup of their own."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from simlib import Cloud, lab
from simlib.lab import display


@pytest.fixture(scope="module")
def refused() -> Iterator[Cloud]:
    """A world in which somebody with a strange name was refused."""
    with Cloud.start() as aws:
        iam = aws.account("dev").admin.client("iam")
        iam.create_user(UserName="eve=,.@-")
        eve = aws.sign_in(iam.create_access_key(UserName="eve=,.@-"))
        lab.attempt(eve.client("s3").get_object, Bucket="b", Key="<script>alert(1)</script>")
        lab.attempt(eve.client("iam").get_user, UserName="somebody-else")
        yield aws


def test_an_explanation_is_html_with_the_text_it_has_in_a_terminal(refused: Cloud) -> None:
    html = display.explanation(refused.why())
    assert "iam:GetUser" in html
    assert "eve=,.@-" in html


def test_the_trail_is_a_table_of_its_last_calls(refused: Cloud) -> None:
    html = display.trail(refused.trail)
    assert html.count("<tr") == len(refused.trail) + 1
    assert "Not allowed</span>" in html
    assert html.count("<details") == len(refused.trail)
    assert "It would need an Allow" in html, "each opens what aws.why says of it"
    assert "<script" not in html


def test_a_commands_output_keeps_its_lines_and_is_only_read() -> None:
    assert "<pre>a\n&lt;b&gt;</pre>" in display.terminal("a\n<b>")


def test_an_answer_of_boto3_is_shown_without_what_is_the_same_in_all_of_them(refused: Cloud) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    before = shell.display_formatter.format({"a": 1})[0]["text/plain"]
    display.install(shell)
    answer = refused.account("dev").admin.client("sts").get_caller_identity()
    shown = shell.display_formatter.format(answer)[0]["text/plain"]
    assert "user/lab-admin" in shown
    assert "ResponseMetadata" not in shown
    assert "ResponseMetadata" in answer, "it is all there"
    mine = {"ResponseMetadata": "mine", "a": 1}
    assert "mine" in shell.display_formatter.format(mine)[0]["text/plain"]
    assert shell.display_formatter.format({"a": 1})[0]["text/plain"] == before


def test_what_python_would_print_breaks_at_the_places_of_a_name_and_is_shown_to_its_end() -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    display.install(shell)
    role = "arn:aws:iam::111111111111:role/reports-reader"
    for value in ({"Arn": role}, [role], role, lab.trust(role)):
        html = shell.display_formatter.format(value)[0]["text/html"]
        assert "arn:aws:iam::<wbr>111111111111:<wbr>role/<wbr>reports-reader" in html
    html = shell.display_formatter.format([f"<b>{number}" for number in range(900)])[0]["text/html"]
    assert "&#x27;&lt;b&gt;899&#x27;" in html


def test_a_shell_is_taught_without_importing_the_cloud() -> None:
    from IPython.core.formatters import DisplayFormatter

    class Shell:
        display_formatter = DisplayFormatter()

    display.install(Shell())
    formatter: Any = Shell.display_formatter.formatters["text/html"]
    assert ("simlib.cloud.explain", "Explanation") in formatter.deferred_printers


def test_a_beginning_shows_that_it_works_and_then_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    class Handle:
        def update(self, bundle: Any, raw: bool) -> None:
            shown.append(bundle["text/html"])

    def display(bundle: Any, raw: bool, display_id: bool) -> Handle:
        shown.append(bundle["text/html"])
        return Handle()

    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=True))
    monkeypatch.setattr("IPython.display.display", display)
    with lab.begin(6):
        bar, after = shown
    assert "Lesson 6 begins" in bar
    assert "<progress" in bar
    assert after == ""
