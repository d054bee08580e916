"""The code for a policy does what applying it does: boto3 and the AWS CLI are really run, Terraform's text is read."""

from __future__ import annotations

import ast
import json
import re
import shlex
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlib import Cloud, lab
from simlib.cloud.inspection import Place
from simlib.lab import PolicyEditor
from simlib.lab.policy import code as policy_code
from simlib.lab.policy.storage import rows, writing
from tests.lab.test_policy_store import KINDS, World, changed, world

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
    assert f'  {resource.document} = <<-EOT\n    {{\n      "Version": "2012-10-17",\n' in configured
    for name, value in resource.arguments.items():
        assert re.search(rf'^  {name} += "{re.escape(value)}"$', configured, re.MULTILINE)


def test_the_three_as_they_are_read() -> None:
    written = writing(Place(ALICE, "identity", "read-own"))
    policy = {"Statement": {"Resource": "arn:aws:s3:::b/${aws:username}"}}
    text = json.dumps(policy, indent=2)
    assert policy_code.code(written, policy, "boto3") == (
        "import boto3\n\n"
        f'POLICY = r"""{text}"""\n\n'
        'client = boto3.client("iam")\n'
        "client.put_user_policy(\n"
        '    UserName="alice",\n'
        '    PolicyName="read-own",\n'
        "    PolicyDocument=POLICY,\n"
        ")\n"
    )
    assert policy_code.code(written, policy, "cli") == (
        "aws iam put-user-policy \\\n  --user-name alice \\\n  --policy-name read-own \\\n"
        f"  --policy-document '{json.dumps(policy)}'\n"
    )
    assert policy_code.code(written, policy, "terraform") == (
        'resource "aws_iam_user_policy" "read_own" {\n'
        '  name = "read-own"\n'
        '  user = "alice"\n\n'
        "  policy = <<-EOT\n"
        "    {\n"
        '      "Statement": {\n'
        '        "Resource": "arn:aws:s3:::b/$${aws:username}"\n'
        "      }\n"
        "    }\n"
        "  EOT\n"
        "}\n"
    )
    with pytest.raises(ValueError, match="boto3, cli, terraform"):
        policy_code.code(written, policy, "pulumi")


# -- any policy --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_call_and_member_is_boto3s(world: World, kind: str) -> None:
    written = writing(world.places[kind])
    for call in filter(None, (written.call, written.remove)):
        client = boto3.client(call.service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[call.operation])
        named = set(call.given("{}"))
        assert named <= set(model.input_shape.members)
        assert set(model.input_shape.required_members) <= named


def test_every_row_is_tried_above() -> None:
    assert len(rows()) == len(KINDS) - 1, "a boundary is stored as a managed policy"


def test_what_is_no_policy_yet_has_no_code(world: World) -> None:
    editor = world.editor("user")
    editor.edit("{")
    assert editor.code("cli") == "This is not JSON yet, so there is nothing to store."


WRITTEN = writing(Place(ALICE, "identity", "-p"))
POLICIES = st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS) | st.booleans() | st.integers() | st.none())


@given(POLICIES)
def test_python_reads_any_policy_back(policy: dict[str, Any]) -> None:
    code = policy_code.code(WRITTEN, policy, "boto3")
    assert code.isascii(), "what cannot be seen is written by number"
    (found,) = (node.value for node in ast.parse(code).body if isinstance(node, ast.Assign) and "POLICY" in code
        and getattr(node.targets[0], "id", "") == "POLICY")  # fmt: skip
    assert json.loads(ast.literal_eval(found)) == policy


@given(POLICIES)
def test_a_shell_reads_any_policy_back(policy: dict[str, Any]) -> None:
    code = policy_code.code(WRITTEN, policy, "cli")
    assert code.isascii()
    words = shlex.split(code.replace("\\\n", " "))
    assert words[-4:-1] == ["alice", "--policy-name=-p", "--policy-document"], "no option that begins with a dash"
    assert json.loads(words[-1]) == policy


@given(POLICIES)
def test_terraform_reads_any_policy_back(policy: dict[str, Any]) -> None:
    code = policy_code.code(writing(Place(ALICE, "identity", "9 lives")), policy, "terraform")
    assert code.startswith('resource "aws_iam_user_policy" "_9_lives" {\n')
    template = code.partition("<<-EOT\n")[2].rpartition("  EOT\n")[0]
    assert not re.search(r"(?<![$%])[$%]\{", template), "an interpolation"
    assert json.loads(template.replace("$${", "${").replace("%%{", "%{")) == policy


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


def test_a_simple_policy_has_its_principal_after_the_effect() -> None:
    text = lab.allow("s3:GetObject", "arn:aws:s3:::photos/*", Principal="*")
    assert list(json.loads(text)["Statement"][0]) == ["Effect", "Principal", "Action", "Resource"]
