"""Could a resource of a policy and the ARN format of a kind of resource mean the same thing?

Both have gaps: `*`, `?` and variables in the policy, `${BucketName}` in the format. Both are followed on all paths at
once, with one bit per place in the format, so that time grows with the length of the policy's text alone.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from simlib.iam.grammar_values import VARIABLE

_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}|<[^>]*>|\*")
_ONE_SEGMENT: Final = {"BucketName", "TableName"}  # placeholders whose value has no slash; others may


class _Format(NamedTuple):
    """A part of an ARN format: the bits after which a literal moves on, and the bits where a placeholder stays."""

    literals: dict[str, int]
    gaps: int  # a placeholder that takes any character
    segments: int  # a placeholder that takes any character but a slash
    size: int


@lru_cache(maxsize=8192)
def _format(part: str) -> _Format:
    literals: dict[str, int] = {}
    gaps = segments = position = at = 0
    for found in _PLACEHOLDER.finditer(part):
        for character in part[at : found.start()]:
            literals[character] = literals.get(character, 0) | 1 << position
            position += 1
        if found[1] in _ONE_SEGMENT:
            segments |= 1 << position
        else:
            gaps |= 1 << position
        position, at = position + 1, found.end()
    for character in part[at:]:
        literals[character] = literals.get(character, 0) | 1 << position
        position += 1
    return _Format(literals, gaps, segments, position)


def _part_overlaps(pattern: str, part: str) -> bool:
    literals, gaps, segments, size = _format(part)
    everything = (1 << size + 1) - 1
    either = gaps | segments
    letters = 0
    for bits in literals.values():
        letters |= bits

    def past_gaps(reached: int) -> int:
        while (more := reached | (reached & either) << 1) != reached:  # a placeholder may be empty
            reached = more
        return reached

    reached = past_gaps(1)
    for character in pattern:
        if character == "*":
            reached = everything & -(reached & -reached)  # from the first place reached, any later one can be
        elif character == "?":
            reached = past_gaps((reached & letters) << 1 | reached & either)
        else:
            stay = reached & (gaps if character == "/" else either)
            reached = past_gaps((reached & literals.get(character, 0)) << 1 | stay)
        if not reached:
            return False
    return bool(reached >> size)


def overlaps(resource: str, arn_format: str) -> bool:
    """Whether some resource with this ARN format is meant by a policy's `resource` (`*` or an ARN)."""
    if resource == "*":
        return True
    wanted = VARIABLE.sub("*", resource).split(":", 5)
    parts = arn_format.split(":", 5)
    wanted += ["*"] * (6 - len(wanted))
    return all(
        bool(pattern or not part) and _part_overlaps(pattern, part)  # no Region is not any Region
        for pattern, part in zip(wanted[1:], parts[1:], strict=True)
    )
