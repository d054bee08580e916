"""The trail: every call, when, by whom, on what, and how it was decided."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, overload

from simlib.cloud.cloudtrail import record
from simlib.cloud.event import Event

DEFAULT_BOUND = 20_000  # events of some 4 kB each


class Trail(Sequence[Event]):
    """The calls of a world, oldest first; past `bound` events the oldest are forgotten."""

    def __init__(self, bound: int = DEFAULT_BOUND) -> None:
        self.bound = bound
        self._events: deque[Event] = deque(maxlen=bound)
        self._count = 0

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        return list(self._events)[index] if isinstance(index, slice) else self._events[index]

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(list(self._events))

    @property
    def total(self) -> int:
        """How many calls there have been, the forgotten ones included."""
        return self._count

    def since(self, number: int) -> list[Event]:
        """The events after the one of that number, as far as they are remembered.

        `before = aws.trail.total` … `aws.trail.since(before)`: unlike positions, numbers stay what they are.
        """
        events: list[Event] = []
        for event in reversed(self._events):
            if event.number <= number:
                break
            events.append(event)
        return events[::-1]

    def forget_since(self, number: int) -> None:
        """Forget the events after the one of that number; their numbers are not given again."""
        while self._events and self._events[-1].number > number:
            self._events.pop()

    def next_number(self) -> int:
        self._count += 1
        return self._count

    def record(self, event: Event) -> None:
        self._events.append(event)

    def last_refusal(self) -> Event | None:
        return next((event for event in reversed(self._events) if event.refused), None)

    def by_request_id(self, request_id: str) -> Event | None:
        return next((event for event in reversed(self._events) if event.request_id == request_id), None)

    def by_authorization_id(self, authorization_id: str) -> Event | None:
        return next((event for event in reversed(self._events) if event.authorization_id == authorization_id), None)

    def cloudtrail(self) -> list[dict[str, Any]]:
        """The calls as CloudTrail records them: who really acted is in `userIdentity`, behind a role in its context."""
        return [record(event) for event in self]

    def __repr__(self) -> str:
        last = list(self._events)[-20:]
        earlier = len(self._events) - len(last)
        lines = [f"… and {earlier} earlier calls"] if earlier else []
        return "\n".join([*lines, *map(repr, last)]) or "no calls yet"
