"""The proof that a challenge is fair: its way is walked by real calls, its naive attempts fail, and so does `*`.

`prove` says what it saw for one seed. What it needs stands in the file: `solution`, a script; `naive`, scripts by name,
none of which may solve it. To these it adds the cheap ways out of each kind: to do nothing, to allow everybody
everything, to deny everybody everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from simlib.challenges.challenge import Challenge, ChallengeFileError
from simlib.challenges.judge import FAILS, Tally, judge, turns
from simlib.challenges.seeds import seeded
from simlib.challenges.setting import Refused, Setting, Step, build, rehearsal
from simlib.cloud.event import Event
from simlib.cloud.world import ADMINISTRATOR


@dataclass(frozen=True)
class Proof:
    """What the solver saw: `problems` is empty where the challenge is fair with this seed."""

    name: str
    seed: int
    variant: str
    problems: tuple[str, ...]
    way: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()  # the attempts that fail, and by what

    @property
    def fair(self) -> bool:
        return not self.problems


def prove(challenge: Challenge, seed: int, variant: str = "") -> Proof:
    """Make the world, try what must not solve it, then what must; all of it by real calls."""
    way: list[str] = []
    fails: list[str] = []
    problems: list[str] = []
    try:
        facts = seeded(challenge.document(), challenge.name, seed, variant)
        variant = facts["variant"]
        setting = build(facts)
        with setting.world:
            found = _choices if facts["kind"] == "explain" else _attempts
            problems += found(challenge, seed, facts, setting, way, fails)
    except (ChallengeFileError, LookupError, ValueError) as error:
        problems.append(str(error))
    return Proof(challenge.name, seed, variant, tuple(problems), tuple(way), tuple(fails))


def _attempts(
    challenge: Challenge, seed: int, facts: Mapping[str, Any], setting: Setting, way: list[str], fails: list[str]
) -> Iterator[str]:
    def attempt(script: Iterable[Step]) -> tuple[Tally, list[Event]]:
        """What is judged after a script, and its calls. Raises `Refused`."""
        with rehearsal(setting) as there:
            before = there.world.trail.total
            seen, flag = str(there.perform(script)), str(facts["values"]["flag"])
            calls = there.world.trail.since(before)
            return judge(challenge, seed, there, flag if flag in seen else "", facts["variant"]), calls

    kind = facts["kind"]
    before, _ = attempt(())
    if before.passed:
        yield "it is solved before anybody has done anything"
    wrongly = {"lock out": False, "mend": True}.get(kind)  # to lock out, all is open; to mend, what is to be shut is
    for row in before.rows:
        if row.allowed is wrongly and not (kind == "mend" and row.should):
            yield f"at the beginning this is not as it should be: {row.who}: {row.because}"
    cheap = {"allow everybody everything": "Allow *", "deny everybody everything": "Deny *"} if kind != "get in" else {}
    to_all = {name: [*everywhere(setting, facts, lines)] for name, lines in cheap.items()}
    for name, script in {**facts.get("naive", {}), **to_all}.items():
        try:
            tally, _ = attempt(script)
        except Refused as refused:
            if not refused.denied:
                yield f"the naive attempt {name!r} is not refused but fails otherwise: {refused}"
            fails.append(f"{name}: {shorten(str(refused.error), 160, placeholder='…')}")
            continue
        fails.append(f"{name}: {tally.sentence}")
        if tally.passed:
            yield f"a naive attempt solves it: {name}. {_failing(tally)}".rstrip()
    try:
        tally, calls = attempt(facts["solution"])
    except Refused as refused:
        yield f"the solution does not work: {refused}"
        return
    way += _walked(calls)
    if failing := _failing(tally):
        yield failing
    if tally.over:
        yield f"the solution is {tally.over} over par"
    if not tally.passed:
        wrong = "; ".join(row.who for row in tally.rows if not row.right)
        yield f"the solution does not solve it: {tally.sentence} {wrong}".rstrip()


def _failing(tally: Tally) -> str:
    wrong = [row.who for row in tally.rows if row.because == FAILS]
    return f"This is not refused, but fails otherwise: {'; '.join(wrong)}." if wrong else ""


def _choices(
    _: Challenge, __: int, facts: Mapping[str, Any], setting: Setting, way: list[str], fails: list[str]
) -> Iterator[str]:
    for choice in facts["choices"]:
        try:
            before, after = turns(setting, facts, choice)
        except Refused as refused:
            yield f"a choice cannot be tried: {refused}"
            continue
        if before == after:
            fails.append(f"{choice}: makes no difference")
        else:
            way.append(f"{choice}: with that changed the call is {'allowed' if after else 'refused'}")
    if len(way) != 1:
        yield f"{len(way)} choices decide, and one should: {', '.join(way) or 'none does'}"


def everywhere(setting: Setting, facts: Mapping[str, Any], lines: str) -> Iterator[Step]:
    """Steps that give every user and role of the world a policy; to cut down, the one that is to be cut is replaced."""
    for each in setting.world.inspect.principals():
        account = next((name for name in facts["accounts"] if setting.values[name] == each.account), "")
        if each.kind in ("user", "role") and each.name != ADMINISTRATOR and account:
            name = each.name if facts["kind"] == "cut down" else "everything"
            of = {f"{each.kind.title()}Name": each.name, "PolicyName": name, "PolicyDocument": lines}
            yield [account, f"iam.put_{each.kind}_policy", of]


def _walked(events: Iterable[Event]) -> Iterator[str]:
    """Each call of a way in, with the statements that allow it: what one would have to take away to close it."""
    for event in events:
        allowing = [each.title for asked in event.evaluations for each in asked.deciding.statements]
        by = f", by {' and '.join(dict.fromkeys(allowing))}" if allowing and ADMINISTRATOR not in event.who else ""
        yield f"{event.who.rpartition(':')[2]}: {event.action} on {event.resource}{by}"
