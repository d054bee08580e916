"""Users, groups, roles and managed policies of a dump: of each what the tables of `world.toml` have room for.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from simlib.cloud.storage.changes import aws_managed_policies
from simlib.cloud.worlds.dump_values import Notes, listed, objects, policy_arn, tags
from simlib.cloud.worlds.shape import PolicyText, WorldFileError, members, values_of


class Kind(NamedTuple):
    """A list of the details: the table of its entries, how ARNs name them, how their IDs begin."""

    table: str
    word: str
    prefix: str


KINDS = {
    "UserDetailList": Kind("User", "user", "AIDA"),
    "GroupDetailList": Kind("Group", "group", "AGPA"),
    "RoleDetailList": Kind("Role", "role", "AROA"),
    "Policies": Kind("Policy", "policy", "ANPA"),
}
_IAM_ARN = re.compile(
    r"arn:aws:iam::(\d{12}|aws):(user|group|role|policy|instance-profile)(/(?:[\x21-\x7e]+/)?)([^/]+)"
)
_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_NOBODY = PolicyText('{"Version": "2012-10-17", "Statement": []}')
_COLLECTED = re.compile(r"/accounts/(\d{12})/iam/(user|role|group|policy)/[^/]+/[^/]+$")


def owner(value: Mapping[str, Any]) -> str:
    """The account that most of the ARNs in an answer are of."""
    arns = (str(entry.get("Arn")) for shape in KINDS for entry in objects(value.get(shape)))
    owners = Counter(match[1] for match in map(_IAM_ARN.fullmatch, arns) if match and match[1] != "aws")
    return owners.most_common(1)[0][0] if owners else ""


class Identities:
    """Collects the entries of accounts, by list and name."""

    def __init__(self, notes: Notes) -> None:
        self.notes, self.number = notes, ""  # the account of the entry that is being read
        self.accounts: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
        self.of_aws: dict[str, dict[str, Any]] = {}
        self.collected: dict[str, dict[str, Any]] = {}

    def account(self, number: str) -> dict[str, dict[str, dict[str, Any]]]:
        return self.accounts.setdefault(number, {shape: {} for shape in KINDS})

    def take(self, shape: str, entry: Any, place: str, owner: str) -> None:
        kind = KINDS[shape]
        written = entry if isinstance(entry, dict) else {}
        match, name = _IAM_ARN.fullmatch(str(written.get("Arn", ""))), written.get(f"{kind.table}Name")
        if not match and not (owner and isinstance(name, str)):
            self.notes.remark(place, f"is no {kind.word} with an ARN")
            return
        account, _, path, name = match.groups() if match else (owner, kind.word, "/", name)
        if not _NAME.fullmatch(str(name)) or not re.fullmatch(r"/([\x21-\x7e]+/)?", path):
            self.notes.remark(place, f"{name!r} is not a name that IAM has")
            return
        self.number, arn = account, f"arn:aws:iam::{account}:{kind.word}{path}{name}"
        made = {"Path": path, f"{kind.table}Name": name, "Arn": arn,
                f"{kind.table}Id": self.notes.identifier(written.get(f"{kind.table}Id"), kind.prefix, arn)}  # fmt: skip
        for member in members(kind.table):
            if member.name not in made:
                read = _READERS.get(member.name) or _READERS.get(member.form, Identities._as_it_stands)
                value = read(self, written.get(member.name), f"{place}.{member.name}", member.form)
                if value or not member.flag:
                    made[member.name] = value
        if shape == "Policies":
            self._take_policy(made, written, place, account)
        elif account == "aws":
            self.notes.remark(place, "belongs to no account")
        else:
            self.account(account)[shape][str(name)] = made

    def _take_policy(self, made: dict[str, Any], written: Mapping[str, Any], place: str, account: str) -> None:
        """A managed policy with the versions that can be read, if its default one is among them."""
        versions, default = made["PolicyVersionList"], written.get("DefaultVersionId")
        for each in versions:
            stated = each.pop("stated")
            each["IsDefaultVersion"] = each["VersionId"] == default or (default is None and stated is True)
        if len(versions) == 1 == len(objects(written.get("PolicyVersionList"))):
            versions[0]["IsDefaultVersion"] = True
        chosen = [each["VersionId"] for each in versions if each["IsDefaultVersion"]]
        if len(chosen) != 1:
            self.notes.remark(place, f"the policy {made['PolicyName']} has no default version that can be read")
            return
        made |= {"DefaultVersionId": chosen[0]}
        (self.of_aws if account == "aws" else self.account(account)["Policies"])[made["Arn"]] = made

    # -- members -------------------------------------------------------------------------------------------------------

    def _as_it_stands(self, written: Any, place: str, form: str) -> Any:
        try:
            return None if written is None else values_of(form, written, place) and written
        except WorldFileError:
            return None  # nothing that decides: a description, a duration

    def _inline(self, written: Any, place: str, form: str) -> list[dict[str, Any]]:
        policies: dict[str, Any] = {}
        for index, each in enumerate(listed(written)):
            name = each.get("PolicyName") if isinstance(each, dict) else None
            where = f"{place}[{index}]"
            if not isinstance(name, str) or not _NAME.fullmatch(name) or name in policies:
                self.notes.remark(where, "is no inline policy with a name of its own")
            elif document := self.notes.document(each.get("PolicyDocument"), "identity", f"{where}.PolicyDocument"):
                policies[name] = document
        return [{"PolicyName": name, "PolicyDocument": document} for name, document in policies.items()]

    def _versions(self, written: Any, place: str, form: str) -> list[dict[str, Any]]:
        versions, entries = [], objects(written)
        for index, each in enumerate(entries):
            document = self.notes.document(each.get("Document"), "identity", f"{place}[{index}].Document")
            name = str(each.get("VersionId") or f"v{len(entries) - index}")
            if document is not None and re.fullmatch(r"v[1-9][0-9]{0,8}", name):
                versions.append({"VersionId": name, "Document": document, "stated": each.get("IsDefaultVersion"),
                                 "CreateDate": self.notes.date(each.get("CreateDate"))})  # fmt: skip
        return versions

    def _profiles(self, written: Any, place: str, form: str) -> list[dict[str, Any]]:
        matches = [(each, _IAM_ARN.fullmatch(str(each.get("Arn", "")))) for each in objects(written)]
        return [
            {"Path": match[3], "InstanceProfileName": match[4], "Arn": match[0],
             "InstanceProfileId": self.notes.identifier(each.get("InstanceProfileId"), "AIPA", match[0]),
             "CreateDate": self.notes.date(each.get("CreateDate"))}
            for each, match in matches
            if match and _NAME.fullmatch(match[4]) and match[1] == self.number
        ]  # fmt: skip

    def _last_used(self, written: Any, place: str, form: str) -> dict[str, str] | None:
        if not isinstance(written, dict) or written.get("LastUsedDate") is None:
            return None
        return {"LastUsedDate": self.notes.date(written["LastUsedDate"]), "Region": str(written.get("Region", ""))}

    # -- the whole -----------------------------------------------------------------------------------------------------

    def document_of(self, number: str, name: str) -> dict[str, Any]:
        """An account with what its identities name: policies that nobody has are a remark, and left out."""
        self.notes.file, parts = f"account {number}", self.accounts[number]
        known = {*self.of_aws, *parts["Policies"], *(policy.arn for policy in aws_managed_policies())}
        used: set[str | None] = set()

        def has(what: str, thing: str, there: Any, place: str) -> bool:
            if thing not in there:
                self.notes.remark(place, f"the {what} {thing} is in none of the files, and is left out")
            return thing in there

        for shape in ("UserDetailList", "GroupDetailList", "RoleDetailList"):
            for called, entry in parts[shape].items():
                place = f"{KINDS[shape].word} {called}"
                attached = entry.get("AttachedManagedPolicies", [])
                attached = [each for each in attached if has("policy", each["PolicyArn"], known, place)]
                entry["AttachedManagedPolicies"] = attached
                bound = entry.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
                if bound and not has("boundary", bound, known, place):
                    del entry["PermissionsBoundary"]
                used |= {bound, *(each["PolicyArn"] for each in attached)}
                if "GroupList" in entry:
                    groups = parts["GroupDetailList"]
                    entry["GroupList"] = [each for each in entry["GroupList"] if has("group", each, groups, place)]
        own = [self.of_aws[arn] for arn in sorted(filter(None, used)) if arn in self.of_aws]
        sections = {section: list(entries.values()) for section, entries in parts.items() if entries}
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
            shape, kind = next((shape, kind) for shape, kind in KINDS.items() if kind.word == word)
            metadata = parts.pop("metadata", {})
            lower = {str(name).lower(): value for name, value in metadata.items()} if isinstance(metadata, dict) else {}
            entry: dict[str, Any] = {
                "Arn": lower.get("arn"), f"{kind.table}Id": lower.get("id"), "CreateDate": lower.get("created"),
                f"{kind.table}PolicyList": [], "AttachedManagedPolicies": [], "GroupList": [], "PolicyVersionList": [],
                "PermissionsBoundary": lower.get("permissionboundary") or lower.get("permissionsboundary"),
            }  # fmt: skip
            for name, value in parts.items():
                for each in listed(value):
                    if isinstance(each, dict) and "PolicyDocument" in each:
                        entry[f"{kind.table}PolicyList"].append(each)
                    elif isinstance(each, dict) and "Statement" in each:
                        version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": each}
                        entry |= {"PolicyVersionList": [version], "AssumeRolePolicyDocument": each}
                    elif ":policy/" in str(policy_arn(each)):
                        entry["AttachedManagedPolicies"].append(each)
                    elif isinstance(each, str) and ":group/" in each:
                        entry["GroupList"].append(each.rpartition("/")[2])
                    elif name == "tags":
                        entry["Tags"] = value
            self.notes.file = folder
            self.take(shape, entry, "", account)


_Reader = Callable[[Identities, Any, str, str], Any]
_READERS: Mapping[str, _Reader] = {  # by the member's name or its form
    "naive date": lambda self, written, place, form: self.notes.date(written),
    "trust policy": lambda self, written, place, form: self.notes.document(written, "trust", place) or _NOBODY,
    "inline policies": Identities._inline,
    "PolicyVersionList": Identities._versions,
    "InstanceProfileList": Identities._profiles,
    "RoleLastUsed": Identities._last_used,
    "Tags": lambda self, written, place, form: tags(written),
    "GroupList": lambda self, written, place, form: [g for g in listed(written) if isinstance(g, str)],
    "AttachedManagedPolicies": lambda self, written, place, form: [
        {"PolicyArn": arn} for arn in dict.fromkeys(map(policy_arn, listed(written))) if arn
    ],
    "PermissionsBoundary": lambda self, written, place, form: (
        {"PermissionsBoundaryArn": arn} if (arn := policy_arn(written)) else None
    ),
}
