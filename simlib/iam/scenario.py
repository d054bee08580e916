"""``python -m simlib decide [FILE] [--world FILE]``: scenarios in, answers out, one JSON object per line each.

A scenario (to be written in one line), and the beginning of its answer:

  {"principal": "arn:aws:iam::111111111111:user/alice", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
   "identity_policies": [{"Version": "2012-10-17",
                          "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}]}
  {"id": null, "decision": "ALLOW", "checks": …

A scenario has ``principal``, ``action`` and ``resource``, and may have ``id``, ``resource_account``, ``context``,
``role_arn`` and policies: ``identity_policies``, ``session_policies`` and ``vpc_endpoint_policies`` (lists of
documents), ``permissions_boundary`` and ``resource_policy`` (documents), ``scps`` and ``rcps`` (lists of levels from
the organization's root down to the account, each a list of documents). A line that cannot be answered is answered
with an ``error`` that names the place; the others are not concerned. Memory does not grow with the number of lines.

``"restrict_public_buckets": true`` is S3's Block Public Access: a public bucket policy lets in nobody but the owner's
account and AWS's services.

Could it be allowed? With ``"context": "unknown"`` nothing is known but what AWS derives from the principal, with
``"unknown_context": [keys]`` these keys are open beside a known ``context``; with ``"resource_set": true`` the resource
is a pattern that stands for all it matches. The decision may then be ``DEPENDS``, and ``depends_on`` says on what:
alternatives, each a list of ``{"operator", "key", "values", "holds"}``. The request is allowed exactly if all of one
are as they say. ``operator`` is that of the condition, or ``Resource``; ``null`` instead of the list: too many
combinations to look at. For a set ``resources`` says ``all``, ``some`` or ``none``: which of them are allowed, whatever
the context is.

``--world``: a JSON object of names and policy documents, which are read once. A scenario may have a name wherever a
document may stand.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from math import inf
from pathlib import Path
from typing import IO, Any

from simlib.iam.decision import PolicySet
from simlib.iam.errors import PolicyError, RequestError
from simlib.iam.evaluation import evaluate
from simlib.iam.explanation import Evaluation
from simlib.iam.json_text import parse
from simlib.iam.policy import Policy
from simlib.iam.principals import NONE
from simlib.iam.request import Request
from simlib.iam.statement import OBJECT

NEEDED = ("principal", "action", "resource")
#: field -> its name in a PolicySet, the kind of its policies, and in how many lists they stand
POLICY_FIELDS = {
    "identity_policies": ("identity", "identity", 1),
    "permissions_boundary": ("permissions_boundary", "boundary", 0),
    "session_policies": ("session", "session", 1),
    "resource_policy": ("resource", "resource", 0),
    "scps": ("scps", "scp", 2),
    "rcps": ("rcps", "rcp", 2),
    "vpc_endpoint_policies": ("vpc_endpoint", "endpoint", 1),
}
#: what a request is decided by besides -> what its value is
OTHER_FIELDS: dict[str, tuple[type, str]] = {
    "unknown_context": (list, "this is a list of condition keys"),
    "resource_set": (bool, "this is true or false"),
    "restrict_public_buckets": (bool, "this is true or false"),
}
FIELDS = frozenset((*NEEDED, "resource_account", "context", "role_arn", *POLICY_FIELDS, *OTHER_FIELDS, "id"))
ENCODE = json.JSONEncoder(check_circular=False).encode  # plain ASCII: any terminal, any file, any stray surrogate
MOST_SETS = 10_000  # sets of policies that a world keeps: memory does not grow with the number of lines


class World:
    """Policies with names. Each is read when it is first used, once for each place that it has in scenarios."""

    def __init__(self, documents: Mapping[str, Any], file: str) -> None:
        self.documents, self.file = documents, file
        self.sets: dict[str, PolicySet] = {}  # combinations of names that came before
        self.policy = cache(self._read)

    @staticmethod
    def load(file: str) -> World:
        """Raises ``OSError``, and ``ValueError`` with what is wrong in the file."""
        documents = parse(Path(file).read_text("utf-8-sig")).value
        if not isinstance(documents, dict) or not all(isinstance(each, dict) for each in documents.values()):
            raise ValueError("this is a JSON object of names and policy documents")
        return World(documents, file)

    def _read(self, name: str, kind: str, path: str) -> Policy:
        if name not in self.documents:
            raise RequestError(path, f"there is no policy {name[:80]!r} in {self.file}")
        return _parse(self.documents[name], kind, path, f"{name} in {self.file}: ")


def read_scenario(scenario: Any, world: World | None = None) -> tuple[Request, PolicySet]:
    """The request and the policies of a scenario. Raises ``RequestError``, whose path names the field."""
    if not isinstance(scenario, OBJECT):
        raise RequestError("", "a scenario is a JSON object")
    if not FIELDS.issuperset(scenario):
        name = next(each for each in scenario if each not in FIELDS)
        raise RequestError(str(name)[:80], f"a scenario has no such field; its fields are {', '.join(sorted(FIELDS))}")
    get: Callable[[str], Any] = scenario.get  # null is as good as absent
    for name in NEEDED:
        if get(name) is None:
            raise RequestError(name, "a scenario needs this field")
    for name, (type_, what) in OTHER_FIELDS.items():
        if get(name) is not None and not isinstance(get(name), type_):
            raise RequestError(name, what)
    context = get("context")
    context = NONE if context is None or context == "unknown" else context
    account, role = get("resource_account"), get("role_arn")
    request = Request(get("principal"), get("action"), get("resource"), account, context, role)
    written = [*map(get, POLICY_FIELDS)]
    key = f"{request.is_trust_question} {written}" if world else ""
    policies = world.sets.get(key) if world else None
    if policies is None:
        layers = {}
        for (field, (layer, kind, depth)), content in zip(POLICY_FIELDS.items(), written, strict=True):
            kind = "trust" if layer == "resource" and request.is_trust_question else kind
            if content is not None:
                layers[layer] = _layer(content, kind, depth, field, world)
        policies = PolicySet(**layers)
        if world and "{" not in key and len(world.sets) < MOST_SETS:  # names alone
            world.sets[key] = policies
    if scenario.get("restrict_public_buckets") and policies.resource is not None and request.service == "s3":
        from simlib.iam.public_access import restricted

        policies = policies._replace(resource=restricted(policies.resource, request.caller, request.owner))
    return request, policies


def _layer(written: Any, kind: str, depth: int, path: str, world: World | None) -> Any:
    """The policies of a field: one, or a tuple of what is one list less deep."""
    if not depth:
        return world.policy(written, kind, path) if world and isinstance(written, str) else _parse(written, kind, path)
    if not isinstance(written, list):
        raise RequestError(path, "this is a list")
    return tuple([_layer(each, kind, depth - 1, f"{path}[{index}]", world) for index, each in enumerate(written)])


def _parse(document: Any, kind: str, path: str, source: str = "") -> Policy:
    """A policy, named by its place in the scenario; so are its mistakes."""
    if not isinstance(document, OBJECT):
        raise RequestError(path, "a policy is a JSON object")
    try:
        return Policy.parse(document, kind, name=path)
    except PolicyError as error:
        problem = error.problems[0]
        raise RequestError(f"{path}.{problem.path}".rstrip("."), source + problem.sentence) from None


def answer(evaluation: Evaluation) -> dict[str, Any]:
    """A decision as a line is answered, without the ``id``."""
    checks = [
        {
            "check_type": check.check_type,
            "effect": check.effect,
            "matched": [
                {"policy": policy.name, "sid": each.sid, "index": each.index, "effect": each.effect.upper()}
                for policy, statements in check.matched_policies
                for each in statements
            ],
        }
        for check in evaluation.checks
    ]
    return {"decision": evaluation.effect, "checks": checks, "message": evaluation.message}


def _possible(scenario: Mapping[str, Any], request: Request, policies: PolicySet) -> dict[str, Any]:
    """The answer where something is left open."""
    from simlib.iam.partial import possible  # late: few ask

    open_keys = None if scenario.get("context") == "unknown" else scenario.get("unknown_context") or []
    for key in open_keys or ():
        if not isinstance(key, str):
            raise RequestError("unknown_context", "a condition key is a text")
        if key.lower() in {known.lower() for known in request.context}:
            raise RequestError("unknown_context", f"{key[:80]!r} is in the context, and so it is known")
    resource_set = bool(scenario.get("resource_set"))
    decision, depends_on, evaluation, _ = possible(request, policies, open_keys, resource_set=resource_set)
    result: dict[str, Any] = answer(evaluation) if evaluation else {"checks": [], "message": ""}
    alternatives = depends_on and [[term._asdict() for term in terms] for terms in depends_on]
    result |= {"decision": decision, "depends_on": alternatives}
    if resource_set:
        some = None if depends_on is None else "some" if depends_on else "none"
        result["resources"] = "all" if decision == "ALLOW" else some
    return result


def decide_line(line: bytes, world: World | None = None) -> dict[str, Any]:
    """The answer to one line; never raises, whatever the line holds."""
    identifier = None
    try:
        scenario = parse(line.decode().removeprefix("\ufeff")).value  # some editors begin with a mark
        written = scenario.get("id") if isinstance(scenario, dict) else None
        if isinstance(written, (dict, list)) or written in (inf, -inf):
            raise RequestError("id", "an id is a text, a number, true, false or null")
        identifier = written
        request, policies = read_scenario(scenario, world)
        if scenario.get("unknown_context") or scenario.get("resource_set") or scenario.get("context") == "unknown":
            return {"id": identifier, **_possible(scenario, request, policies)}
        return {"id": identifier, **answer(evaluate(request, policies))}
    except UnicodeDecodeError:
        path, message = "", "this line is not UTF-8"
    except PolicyError as error:
        path, message = error.problems[0].path, error.problems[0].message
    except RequestError as error:
        path, message = error.path, error.message
    return {"id": identifier, "error": {"path": path, "message": message}}


def decide(lines: Iterable[bytes], write: Callable[[str], object], world: World | None = None) -> int:
    """Answer every line that is not blank; returns how many could not be answered."""
    failures = 0
    for line in lines:
        if line.strip():
            result = decide_line(line, world)
            failures += "error" in result
            write(ENCODE(result) + "\n")
    return failures


def watched(lines: IO[bytes], size: int, screen: IO[str]) -> Iterator[bytes]:
    """The same lines, while a bar on the screen shows how far they are read; lines alone where ``size`` is 0."""
    done, shown = 0, ""
    for number, line in enumerate(lines):
        done += len(line)
        percent = done * 100 // size if size else 0
        bar = f"[{'#' * (percent // 4):<25}] {percent:3} %" if size else f"{number // 1000 * 1000} lines"
        if bar != shown:
            print(f"\r{bar}", end="", file=screen, flush=True)
            shown = bar
        yield line
    print(f"\r{'':40}\r", end="", file=screen)


def main(arguments: list[str]) -> int:
    """Exit status 0; 1 if ``--strict`` is given and a line could not be answered; 2 if the world is none."""
    from argparse import ArgumentParser, RawDescriptionHelpFormatter

    description = (__doc__ or "").partition("\n\n")[2]
    parser = ArgumentParser("python -m simlib decide", None, description, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default="-", help="scenarios, one per line (default: standard input)")
    parser.add_argument("--world", metavar="FILE", help="a JSON object of names and policies that scenarios may name")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a line could not be answered")
    options = parser.parse_args(arguments)
    try:
        world = World.load(options.world) if options.world is not None else None
    except ValueError as error:
        print(f"{options.world}: {error}", file=sys.stderr)
        return 2
    source = sys.stdin.buffer if options.file == "-" else open(options.file, "rb")  # noqa: SIM115
    with source:
        lines: Iterable[bytes] = source
        if sys.stderr.isatty() and not source.isatty():
            lines = watched(source, 0 if options.file == "-" else os.path.getsize(options.file), sys.stderr)
        failures = decide(lines, sys.stdout.write, world)
    return 1 if failures and options.strict else 0
