"""Your own account in a notebook: what stands out in a dump, and every way to power, walked."""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory
from typing import Any

from simlib.audit import report, sample, walking
from simlib.audit.effective import effective_permissions
from simlib.audit.escalation import Way
from simlib.audit.exposure import Audit, Exposure
from simlib.audit.paths import Path, who_reaches
from simlib.audit.walking import Walk
from simlib.cloud import Cloud

from .principals import find as find_principal


class OwnAccount:
    """A dump that is open as a world; shown, it is the report of what stands out."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self._audit = cloud, Audit(cloud)

    @property
    def exposures(self) -> list[Exposure]:
        return self._audit.exposures

    @property
    def ways(self) -> list[Way]:
        """Every way to power."""
        return self._audit.ways

    def effective(self, who: str) -> dict[str, Any]:
        """What a user or role may do, as one policy document: what boundary, SCPs and denies leave."""
        return effective_permissions(self._audit.facts, find_principal(self.cloud, who).arn)

    def who_can(self, action: str, resource: str) -> list[Path]:
        """Everybody who can do this to a resource, by themselves or by becoming somebody else, nearest first."""
        return who_reaches(self._audit.access.asking(action, resource).graph, resource)

    def walk(self, number: int = 1) -> Walk:
        """Perform one of the ways, counted from 1, by real calls in a rehearsal that leaves nothing."""
        if not 1 <= number <= len(self.ways):
            raise ValueError(f"There are {len(self.ways)} ways here, counted from 1; {number} is none of them.")
        return walking.walk(self.cloud, self.ways[number - 1])

    def __repr__(self) -> str:
        return report.text(self._audit)


def own_account(*paths: str | os.PathLike[str]) -> OwnAccount:
    """Open files or folders as `Cloud.load` does; without any, five accounts that are made up.

    Raises `WorldFileError`, a `ValueError`, where they hold no account.
    """
    if paths:
        return OwnAccount(Cloud.load(*paths))
    with TemporaryDirectory() as folder:
        return OwnAccount(Cloud.load(sample.write(folder)))
