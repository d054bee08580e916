"""ARNs by what policies say of them: which a pattern may mean, and whom a policy names."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import TypeVar

from simlib.iam import Policy
from simlib.iam.principals import is_account_id

CALLERS_ACCOUNT = ("aws:principalaccount", "aws:sourceaccount", "aws:sourceowner")  # condition keys
K = TypeVar("K")
V = TypeVar("V")
_GAP = re.compile(r"\$\{[^}]*\}|[*?]")


class Arns:
    """ARNs in order, so that those a pattern may mean are found without looking at all the others."""

    def __init__(self, arns: Iterable[str] = ()) -> None:
        self.arns = sorted(set(arns))
        self._matching: dict[str, Sequence[str]] = {}

    @classmethod
    def by(cls, pairs: Iterable[tuple[str, str]]) -> dict[str, Arns]:
        """ARNs by some name of each."""
        return {name: cls(arns) for name, arns in grouped(pairs).items()}

    def matching(self, pattern: str) -> Sequence[str]:
        """Those a pattern may mean, in order; a variable in it may be any text."""
        if pattern == "*":
            return self.arns
        if pattern not in self._matching:
            gap = _GAP.search(pattern)
            head = pattern[: gap.start()] if gap else pattern
            low, high = bisect_left(self.arns, head), bisect_left(self.arns, head + "\U0010ffff")
            fits = _reader(pattern).fullmatch
            self._matching[pattern] = [arn for arn in self.arns[low:high] if fits(arn)]
        return self._matching[pattern]

    def all_matching(self, patterns: Iterable[str]) -> dict[str, None]:
        return dict.fromkeys(arn for pattern in patterns for arn in self.matching(pattern))

    def holders(self, pattern: str) -> Iterable[str]:
        """Those that a pattern means, or a part of: a bucket, for a pattern of its objects."""
        cuts = [match.start() for match in re.finditer("[/:]", pattern)]
        return self.all_matching([pattern, *(pattern[:cut] for cut in cuts if cut > len("arn:aws:s3:::"))])


@lru_cache(maxsize=4096)
def _reader(pattern: str) -> re.Pattern[str]:
    """The pattern where every gap, variables too, takes any text."""
    gaps = ["." if gap == "?" else ".*" for gap in _GAP.findall(pattern)]
    texts = map(re.escape, _GAP.split(pattern))
    return re.compile("".join(chain(*zip(texts, [*gaps, ""], strict=True))), re.DOTALL)


def listed(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


def name_of(arn: str) -> str:
    return arn.rpartition("/" if "/" in arn else ":")[2]


def account_of(name: str) -> str:
    """The account of an ARN, or of a principal of a policy; "" where it has none."""
    return name if name.isdigit() else name.split(":")[4] if name.count(":") >= 5 else ""


def principals_of(policy: Policy | None) -> list[tuple[str, str]]:
    """Whom the Allow statements of a trust or resource policy name: the type and the name, each once.

    An account is its number. Beside `*`, a condition on the account of the caller, or behind a service, names it too.
    """
    names: dict[tuple[str, str], None] = {}
    for each in policy.statements if policy else ():
        if each.effect == "Allow" and each.principals is not None:
            if each.principals.everyone:
                names["AWS", "*"] = None
                accounts = (value for term in each.conditions if term.key in CALLERS_ACCOUNT for value in term.values)
                names |= {("AWS", value): None for value in accounts if is_account_id(value)}
            for kind, texts in each.principals.names.items():
                names |= dict.fromkeys((kind, account_of(text) if text.endswith(":root") else text) for text in texts)
    return list(names)


def role_of(name: str) -> str:
    """The role of a session, as the ARN without a path; anything else as it is."""
    return re.sub(r"^(arn:[\w-]+):sts::(\d+):assumed-role/([^/]+)/.*$", r"\1:iam::\2:role/\3", name, flags=re.DOTALL)


def grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Values by their keys, both in order."""
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
