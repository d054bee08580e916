"""An organization, from what the AWS CLI's listings and descriptions of it print."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from simlib.cloud.worlds.remarks import Notes, objects
from simlib.cloud.worlds.shape import WorldFileError, values_of

SCP = "SERVICE_CONTROL_POLICY"
#: What AWS attaches to every root, unit and account; none of them is ever without an SCP.
#: organizations/latest/userguide/orgs_manage_policies_scps_evaluation
FULL_ACCESS = {
    "Id": "p-FullAWSAccess", "Name": "FullAWSAccess", "Type": SCP, "AwsManaged": "yes",
    "Content": '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}',
}  # fmt: skip
LISTS = ("Organization", "Roots", "OrganizationalUnits", "Accounts", "Targets")
_IDENTIFIER = re.compile(
    r"(?<![A-Za-z0-9])(r-[a-z0-9]{4,32}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|p-[a-zA-Z0-9]{6,128}|\d{12})(?![A-Za-z0-9])"
)


def _identifier_in(stem: str) -> str:
    """What a file's name says its answer is about, "" where it does not."""
    return next(iter(_IDENTIFIER.findall(stem)), "")


class OrganizationParts:
    """Collects them; where an answer does not name what it was asked for, its file does (`stem`)."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.description: dict[str, Any] = {}  # of the organization itself, by describe-organization
        self.units: dict[str, dict[str, Any]] = {}
        self.members: dict[str, dict[str, Any]] = {}
        self.controls: dict[str, dict[str, Any]] = {}
        self.attachments: set[tuple[str, str]] = set()  # policy, target

    def lists_controls(self, written: Any, stem: str) -> bool:
        """Whether a list of policies is one of control policies; of a target, if its file names one."""
        entries, target = objects(written), _identifier_in(stem)
        if not entries or not all(":organizations:" in str(each.get("Arn")) for each in entries):
            return False
        self.attachments |= {(str(each.get("Id")), target) for each in entries}
        return True

    def take(self, shape: str, written: Any, stem: str) -> None:
        parent = _identifier_in(stem)
        for index, each in enumerate(objects(written)):
            place, name = f"{shape}[{index}]", str(each.get("Name") or each.get("Id"))
            if shape == "Targets":
                self.attachments.add((parent, str(each.get("TargetId"))))
            elif shape == "Organization":
                self.description = self.description or each
            elif shape == "Accounts":
                mail = f"{each.get('Id')}@example.com"
                entry = {"Name": name, "Email": mail, "JoinedMethod": "INVITED", **each, "ParentId": parent or "r-root"}
                if (values := self._values("Member", entry, place)) and (parent or values["Id"] not in self.members):
                    self.members[values["Id"]] = values
            elif values := self._values("Unit", {**each, "Name": name, "ParentId": parent or None}, place):
                self.units[values["Id"]] = values

    def take_control(self, written: Mapping[str, Any]) -> None:
        summary = written["PolicySummary"] if isinstance(written["PolicySummary"], dict) else {}
        of_aws = "yes" if summary.get("AwsManaged") else None  # as a world's file has it
        entry = {"Name": summary.get("Id"), **summary, "AwsManaged": of_aws, "Content": written.get("Content")}
        if values := self._values("ControlPolicy", entry, "Policy.PolicySummary"):
            kind = "scp" if values["Type"] == "SERVICE_CONTROL_POLICY" else "rcp"
            if self._values(f"{kind} policy", values["Content"], "Policy.Content"):
                self.controls[values["Id"]] = values

    def _values(self, form: str, written: Any, place: str) -> Any:
        try:
            return values_of(form, written, place, self.notes)
        except WorldFileError as error:
            self.notes.remark("", str(error))
            return None

    def whole(self, accounts: Collection[str]) -> list[dict[str, Any]]:
        """The values of the organization; none where none of the answers says who manages it."""
        master, self.notes.file = str(self.description.get("MasterAccountId") or ""), ""
        if master not in accounts:
            if self.units or self.controls or self.description:
                why = "describe-organization or the details of the account that manages it are missing"
                self.notes.remark("the organization", why)
            return []
        roots = [unit for unit in self.units.values() if "ParentId" not in unit]
        root: dict[str, Any] = roots[0] if roots else {"Id": "r-root", "Name": "Root"}
        placed, waiting = {root["Id"]: root}, [unit for unit in self.units.values() if unit is not root]
        while waiting:  # a unit after the one it is in, or under the root where that is missing
            unit = next((each for each in waiting if each.get("ParentId") in placed), waiting[0])
            placed[unit["Id"]] = unit if unit.get("ParentId") in placed else {**unit, "ParentId": root["Id"]}
            waiting.remove(unit)
        if master not in self.members:
            self.take("Accounts", [{"Id": master}], "")
        for member in self.members.values():
            member["ParentId"] = member["ParentId"] if member["ParentId"] in placed else root["Id"]
        types = {policy["Type"] for policy in self.controls.values()}
        self.controls |= {FULL_ACCESS["Id"]: self.controls.get(FULL_ACCESS["Id"], FULL_ACCESS)} if SCP in types else {}
        for target in (*placed.values(), *self.members.values()):
            target["Policies"] = sorted(p for p in self.controls if (p, target["Id"]) in self.attachments)
            if SCP in types and SCP not in {self.controls[each]["Type"] for each in target["Policies"]}:
                target["Policies"].append(FULL_ACCESS["Id"])
                self.notes.repairs["roots, units and accounts without an SCP in the files: read as FullAWSAccess"] += 1
        entry: dict[str, Any] = {
            "Id": self.description.get("Id"), "MasterAccountId": master, "FeatureSet": "ALL", "Policies": [],
            "EnabledPolicyTypes": sorted(types),
            "OrganizationalUnits": [], "Accounts": [],
        }  # fmt: skip
        values = self._values("Organization", entry, "the organization")
        parts = {"Policies": self.controls, "OrganizationalUnits": placed, "Accounts": self.members}
        return [{**values, **{name: list(part.values()) for name, part in parts.items()}}] if values else []
