"""`python -m simlib check FILE…`: policy documents in, compiler-like messages out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simlib.iam import validation
from simlib.iam.errors import PolicyError, Problem
from simlib.iam.findings import ERROR, SECURITY, SUGGESTION, WARNING
from simlib.iam.json_text import read
from simlib.iam.statement import KINDS

_ENDINGS = """\
Messages read `file:line:column: error: what is wrong (what would be right) [code]`. Besides what AWS refuses to save,
`error` is also what AWS saves though it can never work, as IAM Access Analyzer does; codes are Access Analyzer's issue
codes in lower case. Exit status: 0 nothing wrong, 1 errors (with --strict: or warnings), 2 a file that cannot be read.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Check every file named in `argv` (`-`: standard input); print what was found; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m simlib check", description=__doc__, epilog=_ENDINGS)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a JSON policy document; - for standard input")
    parser.add_argument("--kind", choices=list(KINDS), default="identity", help="what they are (default: %(default)s)")
    parser.add_argument(
        "--stored-as", choices=["user", "group", "role", "managed"], help="judge the size by this place"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings of any kind, too")
    parser.add_argument("--quiet", action="store_true", help="no suggestions")
    parser.add_argument("--json", action="store_true", help="one JSON object per finding and line")
    options = parser.parse_args(argv)
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
        for problem in _problems(text, options.kind, options.stored_as):
            gravity = validation.gravity(problem.code)
            if gravity == SUGGESTION and options.quiet:
                continue
            _write(_as_json(name, problem) if options.json else _as_line(name, problem), sys.stdout)
            if gravity in grave or problem.level != "warning":
                status = max(status, 1)
    return status


def _text(name: str) -> str:
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    return data.decode("utf-8-sig")  # some editors begin with a mark


def _problems(text: str, kind: str, stored_as: str | None) -> Sequence[Problem]:
    try:
        located = read(text)
    except PolicyError as error:
        return error.problems
    return validation.problems(located.value, kind, located, stored_as=stored_as)


def _as_line(name: str, problem: Problem) -> str:
    word = ERROR if problem.level != "warning" else validation.gravity(problem.code)
    advice = f" ({problem.suggestion})" if problem.suggestion else ""
    return f"{name}:{problem.line or 1}:{problem.column or 1}: {word}: {problem.message}{advice} [{problem.code}]"


def _as_json(name: str, problem: Problem) -> str:
    fields: dict[str, Any] = {
        "file": name,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "level": problem.level,
        "gravity": ERROR if problem.level != "warning" else validation.gravity(problem.code),
        "code": problem.code,
        "message": problem.message,
        "suggestion": problem.suggestion,
    }
    return json.dumps(fields)


def _write(line: str, stream: Any) -> None:
    """Print a line whatever the terminal can show: what it cannot appears as an escape."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream)


if __name__ == "__main__":
    sys.exit(main())
