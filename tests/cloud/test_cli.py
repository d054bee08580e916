"""The AWS CLI in process: the same output as the real process, and nothing of the process around it is changed."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import botocore.handlers
import pytest
from botocore.awsrequest import AWSResponse

from simlib.cloud.clock import Clock
from simlib.cloud.machines import cli
from simlib.cloud.transport.endpoint import Endpoint
from simlib.cloud.transport.wire import Body, RawAnswer, RawRequest

LISTING = """<ListBucketResult><Name>my-secure-bucket</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>
<Contents><Key>report.txt</Key><LastModified>2026-11-23T12:00:00Z</LastModified><Size>6</Size></Contents>
</ListBucketResult>"""
IDENTITY = """<GetCallerIdentityResponse><GetCallerIdentityResult><UserId>AIDAEXAMPLE</UserId>
<Account>111111111111</Account><Arn>arn:aws:iam::111111111111:user/alice</Arn></GetCallerIdentityResult>
</GetCallerIdentityResponse>"""
REFUSED = "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: iam:ListUsers"


class Aws:
    """A little AWS: what it answers to the same requests is the same in process and over HTTP."""

    def __init__(self) -> None:
        self.seen: list[RawRequest] = []
        self.objects: dict[str, bytes] = {"report.txt": b"hello\n"}

    def answer(self, raw: RawRequest) -> RawAnswer:
        self.seen.append(raw)
        xml = {"Content-Type": "text/xml"}
        if b"Action=GetCallerIdentity" in raw.body:
            return RawAnswer(200, xml, IDENTITY.encode())
        if b"Action=ListUsers" in raw.body:
            error = f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{escape(REFUSED)}</Message></Error>"
            return RawAnswer(403, xml, f"{error}</ErrorResponse>".encode())
        name = raw.parts.path.rpartition("/")[2]
        if raw.method == "PUT":
            self.objects[name] = raw.body
            return RawAnswer(200, {"ETag": '"e"'}, b"")
        if "list-type" in raw.parts.query:
            return RawAnswer(200, xml, LISTING.encode())
        if name in self.objects:
            content = self.objects[name]
            dated = {"Last-Modified": "Mon, 23 Nov 2026 12:00:00 GMT", "ETag": '"e"'}
            return RawAnswer(200, {**dated, "Content-Length": str(len(content))}, content)
        return RawAnswer(404, xml, b"<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>")

    def before_send(self, request: Any, **_: Any) -> AWSResponse:
        answer = self.answer(RawRequest.from_botocore(request))
        body = b"" if request.method == "HEAD" else answer.body
        return AWSResponse(request.url, answer.status, answer.headers, Body(body))


@pytest.fixture
def little_aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    little_aws = Aws()
    handler = ("before-send", little_aws.before_send, botocore.handlers.REGISTER_FIRST)
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", [*botocore.handlers.BUILTIN_HANDLERS, handler])
    return little_aws


@pytest.fixture
def alice(tmp_path: Path) -> dict[str, str]:
    """The environment of a shell of alice's."""
    machine = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LANG")
    return {
        **{name: os.environ[name] for name in machine if name in os.environ},
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "AKIAALICE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


# -- how a command is read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("aws s3 ls", ["s3", "ls"]),
        ("  aws   s3 ls s3://my-secure-bucket  ", ["s3", "ls", "s3://my-secure-bucket"]),
        (
            "aws iam list-users --query 'Users[?Name==`a|b`] | [0]'",
            ["iam", "list-users", "--query", "Users[?Name==`a|b`] | [0]"],
        ),
        ('aws x --name "it\'s; fine & well"', ["x", "--name", "it's; fine & well"]),
        (r"aws x --name a\&b", ["x", "--name", "a&b"]),
        ('aws x --document \'{"a": "$b"}\'', ["x", "--document", '{"a": "$b"}']),
        ("aws x \\\n   --y z", ["x", "--y", "z"]),
        ("aws x --tag Key=a,Value=b#c", ["x", "--tag", "Key=a,Value=b#c"]),
        ("aws x --price 5$", ["x", "--price", "5$"]),
        (["aws", "s3", "ls", "a|b $c"], ["s3", "ls", "a|b $c"]),
        (("aws", "--version"), ["--version"]),
    ],
)
def test_a_command_is_read_as_a_shell_would(command: str | list[str], arguments: list[str]) -> None:
    assert cli.split(command) == arguments


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("aws s3 ls | grep x", r"^\| is for a shell"),
        ("aws s3 ls > out.txt", "^> is for a shell"),
        ("aws s3 ls && aws s3 ls", "^&& is for a shell"),
        ("aws s3 ls; aws s3 ls", "^; is for a shell"),
        ("aws s3 ls s3://b/k?a=1&b=2", "^& is for a shell"),
        ("aws s3 ls $BUCKET", r"^\$BUCKET is for a shell"),
        ('aws s3 ls "$BUCKET"', r"^\$BUCKET is for a shell"),
        ('aws s3 ls "${BUCKET}"', r"^\${BUCKET is for a shell"),
        ("aws s3 ls `hostname`", "^` is for a shell"),
        ("aws s3 ls\naws s3 ls", "One command at a time"),
        ("aws s3 ls 'unfinished", "cannot be read"),
        ("s3 ls", "begins with aws, not with 's3'"),
        ("curl http://169.254.169.254/", "begins with aws, not with 'curl'"),
        ("", "begins with aws, not with 'nothing'"),
        ([], "begins with aws"),
        (["ls"], "begins with aws"),
    ],
)
def test_what_only_a_shell_could_do_is_refused(command: str | list[str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        cli.split(command)


# -- the same as the real process -----------------------------------------------------------------------------------

COMMANDS = [
    "aws --version",
    "aws sts get-caller-identity",
    "aws sts get-caller-identity --output text",
    "aws sts get-caller-identity --output table",
    "aws s3 ls s3://my-secure-bucket",
    "aws s3 cp s3://my-secure-bucket/report.txt -",
    "aws s3 cp s3://my-secure-bucket/missing.txt -",
    "aws iam list-users",
    "aws iam get-user --user-name",
    "aws nonsense",
    "aws s3 nonsense",
    "aws sts get-caller-identity --profile ghost",
    "aws configure get region",
    "aws s3api get-object --bucket my-secure-bucket --key report.txt -",  # a file of this name
]
if os.name != "nt":
    FILES = ("/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/null", "missing/file", "/dev/missing")
    COMMANDS += [f"aws s3api get-object --bucket my-secure-bucket --key report.txt {file}" for file in FILES]


@pytest.mark.parametrize("command", COMMANDS)
def test_it_prints_what_the_real_process_prints(
    little_aws: Aws, alice: dict[str, str], tmp_path: Path, command: str
) -> None:
    ours = cli.run(command, alice, folder=tmp_path)
    endpoint = Endpoint(little_aws.answer, lambda *_: RawAnswer(404, {}, b""), tmp_path)
    try:
        real = subprocess.run(
            [sys.executable, "-m", "awscli", *cli.split(command)],
            env={**alice, "AWS_ENDPOINT_URL": endpoint.url},
            capture_output=True,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
        )
    finally:
        endpoint.stop()
    stdout, stderr = (text.decode("utf-8").replace(os.linesep, "\n") for text in (real.stdout, real.stderr))
    stderr = re.sub(r"^.*(__main__\.py|-m awscli): error", "aws: error", stderr, flags=re.MULTILINE)  # `-m` shows there
    # Its own botocore is a little older than the installed one: so is the version it names, and its list of services.
    if command == "aws --version":
        assert ours.stdout.split()[0] == stdout.split()[0]
    elif command == "aws nonsense":
        assert ours.stderr.split("\n\n")[:2] == stderr.split("\n\n")[:2]
    else:
        assert (ours.stdout, ours.stderr) == (stdout, stderr)
    assert ours.returncode == real.returncode


def test_without_credentials_it_says_so(alice: dict[str, str], tmp_path: Path) -> None:
    del alice["AWS_ACCESS_KEY_ID"]
    result = cli.run("aws s3 ls", alice, folder=tmp_path)
    said = 'Unable to locate credentials. You can configure credentials by running "aws configure".\n'
    assert (result.stdout, result.stderr, result.returncode) == ("", said, 255)


# -- files, streams, questions --------------------------------------------------------------------------------------


def test_objects_come_to_and_go_from_the_working_folder(little_aws: Aws, alice: dict[str, str], tmp_path: Path) -> None:
    here = os.getcwd()
    down = cli.run("aws s3 cp s3://my-secure-bucket/report.txt .", alice, folder=tmp_path)
    assert down.returncode == 0, down.stderr
    assert (tmp_path / "report.txt").read_bytes() == b"hello\n"
    (tmp_path / "notes.txt").write_bytes(b"\x00\xffgr\xc3\xbcn")
    up = cli.run("aws s3 cp notes.txt s3://my-secure-bucket/notes.txt", alice, folder=tmp_path)
    assert up.returncode == 0, up.stderr
    assert repr(up) == "upload: ./notes.txt to s3://my-secure-bucket/notes.txt"
    assert "\r" in up.stdout
    assert b"\x00\xffgr\xc3\xbcn" in little_aws.objects["notes.txt"]
    assert os.getcwd() == here


@pytest.mark.parametrize("content", ["from a string: grün\n", b"from bytes\x00\xff"])
def test_standard_input_can_be_uploaded(
    little_aws: Aws, alice: dict[str, str], tmp_path: Path, content: str | bytes
) -> None:
    result = cli.run("aws s3 cp - s3://my-secure-bucket/in", alice, folder=tmp_path, stdin=content)
    assert result.returncode == 0, result.stderr
    assert (content.encode() if isinstance(content, str) else content) in little_aws.objects["in"]


@pytest.mark.parametrize("file", ["file:///dev/stdin", "file:///dev/fd/0"])
def test_a_value_is_read_from_standard_input(little_aws: Aws, alice: dict[str, str], tmp_path: Path, file: str) -> None:
    cli.run(f"aws iam list-users --path-prefix {file}", alice, folder=tmp_path, stdin="/people/")
    assert b"PathPrefix=%2Fpeople%2F" in little_aws.seen[-1].body


def test_what_goes_to_standard_output_as_a_file_comes_where_it_was_written(
    little_aws: Aws, alice: dict[str, str], tmp_path: Path
) -> None:
    get = "aws s3api get-object --bucket my-secure-bucket --key report.txt"
    printed = cli.run(f"{get} /dev/stdout", alice, folder=tmp_path).stdout
    assert printed == "hello\n" + cli.run(f"{get} {tmp_path / 'file'}", alice, folder=tmp_path).stdout
    assert (tmp_path / "file").read_bytes() == b"hello\n"


def test_the_streams_of_the_process_are_its_other_threads_own() -> None:
    begin, read = threading.Event(), []

    def other() -> None:
        begin.wait()
        with suppress(OSError), opened("/dev/fd/0", "rb") as stream:
            read.append(stream.read())

    thread = threading.Thread(target=other)
    thread.start()
    with cli._stream() as stdin:
        stdin.write("the command's")
        opened = cli._opening({"stdin": stdin})
        begin.set()
        thread.join()
        stdin.seek(0)
        with opened("/dev/fd/0", "rb") as stream:
            assert stream.read() == b"the command's"
    assert b"the command's" not in read


def test_questions_are_answered_from_stdin_or_end_the_command(alice: dict[str, str], tmp_path: Path) -> None:
    asked = cli.run("aws configure", alice, folder=tmp_path)
    assert asked.returncode == 255
    assert "nobody can answer here" in asked.stderr
    answered = cli.run("aws configure", alice, folder=tmp_path, stdin="AKIANEW\nsecret\nus-east-1\njson\n")
    assert answered.returncode == 0, answered.stderr
    assert "AKIANEW" in (tmp_path / ".aws" / "credentials").read_text(encoding="utf-8")


def test_help_is_text(alice: dict[str, str], tmp_path: Path) -> None:
    result = cli.run("aws s3 ls help", alice, folder=tmp_path)
    assert result.returncode == 0
    assert "List S3 objects and common prefixes" in result.stdout


def test_a_result_shows_itself_as_a_terminal_would() -> None:
    assert repr(cli.Result("a\nb\n", "", 0)) == "a\nb"
    assert repr(cli.Result("", "\nno\n", 255)) == "no\n[exit code 255]"
    assert repr(cli.Result("Completed 1\rCompleted 2\rdone   \n", "", 0)) == "done"


# -- nothing around it changes --------------------------------------------------------------------------------------


def surroundings() -> tuple[Any, ...]:
    loggers = [logging.getLogger(name) for name in ("awscli", "botocore", "s3transfer", "urllib3")]
    return (
        dict(os.environ),
        os.getcwd(),
        (sys.stdin, sys.stdout, sys.stderr, sys.argv, list(sys.meta_path)),
        [(logger.level, list(logger.handlers)) for logger in loggers],
    )


@pytest.mark.parametrize("command", ["aws sts get-caller-identity --debug", "aws nonsense", "aws s3 ls help"])
def test_the_process_is_as_before(little_aws: Aws, alice: dict[str, str], tmp_path: Path, command: str) -> None:
    cli.run("aws --version", alice, folder=tmp_path)  # the first time imports it
    before = surroundings()
    cli.run(command, alice, folder=tmp_path)
    assert surroundings() == before


def test_a_debug_run_is_whole_and_leaves_no_noise(little_aws: Aws, alice: dict[str, str], tmp_path: Path) -> None:
    loud = cli.run("aws sts get-caller-identity --debug", alice, folder=tmp_path)
    assert "Arguments entered to CLI: ['sts', 'get-caller-identity', '--debug']" in loud.stderr
    assert cli.run("aws sts get-caller-identity", alice, folder=tmp_path).stderr == ""


def test_it_shares_the_labs_botocore() -> None:
    """awscli brings a botocore of its own; with that one, requests would not meet the gate."""
    code = (
        "import sys; from simlib.cloud.machines import cli; from pathlib import Path; import os;"
        "cli.run('aws --version', dict(os.environ), folder=Path.cwd());"
        "import botocore, s3transfer, boto3.s3.transfer;"
        "print([m.__file__ for n, m in sys.modules.items() if n.partition('.')[0] in ('botocore', 's3transfer')"
        " and 'awscli' in (getattr(m, '__file__', '') or '')], [f for f in sys.meta_path if 'awscli' in repr(f)])"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout == "[] []\n"


def test_the_home_folder_of_the_process_is_not_touched(
    little_aws: Aws, alice: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, folder = tmp_path / "home", tmp_path / "instance"
    (home / ".aws" / "cli").mkdir(parents=True)
    folder.mkdir()
    (home / ".aws" / "cli" / "alias").write_text("[toplevel]\nsts = !echo the learner's own alias\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("AWS_PROFILE", "the-learners")
    environment = {**alice, "HOME": str(folder), "USERPROFILE": str(folder)}
    before = sorted(home.rglob("*"))
    result = cli.run("aws sts get-caller-identity --query Account --output text", environment, folder=folder)
    assert result.stdout == "111111111111\n"
    cli.run("aws configure set region eu-west-1", environment, folder=folder)
    assert sorted(home.rglob("*")) == before


def test_assumed_roles_are_cached_in_the_commands_own_folder(
    alice: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import awscli.customizations.assumerole as assumerole

    seen: list[str] = []
    cache = assumerole.JSONFileCache
    monkeypatch.setattr(assumerole, "JSONFileCache", lambda where: seen.append(where) or cache(where))
    cli.run("aws configure list", alice, folder=tmp_path)
    assert set(seen) == {str(tmp_path / ".aws" / "cli" / "cache")}
    assert str(tmp_path) not in assumerole.CACHE_DIR


# -- time, threads --------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    clock.start()
    yield clock
    clock.stop()


def test_commands_sign_with_the_moved_time(
    little_aws: Aws, alice: dict[str, str], tmp_path: Path, clock: Clock
) -> None:
    clock.advance(days=365)
    cli.run("aws sts get-caller-identity", alice, folder=tmp_path)
    cli.run("aws s3 cp s3://my-secure-bucket/report.txt -", alice, folder=tmp_path)  # signed in a thread of its own
    for raw in little_aws.seen:
        signed = datetime.strptime(raw.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert abs(signed - clock.now) < timedelta(minutes=1)
    assert len(little_aws.seen) >= 2


def test_commands_of_several_threads_do_not_mix(little_aws: Aws, alice: dict[str, str], tmp_path: Path) -> None:
    results: dict[int, cli.Result] = {}

    def work(number: int) -> None:
        own = {**alice, "AWS_ACCESS_KEY_ID": f"AKIA{number}"}
        results[number] = cli.run(f"aws configure get region --profile p{number}", own, folder=tmp_path)

    for number in range(4):
        cli.run(f"aws configure set region region-{number} --profile p{number}", alice, folder=tmp_path)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert [results[number].stdout for number in range(4)] == [f"region-{number}\n" for number in range(4)]
