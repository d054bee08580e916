"""Your own account in a notebook: what stands out in a dump, and every way to power, walked."""

from __future__ import annotations

import os
from functools import cached_property
from tempfile import TemporaryDirectory

from simlib.audit import escalation, inspect, sample, walking
from simlib.audit.escalation import Way
from simlib.audit.exposure import Exposure, exposures
from simlib.audit.walking import Walk
from simlib.cloud import Cloud


class OwnAccount:
    """A dump that is open as a world; shown, it is the report of what stands out."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    @cached_property
    def exposures(self) -> list[Exposure]:
        return exposures(self.cloud)

    @cached_property
    def ways(self) -> list[Way]:
        """Every way to power, in the order of the report."""
        return escalation.escalations(self.cloud)

    def walk(self, number: int = 1) -> Walk:
        """Perform one of the ways, counted from 1, by real calls in a rehearsal that leaves nothing."""
        if not 1 <= number <= len(self.ways):
            raise ValueError(f"There are {len(self.ways)} ways here, counted from 1; {number} is none of them.")
        return walking.walk(self.cloud, self.ways[number - 1])

    def __repr__(self) -> str:
        return inspect.text(self.cloud, self.exposures, {})


def own_account(*paths: str | os.PathLike[str]) -> OwnAccount:
    """Open files or folders as `Cloud.load` does; without any, five accounts that are made up.

    Raises `WorldFileError`, a `ValueError`, where they hold no account.
    """
    if paths:
        return OwnAccount(Cloud.load(*paths))
    with TemporaryDirectory() as folder:
        return OwnAccount(Cloud.load(sample.write(folder)))
