"""What IAM Access Analyzer says of the policies that AWS publishes, and what is found in them here.

The table of both, code by code, is printed (`-s` shows it).
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from simlib.iam import service_data, validation
from simlib.iam.advice import misspelling
from simlib.iam.findings import ERROR, FINDINGS, Report
from tests.iam.documents import found, policy

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "aws-managed-policies.jsonl.gz"
TYPES = {"ERROR": "error", "SECURITY_WARNING": "security warning", "WARNING": "warning", "SUGGESTION": "suggestion"}
# Of AWS's 157 suggestions one needs what the data says otherwise: its newer edition has tags for sagemaker-mlflow.
MISSED = {"ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE": 1}
# What is found beyond AWS's own findings in 1,444 documents: at most so many of each code.
BEYOND = {
    "PASS_ROLE_WITH_STAR_IN_RESOURCE": 4,  # StringEqualsIfExists: AWS counts it for some services and not for others
    "FORALLVALUES_WITH_SINGLE_VALUED_KEY": 2,  # a key that is a list for AWS, and a text in its reference
    "for-all-values-allow": 35,
    "key-without-action": 5,
    "resource-mismatch": 40,
    "unknown-action": 20,
    "unknown-key": 35,
    "unknown-service": 5,
}

Findings = dict[str, set[tuple[str, str, str]]]  # issue code, or our own → name of the policy, gravity, place


@pytest.fixture(scope="module")
def both() -> tuple[Findings, Findings]:
    if not PUBLISHED.exists():
        pytest.skip(
            f"needs AWS's findings on its managed policies, which are not in this repository ({PUBLISHED.name})"
        )
    aws: Findings = defaultdict(set)
    ours: Findings = defaultdict(set)
    with gzip.open(PUBLISHED, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            for kind, code, place in row["findings"]:
                aws[code].add((row["name"], TYPES[kind], place))
            for problem in validation.problems(row["document"], "identity"):
                code = validation.issue_code(problem.code) or problem.code
                ours[code].add((row["name"], validation.gravity(problem.code), _place(problem.path)))
    _print(aws, ours)
    return aws, ours


def _place(path: str) -> str:
    """`Statement[0].Condition["a.b"]` as Access Analyzer's data has it: `Statement.0.Condition.a.b`."""
    return re.sub(r'\["?(.*?)"?\]', r".\1", path)


def _print(aws: Findings, ours: Findings) -> None:
    print(f"\n{'':60} AWS  we both")
    for code in sorted({*aws, *ours}):
        print(f"{code:60}{len(aws[code]):4}{len(ours[code]):5}{len(aws[code] & ours[code]):5}")


def test_no_error_where_access_analyzer_has_none(both: tuple[Findings, Findings]) -> None:
    aws, ours = both
    wrong = {name for code in aws for name, kind, _ in aws[code] if kind == "error"}
    assert [(code, *each) for code in ours for each in ours[code] if each[1] == "error" and each[0] not in wrong] == []


def test_what_access_analyzer_finds_is_found_at_its_place(both: tuple[Findings, Findings]) -> None:
    aws, ours = both
    assert {code: len(aws[code] - ours[code]) for code in aws if aws[code] - ours[code]} == MISSED
    found = Counter(kind for code in aws for _, kind, _ in aws[code] & ours[code])
    assert found == {"error": 22, "warning": 33, "security warning": 25, "suggestion": 156}


def test_what_is_found_beyond_is_little(both: tuple[Findings, Findings]) -> None:
    aws, ours = both
    beyond = {code: len(ours[code] - aws[code]) for code in ours if ours[code] - aws[code]}
    assert {code: count for code, count in beyond.items() if count > BEYOND.get(code, 0)} == {}


@pytest.mark.parametrize("name", ["SecurityAudit", "ReadOnlyAccess"])
def test_actions_newer_than_the_data_are_remarks_with_its_date(name: str) -> None:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    document: Any = json.loads(aws_managed_policies_data)[name]["Document"]
    found = validation.problems(document, "identity")
    assert [problem for problem in found if FINDINGS[problem.code].gravity == "error"] == []
    unknown = [problem for problem in found if problem.code == "unknown-action"]
    assert unknown
    assert all(re.search(r"\d{4}-\d\d-\d\d", problem.message) for problem in unknown)


# type of a condition key → an operator for it and a value
VALUES = {
    "ARN": ("ArnLike", "arn:aws:iam::111122223333:role/x"),
    "Bool": ("Bool", "true"),
    "Numeric": ("NumericEquals", "1"),
    "Date": ("DateLessThan", "2026-01-01"),
    "IPAddress": ("IpAddress", "203.0.113.7"),
}
STEP = 5  # each fifth of AWS's 450 services; all were tried once


def _wrong(**elements: Any) -> list[str]:
    rows = found(policy(**{"Resource": "*", **elements}))
    return [str(each) for each in rows if FINDINGS[each.code].gravity == ERROR or FINDINGS[each.code].ours]


def test_every_kind_of_resource_passes_with_an_action_on_it() -> None:
    tried = 0
    for prefix in sorted(service_data.services())[::STEP]:
        service = service_data.service(prefix)
        assert service is not None
        acting = {kind: action.name for action in service.actions.values() for kind in action.resource_types}
        for kind in service.resource_types.values():
            if kind.name == "elastic-inference":
                continue  # EC2's page still has it, and AWS has withdrawn the service
            arn = kind.arn.replace("${Partition}", "aws").replace("${Region}", "us-east-1")
            for place, name in (("111122223333", "x1"), ("*", "*")):
                resource = re.sub(r"\$\{\w*[Aa]ccount\w*\}", place, arn)
                resource = re.sub(r"\$\{[^}]*\}|<[^>]*>", name, resource)
                if kind.name in acting:
                    tried += 1
                    assert _wrong(Action=f"{prefix}:{acting[kind.name]}", Resource=resource) == []
    assert tried > 300


def test_every_condition_key_passes_with_an_action_that_has_it() -> None:
    tried = 0
    for prefix in sorted(service_data.services())[::STEP]:
        service = service_data.service(prefix)
        assert service is not None
        for action in list(service.actions.values())[::STEP]:
            for key in (each.replace("*", "x") for each in action.condition_keys):
                kind = service_data.key_type(key) or ""
                name, value = VALUES.get(kind.removeprefix("ArrayOf"), ("StringEquals", "x"))
                name = f"ForAnyValue:{name}" if kind.startswith("ArrayOf") else name
                tried += 1
                assert _wrong(Action=f"{prefix}:{action.name}", Condition={name: {key: value}}) == []
    assert tried > 300


def test_a_name_that_is_taken_out_of_the_data_is_unknown_and_no_misspelling() -> None:
    """What is new to old data must not be an error: each name is taken out, and is then hardly ever a misspelling."""
    report, misspelt, tried = Report("identity"), [], 0
    for prefix in sorted(service_data.services())[::STEP]:
        service = service_data.service(prefix)
        names = [each.name for each in service.actions.values()] if service else []
        for name in names[:: 3 * STEP]:
            report.guesses, tried = 50, tried + 1
            if other := misspelling(name, [each for each in names if each != name], report):
                misspelt.append((prefix, name, other))
    assert tried > 200
    assert len(misspelt) <= tried // 50, misspelt
