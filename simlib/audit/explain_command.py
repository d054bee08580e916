"""`python -m simlib explain [FILE] [--account DUMP]`: an error text of AWS in, its explanation out."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from simlib.audit.refusal import NotARefusal, Refusal, explain
from simlib.iam import Evaluation


def main(arguments: list[str]) -> int:
    """Explain the text in a file, or one that is pasted; the exit status. Raises `OSError` of the file."""
    about = (
        "Explains why AWS refused: who asked for what, which kind of policy said no and which cannot have, where to "
        "look first, and the smallest statement that would allow it. Paste the text, or name a file that holds it: an "
        "error of AWS, its CLI or an SDK, a line of a log around it, a record of CloudTrail, or a decoded message. "
        "Nothing leaves the machine. Exit status: 0 explained, 1 no refusal of AWS, 2 a file that cannot be read."
    )
    parser = argparse.ArgumentParser("python -m simlib explain", description=about)
    parser.add_argument("file", nargs="?", default="-", help="a file with the text; without one, it is to be pasted")
    parser.add_argument("--account", metavar="DUMP", help="a dump of the account, to find the statement that decides")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(arguments)
    if options.file == "-" and sys.stdin.isatty():
        end = "Ctrl+Z and Enter" if sys.platform == "win32" else "Ctrl+D"
        print(f"Paste what AWS printed, then press Enter and {end}.", file=sys.stderr)
    try:
        data = sys.stdin.buffer.read() if options.file == "-" else Path(options.file).read_bytes()
        refusal = explain(data.decode(json.detect_encoding(data), "replace"))  # PowerShell writes UTF-16
        lines = [refusal.explain()]
        if options.account:
            from simlib.cloud import Cloud

            with Cloud.load(options.account) as cloud:
                evaluation = refusal.compare(cloud)
                lines += ["", _beside(refusal, evaluation, options.account)]
    except NotARefusal as error:
        print(error, file=sys.stderr)
        return 1
    except ValueError as error:  # the dump
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(refusal.fields(), indent=2) if options.json else "\n".join(lines))
    return 0


def _beside(refusal: Refusal, evaluation: Evaluation | None, file: str) -> str:
    if evaluation is None:
        return f"{file} has no such caller, or the text does not say what was asked."
    if evaluation.allowed:
        return (
            f"By the policies in {file} it is allowed: what refuses is not in the file (an SCP, a resource's policy, a"
            " session policy, a condition that the text does not show), or was changed since."
        )
    return f"By the policies in {file}:\n{evaluation.explain()}\n{evaluation.hint()}"
