"""``python -m tests.iam.differential COUNT [FIRST]``: the comparison, and what the table of disagreements explains."""

from __future__ import annotations

import sys

from tests.iam.differential.comparison import compare, smallest
from tests.iam.differential.disagreements import DISAGREEMENTS
from tests.iam.differential.peer import Peer, folder


def main() -> int:
    numbers = [int(argument) for argument in sys.argv[1:]]
    count, first = [*numbers, *[20_000, 0][len(numbers) :]]
    home = folder()
    if isinstance(home, str):
        print(home)
        return 2
    with Peer(home) as peer:
        report = compare(peer, count, first)
        print(f"{count} scenarios: {dict(report.decisions)}")
        print(f"{len(report.unexplained)} disagreements that nothing explains")
        for each in report.unexplained[:10]:
            print(smallest(peer, each))
    for name, (page, _) in DISAGREEMENTS.items():
        print(f"{report.settled[name]:6}  {name}  – {page}")
    return 1 if report.unexplained else 0


sys.exit(main())
