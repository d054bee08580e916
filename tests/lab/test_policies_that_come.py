"""A policy that is attached, changed or taken away while a panel is open: a tab for it, and nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest

from simlib import Cloud, lab
from simlib.lab import screen
from simlib.lab.policy.view import code_view

from .explorer_worlds import ALICE, FILE, READ, allow, aws, deny, document

__all__ = ["aws"]

REQUEST = [("s3:GetObject", FILE)]
WRITE = document(allow("s3:PutObject"))


def attach(world: Cloud, name: str, text: str = WRITE, user: str = "alice") -> None:
    iam = world.account("dev").admin.client("iam")
    iam.put_user_policy(UserName=user, PolicyName=name, PolicyDocument=text)
    screen.follow_up()


def names(editor: Any) -> list[str]:
    return [each.name for each in editor.documents]


def typed(widget: Any, texts: list[str], revision: int) -> None:
    """What the browser sends while one types."""
    state = {"texts": texts, "revision": revision}
    content = {"data": {"method": "update", "state": state, "buffer_paths": []}}
    widget._handle_msg({"content": content, "buffers": []})


def test_a_policy_that_is_attached_gets_a_tab_and_what_is_typed_stays(aws: Cloud) -> None:
    editor = lab.PolicyEditor.of(aws, "alice")
    widget = code_view(editor)
    half = READ.replace("Allow", "Den")
    typed(widget, [half], 1)
    attach(aws, "write")
    assert names(editor) == ["read", "write"]
    assert [each["name"] for each in widget.documents] == names(editor)
    assert widget.documents[1]["text"] == WRITE
    assert widget.texts == [half], "no text is sent that may be older than what is typed"
    typed(widget, [half + " "], 2)  # by a browser that has not heard of it yet
    assert [each.text for each in editor.documents] == [half + " ", WRITE]
    typed(widget, [READ, WRITE + " "], 3)
    assert [each.text for each in editor.documents] == [READ, WRITE + " "]


def test_an_unedited_text_follows_the_world_and_an_edited_one_stays(aws: Cloud) -> None:
    attach(aws, "write")
    editor = lab.PolicyEditor.of(aws, "alice")
    mine = document(deny("s3:*"))
    editor.edit(mine, "read")
    for name in ("read", "write"):
        attach(aws, name, document(allow("s3:List*")))
    editor.follow()
    assert editor["read"].text == mine
    assert editor["write"].text == document(allow("s3:List*"))
    assert editor["read"].changed
    assert not editor["write"].changed


@pytest.mark.parametrize(
    ("text", "shown"), [("", READ), ('{"Version": ', '{"Version": ')], ids=["not begun", "half a text"]
)
def test_a_blank_takes_what_comes_and_half_a_text_stays(aws: Cloud, text: str, shown: str) -> None:
    editor = lab.PolicyEditor.of(aws, "bob/own")
    editor.edit(text or editor.front.text)
    attach(aws, "own", READ, user="bob")
    editor.follow()
    assert editor.front.text == shown
    assert not editor.front.is_blank


def test_a_policy_that_is_taken_away_counts_no_more_and_its_text_can_be_applied_again(aws: Cloud) -> None:
    panel = lab.AccessExplorer(aws, who="alice", requests=REQUEST)
    assert panel.answer().allowed
    aws.account("dev").admin.client("iam").delete_user_policy(UserName="alice", PolicyName="read")
    panel.refresh()
    assert not panel.answer().allowed
    assert names(panel) == ["read"]
    panel.editor.apply("read")
    assert panel.answer().allowed


def test_a_panel_without_a_document_gets_an_editor_when_there_is_one(aws: Cloud) -> None:
    panel = lab.AccessExplorer(aws, who="bob", requests=REQUEST)
    assert panel.editor is None
    shown = panel._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"]
    from ipywidgets.widgets.widget import _instances

    page = _instances[shown]
    assert not page.hosted
    attach(aws, "own", READ, user="bob")
    assert len(page.hosted) == 1
    assert ">Allowed<" in page.html
    panel.edit(document(deny("s3:*")))
    assert ">Denied<" in page.html, "it watches the new editor"
    open_before = len(_instances)
    for _ in range(3):
        panel._repr_mimebundle_()
    assert len(_instances) == open_before


def test_two_of_one_name_are_told_apart(aws: Cloud) -> None:
    editor = lab.PolicyEditor.of(aws, "alice", "bob/new")
    attach(aws, "new")
    attach(aws, "read", user="bob")
    editor.follow()
    assert names(editor) == ["read", "new", "new of alice"], "of bob one document was asked for"


@pytest.mark.parametrize(
    ("name", "documents"),
    [
        ("alice", ["read"]),
        ("dev/alice", ["read"]),
        (ALICE, ["read"]),
        ("alice/read", ["read"]),
        ("prod/reports-reader", ["read-ledger", "trust policy of reports-reader"]),
        ("reports-reader/trust", ["trust policy of reports-reader"]),
        ("my-secure-bucket", ["policy of my-secure-bucket"]),
    ],
)
def test_an_editor_takes_short_names(aws: Cloud, name: str, documents: list[str]) -> None:
    assert names(lab.PolicyEditor.of(aws, name)) == documents


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lab-admin", "'lab-admin' could be any of: dev/lab-admin, prod/lab-admin, acme/lab-admin."),
        ("alcie", "There is nobody here called 'alcie'. Did you mean 'alice'"),
        ("alcie/read", "Did you mean 'alice'"),
        ("bob", 'Name one to write, like this: "bob/a-name"'),
    ],
)
def test_a_name_that_is_none_or_several_is_told_in_a_sentence(aws: Cloud, name: str, said: str) -> None:
    with pytest.raises(LookupError) as told:
        lab.PolicyEditor.of(aws, name)
    assert said in str(told.value)
