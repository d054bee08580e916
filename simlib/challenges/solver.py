"""The proof that a challenge is fair: its way is walked by real calls, its naive attempts fail, and so does `*`.

`prove` says what it saw for one seed. What it needs stands in the file: `solution`, a script; `naive`, scripts by name,
none of which may solve it. To these it adds the cheap ways out of each kind: to do nothing, to allow everybody
everything, to deny everybody everything. To explain, the choices are the attempts, and one of them is the solution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Any

from simlib.challenges.challenge import Challenge
from simlib.challenges.judge import FAILS, Tally, judge
from simlib.challenges.seeds import GAP, seeded
from simlib.challenges.setting import Refused, Setting, Step, build
from simlib.cloud.event import Event
from simlib.cloud.world import ADMINISTRATOR

_CHEAP = {"allow everybody everything": "Allow *", "deny everybody everything": "Deny *"}


@dataclass
class Proof:
    """What the solver saw: `problems` is empty where the challenge is fair with this seed.

    `way` are the calls of the solution, or the choice that decides; `fails` the attempts that fail, and by what.
    """

    seed: int
    variant: str
    problems: list[str] = field(default_factory=list)
    way: list[str] = field(default_factory=list)
    fails: list[str] = field(default_factory=list)

    @property
    def fair(self) -> bool:
        return not self.problems


def prove(challenge: Challenge, seed: int, variant: str = "") -> Proof:
    """Make the world, try what must not solve it, then what must; all of it by real calls."""
    proof = Proof(seed, variant)
    try:
        facts = seeded(challenge.document(), challenge.name, seed, variant)
        proof.variant = facts["variant"]
        setting = build(facts)
        with setting.world:
            proof.problems += _unnamed(facts, setting)
            proof.problems += (_choices if challenge.kind == "explain" else _scripts)(proof, facts, setting)
    except (LookupError, ValueError) as error:
        proof.problems.append(str(error))
    return proof


def _unnamed(facts: Mapping[str, Any], setting: Setting) -> Iterator[str]:
    """Gaps in what is read that nothing fills; raises `ChallengeFileError` where nobody plays."""
    for name in ("story", "task", "hints", "here", "debrief", "intruder", "you", "path"):
        if gap := GAP.search(str(facts.get(name, ""))):
            yield f"`{name}`: nothing fills the gap {gap[0]}; there are {', '.join(setting.values)}."
    setting.identity(facts["you"])


def _scripts(proof: Proof, facts: Mapping[str, Any], setting: Setting) -> Iterator[str]:
    def attempt(script: Iterable[Step]) -> tuple[Tally, list[Event]]:
        """What is judged after a script, and its calls. Raises `Refused`."""
        with setting.rehearsal() as rehearsal:
            before = rehearsal.world.trail.total
            answers, flag = str(rehearsal.perform(script)), str(facts["values"]["flag"])
            calls = rehearsal.world.trail.since(before)
            return judge(facts, rehearsal, flag if flag in answers else ""), calls

    kind = facts["kind"]
    before, _ = attempt(())
    if before.passed:
        yield "it is solved before anybody has done anything"
    wrongly = {"lock out": False, "mend": True}.get(kind)  # to lock out, all is open; to mend, what is to be shut is
    for row in before.rows:
        if row.allowed is wrongly and not (kind == "mend" and row.should):
            yield f"at the beginning this is not as it should be: {row.who}: {row.because}"
    everywhere = {name: [*_to_all(setting, facts, lines)] for name, lines in _CHEAP.items() if kind != "get in"}
    for name, script in {**facts.get("naive", {}), **everywhere}.items():
        try:
            tally, _ = attempt(script)
        except Refused as refused:
            if not refused.denied:
                yield f"the naive attempt {name!r} is not refused but fails otherwise: {refused}"
            proof.fails.append(f"{name}: {shorten(str(refused.error), 160, placeholder='…')}")
            continue
        proof.fails.append(f"{name}: {tally.sentence}")
        if tally.passed:
            yield f"a naive attempt solves it: {name}"
    try:
        tally, calls = attempt(facts["solution"])
    except Refused as refused:
        yield f"the solution does not work: {refused}"
        return
    proof.way += _statements_of(calls)
    if failing := [row.who for row in tally.rows if row.because == FAILS]:
        yield f"This is not refused, but fails otherwise: {'; '.join(failing)}."
    if tally.over:
        yield f"the solution is {tally.over} over par"
    if tally.passed is None:
        yield f"the solution does not solve it: none of its answers has the flag, {facts['values']['flag']}, in it"
    elif not tally.passed:
        wrong = "; ".join(row.who for row in tally.rows if not row.right)
        yield f"the solution does not solve it: {tally.sentence} {wrong}".rstrip()


def _choices(proof: Proof, facts: Mapping[str, Any], setting: Setting) -> Iterator[str]:
    for choice in facts["choices"]:
        try:
            tally = judge(facts, setting, choice)
        except Refused as refused:
            yield f"the choice {choice!r} cannot be tried: {refused}"
            continue
        (proof.way if tally.passed else proof.fails).append(f"{choice}: {tally.sentence}")
    if len(proof.way) != 1:
        yield f"{len(proof.way)} choices decide, and one should: {' '.join(proof.way) or 'none does.'}"


def _to_all(setting: Setting, facts: Mapping[str, Any], lines: str) -> Iterator[Step]:
    """Steps that give every user and role of the world a policy; to cut down, the one that is to be cut is replaced."""
    for each in setting.world.inspect.principals():
        account = next((name for name in facts["accounts"] if setting.values[name] == each.account), "")
        if each.kind in ("user", "role") and each.name != ADMINISTRATOR and account:
            name = each.name if facts["kind"] == "cut down" else "everything"
            of = {f"{each.kind.title()}Name": each.name, "PolicyName": name, "PolicyDocument": lines}
            yield [account, f"iam.put_{each.kind}_policy", of]


def _statements_of(calls: Iterable[Event]) -> Iterator[str]:
    """Each call of a way in, with the statements that allow it: what one would have to take away to close it."""
    for call in calls:
        allowing = [each.title for evaluation in call.evaluations for each in evaluation.deciding.statements]
        by = f", by {' and '.join(dict.fromkeys(allowing))}" if allowing and ADMINISTRATOR not in call.who else ""
        yield f"{call.who.rpartition(':')[2]}: {call.action} on {call.resource}{by}"
