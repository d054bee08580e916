"""Which pairs are worth asking about: found in the policies' own texts, so that nobody asks every pair.

A candidate is a guess on the wide side; the engine decides each of them afterwards.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from simlib.iam import Policy, Statement

_GAP = re.compile(r"\$\{[^}]*\}|[*?]")


def allowing(policies: Iterable[Policy], action: str) -> Iterator[Statement]:
    """The Allow statements that could speak of an action."""
    folded = action.lower()
    for policy in policies:
        for statement in policy.candidates(folded):
            if statement.effect == "Allow" and statement.actions.matches(folded, {}) is not statement.not_action:
                yield statement


def patterns(policies: Iterable[Policy], action: str) -> list[str]:
    """The resources that those statements name, each once; `*` for a `NotResource`."""
    found: dict[str, None] = {}
    for statement in allowing(policies, action):
        found |= dict.fromkeys(listed(statement.document.get("Resource", "*")))
    return ["*"] if "*" in found else list(found)


def listed(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


@lru_cache(maxsize=4096)
def _reader(pattern: str) -> re.Pattern[str]:
    """The same pattern where every gap, variables too, takes any text."""
    parts, at = [], 0
    for gap in _GAP.finditer(pattern):
        parts += [re.escape(pattern[at : gap.start()]), "." if gap[0] == "?" else ".*"]
        at = gap.end()
    return re.compile("".join([*parts, re.escape(pattern[at:])]), re.DOTALL)


class Shelf:
    """ARNs in two orders, so that those a pattern means are found without looking at the others.

    The first order is the ARN itself, the second its last part: `arn:aws:iam::*:role/audit` leaves the account open.
    """

    def __init__(self, arns: Iterable[str]) -> None:
        self.arns = sorted(set(arns))
        self._by_name = sorted((arn.split(":", 5)[-1], arn) for arn in self.arns)

    def meant(self, pattern: str) -> Sequence[str]:
        """Those a pattern may mean, in order."""
        if pattern == "*":
            return self.arns
        gap = _GAP.search(pattern)
        if gap is None:
            at = bisect_left(self.arns, pattern)
            return self.arns[at : at + 1] if self.arns[at : at + 1] == [pattern] else ()
        head, fits = pattern[: gap.start()], _reader(pattern).fullmatch
        if head.count(":") >= 5 or pattern.count(":") < 5:
            return [arn for arn in _beginning(self.arns, head) if fits(arn)]
        name = pattern.split(":", 5)[5]
        inner = _GAP.search(name)
        start = name[: inner.start()] if inner else name
        at = bisect_left(self._by_name, (start, ""))
        found = []
        for own, arn in self._by_name[at:] if start else self._by_name:
            if not own.startswith(start):
                break
            if fits(arn):
                found.append(arn)
        return sorted(found)

    def holders(self, pattern: str) -> Sequence[str]:
        """Those that a pattern means, or a part of: a bucket, for a pattern of its objects."""
        gap = _GAP.search(pattern)
        head = pattern[: gap.start()] if gap else pattern
        found = dict.fromkeys(self.meant(pattern))
        cuts = [len(head), *(index for index, letter in enumerate(head) if letter in "/:")]
        for cut in cuts:
            at = bisect_left(self.arns, head[:cut])
            if self.arns[at : at + 1] == [head[:cut]]:
                found[head[:cut]] = None
        if gap is not None and "/" in pattern[gap.start() :]:  # the gap may be in the name of what holds the part
            found |= dict.fromkeys(self.meant(pattern[: pattern.index("/", gap.start())]))
        return list(found)


def _beginning(ordered: Sequence[str], head: str) -> Iterator[str]:
    for arn in ordered[bisect_left(ordered, head) :]:
        if not arn.startswith(head):
            return
        yield arn


def witnesses(holder: str, default: str, among: Iterable[str]) -> list[str]:
    """ARNs of parts of `holder` to ask about: `default`, and one for each pattern that is narrower than the whole."""
    found = {default: None}
    for pattern in among:
        if pattern != "*" and pattern.startswith(holder) and pattern != holder:
            found[_GAP.sub("any-object", pattern)] = None
    return list(found)
