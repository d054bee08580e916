"""Whether a challenge is solved, by what works in its world: scripts are really tried, in a rehearsal.

The judge reads the challenge's file anew each time, so that no object of a notebook holds what it knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from simlib.challenges.challenge import Challenge
from simlib.challenges.seeds import seeded
from simlib.challenges.setting import Refused, Setting, Step, rehearsal
from simlib.cloud.world import ADMINISTRATOR
from simlib.iam import service_data

HINT, TRY, GUESS, OVER = 15, 5, 25, 2  # points: of a hint, a wrong check, a wrong choice of a few, a request over par
LEAST = 10
LEEWAY = 5  # requests over par that still pass
FREE = ("sts:GetCallerIdentity", "sts:GetSessionToken")  # nobody needs a permission for these


@dataclass(frozen=True)
class Line:
    """Something that was tried: whether it came out as it should, what it was, and a word for what did not."""

    right: bool
    what: str
    wrong: str = "not yet"


@dataclass(frozen=True)
class Tally:
    """What came of a check: `sentence` counts; `over` is by how many requests a policy is over par.

    `counts` is whether it costs points where it has not passed: not where nothing was answered yet.
    """

    passed: bool
    sentence: str
    lines: tuple[Line, ...] = ()
    over: int = 0
    counts: bool = True


def points(kind: str, hints: int, wrong: int, over: int = 0) -> int:
    """The score of who has solved it: 100 less what hints, wrong checks and what a policy allows too much cost."""
    return max(LEAST, 100 - HINT * hints - (GUESS if kind == "explain" else TRY) * wrong - OVER * over)


def judge(challenge: Challenge, seed: int, setting: Setting, answer: str = "", variant: str = "") -> Tally:
    """Try everything out; `answer` is the flag, or the choice, where one is asked for."""
    told = seeded(challenge.document(), challenge.name, seed, variant)
    return _JUDGES[challenge.kind](told, setting, answer.strip())


# -- get in ------------------------------------------------------------------------------------------------------------


def _got_in(told: Mapping[str, Any], setting: Setting, answer: str) -> Tally:
    ours = (
        f"{told['values'].get(told['you'], 'nobody')}:user/{ADMINISTRATOR}"  # of the account whose administrator one is
    )
    since = {event.who for event in setting.world.trail.since(setting.start)}
    if any(who.endswith(f":user/{ADMINISTRATOR}") and not who.endswith(ours) for who in since):
        return Tally(False, "An administrator of the lab has made calls in here: that is no way in. Begin again.")
    if not answer:
        return Tally(False, "Find the flag, and write it here: it begins with FLAG-.", counts=False)
    right = answer == told["values"]["flag"]
    return Tally(right, "That is the flag." if right else f"{answer[:80]!r} is not the flag.")


# -- lock out, mend ----------------------------------------------------------------------------------------------------


def _kept_apart(told: Mapping[str, Any], setting: Setting, _: str) -> Tally:
    shut = list(_tried(setting, told["shut"], should=False))
    works = list(_tried(setting, told["keep"], should=True))
    who = told.get("intruder")
    out, well = sum(each.right for each in shut), sum(each.right for each in works)
    closed = f"{who} is out" if who else "What must stay shut is shut"
    sentence = f"{closed}, {out} of {len(shut)}; everybody works, {well} of {len(works)}."
    lines = (*shut, *works)
    return Tally(all(each.right for each in lines), sentence, lines)


def _tried(setting: Setting, scripts: Mapping[str, Iterable[Step]], *, should: bool) -> Iterator[Line]:
    for what, done in tried(setting, scripts).items():
        yield Line(done is should, f"{what}: {'it works' if done else 'refused'}")


def tried(setting: Setting, scripts: Mapping[str, Iterable[Step]]) -> dict[str, bool]:
    """Whether every step of each script would be carried out now, one script after the other; nothing is left of it."""
    done = {}
    with rehearsal(setting) as there:
        for what, script in scripts.items():
            try:
                there.copy().perform(script)
            except Refused:
                done[what] = False
            else:
                done[what] = True
    return done


def succeeds(setting: Setting, script: Iterable[Step]) -> bool:
    """The same of one script."""
    return tried(setting, {"": script})[""]


# -- cut down ----------------------------------------------------------------------------------------------------------


def _cut_down(told: Mapping[str, Any], setting: Setting, _: str) -> Tally:
    needed = recorded(setting, told["keep"].values(), told["policy_of"].rpartition("/")[2])
    works = list(_tried(setting, told["keep"], should=True))
    well = sum(each.right for each in works)
    if well < len(works):
        return Tally(False, f"The work goes on, {well} of {len(works)}: something is missing.", tuple(works))
    beyond = list(allowed_beyond(setting, told["policy_of"], needed))
    par = told["par"]  # what a good policy allows
    much = f"It allows {len(beyond):,} request{'' if len(beyond) == 1 else 's'} beyond the trail"
    lines = [
        Line(False, f"nobody ever asked for it: {action} on {arn}", "not needed")
        for action, arn in _examples(beyond, needed)
    ]
    sentence = f"The work goes on, {well} of {len(works)}. {much}; par is {par}."
    return Tally(len(beyond) <= par + LEEWAY, sentence, (*works, *lines), max(0, len(beyond) - par))


def _examples(beyond: Sequence[tuple[str, str]], needed: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Three, of different actions and folders; last what a folder's `/*` brings along for what is needed there."""
    of_each: dict[tuple[str, str], tuple[str, str]] = {}
    for action, arn in beyond:
        of_each.setdefault(_in_folder(action, arn), (action, arn))
    usual = {_in_folder(action, arn) for action, arn in needed}
    return sorted(of_each.values(), key=lambda each: _in_folder(*each) in usual)[:3]


def _in_folder(action: str, arn: str) -> tuple[str, str]:
    return action.lower(), arn.rpartition("/")[0] or arn


def recorded(setting: Setting, scripts: Iterable[Iterable[Step]], role: str) -> set[tuple[str, str]]:
    """Actions and resources of which the trail says that a role's work asks for them, by doing the work again."""
    found = set()
    with rehearsal(setting) as there:
        before = there.world.trail.total
        for script in scripts:
            with suppress(Refused):
                there.copy().perform(script)
        for event in there.world.trail.since(before):
            if f":assumed-role/{role}/" not in event.who:
                continue
            asked = [(each.request.action, each.request.resource) for each in event.evaluations]
            found.update(asked or [(event.action, event.resource)])
    return found


def allowed_beyond(setting: Setting, arn: str, needed: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """What a role may do and its work does not: every action of the services it uses and of IAM's, on what it uses, on
    the neighbour of each, on all that is there, and on something of any other name."""
    services = {action.partition(":")[0].lower() for action, _ in needed} | {"iam", "sts"}
    wanted = {(action.lower(), resource) for action, resource in needed}
    there = {each for each in setting.world.inspect.resources() if each != arn}
    for prefix in sorted(services):
        service = service_data.service(prefix)
        used = {each for _, each in needed if each.split(":")[2:3] == [prefix]}
        others = {each for each in there if each.split(":")[2] == prefix} | {_elsewhere(prefix)}
        around = sorted({*used, *others, *(each for one in used for each in _neighbours(one))})
        for action in service.actions.values() if service else ():
            name = f"{prefix}:{action.name}"
            kinds = [service.resource_types[kind].arn for kind in action.resource_types] if service else []
            fits = [each for each in around if any(_form(kind).fullmatch(each) for kind in kinds)]
            for resource in fits or ["*"]:
                if (
                    name not in FREE
                    and (name.lower(), resource) not in wanted
                    and setting.world.inspect.ask(arn, name, resource).allowed
                ):
                    yield name, resource


def _neighbours(arn: str) -> Iterator[str]:
    """What has another name at the end, and, of a file in a bucket, one beside it and one in another bucket."""
    yield f"{arn}-2"
    head, slash, key = arn.partition("/")
    if slash and ":s3:" in arn:
        yield f"{head}-2/{key}"
        yield f"{head}/{'/'.join([*key.split('/')[:-1], 'something-else'])}"
        yield f"{head}/something-else"


def _elsewhere(prefix: str) -> str:
    return "arn:aws:iam::111111111111:role/somebody" if prefix in ("iam", "sts") else f"arn:aws:{prefix}:::something"


@cache
def _form(template: str) -> re.Pattern[str]:
    """The form of a resource type's ARNs; a bucket's name has no slash."""
    parts = [re.escape(each) for each in re.split(r"\$\{\w+\}", template)]
    last = ".+" if template.count("/") or not template.startswith("arn:${Partition}:s3:::") else "[^/]+"
    gaps = ["[^:/]*"] * (len(parts) - 2) + [last]
    return re.compile("".join(part + gap for part, gap in zip(parts, [*gaps, ""], strict=False)))


# -- explain -----------------------------------------------------------------------------------------------------------


def _explained(told: Mapping[str, Any], setting: Setting, answer: str) -> Tally:
    choices = told["choices"]
    if answer not in choices:
        return Tally(False, "Choose one of them.", counts=False)
    before = succeeds(setting, told["ask"])
    words = ("refused", "allowed")
    after = turned(setting, choices[answer], told["ask"])
    was = f"Without it, the call is {'' if after != before else 'still '}{words[after]}."
    return Tally(after != before, was, (Line(after != before, answer),))


def turned(setting: Setting, steps: Iterable[Step], ask: Iterable[Step]) -> bool:
    """Whether what is asked would be carried out after these steps."""
    with rehearsal(setting) as there:
        there.perform(steps)
        return succeeds(there, ask)


_JUDGES = {
    "get in": _got_in,
    "lock out": _kept_apart,
    "mend": _kept_apart,
    "cut down": _cut_down,
    "explain": _explained,
}
