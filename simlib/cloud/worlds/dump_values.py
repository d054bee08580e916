"""What in files of somebody's own account can be read by the tables of `world.toml`, however it is written.

The forms here take more than those of `shape`, and what they do not take is left out and noted.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import unquote

from simlib.cloud.worlds.shape import PolicyText, WorldFileError, is_table, members, values_of
from simlib.iam import Policy, PolicyError

UNDATED = "1970-01-01T00:00:00Z"
_NOBODY = PolicyText('{"Version": "2012-10-17", "Statement": []}')
_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)


class Remark(NamedTuple):
    """What was not read, or not as it stands: the file, the place in it, and the reason."""

    file: str
    place: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in self if part)


class Notes:
    """Reads values, and keeps what has to be said of them; `file` is the one that is being read."""

    def __init__(self) -> None:
        self.file = ""
        self.remarks: list[Remark] = []
        self.repairs: Counter[str] = Counter()

    def remark(self, place: str, reason: str) -> None:
        self.remarks.append(Remark(self.file, place, reason))

    def all(self) -> tuple[Remark, ...]:
        repairs = [Remark("", "", f"{count} × {repair}") for repair, count in self.repairs.items()]
        return *self.remarks, *repairs

    def entry(self, table: str, written: Any, place: str, made: Mapping[str, Any] | None = None) -> Any:
        """What of an object a table has room for, beside what is made already; None without what must be there."""
        entry = dict(made or {})
        for member in members(table) if isinstance(written, dict) else ():
            name = member.name
            if name not in entry:
                values = listed(written.get(name)) if member.many else [written.get(name)]
                places = [f"{place}.{name}[{n}]" if member.many else f"{place}.{name}" for n in range(len(values))]
                read = [self.value(member.form, each, where) for each, where in zip(values, places, strict=True)]
                kept = [each for each in read if each not in (None, "", [], {})]
                if kept or not member.flag:
                    entry[name] = kept if member.many else next(iter(kept), None)
                    if entry[name] is None:
                        return None
        return entry or None

    def value(self, form: str, written: Any, place: str) -> Any:
        """A value by its form or table, None for what is none."""
        if form in _FORMS:
            return _FORMS[form](self, written, place)
        if is_table(form):
            return self.entry(form, written, place)
        try:
            return None if written is None else values_of(form, written, place) is not None and written
        except WorldFileError:
            return None  # nothing that decides: a description, a duration

    def document(self, written: Any, kind: str, place: str) -> PolicyText | None:
        """A policy document; None where it is no policy of its kind."""
        try:
            text = unquote(written) if isinstance(written, str) and written.lstrip().startswith("%") else written
            value = json.loads(text) if isinstance(text, str) else text
            Policy.parse(value, kind)
            return PolicyText(json.dumps(value))
        except PolicyError as error:
            where, reason = ".".join(filter(None, (place, error.problems[0].path))), error.problems[0].message
            self.remark(where, f"is no policy of AWS's: {reason}")
        except (ValueError, RecursionError) as error:
            self.remark(place, f"is no JSON ({error})")
        return None

    def date(self, written: Any) -> str:
        try:
            if isinstance(written, str):
                written = datetime.fromisoformat(written.strip())
            elif isinstance(written, int | float) and not isinstance(written, bool):
                written = datetime.fromtimestamp(written / 1000 if written > 1e11 else written, UTC)
            moment = written if written.tzinfo else written.replace(tzinfo=UTC)
            return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        except (AttributeError, ValueError, OverflowError, OSError):
            self.repairs["dates that are missing or none: read as the first of January 1970"] += 1
            return UNDATED

    def identifier(self, written: Any, prefix: str, arn: str) -> str:
        if isinstance(written, str) and re.fullmatch(rf"{prefix}[A-Z0-9]{{12,124}}", written):
            return written
        if written is not None:
            self.repairs["IDs of a form that AWS does not have: new ones were made"] += 1
        return prefix + base64.b32encode(hashlib.sha256(arn.encode()).digest()).decode()[:17]

    def inline_policies(self, written: Any, place: str) -> list[dict[str, Any]]:
        policies: dict[str, Any] = {}
        for index, each in enumerate(listed(written)):
            name = each.get("PolicyName") if isinstance(each, dict) else None
            where = f"{place}[{index}]"
            if not isinstance(name, str) or not _NAME.fullmatch(name) or name in policies:
                self.remark(where, "is no inline policy with a name of its own")
            elif document := self.document(each.get("PolicyDocument"), "identity", f"{where}.PolicyDocument"):
                policies[name] = document
        return [{"PolicyName": name, "PolicyDocument": document} for name, document in policies.items()]


def listed(value: Any) -> list[Any]:
    """A list, of one where somebody has written the thing itself."""
    return value if isinstance(value, list) else [] if value is None else [value]


def objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in listed(value) if isinstance(each, dict)]


def tags(written: Any) -> list[dict[str, str]]:
    pairs = written if isinstance(written, dict) else {
        str(each.get("Key")): each.get("Value") for each in objects(written) if each.get("Key")
    }  # fmt: skip
    return [{"Key": str(key), "Value": str(value or "")} for key, value in pairs.items() if key]


def policy_arn(written: Any) -> str | None:
    """The ARN of an attached policy or a boundary, however it is written."""
    if isinstance(written, dict):
        names = {str(name).lower(): value for name, value in written.items()}
        written = names.get("policyarn") or names.get("permissionsboundaryarn") or names.get("arn")
    return written if isinstance(written, str) and re.fullmatch(r"arn:aws:[\x21-\x7e]+", written) else None


_FORMS: Mapping[str, Callable[[Notes, Any, str], Any]] = {
    "date": lambda notes, written, _: None if written is None else notes.date(written),
    "naive date": lambda notes, written, _: notes.date(written),
    "identity policy": lambda notes, written, place: notes.document(written, "identity", place),
    "trust policy": lambda notes, written, place: notes.document(written, "trust", place) or _NOBODY,
    "inline policies": Notes.inline_policies,
    "tags": lambda notes, written, _: tags(written),
    "AttachedPolicy": lambda notes, written, _: {"PolicyArn": arn} if (arn := policy_arn(written)) else None,
    "Boundary": lambda notes, written, _: {"PermissionsBoundaryArn": arn} if (arn := policy_arn(written)) else None,
}
