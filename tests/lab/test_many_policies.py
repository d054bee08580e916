"""Two hundred policies in a world, and texts that are none: every panel is still of use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simlib import Cloud, lab
from simlib.lab.policy.document import LONGEST
from simlib.lab.policy.view import code_view

from .explorer_worlds import FILE, allow, document, trust

DEV = "111111111111"
READ = document(allow("s3:GetObject", FILE))
MANY = 200


@pytest.fixture(scope="module")
def aws() -> Iterator[Cloud]:
    """Two hundred policies: of forty users one each, a hundred of carol alone, and the rest managed ones."""
    with Cloud.start() as world:
        iam = world.account("dev").admin.client("iam")
        iam.create_role(RoleName="reports", AssumeRolePolicyDocument=trust({"AWS": DEV}))
        for number in range(40):
            iam.create_user(UserName=f"user-{number}")
            iam.put_user_policy(UserName=f"user-{number}", PolicyName="own", PolicyDocument=READ)
        iam.create_role(RoleName="carol", AssumeRolePolicyDocument=trust({"AWS": DEV}))
        for number in range(100):
            iam.put_role_policy(
                RoleName="carol", PolicyName=f"part-{number}", PolicyDocument=document(allow("s3:List*"))
            )
        for number in range(MANY - 140):
            iam.create_policy(PolicyName=f"shared-{number}", PolicyDocument=READ)
        world.account("dev").admin.client("s3").create_bucket(Bucket="my-secure-bucket")
        yield world


def test_an_editor_of_many_documents_edits_one(aws: Cloud) -> None:
    editor = lab.PolicyEditor.of(aws, "carol")
    widget = code_view(editor)
    assert len(widget.documents) == len(widget.texts) == 101
    texts = [*widget.texts]
    texts[7] = READ
    state = {"texts": texts, "revision": widget.revision + 1}
    content = {"method": "update", "state": state, "buffer_paths": []}
    widget._handle_msg({"content": {"data": content}, "buffers": []})
    assert editor["part-7"].changed
    assert [said["changed"] for said in widget.marks["documents"]].count(True) == 1
    assert editor.apply("part-7").allowed


def test_explorers_of_many_policies_answer_and_follow_an_edit(aws: Cloud) -> None:
    access = lab.AccessExplorer(aws, who="carol", requests=[("s3:DeleteObject", FILE)])
    assert not access.answer().allowed
    access.edit(document(allow("s3:*")), "part-99")
    assert access.answer().allowed
    assert len(access.html) < 500_000
    door = lab.TrustExplorer(aws, role="reports")
    assert len(door.attempts) + door.left_out == len(door._people) > 40
    assert len(door.groups) <= 8
    across = lab.CrossAccount(aws, who="carol", role="reports")
    assert "One account" in across.verdict or across.missing


def test_the_graph_of_many_policies_finds_its_way(aws: Cloud) -> None:
    graph = lab.AccessGraph(aws)
    assert graph.paths("user-39", "my-secure-bucket")
    assert len(graph._repr_mimebundle_()["text/html"]) < 1_000_000


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("user-1/own", "AWS takes at most 2,048 characters in the inline policies of a user, white space"),
        ("carol/part-1", "AWS takes at most 10,240 characters in the inline policies of a role, white space"),
        ("reports/trust", "AWS takes at most 2,048 characters in a trust policy"),
        ("my-secure-bucket", "AWS takes at most 20,480 characters in a bucket policy."),
    ],
)
def test_ten_megabytes_are_no_policy_and_the_limit_of_their_kind_is_told(aws: Cloud, place: str, said: str) -> None:
    editor = lab.PolicyEditor.of(aws, place)
    before, policy = editor.front.text, editor.front.policy
    editor.edit("0123456789" * 1_000_000)
    assert "The text has 10,000,000 characters. " + said in editor.front.errors[0].text
    assert editor.front.policy is policy, "the last one that was a policy counts"
    editor.edit(before)
    assert editor.front.text == before
    widget = code_view(editor)
    assert (widget.documents[0]["longest"], widget.documents[0]["limit"][: len(said)]) == (LONGEST, said)


BINARY = [
    "\x00\x01\x02\x1b[31m\x7f",
    "\ufffd" * 20,
    "\ud83d",
    "\u202e\u2066",
    '{"Version": "2012-10-17\x00"}',
    "\r\r\n\x0b",
]


@pytest.mark.parametrize("text", BINARY, ids=repr)
def test_what_is_binary_is_no_policy_and_breaks_nothing(aws: Cloud, text: str) -> None:
    panel = lab.AccessExplorer(aws, who="user-2", requests=[("s3:GetObject", FILE)])
    widget = code_view(panel.editor)
    before = panel.documents[0].text
    for pasted in (text, before[:40] + text + before[40:], text * 10_000):
        panel.edit(pasted)
        assert not panel.documents[0].complete
        assert panel.stale
        assert panel.answer().allowed, "the last verdict stays"
        for page in (panel.html, str(widget.marks)):
            page.encode()  # no half characters
            assert not any(char in page for char in "\x00\x1b\x7f\u202e")
        assert panel.html
    panel.edit(before)
    assert not panel.stale
