"""Lambda: whom a function runs as, who may run it, and what its caller hears.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest

from simlib import Cloud
from simlib.cloud.services import function_runtime

from .conftest import allow, document, new_user, refused, trust

ROLE = "arn:aws:iam::111111111111:role/worker"
ARN = "arn:aws:lambda:us-east-1:111111111111:function:report"
LAMBDA = {"Service": "lambda.amazonaws.com"}

WHO_AM_I = """
import boto3
def handler(event, context):
    return boto3.client("sts").get_caller_identity()["Arn"]
"""


def zipped(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return packed.getvalue()


@pytest.fixture
def role(iam: Any) -> str:
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust(LAMBDA))
    return ROLE


@pytest.fixture
def functions(dev: Any, role: str) -> Any:
    return dev.admin.client("lambda")


def create(client: Any, code: str | bytes = WHO_AM_I, *, handler: str = "app.handler", **more: Any) -> Any:
    packed = zipped(app=code) if isinstance(code, str) else code
    wanted = {"FunctionName": "report", "Runtime": "python3.12", "Role": ROLE, **more}
    return client.create_function(Handler=handler, Code={"ZipFile": packed}, **wanted)


def call(client: Any, event: Any = None, **more: Any) -> Any:
    answer = client.invoke(FunctionName=more.pop("name", "report"), Payload=json.dumps(event), **more)
    return json.loads(answer["Payload"].read())


# -- making one --------------------------------------------------------------------------------------------------------

CREATORS = [
    ("both permissions", [allow("lambda:CreateFunction"), allow("iam:PassRole", ROLE)], None),
    ("without PassRole", [allow("lambda:CreateFunction")], "iam:PassRole on resource: " + ROLE),
    ("without CreateFunction", [allow("iam:PassRole")], "lambda:CreateFunction on resource: " + ARN),
    ("PassRole to Lambda", [allow("lambda:*"), allow("iam:PassRole", Condition={
        "StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}})], None),
    ("PassRole to EC2 alone", [allow("lambda:*"), allow("iam:PassRole", Condition={
        "StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})], "iam:PassRole"),
    ("sts:AssumeRole is not PassRole", [allow("lambda:*"), allow("sts:AssumeRole")], "iam:PassRole"),
    ("only functions of the team", [allow("lambda:*", f"{ARN}-*"), allow("iam:PassRole")], "lambda:CreateFunction"),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "refusal"), [case[1:] for case in CREATORS], ids=[case[0] for case in CREATORS])
def test_who_may_make_a_function(aws: Cloud, iam: Any, role: str, statements: list[Any], refusal: str | None) -> None:
    client = new_user(aws, iam, "alice", *statements).client("lambda")
    if refusal is None:
        assert create(client)["FunctionArn"] == ARN
        return
    code, text = refused(lambda: create(client))
    assert code == "AccessDeniedException"
    assert refusal in text


TRUST_CASES = [
    ("EC2's role", trust({"Service": "ec2.amazonaws.com"}), False),
    ("a role for users", trust({"AWS": "111111111111"}), False),
    ("a role for both", trust({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}), True),
    ("only for this function", trust(LAMBDA, Condition={"ArnLike": {"aws:SourceArn": ARN}}), True),
    ("only for another function", trust(LAMBDA, Condition={"ArnLike": {"aws:SourceArn": f"{ARN}-2"}}), False),
]


@pytest.mark.parametrize(("policy", "works"), [case[1:] for case in TRUST_CASES], ids=[case[0] for case in TRUST_CASES])
def test_the_role_must_trust_lambda(iam: Any, functions: Any, policy: str, works: bool) -> None:
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=policy)
    if works:
        create(functions)
    else:
        text = "The role defined for the function cannot be assumed by Lambda."
        assert refused(lambda: create(functions)) == ("InvalidParameterValueException", text)


def test_a_role_that_does_not_exist_cannot_be_assumed_either(functions: Any) -> None:
    said = refused(lambda: create(functions, Role=f"{ROLE}-2"))
    assert said == ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")


def test_a_role_of_another_account_cannot_be_passed(aws: Cloud, functions: Any) -> None:
    theirs = aws.account("partner").admin.client("iam")
    theirs.create_role(RoleName="worker", AssumeRolePolicyDocument=trust(LAMBDA))
    said = refused(lambda: create(functions, Role="arn:aws:iam::222222222222:role/worker"))
    assert said == ("AccessDeniedException", "Cross-account pass role is not allowed.")


def test_changing_the_role_is_passing_one_too(aws: Cloud, iam: Any, functions: Any) -> None:
    create(functions)
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=trust(LAMBDA))
    alice = new_user(aws, iam, "alice", allow("lambda:*")).client("lambda")
    alice.update_function_configuration(FunctionName="report", Timeout=5)
    other = ROLE.replace("worker", "other")
    change = lambda: alice.update_function_configuration(FunctionName="report", Role=other)  # noqa: E731
    assert "iam:PassRole on resource: " + other in refused(change)[1]


def test_what_is_no_zip_file_is_no_code(functions: Any) -> None:
    code, text = refused(lambda: create(functions, b"not a zip file"))
    assert code == "InvalidParameterValueException"
    assert text.startswith("Could not unzip uploaded file")


# -- running one -----------------------------------------------------------------------------------------------------


def test_a_function_runs_as_a_session_of_its_role(aws: Cloud, functions: Any) -> None:
    create(functions)
    session = "arn:aws:sts::111111111111:assumed-role/worker/report"
    assert call(functions) == session
    assert [event.who for event in list(aws.trail)[-2:]] == [session, "arn:aws:iam::111111111111:user/lab-admin"]


READS_A_TABLE = """
import boto3
table = boto3.resource("dynamodb").Table("orders")
def handler(event, context):
    return table.get_item(Key={"id": event["id"]})["Item"]["what"]
"""


def test_a_function_may_do_what_its_role_may(aws: Cloud, iam: Any, dev: Any, functions: Any) -> None:
    tables = dev.admin.client("dynamodb")
    tables.create_table(
        TableName="orders", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip
    tables.put_item(TableName="orders", Item={"id": {"S": "1"}, "what": {"S": "tea"}})
    create(functions, READS_A_TABLE)
    failed = call(functions, {"id": "1"})
    assert "AccessDeniedException" in failed["errorMessage"]
    assert "assumed-role/worker/report is not authorized to perform: dynamodb:GetItem" in failed["errorMessage"]
    iam.put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=document(allow("dynamodb:GetItem")))
    assert call(functions, {"id": "1"}) == "tea"


FAILURES = [
    ("an exception", "def handler(event, context):\n    return 1 / 0", "app.handler", "ZeroDivisionError",
     "division by zero"),
    ("a module that is not there", WHO_AM_I, "other.handler", "Runtime.ImportModuleError",
     "Unable to import module 'other': No module named 'other'"),
    ("an import that fails", "import nothing_of_that_name", "app.handler", "Runtime.ImportModuleError",
     "Unable to import module 'app': No module named 'nothing_of_that_name'"),
    ("a function that is not there", WHO_AM_I, "app.main", "Runtime.HandlerNotFound",
     "Handler 'main' missing on module 'app'"),
    ("a mistake in the text", "def handler(:", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module"),
    ("an answer that is no JSON", "def handler(event, context):\n    return {1, 2}", "app.handler",
     "Runtime.MarshalError", "Unable to marshal response: Object of type set is not JSON serializable"),
    ("the end of the process", "import sys\ndef handler(event, context):\n    sys.exit(3)", "app.handler",
     "Runtime.ExitError", "exit status 3"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "handler", "kind", "message"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES]
)
def test_what_a_caller_hears_of_a_function_that_fails(
    functions: Any, code: str, handler: str, kind: str, message: str
) -> None:
    create(functions, code, handler=handler)
    answer = functions.invoke(FunctionName="report")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    told = json.loads(answer["Payload"].read())
    assert told["errorType"] == kind
    assert message in told["errorMessage"]


def test_a_stack_trace_shows_the_functions_own_lines(functions: Any) -> None:
    create(functions, "def handler(event, context):\n    raise KeyError('x')")
    trace = call(functions)["stackTrace"]
    assert len(trace) == 1
    assert trace[0].startswith('  File "/var/task/app.py", line 2, in handler')


LOOKS_AROUND = """
import logging, os, helper
def handler(event, context):
    print("printed")
    logging.getLogger().warning("logged")
    names = ["AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME", "STAGE", "AWS_PROFILE"]
    return [helper.WHERE, context.function_name, context.invoked_function_arn, context.memory_limit_in_mb,
            context.get_remaining_time_in_millis() > 0, *map(os.environ.get, names)]
"""


def test_a_function_finds_its_context_and_environment_and_leaves_none_behind(
    monkeypatch: pytest.MonkeyPatch, functions: Any
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    code = zipped(app=LOOKS_AROUND, helper="WHERE = 'in the zip file'")
    create(functions, code, Environment={"Variables": {"STAGE": "test"}}, MemorySize=256)
    before, path = dict(os.environ), list(sys.path)
    seen = call(functions)
    assert seen == ["in the zip file", "report", ARN, "256", True, "us-east-1", "report", "test", None]
    assert (dict(os.environ), sys.path) == (before, path)
    assert not {"app", "helper"} & set(sys.modules)


def test_a_function_that_takes_too_long_is_ended(functions: Any) -> None:
    create(functions, "import time\ndef handler(event, context):\n    print('begun')\n    time.sleep(60)", Timeout=1)
    answer = functions.invoke(FunctionName="report", LogType="Tail")
    report = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert report["errorType"] == "Sandbox.Timedout"
    assert report["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert "begun" in base64.b64decode(answer["LogResult"]).decode()


CHANGES_ALL = """
import boto3, builtins, os, sys
def handler(event, context):
    os.chdir("/")
    builtins.print = None
    os.environ["AWS_PROFILE"] = "gone"
    boto3.setup_default_session()
    sys.path.clear()
    return os.getpid()
"""


def test_a_function_shares_nothing_with_this_process(functions: Any) -> None:
    create(functions, CHANGES_ALL)
    before = os.getcwd(), print, dict(os.environ), boto3.DEFAULT_SESSION, list(sys.path)
    assert call(functions) != os.getpid()
    assert (os.getcwd(), print, dict(os.environ), boto3.DEFAULT_SESSION, list(sys.path)) == before


def test_a_function_that_kills_its_process_has_failed(functions: Any) -> None:
    create(functions, "import os\ndef handler(event, context):\n    os._exit(1)")
    assert call(functions)["errorType"] == "Runtime.ExitError"


def test_in_a_browser_a_function_runs_in_the_one_process_there_is(
    monkeypatch: pytest.MonkeyPatch, functions: Any
) -> None:
    monkeypatch.setattr(function_runtime, "in_browser", lambda: True)
    mine = type(sys)("app")
    monkeypatch.setitem(sys.modules, "app", mine)
    create(functions, zipped(app=f"{LOOKS_AROUND}{WHO_AM_I.replace('handler', 'who')}", helper="WHERE = 'zip'"))
    before, path = dict(os.environ), list(sys.path)
    assert call(functions)[:2] == ["zip", "report"]
    functions.update_function_configuration(FunctionName="report", Handler="app.who")
    assert call(functions).endswith("assumed-role/worker/report")
    assert (dict(os.environ), sys.path, sys.modules["app"]) == (before, path, mine)


def test_a_functions_module_does_not_meet_the_notebooks_of_that_name(
    monkeypatch: pytest.MonkeyPatch, functions: Any
) -> None:
    mine = type(sys)("app")
    monkeypatch.setitem(sys.modules, "app", mine)
    create(functions, "def handler(event, context):\n    return 'the zip file'")
    assert call(functions) == "the zip file"
    assert sys.modules["app"] is mine


def test_a_log_tail_tells_what_was_printed_and_logged(functions: Any) -> None:
    create(functions, zipped(app=LOOKS_AROUND, helper="WHERE = ''"))
    answer = functions.invoke(FunctionName="report", LogType="Tail")
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert lines[0].startswith("START RequestId: ")
    assert {"printed", "[WARNING]\tlogged"} <= set(lines)
    assert lines[-1].startswith("REPORT RequestId: ")


def test_a_log_reaches_cloudwatch_only_if_the_role_may_write_there(iam: Any, dev: Any, functions: Any) -> None:
    create(functions, "def handler(event, context):\n    print('for the log')")
    logs = dev.admin.client("logs")
    group = {"logGroupName": "/aws/lambda/report"}
    call(functions)
    assert refused(lambda: logs.describe_log_streams(**group))[0] == "ResourceNotFoundException"
    basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    iam.attach_role_policy(RoleName="worker", PolicyArn=basic)
    call(functions)
    (stream,) = logs.describe_log_streams(**group)["logStreams"]
    events = logs.get_log_events(**group, logStreamName=stream["logStreamName"])["events"]
    assert "for the log" in {event["message"] for event in events}


KINDS = [("RequestResponse", 200), ("Event", 202), ("DryRun", 204)]


@pytest.mark.parametrize(("kind", "status"), KINDS)
def test_kinds_of_invocation(aws: Cloud, functions: Any, kind: str, status: int) -> None:
    create(functions)
    assert functions.invoke(FunctionName="report", InvocationType=kind)["StatusCode"] == status
    ran = any(event.action == "sts:GetCallerIdentity" for event in aws.trail)
    assert ran == (kind != "DryRun")


def test_what_is_no_json_is_no_event(functions: Any) -> None:
    create(functions)
    code, text = refused(lambda: functions.invoke(FunctionName="report", Payload=b"{"))
    assert code == "InvalidRequestContentException"
    assert text.startswith("Could not parse request body into json")


def test_a_function_that_does_not_exist(functions: Any) -> None:
    assert refused(lambda: functions.invoke(FunctionName="nothing")) == (
        "ResourceNotFoundException",
        f"Function not found: {ARN.replace('report', 'nothing')}",
    )


def test_other_languages_are_refused_with_a_sentence(functions: Any) -> None:
    create(functions, Runtime="nodejs22.x")
    code, text = refused(lambda: functions.invoke(FunctionName="report"))
    assert code == "NotImplemented"
    assert "The lab runs functions in Python" in text


def test_a_function_loses_its_role(iam: Any, functions: Any) -> None:
    create(functions)
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    assert refused(lambda: functions.invoke(FunctionName="report"))[0] == "AccessDeniedException"


CALLS_ANOTHER = """
import boto3
def handler(event, context):
    answer = boto3.client("lambda").invoke(FunctionName="inner")
    return ["outer saw", answer["Payload"].read().decode()]
"""


def test_a_function_may_invoke_another(iam: Any, functions: Any) -> None:
    create(functions, FunctionName="inner")
    create(functions, CALLS_ANOTHER)
    iam.put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=document(allow("lambda:InvokeFunction")))
    assert call(functions) == ["outer saw", '"arn:aws:sts::111111111111:assumed-role/worker/inner"']


USES_THREADS = """
import boto3
from concurrent.futures import ThreadPoolExecutor
def handler(event, context):
    sts = boto3.client("sts")
    with ThreadPoolExecutor(4) as pool:
        return sorted({answer["Account"] for answer in pool.map(lambda _: sts.get_caller_identity(), range(8))})
"""


def test_a_functions_threads_are_not_held_up_by_its_own_call(functions: Any) -> None:
    create(functions, USES_THREADS)
    assert call(functions) == ["111111111111"]


def test_callers_at_once_have_a_run_each(functions: Any) -> None:
    create(functions, "import os\ndef handler(event, context):\n    return os.environ['AWS_ACCESS_KEY_ID']", Timeout=60)
    seen: list[str] = []
    threads = [threading.Thread(target=lambda: seen.append(call(functions))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(seen)) == 6  # each run had credentials of its own


# -- who may run one ---------------------------------------------------------------------------------------------------


def test_another_account_may_run_a_function_when_both_sides_say_so(aws: Cloud, functions: Any) -> None:
    create(functions)
    partner = aws.account("partner")
    carol = new_user(aws, partner.admin.client("iam"), "carol", allow("lambda:InvokeFunction")).client("lambda")
    code, text = refused(lambda: carol.invoke(FunctionName=ARN))
    assert code == "AccessDeniedException"
    assert "no resource-based policy allows the lambda:InvokeFunction action" in text
    permission = {"FunctionName": "report", "StatementId": "partner", "Action": "lambda:InvokeFunction"}
    functions.add_permission(**permission, Principal=partner.id)
    assert call(carol, name=ARN) == "arn:aws:sts::111111111111:assumed-role/worker/report"
    assert call(carol, name="111111111111:function:report").endswith("worker/report")
    functions.remove_permission(FunctionName="report", StatementId="partner")
    assert refused(lambda: carol.invoke(FunctionName=ARN))[0] == "AccessDeniedException"


def test_a_version_is_a_resource_of_its_own(aws: Cloud, iam: Any, functions: Any) -> None:
    create(functions)
    functions.publish_version(FunctionName="report")
    alice = new_user(aws, iam, "alice", allow("lambda:InvokeFunction", f"{ARN}:1")).client("lambda")
    call(alice, Qualifier="1")
    assert refused(lambda: alice.invoke(FunctionName="report"))[0] == "AccessDeniedException"


def test_code_in_a_bucket_is_read_with_the_callers_permissions(aws: Cloud, iam: Any, dev: Any, role: str) -> None:
    s3 = dev.admin.client("s3")
    s3.create_bucket(Bucket="code-of-ours")
    s3.put_object(Bucket="code-of-ours", Key="app.zip", Body=zipped(app=WHO_AM_I))
    alice = new_user(aws, iam, "alice", allow(["lambda:*", "iam:PassRole"])).client("lambda")
    make = lambda: alice.create_function(  # noqa: E731
        FunctionName="report", Runtime="python3.12", Role=ROLE, Handler="app.handler",
        Code={"S3Bucket": "code-of-ours", "S3Key": "app.zip"},
    )  # fmt: skip
    assert "s3:GetObject on resource: " in refused(make)[1]
    iam.put_user_policy(UserName="alice", PolicyName="code", PolicyDocument=document(allow("s3:GetObject")))
    make()
    assert call(alice).endswith("assumed-role/worker/report")


def test_a_function_runs_in_a_world_that_was_saved_and_loaded(aws: Cloud, functions: Any, tmp_path: Path) -> None:
    create(functions)
    aws.save(tmp_path / "world.json")
    with Cloud.load(tmp_path / "world.json") as again:
        assert (
            call(again.account("dev").admin.client("lambda")) == "arn:aws:sts::111111111111:assumed-role/worker/report"
        )
