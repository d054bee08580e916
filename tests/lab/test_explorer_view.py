"""The panels that ask on the screen, by messages: what a browser sends, what it gets, what is left behind."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ipywidgets.widgets.widget import _instances

from simlib import Cloud, lab

from .explorer_worlds import BUCKET, FILE, LEDGER, allow, aws, document, trust

__all__ = ["aws"]

REQUEST = [("s3:GetObject", FILE)]
MAKE = {
    "access": lambda world: lab.AccessExplorer(world, who=["alice", "bob"], requests=REQUEST),
    "trust": lambda world: lab.TrustExplorer(world, role="reports"),
    "cross": lambda world: lab.CrossAccount(
        world,
        who="alice",
        role="reports-reader",
        requests=[("s3:GetObject", LEDGER)],
        external_ids={"us": "1", "m": "2"},
    ),
}


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


@pytest.mark.parametrize("kind", MAKE)
def test_the_page_outside_a_kernel_and_the_text_tell_the_same(aws: Cloud, kind: str) -> None:
    panel = MAKE[kind](aws)
    shown = panel._repr_mimebundle_()
    assert shown["text/plain"] == str(panel)
    assert "data-do" not in shown["text/html"], "nothing to press where nobody listens"
    for each in panel.answers.values():
        assert str(each.verdict) in str(panel) or kind == "trust"


@pytest.mark.parametrize("kind", MAKE)
def test_a_cell_run_again_fifty_times_leaves_no_more_widgets(aws: Cloud, kind: str) -> None:
    from simlib.lab import screen

    panel = MAKE[kind](aws)

    def run() -> tuple[int, int]:
        panel._repr_mimebundle_()
        screen.follow_up()
        return len(_instances), len(screen._followers)

    once = run()
    assert [run() for _ in range(50)][-1] == once


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


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize(
    ("do", "value"),
    [("explain", "x"), ("explain", "999"), ("explain", "-1"), ("forget", "77"), ("person", "<script>"), ("mfa", "??"),
     ("time", "tomorrow"), ("tags", "===,,"), ("source_ip", "not an address"), ("external_id", "\u202e"),
     ("nonsense", "")],
)  # fmt: skip
def test_a_browser_may_send_anything(aws: Cloud, kind: str, do: str, value: str) -> None:
    panel = MAKE[kind](aws)
    _, table = shown(panel)
    press(table, do, value)
    assert "<script" not in table.html
    assert "Traceback" not in table.html


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


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\u202egnirts", "x" * 10_000]


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "attribute", "right-to-left", "long"])
def test_hostile_text_is_only_read(aws: Cloud, text: str) -> None:
    iam = aws.account("dev").admin.client("iam")
    condition = {"StringEquals": {"aws:PrincipalTag/x": text[:900]}}
    iam.put_user_policy(UserName="bob", PolicyName="odd", PolicyDocument=document(allow("s3:*", Condition=condition)))
    for panel in (
        lab.AccessExplorer(aws, who="bob", requests=[("s3:GetObject", f"{BUCKET}/{text}")]),
        lab.CrossAccount(aws, who="bob", role="reports-reader", external_ids={text: text[:1000]}),
        lab.TrustExplorer(aws, role="reports", circumstances={"tags": {"x": text}}),
    ):
        panel.edit(text)
        page = panel.html + shown(panel)[1].html
        for piece in ("<script>", "<img", "\u202e"):
            assert piece not in page
        assert len(page) < 250_000
