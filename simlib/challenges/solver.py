"""The proof that a challenge is fair: its way is walked by real calls, its naive attempts fail, and so does `*`.

`prove` says what it saw for one seed. What it needs stands in the file: `solution`, a script; `naive`, scripts by name,
none of which may solve it. To these it adds the cheap ways out of each kind: to do nothing, to allow everybody
everything, to deny everybody everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simlib.challenges.challenge import Challenge, ChallengeFileError
from simlib.challenges.judge import Tally, judge, succeeds, tried, turned
from simlib.challenges.seeds import seeded
from simlib.challenges.setting import Refused, Setting, Step, build, rehearsal
from simlib.cloud.event import Event
from simlib.cloud.world import ADMINISTRATOR

EVERYTHING = "Allow *"


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
    try:
        facts = seeded(challenge.document(), challenge.name, seed, variant)
        setting = build(facts)
    except (ChallengeFileError, LookupError, ValueError) as error:
        return Proof(challenge.name, seed, variant, (str(error),))
    with setting.world:
        try:
            found = _Proving(challenge, seed, facts, setting)
            problems = tuple(found.problems())
        except (ChallengeFileError, ValueError) as error:
            problems = (str(error),)
        return Proof(challenge.name, seed, facts["variant"], problems, tuple(found.way), tuple(found.fails))


class _Proving:
    def __init__(self, challenge: Challenge, seed: int, facts: Mapping[str, Any], setting: Setting) -> None:
        self.challenge, self.seed, self.facts, self.setting = challenge, seed, facts, setting
        self.way: list[str] = []
        self.fails: list[str] = []

    def _judged(self, there: Setting, answer: str = "") -> Tally:
        return judge(self.challenge, self.seed, there, answer, self.facts["variant"])

    def problems(self) -> Iterator[str]:
        if self.facts["kind"] == "explain":
            yield from self._one_choice_decides()
            return
        yield from self._begins_unsolved()
        for name, script in self.facts.get("naive", {}).items():
            yield from self._attempt(name, script)
        for name, lines in (("allow everybody everything", EVERYTHING), ("deny everybody everything", "Deny *")):
            if self.facts["kind"] != "get in":
                yield from self._attempt(name, [*everywhere(self.setting, self.facts, lines)])
        yield from self._is_solved()

    def _begins_unsolved(self) -> Iterator[str]:
        """Who is to be locked out is in, and works; what is to be mended is broken."""
        if self._judged(self.setting).passed:
            yield "it is solved before anybody has done anything"
        shut, keep = (tried(self.setting, self.facts.get(each, {})) for each in ("shut", "keep"))
        if self.facts["kind"] == "lock out":
            yield from (
                f"at the beginning this should work, and does not: {what}"
                for what, done in {**shut, **keep}.items()
                if not done
            )
        if self.facts["kind"] == "mend":
            if all(keep.values()):
                yield "at the beginning everything works, so there is nothing to mend"
            yield from (f"at the beginning this is not shut: {what}" for what, done in shut.items() if done)

    def _attempt(self, name: str, script: Iterable[Step]) -> Iterator[str]:
        """An attempt that must not lead there."""
        with rehearsal(self.setting) as there:
            try:
                seen = str(there.perform(script))
            except Refused as refused:
                self.fails.append(f"{name}: {_short(refused)}")
                if not there.world.trail[-1].refused:
                    yield f"the naive attempt {name!r} is not refused but fails otherwise: {refused}"
                return
            tally = self._judged(there, self._flag_in(seen))
            self.fails.append(f"{name}: {tally.sentence}")
            if tally.passed:
                yield f"a naive attempt solves it: {name}"

    def _is_solved(self) -> Iterator[str]:
        with rehearsal(self.setting) as there:
            before = there.world.trail.total
            try:
                seen = str(there.perform(self.facts["solution"]))
            except Refused as refused:
                yield f"the solution does not work: {refused}"
                return
            self.way = [*_walked(there.world.trail.since(before))]
            tally = self._judged(there, self._flag_in(seen))
            if tally.over:
                yield f"the solution is {tally.over} over par"
            if not tally.passed:
                wrong = "; ".join(each.what for each in tally.lines if not each.right)
                yield f"the solution does not solve it: {tally.sentence} {wrong}".rstrip()

    def _flag_in(self, seen: str) -> str:
        flag = str(self.facts["values"]["flag"])
        return flag if flag in seen else ""

    def _one_choice_decides(self) -> Iterator[str]:
        choices, ask = self.facts["choices"], self.facts["ask"]
        before = succeeds(self.setting, ask)
        try:
            after = {choice: turned(self.setting, steps, ask) for choice, steps in choices.items()}
        except Refused as refused:
            yield f"a choice cannot be tried: {refused}"
            return
        right = [choice for choice, now in after.items() if now != before]
        self.way = [f"{choice}: without it the call is {('refused', 'allowed')[not before]}" for choice in right]
        self.fails = [f"{choice}: makes no difference" for choice in choices if choice not in right]
        if len(right) != 1:
            yield f"{len(right)} choices decide, and one should: {', '.join(right) or 'none does'}"


def everywhere(setting: Setting, facts: Mapping[str, Any], lines: str) -> Iterator[Step]:
    """Steps that give every user and role of the world a policy; to cut down, the one that is to be cut is replaced."""
    for each in setting.world.inspect.principals():
        account = next((name for name in facts["accounts"] if setting.values[name] == each.account), "")
        if each.kind in ("user", "role") and each.name != ADMINISTRATOR and account:
            name = each.name if facts["kind"] == "cut down" else "everything"
            of = {f"{each.kind.title()}Name": each.name, "PolicyName": name, "PolicyDocument": lines}
            yield [account, f"iam.put_{each.kind}_policy", of]


def _short(refused: Refused) -> str:
    text = str(refused.error)
    return text if len(text) < 160 else f"{text[:160]}…"


def _walked(events: Iterable[Event]) -> Iterator[str]:
    """Each call of a way in, with the statements that allow it: what one would have to take away to close it."""
    for event in events:
        allowing = [each.title for asked in event.evaluations for each in asked.deciding.statements]
        by = f", by {' and '.join(dict.fromkeys(allowing))}" if allowing and ADMINISTRATOR not in event.who else ""
        yield f"{event.who.rpartition(':')[2]}: {event.action} on {event.resource}{by}"
