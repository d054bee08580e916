"""Whether a challenge is solved, by what works in its world: scripts are really tried, in a rehearsal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simlib.challenges.setting import Refused, Setting, Step
from simlib.cloud.event import Event
from simlib.cloud.world import ADMINISTRATOR
from simlib.iam import service_data
from simlib.iam.advice import overlaps

HINT, TRY, GUESS, OVER = 15, 5, 25, 2  # points: of a hint, a wrong check, a wrong choice of a few, a request over par
LEAST = 10
WORKS, REFUSED, FAILS = "it works", "refused", "it fails"
LEEWAY = 5  # requests over par that still pass
FREE = ("sts:GetCallerIdentity", "sts:GetSessionToken")  # nobody needs a permission for these


@dataclass(frozen=True)
class Row:
    """One request: who does what, whether it was allowed, whether it should be, and what decided."""

    who: str
    does: str
    allowed: bool
    should: bool
    because: str = ""

    @property
    def right(self) -> bool:
        return self.allowed == self.should


@dataclass(frozen=True)
class Tally:
    """What came of a check: `passed` is None while there is nothing to judge, `sentence` counts what is right, `over`
    is by how many requests a policy is over par."""

    passed: bool | None
    sentence: str
    rows: tuple[Row, ...] = ()
    over: int = 0


def points(kind: str, hints: int, wrong: int, over: int = 0) -> int:
    """The score of who has solved it: 100 less what hints, wrong checks and what a policy allows too much cost."""
    return max(LEAST, 100 - HINT * hints - (GUESS if kind == "explain" else TRY) * wrong - OVER * over)


def judge(facts: Mapping[str, Any], setting: Setting, answer: str = "") -> Tally:
    """Try out whether a seeded file is solved in its world; `answer` is the flag, or the choice, where one is asked."""
    return _JUDGES[facts["kind"]](facts, setting, answer.strip())


def _got_in(facts: Mapping[str, Any], setting: Setting, answer: str) -> Tally:
    mine = f"{facts['values'].get(facts['you'], 'nobody')}:user/{ADMINISTRATOR}"  # where one administers an account
    since = {event.who for event in setting.world.trail.since(setting.start)}
    if any(who.endswith(f":user/{ADMINISTRATOR}") and not who.endswith(mine) for who in since):
        return Tally(False, "An administrator of the lab has made calls in here: that is no way in. Begin again.")
    if not answer:
        return Tally(None, "Find the flag, and write it here: it begins with FLAG-.")
    right = answer == facts["values"]["flag"]
    return Tally(right, "That is the flag." if right else f"{answer[:80]!r} is not the flag.")


# -- lock out, mend, explain -------------------------------------------------------------------------------------------


def _kept_apart(facts: Mapping[str, Any], setting: Setting, _: str) -> Tally:
    shut, works = (_tried(setting, facts[which], should=which == "keep")[0] for which in ("shut", "keep"))
    closed = f"{facts['intruder']} is out" if "intruder" in facts else "What must stay shut is shut"
    sentence = f"{closed}, {_count(shut)}; everybody works, {_count(works)}."
    return Tally(all(each.right for each in shut + works), sentence, shut + works)


def _tried(setting: Setting, scripts: Mapping[str, Any], *, should: bool) -> tuple[tuple[Row, ...], list[Event]]:
    """What would come of each script now, one after the other – it works, is refused, or fails otherwise –, and the
    calls; nothing of it is left."""
    with setting.rehearsal() as rehearsal:
        before = rehearsal.world.trail.total
        outcomes = {what: _outcome(rehearsal, script) for what, script in scripts.items()}
        calls = rehearsal.world.trail.since(before)
    return tuple(Row(what, "", how == WORKS, should, how) for what, how in outcomes.items()), calls


def _outcome(rehearsal: Setting, script: Iterable[Step]) -> str:
    try:
        rehearsal.copy().perform(script)
    except Refused as refused:
        return REFUSED if refused.denied else FAILS
    return WORKS


def _count(rows: tuple[Row, ...]) -> str:
    return f"{sum(each.right for each in rows)} of {len(rows)}"


def _explained(facts: Mapping[str, Any], setting: Setting, answer: str) -> Tally:
    """Whether what is asked turns out otherwise with what a choice names changed; raises `Refused` where it cannot."""
    if answer not in facts["choices"]:
        return Tally(None, "Choose one of them.")
    with setting.rehearsal() as rehearsal:
        before = _outcome(rehearsal, facts["ask"]) == WORKS
    with setting.rehearsal() as rehearsal:
        rehearsal.perform(facts["choices"][answer])
        after = _outcome(rehearsal, facts["ask"]) == WORKS
    became = ("" if after != before else "still ") + ("allowed" if after else "refused")
    return Tally(after != before, f"With that changed, the call is {became}.", (Row(answer, "", after, not before),))


# -- cut down ----------------------------------------------------------------------------------------------------------


def _cut_down(facts: Mapping[str, Any], setting: Setting, _: str) -> Tally:
    role, par = facts["policy_of"], facts["par"]
    works, calls = _tried(setting, facts["keep"], should=True)
    goes_on = f"The work goes on, {_count(works)}"
    if not all(each.right for each in works):
        return Tally(False, f"{goes_on}: something is missing.", works)
    needed = _requests([call for call in calls if f":assumed-role/{role.rpartition('/')[2]}/" in call.who])
    beyond = list(allowed_beyond(setting, role, needed))
    over = max(0, len(beyond) - par)
    much = f"It allows {len(beyond):,} request{'' if len(beyond) == 1 else 's'} beyond the trail"
    rows = [Row("nobody", f"ever asked for it: {action} on {arn}", True, False)
            for action, arn in (_examples(beyond, needed) if over else ())]  # fmt: skip
    return Tally(over <= LEEWAY, f"{goes_on}. {much}; par is {par}.", (*works, *rows), over)


Request = tuple[str, str]  # an action, and the ARN of what it is done to


def _examples(beyond: Iterable[Request], needed: Iterable[Request]) -> list[Request]:
    """Three, of different actions and folders; last what a folder's `/*` brings along for what is needed there."""
    of_each = {_in_folder(*each): each for each in beyond}
    usual = {_in_folder(*each) for each in needed}
    return [of_each[each] for each in sorted(of_each, key=usual.__contains__)][:3]


def _in_folder(action: str, arn: str) -> Request:
    return action.lower(), arn.rpartition("/")[0] or arn


def _requests(calls: list[Event]) -> set[Request]:
    """What calls have asked for, each by its evaluations, if it has some."""
    decided = {(each.request.action, each.request.resource) for call in calls for each in call.evaluations}
    return decided | {(call.action, call.resource) for call in calls if not call.evaluations}


def allowed_beyond(setting: Setting, role: str, needed: set[Request]) -> Iterator[Request]:
    """What a role may do and its work does not: every action of the services it uses and of IAM's, on what it uses, on
    the neighbour of each, on all that is there, and on something of any other name."""
    inspect, requests = setting.world.inspect, {(action.lower(), resource) for action, resource in needed}
    there = {*inspect.resources(), "arn:aws:iam::111111111111:role/somebody"} - {role}
    for prefix in sorted({action.partition(":")[0] for action, _ in requests} | {"iam", "sts"}):
        resources = {each for _, each in needed if each.split(":")[2:3] == [prefix]}
        others = {each for each in there if each.split(":")[2] in (prefix, {"sts": "iam"}.get(prefix))}
        neighbours = {each for one in resources for each in _beside(one)}
        around = sorted(resources | others | neighbours | {f"arn:aws:{prefix}:::something"})
        service = service_data.service(prefix)
        assert service is not None, prefix
        for action in service.actions.values():
            name = f"{prefix}:{action.name}"
            kinds = [service.resource_types[kind].arn for kind in action.resource_types]
            for resource in [each for each in around if any(overlaps(each, kind) for kind in kinds)] or ["*"]:
                new = name not in FREE and (name.lower(), resource) not in requests
                if new and inspect.ask(role, name, resource).allowed:
                    yield name, resource


def _beside(arn: str) -> Iterator[str]:
    """What has another name at the end, and, of a file in a bucket, one beside it and one in another bucket."""
    yield f"{arn}-2"
    bucket, slash, key = arn.partition("/")
    if slash and ":s3:" in arn:
        yield from (f"{bucket}-2/{key}", f"{arn.rpartition('/')[0]}/something-else", f"{bucket}/something-else")


_JUDGES = {
    "get in": _got_in,
    "lock out": _kept_apart,
    "mend": _kept_apart,
    "cut down": _cut_down,
    "explain": _explained,
}
