"""A coverage-guided search for documents and requests that break the engine. Run by hand, for as long as you like:

    pip install atheris
    python tests/iam/fuzz_documents.py -max_total_time=600 -timeout=10 -max_len=4096

Whatever is read as a policy, asked as a request or answered, nothing may be raised but PolicyError and RequestError,
and nothing may take long (`-timeout`). What validation accepts, the engine must be able to decide by.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import atheris

with atheris.instrument_imports(include=["simlib.iam"]):
    from simlib.iam import (  # noqa: F401 - instrumented
        Policy,
        PolicyError,
        PolicySet,
        Request,
        RequestError,
        advice,
        conditions,
        evaluate,
        json_text,
        refusal_texts,
        service_data,
        statement,
        validation,
    )
    from tests.iam.shorthand import form_of

KINDS_OF_POLICY = statement.KINDS
KINDS = list(KINDS_OF_POLICY)
PARSERS = {
    "boundary": "identity",
    "resource": "s3",
    "endpoint": "s3",
    "key": "kms",
    "scp": "organizations",
    "rcp": "organizations",
}
OPERATORS = [
    before + base + after
    for before in ("", "ForAnyValue:", "ForAllValues:")
    for base in conditions.OPERATORS
    for after in ("", "IfExists")
]
WORDS = re.findall(
    r"\S+",
    """
    Version 2012-10-17 2008-10-17 Id Statement Sid Effect Allow Deny Principal NotPrincipal Action NotAction
    Resource NotResource Condition AWS Service Federated CanonicalUser * ? : / ${ } ' , s3 iam sts ec2 GetObject
    PassRole AssumeRole s3:GetObject s3:* sts:AssumeRole arn:aws:s3:::b/* arn:aws:iam::111122223333:role/x
    111122223333 ec2.amazonaws.com StringEquals StringLike ForAnyValue: ForAllValues: IfExists Bool Null IpAddress
    NotIpAddress DateLessThan NumericLessThan ArnLike BinaryEquals aws:SourceIp aws:TagKeys aws:username s3:prefix
    aws:MultiFactorAuthPresent aws:CurrentTime true false 10.0.0.0/8 2026-11-23T10:00:00Z 1700000000 dGV4dA==
    """,
)


def value(data: atheris.FuzzedDataProvider, depth: int) -> Any:
    """Any JSON value, made of the words of the language as often as not."""
    choice = data.ConsumeIntInRange(0, 11)
    if choice < 4 or depth == 0:
        return "".join(data.PickValueInList(WORDS) for _ in range(data.ConsumeIntInRange(1, 3)))
    if choice == 4:
        return data.ConsumeUnicode(12)
    if choice == 5:
        return data.PickValueInList([None, True, False, 0, -1, 1.5, float("inf"), 10**30])
    if choice < 8:
        return [value(data, depth - 1) for _ in range(data.ConsumeIntInRange(0, 3))]
    return {
        data.PickValueInList(WORDS) + data.PickValueInList(["", "", "", "IfExists", "x"]): value(data, depth - 1)
        for _ in range(data.ConsumeIntInRange(0, 4))
    }


def a_statement(data: atheris.FuzzedDataProvider, kind: str) -> dict[str, Any]:
    """A statement that is nearly right: what its kind needs, well-formed as often as not, and sometimes what it must
    not have."""
    needs = KINDS_OF_POLICY[kind]
    made: dict[str, Any] = {"Effect": data.PickValueInList(["Allow", "Deny"])}
    good = {
        "Action": ["sts:AssumeRole", "sts:*"] if kind == "trust" else ["s3:GetObject", "s3:*", "sts:*"],
        "Resource": ["*", "arn:aws:s3:::b/*", "arn:aws:s3:::${aws:username}?*", "arn:aws:iam::*:role/x"],
        "Principal": ["*"]
        if kind == "rcp"
        else [{"AWS": "*"}, {"AWS": ["111122223333"]}, {"Service": "ec2.amazonaws.com"}],
    }
    for element in ("Action", "Resource", "Principal"):
        if element in needs.elements or data.ConsumeIntInRange(0, 9) == 0:
            element = data.PickValueInList([element] * 5 + [f"Not{element}"])
            choices = good[element.removeprefix("Not")]
            made[element] = data.PickValueInList(choices) if data.ConsumeBool() else value(data, 2)
    if data.ConsumeBool():
        comparison = {data.PickValueInList(WORDS): value(data, 1) for _ in range(data.ConsumeIntInRange(0, 2))}
        made["Condition"] = {data.PickValueInList(OPERATORS): comparison} if data.ConsumeBool() else value(data, 3)
    return made


def document(data: atheris.FuzzedDataProvider, kind: str) -> tuple[Any, str | None]:
    """A document, and its text if it has one."""
    form = data.ConsumeIntInRange(0, 3)
    if form == 0:
        text = data.ConsumeUnicode(data.remaining_bytes())
        return json_text.read(text).value, text
    statements = [a_statement(data, kind) for _ in range(data.ConsumeIntInRange(1, 3))]
    made = value(data, 5) if form == 1 else {"Version": "2012-10-17", "Statement": statements}
    if form == 3:
        text = json.dumps(made)
        return json_text.read(text).value, text
    return made, None


def try_one(octets: bytes) -> None:
    data = atheris.FuzzedDataProvider(octets)
    kind = data.PickValueInList(KINDS)
    words = [data.PickValueInList(WORDS) for _ in range(4)]
    try:
        made, text = document(data, kind)
    except PolicyError:
        return
    located = None if text is None else json_text.read(text)
    found = validation.problems(made, kind, located)
    errors = [problem for problem in found if problem.level == "error"]
    refused = [problem for problem in found if problem.level != "warning"]
    assert refused == validation.problems(made, kind, located, advice=False)
    for problem in found:
        assert str(problem)
        assert refusal_texts.answer([problem._replace(level="error")], PARSERS.get(kind, kind))
    try:
        policy = Policy.parse(text if text is not None else made, kind)
    except PolicyError:
        assert errors, f"validation accepts, the engine does not: {made!r}"
        return
    ask(policy, words, data)


def ask(policy: Policy, words: list[str], data: atheris.FuzzedDataProvider) -> None:
    try:
        request = Request(
            data.PickValueInList(["arn:aws:iam::111122223333:user/alice", "anonymous", "ec2.amazonaws.com", *words]),
            data.PickValueInList(["s3:GetObject", "sts:AssumeRole", *words]),
            data.PickValueInList(["arn:aws:s3:::b/x", "arn:aws:iam::111122223333:role/x", *words]),
            context={words[0]: words[1], "aws:TagKeys": words, "aws:SourceIp": words[2]},
        )
        place = {
            "identity": "identity",
            "boundary": "permissions_boundary",
            "session": "session",
            "endpoint": "vpc_endpoint",
        }
        if policy.kind in ("scp", "rcp"):
            policies = PolicySet(**{f"{policy.kind}s": ((policy,),)})
        elif policy.kind in ("boundary", "resource", "trust", "key"):
            policies = PolicySet(**{place.get(policy.kind, "resource"): policy})
        else:
            policies = PolicySet(**{place[policy.kind]: (policy,)})
        answer = evaluate(request, policies)
        json.dumps(form_of(answer))
    except RequestError:
        pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
