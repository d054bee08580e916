"""CrossAccount without a browser: both sides, the one that is missing, the session, the deputy."""

from __future__ import annotations

from typing import Any

import pytest

from simlib import Cloud, lab
from simlib.iam.vocabulary import DELEGATES
from simlib.lab.explorers.pipe import gates

from .explorer_worlds import ACME, ALICE, LEDGER, PROD, allow, aws, deny, document, trust

__all__ = ["aws"]

BORROW = document(allow("sts:AssumeRole"))
TRUST = "trust policy of reports-reader"


@pytest.fixture
def panel(aws: Cloud) -> lab.CrossAccount:
    return lab.CrossAccount(aws, who="alice", role="reports-reader", requests=[("s3:GetObject", LEDGER)],
                            edit=["alice/borrow", "reports-reader/trust"])  # fmt: skip


@pytest.mark.parametrize(
    ("caller", "owner", "missing", "verdict"),
    [
        (None, None, ["dev", "prod"], "Neither dev nor prod allows it."),
        (BORROW, None, ["prod"], "prod does not allow it."),
        (None, trust({"AWS": ALICE}), ["dev"], "dev does not allow it."),
        (BORROW, trust({"AWS": ALICE}), [], "Both sides allow it."),
        (document(allow("*"), deny("sts:*")), trust({"AWS": ALICE}), ["dev"], "dev denies it."),
        (document(allow("*"), deny("sts:*")), None, ["dev", "prod"], "dev denies it, and prod does not allow it."),
    ],
    ids=[
        "neither",
        "only the caller's",
        "only the owner's",
        "both",
        "the caller's denies",
        "it denies, and the owner's is missing",
    ],
)
def test_the_side_that_is_missing_is_named(
    panel: Any, caller: str | None, owner: str | None, missing: list[str], verdict: str
) -> None:
    if caller:
        panel.edit(caller, "borrow")
    if owner:
        panel.edit(owner, TRUST)
    assert [side.account for side in panel.missing] == missing
    assert panel.answer.allowed == (not missing)
    assert panel.verdict == verdict
    for account in missing:
        assert f"✘ {account}" in str(panel)
    assert panel.html.count("sl-plank is-no") == len(missing), "halves of the bridge"


def test_the_documents_that_decide_the_call_are_marked_on_both_sides(aws: Cloud) -> None:
    edit = ["reports-reader/read-ledger", "reports-reader/trust", "alice/read", "alice/borrow"]
    panel = lab.CrossAccount(aws, who="alice", role="reports-reader", requests=[("s3:GetObject", LEDGER)], edit=edit)
    decide = lambda: [each.name for each in panel.documents if each.decides]  # noqa: E731
    assert decide() == [TRUST, "read"], "none of their statements allows it"
    panel.edit(BORROW, "borrow")
    panel.edit(trust({"AWS": ALICE}), TRUST)
    assert decide() == [TRUST, "borrow"]
    panel.choose(panel.questions[-1].key)
    assert decide() == ["read-ledger"]


@pytest.mark.parametrize("principal", ["dev", "dev:root"])
def test_who_names_the_account_delegates_and_does_not_allow(panel: Any, principal: str) -> None:
    number = ALICE.split(":")[4]
    panel.edit(trust({"AWS": number if principal == "dev" else f"arn:aws:iam::{number}:root"}), TRUST)
    assert "→ prod only delegates, to the caller’s account" in str(panel)
    assert [side.account for side in panel.missing] == ["dev"]
    panel.edit(BORROW, "borrow")
    assert panel.verdict == "The owner’s side delegates, and the caller’s allows it."
    door = next(gate for gate in gates(panel.answer, "alice") if gate.name == "Trust policy")
    assert (door.means, door.decides) == (DELEGATES, False)
    assert "→ Trust policy" in str(panel.choose(panel.call.key) or panel)


def test_then_what_the_session_may_do(panel: Any) -> None:
    assert "What its session could do, if it were allowed\n" in str(panel)
    panel.edit(BORROW, "borrow")
    panel.edit(trust({"AWS": ALICE}), TRUST)
    assert "What its session may do\n" in str(panel)
    assert [each.allowed for each in panel.then] == [True]


def test_a_resource_without_a_role_needs_both_sides_too(aws: Cloud) -> None:
    panel = lab.CrossAccount(aws, who="alice", requests=[("s3:GetObject", LEDGER)])
    assert [side.account for side in panel.missing] == ["prod"]  # alice may read everything
    named = {**allow("s3:GetObject", LEDGER), "Principal": {"AWS": ALICE}}
    panel.edit(document(named), "policy of prod-ledger")
    assert panel.missing == []
    assert "Both sides allow it." in panel.verdict


def test_a_session_needs_nothing_of_a_bucket_in_its_own_account(aws: Cloud) -> None:
    panel = lab.CrossAccount(aws, who="alice", role="reports-reader", requests=[("s3:GetObject", LEDGER)])
    assert [each.name for each in panel.documents] == [TRUST, "read", "read-ledger"]


def test_each_account_has_its_own_documents_beneath_it(panel: Any) -> None:
    caller, owner = panel._documents
    names = [each.name for each in panel.documents]
    assert [names[each] for each in caller] == ["borrow"]
    assert [names[each] for each in owner] == [TRUST]


def test_an_organizations_policy_is_told_by_its_name(aws: Cloud) -> None:
    office = aws.account("office")
    office.admin.client("organizations").create_organization()
    aws.account("dev", organization=office)
    panel = lab.CrossAccount(aws, who="alice", role="reports-reader")
    assert panel.sides[0].policies == ("FullAWSAccess", "read")
    assert "arn:aws:organizations" not in panel.html
    organizations, text = office.admin.client("organizations"), document(deny("sts:*"))
    about = {"Name": "no-sts", "Type": "SERVICE_CONTROL_POLICY", "Description": ""}
    policy = organizations.create_policy(Content=text, **about)["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=policy, TargetId=aws.account("dev").id)
    panel.refresh()
    assert panel.answer.because == "Deny statement 1 of no-sts decides"


def test_in_one_account_one_side_is_enough(aws: Cloud) -> None:
    panel = lab.CrossAccount(aws, who="alice", role="reports")
    assert panel.verdict == "One account: one side is enough."


def test_the_confused_deputy_with_and_without_an_external_id(aws: Cloud) -> None:
    panel = lab.CrossAccount(
        aws, who="acme/scanner", role="prod/reports-reader", external_ids={"for us": "prod-7f3", "for mallory": "m-9"}
    )
    panel.edit(trust({"AWS": ACME}), TRUST)
    assert [each.allowed for each in panel.behalf.values()] == [True, True]
    assert "A confused deputy:" in str(panel)
    panel.edit(trust({"AWS": ACME}, Condition={"StringEquals": {"sts:ExternalId": "prod-7f3"}}), TRUST)
    assert [each.allowed for each in panel.behalf.values()] == [True, False]
    assert panel.confused == ""


def test_where_a_side_has_no_document_there_is_one_to_begin(aws: Cloud) -> None:
    panel = lab.CrossAccount(aws, who="bob", requests=[("s3:GetObject", LEDGER)])
    assert [each.name for each in panel.documents] == ["new-policy", "policy of prod-ledger"]
    assert not panel.stale  # what is not begun is no mistake
    assert all(each.is_blank and not each.errors for each in panel.documents)
    assert panel.documents[0].summary == "○ Not a policy yet. Fill in the gaps."
    assert [side.account for side in panel.missing] == ["dev", "prod"]


@pytest.mark.parametrize(
    ("given", "error"), [({"who": "alice"}, ValueError), ({"who": "alice", "role": "alice"}, LookupError)]
)
def test_mistakes_are_told_in_a_sentence(aws: Cloud, given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=r"call to look at|no role"):
        lab.CrossAccount(aws, **given)


def test_the_account_names_are_told(panel: Any) -> None:
    assert panel.title == "alice → reports-reader"
    assert [side.account for side in panel.sides] == ["dev", "prod"]
    for account in ("dev 111111111111", "prod 222222222222"):
        assert account in str(panel)
    assert PROD in panel.call.resource
