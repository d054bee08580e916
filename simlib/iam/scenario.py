"""``python -m simlib decide [FILE]``: scenarios in, answers out, one JSON object per line each.

A scenario has ``principal``, ``action`` and ``resource``, and may have ``id``, ``resource_account``, ``context``,
``role_arn`` and policies: ``identity_policies``, ``session_policies`` and ``vpc_endpoint_policies`` (lists of
documents), ``permissions_boundary`` and ``resource_policy`` (documents), ``scps`` and ``rcps`` (lists of levels from
the organization's root down to the account, each a list of documents). A line that cannot be answered is answered
with an ``error`` that names the place; the others are not concerned. Memory does not grow with the number of lines.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

from simlib.iam.decision import PolicySet
from simlib.iam.errors import PolicyError, RequestError
from simlib.iam.evaluation import evaluate
from simlib.iam.explanation import answer
from simlib.iam.json_text import read
from simlib.iam.policy import Policy
from simlib.iam.request import Request
from simlib.iam.statement import OBJECT

REQUEST_FIELDS = ("principal", "action", "resource", "resource_account", "context", "role_arn")
LISTS = ("identity_policies", "session_policies", "vpc_endpoint_policies", "scps", "rcps")
FIELDS = frozenset(("id", *REQUEST_FIELDS, *LISTS, "permissions_boundary", "resource_policy"))


def read_scenario(scenario: Any) -> tuple[Request, PolicySet]:
    """The request and the policies of a scenario. Raises ``RequestError``, whose path names the field."""
    if not isinstance(scenario, OBJECT):
        raise RequestError("", "a scenario is a JSON object")
    if not FIELDS.issuperset(scenario):
        name = next(str(name)[:80] for name in scenario if name not in FIELDS)
        raise RequestError(name, f"a scenario has no such field; its fields are {', '.join(sorted(FIELDS))}")
    given = {name: value for name, value in scenario.items() if value is not None}  # null is as good as absent
    for name in ("principal", "action", "resource"):
        if name not in given:
            raise RequestError(name, "a scenario needs this field")
    request = Request(**{name: given[name] for name in REQUEST_FIELDS if name in given})
    resource_kind = "trust" if request.is_trust_question else "resource"
    return request, PolicySet(
        identity=_policies(given, "identity_policies", "identity"),
        permissions_boundary=_policy(given, "permissions_boundary", "boundary"),
        session=_policies(given, "session_policies", "session") or None,
        resource=_policy(given, "resource_policy", resource_kind),
        scps=_levels(given, "scps", "scp"),
        rcps=_levels(given, "rcps", "rcp"),
        vpc_endpoint=_policies(given, "vpc_endpoint_policies", "endpoint"),
    )


def _policy(given: Mapping[str, Any], field: str, kind: str) -> Policy | None:
    return _read(given[field], kind, field) if field in given else None


def _policies(given: Mapping[str, Any], field: str, kind: str) -> tuple[Policy, ...]:
    return _read_list(given[field], kind, field) if field in given else ()


def _levels(given: Mapping[str, Any], field: str, kind: str) -> tuple[tuple[Policy, ...], ...]:
    if field not in given:
        return ()
    levels = _list(given[field], field)
    return tuple([_read_list(level, kind, f"{field}[{index}]") for index, level in enumerate(levels)])


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise RequestError(path, "this is a list")
    return value


def _read_list(documents: Any, kind: str, path: str) -> tuple[Policy, ...]:
    return tuple([_read(each, kind, f"{path}[{index}]") for index, each in enumerate(_list(documents, path))])


def _read(document: Any, kind: str, path: str) -> Policy:
    """A policy, named by its place in the scenario; so are its mistakes."""
    if not isinstance(document, OBJECT):
        raise RequestError(path, "a policy is a JSON object")
    try:
        return Policy.parse(document, kind, name=path, check=False)
    except PolicyError as error:
        problem = error.problems[0]
        advice = f" ({problem.suggestion})" if problem.suggestion else ""
        raise RequestError(f"{path}.{problem.path}" if problem.path else path, problem.message + advice) from None


def decide_line(line: bytes) -> dict[str, Any]:
    """The answer to one line; never raises, whatever the line holds."""
    identifier = None
    try:
        scenario = read(line.decode()).value
        identifier = _identifier(scenario)
        request, policies = read_scenario(scenario)
        return {"id": identifier, **answer(evaluate(request, policies))}
    except UnicodeDecodeError:
        path, message = "", "this line is not UTF-8"
    except PolicyError as error:
        path, message = error.problems[0].path, error.problems[0].message
    except RequestError as error:
        path, message = error.path, error.message
    return {"id": identifier, "error": {"path": path, "message": message}}


def _identifier(scenario: Any) -> Any:
    """The ``id`` of a scenario, which is given back as it is."""
    identifier = scenario.get("id") if isinstance(scenario, Mapping) else None
    if isinstance(identifier, dict | list) or (isinstance(identifier, float) and not math.isfinite(identifier)):
        raise RequestError("id", "an id is a text, a number, true, false or null")
    return identifier


def decide(lines: Iterable[bytes], write: Callable[[str], object]) -> int:
    """Answer every line that is not blank; returns how many could not be answered."""
    failures = 0
    for number, line in enumerate(lines):
        line = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line  # what some editors put before UTF-8
        if line.strip():
            result = decide_line(line)
            failures += "error" in result
            write(json.dumps(result) + "\n")  # plain ASCII: any terminal, any file, any stray surrogate
    return failures


def watched(lines: IO[bytes], size: int, screen: IO[str]) -> Iterable[bytes]:
    """The same lines, with a bar on the screen that shows how far they are read; ``size`` 0 where that is unknown."""
    done, shown = 0, -1
    for number, line in enumerate(lines):
        done += len(line)
        step = done * 100 // size if size else number // 1000
        if step != shown:
            shown = step
            bar = f"[{'#' * (step // 4):<25}] {step:3} %" if size else f"{number} lines"
            screen.write(f"\r{bar}")
            screen.flush()
        yield line
    screen.write("\r" + " " * 40 + "\r")
    screen.flush()


def main(arguments: list[str]) -> int:
    """Exit status 0; 1 if ``--strict`` is given and a line could not be answered; 2 if the file cannot be read."""
    import argparse

    parser = argparse.ArgumentParser("python -m simlib decide", description=__doc__.split("\n\n")[1] if __doc__ else "")
    parser.add_argument(
        "file", nargs="?", default="-", metavar="FILE", help="scenarios, one per line (default: standard input)"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a line could not be answered")
    options = parser.parse_args(arguments)
    try:
        source = sys.stdin.buffer if options.file == "-" else open(options.file, "rb")  # noqa: SIM115
    except OSError as error:
        print(f"{options.file}: {error.strerror}", file=sys.stderr)
        return 2
    with source:
        lines: Iterable[bytes] = source
        if sys.stderr.isatty() and not (options.file == "-" and sys.stdin.isatty()):
            size = os.path.getsize(options.file) if options.file != "-" else 0
            lines = watched(source, size, sys.stderr)
        try:
            failures = decide(lines, sys.stdout.write)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read the answers has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
    return 1 if failures and options.strict else 0
