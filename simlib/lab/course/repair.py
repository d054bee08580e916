"""The judge of the incident: who may do what once a learner has put it right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from simlib.lab import incident
from simlib.lab.attempts import Attempt
from simlib.lab.judging import Row, decided_by, sentence

nothing_done = incident.nothing_done

PARTS = {"Mallory is out": False, "what let her in is repaired": False, "everybody works": True}  # whether it should be
_ARN = re.compile(r"arn:aws:iam::(?:\d{12}|aws):(?:role|user|group|policy)/")


def in_order(world: Any) -> Iterator[str]:
    parts = {part: [_row(*each, should) for each in incident.trials(world, part)] for part, should in PARTS.items()}
    first = next((row for rows in parts.values() for row in rows if not row.right), None)
    if first:
        counts = [f"{what}, {sum(row.right for row in rows)} of {len(rows)}" for what, rows in parts.items()]
        stopped = [row for row in parts["everybody works"] if not row.right and row is not first][:1]
        told = [sentence(first), *(f"And somebody can no longer work. {sentence(row)}" for row in stopped)]
        yield "\n\n".join([*told, f"Checks that pass so far: {'; '.join(counts)}."])


def _row(trial: dict[str, str], done: Attempt | None, should: bool) -> Row:
    because = trial.get("because") or (_decided(done) if done else "Its machine is gone.")
    return Row(trial["who"], trial["does"], done is not None and done.allowed, should, because)


def _decided(done: Attempt) -> str:
    """What decided the call, with names for ARNs; AWS's own words where no policy did."""
    asked = done.event.evaluations if done.event else ()
    evaluation = next((each for each in asked if not each.allowed), asked[0] if asked else None)
    if evaluation is not None and evaluation.allowed is done.allowed:
        return _ARN.sub("", decided_by(evaluation))
    return (
        "No policy decides this: the key is active." if done.allowed else f"The answer is {done.code}: {done.message}"
    )
