"""Nothing that comes in, however malformed, brings out anything but an answer, a PolicyError or a RequestError."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simlib.iam import Evaluation, Policy, PolicyError, PolicySet, Request, RequestError, evaluate
from simlib.iam.conditions import OPERATORS
from simlib.iam.scenario import decide_line, read_scenario
from simlib.iam.statement import DOCUMENT_ELEMENTS, KINDS, STATEMENT_ELEMENTS
from simlib.iam.validation import problems
from tests.iam.differential.scenarios import CALLERS
from tests.iam.differential.scenarios import scenario as draw
from tests.iam.shorthand import ALICE, ALLOW_ALL, OBJECT, form_of

# any text, lone surrogates included
texts = st.text(st.characters(), max_size=20) | st.sampled_from(
    [
        "*",
        "?",
        "${",
        "${}",
        "${*}",
        "${aws:username",
        "arn:aws:s3:::b",
        "arn:",
        "::::::",
        "s3:*",
        "",
        "\0",
        "\ud800",
        "ﬁ",
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
operators = st.sampled_from(
    [*OPERATORS, "StringEqual", "ForAllValues:StringLike", "ForAnyValue:Bool", "NumericEqualsIfExists"]
)
lists = texts | st.lists(texts, max_size=3) | values
conditions = st.dictionaries(operators | texts, st.dictionaries(texts, lists, max_size=2) | values, max_size=2) | values
principals = st.just("*") | st.dictionaries(st.sampled_from(["AWS", "Service", "Federated"]) | texts, lists) | values
statements = st.builds(
    lambda fixed, others: {**fixed, **others},
    st.fixed_dictionaries(
        {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": lists, "Resource": lists},
        optional={"Principal": principals, "Condition": conditions},
    ),
    st.just({}) | st.dictionaries(st.sampled_from(sorted(STATEMENT_ELEMENTS)) | texts, values, max_size=2),
)
documents = (
    st.fixed_dictionaries(
        {"Statement": st.lists(statements | values, max_size=3) | statements | values},
        optional={
            "Version": st.sampled_from(["2012-10-17", "2008-10-17"]) | values,
            "Id": values,
            "X": values,
        },
    )
    | values
)
contexts = st.dictionaries(texts | st.sampled_from(["aws:username", "AWS:USERNAME"]), lists, max_size=4) | values
REQUEST = Request(ALICE, "s3:GetObject", OBJECT, context={"a": "1", "b": ("x", "y"), "": "", "c": ()})


def tried(call: Callable[[], Any]) -> tuple[Any, str]:
    """What a call gives, or the text of its refusal; any other error comes through."""
    try:
        return call(), ""
    except (PolicyError, RequestError) as refused:
        problems = getattr(refused, "problems", (refused,))
        return None, str(refused) * len(problems)


def explain(evaluation: Evaluation) -> None:
    """Everything that can be asked of an evaluation."""
    assert evaluation.effect in ("ALLOW", "IMPLICIT_DENY", "EXPLICIT_DENY")
    json.dumps(form_of(evaluation))


@given(documents, st.sampled_from(sorted(KINDS)))
def test_any_object_is_a_policy_or_a_policy_error(document: Any, kind: str) -> None:
    if isinstance(document, str):
        return
    policy, refusal = tried(lambda: Policy.parse(document, kind))
    if policy is not None:
        explain(evaluate(REQUEST, PolicySet(identity=(policy,))))
        explain(evaluate(REQUEST, PolicySet(resource=policy, session=(policy,), permissions_boundary=policy)))
    else:
        assert refusal


@given(documents, st.sampled_from(sorted(KINDS)))
def test_the_engine_takes_what_the_validator_passes_and_nothing_else(document: Any, kind: str) -> None:
    if not isinstance(document, str):
        _, refusal = tried(lambda: Policy.parse(document, kind))
        errors = [problem for problem in problems(document, kind) if problem.level == "error"]
        assert bool(refusal) is bool(errors)


@given(texts | documents.map(lambda document: json.dumps(document, default=str)), st.sampled_from(sorted(KINDS)))
def test_any_text_is_a_policy_or_a_policy_error(text: str, kind: str) -> None:
    policy, refusal = tried(lambda: Policy.parse(text, kind))
    assert (policy is None) is bool(refusal)


anyone = texts | st.sampled_from(sorted(CALLERS)) | values


@given(anyone, texts | values, texts | values, contexts, texts | st.none(), values)
def test_any_request_is_a_request_or_a_request_error(
    principal: Any, action: Any, resource: Any, context: Any, account: Any, role: Any
) -> None:
    request, refusal = tried(
        lambda: Request(principal, action, resource, resource_account=account, context=context, role_arn=role)
    )
    if request is not None:
        explain(evaluate(request, PolicySet()))
    else:
        assert refusal


@given(contexts)
def test_any_context_is_a_context_or_a_request_error(context: Any) -> None:
    request, refusal = tried(lambda: Request(ALICE, "s3:GetObject", OBJECT, context=context))
    if request is not None:
        explain(evaluate(request, PolicySet(identity=(ALLOW_ALL,))))
    else:
        assert refusal.startswith("context")


@given(st.integers(0, 10_000_000).map(draw), st.data())
def test_any_scenario_with_anything_in_it_is_answered(scenario: dict[str, Any], data: st.DataObject) -> None:
    """A good scenario in which one part is replaced by anything."""
    part: Any = scenario
    while True:
        steps = list(part) if isinstance(part, dict) else range(len(part))
        if not steps:
            break
        step = data.draw(st.sampled_from(list(steps)))
        if not isinstance(part[step], (dict, list)) or data.draw(st.booleans()):
            part[step] = data.draw(values | documents | contexts)
            break
        part = part[step]
    read, refusal = tried(lambda: read_scenario(scenario))
    if read is not None:
        explain(evaluate(*read))
    else:
        assert refusal


@given(st.binary(max_size=200) | texts.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_line_is_answered(line: bytes) -> None:
    result = decide_line(line)
    assert "decision" in result or result["error"]["message"]
    json.dumps(result)


@given(values)
def test_any_json_line_is_answered(value: Any) -> None:
    if not isinstance(value, float) or math.isfinite(value):
        result = decide_line(json.dumps(value, default=str).encode())
        assert "error" in result


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


STATEMENT = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def refuses(document: Any) -> bool:
    """Whether a document is refused in a sentence."""
    return bool(tried(lambda: Policy.parse(document))[1])


def test_deep_nesting_is_refused_at_every_place() -> None:
    deep = nested(100_000)
    for name in [*STATEMENT_ELEMENTS, "Unknown"]:
        assert refuses({"Statement": {**STATEMENT, name: deep}}), name
        assert refuses({"Statement": [{**STATEMENT, name: {"AWS": deep}}]}), name
    for name in DOCUMENT_ELEMENTS:
        assert refuses({"Statement": [], name: deep}), name


def test_deep_text_is_refused() -> None:
    for text in ("[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000):
        assert refuses(text)


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert refuses({"Statement": loop})
    assert refuses({"Statement": {**STATEMENT, "Action": loop}})
    assert refuses({"Statement": {**STATEMENT, "Condition": {"Bool": {"a": loop}}}})


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    digits = "9" * 5000
    endless = 10**5000
    assert refuses({"Statement": {**STATEMENT, "Condition": {"NumericEquals": {"a": endless}}}})
    assert refuses({"Statement": {**STATEMENT, "Action": endless}})
    assert refuses(f'{{"Version": {digits}}}')
    assert tried(lambda: Request(ALICE, "s3:GetObject", OBJECT, context={"a": endless}))[1]
    assert "error" in decide_line(f'{{"id": {digits}}}'.encode())
    assert "error" in decide_line(f'{{"principal": {digits}}}'.encode())


def test_large_documents_are_read() -> None:
    many = {"Statement": [{**STATEMENT, "Action": f"s3:A{number}"} for number in range(20_000)]}
    assert len(Policy.parse(many).statements) == 20_000
    long = {"Statement": {**STATEMENT, "Resource": "arn:aws:s3:::" + "a*" * 500_000}}
    policy = Policy.parse(long)
    assert not evaluate(REQUEST, PolicySet(identity=(policy,))).allowed


def test_objects_with_other_keys_than_text_are_refused() -> None:
    assert tried(lambda: Request(ALICE, "s3:GetObject", OBJECT, context={1: "x"}))[1]  # type: ignore[dict-item]
    assert refuses({1: 2, "Statement": []})
    assert refuses({"Statement": {**STATEMENT, None: 1}})
    assert refuses({"Statement": {**STATEMENT, "Condition": {1: {}}}})
    assert refuses({"Statement": {**STATEMENT, "Condition": {"Bool": {2: "true"}}}})
    assert refuses({"Statement": {**STATEMENT, "Condition": {("a",): "true"}}})
