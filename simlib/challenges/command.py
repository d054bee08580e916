"""`python -m simlib challenge`: what there is, whether a file is a fair challenge, and a set to hand out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from simlib.challenges.challenge import Challenge, ChallengeFileError, challenges, find
from simlib.challenges.solver import prove
from simlib.lessons import METADATA


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the three; the exit status is 1 where a challenge is not fair, 2 where nothing could be done."""
    parser = argparse.ArgumentParser(prog="python -m simlib challenge", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every challenge of the lab")
    check = commands.add_parser("check", help="is it solvable, by which way, and what fails")
    check.add_argument("challenge", nargs="+", help="a name, or a file of your own")
    check.add_argument("--seeds", type=int, default=3, help="how many seeds are tried (default: 3)")
    hand_out = commands.add_parser("set", help="a notebook in which everybody has the same ones")
    hand_out.add_argument("challenge", nargs="+", metavar="NAME[:SEED]", help="which, in order")
    hand_out.add_argument("--seed", type=int, default=1, help="of those that name none (default: 1)")
    hand_out.add_argument("--notebook", type=Path, required=True, metavar="FILE", help="the notebook to write")
    options = parser.parse_args(argv)
    try:
        if options.command == "list":
            return _list()
        if options.command == "check":
            return max(_check(find(name), options.seeds) for name in options.challenge)
        return _set(options.challenge, options.seed, options.notebook)
    except (ChallengeFileError, LookupError) as error:
        print(error.args[0] if isinstance(error, LookupError) else error, file=sys.stderr)
        return 2


def _list() -> int:
    for each in challenges().values():
        print(f"{each.name:<24} {each.title:<32} {each.about}")
    return 0


def _check(challenge: Challenge, seeds: int) -> int:
    """One challenge with some seeds; the way and the attempts of each variant are shown once."""
    unfair, shown = 0, set[str]()
    for seed in range(seeds):
        proof = prove(challenge, seed)
        unfair += not proof.fair
        variant = f", variant {proof.variant}" if proof.variant else ""
        print(f"{challenge.name}, seed {seed}{variant}: {'fair' if proof.fair else 'NOT FAIR'}")
        for problem in proof.problems:
            print(f"  wrong: {shorten(problem, 600, placeholder=' …')}")
        if proof.fair and proof.variant not in shown:
            shown.add(proof.variant)
            print("  the way:", *proof.way, "what fails:", *proof.fails, sep="\n    ")
    return int(unfair > 0)


def _set(names: Sequence[str], seed: int, path: Path) -> int:
    cells = [_cell("markdown", "# Challenges\n\nRun a cell, and the challenge below it begins. Your points are kept.")]
    for number, each in enumerate(names, 1):
        name, _, own = each.partition(":")
        challenge, its = find(name), int(own) if own.isdecimal() else seed
        about = f"## {number} · {challenge.title}\n\n{challenge.kind}, about {challenge.minutes} minutes"
        begin = "from simlib import lab\n\n" if number == 1 else ""
        cells += [_cell("markdown", about), _cell("code", f'{begin}game = lab.challenge("{name}", seed={its})\ngame')]
    notebook = {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 4}
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{path}: {len(names)} challenges.")
    return 0


def _cell(kind: str, text: str) -> dict[str, object]:
    more: dict[str, object] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, **more, "source": text}
