"""What AWS answers when it refuses a policy document: one table, `refusal_texts.toml`, for all of its parsers.

IAM has two parsers and so two ways to speak, one for identity-based policies and one for trust policies; every service
with resource-based policies has its own, and Organizations one text for everything.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from simlib.iam.errors import Problem


class Answer(NamedTuple):
    """What a service answers: the problem it looks at first, its error code and text, and the HTTP status."""

    problem: Problem
    code: str
    text: str
    status: int


def answer(problems: Iterable[Problem], parser: str) -> Answer | None:
    """The answer of a parser (`identity`, `trust`, or a service by its prefix); None where it saves the document.

    Looks at problems of level `error` or `refused`, and at those warnings that this parser refuses.
    """
    table, rows = _parser(parser)
    serious = [each for each in problems if each.level != "warning" or each.code in table.get("refuses", ())]
    ranked = [(_place(problem, rows), problem) for problem in serious]
    if not ranked:
        return None
    place, problem = min(ranked, key=lambda pair: pair[0])
    row = {"code": table["code"], "status": 400, **list(rows.values())[place]}
    value = problem.value if isinstance(problem.value, str) else ""
    parts = (value.split(":", 5) + ["*"] * 6)[:6]
    words = {"value": value, "parts": parts, "arn": ":".join(["arn", *parts[1:]]), "advice": problem.suggestion}
    return Answer(problem, row["code"], row["text"].format(**words, key=_element(problem).upper()), row["status"])


@cache
def _parser(name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A parser's own entries, and its rows: those of the parser it is like come first."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))[name]
    rows = {code: row if isinstance(row, dict) else {"text": row} for code, row in table.get("texts", {}).items()}
    return table, {**_parser(table["like"])[1], **rows} if "like" in table else rows


def _place(problem: Problem, rows: Iterable[str]) -> int:
    """The place of a problem's row in the order in which the parser looks."""
    code = "json" if problem.code.startswith("json-") else problem.code
    subject, order = f"{_element(problem)} {problem.value} @{problem.line},{problem.column}", list(rows)
    split = ((place, *row.partition("/")[::2]) for place, row in enumerate(order))
    fitting = [(not rx, place) for place, name, rx in split if name == code and re.search(rx, subject, re.DOTALL)]
    return min(fitting)[1] if fitting else order.index("other")


def _element(problem: Problem) -> str:
    return problem.path.split(".")[-1].split("[")[0]
