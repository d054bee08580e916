"""AccessExplorer without a browser: verdicts, before and after, should be, circumstances, reality."""

from __future__ import annotations

from typing import Any

import pytest

from simlib import Cloud, lab
from simlib.lab.explorers.pipe import gates

from .explorer_worlds import ALICE, BUCKET, FILE, READ, allow, aws, deny, document

__all__ = ["aws"]

GET, PUT = ("s3:GetObject", FILE), ("s3:PutObject", f"{BUCKET}/new")


@pytest.fixture
def panel(aws: Cloud) -> lab.AccessExplorer:
    return lab.AccessExplorer(aws, who="alice", requests=[GET, PUT], edit=["alice/read"])


def changes(panel: Any) -> list[str]:
    """For each question what its verdict was before, "" where it was the same."""
    return [before.word if (before := panel.before(each)) else "" for each in panel.questions]


def words(panel: Any) -> list[str]:
    columns = range(len(panel.people))
    return [panel.answer(row, column).word for row in range(len(panel.requests)) for column in columns]


@pytest.mark.parametrize(
    ("statements", "expected", "because"),
    [
        ([allow("s3:*")], "Allowed", "Allow statement 1 of read decides"),
        (
            [allow("s3:*"), deny("s3:Get*", Sid="NoReading")],
            "Denied",
            "Deny statement 2 (NoReading) of read decides",
        ),
        ([allow("s3:PutObject")], "Not allowed", "No statement allows it"),
    ],
)
def test_an_edit_moves_the_verdict_and_names_the_statement(
    panel: Any, statements: list[Any], expected: str, because: str
) -> None:
    panel.edit(document(*statements))
    answer = panel.answer(0)
    assert (answer.word, answer.because) == (expected, because)
    assert because in str(panel)
    assert because in panel.html


def test_the_world_is_listed_when_it_has_changed_and_not_with_every_key(
    aws: Cloud, panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, listed = type(aws.inspect).resources, list[int]()
    monkeypatch.setattr(type(aws.inspect), "resources", lambda self: listed.append(1) or ask(self))
    panel.edit(document(allow("s3:*")))
    assert "nobody else" in panel.page().html(live=True)
    assert listed == []
    aws.account("dev").admin.client("iam").create_user(UserName="newcomer")
    panel.follow()
    assert "newcomer" in panel.page().html(live=True)
    assert listed


def test_half_typed_text_keeps_the_last_verdicts_and_says_what_is_missing(panel: Any) -> None:
    panel.edit(document(deny("s3:*")))
    panel.edit("{")
    assert panel.stale
    assert words(panel) == ["Denied", "Denied"]
    assert "read is not a policy yet. Line 1, column 2" in str(panel)
    assert 'class="sl-stale"' in panel.html
    panel.edit(READ)
    assert not panel.stale
    assert words(panel) == ["Allowed", "Not allowed"]


def test_what_an_edit_has_moved_is_told_beside_what_it_was(panel: Any) -> None:
    panel.edit(document(allow("s3:PutObject")))
    assert changes(panel) == ["Allowed", "Not allowed"]
    assert "✘ Not allowed (was ✔ Allowed)" in str(panel)
    assert "Your text, not applied yet: read." in str(panel)
    panel.edit(READ)
    assert changes(panel) == ["", ""]


def test_what_a_cell_has_moved_is_told_too(aws: Cloud, panel: Any) -> None:
    iam = aws.account("dev").admin.client("iam")
    iam.put_user_policy(UserName="alice", PolicyName="read", PolicyDocument=document(allow("s3:PutObject")))
    panel.refresh()
    assert changes(panel) == ["Allowed", "Not allowed"]
    assert "s3:PutObject" in panel.documents[0].text


def test_nothing_changes_in_the_world_until_it_is_applied(aws: Cloud, panel: Any) -> None:
    panel.edit(document(deny("s3:*")))
    assert aws.inspect.ask(ALICE, *GET).allowed
    panel.editor.apply()
    assert not aws.inspect.ask(ALICE, *GET).allowed
    assert "Applied by the administrator of dev" in str(panel)


def test_a_policy_that_is_taken_away_in_the_world_counts_no_more(aws: Cloud, panel: Any) -> None:
    iam = aws.account("dev").admin.client("iam")
    iam.delete_user_policy(UserName="alice", PolicyName="read")
    panel.refresh()
    assert words(panel) == ["Not allowed", "Not allowed"]
    assert panel.documents[0].is_blank, "nobody has a text here that waits to be applied"
    assert panel.documents[0].summary == "✔ A valid policy.", "it has no gaps to fill in"
    iam.put_user_policy(UserName="alice", PolicyName="read", PolicyDocument=READ)
    panel.refresh()
    assert words(panel) == ["Allowed", "Not allowed"]
    assert not panel.documents[0].is_blank


def test_a_matrix_of_identities_and_requests(aws: Cloud) -> None:
    key = aws.sign_in(aws.account("dev").admin.client("iam").create_access_key(UserName="alice"))
    panel = lab.AccessExplorer(aws, who=["alice", "bob", "reports"], requests=[GET, PUT])
    assert words(panel) == ["Allowed", "Not allowed", "Allowed", "Not allowed", "Not allowed", "Not allowed"]
    assert "alice: ✘ Not allowed" in str(panel)
    assert "2 of 6 allowed" in str(panel)
    assert lab.AccessExplorer(aws, who=key, requests=[GET]).people[0].arn == ALICE


def test_a_row_of_the_matrix_has_the_number_that_its_marks_name(aws: Cloud) -> None:
    panel = lab.AccessExplorer(aws, who=["alice", "bob"], requests=[GET, PUT])
    panel.choose(panel.questions[3].key)
    assert [number in panel.html for number in ('<span class="sl-n">1</span>', '<span class="sl-n">2</span>')] == [
        True
    ] * 2
    assert "shown in the editor: bob 2" in str(panel)
    assert "Try row 2 as bob for real" in panel.page().html(live=True)
    one = lab.AccessExplorer(aws, who=["alice", "bob"], requests=[GET])
    assert '<span class="sl-n">' not in one.html
    assert "Try it as alice for real" in one.page().html(live=True)


def test_the_seven_gates_and_the_one_that_decides(aws: Cloud, panel: Any) -> None:
    found = gates(panel.answer(1), "alice")
    assert [gate.name for gate in found] == [
        "Resource control policies", "Service control policies", "VPC endpoint policy", "Resource policy",
        "Identity policies", "Permissions boundary", "Session policy",
    ]  # fmt: skip
    (decides,) = [gate for gate in found if gate.decides]
    assert str(decides).startswith(
        "Identity policies: No statement allows it. Allow statement 1 of read does not match"
    )
    assert str(decides).endswith("– decides")


def test_before_a_row_is_chosen_the_editor_says_for_which_rows_a_statement_does_what(panel: Any) -> None:
    (remark,) = panel.documents[0].remarks.values()
    assert (remark.word, remark.owners) == ("allows", ("1",))
    panel.edit(document(allow("s3:*"), deny("s3:GetObject")))
    allows, denies = panel.documents[0].remarks.values()
    assert (allows.word, allows.owners, denies.word, denies.owners) == ("allows", ("2",), "denies", ("1",))


def test_the_row_that_the_editor_shows_is_marked_in_both(panel: Any) -> None:
    panel.show("1")
    assert str(panel).count("shown in the editor: row 2") == 1
    (remark,) = panel.documents[0].remarks.values()
    assert (remark.state, remark.owners) == ("missed", ())
    assert "s3:PutObject is not in Action" in remark.reason
    panel.show("1")
    assert "shown in the editor" not in str(panel)


def test_what_makes_no_sense_gets_its_sentence(panel: Any) -> None:
    for action, resource, said in (
        ("s3:GetObjekt", FILE, "AWS has no action “s3:GetObjekt”."),
        ("", FILE, "The action is missing."),
        ("s3:GetObject", "x", "“x” is not an ARN."),
        ("s3:GetObject", "arn:aws:s3:::", "“arn:aws:s3:::” is not an ARN."),
        ("s3:GetObject", "", "The resource is missing."),
    ):
        panel.commands["action"](action)
        panel.commands["resource"](resource)
        panel.commands["ask"]("")
        assert said in str(panel).partition("Requests")[2], "beside the fields, not above the panel"
    assert len(panel.requests) == 2


@pytest.mark.parametrize(
    ("field", "nonsense", "like"),
    [
        ("time", "tomorrow", "2026-12-31T10:00"),
        ("source_ip", "203.0.113", "203.0.113.10"),
        ("tags", "team", "team=blue"),
    ],
)
def test_a_circumstance_that_is_not_one_gets_its_sentence_and_the_last_one_stays(
    panel: Any, field: str, nonsense: str, like: str
) -> None:
    panel.commands[field](like)
    before = panel.circumstances
    panel.commands[field](nonsense)
    assert f"“{nonsense}” is not complete. Write it like {like}." in str(panel)
    assert panel.circumstances == before
    panel.commands[field]("")
    assert "is not complete" not in str(panel)
    assert panel.circumstances == {}


def test_circumstances_count_for_all_or_for_one_request(aws: Cloud) -> None:
    iam = aws.account("dev").admin.client("iam")
    wants = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    iam.put_user_policy(UserName="bob", PolicyName="mfa", PolicyDocument=document(allow("s3:*", Condition=wants)))
    panel = lab.AccessExplorer(aws, who="bob", requests=[GET, (*GET, {"mfa": True})])
    assert words(panel) == ["Not allowed", "Allowed"]
    panel.under(mfa=True)
    assert words(panel) == ["Allowed", "Allowed"]
    assert "Under these circumstances: MFA" in str(panel)
    panel.under(mfa=None)
    assert words(panel) == ["Not allowed", "Allowed"]


@pytest.mark.parametrize(
    ("circumstance", "key", "value"),
    [
        ({"source_ip": "192.0.2.7"}, "aws:SourceIp", "192.0.2.7"),
        ({"time": "2030-01-01T00:00:00"}, "aws:CurrentTime", "2030-01-01T00:00:00Z"),
        ({"external_id": "shop"}, "sts:ExternalId", "shop"),
        ({"tags": {"team": "blue"}}, "aws:PrincipalTag/team", "blue"),
        ({"request_tags": {"team": "blue"}}, "aws:RequestTag/team", "blue"),
        ({"aws:SourceVpc": "vpc-1"}, "aws:SourceVpc", "vpc-1"),
    ],
)
def test_the_words_for_circumstances_are_condition_keys(
    aws: Cloud, circumstance: dict[str, Any], key: str, value: str
) -> None:
    panel = lab.AccessExplorer(aws, who="alice", requests=[GET], circumstances=circumstance)
    assert panel.answer(0).evaluation.context[key] == value


def test_really_trying_shows_that_reality_agrees(aws: Cloud, panel: Any) -> None:
    aws.account("dev").admin.client("iam").create_access_key(UserName="alice")
    assert "The panel says the same." in panel.try_it()
    assert panel.trial_text == "Really tried: AWS carried it out. The panel says the same."
    panel.choose(panel.questions[1].key)
    assert "The panel says the same." in panel.try_it()
    assert "AccessDenied" in panel.trial_text
    panel.edit(document(allow("s3:*")))
    panel.choose(panel.questions[1].key)
    assert "The panel says the same." not in panel.try_it()
    assert "Your text is not saved yet" in str(panel)


def test_what_cannot_be_tried_says_why(aws: Cloud) -> None:
    panel = lab.AccessExplorer(aws, who=["alice", "anonymous"], requests=[("ec2:RunInstances", "*"), GET])
    assert "does not know a call" in panel.try_it()
    panel.choose(panel.questions[2].key)
    assert "no credentials" in panel.try_it()


def test_a_request_is_added_and_taken_out(panel: Any) -> None:
    panel.ask("s3:ListBucket", BUCKET)
    assert words(panel) == ["Allowed", "Not allowed", "Allowed"]
    panel.forget(0)
    assert words(panel) == ["Not allowed", "Allowed"]
    panel.add("bob")
    assert len(words(panel)) == 4


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"who": "alcie"}, LookupError, "nobody here called 'alcie'"),
        ({"who": "lab-admin"}, LookupError, "Say which"),
        ({"who": []}, ValueError, "Nobody is asked about"),
        ({"who": "alice", "circumstances": {"ip": "x"}}, ValueError, "is no circumstance"),
    ],
)
def test_mistakes_are_told_in_a_sentence(aws: Cloud, given: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        lab.AccessExplorer(aws, **{"requests": [GET, PUT], **given})


def test_a_request_that_is_no_pair_gets_a_sentence(aws: Cloud) -> None:
    with pytest.raises(ValueError, match="A request is a pair"):
        lab.AccessExplorer(aws, who="alice", requests=["s3:GetObject"])  # type: ignore[list-item]


def test_a_request_nobody_can_make_is_an_answer_and_no_exception(aws: Cloud) -> None:
    panel = lab.AccessExplorer(aws, who="alice", requests=[("nonsense", "x"), GET])
    assert panel.answer(0).word == "Refused"
    assert "is not an action" in panel.answer(0).because
    assert panel.answer(1).allowed


def test_what_was_taken_out_can_be_put_back(aws: Cloud) -> None:
    panel = lab.AccessExplorer(aws, who="alice", requests=[GET, PUT])
    panel.commands["forget"]("0")
    assert words(panel) == ["Not allowed"]
    assert 'data-do="restore"' in panel.page().html(live=True)
    panel.commands["restore"]("")
    assert words(panel) == ["Allowed", "Not allowed"]
    assert 'data-do="restore"' not in panel.page().html(live=True)
    panel.commands["restore"]("")
    assert len(panel.requests) == 2
