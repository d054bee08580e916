"""The policy panel, without a browser: verdicts, deciding statements, half-typed text, hostile text, saving."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simlib import Cloud
from simlib.lab import PolicyPanel

BUCKET = "arn:aws:s3:::my-secure-bucket"
LIST, GET, PUT = ("s3:ListBucket", BUCKET), ("s3:GetObject", f"{BUCKET}/report.csv"), ("s3:PutObject", f"{BUCKET}/new")
TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)


def statement(effect: str, action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


READ = document(statement("Allow", ["s3:ListBucket", "s3:GetObject"]))


@pytest.fixture(scope="module")
def aws() -> Iterator[Cloud]:
    with Cloud.start() as world:
        admin = world.account("dev").admin
        admin.client("s3").create_bucket(Bucket="my-secure-bucket")
        admin.client("iam").create_role(RoleName="web", AssumeRolePolicyDocument=document(TRUST))
        yield world


@pytest.fixture
def iam(aws: Cloud) -> Any:
    return aws.account("dev").admin.client("iam")


@pytest.fixture
def panel(aws: Cloud, iam: Any) -> PolicyPanel:
    iam.put_role_policy(RoleName="web", PolicyName="read", PolicyDocument=READ)
    return PolicyPanel(aws, account=aws.account("dev"), role="web", policy="read", requests=[LIST, GET, PUT])


def verdicts(panel: PolicyPanel) -> list[str]:
    return [row.word for row in panel.rows]


def test_it_begins_with_what_the_world_holds(panel: PolicyPanel) -> None:
    assert json.loads(panel.text) == json.loads(READ)
    assert verdicts(panel) == ["Allowed", "Allowed", "Not allowed"]


@pytest.mark.parametrize(
    ("statements", "expected", "decided"),
    [
        ([statement("Allow", "s3:*")], "Allowed", "Decided by Allow statement 1 of read"),
        (
            [statement("Allow", "s3:Get*"), statement("Allow", "s3:List*")],
            "Allowed",
            "Decided by Allow statement 2 of read",
        ),
        (
            [statement("Allow", "s3:*"), statement("Deny", "s3:ListBucket", Sid="NoLists")],
            "Denied",
            "Decided by Deny statement 2 (NoLists) of read",
        ),
        ([statement("Deny", "*"), statement("Allow", "*")], "Denied", "Decided by Deny statement 1 of read"),
        ([statement("Allow", "s3:GetObject")], "Not allowed", "No statement allows it"),
        ([statement("Allow", "s3:*", "arn:aws:s3:::other")], "Not allowed", "No statement allows it"),
        (
            [statement("Allow", "s3:*", Condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})],
            "Not allowed",
            "No statement allows it",
        ),
        (
            [statement("Allow", "s3:*", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})],
            "Allowed",
            "Decided by Allow statement 1 of read",
        ),
    ],
)
def test_an_edit_moves_the_verdict_and_names_the_statement(
    panel: PolicyPanel, statements: list[dict[str, Any]], expected: str, decided: str
) -> None:
    panel.edit(document(*statements))
    assert (panel.rows[0].word, panel.rows[0].decided_by) == (expected, decided)
    assert decided in str(panel)
    assert decided in panel.html


def test_where_nothing_allows_it_says_why_each_statement_does_not(panel: PolicyPanel) -> None:
    panel.edit(document(statement("Allow", "s3:GetObject")))
    assert panel.rows[0].near_misses == [
        "Allow statement 1 of read does not match: the action s3:ListBucket is not in Action s3:GetObject"
    ]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (READ[:40], "is not closed on its line"),
        (READ.partition('"Effect"')[0], "is never closed"),
        (READ.replace('"Allow"', '"Alow"'), "Line 5, column 17: Effect is Alow; it must be Allow or Deny"),
        (READ.replace('"Action"', '"Acton"'), "Acton"),
        (READ.replace('"s3:GetObject"', ""), "Nothing follows this comma"),
        ("", "The text is empty"),
        ("[]", "must be an object"),
        ("\u202e{<script>", "Line 1"),
    ],
)
def test_half_typed_text_keeps_the_last_verdicts_and_says_what_is_missing(
    panel: PolicyPanel, broken: str, said: str
) -> None:
    panel.edit(broken)
    assert said in panel.problem_text
    assert panel.problem_text.startswith("Line ")
    assert verdicts(panel) == ["Allowed", "Allowed", "Not allowed"]
    assert "sl-stale" in panel.html
    assert "Last verdicts" in str(panel)
    panel.edit(READ)
    assert panel.problem_text == ""
    assert "sl-stale" not in panel.html


def test_what_aws_would_save_but_is_wrong_is_said_too(panel: PolicyPanel) -> None:
    panel.edit(READ.replace("s3:GetObject", "s3:GetObjct"))
    assert "did you mean s3:GetObject?" in panel.html
    assert verdicts(panel)[1] == "Not allowed"


def test_the_roles_other_policies_and_the_buckets_policy_count(aws: Cloud, iam: Any) -> None:
    iam.put_role_policy(RoleName="web", PolicyName="read", PolicyDocument=READ)
    iam.put_role_policy(RoleName="web", PolicyName="other", PolicyDocument=document(statement("Allow", "s3:PutObject")))
    s3 = aws.account("dev").admin.client("s3")
    denied = statement(
        "Deny",
        "s3:ListBucket",
        BUCKET,
        Principal="*",
        Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/web"}},
    )
    s3.put_bucket_policy(Bucket="my-secure-bucket", Policy=document(denied))
    try:
        panel = PolicyPanel(aws, account=aws.account("dev"), role="web", policy="read", requests=[LIST, PUT])
        assert [row.decided_by for row in panel.rows] == [
            f"Decided by Deny statement 1 of the policy of {BUCKET}",
            "Decided by Allow statement 1 of other",
        ]
    finally:
        s3.delete_bucket_policy(Bucket="my-secure-bucket")
        iam.delete_role_policy(RoleName="web", PolicyName="other")


def test_nothing_changes_in_the_world_until_it_is_saved(panel: PolicyPanel, iam: Any) -> None:
    panel.edit(document(statement("Deny", "s3:*")))
    stored = iam.get_role_policy(RoleName="web", PolicyName="read")["PolicyDocument"]
    assert stored == json.loads(READ)
    panel.save()
    assert panel.note == "Saved to the role web."
    assert iam.get_role_policy(RoleName="web", PolicyName="read")["PolicyDocument"] == json.loads(panel.text)


def test_what_aws_does_not_take_is_not_saved_and_told_in_its_words(panel: PolicyPanel, iam: Any) -> None:
    panel.edit(READ[:50])
    panel.save()
    assert panel.note.startswith("AWS refused it: ")
    assert iam.get_role_policy(RoleName="web", PolicyName="read")["PolicyDocument"] == json.loads(READ)


def test_to_start_again_is_to_see_what_the_world_holds(panel: PolicyPanel) -> None:
    panel.edit("{")
    panel.reload()
    assert json.loads(panel.text) == json.loads(READ)
    assert panel.problems == ()


def test_a_policy_that_is_not_there_yet_can_be_begun(aws: Cloud) -> None:
    panel = PolicyPanel(aws, account=aws.account("dev"), role="web", policy="brand-new", requests=[LIST])
    assert (panel.text, panel.rows) == ("", ())
    assert "The text is empty" in str(panel)


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><b>', "x" * 10_000]
)
def test_hostile_text_is_only_read(panel: PolicyPanel, hostile: str) -> None:
    panel.edit(document(statement("Allow", hostile)))
    panel.edit(hostile)
    page = "".join(panel._repr_mimebundle_()[kind] for kind in ("text/html",)) + panel.html
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>x" not in page
    assert len(panel.html) < 40_000


def test_the_screen_sends_what_is_typed_and_shows_what_follows(panel: PolicyPanel) -> None:
    from ipywidgets.widgets.widget import _instances

    box = _instances[panel._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"]]
    (editor, (save, _)), verdict = (box.children[0].children[0], box.children[0].children[1].children), box.children[1]
    state = {"method": "update", "state": {"value": document(statement("Deny", "s3:*"))}, "buffer_paths": []}
    editor._handle_msg({"content": {"data": state}, "buffers": []})
    assert "✘ Denied" in verdict.value
    assert "Decided by Deny statement 1 of read" in verdict.value
    save.click()
    assert "Saved to the role web." in verdict.value


def test_a_cell_run_again_fifty_times_leaves_no_more_widgets(panel: PolicyPanel) -> None:
    from ipywidgets.widgets.widget import _instances

    def run() -> int:
        panel._repr_mimebundle_()
        return len(_instances)

    once = run()
    assert [run() for _ in range(50)][-1] == once
