"""Users, groups, roles and managed policies of a dump: of each what the tables of `world.toml` have room for.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from botocore import xform_name

from simlib.cloud.storage.changes import aws_managed_policies
from simlib.cloud.storage.stored import as_list
from simlib.cloud.worlds.remarks import Notes, objects
from simlib.cloud.worlds.shape import WorldFileError, arn_in, values_of

# The lists of the details, and the tables of their entries
KINDS = {"UserDetailList": "User", "GroupDetailList": "Group", "RoleDetailList": "Role", "Policies": "Policy"}
_IAM_ARN = re.compile(
    r"arn:aws:iam::(\d{12}|aws):(user|group|role|policy|instance-profile)(/(?:[\x21-\x7e]+/)?)([\w+=,.@-]{1,128})",
    re.ASCII,
)
_COLLECTED = re.compile(r"/accounts/(\d{12})/iam/(user|role|group|policy)/[^/]+/[^/]+$")


def owner(value: Mapping[str, Any]) -> str:
    """The account that most of the ARNs in an answer are of."""
    arns = (str(entry.get("Arn")) for shape in KINDS for entry in objects(value.get(shape)))
    owners = Counter(match[1] for match in map(_IAM_ARN.fullmatch, arns) if match and match[1] != "aws")
    return owners.most_common(1)[0][0] if owners else ""


class Identities:
    """Collects the values of accounts, by list and name."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.accounts: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
        self.of_aws: dict[str, dict[str, Any]] = {}
        self.collected: dict[str, dict[str, Any]] = {}

    def account(self, number: str) -> dict[str, dict[str, dict[str, Any]]]:
        return self.accounts.setdefault(number, {shape: {} for shape in KINDS})

    def take(self, shape: str, entry: Any, place: str, owner: str) -> None:
        """An entry of one of the lists; `owner` is the account of those that have no ARN."""
        table, members = KINDS[shape], entry if isinstance(entry, dict) else {}
        account, members = self._located(table, members, place, owner)
        if not account:
            return
        if shape != "Policies" and not {f"{table}PolicyList", "AttachedManagedPolicies"} & members.keys():
            self.notes.repairs["users, groups and roles without their policies: what they may do is missing"] += 1
        if shape == "Policies":
            members |= {"DefaultVersionId": None, "PolicyVersionList": _versions(members)}
        profiles = [self._located("InstanceProfile", each, place) for each in objects(members.get(_PROFILES))]
        members[_PROFILES] = [profile for number, profile in profiles if number == account]
        try:
            values = values_of(table, members, place, self.notes)
        except WorldFileError as error:
            self.notes.remark(place, str(error))
            return
        if shape == "Policies":
            default = [each["VersionId"] for each in values["PolicyVersionList"] if each["IsDefaultVersion"]]
            if len(default) == 1:
                values["DefaultVersionId"] = default[0]
                (self.of_aws if account == "aws" else self.account(account)[shape])[values["Arn"]] = values
            else:
                self.notes.remark(place, f"the policy {values['PolicyName']} has no default version that can be read")
        elif account == "aws":
            self.notes.remark(place, "belongs to no account")
        else:
            self.account(account)[shape][values[f"{table}Name"]] = values

    def _located(
        self, table: str, members: Mapping[str, Any], place: str, owner: str = ""
    ) -> tuple[str, dict[str, Any]]:
        """The account of an identity, and its entry with path and name as they are in its ARN; ("", {}) without one."""
        word, name = xform_name(table, "-"), str(members.get(f"{table}Name"))
        arn = str(members.get("Arn") or (f"arn:aws:iam::{owner}:{word}/{name}" if owner else ""))
        if not (match := _IAM_ARN.fullmatch(arn)):
            is_of_iam = arn.startswith("arn:aws:iam::")
            self.notes.remark(place, f"{arn} is not a name that IAM has" if is_of_iam else f"is no {word} with an ARN")
            return "", {}
        account, _, path, name = match.groups()
        arn = f"arn:aws:iam::{account}:{word}{path}{name}"
        return account, {**members, "Path": path, f"{table}Name": name, "Arn": arn}

    # -- the whole -----------------------------------------------------------------------------------------------------

    def whole(self, number: str, name: str) -> dict[str, Any]:
        """An account with what its identities name: policies that nobody has are a remark, and left out."""
        self.notes.file, parts = f"account {number}", self.accounts[number]
        policy_arns = {*self.of_aws, *parts["Policies"], *(policy.arn for policy in aws_managed_policies())}
        arns_in_use: set[str] = set()

        def there(what: str, things: Any, among: Any, place: str) -> list[str]:
            """Of these, once each, what the files hold."""
            for missing in [thing for thing in things if thing not in among]:
                self.notes.remark(place, f"the {what} {missing} is in none of the files, and is left out")
            return [thing for thing in dict.fromkeys(things) if thing in among]

        for shape in ("UserDetailList", "GroupDetailList", "RoleDetailList"):
            for called, entry in parts[shape].items():
                place = f"{KINDS[shape].lower()} {called}"
                arns = [each["PolicyArn"] for each in entry.get("AttachedManagedPolicies", ())]
                attached = there("policy", arns, policy_arns, place)
                bound = [each["PermissionsBoundaryArn"] for each in as_list(entry.pop("PermissionsBoundary", None))]
                bound = there("boundary", bound, policy_arns, place)
                entry["AttachedManagedPolicies"] = [{"PolicyArn": arn} for arn in attached]
                if bound:
                    entry["PermissionsBoundary"] = {"PermissionsBoundaryArn": bound[0]}
                entry["GroupList"] = there("group", entry.get("GroupList", ()), parts["GroupDetailList"], place)
                arns_in_use |= {*attached, *bound}
        own = [self.of_aws[arn] for arn in sorted(arns_in_use) if arn in self.of_aws]
        sections = {section: list(entries.values()) for section, entries in parts.items()}
        return {"Id": number, "Name": name, **sections, "Policies": [*parts["Policies"].values(), *own]}

    # -- the folders of iam-collect, one for each identity -------------------------------------------------------------

    def collects(self, file: str, stem: str, value: Any) -> bool:
        """Whether a file lies in such a folder, which is then read with the others of it."""
        if match := _COLLECTED.search(file):
            self.collected.setdefault(file.rpartition("/")[0], {"": match})[stem] = value
        return bool(match)

    def take_collected(self) -> None:
        """What a file is, its content tells."""
        for folder, parts in self.collected.items():
            account, word = parts.pop("").groups()
            shape, table = next((shape, table) for shape, table in KINDS.items() if table.lower() == word)
            metadata = parts.pop("metadata", {})
            lower = {str(name).lower(): value for name, value in metadata.items()} if isinstance(metadata, dict) else {}
            entry: dict[str, Any] = {
                "Arn": lower.get("arn"), f"{table}Id": lower.get("id"), "CreateDate": lower.get("created"),
                f"{table}PolicyList": [], "AttachedManagedPolicies": [], "GroupList": [],
                "PermissionsBoundary": lower.get("permissionboundary") or lower.get("permissionsboundary"),
            }  # fmt: skip
            for name, value in parts.items():
                for each in as_list(value):
                    text = str(arn_in(each))
                    if isinstance(each, dict) and "PolicyDocument" in each:
                        entry[f"{table}PolicyList"].append(each)
                    elif isinstance(each, dict) and "Statement" in each:
                        entry |= {"PolicyVersionList": [{"Document": each}], "AssumeRolePolicyDocument": each}
                    elif ":policy/" in text:
                        entry["AttachedManagedPolicies"].append(each)
                    elif ":group/" in text:
                        entry["GroupList"].append(text.rpartition("/")[2])
                    elif name == "tags":
                        entry["Tags"] = value
            self.notes.file = folder
            self.take(shape, entry, "", account)


_PROFILES = "InstanceProfileList"


def _versions(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The versions of a managed policy, each with a name, and said to be the default one or not."""
    written, default, versions = objects(policy.get("PolicyVersionList")), policy.get("DefaultVersionId"), []
    for index, each in enumerate(written):
        name = str(each.get("VersionId") or f"v{len(written) - index}")
        stated = name == default or (default is None and each.get("IsDefaultVersion") is True)
        versions.append({**each, "VersionId": name, "IsDefaultVersion": stated or len(written) == 1})
    return versions
