"""What is said of files of somebody's own account that cannot be read, or not as they stand."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from simlib.cloud.storage.stored import as_list

UNDATED = datetime(1970, 1, 1)
_NOBODY = '{"Version": "2012-10-17", "Statement": []}'


class Remark(NamedTuple):
    """What was not read, or not as it stands: the file, the place in it, and the reason."""

    file: str
    place: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in self if part)


class Notes:
    """Collects remarks; `file` is the one that is being read. `repairs` are counted, not listed."""

    def __init__(self) -> None:
        self.file = ""
        self.remarks: list[Remark] = []
        self.repairs: Counter[str] = Counter()

    def remark(self, place: str, reason: str) -> None:
        self.remarks.append(Remark(self.file, place, reason.removesuffix(".")))

    def all(self) -> tuple[Remark, ...]:
        repairs = [Remark("", "", f"{count} × {repair}") for repair, count in self.repairs.items()]
        return *self.remarks, *repairs

    def instead(self, form: str, written: Any, entry: Mapping[str, Any]) -> Any:
        """What may stand for a member of an entry that is missing or wrong; None for most."""
        if form == "naive date":
            self.repairs["dates that are missing or none: read as the first of January 1970"] += 1
            return UNDATED
        if form in ("AIDA", "AGPA", "AROA", "ANPA", "AIPA"):
            if written is not None:
                self.repairs["IDs of a form that AWS does not have: new ones were made"] += 1
            return form + base64.b32encode(hashlib.sha256(str(entry["Arn"]).encode()).digest()).decode()[:17]
        return _NOBODY if form == "trust policy" else None


def objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in as_list(value) if isinstance(each, dict)]
