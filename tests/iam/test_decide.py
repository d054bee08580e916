"""``python -m simlib decide``: scenarios in, answers out, in the same order, whatever the lines hold."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simlib.__main__ import main as command
from simlib.iam import scenario as scenarios
from simlib.iam.request import LONGEST
from simlib.iam.scenario import POLICY_FIELDS, World, decide, decide_line, main, watched
from tests.iam.differential.scenarios import scenario as draw
from tests.iam.shorthand import ALICE, CAROL, EC2, KEY, OBJECT, OTHER, OWN, ROLE, SESSION, TARGET, allow, deny

READ = {"principal": ALICE, "action": "s3:GetObject", "resource": OBJECT}
ALLOWED = {"Version": "2012-10-17", "Statement": [allow("s3:*", Sid="All")]}
DENIED = {"Statement": deny()}


def answer(scenario: Any) -> dict[str, Any]:
    return decide_line(json.dumps(scenario).encode())


def test_an_answer_has_the_form_that_is_promised() -> None:
    scps = [
        [{"Statement": allow()}],
        [{"Statement": allow()}, {"Statement": [deny("ec2:*"), deny("s3:Get*", Sid="No")]}],
    ]
    assert answer({**READ, "id": 7, "identity_policies": [DENIED, ALLOWED], "scps": scps}) == {
        "id": 7,
        "decision": "EXPLICIT_DENY",
        "checks": [
            {
                "check_type": "SERVICE_CONTROL_POLICY",
                "effect": "ALLOW",
                "matched": [{"policy": "scps[0][0]", "sid": None, "index": 0, "effect": "ALLOW"}],
            },
            {
                "check_type": "SERVICE_CONTROL_POLICY",
                "effect": "EXPLICIT_DENY",
                "matched": [
                    {"policy": "scps[1][0]", "sid": None, "index": 0, "effect": "ALLOW"},
                    {"policy": "scps[1][1]", "sid": "No", "index": 1, "effect": "DENY"},
                ],
            },
            {
                "check_type": "PRINCIPAL",
                "effect": "EXPLICIT_DENY",
                "matched": [
                    {"policy": "identity_policies[0]", "sid": None, "index": 0, "effect": "DENY"},
                    {"policy": "identity_policies[1]", "sid": "All", "index": 0, "effect": "ALLOW"},
                ],
            },
        ],
        "message": f'User: {ALICE} is not authorized to perform: s3:GetObject on resource: "{OBJECT}" '
        "with an explicit deny in a service control policy",
    }


def test_an_allow_has_no_message() -> None:
    assert answer({**READ, "identity_policies": [ALLOWED]})["message"] == ""


@pytest.mark.parametrize("identifier", [None, 0, 1.5, "x", True, "ü\n"])
def test_the_id_comes_back_as_it_was(identifier: Any) -> None:
    assert answer({**READ, "id": identifier})["id"] == identifier
    assert answer({"id": identifier})["id"] == identifier


FEDERATED = {"principal": CAROL, "action": "s3:GetObject", "resource": OBJECT, "identity_policies": [ALLOWED]}
TO_ALICE = {"Statement": {**allow(), "Principal": {"AWS": ALICE}}}
TRUST = {"Statement": {"Effect": "Allow", "Principal": {"AWS": ALICE}, "Action": "sts:AssumeRole"}}

# every field of a scenario, seen to count
FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "identity_policies": ({**READ, "identity_policies": [ALLOWED]}, "ALLOW"),
    "permissions_boundary": ({**READ, "identity_policies": [ALLOWED], "permissions_boundary": DENIED}, "EXPLICIT_DENY"),
    "session_policies": ({**READ, "identity_policies": [ALLOWED], "session_policies": [DENIED]}, "EXPLICIT_DENY"),
    "several session policies": ({**FEDERATED, "session_policies": [{"Statement": []}, ALLOWED]}, "ALLOW"),
    "no session policies": ({**FEDERATED, "session_policies": []}, "IMPLICIT_DENY"),
    "resource_policy": ({**READ, "resource_policy": TO_ALICE}, "ALLOW"),
    "resource_policy of a key": (
        {**READ, "action": "kms:Decrypt", "resource": KEY, "resource_policy": TO_ALICE},
        "ALLOW",
    ),
    "resource_policy of a role": (
        {"principal": ALICE, "action": "sts:AssumeRole", "resource": TARGET, "resource_policy": TRUST},
        "ALLOW",
    ),
    "resource_account": ({**READ, "resource_account": OTHER, "identity_policies": [ALLOWED]}, "IMPLICIT_DENY"),
    "scps": ({**READ, "identity_policies": [ALLOWED], "scps": [[]]}, "IMPLICIT_DENY"),
    "rcps": (
        {**READ, "identity_policies": [ALLOWED], "rcps": [[{"Statement": deny("s3:*", Principal="*")}]]},
        "EXPLICIT_DENY",
    ),
    "vpc_endpoint_policies": (
        {**READ, "identity_policies": [ALLOWED], "vpc_endpoint_policies": [{"Statement": []}]},
        "IMPLICIT_DENY",
    ),
    "role_arn": (
        {
            "principal": SESSION,
            "action": "s3:GetObject",
            "resource": OBJECT,
            "role_arn": f"arn:aws:iam::{OWN}:role/team/app",
            "resource_policy": {"Statement": allow(Principal={"AWS": f"arn:aws:iam::{OWN}:role/team/app"})},
        },
        "ALLOW",
    ),
    "without role_arn the role has no path": (
        {
            "principal": SESSION,
            "action": "s3:GetObject",
            "resource": OBJECT,
            "resource_policy": {"Statement": allow(Principal={"AWS": ROLE})},
        },
        "ALLOW",
    ),
    "context": (
        {
            **READ,
            "context": {"aws:SourceIp": "10.0.0.1", "aws:TagKeys": ["a"], "n": 5, "b": True},
            "identity_policies": [{"Statement": allow(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})}],
        },
        "ALLOW",
    ),
    "null is as good as absent": (
        {
            **READ,
            "context": None,
            "scps": None,
            "role_arn": None,
            "resource_policy": None,
            "identity_policies": [ALLOWED],
        },
        "ALLOW",
    ),
    "a service": ({"principal": EC2, "action": "s3:GetObject", "resource": OBJECT}, "IMPLICIT_DENY"),
    "nobody": ({"principal": "anonymous", "action": "s3:GetObject", "resource": OBJECT}, "IMPLICIT_DENY"),
}


@pytest.mark.parametrize(("scenario", "decision"), FIELDS.values(), ids=FIELDS)
def test_every_field_counts(scenario: dict[str, Any], decision: str) -> None:
    assert answer(scenario).get("decision") == decision


BAD: dict[str, tuple[bytes, str, str]] = {
    "no JSON": (b"garbage", "", ""),
    "half a line": (b'{"principal": "arn:aws:', "", ""),
    "no object": (b"[]", "", "a scenario is a JSON object"),
    "no UTF-8": (b'{"id": "\xff"}', "", "this line is not UTF-8"),
    "a name twice": (b'{"id": 1, "id": 2}', "id", ""),
    "NaN": (b'{"id": NaN}', "id", ""),
    "too many brackets": (b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "", ""),
    "no principal": (b'{"action": "s3:GetObject", "resource": "*"}', "principal", "a scenario needs this field"),
    "no action": (f'{{"principal": "{ALICE}", "resource": "*"}}'.encode(), "action", "a scenario needs this field"),
    "no resource": (
        f'{{"principal": "{ALICE}", "action": "s3:Get"}}'.encode(),
        "resource",
        "a scenario needs this field",
    ),
}


@pytest.mark.parametrize(("line", "path", "message"), BAD.values(), ids=BAD)
def test_a_bad_line_is_answered_in_place(line: bytes, path: str, message: str) -> None:
    error = decide_line(line)["error"]
    assert error["message"].startswith(message)
    assert error["message"]
    assert not path or error["path"] == path


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt field": ({"scp": []}, "scp"),
    "a principal that is none": ({"principal": "alice"}, "principal"),
    "a principal that is a number": ({"principal": 5}, "principal"),
    "an action without a service": ({"action": "GetObject"}, "action"),
    "an action with a wildcard": ({"action": "s3:*"}, "action"),
    "an action without a name": ({"action": "s3:"}, "action"),
    "an action that is a list": ({"action": ["s3:GetObject"]}, "action"),
    "a resource that is a list": ({"resource": ["*"]}, "resource"),
    "an account that is none": ({"resource_account": "1234"}, "resource_account"),
    "an account that is a number": ({"resource_account": 111111111111}, "resource_account"),
    "a context that is a list": ({"context": []}, "context"),
    "a context value that is an object": ({"context": {"a": {}}}, "context.a"),
    "a context value that is null": ({"context": {"a": None}}, "context.a"),
    "a context value that is a list of lists": ({"context": {"a": [["b"]]}}, "context.a"),
    "a context key twice": ({"context": {"aws:SourceIp": "a", "AWS:sourceip": "b"}}, "context"),
    "a role of another session": ({"principal": SESSION, "role_arn": TARGET}, "role_arn"),
    "a role that is a number": ({"principal": SESSION, "role_arn": 5}, "role_arn"),
    "policies that are an object": ({"identity_policies": ALLOWED}, "identity_policies"),
    "a policy that is text": ({"identity_policies": [ALLOWED, "{}"]}, "identity_policies[1]"),
    "a policy with a mistake": (
        {"identity_policies": [{"Statement": [allow(), allow("GetObject")]}]},
        "identity_policies[0].Statement[1].Action",
    ),
    "a policy that is no policy": ({"permissions_boundary": {}}, "permissions_boundary"),
    "a resource policy with a mistake": (
        {"resource_policy": {"Statement": allow(Principal={"AWS": "alice"})}},
        "resource_policy.Statement.Principal.AWS",
    ),
    "levels that are policies": ({"scps": [ALLOWED]}, "scps[0]"),
    "an SCP with a mistake": ({"scps": [[], [{"Statement": {}}]]}, "scps[1][0].Statement"),
    "an RCP that allows something": ({"rcps": [[{"Statement": allow("s3:*", Principal="*")}]]}, "rcps[0][0].Statement"),
    "an endpoint policy with a mistake": (
        {"vpc_endpoint_policies": [{"Statement": {}}]},
        "vpc_endpoint_policies[0].Statement",
    ),
    "a session policy with a mistake": ({"session_policies": [5]}, "session_policies[0]"),
    "a trust policy with a resource": (
        {
            "action": "sts:AssumeRole",
            "resource": TARGET,
            "resource_policy": {"Statement": allow("sts:AssumeRole", Principal="*")},
        },
        "resource_policy.Statement.Resource",
    ),
    "an id that is a list": ({"id": []}, "id"),
    "open keys that are one text": ({"unknown_context": "aws:SourceIp"}, "unknown_context"),
    "an open key that is a number": ({"unknown_context": [5]}, "unknown_context"),
    "an open key that is known": (
        {"unknown_context": ["aws:sourceip"], "context": {"aws:SourceIp": "10.0.0.1"}},
        "unknown_context",
    ),
    "a context in words": ({"context": "anything"}, "context"),
    "a set that is a word": ({"resource_set": "yes"}, "resource_set"),
    "Block Public Access that is a number": ({"restrict_public_buckets": 1}, "restrict_public_buckets"),
    "a set over several accounts": (
        {"resource": "arn:aws:sqs:us-east-1:*:queue", "resource_set": True},
        "resource_account",
    ),
    "a set of roles and others": (
        {"action": "sts:AssumeRole", "resource": f"arn:aws:iam::{OWN}:*", "resource_set": True},
        "resource",
    ),
}


@pytest.mark.parametrize(("change", "path"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_named_with_its_place(change: dict[str, Any], path: str) -> None:
    result = answer({"id": "x", **READ, **change})
    assert set(result) == {"id", "error"}
    found = result["error"]["path"]
    assert found == path or found.startswith((f"{path}.", f"{path}["))
    assert result["error"]["message"]


@pytest.mark.parametrize("field", ["principal", "action", "resource", "role_arn", "context"])
def test_a_text_longer_than_any_of_awss_is_refused_and_one_shorter_is_not(field: str) -> None:
    def ask(length: int) -> str:
        text = ALICE if field == "principal" else "s3:" if field == "action" else "arn:aws:s3:::"
        text += "x" * (length - len(text))
        asked = answer({**READ, field: {"aws:UserAgent": text} if field == "context" else text})
        return str(asked.get("error", {}).get("path"))

    place = "context.aws:UserAgent" if field == "context" else field
    assert ask(LONGEST + 1) == place
    assert ask(LONGEST) in ("None", "role_arn")
    assert "8,192" in answer({**READ, "resource": "x" * 9_000})["error"]["message"]


def test_a_bad_line_does_not_stop_the_others() -> None:
    good = json.dumps({**READ, "id": "good", "identity_policies": [ALLOWED]}).encode()
    written: list[str] = []
    failures = decide([b"\xef\xbb\xbf" + good, b"\n", b"bad", b"  ", good], written.append)
    assert failures == 1
    answers = [json.loads(line) for line in written]
    assert [each.get("decision") for each in answers] == ["ALLOW", None, "ALLOW"]
    assert all(line.endswith("\n") and line.isascii() for line in written)


def test_stray_surrogates_can_be_written() -> None:
    written: list[str] = []
    decide([b'{"id": "\\ud800"}'], written.append)
    assert json.loads(written[0])["id"] == "\ud800"


def test_lines_are_answered_as_they_come() -> None:
    """Memory does not grow with the input: no line is read before the one before it is answered."""
    seen: list[str] = []

    def lines() -> Any:
        for number in range(3):
            assert len(seen) == number
            yield json.dumps({**READ, "id": number}).encode()

    decide(lines(), seen.append)
    assert len(seen) == 3


# --- what is left open ------------------------------------------------------------------------------------------------

MFA = allow("s3:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
TAGGED = allow(
    "s3:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}
)
TERM = {"operator": "Bool", "key": "aws:MultiFactorAuthPresent", "values": ["true"], "holds": True}
TEAM = {"operator": "StringEquals", "key": "aws:PrincipalTag/team", "values": ["red"], "holds": True}
BUCKET = "arn:aws:s3:::bucket/*"
PART = {"operator": "Resource", "key": "Resource", "values": ["arn:aws:s3:::bucket/a*"], "holds": True}


def with_policy(*statements: Any, **others: Any) -> dict[str, Any]:
    return {**READ, "identity_policies": [{"Version": "2012-10-17", "Statement": list(statements)}], **others}


# scenario, decision, depends_on, resources
OPEN: dict[str, tuple[dict[str, Any], str, Any, str | None]] = {
    "an unknown context": (with_policy(MFA, context="unknown"), "DEPENDS", [[TERM]], None),
    "an unknown context that does not matter": (with_policy(allow(), context="unknown"), "ALLOW", [], None),
    "an unknown context that cannot help": (with_policy(deny(), MFA, context="unknown"), "EXPLICIT_DENY", [], None),
    "an open key beside known ones": (
        with_policy(TAGGED, unknown_context=["aws:PrincipalTag/Team"], context={"aws:MultiFactorAuthPresent": True}),
        "DEPENDS",
        [[TEAM]],
        None,
    ),
    "an open key, and another that is absent": (
        with_policy(TAGGED, unknown_context=["aws:PrincipalTag/team"]),
        "IMPLICIT_DENY",
        [],
        None,
    ),
    "no key is open": (with_policy(MFA, unknown_context=[], resource_set=False), "IMPLICIT_DENY", None, None),
    "null is as good as absent": (
        with_policy(MFA, unknown_context=None, resource_set=None),
        "IMPLICIT_DENY",
        None,
        None,
    ),
    "all of a set": (with_policy(allow("s3:*", BUCKET), resource=BUCKET, resource_set=True), "ALLOW", [], "all"),
    "none of a set": (
        with_policy(allow("s3:*", "arn:aws:s3:::other/*"), resource=BUCKET, resource_set=True),
        "IMPLICIT_DENY",
        [],
        "none",
    ),
    "some of a set": (
        with_policy(allow("s3:*", "arn:aws:s3:::bucket/a*"), resource=BUCKET, resource_set=True),
        "DEPENDS",
        [[PART]],
        "some",
    ),
    "all of a set by several statements": (
        with_policy(
            allow("s3:*", "arn:aws:s3:::bucket/?*"),
            allow("s3:*", "arn:aws:s3:::bucket/"),
            resource=BUCKET,
            resource_set=True,
        ),
        "ALLOW",
        [],
        "all",
    ),
    "all but what is denied": (
        with_policy(allow(), deny("s3:*", "arn:aws:s3:::bucket/a*"), resource=BUCKET, resource_set=True),
        "DEPENDS",
        [[{**PART, "holds": False}]],
        "some",
    ),
    "a set in an unknown context": (
        with_policy(
            allow("s3:*", "arn:aws:s3:::bucket/a*", Condition=MFA["Condition"]),
            resource=BUCKET,
            resource_set=True,
            context="unknown",
        ),
        "DEPENDS",
        [[TERM, PART]],
        "some",
    ),
}


@pytest.mark.parametrize(("scenario", "decision", "depends_on", "resources"), OPEN.values(), ids=OPEN)
def test_what_is_left_open(scenario: dict[str, Any], decision: str, depends_on: Any, resources: str | None) -> None:
    result = json.loads(json.dumps(answer(scenario)))
    assert (result.get("decision"), result.get("depends_on")) == (decision, depends_on)
    assert result.get("resources") == resources


def test_what_is_said_of_a_set_names_the_set() -> None:
    none = answer(with_policy(allow("s3:*", "arn:aws:s3:::other/*"), resource=BUCKET, resource_set=True))
    assert f'on resource: "{BUCKET}" because no identity-based policy allows' in none["message"]


def test_a_star_in_a_resource_is_a_star_unless_a_set_is_asked_for() -> None:
    plain = answer(with_policy(allow("s3:*", "arn:aws:s3:::bucket/?"), resource=BUCKET))
    assert plain["decision"] == "ALLOW"
    assert set(plain) == {"id", "decision", "checks", "message"}


PUBLIC = {"Version": "2012-10-17", "Statement": [allow("s3:GetObject", Principal="*"), deny("s3:Put*", Principal="*")]}
NARROW = {"Statement": allow("s3:GetObject", Principal={"AWS": ALICE})}

# principal, others, decision
BLOCKED: dict[str, tuple[str, dict[str, Any], str]] = {
    "the public is let in": ("anonymous", {}, "ALLOW"),
    "but not past Block Public Access": ("anonymous", {"restrict_public_buckets": True}, "IMPLICIT_DENY"),
    "nor if it is off": ("anonymous", {"restrict_public_buckets": False}, "ALLOW"),
    "the owner's account is let in": (ALICE, {"restrict_public_buckets": True, "resource_account": OWN}, "ALLOW"),
    "another account is not": (
        ALICE,
        {"restrict_public_buckets": True, "resource_account": OTHER, "identity_policies": [ALLOWED]},
        "IMPLICIT_DENY",
    ),
    "AWS's services are": (EC2, {"restrict_public_buckets": True, "resource_account": OTHER}, "ALLOW"),
    "what a public policy denies stays denied": (
        "anonymous",
        {"restrict_public_buckets": True, "action": "s3:PutObject"},
        "EXPLICIT_DENY",
    ),
    "a policy that is not public counts": (
        ALICE,
        {
            "restrict_public_buckets": True,
            "resource_account": OTHER,
            "resource_policy": NARROW,
            "identity_policies": [ALLOWED],
        },
        "ALLOW",
    ),
}


@pytest.mark.parametrize(("principal", "others", "decision"), BLOCKED.values(), ids=BLOCKED)
def test_block_public_access(principal: str, others: dict[str, Any], decision: str) -> None:
    assert answer({**READ, "principal": principal, "resource_policy": PUBLIC, **others}).get("decision") == decision


# --- policies with names ----------------------------------------------------------------------------------------------


def named(scenario: dict[str, Any], documents: dict[str, Any]) -> dict[str, Any]:
    """The scenario with a name in place of each document, which is put among the documents."""

    def name(written: Any) -> Any:
        if isinstance(written, list):
            return [name(each) for each in written]
        documents[f"policy-{len(documents)}"] = written
        return f"policy-{len(documents) - 1}"

    return {field: name(value) if field in POLICY_FIELDS else value for field, value in scenario.items()}


def test_answers_are_the_same_with_names_as_without() -> None:
    documents: dict[str, Any] = {}
    drawn = [draw(seed) for seed in range(200)]
    short = [named(each, documents) for each in drawn]
    world = World(documents, "world.json")
    for _ in range(2):  # prepared in the first round, used in the second
        for whole, prepared in zip(drawn, short, strict=True):
            assert decide_line(json.dumps(prepared).encode(), world) == answer(whole)


def test_one_policy_may_stand_in_several_places() -> None:
    world = World({"all": {"Statement": allow()}}, "world.json")
    scenario = {**READ, "identity_policies": ["all", "all"], "permissions_boundary": "all", "scps": [["all"], ["all"]]}
    whole = {**READ, "identity_policies": [{"Statement": allow()}] * 2, "permissions_boundary": {"Statement": allow()}}
    whole["scps"] = [[{"Statement": allow()}]] * 2
    assert decide_line(json.dumps(scenario).encode(), world) == answer(whole)


# documents, a scenario's field, the path and what the message says
NAMES_GONE_WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "no such policy": ({}, {"identity_policies": ["x"]}, "identity_policies[0]", "'x' in world.json"),
    "a mistake in a policy": (
        {"x": {"Statement": [allow("GetObject")]}},
        {"identity_policies": ["x"]},
        "identity_policies[0].Statement[0].Action",
        "x in world.json: ",
    ),
    "a policy of another kind": (
        {"x": {"Statement": [allow(Principal="*")]}},
        {"scps": [["x"]]},
        "scps[0][0].Statement[0]",
        "x in world.json: ",
    ),
}


@pytest.mark.parametrize(("documents", "field", "path", "words"), NAMES_GONE_WRONG.values(), ids=NAMES_GONE_WRONG)
def test_a_wrong_name_is_told(documents: dict[str, Any], field: dict[str, Any], path: str, words: str) -> None:
    for _ in range(2):
        error = decide_line(json.dumps({**READ, **field}).encode(), World(documents, "world.json"))["error"]
        assert error["path"].startswith(path)
        assert words in error["message"]


def test_without_a_world_a_name_is_no_policy() -> None:
    assert answer({**READ, "identity_policies": ["x"]})["error"]["path"] == "identity_policies[0]"


# two scenarios of the same policies, and the decision of the second or the place of its mistake
FIRST_AND_SECOND: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a bucket's policy that is no trust policy": (
        {**READ, "resource_policy": "public"},
        {"principal": ALICE, "action": "sts:AssumeRole", "resource": TARGET, "resource_policy": "public"},
        "resource_policy.Statement[0].Resource",
    ),
    "a text in place of a list": (
        {**READ, "scps": [["a", "b"]]},
        {**READ, "scps": ["ab"]},
        "scps[0]",
    ),
    "the same names in another field": (
        {**READ, "identity_policies": ["a"]},
        {**READ, "session_policies": ["a"]},
        "IMPLICIT_DENY",
    ),
    "Block Public Access on top of the same names": (
        {**READ, "principal": "anonymous", "resource_policy": "public"},
        {**READ, "principal": "anonymous", "resource_policy": "public", "restrict_public_buckets": True},
        "IMPLICIT_DENY",
    ),
}


@pytest.mark.parametrize(("first", "second", "expected"), FIRST_AND_SECOND.values(), ids=FIRST_AND_SECOND)
def test_what_a_world_keeps_changes_no_answer(first: dict[str, Any], second: dict[str, Any], expected: str) -> None:
    documents = {"a": ALLOWED, "b": DENIED, "ab": ALLOWED, "public": PUBLIC}
    world = World(documents, "world.json")
    for scenario in (first, second, first, second):
        last = decide_line(json.dumps(scenario).encode(), world)
    assert (last.get("decision") or last["error"]["path"]) == expected


def test_a_world_keeps_so_many_sets_of_policies_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenarios, "MOST_SETS", 3)
    world = World({str(number): ALLOWED for number in range(8)}, "world.json")
    for number in range(8):
        line = json.dumps({**READ, "identity_policies": [str(number)]}).encode()
        assert decide_line(line, world)["decision"] == "ALLOW"
        assert 0 < len(world.sets) <= 3
    kept = len(world.sets)
    assert decide_line(json.dumps({**READ, "identity_policies": ["0", ALLOWED]}).encode(), world)["decision"] == "ALLOW"
    assert len(world.sets) == kept, "who writes documents into the lines pays no memory for them"


WORLDS = {
    "no JSON": ("{", ""),
    "a list": ("[]", "this is a JSON object of names"),
    "a policy that is text": ('{"admin": "x"}', "this is a JSON object of names"),
    "a name twice": ('{"a": {}, "a": {}}', ""),
}


@pytest.mark.parametrize(("text", "words"), WORLDS.values(), ids=WORLDS)
def test_a_wrong_world_is_told(text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "world.json"
    path.write_text(text, encoding="utf-8")
    assert main(["--world", str(path), str(path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{path}: {words}")
    assert told.count("\n") == 1


def test_the_command_takes_a_world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world, lines = tmp_path / "world.json", tmp_path / "lines.jsonl"
    world.write_text(json.dumps({"all": ALLOWED}), encoding="utf-8")
    lines.write_text(json.dumps({**READ, "identity_policies": ["all"]}) + "\n", encoding="utf-8")
    assert main([str(lines), "--world", str(world)]) == 0
    assert json.loads(capsys.readouterr().out)["decision"] == "ALLOW"


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scenarios.jsonl"
    path.write_text(json.dumps({**READ, "id": 1}) + "\nbad\n", encoding="utf-8")
    return path


def test_the_command_reads_a_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(file)]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [list(each) for each in answers] == [["id", "decision", "checks", "message"], ["id", "error"]]


def test_strict_is_an_exit_status(file: Path) -> None:
    assert main([str(file), "--strict"]) == 1
    file.write_text(json.dumps(READ), encoding="utf-8")
    assert main([str(file), "--strict"]) == 0


def test_the_process_answers_standard_input() -> None:
    line = json.dumps({**READ, "id": "ü"}, ensure_ascii=False) + "\n"
    run = subprocess.run(
        [sys.executable, "-m", "simlib", "decide"], input=line.encode("utf-8"), capture_output=True, check=True
    )
    assert json.loads(run.stdout)["id"] == "ü"
    assert run.stderr == b""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    assert main([str(file)]) == 0
    assert "100 %" in screen.getvalue()
    assert screen.getvalue().endswith("\r")
    assert "\r" not in capsys.readouterr().out


def test_who_is_no_terminal_sees_nothing_of_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(file)])
    assert capsys.readouterr().err == ""


def test_the_bar_moves_with_the_file_or_counts_lines_where_its_size_is_unknown() -> None:
    for count, size, states in ((4, 8, ["25 %", "50 %", "75 %", "100 %"]), (2500, 0, ["0", "1000", "2000 lines"])):
        screen = io.StringIO()
        assert len(list(watched(io.BytesIO(b"x\n" * count), size, screen))) == count
        shown = [each.strip() for each in screen.getvalue().split("\r") if each.strip()]
        assert len(shown) == len(states)
        assert all(state in each for each, state in zip(shown, states, strict=True))


# --- the table of commands --------------------------------------------------------------------------------------------


def test_commands_are_named_when_none_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert command([]) == 2
    assert command(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("decide", "check", "serve"))


def test_an_unknown_command_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["desire"]) == 2
    assert "There is no command 'desire'." in capsys.readouterr().err


def test_decide_is_a_command(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["decide", str(file)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert scenarios.main is main
