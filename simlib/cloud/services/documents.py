"""Policy documents are checked before moto stores them, and refused in AWS's words."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simlib.cloud.storage.organizations import RCP, SCP, policy_type
from simlib.cloud.storage.stored import cached_policy
from simlib.cloud.transport.answers import Refusal
from simlib.cloud.transport.calls import Call
from simlib.iam import PolicyError

TABLES: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("document_rules.toml").read_text("utf-8"))
_WRITTEN = TABLES["written"]
_CONTROL_POLICIES = {SCP: "scp", RCP: "rcp"}  # organizations' policies of other types are no policies of IAM's
_STRICT = ("s3", "organizations", "lambda")  # these refuse some of what others save with a warning


def check_written(call: Call) -> None:
    """Refuse a call that would store a document AWS does not accept, or one that names somebody who does not exist."""
    if call.name not in _WRITTEN:
        return
    path, kind, size = document_in(call.name, call.parameters)
    text: Any = call.parameters
    for member in path.split("."):
        text = text.get(member) if text else None
    if text is None or (text == "" and call.service in ("sns", "sqs")):  # an attribute is taken away
        return
    if call.name == "sns:SetTopicAttributes" and call.parameters.get("AttributeName") != "Policy":
        return
    if kind is not None:
        parser = kind if call.service == "iam" else call.service
        bucket = str(call.parameters.get("Bucket", ""))
        check(str(text), kind, parser, size=size, bucket=bucket)


def document_in(name: str, parameters: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    """Of a call: the member that carries a policy ("Attributes.Policy"), its kind, as in `Policy.parse`, and whose
    quota it has, where not its kind's. The kind is None where it carries none."""
    path, kind, *size = _WRITTEN.get(name, ("", None))
    if kind == "scp":
        kind = _CONTROL_POLICIES.get(parameters.get("Type") or policy_type(parameters.get("PolicyId")))
    return path, kind, size[0] if size else None


def check(text: str, kind: str, parser: str, *, size: str | None = None, bucket: str = "") -> None:
    """Refuse a document that a parser (see `refusal_texts`) would not save; `bucket` is the one it is for, if any."""
    from simlib.cloud.services import document_rules  # late: only writing needs them
    from simlib.iam import json_text, refusal_texts, validation

    try:
        located = json_text.parse(text)
        problems = validation.problems(located.value, kind, located, stored_as=size, advice=parser in _STRICT)
        if all(problem.level == "warning" for problem in problems):
            problems += document_rules.problems(document_rules.Document(located.value, parser, bucket))
            cached_policy(text, kind, "")  # what is stored must be something the engine can decide by
    except PolicyError as error:
        problems = list(error.problems)
    answer = refusal_texts.answer(problems, parser)
    if answer is not None:
        # AWS's text seldom says where the mistake is; the trail does
        detail = str(answer.problem)
        raise Refusal(answer.code, answer.text, answer.status, situation="malformed-document", detail=detail)


def span(text: str, line: int, column: int) -> tuple[tuple[int, int, int], ...]:
    """Where the JSON value at a place (from 1) begins and has ended: line (from 1), column and offset (from 0)."""
    begin = sum(len(before) + 1 for before in text.split("\n")[: line - 1]) + column - 1
    try:
        _, end = json.JSONDecoder().raw_decode(text, begin)
    except ValueError:  # nothing ends where the text is broken
        end = len(text)
    return tuple((text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at) - 1, at) for at in (begin, end))
