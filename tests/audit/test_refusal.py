"""Error texts are understood, whatever they are wrapped in, and what is said of them is so."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlib import Cloud, Policy, PolicySet, evaluate
from simlib.audit.explain_command import main
from simlib.audit.refusal import NotARefusal, explain
from simlib.iam.scenario import read_scenario
from simlib.iam.vocabulary import EXPLICIT_DENY, IMPLICIT_DENY, POLICY_NAMES
from simlib.lessons import LESSONS
from tests.cloud.conftest import allow, deny
from tests.iam.differential.scenarios import scenario

ROOT = Path(__file__).parents[2]
FILE = ROOT.parent / "shared" / "data" / "aws-refusals.jsonl"
DEV, BUCKET = "arn:aws:iam::111111111111:user/dev", "arn:aws:s3:::reports"
REASON = "because no identity-based policy allows the s3:GetObject action"
LACKS = f'User: {DEV} is not authorized to perform: s3:GetObject on resource: "{BUCKET}/a" {REASON}'
CALLING = "An error occurred (AccessDenied) when calling the GetObject operation"
RECORD = {
    "eventSource": "s3.amazonaws.com",
    "eventName": "GetObject",
    "errorCode": "AccessDenied",
    "userIdentity": {"arn": DEV},
}
KINDS = {  # of the file: what its rows can be
    "a": {"permission"},
    "b": {"document", "quota", "permission"},
    "c": {"trust", "credentials", "signature", "request", "quota", "permission"},
    "d": {"missing", "conflict", "quota", "request"},
    "e": {"permission", "trust"},
    "f": {"permission"},
    "g": {"configuration", "permission"},
}


def real() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FILE.read_text("utf-8").splitlines()] if FILE.exists() else []


@pytest.mark.skipif(not FILE.exists(), reason="the texts of the real AWS are not beside the project")
def test_every_text_that_the_real_aws_has_printed_is_understood() -> None:
    asked = 0
    for row in real():
        calling = f"An error occurred ({row['code']}) when calling the {row['operation']} operation: "
        for text in (row["text"], calling + row["text"]):
            refusal = explain(text)
            assert refusal.kind in KINDS[row["kind"]], text
            if match := re.search(r"perform: ([\w-]+:\w+)", row["text"]):
                assert refusal.action.lower() == match[1].lower(), text
                asked += 1
            for check_type, name in POLICY_NAMES.items():
                if f"no {name} allows" in row["text"] or re.search(f"deny in an? {name}", row["text"]):
                    assert refusal.check_type == check_type, text
                    assert refusal.effect == (IMPLICIT_DENY if " no " in row["text"] else EXPLICIT_DENY), text
    assert asked > 200


WRAPPED = {
    "bare": LACKS,
    "broken into lines": f"{CALLING}: {LACKS}".replace(" is not", "\nis not").replace(" because", "\n   because"),
    "cli": f"aws: [ERROR]: {CALLING}: {LACKS}",
    "python": f"botocore.exceptions.ClientError: {CALLING}: {LACKS}",
    "go": "Error: operation error S3: GetObject, https response error StatusCode: 403, RequestID: 1, HostID: 2, "
    f"api error AccessDenied: {LACKS}",
    "java": f"com.amazonaws.services.s3.model.AmazonS3Exception: {LACKS} "
    "(Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: 1; Proxy: null)",
    "javascript": f"AccessDenied: {LACKS}\n    at throwDefaultError (/app/index.js:844:20) {{\n  '$fault': 'client'",
    "go before 2020": f"Error: reading object: AccessDenied: {LACKS}\n\tstatus code: 403, request id: 1, host id: 2",
    "dotnet": f"Unhandled exception. Amazon.S3.AmazonS3Exception: {LACKS}\n ---> Amazon.Runtime.Internal.X: of type",
    "php": f"AWS HTTP error: `403 Forbidden` response: AccessDenied (client): {LACKS} - <?xml version='1.0'?>",
    "terraform": "╷\n│ Error: reading S3 Object: operation error S3: GetObject, https response error StatusCode: 403, "
    f"api error AccessDenied: {LACKS}\n│ \n│   with aws_s3_object.a,\n│   on main.tf line 12:\n╵",
    "cdk": f"S | 3/5 | 10:11:12 AM | CREATE_FAILED | AWS::S3::Object | API: s3:GetObject {LACKS}\n❌ S failed: Error",
    "cloudformation": f'Resource handler returned message: "{LACKS} (Service: S3, Status Code: 403, Request ID: 1)" '
    "(RequestToken: 0a0b, HandlerErrorCode: AccessDenied)",
    "github actions": f"2026-01-05T10:00:02.1Z Run aws s3 cp\n2026-01-05T10:00:03.1Z fatal error: {CALLING}: {LACKS}\n"
    "2026-01-05T10:00:03.2Z ##[error]Process completed with exit code 1.",
    "traceback": "Traceback (most recent call last):\n  File 'botocore/client.py', line 569, in _api_call\n"
    f"botocore.exceptions.ClientError: {CALLING}: {LACKS}\nEND RequestId: 5f3a",
    "quoted in an e-mail": "> " + f"{CALLING}: {LACKS}".replace(" is not", "\n> is not"),
    "ansible": f'fatal: [here]: FAILED! => {{"error": {{"code": "AccessDenied", "message": {json.dumps(LACKS)}}}}}',
    "xml": "<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>"
    + LACKS.replace('"', "&quot;")
    + "</Message></Error>",
    "json": json.dumps({"__type": "com.amazon#AccessDenied", "message": LACKS}),
    "trail": json.dumps({**RECORD, "errorMessage": LACKS}),
}


@pytest.mark.parametrize("text", WRAPPED.values(), ids=WRAPPED)
def test_a_text_is_found_in_what_it_is_wrapped_in(text: str) -> None:
    for wrapped in (text, json.dumps({"Records": [{}, json.loads(text)]}) if text[0] == "{" else f"\n  {text}\n"):
        refusal = explain(wrapped)
        assert (refusal.principal, refusal.action, refusal.resource) == (DEV, "s3:GetObject", f"{BUCKET}/a")
        assert (refusal.check_type, refusal.effect) == ("PRINCIPAL", IMPLICIT_DENY)
        assert refusal.statement == {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/a"}


@pytest.mark.parametrize(
    ("source", "event", "action"),
    [("sqs", "SendMessage", "sqs:SendMessage"), ("monitoring", "PutMetricAlarm", "cloudwatch:PutMetricAlarm"),
     ("lambda", "GetFunction20150331v2", "lambda:GetFunction"), ("s3", "ListBuckets", "s3:ListAllMyBuckets")],
)  # fmt: skip
def test_a_record_of_the_trail_without_a_reason_says_who_asked_what(source: str, event: str, action: str) -> None:
    record = {**RECORD, "eventSource": f"{source}.amazonaws.com", "eventName": event, "resources": [{"ARN": BUCKET}]}
    refusal = explain(json.dumps(record))
    assert (refusal.kind, refusal.principal, refusal.action) == ("permission", DEV, action)
    assert refusal.resource == BUCKET


ANY = "arn:aws:sts::123456789012:assumed-role/ci/build is not authorized to perform: "
ENCODED = "Encoded authorization failure message: 4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abcDEF_123"
SCP = "arn:aws:organizations::111122223333:policy/o-exampleorgid/service_control_policy/p-examplepolicyid111"


@pytest.mark.parametrize(
    ("text", "action", "check_type", "effect"),
    [
        ("qbusiness:ChatSync on resource: arn:aws:qbusiness:us-east-1:1:application/a because no identity-based policy "
         "allows the qbusiness:ChatSync action", "qbusiness:ChatSync", "PRINCIPAL", IMPLICIT_DENY),
        ("aws-marketplace:Subscribe because no service control policy allows the aws-marketplace:Subscribe action",
         "aws-marketplace:Subscribe", "SERVICE_CONTROL_POLICY", IMPLICIT_DENY),
        (f"iam:CreateUser on resource: {DEV} with an explicit deny in a service control policy: {SCP}",
         "iam:CreateUser", "SERVICE_CONTROL_POLICY", EXPLICIT_DENY),
        (f"ec2:StopInstances on resource: arn:aws:ec2:us-east-1:1:instance/i-0 with an explicit deny in an "
         f"identity-based policy. {ENCODED}", "ec2:StopInstances", "PRINCIPAL", EXPLICIT_DENY),
        ('s3:GetObject on resource: "arn:aws:s3:::b/my file.txt" with an explicit deny in a resource control policy',
         "s3:GetObject", "RESOURCE_CONTROL_POLICY", EXPLICIT_DENY),
        ("execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:****9012:abc/GET/a with an explicit deny",
         "execute-api:Invoke", "", EXPLICIT_DENY),
        ("SNS:Publish on resource: arn:aws:sns:us-east-1:1:t because no VPC endpoint policy allows the SNS:Publish "
         "action", "sns:Publish", "VPC_ENDPOINT", IMPLICIT_DENY),
        ("sts:AssumeRole on resource: arn:aws:iam::999999999999:role/x", "sts:AssumeRole", "", ""),
        ("kms:Decrypt on this resource because the resource does not exist in this Region, no resource-based policies "
         "allow access, or a resource-based policy explicitly denies access", "kms:Decrypt", "", ""),
    ],
)  # fmt: skip
def test_whatever_the_service_the_text_of_an_authorization_is_read(
    text: str, action: str, check_type: str, effect: str
) -> None:
    refusal = explain(f"User: {ANY}{text}")
    assert (refusal.action, refusal.check_type, refusal.effect) == (action, check_type, effect)
    assert refusal.resource == "" or refusal.resource in text
    assert refusal.policy == (SCP if SCP in text else "")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
         "credentials"),
        ("* HTTP/1.1 403\n<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does "
         "not match the signature you provided.</Message></Error>", "signature"),
        ('{"message":"Missing Authentication Token"}', "request"),
        ("##[error]Could not assume role with OIDC: Not authorized to perform sts:AssumeRoleWithWebIdentity", "trust"),
        ("Error: error creating S3 bucket ACL for b: AccessControlListNotSupported: The bucket does not allow ACLs\n"
         "\tstatus code: 400, request id: 4F7C", "request"),
        ("ERROR: User arn:aws:redshift:us-west-2:1:dbuser:c is not authorized to assume IAM Role arn:aws:iam::1:role/R",
         "trust"),
        ("An error occurred (OptInRequired) when calling the RunInstances operation: You are not subscribed to it.",
         "request"),
        ("Error when retrieving token from sso: Token has expired and refresh failed", "configuration"),
        (f"An error occurred (UnauthorizedOperation) when calling the RunInstances operation: You are not authorized "
         f"to perform this operation. {ENCODED}", "permission"),
    ],
)  # fmt: skip
def test_a_text_without_an_authorization_is_of_a_kind(text: str, kind: str) -> None:
    assert explain(text).kind == kind


@pytest.mark.parametrize(
    ("text", "kind", "action"),
    [
        (json.dumps({"level": "error", "msg": "failed", "error": f"AccessDenied: {LACKS}\n\tstatus code: 400"}),
         "permission", "s3:GetObject"),
        ("api error AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity", "trust",
         "sts:AssumeRoleWithWebIdentity"),
        ("You don't have permission to list buckets\nAfter you have updated your permissions to allow the "
         "s3:ListAllMyBuckets action, refresh the page.", "permission", "s3:ListAllMyBuckets"),
        ("554 Access denied: User `arn:aws:iam::111122223333:user/mail' is not authorized to perform "
         "`ses:SendRawEmail' on resource `arn:aws:ses:us-east-1:111122223333:identity/example.com'", "permission",
         "ses:SendRawEmail"),
        ("operation error S3: ListBuckets, get identity: get credentials: failed to refresh cached credentials, no EC2 "
         "IMDS role found", "configuration", ""),
        ("SdkClientException: Unable to load credentials from any of the providers in the chain", "configuration", ""),
        ("Error: Need to perform AWS calls for account 1, but no credentials have been configured", "configuration",
         ""),
        ("current credentials could not be used to assume 'arn:aws:iam::1:role/cdk-deploy', but are for the right "
         "account.", "trust", ""),
        ("fatal: unable to access 'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/app/': The requested URL "
         "returned error: 403", "permission", ""),
        ("Phase context status code: YAML_FILE_ERROR Message: AccessDenied: Access Denied status code: 403, request "
         "id: X", "permission", ""),
        ("Aws::S3::Errors::AccessDenied: Access Denied", "permission", ""),
    ],
)  # fmt: skip
def test_what_tools_print_around_a_refusal_is_seen_through(text: str, kind: str, action: str) -> None:
    refusal = explain(text)
    assert (refusal.kind, refusal.action) == (kind, action)


def test_of_the_resources_of_a_record_the_one_that_the_others_hold_counts() -> None:
    resources = [{"ARN": f"{BUCKET}/a"}, {"ARN": BUCKET, "accountId": "111111111111"}]
    assert explain(json.dumps({**RECORD, "resources": resources})).resource == f"{BUCKET}/a"
    other = [*resources, {"ARN": "arn:aws:s3:::other"}]
    assert explain(json.dumps({**RECORD, "resources": other})).resource == ""


def test_a_file_of_a_windows_shell_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "error.txt"
    path.write_bytes(f"{CALLING}: {LACKS}".encode("utf-16"))
    assert main([str(path)]) == 0
    assert "asked for s3:GetObject" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        ("iam:GetRole on resource: role reader because", "arn:aws:iam::111111111111:role/reader"),
        ("iam:GetPolicy on resource: policy arn:aws:iam::aws:policy/X because", "arn:aws:iam::aws:policy/X"),
        ("iam:PutUserPolicy on resource: user dev because", DEV),
        (
            "secretsmanager:GetSecretValue on resource: prod/db because",
            "arn:aws:secretsmanager:*:111111111111:secret:prod/db-??????",
        ),
    ],
)
def test_a_resource_that_is_named_in_short_is_completed(text: str, resource: str) -> None:
    action = text.partition(" ")[0]
    refusal = explain(
        f"User: {DEV} is not authorized to perform: {text} no identity-based policy allows the {action} action"
    )
    assert refusal.resource == resource


def test_an_action_without_resources_is_allowed_on_everything() -> None:
    refusal = explain(LACKS.replace("s3:GetObject", "s3:ListAllMyBuckets").replace(f'"{BUCKET}/a"', '"arn:aws:s3:::*"'))
    assert refusal.statement == {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}


@pytest.mark.parametrize(
    ("action", "caution"),
    [("iam:PassRole", "name the role"), ("iam:PutRolePolicy", "changes permissions"), ("s3:GetObject", "")],
)
def test_what_a_statement_would_open_is_said(action: str, caution: str) -> None:
    said = explain(LACKS.replace("s3:GetObject", action)).caution
    assert caution in said
    assert bool(caution) is bool(said)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "My keys were not found", "{}", "[]", "<a/>", "ValueError: invalid literal", "role not found",
     "PermissionError: [Errno 13] Permission denied: '/etc/shadow'", "git@github.com: Permission denied (publickey).",
     "google.api_core.exceptions.Forbidden: 403 POST https://compute.example.com: Required 'compute.create' permission",
     'Error from server (Forbidden): pods is forbidden: User "dev" cannot list resource "pods"',
     "AuthorizationFailed: The client 'x' does not have authorization to perform action 'Microsoft.Compute/read'",
     "npm ERR! 403 403 Forbidden - GET https://registry.example.com/x", '{"error": "forbidden", "message": "no"}',
     '{"Version": "2012-10-17", "Statement": []}', "Traceback (most recent call last):\nKeyError: 'x'", "[" * 9_999],
)  # fmt: skip
def test_what_is_no_refusal_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NotARefusal, match="paste what AWS printed"):
        explain(text)


NAMES = ("Records", "DecodedMessage", "context", "explicitDeny", "errorCode", "Error", "matchedStatements")
ANY_JSON = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda each: st.lists(each) | st.dictionaries(st.sampled_from(NAMES), each),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.text() | ANY_JSON.map(json.dumps))
def test_whatever_the_text_is_nothing_else_is_raised(text: str) -> None:
    with suppress(NotARefusal):
        assert explain(text).explain()


def test_the_engines_own_texts_are_read_back_and_the_smallest_statement_fills_the_gap() -> None:
    read, filled = 0, 0
    for seed in range(800):
        request, policies = read_scenario(scenario(seed))
        evaluation = evaluate(request, policies)
        if f"perform: {request.action}" not in evaluation.message:
            continue
        refusal = explain(evaluation.message)
        assert (refusal.principal, refusal.action) == (request.principal, request.action)
        check = evaluation.deciding.check
        assert check is not None
        if " because no " not in evaluation.message and " with an explicit deny in " not in evaluation.message:
            assert refusal.check_type == refusal.effect == ""
            continue
        assert (refusal.check_type, refusal.effect) == (check.check_type, evaluation.effect)
        assert refusal.resource in (request.resource, "*")
        read += 1
        if refusal.statement is None:
            assert evaluation.effect == EXPLICIT_DENY or ":federated-user/" in request.principal
        elif request.role_arn is None or request.role_arn.count("/") == 1:
            wider = evaluate(request, with_statement(policies, refusal.check_type, check.level, refusal.statement))
            same = [each for each in wider.checks if (each.check_type, each.level) == (check.check_type, check.level)]
            assert [each.effect for each in same] == ["ALLOW"], evaluation.message
            filled += 1
    assert read > 200
    assert filled > 80


def with_statement(policies: PolicySet, check_type: str, level: int | None, statement: dict[str, Any]) -> PolicySet:
    def policy(kind: str, *others: Any) -> Policy:
        return Policy.parse({"Version": "2012-10-17", "Statement": [*others, statement]}, kind)

    match check_type:
        case "PRINCIPAL":
            return policies._replace(identity=(*policies.identity, policy("identity")))
        case "PERMISSIONS_BOUNDARY":
            return policies._replace(permissions_boundary=policy("boundary"))
        case "SESSION":
            return policies._replace(session=(*policies.session, policy("session")))
        case "VPC_ENDPOINT":
            return policies._replace(vpc_endpoint=(*policies.vpc_endpoint, policy("endpoint")))
        case "SERVICE_CONTROL_POLICY":
            levels = [(*each, policy("scp")) if at == level else each for at, each in enumerate(policies.scps)]
            return policies._replace(scps=tuple(levels))
        case "RESOURCE":
            kind = policies.resource.kind if policies.resource else "resource"
            return policies._replace(resource=policy(kind))
    raise AssertionError(check_type)


def test_with_the_account_beside_it_the_statement_that_decides_is_named() -> None:
    with Cloud.start() as aws:
        iam = aws.account("dev").admin.client("iam")
        iam.create_user(UserName="dev")
        document = {"Version": "2012-10-17", "Statement": [allow("s3:*"), {"Sid": "No", **deny("s3:GetObject")}]}
        iam.put_user_policy(UserName="dev", PolicyName="p", PolicyDocument=json.dumps(document))
        refusal = explain(LACKS.replace(REASON, "with an explicit deny in an identity-based policy"))
        evaluation = refusal.compare(aws)
        assert evaluation is not None
        assert [each.statement.sid for each in evaluation.deciding.statements] == ["No"]
        assert explain(LACKS.replace("user/dev", "user/nobody")).compare(aws) is None


def test_a_decoded_message_brings_its_context() -> None:
    with Cloud.start() as aws:
        admin = aws.account("dev").admin
        admin.client("iam").create_user(UserName="dev")
        dev = aws.sign_in(admin.client("iam").create_access_key(UserName="dev"))
        with pytest.raises(Exception, match="Encoded authorization failure message") as refused:
            dev.client("ec2").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
        assert explain(str(refused.value)).action == "ec2:RunInstances"
        encoded = str(refused.value).rpartition(": ")[2]
        answer = admin.client("sts").decode_authorization_message(EncodedMessage=encoded)
    refusal = explain(json.dumps({"DecodedMessage": answer["DecodedMessage"]}))
    assert (refusal.principal, refusal.action, refusal.effect) == (DEV, "ec2:RunInstances", IMPLICIT_DENY)
    assert refusal.context["aws:PrincipalArn"] == DEV


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "error.txt"
    file.write_text(LACKS, "utf-8")
    assert main([str(file)]) == 0
    assert "No identity-based policy of" in capsys.readouterr().out
    assert main([str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["check_type"] == "PRINCIPAL"
    file.write_text("hello", "utf-8")
    assert main([str(file)]) == 1
    assert "paste what AWS printed" in capsys.readouterr().err


def test_the_lessons_are_there() -> None:
    text = (ROOT / "simlib" / "audit" / "refusals.toml").read_text("utf-8")
    lessons = set(re.findall(r'^lesson = "(.*)"$', text, re.MULTILINE))
    assert len(lessons) > 3
    assert {lesson for lesson in lessons if lesson not in LESSONS} == set()
