"""The buttons below an editor of a running world, by the messages a browser sends."""

from __future__ import annotations

from typing import Any

import pytest

from simlib import Cloud
from simlib.cloud.inspection import Place
from simlib.lab import PolicyEditor
from tests.lab.test_policy_editor import ask, receive, widget
from tests.lab.test_policy_store import document

ALICE = "arn:aws:iam::111111111111:user/alice"
READ, WRITE = document("s3:GetObject"), document("s3:PutObject")


@pytest.fixture
def aws() -> Any:
    with Cloud.start() as aws:
        iam = aws.account("dev").admin.client("iam")
        iam.create_user(UserName="alice")
        iam.put_user_policy(UserName="alice", PolicyName="read", PolicyDocument=READ)
        yield aws


@pytest.fixture
def editor(aws: Any) -> PolicyEditor:
    return PolicyEditor.of(aws, ALICE, Place("arn:aws:iam::aws:policy/ReadOnlyAccess", "identity"))


def test_applied_taken_back_and_read_again_by_message(
    aws: Any, editor: PolicyEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = widget(editor)
    stored = lambda: aws.inspect.document(editor.front.place).text  # noqa: E731
    assert view.marks["documents"][0]["place"] is True
    assert view.marks["documents"][1]["place"] is False, "AWS's own is only read"
    assert (view.marks["applied"], view.marks["code"]) == (False, "")

    receive(view, texts=[WRITE, view.texts[1]], revision=view.revision + 1)
    assert view.marks["documents"][0]["changed"]
    assert ask(view, monkeypatch, ask="apply", index=0, text=editor.front.text) == []
    assert "s3:PutObject" in stored()
    assert view.marks["documents"][0]["note"] == "Applied by the administrator of dev: iam put_user_policy."
    assert view.marks["applied"]

    ask(view, monkeypatch, ask="take back", index=0, text=editor.front.text)
    assert "s3:GetObject" in stored()
    assert "s3:GetObject" in view.texts[0], "what the world holds is in the editor"

    receive(view, texts=[WRITE, view.texts[1]], revision=view.revision + 1)
    ask(view, monkeypatch, ask="reload", index=0, text=editor.front.text)
    assert "s3:GetObject" in view.texts[0]


def test_the_code_follows_the_text(editor: PolicyEditor) -> None:
    view = widget(editor)
    assert [name for name, _ in view.languages] == ["boto3", "cli", "terraform"]
    receive(view, language="cli")
    assert view.marks["code"].startswith("aws iam put-user-policy")
    receive(view, texts=[WRITE, view.texts[1]], revision=view.revision + 1)
    assert "s3:PutObject" in view.marks["code"]
    receive(view, front=1)
    assert view.marks["code"] == "This policy is AWS's own. Attach another one in its place."
    receive(view, language="cobol")
    assert view.marks["code"] == ""


def test_what_was_typed_last_is_applied_even_if_its_message_is_still_waiting(
    aws: Any, editor: PolicyEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = widget(editor)
    ask(view, monkeypatch, ask="apply", index=0, text=WRITE)
    assert "s3:PutObject" in aws.inspect.document(editor.front.place).text
    receive(view, texts=[WRITE, view.texts[1]], revision=view.revision)
    assert view.marks["documents"][0]["note"].startswith("Applied")
    assert view.marks["revision"] == view.revision


NONSENSE = (
    {"ask": "apply"},
    {"ask": "apply", "index": 9, "text": ""},
    {"ask": "apply", "index": "0", "text": ""},
    {"ask": "destroy", "index": 0, "text": ""},
)


@pytest.mark.parametrize("order", NONSENSE, ids=str)
def test_an_order_that_makes_no_sense_changes_nothing(
    aws: Any, editor: PolicyEditor, monkeypatch: pytest.MonkeyPatch, order: dict[str, Any]
) -> None:
    calls = len(aws.trail)
    assert ask(widget(editor), monkeypatch, **order) == []
    assert len(aws.trail) == calls


def test_what_cannot_be_done_is_said_and_nothing_is_raised(
    aws: Any, editor: PolicyEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = widget(editor)
    ask(view, monkeypatch, ask="apply", index=1, text="changed")
    assert view.marks["documents"][1]["note"] == "This policy is AWS's own. Attach another one in its place."
    aws.account("dev").admin.client("iam").delete_user_policy(UserName="alice", PolicyName="read")
    aws.account("dev").admin.client("iam").delete_user(UserName="alice")
    ask(view, monkeypatch, ask="apply", index=0, text=editor.front.text)
    assert "NoSuchEntity" in view.marks["documents"][0]["findings"][0]["text"]


def test_a_world_that_has_been_stopped_is_told(editor: PolicyEditor, monkeypatch: pytest.MonkeyPatch) -> None:
    view = widget(editor)
    Cloud.running.stop()
    ask(view, monkeypatch, ask="apply", index=0, text=editor.front.text)
    assert "stopped" in view.marks["documents"][0]["note"]


def test_what_goes_wrong_in_the_lab_itself_is_told_too(editor: PolicyEditor, monkeypatch: pytest.MonkeyPatch) -> None:
    view = widget(editor)
    monkeypatch.setattr(type(editor), "apply", lambda *_: 1 / 0)
    ask(view, monkeypatch, ask="apply", index=0, text=editor.front.text)
    told = "This has not worked. Run the cell of this panel again. (ZeroDivisionError: division by zero)"
    assert view.marks["documents"][0]["note"] == told
