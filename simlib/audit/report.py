"""`python -m simlib inspect PATH…`: dumps of your own accounts in, what stands out in them out.

Nothing leaves the machine, and nothing is written.

PATH is a file or a folder: what `aws iam get-account-authorization-details` prints (JSON or YAML, pages, several
accounts), Organizations exports and policies of resources beside it, the folders of iam-collect, or a world of the lab.
Exit status: 0 nothing stands out (notes alone do not), 1 something does, 2 a path that cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simlib.audit.arns import account_of, grouped
from simlib.audit.compare import State, newly_possible
from simlib.audit.effective import effective_permissions
from simlib.audit.escalation import Way
from simlib.audit.exposure import RULES, Audit, in_words, names_of
from simlib.audit.grants import NOTHING
from simlib.audit.names import Names
from simlib.audit.paths import cuts, paths, who_reaches
from simlib.audit.walking import walk
from simlib.cloud.worlds.shape import WorldFileError
from simlib.iam import Request
from simlib.iam.validation import problems
from simlib.lessons import LESSONS

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST = 40  # lines of who may assume what; JSON has them all
MOST_NAMES = 12  # of administrators, and of who may assume a role
MOST_WAYS = 4  # of one principal; JSON has them all


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
                old = State.of(Audit(cloud))
        with Cloud.load(*options.paths) as cloud:
            _progress("deciding …")
            audit = Audit(cloud)
            if not (old or options.way or options.who or options.effective):
                walks = _walks(audit) if options.walk else {}
                report = {"text": text, "json": _json, "sarif": _sarif}[options.format](audit, walks, options.paths[0])
                _progress("")
                print(report)
                return 1 if any(each.level != "note" for each in audit.exposures) else 0
            lines = list(newly_possible(audit, old) if old else _answer(audit, options))
            _progress("")
            print("\n".join(lines or ["Nothing."]))
            return 1 if lines and not options.effective else 0
    except (WorldFileError, LookupError, ValueError) as error:
        _progress("")
        print(error.args[0], file=sys.stderr)
        return 2


def _answer(audit: Audit, options: argparse.Namespace) -> Iterator[str]:
    """To one question about a world, line by line."""
    access = audit.access
    if options.who:
        action, resource = options.who
        _spelled(action)
        access = access.asking(action, resource)
    names = Names(access.graph, audit.facts.accounts, {})
    if options.effective:
        yield json.dumps(effective_permissions(audit.facts, names.find(options.effective)), indent=2)
    elif options.who:
        for path in who_reaches(access.graph, resource):
            yield " → ".join(map(names.in_sentence, path.nodes))
    else:
        start, goal = map(names.find, options.way)
        yield from map(str, paths(access.graph, start, goal))
        yield from (f"To cut every way: {cut.sentence}." for cut in cuts(access, start, goal))


def _spelled(action: str) -> None:
    """Tell of an action that is not known – a newer one, or a misspelling; what cannot be an action is refused."""
    Request("anonymous", action, "*")
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    for problem in problems({"Version": "2012-10-17", "Statement": [statement]}, "identity"):
        if problem.code in ("invalid-action", "unknown-action", "invalid-service-in-action"):
            print(problem.sentence, file=sys.stderr)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<60}\r", end="", file=sys.stderr, flush=True)


def _walks(audit: Audit) -> dict[Way, str]:
    """How each path to power went."""
    outcomes = {}
    for number, way in enumerate(audit.ways, 1):
        _progress(f"walking {number} of {len(audit.ways)} …")
        outcome = walk(audit.cloud, way)
        outcomes[way] = f"walked: {outcome.reason}" if outcome.done else f"not walked: {outcome.reason}"
    return outcomes


def _counts(audit: Audit) -> dict[str, dict[str, int]]:
    kinds = Counter((each.account, each.kind) for each in audit.facts.identities.values())
    return {each: {kind: kinds[each, kind] for kind in ("user", "role")} for each in sorted(audit.facts.accounts)}


def _accounts(audit: Audit) -> Iterator[str]:
    """How many users and roles each account has, and who may do everything there."""
    powerful = grouped((account_of(arn), arn) for arn in audit.administrators)
    for account, counts in _counts(audit).items():
        numbers = [f"{n} {kind}{'s' * (n > 1)}" for kind, n in counts.items() if n]
        yield f"Account {account}: {', '.join(numbers) or 'no user and no role is in these files'}"
        if account in powerful:
            needs = {arn: audit.administrators[arn] for arn in powerful[account]}
            yield f"  administrators: {_listed(needs, account)}"


def _listed(needs: Mapping[str, tuple[str, ...]], home: str) -> str:
    """Names with what it takes of them, a few for each: "ada and ben; kai and 9 more (only if MFA)"."""
    by_needs = grouped(((each, account_of(arn)), arn) for arn, each in needs.items())
    return "; ".join(
        (names_of(arns, MOST_NAMES) if account == home else in_words(arns))
        + (f" (only if {' and '.join(each)})" if each else "")
        for (each, account), arns in sorted(by_needs.items())
    )


def _assuming(audit: Audit) -> list[str]:
    """Who may assume what: for each role its callers."""
    callers = {role: dict(each) for role, each in
               grouped((way.target, (way.principal, way.needs)) for way in audit.assumes).items()}  # fmt: skip
    weak = {role for role in callers if role not in audit.administrators}
    return [f"{in_words([role])}{'' if role in weak else ', an administrator'}: {_listed(needs, account_of(role))}"
            for role, needs in sorted(callers.items(), key=lambda each: (each[0] in weak, each[0]))]  # fmt: skip


def text(audit: Audit, walks: Mapping[Way, str] = NOTHING, _: str = "") -> str:
    """The report as a terminal shows it; `walks`: how each path to power went. What is so of many is said once."""
    lines = list(_accounts(audit))
    if audit.cloud.remarks:
        lines += ["", "Not read, or not as it stands:", *(f"  {remark}" for remark in audit.cloud.remarks)]
    if assuming := _assuming(audit):
        more = [f"… and {len(assuming) - MOST} more roles; --format json has them all"] if len(assuming) > MOST else []
        lines += ["", "Roles, and which users and roles may assume them:"]
        lines += [f"  {line}" for line in [*assuming[:MOST], *more]]
    alike = (((each.rule, account_of(each.subject), each.what, each.evidence), each) for each in audit.exposures)
    groups = grouped(alike)
    last = ""
    for (rule, _account, what, evidence), group in groups.items():
        if rule != last:
            level, title, _lesson = RULES[rule]
            lines += ["", f"{level}: {title} [{rule}] (lesson {group[0].lesson})"]
            last = rule
        lines.append(f"  {in_words([each.subject for each in group])}: {what}{f' – {evidence}' if evidence else ''}")
        if walks:
            lines += [f"    {way.sentence}: {walks[way]}" for each in group for way in each.ways]
        else:
            lines += [f"    or {way.summary}" for way in group[0].ways[1:MOST_WAYS]]
    return "\n".join(lines if groups else [*lines, "", "Nothing stands out."])


def _json(audit: Audit, walks: Mapping[Way, str], _: str) -> str:
    def row(way: Way) -> dict[str, Any]:
        names = ("id", "target", "policy", "thing", "asks", "needs")
        return {name: getattr(way, name) for name in names} | {"sentence": way.sentence, "walk": walks.get(way)}

    findings = [
        {"rule": each.rule, "level": each.level, "subject": each.subject, "sentence": each.sentence,
         "evidence": each.evidence, "lesson": each.lesson, "ways": [row(way) for way in each.ways]}
        for each in audit.exposures
    ]  # fmt: skip
    report = {
        "accounts": _counts(audit),
        "remarks": [remark._asdict() for remark in audit.cloud.remarks],
        "administrators": [{"principal": arn, "needs": needs} for arn, needs in audit.administrators.items()],
        "assumes": [{"principal": way.principal, "role": way.target, "needs": way.needs} for way in audit.assumes],
        "findings": findings,
    }
    return json.dumps(report, indent=2)


def _sarif(audit: Audit, walks: Mapping[Way, str], path: str) -> str:
    """https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""
    rules = [
        {"id": rule, "shortDescription": {"text": title}, "defaultConfiguration": {"level": level},
         "help": {"text": f"Lesson {LESSONS[lesson].name} of the lab explains it."}}
        for rule, (level, title, lesson) in RULES.items()
    ]  # fmt: skip
    place = {"artifactLocation": {"uri": path.replace("\\", "/")}}
    results: list[dict[str, Any]] = []
    for each in audit.exposures:
        texts = (each.sentence, each.evidence, *(walks[way] for way in each.ways[:1] if way in walks))
        where = {"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": each.subject}]}
        message = {"text": ". ".join(filter(None, texts)) + "."}
        results.append({"ruleId": each.rule, "level": each.level, "message": message, "locations": [where]})
    driver = {"name": "simlib inspect", "rules": rules}
    runs = [{"tool": {"driver": driver}, "results": results}]
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, indent=2)
