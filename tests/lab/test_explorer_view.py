"""The panels that ask on the screen, by messages: what a browser sends, what it gets, what is left behind."""

from __future__ import annotations

import re
from typing import Any

from ipywidgets.widgets.widget import _instances

from simlib import Cloud, lab

from .explorer_worlds import BUCKET, FILE, allow, aws, document, trust

__all__ = ["aws"]

REQUEST = [("s3:GetObject", FILE)]


def shown(panel: Any) -> tuple[Any, Any]:
    """The editor and the page of a panel that is displayed."""
    page = _instances[panel._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"]]
    return (page.hosted[0] if page.hosted else None), page


def words(table: Any) -> str:
    """What can be read on a page, signs and all."""
    return " ".join(re.sub(r"<[^>]*>", "", table.html).split())


def press(table: Any, do: str, value: str = "") -> None:
    content = {"method": "custom", "content": {"do": do, "value": value}}
    table._handle_msg({"content": {"data": content}, "buffers": []})


def type_in(editor: Any, texts: list[str]) -> None:
    state = {"texts": texts, "revision": editor.revision + 1}
    content = {"method": "update", "state": state, "buffer_paths": []}
    editor._handle_msg({"content": {"data": content}, "buffers": []})


def test_what_is_typed_moves_the_verdict_and_lights_the_statement(aws: Cloud) -> None:
    panel = lab.AccessExplorer(aws, who="alice", requests=REQUEST, edit=["alice/read"])
    editor, table = shown(panel)
    assert "✔ Allowed" in words(table)
    type_in(editor, [document({**allow("s3:*"), "Effect": "Deny"})])
    assert "✘ Denied" in words(table)
    assert editor.marks["documents"][0]["remarks"][0]["state"] == "denies"
    type_in(editor, ["{"])
    assert "not a policy yet" in table.html
    assert "✘ Denied" in words(table)


def test_buttons_explain_ask_and_forget(aws: Cloud) -> None:
    panel = lab.AccessExplorer(aws, who="alice", requests=REQUEST, edit=["alice/read"])
    _, table = shown(panel)
    press(table, "action", "s3:GetO")
    assert 'value="s3:GetObject"' in table.html  # offered
    press(table, "action", "s3:PutObject")
    press(table, "resource", f"{BUCKET}/x")
    press(table, "ask")
    assert len(panel.requests) == 2
    assert "alice asks for s3:GetObject" in words(table), "the only one is explained at first"
    press(table, "explain", "0")
    assert "alice asks for s3:GetObject" not in words(table)
    press(table, "forget", "1")
    assert len(panel.requests) == 1
    press(table, "person", "arn:aws:iam::111111111111:user/bob")
    assert len(panel.people) == 2
    press(table, "try")
    assert "cannot be tried" in table.html


def test_circumstances_are_fields(aws: Cloud) -> None:
    panel = lab.TrustExplorer(aws, role="reports")
    editor, table = shown(panel)
    wants = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    type_in(editor, [trust({"AWS": "arn:aws:iam::111111111111:user/alice"}, Condition=wants)])
    assert "Nobody may assume it." in table.html
    press(table, "mfa", "yes")
    assert "Nobody may assume it." not in table.html
    press(table, "search", "bob")
    assert "Nobody may assume it." in table.html
