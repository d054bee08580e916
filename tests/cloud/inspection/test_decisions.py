"""Asking a world what its gate would decide: the same answer as the gate's, with edited documents too."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simlib import Policy
from simlib.cloud.inspection import Place
from simlib.cloud.transport.refusals import Refusal
from simlib.iam import Evaluation

from ..conftest import allow, deny, document, trust
from .conftest import ALICE, BOB, BUCKET, DEV, EC2, FILE, PROD, READER, World

Call = Callable[[Any], Any]
# what is called, and what the gate decides for it
CALLS: dict[str, tuple[Call, str, str]] = {
    "reads a file": (lambda i: i.client("s3").get_object(Bucket="reports", Key="a.csv"), "s3:GetObject", FILE),
    "lists": (lambda i: i.client("s3").list_objects_v2(Bucket="reports"), "s3:ListBucket", BUCKET),
    "deletes the bucket": (lambda i: i.client("s3").delete_bucket(Bucket="reports"), "s3:DeleteBucket", BUCKET),
    "lists users": (lambda i: i.client("iam").list_users(), "iam:ListUsers", f"arn:aws:iam::{DEV}:user/"),
    "borrows": (
        lambda i: i.client("sts").assume_role(RoleArn=READER, RoleSessionName="session"),
        "sts:AssumeRole",
        READER,
    ),
}


def outcome(evaluation: Evaluation) -> tuple[str, list[tuple[str, str, list[tuple[str, list[int]]]]]]:
    """Everything a decision consists of."""
    checks = [
        (c.check_type, c.effect, [(m.policy.name, [s.index for s in m.statements]) for m in c.matched_policies])
        for c in evaluation.checks
    ]
    return evaluation.effect, checks


@pytest.mark.parametrize("call", CALLS)
def test_it_decides_as_the_gate_does(world: World, call: str) -> None:
    make, action, resource = CALLS[call]
    met = set()
    for name, identity in world.who.items():
        if call == "lists users" and name in ("the other administrator", "frank", "grace"):
            continue  # they list those of their own account
        with suppress(ClientError):
            make(identity)
        event = world.aws.trail[-1]
        if not event.evaluations:  # refused before any policy was read: so is the question
            if name == "root":
                assert not world.inspect.ask(event.who, action, resource).allowed
                continue
            with pytest.raises(Refusal) as refused:
                world.inspect.ask(event.access_key_id, action, resource)
            assert refused.value.code == event.error_code
            continue
        decided = event.evaluations[0]
        assert (decided.action, decided.resource) == (action, resource)
        who = event.access_key_id if event.session else event.who
        asked = world.inspect.ask(who, action, resource)
        assert outcome(asked) == outcome(decided), name
        keys = {key.lower() for key in asked.context} ^ {key.lower() for key in decided.context}
        assert keys <= {"s3:prefix", "s3:delimiter", "s3:max-keys", "s3:authtype", "s3:signatureversion",
                        "s3:x-amz-content-sha256", "s3:signatureage"}, name  # fmt: skip
        met.add(asked.effect)
    assert len(met) > (call == "lists users")


def test_looking_leaves_no_trace(world: World) -> None:
    before, sessions = len(world.aws.trail), world.inspect.version
    world.inspect.principals()
    world.inspect.documents(ALICE)
    world.inspect.ask(READER, "s3:GetObject", FILE)
    assert len(world.aws.trail) == before
    assert world.inspect.version == sessions


def parse(kind: str, *statements: dict[str, Any]) -> Policy:
    return Policy.parse(document(*statements), kind)


CAGE, GROUP = f"arn:aws:iam::{DEV}:policy/cage", f"arn:aws:iam::{DEV}:group/developers"
CAROL, FRANK = f"arn:aws:iam::{DEV}:user/carol", f"arn:aws:iam::{PROD}:user/frank"
GET, PUT, LIST = ("s3:GetObject", FILE), ("s3:PutObject", FILE), ("s3:ListBucket", BUCKET)
ASSUME = ("sts:AssumeRole", READER)
# what is done to a document, its place and what stands there then, who asks for what, whether it was and is allowed
EDITS: list[tuple[str, Place, str | dict[str, Any] | None, str, tuple[str, str], tuple[bool, bool]]] = [
    ("an inline one is changed", Place(ALICE, "identity", "inline"), allow("s3:PutObject"), ALICE, GET, (True, False)),
    ("it is taken away", Place(ALICE, "identity", "inline"), None, ALICE, GET, (True, False)),
    ("a new one is added", Place(ALICE, "identity", "new"), allow("s3:PutObject"), ALICE, PUT, (False, True)),
    ("the group's is taken away", Place(GROUP, "identity", "list"), None, ALICE, LIST, (True, False)),
    ("the group gets another", Place(GROUP, "identity", "more"), allow("s3:*"), ALICE, PUT, (False, True)),
    ("a managed one is a boundary", Place(CAGE, "boundary"), allow("s3:*"), CAROL, LIST, (False, True)),
    ("the boundary is taken away", Place(CAGE, "boundary"), None, CAROL, LIST, (False, True)),
    ("alice gets a boundary", Place(ALICE, "boundary"), allow("s3:ListBucket"), ALICE, GET, (True, False)),
    ("the bucket's policy goes", Place(BUCKET, "resource"), None, BOB, GET, (True, False)),
    ("an SCP above the account", Place(PROD, "scp"), deny("s3:*"), FRANK, GET, (True, False)),
    ("a session policy", Place(READER, "session"), allow("s3:ListBucket"), READER, GET, (True, False)),
    ("the trust policy names bob", Place(READER, "trust"), trust({"AWS": BOB}), BOB, ASSUME, (False, True)),
    ("the trust policy names a service", Place(READER, "trust"), trust({"Service": EC2}), EC2, ASSUME, (False, True)),
    ("a place that has nothing to do with it", Place(BOB, "identity", "inline"), deny("*"), ALICE, GET, (True, True)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "new", "who", "asked", "expected"), [e[1:] for e in EDITS], ids=[e[0] for e in EDITS]
)
def test_edited_documents_count_in_place_of_the_stored(
    world: World, place: Place, new: Any, who: str, asked: tuple[str, str], expected: tuple[bool, bool]
) -> None:
    policy = new and Policy.parse(document(new) if isinstance(new, dict) else new, place.kind)
    before = world.inspect.ask(who, *asked).allowed
    after = world.inspect.ask(who, *asked, instead={place: policy}).allowed
    assert (before, after) == expected
    assert world.inspect.ask(who, *asked).allowed == before


def test_an_edit_that_is_saved_is_what_the_world_then_decides(world: World) -> None:
    edited = parse("identity", allow("s3:PutObject"))
    asked = world.inspect.ask(ALICE, "s3:GetObject", FILE, instead={Place(ALICE, "identity", "inline"): edited})
    iam = world.aws.account("dev").admin.client("iam")
    iam.put_user_policy(UserName="alice", PolicyName="inline", PolicyDocument=json.dumps(edited.document))
    assert asked.effect == world.inspect.ask(ALICE, "s3:GetObject", FILE).effect == "IMPLICIT_DENY"


def test_circumstances_count_whatever_the_case_of_their_keys(world: World) -> None:
    erin = f"arn:aws:iam::{DEV}:user/erin"
    ask = world.inspect.ask
    assert not ask(erin, "s3:GetObject", FILE).allowed
    assert ask(erin, "s3:GetObject", FILE, circumstances={"AWS:multifactorauthpresent": "true"}).allowed
    here = ask(ALICE, "s3:GetObject", FILE)
    assert here.context["aws:SourceIp"] == world.aws.source_ip
    assert (
        ask(ALICE, "s3:GetObject", FILE, circumstances={"aws:sourceip": "192.0.2.1"}).context["aws:sourceip"]
        == "192.0.2.1"
    )
    assert "aws:SourceIp" not in ask(ALICE, "s3:GetObject", FILE, circumstances={"aws:SourceIp": None}).context


def test_a_session_is_there_as_long_as_it_lives(world: World) -> None:
    first = next(each for each in world.inspect.principals() if each.name == "reader/first")
    world.aws.clock.advance(hours=2)
    assert "reader/first" not in [each.name for each in world.inspect.principals()]
    with pytest.raises(Refusal) as refused:
        world.inspect.ask(first, "s3:GetObject", FILE)
    assert refused.value.code == "ExpiredToken"


def test_tokens_ask_with_what_they_claim(world: World) -> None:
    provider = world.aws.oidc_provider()
    token = provider.workflow_token("example/shop")
    iam = world.aws.account("dev").admin.client("iam")
    (bearer,) = [each for each in world.inspect.principals() if each.kind == "token"]
    assert bearer.name == "repo:example/shop:ref:refs/heads/main"
    with pytest.raises(Refusal, match="No OpenIDConnect provider found"):
        world.inspect.ask(bearer, "sts:AssumeRoleWithWebIdentity", READER)
    arn = iam.create_open_id_connect_provider(Url=provider.url, ClientIDList=["sts.amazonaws.com"])[
        "OpenIDConnectProviderArn"
    ]
    key = "token.actions.githubusercontent.com:sub"
    for subject, expected in (("repo:example/shop:*", True), ("repo:example/other:*", False)):
        policy = trust({"Federated": arn}, "sts:AssumeRoleWithWebIdentity", Condition={"StringLike": {key: subject}})
        iam.update_assume_role_policy(RoleName="reader", PolicyDocument=policy)
        asked = world.inspect.ask(bearer, "sts:AssumeRoleWithWebIdentity", READER)
        sts = world.aws.account("dev").admin.client("sts")
        with suppress(ClientError):
            sts.assume_role_with_web_identity(RoleArn=READER, RoleSessionName="session", WebIdentityToken=token)
        assert outcome(asked) == outcome(world.aws.trail[-1].evaluations[0])
        assert asked.allowed == expected


def test_somebody_of_an_unknown_account_needs_only_the_owners_side(world: World) -> None:
    mallory = "arn:aws:iam::555555555555:user/mallory"
    assert not world.inspect.ask(mallory, "sts:AssumeRole", READER).allowed
    opened = {Place(READER, "trust"): Policy.parse(trust({"AWS": "555555555555"}), "trust")}
    assert world.inspect.ask(mallory, "sts:AssumeRole", READER, instead=opened).allowed
    assert world.inspect.ask("555555555555", "sts:AssumeRole", READER, instead=opened).allowed
