"""`python -m simlib inspect PATH…`: dumps of your own accounts in, what stands out in them out.

Nothing leaves the machine, and nothing is written.

PATH is a file or a folder: what `aws iam get-account-authorization-details` prints (JSON or YAML, pages, several
accounts), Organizations exports and policies of resources beside it, the folders of iam-collect, or a world of the lab.
Exit status: 0 nothing stands out, 1 something does, 2 a path that cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simlib.audit.arns import account_of, name_of
from simlib.audit.compare import Dump
from simlib.audit.effective import effective_permissions
from simlib.audit.escalation import Way, find
from simlib.audit.exposure import RULES, Exposure, exposures
from simlib.audit.facts import ANYWHERE, Facts
from simlib.audit.grants import NOTHING
from simlib.audit.graph import AccessMap
from simlib.audit.names import Names
from simlib.audit.paths import cuts, paths, who_reaches
from simlib.audit.walking import walk
from simlib.cloud.worlds.shape import WorldFileError

if TYPE_CHECKING:
    from simlib.cloud import Cloud

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST = 40  # lines of who may assume what; JSON has them all


def main(argv: Sequence[str]) -> int:
    """Inspect every path named in `argv`; print what was found; return the exit status."""
    details = (__doc__ or "").partition("\n\n")[2]
    parser = argparse.ArgumentParser("python -m simlib inspect", description=details.strip())
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file or a folder")
    parser.add_argument("--format", choices=["text", "json", "sarif"], default="text")
    parser.add_argument(
        "--walk", action="store_true", help="perform every path to power in the lab, and say how it went"
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--compare", metavar="OLD", help="what PATH allows that an older file or folder did not")
    only.add_argument("--way", nargs=2, metavar=("FROM", "TO"), help="the ways from somebody to somebody or something, "
                      "and each single change that cuts them all")  # fmt: skip
    only.add_argument("--who", nargs=2, metavar=("ACTION", "RESOURCE"), help="who can do this, and by which steps")
    only.add_argument("--effective", metavar="WHO", help="what a user or role may do, as one policy document")
    options = parser.parse_args(list(argv))
    from simlib.cloud import Cloud

    try:
        _progress("reading …")
        old = None
        if options.compare:
            with Cloud.load(options.compare) as cloud:
                old = Dump(cloud)
        with Cloud.load(*options.paths) as cloud:
            _progress("deciding …")
            if old:
                lines = [each.sentence for each in Dump(cloud).since(old)]
            elif options.way or options.who or options.effective:
                lines = list(_answer(cloud, options))
            else:
                return _report(cloud, options)
            _progress("")
            print("\n".join(lines or ["Nothing."]))
            return 1 if lines and not options.effective else 0
    except (WorldFileError, LookupError, ValueError) as error:
        _progress("")
        print(error.args[0], file=sys.stderr)
        return 2


def _report(cloud: Cloud, options: argparse.Namespace) -> int:
    ways = find(cloud)
    found = exposures(cloud, ways)
    walks = _walks(cloud, ways) if options.walk else {}
    _progress("")
    report = {"text": text, "json": _json, "sarif": _sarif}[options.format]
    print(report(cloud, found, ways, walks, options.paths[0]))
    return 1 if found else 0


def _answer(cloud: Cloud, options: argparse.Namespace) -> Iterator[str]:
    """To one question about a world, line by line."""
    facts = Facts(cloud, circumstances=ANYWHERE)
    if options.effective:
        found = Names(AccessMap(facts).graph, facts.accounts, {}).find(options.effective)
        yield json.dumps(effective_permissions(facts, found), indent=2)
    elif options.who:
        action, resource = options.who
        graph = AccessMap(facts).asking(action, resource).graph
        names = Names(graph, facts.accounts, {})
        for path in who_reaches(graph, resource):
            yield " → ".join(map(names.told, path.nodes))
    else:
        access = AccessMap(facts)
        names = Names(access.graph, facts.accounts, {})
        start, goal = map(names.find, options.way)
        for path in paths(access.graph, start, goal):
            yield str(path)
        for cut in cuts(access, start, goal):
            yield f"To cut every way: {cut.sentence}."


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<60}\r", end="", file=sys.stderr, flush=True)


def _walks(cloud: Cloud, ways: Sequence[Way]) -> dict[str, str]:
    """How each path to power went, by its sentence."""
    outcomes = {}
    for number, way in enumerate(ways, 1):
        if way.id != "sts-001":
            _progress(f"walking {number} of {len(ways)} …")
            outcome = walk(cloud, way)
            outcomes[way.sentence] = f"walked: {outcome.reason}" if outcome.done else f"not walked: {outcome.reason}"
    return outcomes


def _counts(cloud: Cloud) -> dict[str, dict[str, int]]:
    kinds: dict[str, Counter[str]] = {}
    for each in cloud.inspect.principals():
        if each.kind in ("user", "role", "root"):
            kinds.setdefault(each.account, Counter())[each.kind] += each.kind != "root"
    return {account: {kind: n for kind, n in kinds[account].items() if n} for account in sorted(kinds)}


def _assuming(ways: Sequence[Way]) -> list[str]:
    """Who may assume what: for each role its callers."""
    callers: dict[str, list[str]] = {}
    for way in ways:
        if way.id == "sts-001":
            needs = f" (only if {' and '.join(way.needs)})" if way.needs else ""
            callers.setdefault(way.target, []).append(f"{account_of(way.principal)}/{name_of(way.principal)}{needs}")
    return [f"{account_of(role)}/{name_of(role)}: {', '.join(names)}" for role, names in sorted(callers.items())]


def text(
    cloud: Cloud, found: Sequence[Exposure], ways: Sequence[Way], walks: Mapping[str, str] = NOTHING, _: str = ""
) -> str:
    """The report as a terminal shows it; `walks`: how each path to power went, by its sentence."""
    lines = [
        f"Account {account}: " + (", ".join(f"{n} {kind}{'s' * (n > 1)}" for kind, n in counts.items()) or "nobody")
        for account, counts in _counts(cloud).items()
    ]
    if cloud.remarks:
        lines += ["", "Not read, or not as it stands:", *(f"  {remark}" for remark in cloud.remarks)]
    if assuming := _assuming(ways):
        more = [f"… and {len(assuming) - MOST} more roles; --format json has them all"] if len(assuming) > MOST else []
        lines += ["", "Roles, and who may assume them:", *(f"  {line}" for line in [*assuming[:MOST], *more])]
    for rule, (level, title, _) in RULES.items():
        of_rule = [each for each in found if each.rule == rule]
        if of_rule:
            lines += ["", f"{level}: {title} [{rule}] (lesson {of_rule[0].lesson})"]
        for each in of_rule:
            evidence = f" ({each.evidence})" if each.evidence and each.rule != "path-to-power" else ""
            lines.append(f"  {each.sentence}{evidence}")
            if each.sentence in walks:
                lines.append(f"    {walks[each.sentence]}")
    return "\n".join(lines if found else [*lines, "", "Nothing stands out."])


def _json(cloud: Cloud, found: Sequence[Exposure], ways: Sequence[Way], walks: Mapping[str, str], _: str) -> str:
    entries = [
        {**each._asdict(), "level": each.level, "lesson": each.lesson, "walk": walks.get(each.sentence)}
        for each in found
    ]
    remarks = [remark._asdict() for remark in cloud.remarks]
    assumes = [
        {"principal": way.principal, "role": way.target, "needs": way.needs} for way in ways if way.id == "sts-001"
    ]
    report = {"accounts": _counts(cloud), "remarks": remarks, "assumes": assumes, "findings": entries}
    return json.dumps(report, indent=2)


def _sarif(_: Cloud, found: Sequence[Exposure], __: Sequence[Way], walks: Mapping[str, str], path: str) -> str:
    """https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""
    rules = [{"id": rule, "shortDescription": {"text": title}} for rule, (_, title, _) in RULES.items()]
    results: list[dict[str, Any]] = [
        {
            "ruleId": each.rule,
            "level": each.level,
            "message": {"text": ". ".join(filter(None, (each.sentence, each.evidence, walks.get(each.sentence))))},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": path}},
                    "logicalLocations": [{"fullyQualifiedName": each.subject}],
                }
            ],
        }
        for each in found
    ]
    driver = {"name": "simlib inspect", "rules": rules}
    return json.dumps(
        {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}, indent=2
    )
