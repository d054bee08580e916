"""`python -m simlib check`: lines like a compiler's, an exit status for CI, and nothing it cannot print."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from simlib.__main__ import main as command
from simlib.iam import check
from simlib.iam.findings import FINDINGS

GOOD = (
    '{"Version": "2012-10-17", '
    '"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}}\n'
)
BAD = """{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow",
    "Action": ["s3:GetObjct", "s3:ListBucket"],
    "Resource": "*",
    "Condition": {"StringEqual": {"aws:username": "x"}}
  }
}
"""
DOUBTFUL = '{"Statement": {"Effect": "Allow", "Action": ["s3:GetObject", "s3:Get*"], "Resource": "*"}}'


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("good.json", GOOD),
        ("bad.json", BAD),
        ("doubtful.json", DOUBTFUL),
        ("broken.json", '{"a": yes}'),
    ):
        Path(name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_good_file_is_silence(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["good.json"]) == 0
    assert capsys.readouterr() == ("", "")


def test_lines_are_like_a_compilers(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["good.json", "bad.json"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "bad.json:5:16: error: The service s3 has no action GetObjct. Did you mean s3:GetObject? [invalid-action]",
        "bad.json:7:19: error: There is no condition operator StringEqual. Did you mean StringEquals? "
        "[invalid-condition-operator]",
    ]


def test_broken_json_is_an_error_with_its_place(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["broken.json"]) == 1
    assert capsys.readouterr().out == (
        "broken.json:1:7: error: This is not JSON: Expecting value. "
        "Names and texts go in double quotes. [json-syntax]\n"
    )


def test_warnings_fail_only_when_asked_and_suggestions_never(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["doubtful.json"]) == 0
    words = [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()]
    assert words == ["warning", "suggestion"]
    assert check.main(["--strict", "doubtful.json"]) == 1
    capsys.readouterr()
    assert check.main(["--quiet", "doubtful.json"]) == 0
    assert "suggestion" not in capsys.readouterr().out
    Path("untidy.json").write_text(DOUBTFUL.replace("{", '{"Version": "2012-10-17", ', 1), encoding="utf-8")
    assert check.main(["--strict", "untidy.json"]) == 0


def test_the_kind_and_the_place_decide(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["--kind", "trust", "good.json"]) == 1
    assert "[role-trust-policy-syntax-error-resource]" in capsys.readouterr().out
    Path("old.json").write_text(GOOD.replace("2012-10-17", "2008-10-17"), encoding="utf-8")
    assert check.main(["old.json"]) == 0
    assert check.main(["--stored-as", "managed", "old.json"]) == 1
    assert "[old-version]" in capsys.readouterr().out


def test_json_lines_carry_everything(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["--json", "bad.json"]) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "file": "bad.json",
        "line": 5,
        "column": 16,
        "path": "Statement.Action[0]",
        "level": "warning",
        "gravity": "error",
        "code": "invalid-action",
        "message": "The service s3 has no action GetObjct.",
        "suggestion": "did you mean s3:GetObject?",
    }
    assert (second["level"], second["gravity"]) == ("error", "error")


def test_a_file_that_cannot_be_read_does_not_stop_the_others(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("latin.json").write_bytes(b'{"a": "\xe9"}')
    assert check.main(["missing.json", "latin.json", "bad.json"]) == 2
    out, err = capsys.readouterr()
    assert err.splitlines()[0].startswith("missing.json: error: cannot be read: ")
    assert err.splitlines()[1] == "latin.json: error: cannot be read: not UTF-8 text"
    assert out.startswith("bad.json:5:16: ")


def test_a_file_may_begin_with_a_byte_order_mark(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("marked.json").write_text(BAD, encoding="utf-8-sig")
    assert check.main(["marked.json"]) == 1
    assert capsys.readouterr().out.startswith("marked.json:5:16: error: ")


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(BAD.encode())))
    assert check.main(["-"]) == 1
    assert capsys.readouterr().out.startswith("-:5:16: error: ")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_terminal_is_never_given_what_it_cannot_show(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "strange.json"
    file.write_text('{"Version": "\\ud800", "Statement": [], "Statemént…": 1}', encoding="utf-8")
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding=encoding))
    assert command(["check", str(file)]) == 1
    assert "Did you mean Statement?" in buffer.getvalue().decode(encoding)


def test_the_command_is_there_and_explains_itself(files: Path) -> None:
    run = [sys.executable, "-m", "simlib", "check"]
    answered = subprocess.run(
        [*run, "-"], input=BAD, capture_output=True, text=True, cwd=Path(check.__file__).parents[2]
    )
    assert (answered.returncode, answered.stderr) == (1, "")
    assert answered.stdout.startswith("-:5:16: error: ")
    with pytest.raises(SystemExit, match="0"):
        check.main(["--help"])
    with pytest.raises(SystemExit, match="2"):
        check.main(["--kind", "bucket", "good.json"])


BUCKET_POLICY = {
    **json.loads(GOOD),
    "Statement": {**json.loads(GOOD)["Statement"], "Principal": {"AWS": "111122223333"}},
}
TRUST_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
DENIAL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}],
}


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        ({"PolicyVersion": {"Document": json.loads(GOOD), "VersionId": "v1"}}, "an identity-based policy"),
        ({"PolicyVersion": {"Document": quote(GOOD), "VersionId": "v1"}}, "an identity-based policy"),
        ({"RoleName": "r", "PolicyName": "p", "PolicyDocument": json.loads(GOOD)}, "an identity-based policy"),
        ({"Role": {"RoleName": "r", "AssumeRolePolicyDocument": TRUST_POLICY}}, "a trust policy"),
        ({"Role": {"AssumeRolePolicyDocument": quote(json.dumps(TRUST_POLICY))}}, "a trust policy"),
        ({"Policy": json.dumps(BUCKET_POLICY)}, "a resource-based policy"),
        ({"Attributes": {"Policy": json.dumps(BUCKET_POLICY)}}, "a resource-based policy"),
        ({"ARN": "a", "ResourcePolicy": json.dumps(BUCKET_POLICY)}, "a resource-based policy"),
        (
            {"Policy": {"PolicySummary": {"Type": "SERVICE_CONTROL_POLICY"}, "Content": GOOD}},
            "a service control policy",
        ),
        (
            {"Policy": {"PolicySummary": {"Type": "RESOURCE_CONTROL_POLICY"}, "Content": json.dumps(DENIAL)}},
            "a resource control policy",
        ),
        (BUCKET_POLICY, "a resource-based policy"),
        (TRUST_POLICY, "a trust policy"),
    ],
)
def test_answers_of_the_cli_are_unwrapped_and_guesses_are_told(
    answer: object, note: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("answer.json").write_text(json.dumps(answer), encoding="utf-8")
    assert check.main(["answer.json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("answer.json: note: ")
    assert f"checked as {note}" in line


def test_a_guess_can_be_overruled(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("trust.json").write_text(json.dumps(TRUST_POLICY), encoding="utf-8")
    assert check.main(["--kind", "identity", "trust.json"]) == 1
    out = capsys.readouterr().out
    assert "note" not in out
    assert "[unsupported-principal]" in out


def test_places_in_an_unwrapped_policy_are_those_of_the_file(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("answer.json").write_text('{"PolicyVersion": {\n"Document":\n' + BAD + "}}", encoding="utf-8")
    assert check.main(["answer.json"]) == 1
    assert capsys.readouterr().out.splitlines()[1].startswith("answer.json:7:16: error: The service s3 has no")


def test_all_that_can_be_found_is_listed_with_its_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(FINDINGS)
    about = next(line for line in lines if line.startswith("missing-version "))
    assert about.endswith(".html#access-analyzer-reference-policy-checks-general-warning-missing-version")
