"""A coverage-guided fuzz target, run by hand and not by the tests:

    pip install atheris
    python -m tests.iam.fuzz CORPUS -max_total_time=900 -max_len=4096 -timeout=5

Any line must be answered, any text must be a policy or a PolicyError, and every answer must be able to explain itself.
An empty corpus folder is filled with generated scenarios first.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["simlib.iam", "json"]):
    from simlib.iam import Policy, PolicyError, evaluate
    from simlib.iam.json_text import parse
    from simlib.iam.scenario import decide_line, read_scenario
    from simlib.iam.statement import KINDS
    from tests.iam.shorthand import form_of

KIND_NAMES = sorted(KINDS)


def one_input(line: bytes) -> None:
    """The first byte chooses the kind of policy; the rest is a line of scenarios, and a policy."""
    kind, line = KIND_NAMES[line[0] % len(KIND_NAMES)] if line else "identity", line[1:]
    result = decide_line(line)
    json.dumps(result)
    if "decision" in result:
        json.dumps(form_of(evaluate(*read_scenario(parse(line.decode()).value))))
        try:
            Policy.parse(line.decode("utf-8", "surrogateescape"), kind)
        except PolicyError as refused:
            say_why(refused)


def say_why(refused: PolicyError) -> None:
    assert str(refused)


def seed(corpus: Path, count: int = 300) -> None:
    """Scenarios, and the policies in them, to begin with."""
    from tests.iam.differential.scenarios import scenario

    corpus.mkdir(parents=True, exist_ok=True)
    if any(corpus.iterdir()):
        return
    for number in range(count):
        made = scenario(number)
        (corpus / f"scenario-{number}").write_bytes(b" " + json.dumps(made).encode())
        if "resource_policy" in made:
            (corpus / f"policy-{number}").write_bytes(b"\x05" + json.dumps(made["resource_policy"]).encode())


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        seed(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
