"""An organization, from what the AWS CLI's listings and descriptions of it print."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from simlib.cloud.worlds.dump_values import Notes, objects

LISTS = ("Organization", "Roots", "OrganizationalUnits", "Accounts", "Targets")
_IDENTIFIER = re.compile(
    r"(?<![\w-])(r-[a-z0-9]{4,32}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|p-[a-zA-Z0-9]{6,128}|\d{12})(?![\w-])"
)
_TYPES = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}


def _named_in(stem: str) -> str:
    """What a file's name says its answer is about, "" where it does not."""
    return next(iter(_IDENTIFIER.findall(stem)), "")


class OrganizationParts:
    """Collects them; where an answer does not name what it was asked for, its file does (`stem`)."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.known: dict[str, Any] = {}  # of the organization itself
        self.units: dict[str, dict[str, Any]] = {}
        self.members: dict[str, dict[str, Any]] = {}
        self.controls: dict[str, dict[str, Any]] = {}
        self.attachments: set[tuple[str, str]] = set()  # policy, target

    def lists_controls(self, written: Any, stem: str) -> bool:
        """Whether a list of policies is one of control policies; of a target, if its file names one."""
        entries, target = objects(written), _named_in(stem)
        if not entries or not all(":organizations:" in str(each.get("Arn")) for each in entries):
            return False
        self.attachments |= {(str(each.get("Id")), target) for each in entries}
        return True

    def take(self, shape: str, written: Any, stem: str) -> None:
        parent = _named_in(stem)
        for index, each in enumerate(objects(written)):
            identifier = str(each.get("Id") or each.get("TargetId") or "")
            name = str(each.get("Name") or ("Root" if shape == "Roots" else identifier))
            if shape == "Organization":
                self.known = self.known if index else each
            if not re.fullmatch("o-[a-z0-9]{10,32}|[a-z0-9-]{1,64}", identifier):
                self.notes.remark(f"{shape}[{index}]", "has no ID of AWS's form")
            elif shape == "Roots":
                self.units = {identifier: {"Id": identifier, "Name": name}, **self.units}
            elif shape == "OrganizationalUnits":
                self.units[identifier] = {"Id": identifier, "Name": name, "ParentId": parent}
            elif shape == "Accounts" and re.fullmatch(r"\d{12}", identifier):
                before = self.members.get(identifier, {}).get("ParentId", "")
                self.members[identifier] = {**each, "ParentId": parent or before}
            elif shape == "Targets":
                self.attachments.add((parent, identifier))

    def take_control(self, written: Mapping[str, Any]) -> None:
        summary = written["PolicySummary"] if isinstance(written["PolicySummary"], dict) else {}
        kind, identifier = _TYPES.get(str(summary.get("Type"))), str(summary.get("Id"))
        if kind is None or not re.fullmatch("p-[A-Za-z0-9]{1,128}", identifier):
            self.notes.remark("Policy.PolicySummary", "is no service control policy and no resource control policy")
        elif content := self.notes.document(written.get("Content"), kind, "Policy.Content"):
            name = str(summary.get("Name") or identifier)
            self.controls[identifier] = {"Id": identifier, "Name": name, "Type": summary["Type"], "Content": content}

    def document(self, accounts: Collection[str]) -> dict[str, Any] | None:
        """In the shape of a world's file; None where none of the answers says who manages it."""
        master, identifier = str(self.known.get("MasterAccountId") or ""), str(self.known.get("Id"))
        if master not in accounts or not re.fullmatch("o-[a-z0-9]{10,32}", identifier):
            if self.units or self.controls or self.known:
                why = "describe-organization or the details of the account that manages it are missing"
                self.notes.file = ""
                self.notes.remark("the organization", why)
            return None
        root = next((unit for unit in self.units.values() if "ParentId" not in unit), {"Id": "r-root", "Name": "Root"})
        placed, waiting = {root["Id"]: root}, [unit for unit in self.units.values() if unit is not root]

        def below(thing: Mapping[str, Any], **more: Any) -> dict[str, Any]:
            """A unit or an account in its place, or under the root where what it is in is missing."""
            parent = thing["ParentId"] if thing.get("ParentId") in placed else root["Id"]
            return {**thing, "ParentId": parent, **more}

        while waiting:  # a unit after the one it is in
            unit = next((each for each in waiting if each["ParentId"] in placed), waiting[0])
            placed[unit["Id"]] = below(unit)
            waiting.remove(unit)
        members = []
        for account, each in {master: dict[str, Any](), **self.members}.items():
            name, mail = str(each.get("Name") or account), str(each.get("Email") or f"{account}@example.com")
            member = {"Id": account, "Name": name, "Email": mail, "JoinedMethod": "INVITED"}
            joined = self.notes.date(each.get("JoinedTimestamp"))
            members.append(below({**member, "ParentId": each.get("ParentId")}, JoinedTimestamp=joined))
        return {
            "Id": identifier, "MasterAccountId": master, "FeatureSet": "ALL",
            "EnabledPolicyTypes": sorted({policy["Type"] for policy in self.controls.values()}),
            "Policies": list(self.controls.values()),
            "OrganizationalUnits": [self._with_policies(unit) for unit in placed.values()],
            "Accounts": [self._with_policies(member) for member in members],
        }  # fmt: skip

    def _with_policies(self, target: Mapping[str, Any]) -> dict[str, Any]:
        return {**target, "Policies": sorted(p for p in self.controls if (p, target["Id"]) in self.attachments)}
