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
    wrong = next((row for rows in parts.values() for row in rows if not row.right), None)
    if wrong:
        counts = [f"{what}, {sum(row.right for row in rows)} of {len(rows)}" for what, rows in parts.items()]
        stopped = [row for row in parts["everybody works"] if not row.right and row is not wrong][:1]
        sentences = [sentence(wrong), *(f"And somebody can no longer work. {sentence(row)}" for row in stopped)]
        yield "\n\n".join([*sentences, f"Checks that pass so far: {'; '.join(counts)}."])


def _row(trial: dict[str, str], outcome: Attempt | None, should: bool) -> Row:
    because = trial.get("because") or (_decided(outcome) if outcome else "Its machine is gone.")
    return Row(trial["who"], trial["does"], outcome is not None and outcome.allowed, should, because)


def _decided(outcome: Attempt) -> str:
    """What decided the call, with names for ARNs; AWS's own words where no policy did."""
    evaluations = outcome.event.evaluations if outcome.event else ()
    evaluation = next((each for each in evaluations if not each.allowed), evaluations[0] if evaluations else None)
    if evaluation is not None and evaluation.allowed is outcome.allowed:
        return _ARN.sub("", decided_by(evaluation))
    if outcome.allowed:
        return "No policy decides this: the key is active."
    return f"The answer is {outcome.code}: {outcome.message}"
