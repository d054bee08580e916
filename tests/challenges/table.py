"""The solver over every challenge and many seeds: `python -m tests.challenges.table [SEEDS [FIRST]]`.

Of each it prints the variants and how many seeds are fair; what is not fair is said, and the exit status is 1.
"""

from __future__ import annotations

import sys
import time

from simlib.challenges import challenges
from simlib.challenges.solver import prove


def main(seeds: int = 20, first: int = 0) -> int:
    unfair = 0
    for challenge in challenges().values():
        began = time.monotonic()
        proofs = [prove(challenge, seed) for seed in range(first, first + seeds)]
        variants = ", ".join(sorted({each.variant or "one" for each in proofs}))
        fair, took = sum(each.fair for each in proofs), time.monotonic() - began
        about = f"{challenge.name:<26} {challenge.kind:<9} level {challenge.level}  {fair} of {seeds} fair"
        naive = len(proofs[0].fails)
        print(f"{about}  {naive} attempts fail  {took / seeds:.1f} s each  variants: {variants}", flush=True)
        for each in proofs:
            unfair += not each.fair
            for problem in each.problems:
                print(f"  seed {each.seed}: {problem}")
    return 1 if unfair else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
