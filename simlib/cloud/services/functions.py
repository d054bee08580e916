"""AWS Lambda: which roles a function may have, and what happens when it is invoked.

An invoked function runs as a session of its execution role, in a process of its own that meets the gate like any
other. https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

from __future__ import annotations

import base64
import io
import json
import re
import uuid
import zipfile
from collections.abc import Mapping
from typing import Any

from simlib.cloud.call_context import CallContext, DeferredAnswer
from simlib.cloud.credentials.sessions import Session, session_caller
from simlib.cloud.permissions.authorization import decide
from simlib.cloud.permissions.permission import Permission
from simlib.cloud.services import function_handler, function_runtime
from simlib.cloud.services.function_runtime import Outcome
from simlib.cloud.services.rules import CallFacts, checks
from simlib.cloud.services.session_requests import trusts
from simlib.cloud.storage import resources, store
from simlib.cloud.storage.stored import StoredIdentity
from simlib.cloud.transport.answers import Refusal

SERVICE = "lambda.amazonaws.com"
SESSION_SECONDS = 12 * 3600  # not documented; the credentials of a run outlive it by far


def check_role(context: CallContext) -> None:
    """A function's role must exist and let Lambda assume it.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html#permissions-executionrole-console
    """
    arn = context.parameters.get("Role")
    if arn is None:
        return
    role = store.identity_at(str(arn))
    name = context.parameters.get("FunctionName")
    function = f"arn:aws:lambda:{context.call.region}:{context.caller.account}:function:{name}"
    if role is None or not _may_assume(context, role, function):
        text = "The role defined for the function cannot be assumed by Lambda."
        raise Refusal("InvalidParameterValueException", text, 400, detail=_trusted_by(arn, role))


def _trusted_by(arn: Any, role: StoredIdentity | None) -> str:
    if role is None:
        return f"There is no role {arn}."
    return f"The trust policy of {role.arn} does not allow {SERVICE} to call sts:AssumeRole."


def check_new(context: CallContext) -> None:
    """The role, and code that can be unpacked."""
    check_role(context)
    code = (context.parameters.get("Code") or {}).get("ZipFile") or b""
    packed = base64.b64decode(code) if isinstance(code, str) else bytes(code)
    if packed and not zipfile.is_zipfile(io.BytesIO(packed)):
        text = "Could not unzip uploaded file. Please check your file, then try to upload again."
        raise Refusal("InvalidParameterValueException", text, 400)


def _may_assume(context: CallContext, role: StoredIdentity, function: str) -> bool:
    keys = {"aws:SourceArn": function, "aws:SourceAccount": function.split(":")[4]}
    return trusts(role, SERVICE, context.around, **keys)


def invoke(context: CallContext) -> DeferredAnswer:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html

    An asynchronous invocation (`Event`) is run at once too, and answered with 202; `DryRun` runs nothing.
    """
    parameters = context.parameters
    arn = context.evaluations[-1].resource
    stored = resources.thing_of(arn)
    if stored is None:
        raise Refusal("ResourceNotFoundException", f"Function not found: {arn}", 404, {"Type": "User"})
    kind = parameters.get("InvocationType", "RequestResponse")
    session, environment = _prepared(context, stored)
    task = {"event": _event(parameters.get("Payload")), "request_id": str(uuid.uuid4()), "arn": arn,
            "timeout": int(stored.timeout)}  # fmt: skip

    def work() -> Outcome | None:
        return None if kind == "DryRun" else function_runtime.run(task, stored.code_bytes, environment)

    def finish(outcome: Outcome | None) -> Mapping[str, Any]:
        if outcome is None:
            return {"StatusCode": 204}
        _keep_log(context, session, arn, environment, outcome.log)
        if kind == "Event":
            return {"StatusCode": 202, "Payload": b""}
        answer: dict[str, Any] = {"StatusCode": 200, "Payload": outcome.payload}
        answer["ExecutedVersion"] = environment["AWS_LAMBDA_FUNCTION_VERSION"]
        if outcome.failed:
            answer["FunctionError"] = "Unhandled"
        if parameters.get("LogType") == "Tail":
            answer["LogResult"] = base64.b64encode(outcome.log.encode()[-4096:]).decode("ascii")
        return answer

    return DeferredAnswer(work, finish)


def _event(payload: Any) -> Any:
    if not payload:
        return {}
    try:
        return json.loads(payload.read() if hasattr(payload, "read") else payload)
    except ValueError as error:
        text = f"Could not parse request body into json: {error}"
        raise Refusal("InvalidRequestContentException", text, 400, {"Type": "User"}) from error


def _prepared(context: CallContext, stored: Any) -> tuple[Session, dict[str, str]]:
    """A new session of the function's role, and the environment that carries its credentials.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    if not str(stored.run_time or "").startswith("python") or not stored.code_bytes:
        text = f"The lab runs functions in Python from a zip file; {stored.function_name} is neither."
        raise Refusal("NotImplemented", text, 501, situation="not-stored")
    role = store.identity_at(stored.role)
    if role is None or not _may_assume(context, role, stored.function_arn):
        text = (
            "The function's role cannot be assumed by Lambda. Verify that the role exists, and that its trust policy "
            f"names {SERVICE}."
        )  # a choice: AWS keeps sessions it already has, and has no text of its own for this
        raise Refusal("AccessDeniedException", text, 403, detail=_trusted_by(stored.role, role))
    session = context.sessions.assume(
        role, stored.function_name, context.now, SESSION_SECONDS, kind="Lambda", issued_to=SERVICE,
        context={"lambda:SourceFunctionArn": stored.function_arn},
    )  # fmt: skip
    version = str(stored.version or "$LATEST")
    reserved = {
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
        "AWS_SESSION_TOKEN": session.session_token,
        "AWS_REGION": stored.region,
        "AWS_DEFAULT_REGION": stored.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{stored.run_time}",
        "AWS_LAMBDA_FUNCTION_NAME": stored.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(stored.memory_size),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{stored.function_name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{context.now:%Y/%m/%d}/[{version}]{uuid.uuid4().hex}",
        "LAMBDA_TASK_ROOT": function_handler.TASK,
        "_HANDLER": str(stored.handler),
    }
    return session, {str(name): str(value) for name, value in (stored.environment_vars or {}).items()} | reserved


def _keep_log(context: CallContext, session: Session, arn: str, environment: Mapping[str, str], text: str) -> None:
    """A function's log reaches CloudWatch only if its role may write there.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
    """
    caller = session_caller(session, context.now)
    region, account = arn.split(":")[3:5]
    group, name = (environment[f"AWS_LAMBDA_LOG_{kind}_NAME"] for kind in ("GROUP", "STREAM"))
    stream = f"arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:{name}"
    needed = [("logs:CreateLogStream", stream), ("logs:PutLogEvents", stream)]
    if not resources.has_log_group(region, account, group):
        needed.insert(0, ("logs:CreateLogGroup", stream.removesuffix(name)))
    if caller is not None and all(
        decide(Permission(action, arn, account), caller, context.around).allowed for action, arn in needed
    ):
        milliseconds = int(context.now.timestamp() * 1000)
        resources.write_log(region, account, group, name, text, milliseconds)


class _Lambda(CallFacts):
    @property
    def has_two_qualifiers(self) -> bool:
        """A name may end in a version or an alias; then nothing else may be said besides."""
        own = re.search(r"(?:^|function:)[\w-]+:(\$?[\w-]+)$", str(self["FunctionName"] or ""))
        return bool(own and self["Qualifier"] and own[1] != self["Qualifier"])


ANSWERS = {"lambda:Invoke": invoke}
BEFORE = {
    "lambda:CreateFunction": check_new,
    "lambda:UpdateFunctionConfiguration": check_role,
    **checks("lambda", _Lambda),
}
