"""`python -m simlib check FILE…`: policy documents in, compiler-like messages out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from simlib.iam import findings, validation
from simlib.iam.errors import PolicyError, Problem
from simlib.iam.findings import ERROR, SECURITY, SUGGESTION, WARNING
from simlib.iam.json_text import Located, read
from simlib.iam.statement import KINDS

_ENDINGS = """\
Messages read `file:line:column: error: what is wrong (what would be right) [code]`. Besides what AWS refuses to save,
`error` is also what AWS saves though it can never work, as IAM Access Analyzer does; codes are Access Analyzer's issue
codes in lower case (--list shows them). The answers of the AWS CLI to get-policy-version, get-role, get-bucket-policy
and the like are unwrapped. Exit status: 0 nothing wrong, 1 errors (with --strict: or warnings), 2 a file that cannot
be read.
"""
_WRAPPED: Final = (  # where the AWS CLI's answers have a policy, and of what kind
    (("PolicyVersion", "Document"), "identity"),
    (("Role", "AssumeRolePolicyDocument"), "trust"),
    (("PolicyDocument",), "identity"),
    (("Policy", "Content"), ""),
    (("Attributes", "Policy"), "resource"),
    (("Policy",), "resource"),
    (("ResourcePolicy",), "resource"),
    (("policyText",), "resource"),
)
_CONTENT: Final = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}


@dataclass(frozen=True)
class _Inside(Located):
    """A part of a document that is a policy itself; `written` is how the policy calls it that stands at `path`."""

    whole: Located
    path: tuple[str | int, ...]
    written: tuple[str | int, ...] = ()

    def place(self, path: Any, *, of_name: bool = False) -> tuple[int, int] | None:
        return self.whole.place(self.path + path[len(self.written) :], of_name=of_name)


def main(argv: Sequence[str] | None = None) -> int:
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
            _write(f"{code} ({row.gravity}{', ours' * row.ours}): {findings.page(code)}", sys.stdout)
        return 0
    if not options.files:
        parser.error("the following arguments are required: FILE")
    grave = {ERROR} if not options.strict else {ERROR, SECURITY, WARNING}
    status = 0
    for name in options.files:
        try:
            text = _text(name)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            _write(f"{name}: error: cannot be read: {reason}", sys.stderr)
            status = 2
            continue
        note, problems = _examined(text, options.kind, options.stored_as)
        if note:
            _write(f"{name}: note: {note}", sys.stderr if options.json else sys.stdout)
        for problem in problems:
            gravity = validation.gravity(problem.code, problem.level)
            if gravity == SUGGESTION and options.quiet:
                continue
            _write((_as_json if options.json else _as_line)(name, problem, gravity), sys.stdout)
            if gravity in grave:
                status = max(status, 1)
    return status


def _text(name: str) -> str:
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    return data.decode("utf-8-sig")  # some editors begin with a mark


def _examined(text: str, kind: str | None, stored_as: str | None) -> tuple[str, Sequence[Problem]]:
    """What was made of a text, where that has to be said, and what was found in it."""
    try:
        located, wrapped, note = _unwrapped(read(text))
    except PolicyError as error:
        return "", error.problems
    document, bare = located.value, []
    if (isinstance(document, Mapping) and "Effect" in document and "Statement" not in document) or (
        isinstance(document, list) and document and all(isinstance(each, Mapping) for each in document)
    ):
        what = "a list of statements" if isinstance(document, list) else "a statement"
        advice = 'write {"Version": "2012-10-17", "Statement": [ … ]} around it'
        line, column = located.place(()) or (None, None)
        message = f"This is {what}, not a policy."
        bare = [Problem("", message, None, advice, line, column, "error", "missing-statement")]
        document = {"Version": "2012-10-17", "Statement": document}
        located = _Inside(document, located.text, located, (), ("Statement",))
    if kind is None:
        kind, why = (wrapped, "") if wrapped else _guess(document)
        if note or kind != "identity":
            name = KINDS[kind].name
            note = f"{note}checked as {name[0].lower()}{name[1:]}{why} (--kind may say otherwise)"
    return note, [*bare, *validation.problems(document, kind, located, stored_as=stored_as)]


def _unwrapped(located: Located) -> tuple[Located, str, str]:
    """The policy in an answer of the AWS CLI, its kind if that is certain, and a note; else what was there."""
    for path, kind in _WRAPPED:
        inner = located.value
        for step in path:
            inner = inner.get(step) if isinstance(inner, Mapping) else None
        if path[-1] == "Content":
            kind = next((_CONTENT[word] for word in _CONTENT if inner and word in located.text), "")
        note = f"the policy at {'.'.join(path)}, "
        if isinstance(inner, str) and inner.lstrip()[:1] in ("{", "%"):
            return read(unquote(inner) if inner.startswith("%") else inner), kind, note + "a text of its own, "
        if isinstance(inner, Mapping) and "Statement" in inner:
            return _Inside(inner, json.dumps(inner, ensure_ascii=False), located, path), kind, note
    return located, "", ""


def _guess(document: Any) -> tuple[str, str]:
    """The kind of a policy by its statements, and by what."""
    written = document.get("Statement") if isinstance(document, Mapping) else None
    statements = [each for each in (written if isinstance(written, list) else [written]) if isinstance(each, Mapping)]
    if not any("Principal" in each or "NotPrincipal" in each for each in statements):
        return "identity", ""
    actions = [each.get("Action") for each in statements]
    texts = [text for each in actions for text in (each if isinstance(each, list) else [each])]
    assumes = all(str(text).lower().startswith("sts:") for text in texts)
    if assumes and not any("Resource" in each or "NotResource" in each for each in statements):
        return "trust", " for its Principal and its actions"
    return "resource", " for its Principal"


def _as_line(name: str, problem: Problem, gravity: str) -> str:
    return f"{name}:{problem.line or 1}:{problem.column or 1}: {gravity}: {problem.sentence} [{problem.code}]"


def _as_json(name: str, problem: Problem, gravity: str) -> str:
    names = ("line", "column", "path", "level", "code", "message", "suggestion")
    return json.dumps({"file": name, "gravity": gravity} | {each: getattr(problem, each) for each in names})


def _write(line: str, stream: Any) -> None:
    """Print a line whatever the terminal can show: what it cannot appears as an escape."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream)


if __name__ == "__main__":
    sys.exit(main())
