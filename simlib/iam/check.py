"""`python -m simlib check FILE…`: policy documents in, compiler-like messages out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any, Final
from urllib.parse import unquote

from simlib.iam import findings, validation
from simlib.iam.errors import Path, PolicyError, Position, Problem, name_of
from simlib.iam.findings import ERROR, SECURITY, SUGGESTION, WARNING
from simlib.iam.json_text import Located, parse
from simlib.iam.statement import KINDS

_ENDINGS = """\
Messages read `file:line:column: error: what is wrong (what would be right) [code]`. Besides what AWS refuses to save,
`error` is also what AWS saves though it can never work, as IAM Access Analyzer does; codes are Access Analyzer's issue
codes in lower case (--list shows them). The answers of the AWS CLI to get-policy-version, get-role, get-bucket-policy
and the like are unwrapped. Exit status: 0 nothing wrong, 1 errors (with --strict: or warnings), 2 a file that cannot
be read.
"""
_PARTS: Final = ("line", "column", "path", "level", "code", "message", "suggestion")
_TYPES: Final = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}  # as Organizations answers


@dataclass
class _Inside(Located):
    """A policy that stands at `path` of a document."""

    whole: Located
    path: Path

    def place(self, path: Path, *, of_name: bool = False) -> Position | None:
        return self.whole.place(self.path + path, of_name=of_name)


def main(argv: Sequence[str]) -> int:
    """Check every file named in `argv` (`-`: standard input); print what was found; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m simlib check", description=__doc__, epilog=_ENDINGS)
    parser.add_argument("files", nargs="*", metavar="FILE", help="a JSON policy document; - for standard input")
    parser.add_argument("--kind", choices=list(KINDS), help="what they are (default: a guess, which is told)")
    parser.add_argument(
        "--stored-as", choices=["user", "group", "role", "managed"], help="judge the size by this place"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings of any kind, too")
    parser.add_argument("--quiet", action="store_true", help="no suggestions")
    parser.add_argument("--json", action="store_true", help="one JSON object per finding and line")
    parser.add_argument("--list", action="store_true", help="list all that can be found, with AWS's page about it")
    options = parser.parse_args(argv)
    if options.list:
        for code, row in findings.FINDINGS.items():
            print(f"{code} ({row.gravity}{', ours' * row.ours}): {findings.page(code)}")
        return 0
    if not options.files:
        parser.error("the following arguments are required: FILE")
    grave = {ERROR} if not options.strict else {ERROR, SECURITY, WARNING}
    status = 0
    for name in options.files:
        try:
            data = sys.stdin.buffer.read() if name == "-" else File(name).read_bytes()
            text = data.decode("utf-8-sig")  # some editors begin with a mark
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            print(f"{name}: error: cannot be read: {reason}", file=sys.stderr)
            status = 2
            continue
        note, problems = _examined(text, options.kind, options.stored_as)
        if note:
            print(f"{name}: note: {note}", file=sys.stderr if options.json else sys.stdout)
        for problem in problems:
            gravity = validation.gravity(problem.code, problem.level)
            if gravity == SUGGESTION and options.quiet:
                continue
            line = f"{name}:{problem.line or 1}:{problem.column or 1}: {gravity}: {problem.sentence} [{problem.code}]"
            if options.json:
                parts = {part: getattr(problem, part) for part in _PARTS}
                line = json.dumps({"file": name, "gravity": gravity, **parts})
            print(line)
            if gravity in grave:
                status = max(status, 1)
    return status


def _examined(text: str, kind: str | None, stored_as: str | None) -> tuple[str, Sequence[Problem]]:
    """What was made of a text, where that has to be said, and what was found in it."""
    try:
        located = whole = parse(text)
        path, policy = next(_policies(whole.value, ()), ((), whole.value))
        if isinstance(policy, str):
            located = parse(unquote(policy) if policy.lstrip().startswith("%") else policy)
        elif path:
            located = _Inside(policy, json.dumps(policy, ensure_ascii=False), whole, path)
    except PolicyError as error:
        return "", error.problems
    own = "a text of its own, " if isinstance(policy, str) else ""
    note = f"the policy at {name_of(path)}, {own}" if path else ""
    if kind is None:
        of_type = next((_TYPES[name] for name in _TYPES if path and name in text), None)
        kind = of_type or _kind(located.value)
        if note or kind != "identity":
            name = KINDS[kind].name
            note = f"{note}checked as {name[0].lower()}{name[1:]} (--kind may say otherwise)"
    return note, validation.problems(located.value, kind, located, stored_as=stored_as)


def _policies(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """The policies, or texts of such, in an answer of the AWS CLI; each with the way to it."""
    is_text = isinstance(value, str) and value.lstrip().startswith(("{", "%7B"))
    if is_text or (isinstance(value, Mapping) and "Statement" in value):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inside in value.items():
            yield from _policies(inside, (*path, name))


def _kind(document: Any) -> str:
    """The kind of a policy, by the elements that its statements have."""
    value = document.get("Statement") if isinstance(document, Mapping) else None
    statements = value if isinstance(value, list) else [value]
    elements = {name.removeprefix("Not") for each in statements if isinstance(each, Mapping) for name in each}
    return "identity" if "Principal" not in elements else "resource" if "Resource" in elements else "trust"
