"""The decision engine beside an independent program, measured in the same run, and alone.

The peer is found as the tests find it (tests/iam/differential/peer.py); without it the rows against it are left out.
Every figure is the sum of the best times of small parts of the work, which other work of the machine disturbs least.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.row import Row
from simlib.iam import Evaluation, Policy, PolicySet, Request, evaluate
from simlib.iam.json_text import parse
from simlib.iam.matching import RESOURCE, Patterns
from simlib.iam.scenario import POLICY_FIELDS, World, read_scenario
from simlib.iam.scenario import decide as answered
from tests.iam.differential.peer import folder, translated
from tests.iam.differential.scenarios import scenario

ROOT = Path(__file__).resolve().parents[1]
COUNT = 400  # scenarios
FRESH = 2_000  # more of them, which are answered once
ROUNDS = 25
ACCOUNT = "111111111111"
TAGGED = {"aws:PrincipalTag/team": "red"}
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}  # as a user's shell
Asked = tuple[dict[str, Any], PolicySet]


def measure() -> Iterator[Row]:
    scenarios = [scenario(seed) for seed in range(COUNT)]
    yield from beside_the_peer(scenarios)
    yield prepared(scenarios)
    yield Row("200 identities × 50 requests", matrix(), "s", most=1.0)
    yield from explanations([read_scenario(each) for each in scenarios])
    yield from scaling()
    yield from wildcards()
    yield Row("import simlib.iam, over bare Python", importing() * 1e3, "ms", most=30.0)


def best(work: Callable[[Any], object], items: Sequence[Any], rounds: int = ROUNDS, chunk: int = 4) -> float:
    """Seconds for one item."""
    total = 0.0
    for first in range(0, len(items), chunk):
        part, fastest = items[first : first + chunk], float("inf")
        for _ in range(rounds):
            started = time.perf_counter()
            for item in part:
                work(item)
            fastest = min(fastest, time.perf_counter() - started)
        total += fastest
    return total / len(items)


# --- beside the peer --------------------------------------------------------------------------------------------------


def beside_the_peer(scenarios: list[dict[str, Any]]) -> Iterator[Row]:
    """Cold: JSON text in, an answer out, every text seen once. Warm: policies read once, distinct requests, every check
    worked out. The engine keeps no decisions. Of patterns it keeps how the last 1,024 are matched, as ``re`` does; the
    generated texts have few, so that cold profits from it more than it would with as many different policies.

    The peer may keep what it likes. It has no prepared form of its own: warm, too, it is given objects, and its fastest
    of many passes over the same scenarios counts, as ours does.
    """
    home = folder()
    core, line, their_line = None, None, None
    if isinstance(home, str):
        print(f"no peer to compare with: {home}", file=sys.stderr)
    else:
        line, their_line = (seconds * 1e6 for seconds in processes(home))
        core = fastest_pass_of_the_peer(home, scenarios) * 1e6
    warm = fastest_pass(decide, distinct_requests(scenarios)) * 1e6
    lines = [json.dumps(each).encode() for each in scenarios]
    again = fastest_pass(lambda line: evaluate(*read_scenario(parse(line.decode()).value)), lines) * 1e6
    if line is not None:
        what = f"a decision, cold: text in, answer out, {FRESH:,} texts seen once, against the peer (processor time)"
        yield Row(what, line, "µs", their_line, limit=0.5)
    what = "a decision, warm: policies read, distinct requests, against the fastest pass of the peer's core engine"
    yield Row(what, warm, "µs", core, limit=0.2)
    what = "the same texts read and decided over and over, against the same pass of the peer over objects (no limit)"
    yield Row(what, again, "µs", core)


def prepared(scenarios: list[dict[str, Any]]) -> Row:
    """Lines that name policies of a world, from bytes to the bytes of the answer, against decisions on objects."""
    documents: dict[str, Any] = {}

    def name(written: Any) -> Any:
        if isinstance(written, list):
            return [name(each) for each in written]
        documents[f"policy-{len(documents)}"] = written
        return f"policy-{len(documents) - 1}"

    short = [
        {field: name(value) if field in POLICY_FIELDS else value for field, value in each.items()} for each in scenarios
    ]
    lines = [json.dumps(each).encode() for each in short]
    world = World(documents, "the world")
    warm = fastest_pass(decide, distinct_requests(scenarios)) * 1e6
    line = fastest_pass(lambda each: answered([each], len, world), lines) * 1e6
    return Row(
        "a line that names its policies, text in, answer out, against a warm decision", line, "µs", warm, limit=5.0
    )


def fastest_pass(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """Seconds for one item in the fastest pass over all; there is time for more of our passes than of the peer's."""
    return best(work, items, rounds=8 * ROUNDS, chunk=len(items))


def fastest_pass_of_the_peer(home: Path, scenarios: list[dict[str, Any]]) -> float:
    lines = "".join(json.dumps(translated(each)) + "\n" for each in scenarios)
    command = ["node", "oracle.mjs", "--bench", str(ROUNDS)]
    run = subprocess.run(command, cwd=home, input=lines, capture_output=True, check=True, encoding="utf-8")
    return 1 / float(json.loads(run.stderr.strip().splitlines()[-1])["bestPerSec"])


def processes(home: Path) -> tuple[float, float]:
    """Seconds of processor time for one line, ours and the peer's, in whole processes that read and write JSON lines.

    A process that has answered as many others answers lines it has not seen: what it takes longer for all of them than
    for the first half. Ours and the peer's take turns; time on the clock would measure what else the machine does.
    """
    scenarios = [scenario(seed) for seed in range(COUNT, COUNT + 2 * FRESH)]
    ours = [json.dumps(each) for each in scenarios]
    theirs = [json.dumps(translated(each)) for each in scenarios]
    commands = {"ours": ([sys.executable, "-m", "simlib", "decide"], ROOT, ours)}
    commands["theirs"] = (["node", "oracle.mjs"], home, theirs)
    seconds: dict[tuple[str, int], float] = {}
    for _ in range(5):
        for name, (command, cwd, lines) in commands.items():
            for count in (FRESH, 2 * FRESH):
                taken = process(command, cwd, lines[:count])
                seconds[name, count] = min(taken, seconds.get((name, count), taken))
    per_line = [(seconds[name, 2 * FRESH] - seconds[name, FRESH]) / FRESH for name in commands]
    return per_line[0], per_line[1]


def process(command: list[str], cwd: Path, lines: list[str]) -> float:
    text = "".join(line + "\n" for line in lines)
    started = os.times()
    subprocess.run(command, cwd=cwd, env=PLAIN, input=text, capture_output=True, check=True, encoding="utf-8")
    ended = os.times()
    return ended.children_user + ended.children_system - started.children_user - started.children_system


def distinct_requests(scenarios: list[dict[str, Any]]) -> list[Asked]:
    """Policies read once, and what each request is made of; no two are the same."""
    names = ("principal", "action", "resource", "resource_account", "role_arn")
    asked = []
    for number, each in enumerate(scenarios):
        request = {name: each[name] for name in names if name in each}
        asked.append(
            ({**request, "context": {**each["context"], "aws:RequestId": str(number)}}, read_scenario(each)[1])
        )
    return asked


def decide(asked: Asked) -> Evaluation:
    return evaluate(Request(**asked[0]), asked[1])


# --- alone ------------------------------------------------------------------------------------------------------------


def statement(number: int, action: str) -> dict[str, Any]:
    return {
        "Sid": f"S{number}",
        "Effect": "Allow",
        "Action": action,
        "Resource": [f"arn:aws:s3:::bucket-{number}", f"arn:aws:s3:::bucket-{number}/*"],
        "Condition": {"StringLike": {"aws:PrincipalTag/team": ["red*", "blue"]}},
    }


def policy(*statements: dict[str, Any], kind: str = "identity") -> Policy:
    return Policy.parse({"Version": "2012-10-17", "Statement": list(statements)}, kind)


def matrix() -> float:
    """Seconds for 200 identities with own policies, boundaries and two levels of SCPs, each of them asking 50 times."""
    verbs = ["Get", "Put", "List", "Delete", "Describe"]
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    scp = policy(everything, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}, kind="scp")
    asked: list[Asked] = []
    for number in range(200):
        own = policy(*[statement(each, f"s3:{verbs[each % 5]}*") for each in range(number, number + 5)])
        others = policy(*[statement(each, f"ec2:{verbs[each % 5]}*") for each in range(5)])
        boundary = policy(everything, kind="boundary")
        policies = PolicySet((own, others), permissions_boundary=boundary, scps=((scp,), (scp,)))
        principal = f"arn:aws:iam::{ACCOUNT}:user/user-{number}"
        for each in range(50):
            resource = f"arn:aws:s3:::bucket-{each * 4}/key"
            request = {"principal": principal, "action": f"s3:{verbs[each % 5]}Object", "resource": resource}
            asked.append(({**request, "context": TAGGED}, policies))
    return best(decide, asked, rounds=5, chunk=50) * len(asked)


def explanations(pairs: list[tuple[Request, PolicySet]]) -> Iterator[Row]:
    bare = best(lambda pair: evaluate(*pair), pairs) * 1e6
    asked: dict[str, Callable[[Evaluation], object]] = {
        "with AWS's message": lambda evaluation: evaluation.message,
        "with a learner's sentences": lambda evaluation: evaluation.explain(),
        "with a hint": lambda evaluation: evaluation.hint(),
        "with every element of every statement": lambda evaluation: [each.elements for each in evaluation.statements],
    }
    for what, ask in asked.items():
        explained = best(lambda pair, ask=ask: ask(evaluate(*pair)), pairs) * 1e6  # type: ignore[misc]
        yield Row(f"a decision {what}, against a bare one", explained, "µs", bare, limit=5.0)


def scaling() -> Iterator[Row]:
    """A policy of many statements, two of which could match; against ten statements. And one all of which could."""
    principal = f"arn:aws:iam::{ACCOUNT}:user/alice"
    request = Request(principal, "s3:GetObject", "arn:aws:s3:::bucket-3/key", context=TAGGED)
    ten = None
    for count in (10, 100, 1_000, 10_000):
        silent = [statement(number, f"service{number}:Get*") for number in range(count - 2)]
        few = PolicySet((policy(*silent, statement(2, "s3:GetObject"), statement(3, "s3:*")),))
        seconds = best(lambda policies: evaluate(request, policies), [few] * 50) * 1e6
        ten = ten or seconds
        yield Row(f"{count:,} statements, two of which could match, against ten", seconds, "µs", ten, limit=1.5)
    for count in (10, 100, 1_000, 10_000):
        every = PolicySet((policy(*[statement(number, "s3:Get*") for number in range(count)]),))
        seconds = best(lambda policies: evaluate(request, policies), [every] * 5, chunk=1) * 1e6
        yield Row(f"{count:,} statements, all of which could match", seconds, "µs")


def wildcards() -> Iterator[Row]:
    text = "arn:aws:s3:::" + "a" * 2035
    for what, wanted in {"*a*a*a…": "*a" * 1017 + "*b*", "*a?*a?…": "*a?" * 678 + "*b*"}.items():
        for where, pattern in {
            "a condition": Patterns([wanted]),
            "a resource": Patterns([text[:13] + wanted], RESOURCE),
        }.items():
            seconds = best(lambda text, pattern=pattern: pattern.matches(text, {}), [text] * 8, chunk=1)  # type: ignore[misc]
            what_it_is = f"{what} of 2,048 characters in {where}, against a text of 2,048"
            yield Row(what_it_is, seconds * 1e3, "ms", most=1.0)


def importing() -> float:
    """Seconds for the import, over a Python that imports nothing."""

    def run(code: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=PLAIN, check=True)
        return time.perf_counter() - started

    code = "import simlib.iam"
    run(code)
    return min(run(code) for _ in range(20)) - min(run("pass") for _ in range(20))
