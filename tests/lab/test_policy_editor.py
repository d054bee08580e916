"""The policy editor without a browser: mistakes at their places, deciding statements, hostile text, the messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simlib.iam import Policy, PolicySet, Request, evaluate
from simlib.lab import PolicyDocument, PolicyEditor

BUCKET = "arn:aws:s3:::my-secure-bucket"
ALICE = "arn:aws:iam::111111111111:user/alice"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)


def statement(effect: str, action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": "*", **more}


READ = document(statement("Allow", "s3:GetObject", Sid="Read"), statement("Deny", "s3:PutObject"))


@pytest.fixture
def editor() -> PolicyEditor:
    return PolicyEditor({"read-bucket": READ, "other": document(statement("Allow", "s3:*"))})


def decide(editor: PolicyEditor, action: str) -> None:
    request = Request(ALICE, action, f"{BUCKET}/report.csv")
    editor.light(evaluate(request, PolicySet(identity=tuple(each.policy for each in editor.documents if each.policy))))


def said(editor: PolicyEditor, name: str = "read-bucket") -> list[str]:
    return [str(remark) for remark in editor[name].remarks.values()]


# -- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "marked", "told"),
    [
        (
            '"Allow"',
            '"Alow"',
            '"Alow"',
            "Line 5, column 17: Effect is Alow; it must be Allow or Deny. Did you mean Al",
        ),
        ('"Action"', '"Acton"', '"Acton"', "Line 6, column 7: "),
        ('"Allow",', '"Allow"', '"Action"', "Line 6, column 7: "),
        ('"Effect": "Allow",\n', "", "{", "Line 4, column 5: "),
        ("]\n}", "]\n", "", "Line 16, column 1: "),
        ('"2012-10-17"', "2012", "2012", "Line 2, column 14: "),
        ("\n}", "\n} x", "x", "Line "),
    ],
)
def test_a_mistake_is_marked_where_it_stands(editor: PolicyEditor, old: str, new: str, marked: str, told: str) -> None:
    text = READ.replace(old, new, 1) if old != "\n}" else READ + " x"
    editor.edit(text)
    marks = {text[found.start : found.end]: f"{found.place}: {found.text}" for found in editor.front.errors}
    assert marks[marked].startswith(told)
    assert f"Mistake. {told}" in str(editor)
    assert editor.front.summary.startswith("✘ Not a policy yet: ")


def test_what_aws_would_save_but_is_wrong_is_a_warning_apart(editor: PolicyEditor) -> None:
    editor.edit(READ.replace("s3:GetObject", "s3:GetObjct"), "read-bucket")
    assert editor.front.errors == []
    assert [finding.text for finding in editor.front.warnings] == [
        "The service s3 has no action GetObjct. Did you mean s3:GetObject?"
    ]
    assert editor.front.summary == "✔ A valid policy, with 1 warning."
    assert "⚠ Careful. Line 6, column 17: The service s3" in str(editor)


def test_the_kind_of_a_document_decides_what_is_a_mistake() -> None:
    text = document({"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"})
    assert PolicyDocument("trust", "trust", text).complete
    assert not PolicyDocument("identity", "identity", text).complete


def test_where_a_policy_is_stored_decides_how_long_it_may_be() -> None:
    text = document(*(statement("Allow", "s3:GetObject", Sid=f"S{number}") for number in range(40)))
    assert PolicyDocument("managed", text=text, stored_as="managed").complete
    (finding,) = PolicyDocument("inline", text=text, stored_as="user").errors
    assert "2,048" in finding.text


@pytest.mark.parametrize("text", ["", " ", "[", "[" * 100_000, "x" * 300_000, "\u202e", "\ud800", "{}", "[]", "null"])
def test_whatever_is_typed_is_read(editor: PolicyEditor, text: str) -> None:
    editor.edit(text)
    assert editor.front.errors
    assert all(len(finding.text) < 700 for finding in editor.front.findings)
    assert editor.front.policy is not None, "the last complete text still counts"


def test_line_ends_of_other_systems_are_line_ends(editor: PolicyEditor) -> None:
    editor.edit(READ.replace("\n", "\r\n"))
    assert editor.front.text == READ


# -- which statement decides ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "remarks"),
    [
        (
            "s3:GetObject",
            [
                "✔ Allow statement 1 (Read) allows",
                "– Deny statement 2 does not match: the action s3:GetObject is not in Action s3:PutObject",
            ],
        ),
        (
            "s3:PutObject",
            [
                "– Allow statement 1 (Read) does not match: the action s3:PutObject is not in Action s3:GetObject",
                "✘ Deny statement 2 denies",
            ],
        ),
    ],
)
def test_every_statement_says_what_it_did(editor: PolicyEditor, action: str, remarks: list[str]) -> None:
    decide(editor, action)
    assert said(editor) == remarks
    assert all(remark in str(editor) for remark in remarks)


@pytest.mark.parametrize(
    ("principal", "identity", "remark"),
    [
        (ALICE, [], "✔ Allow statement 1 allows"),
        (ALICE.split(":")[4], [], "→ Allow statement 1 only delegates"),
        (ALICE.split(":")[4], [statement("Allow", "*")], "→ Allow statement 1 only delegates"),
    ],
    ids=["the user", "the account, which allows nothing", "the account, which allows"],
)
def test_a_statement_that_names_the_account_delegates(
    principal: str, identity: list[dict[str, Any]], remark: str
) -> None:
    written = document({**statement("Allow", "*"), "Principal": {"AWS": principal}})
    editor = PolicyEditor([PolicyDocument("bucket policy", "resource", written)])
    policies = PolicySet(tuple(Policy.parse(document(each)) for each in identity), resource=editor.front.policy)
    editor.light(evaluate(Request(ALICE, "s3:GetObject", f"{BUCKET}/report.csv"), policies))
    assert said(editor, "bucket policy") == [remark]


def test_an_allow_that_a_deny_beats_matches_and_does_not_decide(editor: PolicyEditor) -> None:
    decide(editor, "s3:PutObject")
    assert said(editor, "other") == ["○ Allow statement 1 matches"]


def test_statements_know_where_they_stand(editor: PolicyEditor) -> None:
    stood = [READ[span.start : span.end] for span in editor.front.spans]
    assert [json.loads(text)["Action"] for text in stood] == ["s3:GetObject", "s3:PutObject"]
    editor.edit('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}')
    (span,) = editor.front.spans
    assert json.loads(editor.front.text[span.start : span.end])["Action"] == "*"


def test_half_typed_text_keeps_what_was_said_of_the_last_complete_one(editor: PolicyEditor) -> None:
    decide(editor, "s3:GetObject")
    before = said(editor)
    editor.edit(READ[:60])
    assert said(editor) == before
    assert "The last complete text:" in str(editor)
    editor.light(None)
    assert said(editor) == []


# -- the model --------------------------------------------------------------------------------------------------------


def test_a_watcher_may_decide_again_at_every_change(editor: PolicyEditor) -> None:
    drawn: list[list[str]] = []
    editor.on_draw = lambda: drawn.append(said(editor))
    editor.on_edit = lambda: decide(editor, "s3:GetObject")
    editor.edit(READ.replace('"Allow"', '"Deny"'))
    assert len(drawn) == 1, "drawn once, when all is known"
    assert drawn[0] == said(editor)
    assert said(editor)[0] == "✘ Deny statement 1 (Read) denies"


def test_documents_have_names_of_their_own() -> None:
    with pytest.raises(ValueError, match="a name of its own"):
        PolicyEditor([PolicyDocument("one"), PolicyDocument("one")])
    with pytest.raises(ValueError, match="needs documents"):
        PolicyEditor([])
    with pytest.raises(ValueError, match="kind must be one of"):
        PolicyDocument("one", "identiy")
    with pytest.raises(KeyError, match="no document 'two'"):
        PolicyEditor([PolicyDocument("one")]).show("two")


def test_one_text_or_an_object_will_do() -> None:
    assert PolicyEditor(READ).front.text == READ
    assert PolicyEditor({"read": json.loads(READ)}).front.text == READ


def test_without_a_screen_nothing_of_a_widget_is_imported() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from simlib.lab import PolicyEditor; print(PolicyEditor('{}')); print('ipywidgets' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.splitlines()[-1] == "False"


# -- the view, by messages --------------------------------------------------------------------------------------------


def widget(editor: PolicyEditor) -> Any:
    from ipywidgets.widgets.widget import _instances

    return _instances[editor._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"]]


def receive(view: Any, **state: Any) -> None:
    data = {"method": "update", "state": state, "buffer_paths": []}
    view._handle_msg({"content": {"data": data}, "buffers": []})


def ask(view: Any, monkeypatch: pytest.MonkeyPatch, **question: Any) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    monkeypatch.setattr(view, "send", answers.append)
    view._handle_msg({"content": {"data": {"method": "custom", "content": question}}, "buffers": []})
    return answers


def test_what_is_typed_arrives_and_what_follows_is_sent(editor: PolicyEditor) -> None:
    view = widget(editor)
    receive(view, texts=[READ.replace('"Allow"', '"Alow"'), view.texts[1]], revision=view.revision + 1)
    assert editor.front.errors
    marks = view.marks["documents"][0]
    assert view.marks["revision"] == view.revision
    assert marks["stale"]
    finding = marks["findings"][0]
    assert editor.front.text[finding["start"] : finding["end"]] == '"Alow"'


def test_what_python_writes_is_sent(editor: PolicyEditor) -> None:
    view = widget(editor)
    before = view.revision
    editor.edit("{}", "other")
    assert view.texts[1] == "{}"
    assert view.revision == view.marks["revision"] == before + 1
    editor.show("other")
    assert view.front == 1
    receive(view, front=0)
    assert editor.front.name == "read-bucket"


def test_a_document_that_is_not_to_be_changed_is_not(editor: PolicyEditor) -> None:
    editor["other"].read_only = True
    view = widget(editor)
    receive(view, texts=[READ, "changed"], revision=view.revision + 1)
    assert editor["other"].text != "changed"
    assert view.texts[1] == editor["other"].text


@pytest.mark.parametrize(
    "state",
    [{"texts": [], "revision": 7}, {"texts": [READ], "revision": 7}, {"front": 9}, {"front": -1}],
)
def test_a_message_that_makes_no_sense_changes_nothing(editor: PolicyEditor, state: dict[str, Any]) -> None:
    before = str(editor)
    receive(widget(editor), **state)
    assert str(editor) == before
    assert editor.front.name == "read-bucket"


def test_words_are_asked_for_by_message(editor: PolicyEditor, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"Id": "😀", "Statement": [{"Effect": "De"}]}'
    offset = text.index('De"') + 2
    (answer,) = ask(widget(editor), monkeypatch, ask="words", id="1", index=0, text=text, offset=offset, asked=True)
    assert answer == {
        "id": "1",
        "start": offset - 2,
        "end": offset + 1,
        "before": "",
        "after": '"',
        "words": ({"text": "Deny", "detail": ""},),
    }


@pytest.mark.parametrize(
    "question", [{}, {"ask": "words"}, {"ask": "words", "id": "1", "index": 9, "text": "", "offset": 0, "asked": True}]
)
def test_a_question_that_makes_no_sense_is_not_answered(
    editor: PolicyEditor, monkeypatch: pytest.MonkeyPatch, question: dict[str, Any]
) -> None:
    assert ask(widget(editor), monkeypatch, **question) == []
