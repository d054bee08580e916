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
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from simlib.audit.escalation import escalations
from simlib.audit.exposure import RULES, Exposure, exposures
from simlib.audit.walking import walk
from simlib.cloud.worlds.shape import WorldFileError

if TYPE_CHECKING:
    from simlib.cloud import Cloud

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def main(argv: Sequence[str]) -> int:
    """Inspect every path named in `argv`; print what was found; return the exit status."""
    details = (__doc__ or "").partition("\n\n")[2]
    parser = argparse.ArgumentParser("python -m simlib inspect", description=details.strip())
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file or a folder")
    parser.add_argument("--format", choices=["text", "json", "sarif"], default="text")
    parser.add_argument(
        "--walk", action="store_true", help="perform every path to power in the lab, and say how it went"
    )
    options = parser.parse_args(list(argv))
    from simlib.cloud import Cloud

    try:
        _progress("reading …")
        with Cloud.load(*options.paths) as cloud:
            _progress("deciding …")
            found = exposures(cloud)
            walks = _walks(cloud) if options.walk else {}
            _progress("")
            report = {"text": text, "json": _json, "sarif": _sarif}[options.format]
            print(report(cloud, found, walks, options.paths[0]))
            return 1 if found else 0
    except WorldFileError as error:
        _progress("")
        print(error, file=sys.stderr)
        return 2


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<60}\r", end="", file=sys.stderr, flush=True)


def _walks(cloud: Cloud) -> dict[str, str]:
    """How each path to power went, by its sentence."""
    ways, outcomes = escalations(cloud), {}
    for number, way in enumerate(ways, 1):
        _progress(f"walking {number} of {len(ways)} …")
        outcome = walk(cloud, way)
        outcomes[way.sentence] = f"walked: {outcome.reason}" if outcome.done else f"not walked: {outcome.reason}"
    return outcomes


def _counts(cloud: Cloud) -> dict[str, dict[str, int]]:
    kinds: dict[str, Counter[str]] = {}
    for each in cloud.inspect.principals():
        if each.kind in ("user", "role"):
            kinds.setdefault(each.account, Counter())[each.kind] += 1
    return {account: dict(kinds[account]) for account in sorted(kinds)}


def text(cloud: Cloud, found: list[Exposure], walks: dict[str, str], _: str = "") -> str:
    """The report as a terminal shows it; `walks`: how each path to power went, by its sentence."""
    lines = [
        f"Account {account}: " + ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in counts.items())
        for account, counts in _counts(cloud).items()
    ]
    if cloud.remarks:
        lines += ["", "Not read, or not as it stands:", *(f"  {remark}" for remark in cloud.remarks)]
    for rule, (level, title, lesson) in RULES.items():
        of_rule = [each for each in found if each.rule == rule]
        if of_rule:
            lines += ["", f"{level}: {title} [{rule}] (lesson {lesson})"]
        for each in of_rule:
            evidence = f" ({each.evidence})" if each.evidence and each.rule != "path-to-power" else ""
            lines.append(f"  {each.sentence}{evidence}")
            if each.sentence in walks:
                lines.append(f"    {walks[each.sentence]}")
    return "\n".join(lines if found else [*lines, "", "Nothing stands out."])


def _json(cloud: Cloud, found: list[Exposure], walks: dict[str, str], _: str) -> str:
    entries = [
        {**each._asdict(), "level": each.level, "lesson": each.lesson, "walk": walks.get(each.sentence)}
        for each in found
    ]
    remarks = [remark._asdict() for remark in cloud.remarks]
    return json.dumps({"accounts": _counts(cloud), "remarks": remarks, "findings": entries}, indent=2)


def _sarif(_: Cloud, found: list[Exposure], walks: dict[str, str], path: str) -> str:
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
