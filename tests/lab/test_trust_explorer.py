"""TrustExplorer without a browser: everybody who might try, in or out, and why."""

from __future__ import annotations

from typing import Any

import pytest

from simlib import Cloud, lab

from .explorer_worlds import ALICE, BOB, DEV, FILE, READ, allow, aws, document, trust

__all__ = ["aws"]

ROLE = f"arn:aws:iam::{DEV}:role/reports"
NOT_NAMED = "The trust policy does not name this caller"


@pytest.fixture
def panel(aws: Cloud) -> lab.TrustExplorer:
    return lab.TrustExplorer(aws, role="reports")


def inside(panel: Any) -> list[str]:
    return [panel.name(each.who) for each in panel.attempts if each.inside]


def test_everybody_has_a_row(aws: Cloud, panel: Any) -> None:
    names = [panel.name(each.who) for each in panel.attempts]
    assert {"alice (dev)", "bob (dev)", "a session of this role itself", "ec2.amazonaws.com", "root user (dev)",
            "a session of scanner (acme)", "a stranger in account 999999999999", "anonymous"} <= set(names)  # fmt: skip
    assert inside(panel) == ["alice (dev)"]
    assert panel.title == "Who may assume reports (dev)?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (trust({"AWS": BOB}), ["bob (dev)"]),
        (trust({"Service": "ec2.amazonaws.com"}), ["ec2.amazonaws.com"]),
        (trust({"AWS": ROLE}), ["a session of this role itself"]),
        (trust({"AWS": f"arn:aws:iam::{DEV}:root"}), ["lab-admin (dev)"]),
        (trust({"AWS": "999999999999"}), ["a stranger in account 999999999999"]),
        (trust({"AWS": [ALICE, BOB]}, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}), []),
    ],
    ids=["bob", "EC2", "itself", "the account", "a stranger's account", "with MFA"],
)
def test_the_trust_policy_decides_who_is_in(panel: Any, text: str, expected: list[str]) -> None:
    panel.edit(text)
    assert inside(panel) == expected


def test_why_is_one_line_and_the_account_gets_a_second_word(panel: Any) -> None:
    assert panel.attempt("bob").why == NOT_NAMED
    panel.edit(trust({"AWS": DEV}))
    bob = panel.attempt("bob")
    assert bob.why == "Trusted, but not allowed by the caller's own identity policies"
    assert bob.second == "The trust policy names the account, so the caller's own policy must allow it, too."
    assert panel.attempt(f"arn:aws:iam::{DEV}:root").why == "Roles may not be assumed by root users"
    assert "own policy must allow it, too." in str(panel)
    assert "own policy must allow it, too" in panel.html


def test_a_condition_that_does_not_fit_is_the_reason(panel: Any) -> None:
    panel.edit(trust({"AWS": ALICE}, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    assert "aws:MultiFactorAuthPresent is absent" in panel.attempt("alice").why
    panel.under(mfa=True)
    assert inside(panel) == ["alice (dev)"]


def test_an_edit_of_the_callers_policy_counts_too(aws: Cloud) -> None:
    panel = lab.TrustExplorer(aws, role="reports", edit=["bob/borrow"])
    panel.edit(trust({"AWS": DEV}), "trust policy of reports")
    assert "bob (dev)" not in inside(panel)
    panel.edit(document(allow("sts:AssumeRole")), "borrow")
    assert "bob (dev)" in inside(panel)


def test_tokens_are_callers(aws: Cloud) -> None:
    provider = aws.oidc_provider()
    iam = aws.account("dev").admin.client("iam")
    arn = iam.create_open_id_connect_provider(Url=provider.url, ClientIDList=["sts.amazonaws.com"])[
        "OpenIDConnectProviderArn"
    ]
    ours, fork = provider.workflow_token("example/shop"), provider.workflow_token("mallory/shop")
    key = "token.actions.githubusercontent.com:sub"
    iam.update_assume_role_policy(
        RoleName="reports",
        PolicyDocument=trust(
            {"Federated": arn}, "sts:AssumeRoleWithWebIdentity", Condition={"StringLike": {key: "repo:example/*"}}
        ),
    )
    panel = lab.TrustExplorer(aws, role="reports", who=[ours, fork])
    assert [each.inside for each in panel.attempts] == [True, False]
    assert key in panel.attempts[1].why
    assert f"role in dev {DEV} · sts:AssumeRoleWithWebIdentity" in str(panel)


def test_who_gets_in_stands_inside_and_the_others_under_their_reasons(panel: Any) -> None:
    assert inside(panel) == ["alice (dev)"]
    assert sum(map(len, panel.groups.values())) + 1 == len(panel.attempts)
    assert "a session of this role itself" in [panel.name(each.who) for each in panel.groups[NOT_NAMED]]
    assert f"✘ {NOT_NAMED} {len(panel.groups[NOT_NAMED])}" in str(panel)
    panel.edit(trust({"AWS": BOB}))
    assert "✔ bob (dev) (was ✘ outside)" in str(panel)
    assert "alice (dev) was inside" in str(panel)


def test_the_marks_of_the_door_name_whom_they_let_in(panel: Any) -> None:
    panel.edit(trust({"AWS": [ALICE, BOB]}))
    (remark,) = panel.documents[0].remarks.values()
    assert (remark.word, remark.owners) == ("lets in", ("alice (dev)", "bob (dev)"))


def test_sessions_of_one_name_are_told_apart_and_found_by_what_they_are_called(aws: Cloud) -> None:
    alice = aws.sign_in(aws.account("dev").admin.client("iam").create_access_key(UserName="alice"))
    for _ in range(2):
        alice.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="lesson")
    panel = lab.TrustExplorer(aws, role="reports")
    names = [panel.name(each.who) for each in panel.attempts if each.who.kind == "session"]
    assert len(set(names)) == 2
    for name in names:
        assert name.startswith("reports/lesson ASIA…")
        assert panel.name(panel.attempt(name).who) == name
    with pytest.raises(LookupError, match=r"'reports/lesson' could be any of: reports/lesson ASIA…\w{4}, "):
        panel.attempt("reports/lesson")


def test_whom_the_policy_names_has_a_row_however_many_there_are(aws: Cloud) -> None:
    iam = aws.account("dev").admin.client("iam")
    for number in range(30):
        iam.create_user(UserName=f"person-{number}")
    last = f"arn:aws:iam::{DEV}:user/person-29"
    panel = lab.TrustExplorer(aws, role="reports")
    panel.edit(trust({"AWS": last}))
    assert inside(panel) == ["person-29 (dev)"]


def test_a_role_of_which_there_are_two_is_asked_for_with_its_account(aws: Cloud) -> None:
    prod = aws.account("prod").admin.client("iam")
    prod.create_role(RoleName="reports", AssumeRolePolicyDocument=trust({"AWS": DEV}))
    with pytest.raises(LookupError, match=r"'reports' could be any of: dev/reports, prod/reports\."):
        lab.TrustExplorer(aws, role="reports")
    assert lab.TrustExplorer(aws, role="prod/reports").role.account != DEV
    aws.account("dev").admin.client("iam").create_user(UserName="scanner")
    assert lab.TrustExplorer(aws, role="scanner").role.kind == "role", "a user of that name cannot be meant"


def test_what_they_would_hold(aws: Cloud) -> None:
    assert lab.TrustExplorer(aws, role="reports").permissions == [("Allow s3:ListBucket, s3:GetObject", "*", None)]
    asked = lab.TrustExplorer(aws, role="reports", requests=[("s3:GetObject", FILE), ("s3:PutObject", FILE)])
    assert [str(verdict) for *_, verdict in asked.permissions] == ["✔ Allowed", "✘ Not allowed"]
    may = document({**allow("s3:*"), "Resource": ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"]})
    aws.account("dev").admin.client("iam").put_role_policy(RoleName="reports", PolicyName="s3", PolicyDocument=may)
    assert "photos, photos/*" in str(lab.TrustExplorer(aws, role="reports"))


def test_many_callers_are_cut_and_can_be_searched(aws: Cloud) -> None:
    iam = aws.account("dev").admin.client("iam")
    for number in range(30):
        iam.create_user(UserName=f"person-{number}")
    panel = lab.TrustExplorer(aws, role="reports")
    assert "more: search by name" in panel.more
    panel.search("nobody")
    assert "No caller has “nobody” in name, kind or account." in str(panel)
    panel.search("person-29")
    assert [panel.name(each.who) for each in panel.attempts] == ["person-29 (dev)"]
    panel.search("service")
    assert all(each.who.kind == "service" for each in panel.attempts)


def test_half_typed_text_keeps_the_last_verdicts(panel: Any) -> None:
    panel.edit(trust({"AWS": BOB}))
    panel.edit(READ)  # no trust policy
    assert inside(panel) == ["bob (dev)"]
    assert "is not a policy yet" in str(panel)


def test_only_a_role_can_be_borrowed(aws: Cloud) -> None:
    with pytest.raises(LookupError, match="no role"):
        lab.TrustExplorer(aws, role="alice")


def test_a_role_that_is_deleted_meanwhile_is_told_as_gone(aws: Cloud, panel: Any) -> None:
    iam = aws.account("dev").admin.client("iam")
    for name in iam.list_role_policies(RoleName="reports")["PolicyNames"]:
        iam.delete_role_policy(RoleName="reports", PolicyName=name)
    iam.delete_role(RoleName="reports")
    panel.refresh()
    assert inside(panel) == []
    assert panel.permissions == []
    assert "Nobody may assume it." in str(panel)
