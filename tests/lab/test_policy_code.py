"""The code for a policy does what applying it does: boto3 and the AWS CLI are really run, Terraform's text is read."""

from __future__ import annotations

import ast
import json
import re
import shlex
from typing import Any

import boto3
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simlib import Cloud
from simlib.cloud.inspection import Place
from simlib.lab import PolicyEditor
from simlib.lab.policy import code as policy_code
from simlib.lab.policy.places import WRITINGS, writing
from tests.lab.test_policy_shelf import KINDS, World, changed, world

__all__ = ["world"]  # a fixture

DEV = "111111111111"
ALICE = f"arn:aws:iam::{DEV}:user/alice"
HOSTILE = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["s3:*"],
      "Resource": "arn:aws:s3:::b/${aws:username}/$${x}/%{if}/it's-\\"'$(rm -rf ~)`;<b>&\\\\u202e\\u202e💥",
      "Condition": {"Bool": {"aws:MultiFactorAuthPresent": true}, "StringLike": {"s3:prefix": []}}
    }
  ]
}"""
TEXTS = st.one_of(st.text(), st.text(alphabet="\"'\\$%{}\n\r\t`~ \u202eé💥a"))


def without_old_versions(world: World, place: Place) -> None:
    """AWS keeps five of a managed policy; the code makes one more."""
    iam, managed = world.aws.account("dev").admin.client("iam"), place.owner.startswith(f"arn:aws:iam::{DEV}:policy/")
    for version in iam.list_policy_versions(PolicyArn=place.owner)["Versions"] if managed else ():
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=place.owner, VersionId=version["VersionId"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_boto3_code_stores_it(world: World, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    editor, place = world.editor(kind), world.places[kind]
    before = world.stored(place)
    without_old_versions(world, place)
    editor.edit(changed(editor.front.text))
    session = world.aws.account("dev").admin.session
    monkeypatch.setattr(boto3, "client", lambda service, **more: session.client(service, **more))
    exec(compile(editor.code("boto3"), kind, "exec"), {})
    assert world.stored(place) == json.loads(editor.front.text) != before
    editor.edit(json.dumps(before))
    editor.apply()


@pytest.mark.parametrize("kind", KINDS)
def test_the_aws_cli_command_stores_it(world: World, kind: str) -> None:
    editor, place = world.editor(kind), world.places[kind]
    before = world.stored(place)
    without_old_versions(world, place)
    editor.edit(changed(editor.front.text))
    done = world.aws.account("dev").admin.run(editor.code("cli"))
    assert done.returncode == 0, done.stderr
    assert world.stored(place) == json.loads(editor.front.text) != before
    editor.edit(json.dumps(before))
    editor.apply()


@pytest.mark.parametrize("kind", KINDS)
def test_terraform_names_the_resource_that_holds_it(world: World, kind: str) -> None:
    editor = world.editor(kind)
    resource = writing(world.places[kind]).terraform
    configured = editor.code("terraform")
    assert configured.startswith(f'resource "{resource.type}" "')
    assert f'  {resource.document} = jsonencode({{\n    Version = "2012-10-17"\n' in configured
    for name, value in resource.arguments.items():
        assert re.search(rf'^  {name} += "{re.escape(value)}"$', configured, re.MULTILINE)


def test_the_three_as_they_are_read() -> None:
    written = writing(Place(ALICE, "identity", "read-own"))
    text = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": ["arn:aws:s3:::b/${aws:username}"]}}'
    assert policy_code.code(written, text, "boto3") == (
        "import boto3\n\n"
        f'POLICY = """{text}"""\n\n'
        'client = boto3.client("iam")\n'
        "client.put_user_policy(\n"
        '    UserName="alice",\n'
        '    PolicyName="read-own",\n'
        "    PolicyDocument=POLICY,\n"
        ")\n"
    )
    assert policy_code.code(written, text, "cli") == (
        "aws iam put-user-policy \\\n  --user-name alice \\\n  --policy-name read-own \\\n"
        f"  --policy-document '{text}'\n"
    )
    assert policy_code.code(written, text, "terraform") == (
        'resource "aws_iam_user_policy" "read_own" {\n'
        '  name = "read-own"\n'
        '  user = "alice"\n\n'
        "  policy = jsonencode({\n"
        '    Version = "2012-10-17"\n'
        "    Statement = {\n"
        '      Effect = "Allow"\n'
        "      Resource = [\n"
        '        "arn:aws:s3:::b/$${aws:username}",\n'
        "      ]\n"
        "    }\n"
        "  })\n"
        "}\n"
    )
    with pytest.raises(ValueError, match="boto3, cli, terraform"):
        policy_code.code(written, text, "pulumi")


# -- any text ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", WRITINGS, ids=lambda row: f"{row.kinds[0]}-{row.call.operation}")
def test_every_call_and_member_is_boto3s(row: Any) -> None:
    for call in filter(None, (row.call, row.remove)):
        client = boto3.client(call.service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[call.operation])
        named = {*call.parameters, *filter(None, [call.document.partition(".")[0]])}
        assert named <= set(model.input_shape.members)
        assert set(model.input_shape.required_members) <= named


@given(TEXTS)
def test_python_reads_any_text_back(text: str) -> None:
    code = policy_code.code(writing(Place(ALICE, "identity", "p")), text, "boto3")
    assert code.isascii() or all(sign.isprintable() or sign == "\n" for sign in code)
    (found,) = (node.value for node in ast.parse(code).body if isinstance(node, ast.Assign) and "POLICY" in code
        and getattr(node.targets[0], "id", "") == "POLICY")  # fmt: skip
    assert ast.literal_eval(found) == text


@given(TEXTS)
def test_a_shell_reads_any_text_back(text: str) -> None:
    assume(not text.lstrip().startswith("{"))  # an object is handed over in another way
    code = policy_code.code(writing(Place(ALICE, "identity", "-p")), text, "cli")
    assert code.isascii(), "what cannot be seen is written by number"
    words = shlex.split(code.replace("\\\n", " "))
    assert words[3] == "--cli-input-json", "no JSON object, so it is passed as a whole"
    assert json.loads(words[4]) == {"UserName": "alice", "PolicyName": "-p", "PolicyDocument": text}


@given(st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS) | st.booleans() | st.integers() | st.none()))
def test_terraform_reads_any_json_back(policy: dict[str, Any]) -> None:
    code = policy_code.code(writing(Place(ALICE, "identity", "9 lives")), json.dumps(policy), "terraform")
    assert code.startswith('resource "aws_iam_user_policy" "_9_lives" {\n')
    assert read_hcl(code.partition("jsonencode(")[2].rpartition(")")[0]) == policy


@given(TEXTS)
def test_terraform_reads_any_text_back(text: str) -> None:
    written = policy_code.code(writing(Place(ALICE, "identity", "p")), f"no JSON: {text}", "terraform")
    assert read_hcl(written.partition("policy = ")[2].rpartition("}")[0]) == f"no JSON: {text}"


def read_hcl(text: str) -> Any:
    """The value of an expression of objects, lists and strings, after Terraform's pages on types and strings.

    A name or string before `=` is an attribute; in a string `$${` and `%%{` are `${` and `%{`.
    """
    tokens = re.findall(r'"(?:[^"\\\n]|\\.)*"|[\w-]+|[{}\[\]=,]', text)
    position = 0

    def take() -> str:
        nonlocal position
        position += 1
        return tokens[position - 1]

    def value() -> Any:
        token = take()
        if token == "{":
            found = {}
            while tokens[position] != "}":
                name = take()
                assert take() == "="
                found[string(name) if name[0] == '"' else name] = value()
            take()
            return found
        if token == "[":
            items = []
            while tokens[position] != "]":
                items.append(value())
                assert take() == ","
            take()
            return items
        return string(token) if token[0] == '"' else json.loads(token)

    return value()


def string(token: str) -> str:
    """A quoted string of Terraform's; one with an interpolation in it is no text, and fails."""
    escapes = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
    pattern = r'\\u[0-9a-f]{4}|\\U[0-9a-f]{8}|\\[nrt"\\]|\$\$\{|%%\{|[^\\]'
    parts = re.findall(pattern, token[1:-1], re.DOTALL)
    assert "".join(parts) == token[1:-1]
    for before, part in zip(["", *parts], [*parts, ""], strict=True):
        assert not (before in ("$", "%") and part.startswith("{")), "an interpolation"
        assert not (before in ("$", "%") and len(part) == 3 and part[0] in "$%"), (
            "signs before an escape are counted in"
        )
    return "".join(
        chr(int(part[2:], 16)) if part[:2] in ("\\u", "\\U") else part[1:] if len(part) == 3 else
        escapes[part[1]] if part[0] == "\\" else part for part in parts)  # fmt: skip


def test_hostile_text_is_stored_as_it_is() -> None:
    with Cloud.start() as aws:
        dev = aws.account("dev")
        dev.admin.client("iam").create_user(UserName="alice")
        place = Place(ALICE, "identity", "-it+is=a.name@x,")
        editor = PolicyEditor.of(aws, place)
        editor.edit(HOSTILE)
        done = dev.admin.run(editor.code("cli"))
        assert done.returncode == 0, done.stderr
        assert json.loads(aws.inspect.document(place).text) == json.loads(HOSTILE)
