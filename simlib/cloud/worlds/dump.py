"""Files of somebody's own account, as the AWS CLI and other tools print them, read as a world.

Identities come from `get-account-authorization-details`: whole, in pages, several accounts, JSON or YAML, with IDs and
dates of any form. Beside them may lie what `organizations describe-organization`, `list-roots`, `list-accounts`,
`list-organizational-units-for-parent`, `describe-policy`, `list-targets-for-policy` and `list-policies-for-target`
print, the policies of buckets, keys, queues, topics and secrets, and the folders that iam-collect writes. Where an
answer does not name what it was asked for, its file does: `ou-ab12-cd34.json`, `my-bucket.json`.

What cannot be read is a `Remark`; the rest is kept. Nothing is written, and nothing leaves the machine.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from simlib.cloud.storage.store import aws_managed_policies
from simlib.cloud.worlds import file
from simlib.cloud.worlds.shape import PolicyText, WorldFileError
from simlib.iam import Policy, PolicyError

MOST_FILES = 200_000
SUFFIXES = (".json", ".jsonl", ".yaml", ".yml", ".txt")
UNDATED = "1970-01-01T00:00:00Z"
KINDS = {  # list in the details → how its members begin, how its ARNs name it, how its IDs begin
    "UserDetailList": ("User", "user", "AIDA"),
    "GroupDetailList": ("Group", "group", "AGPA"),
    "RoleDetailList": ("Role", "role", "AROA"),
    "Policies": ("Policy", "policy", "ANPA"),
}
_IAM_ARN = re.compile(
    r"arn:aws:iam::(\d{12}|aws):(user|group|role|policy|instance-profile)(/(?:[\x21-\x7e]+/)?)([^/]+)"
)
_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_IDENTIFIER = re.compile(
    r"(?<![\w-])(r-[a-z0-9]{4,32}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|p-[a-zA-Z0-9]{6,128}|\d{12})(?![\w-])"
)
_FOREIGN = re.compile(r'"?Arn"?:\s*"?arn:(aws-[a-z-]+):iam::\d{12}:(?:user|role|group|policy)/', re.IGNORECASE)
_COLLECTED = re.compile(r"/accounts/(\d{12})/iam/(user|role|group|policy)/[^/]+/[^/]+$")


class Remark(NamedTuple):
    """What was not read, or not as it stands: the file, the place in it, and the reason."""

    file: str
    place: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in self if part)


def read(*sources: str | os.PathLike[str]) -> tuple[dict[str, Any], tuple[Remark, ...]]:
    """The document of a world (`Cloud.load` reads it) from files and folders, and what of them it does not hold.

    Raises `WorldFileError` where nothing in them can be read.
    """
    reader = _Reader()
    for source in sources:
        for path in reader.files(Path(source)):
            reader.file = path.as_posix()
            reader.take_file(path)
    return reader.document(), tuple(reader.remarks)


def read_content(content: bytes, name: str) -> tuple[dict[str, Any], tuple[Remark, ...]]:
    """The same of what lies in one file."""
    reader = _Reader()
    reader.file = name
    reader.take(reader.values(content))
    return reader.document(), tuple(reader.remarks)


def _shapes(value: Any) -> list[str]:
    """The names of the members by which a value can be recognised."""
    members = (
        *KINDS,
        "Organization",
        "Roots",
        "OrganizationalUnits",
        "Accounts",
        "Targets",
        "Policy",
        "ResourcePolicy",
        "Attributes",
    )
    return [name for name in members if isinstance(value, dict) and name in value and "IamLabWorld" not in value]


class _Reader:
    """Collects accounts, an organization and remarks from one value after another."""

    def __init__(self) -> None:
        self.file = ""
        self.remarks: list[Remark] = []
        self.accounts: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
        self.of_aws: dict[str, dict[str, Any]] = {}
        self.organization: dict[str, Any] = {}
        self.units: dict[str, dict[str, Any]] = {}
        self.members: dict[str, dict[str, Any]] = {}
        self.controls: dict[str, dict[str, Any]] = {}
        self.attachments: dict[str, set[str]] = {}
        self.collected: dict[str, dict[str, Any]] = {}
        self.policies: list[tuple[str, str, Mapping[str, Any]]] = []  # of resources: file, shape, answer
        self.repairs: Counter[str] = Counter()

    def remark(self, place: str, reason: str) -> None:
        self.remarks.append(Remark(self.file, place, reason))

    # -- files -------------------------------------------------------------------------------------------------------

    def files(self, source: Path) -> Iterator[Path]:
        if not source.is_dir():
            yield source
            return
        count = 0
        for path in sorted(source.rglob("*")):
            if path.is_file() and path.suffix.lower() in SUFFIXES:
                count += 1
                if count > MOST_FILES:
                    self.remark("", f"more than {MOST_FILES:,} files: the rest was not looked at")
                    return
                yield path

    def take_file(self, path: Path) -> None:
        try:
            self.take(self.values(file.content(path)))
        except WorldFileError as error:
            self.remark("", str(error))

    def values(self, content: bytes) -> list[Any]:
        """What a file holds: one value or several, one after the other."""
        try:
            text = _decoded(content)
            if partition := _FOREIGN.search(text):
                self.remark("", f"is of the partition {partition[1]}, and was read as if it were aws")
                text = text.replace(f"arn:{partition[1]}:", "arn:aws:")
            return list(_parsed(text, Path(self.file).suffix.lower()))
        except (ValueError, RecursionError) as error:
            self.remark("", f"is no text of JSON or YAML ({error})".replace("\n", " "))
            return []

    def take(self, values: Iterable[Any]) -> None:
        for value in values:
            if match := _COLLECTED.search(self.file):
                self.collected.setdefault(self.file.rpartition("/")[0], {"": match})[Path(self.file).stem] = value
            elif isinstance(value, list):
                self.take(value)
            elif shapes := _shapes(value):
                for shape in shapes:
                    self._take(shape, value)
                if value.get("IsTruncated") is True and value.get("Marker") is not None:
                    self.repairs["a page that says there are more: what follows is missing if no file has it"] += 1
            else:
                self.remark("", "is no answer of AWS that is read here")
                return

    def _take(self, shape: str, value: Mapping[str, Any]) -> None:
        if shape in KINDS and not (shape == "Policies" and self._of_organization(value[shape])):
            owner = _owner(value)
            for index, entry in enumerate(_list(value[shape])):
                self._identity(shape, entry, f"{shape}[{index}]", owner)
        elif shape in ("Organization", "Roots", "OrganizationalUnits", "Accounts", "Targets"):
            self._part_of_organization(shape, value[shape])
        elif shape == "Policy" and isinstance(value["Policy"], dict) and "PolicySummary" in value["Policy"]:
            self._control(value["Policy"])
        elif shape in ("Policy", "ResourcePolicy", "Attributes"):
            self.policies.append((self.file, shape, value))

    # -- identities --------------------------------------------------------------------------------------------------

    def _identity(self, shape: str, entry: Any, place: str, owner: str) -> None:
        """A user, group, role or managed policy, as a world's file has it."""
        start, kind, prefix = KINDS[shape]
        arn = str(entry.get("Arn", "")) if isinstance(entry, dict) else ""
        match = _IAM_ARN.fullmatch(arn)
        if not isinstance(entry, dict) or not (match or (owner and isinstance(entry.get(f"{start}Name"), str))):
            self.remark(place, f"is no {kind} with an ARN")
            return
        account, _, path, name = match.groups() if match else (owner, kind, "/", entry[f"{start}Name"])
        if not _NAME.fullmatch(name) or not re.fullmatch(r"/([\x21-\x7e]+/)?", path):
            self.remark(place, f"{name!r} is not a name that IAM has")
            return
        arn = f"arn:aws:iam::{account}:{kind}{path}{name}"
        common = {"Path": path, f"{start}Name": name, f"{start}Id": self._id(entry.get(f"{start}Id"), prefix, arn)}
        common |= {"Arn": arn, "CreateDate": self._date(entry.get("CreateDate"))}
        if kind != "group" and (tags := _tags(entry.get("Tags"))):
            common["Tags"] = tags
        if shape == "Policies":
            made = self._managed(entry, common, place)
            if made and account == "aws":
                self.of_aws[arn] = made
            elif made:
                self._account(account)[shape][arn] = made
            return
        common |= {"_attached": [arn for arn in map(_policy_arn, _list(entry.get("AttachedManagedPolicies"))) if arn]}
        common |= {f"{start}PolicyList": self._inline(entry.get(f"{start}PolicyList"), f"{place}.{start}PolicyList")}
        if shape == "UserDetailList":
            common["GroupList"] = [each for each in _list(entry.get("GroupList")) if isinstance(each, str)]
        if boundary := _policy_arn(entry.get("PermissionsBoundary")):
            common["_boundary"] = boundary
        if shape == "RoleDetailList":
            trust = self._document(entry.get("AssumeRolePolicyDocument"), "trust", f"{place}.AssumeRolePolicyDocument")
            if trust is None:
                trust = PolicyText('{"Version": "2012-10-17", "Statement": []}')
            common["AssumeRolePolicyDocument"] = trust
            common["InstanceProfileList"] = self._profiles(entry.get("InstanceProfileList"), account)
            used = entry.get("RoleLastUsed")
            if isinstance(used, dict) and used.get("LastUsedDate") is not None:
                common["RoleLastUsed"] = {
                    "LastUsedDate": self._date(used["LastUsedDate"]),
                    "Region": str(used.get("Region", "")),
                }
        if account == "aws":
            self.remark(place, "belongs to no account")
        else:
            self._account(account)[shape][name] = common

    def _managed(self, entry: Mapping[str, Any], common: dict[str, Any], place: str) -> dict[str, Any] | None:
        """A managed policy with the versions that can be read; None without its default one."""
        versions, default = [], entry.get("DefaultVersionId")
        written = [each for each in _list(entry.get("PolicyVersionList")) if isinstance(each, dict)]
        for index, each in enumerate(written):
            document = self._document(each.get("Document"), "identity", f"{place}.PolicyVersionList[{index}].Document")
            name = str(each.get("VersionId") or f"v{len(written) - index}")
            if document is not None and re.fullmatch(r"v[1-9][0-9]{0,8}", name):
                is_default = name == default or (default is None and each.get("IsDefaultVersion") is True)
                versions.append({"VersionId": name, "IsDefaultVersion": is_default, "Document": document,
                                 "CreateDate": self._date(each.get("CreateDate"))})  # fmt: skip
        if versions and len(versions) == 1 == len(written):
            versions[0]["IsDefaultVersion"] = True
        chosen = [each for each in versions if each["IsDefaultVersion"]]
        if len(chosen) != 1:
            self.remark(place, f"the policy {common['PolicyName']} has no default version that can be read")
            return None
        updated = self._date(entry.get("UpdateDate") or entry.get("CreateDate"))
        return {
            **common,
            "DefaultVersionId": chosen[0]["VersionId"],
            "UpdateDate": updated,
            "PolicyVersionList": versions,
        }

    def _inline(self, written: Any, place: str) -> list[dict[str, Any]]:
        policies: dict[str, Any] = {}
        for index, each in enumerate(_list(written)):
            name = each.get("PolicyName") if isinstance(each, dict) else None
            where = f"{place}[{index}]"
            if not isinstance(name, str) or not _NAME.fullmatch(name) or name in policies:
                self.remark(where, "is no inline policy with a name of its own")
            elif (
                document := self._document(each.get("PolicyDocument"), "identity", f"{where}.PolicyDocument")
            ) is not None:
                policies[name] = document
        return [{"PolicyName": name, "PolicyDocument": document} for name, document in policies.items()]

    def _document(self, written: Any, kind: str, place: str) -> PolicyText | None:
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

    def _profiles(self, written: Any, account: str) -> list[dict[str, Any]]:
        profiles = []
        for each in _list(written):
            match = _IAM_ARN.fullmatch(str(each.get("Arn", ""))) if isinstance(each, dict) else None
            if match and _NAME.fullmatch(match[4]) and match[1] == account:
                profiles.append(
                    {"Path": match[3], "InstanceProfileName": match[4], "Arn": match[0],
                     "InstanceProfileId": self._id(each.get("InstanceProfileId"), "AIPA", match[0]),
                     "CreateDate": self._date(each.get("CreateDate"))}
                )  # fmt: skip
        return profiles

    def _id(self, written: Any, prefix: str, arn: str) -> str:
        if isinstance(written, str) and re.fullmatch(rf"{prefix}[A-Z0-9]{{12,124}}", written):
            return written
        if written is not None:
            self.repairs["IDs of a form that AWS does not have: new ones were made"] += 1
        return prefix + base64.b32encode(hashlib.sha256(arn.encode()).digest()).decode()[:17]

    def _date(self, written: Any) -> str:
        try:
            if isinstance(written, datetime):
                moment = written
            elif isinstance(written, str):
                moment = datetime.fromisoformat(written.strip())
            elif isinstance(written, int | float) and not isinstance(written, bool):
                moment = datetime.fromtimestamp(written / 1000 if written > 1e11 else written, UTC)
            else:
                raise ValueError
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        except (ValueError, OverflowError, OSError):
            self.repairs["dates that are missing or none: read as the first of January 1970"] += 1
            return UNDATED

    def _account(self, account: str) -> dict[str, dict[str, dict[str, Any]]]:
        return self.accounts.setdefault(
            account, {**{shape: {} for shape in KINDS}, **{name: {} for name in _RESOURCES}}
        )

    # -- policies of resources ---------------------------------------------------------------------------------------

    def _resource_policy(self, shape: str, value: Mapping[str, Any]) -> None:
        """The policy of a bucket, a key, a queue, a topic or a secret, as the CLI prints it."""
        holder = value["Attributes"] if shape == "Attributes" and isinstance(value["Attributes"], dict) else value
        written = holder.get("ResourcePolicy" if shape == "ResourcePolicy" else "Policy")
        if written is None:
            return
        document = self._document(written, "key" if holder.get("PolicyName") == "default" else "resource", shape)
        if document is None:
            return
        arn = (
            holder.get("ARN") or holder.get("QueueArn") or holder.get("TopicArn") or self._subject(json.loads(document))
        )
        parts = str(arn or "").split(":", 5)
        section = _SERVICES.get(parts[2]) if len(parts) == 6 else None
        owner = parts[4] if section and parts[4] else next(iter(self.accounts)) if len(self.accounts) == 1 else ""
        if section is None or not re.fullmatch(r"\d{12}", owner):
            self.remark(
                shape,
                "the policy of a resource that cannot be told from its text or its file's name, or of no known account",
            )
            return
        name = (
            re.sub(r"^(key|secret):?/?|^secret:", "", parts[5]).partition("/")[0] if section == "Buckets" else parts[5]
        )
        self._account(owner)[section][str(arn)] = _RESOURCES[section](parts, name, document)

    def _subject(self, document: Any) -> str | None:
        """The ARN of the resource that a policy is of: from its statements, or from the name of the file."""
        for statement in _list(document.get("Statement")):
            for text in _list(statement.get("Resource")) if isinstance(statement, dict) else ():
                match = re.match(r"arn:aws:(s3:::[a-z0-9.-]{3,63}|(?:sqs|sns):[a-z0-9-]+:\d{12}:[\w.-]+)", str(text))
                if match:
                    return match[0]
        stem = Path(self.file).stem
        if (
            re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}", stem)
            and len(self.accounts) == 1
        ):
            return f"arn:aws:kms:us-east-1:{next(iter(self.accounts))}:key/{stem}"
        return f"arn:aws:s3:::{stem}" if re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", stem) else None

    # -- an organization ---------------------------------------------------------------------------------------------

    def _of_organization(self, written: Any) -> bool:
        """Whether a list of policies is one of control policies; of a target, if its file names one."""
        entries = [each for each in _list(written) if isinstance(each, dict)]
        if not entries or not all(":organizations:" in str(each.get("Arn")) for each in entries):
            return False
        for target in _IDENTIFIER.findall(Path(self.file).stem)[:1]:
            for each in entries:
                self.attachments.setdefault(str(each.get("Id")), set()).add(target)
        return True

    def _part_of_organization(self, shape: str, written: Any) -> None:
        parent = next(iter(_IDENTIFIER.findall(Path(self.file).stem)), "")
        entries = [each for each in _list(written) if isinstance(each, dict)]
        if shape == "Organization" and entries:
            self.organization = entries[0]
        for each in entries:
            identifier = str(each.get("Id") or each.get("TargetId") or "")
            if not re.fullmatch("o-[a-z0-9]{10,32}|[a-z0-9-]{1,64}", identifier):
                self.remark(f"{shape}[{entries.index(each)}]", "has no ID of AWS's form")
                continue
            if shape == "Roots":
                self.units = {identifier: {"Id": identifier, "Name": str(each.get("Name") or "Root")}, **self.units}
            elif shape == "OrganizationalUnits":
                self.units[identifier] = {
                    "Id": identifier,
                    "Name": str(each.get("Name") or identifier),
                    "ParentId": parent,
                }
            elif shape == "Accounts" and re.fullmatch(r"\d{12}", identifier):
                known = self.members.get(identifier, {})
                self.members[identifier] = {**each, "ParentId": parent or known.get("ParentId", "")}
            elif shape == "Targets" and parent:
                self.attachments.setdefault(parent, set()).add(identifier)

    def _control(self, written: Mapping[str, Any]) -> None:
        summary = written["PolicySummary"] if isinstance(written["PolicySummary"], dict) else {}
        kind = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}.get(str(summary.get("Type")))
        identifier = str(summary.get("Id"))
        if kind is None or not re.fullmatch("p-[A-Za-z0-9]{1,128}", identifier):
            self.remark("Policy.PolicySummary", "is no service control policy and no resource control policy")
            return
        content = self._document(written.get("Content"), kind, "Policy.Content")
        if content is not None:
            self.controls[identifier] = {
                "Id": identifier, "Name": str(summary.get("Name") or identifier), "Type": summary["Type"],
                "Content": content,
            }  # fmt: skip

    # -- the whole ---------------------------------------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        self._take_collected()
        for file_name, shape, value in self.policies:
            self.file = file_name
            self._resource_policy(shape, value)
        if not self.accounts and not self.members:
            why = f"{self.remarks[0]}." if self.remarks else "It names no account."
            what = "a world of the lab, nor what `aws iam get-account-authorization-details` prints"
            raise WorldFileError(f"Nothing here is {what}. {why}")
        for member in self.members:
            self._account(member)
        ours = {policy.arn for policy in aws_managed_policies()}
        accounts = [self._document_of(account, parts, ours) for account, parts in self.accounts.items()]
        for repair, count in self.repairs.items():
            self.remarks.append(Remark("", "", f"{count} × {repair}"))
        world = {"IamLabWorld": 1, "Clock": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "Accounts": accounts}
        organization = self._organization()
        return {**world, "Organizations": [organization]} if organization else world

    def _document_of(self, account: str, parts: dict[str, Any], ours: set[str]) -> dict[str, Any]:
        """An account with what its identities name: policies that nobody has are a remark, and left out."""
        attached: set[str] = set()
        self.file = f"account {account}"
        for shape in ("UserDetailList", "GroupDetailList", "RoleDetailList"):
            for name, entry in parts[shape].items():
                place, arns = f"{KINDS[shape][1]} {name}", dict.fromkeys(entry.pop("_attached"))
                boundary = entry.pop("_boundary", None)
                for arn in [*arns, *([boundary] if boundary else [])]:
                    if arn in self.of_aws or arn in parts["Policies"] or arn in ours:
                        attached.add(arn)
                    else:
                        what = "boundary" if arn == boundary else "policy"
                        self.remark(place, f"the {what} {arn} is in none of the files, and is left out")
                entry["AttachedManagedPolicies"] = [{"PolicyArn": arn} for arn in arns if arn in attached]
                if boundary in attached:
                    entry["PermissionsBoundary"] = {"PermissionsBoundaryArn": boundary}
                for group in [each for each in entry.get("GroupList", ()) if each not in parts["GroupDetailList"]]:
                    self.remark(place, f"the group {group} is in none of the files, and is left out")
                    entry["GroupList"] = [each for each in entry["GroupList"] if each != group]
        policies = [*parts["Policies"].values(), *(self.of_aws[arn] for arn in sorted(attached) if arn in self.of_aws)]
        name = self.members.get(account, {}).get("Name") or (
            "main" if len(self.accounts) == 1 else f"account-{account}"
        )
        sections = {section: list(entries.values()) for section, entries in parts.items() if entries}
        return {"Id": account, "Name": str(name), **sections, **({"Policies": policies} if policies else {})}

    def _organization(self) -> dict[str, Any] | None:
        """The organization in the shape of a world's file; None where none of the answers says who manages it."""
        master = str(self.organization.get("MasterAccountId") or "")
        root = next((unit for unit in self.units.values() if "ParentId" not in unit), None)
        if master not in self.accounts or not re.fullmatch("o-[a-z0-9]{10,32}", str(self.organization.get("Id"))):
            if self.units or self.controls or self.organization:
                why = "describe-organization or the details of the account that manages it are missing"
                self.remarks.append(Remark("", "the organization", why))
            return None
        root = root or {"Id": "r-root", "Name": "Root"}
        placed, waiting = [root], [unit for unit in self.units.values() if unit is not root]
        while waiting:
            known = {unit["Id"] for unit in placed}
            ready = [unit for unit in waiting if unit["ParentId"] in known] or waiting
            for unit in ready:
                placed.append(unit if unit["ParentId"] in known else {**unit, "ParentId": root["Id"]})
            waiting = [unit for unit in waiting if unit not in ready]
        attached: dict[str, list[str]] = {}
        for policy, targets in self.attachments.items():
            for target in targets if policy in self.controls else ():
                attached.setdefault(target, []).append(policy)
        units = [{**unit, "Policies": sorted(attached.get(unit["Id"], []))} for unit in placed]
        known = {unit["Id"] for unit in placed}
        members = [
            {"Id": account, "Name": str(each.get("Name") or account),
             "Email": str(each.get("Email") or f"{account}@example.com"),
             "ParentId": each["ParentId"] if each.get("ParentId") in known else root["Id"], "JoinedMethod": "INVITED",
             "JoinedTimestamp": self._date(each.get("JoinedTimestamp")), "Policies": sorted(attached.get(account, []))}
            for account, each in {master: {}, **self.members}.items()
        ]  # fmt: skip
        kinds = sorted({policy["Type"] for policy in self.controls.values()})
        return {
            "Id": self.organization["Id"], "MasterAccountId": master, "FeatureSet": "ALL", "EnabledPolicyTypes": kinds,
            "Policies": list(self.controls.values()), "OrganizationalUnits": units, "Accounts": members,
        }  # fmt: skip

    def _take_collected(self) -> None:
        """The folders of iam-collect, one for each identity: what a file is, its content tells."""
        for folder, parts in self.collected.items():
            account, kind = parts.pop("").groups()
            shape = next(shape for shape, (_, name, _) in KINDS.items() if name == kind)
            start, metadata = KINDS[shape][0], parts.pop("metadata", {})
            lower = {str(name).lower(): value for name, value in metadata.items()} if isinstance(metadata, dict) else {}
            entry: dict[str, Any] = {
                "Arn": lower.get("arn"), f"{start}Id": lower.get("id"), "CreateDate": lower.get("created"),
                f"{start}PolicyList": [], "AttachedManagedPolicies": [], "GroupList": [], "PolicyVersionList": [],
                "PermissionsBoundary": lower.get("permissionboundary") or lower.get("permissionsboundary"),
            }  # fmt: skip
            for name, value in parts.items():
                for each in _list(value):
                    if isinstance(each, dict) and "PolicyDocument" in each:
                        entry[f"{start}PolicyList"].append(each)
                    elif isinstance(each, dict) and "Statement" in each and kind == "policy":
                        entry["PolicyVersionList"] = [{"VersionId": "v1", "IsDefaultVersion": True, "Document": each}]
                    elif isinstance(each, dict) and "Statement" in each:
                        entry["AssumeRolePolicyDocument"] = each
                    elif _policy_arn(each) and ":policy/" in str(_policy_arn(each)):
                        entry["AttachedManagedPolicies"].append(each)
                    elif isinstance(each, str) and ":group/" in each:
                        entry["GroupList"].append(each.rpartition("/")[2])
                    elif name == "tags":
                        entry["Tags"] = value
            self.file = folder
            self._identity(shape, entry, "", account)


def _decoded(content: bytes) -> str:
    """Text in UTF-8 or UTF-16, with or without a mark; PowerShell writes the latter."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    if content[1:2] == b"\0" or content[:1] == b"\0":
        return content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-16-be")
    return content.decode("utf-8-sig")


def _parsed(text: str, suffix: str) -> Iterator[Any]:
    """The values of a text: JSON, one or several after each other, else YAML."""
    if not text.strip():
        raise ValueError("it is empty")
    position, length, decoder = (
        len(text) - len(text.lstrip()),
        len(text),
        json.JSONDecoder(parse_constant=file.no_number),
    )
    if suffix in (".yaml", ".yml") or text[position : position + 1] not in ("{", "["):
        import yaml  # late: awscli brings it

        try:
            yield from yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from None
        return
    while position < length:
        value, end = decoder.raw_decode(text, position)
        yield value
        position = length - len(text[end:].lstrip(" \t\r\n,"))


def _owner(value: Mapping[str, Any]) -> str:
    """The account that most of the ARNs in an answer are of."""
    arns = (str(entry.get("Arn")) for shape in KINDS for entry in _list(value.get(shape)) if isinstance(entry, dict))
    owners = Counter(match[1] for match in map(_IAM_ARN.fullmatch, arns) if match and match[1] != "aws")
    return owners.most_common(1)[0][0] if owners else ""


def _list(value: Any) -> list[Any]:
    """A list, of one where somebody has written the thing itself."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _tags(written: Any) -> list[dict[str, str]]:
    pairs = written.items() if isinstance(written, dict) else [
        (each.get("Key"), each.get("Value")) for each in _list(written) if isinstance(each, dict)
    ]  # fmt: skip
    return [
        {"Key": str(key), "Value": str(value or "")}
        for key, value in {str(key): value for key, value in pairs}.items()
        if key
    ]


def _policy_arn(written: Any) -> str | None:
    """The ARN of an attached policy or a boundary, however it is written."""
    if isinstance(written, dict):
        names = {str(name).lower(): value for name, value in written.items()}
        written = names.get("policyarn") or names.get("permissionsboundaryarn") or names.get("arn")
    return written if isinstance(written, str) and re.fullmatch(r"arn:aws:[\x21-\x7e]+", written) else None


def _region(parts: list[str]) -> str:
    return parts[3] or "us-east-1"


_SERVICES = {"s3": "Buckets", "kms": "Keys", "sqs": "Queues", "sns": "Topics", "secretsmanager": "Secrets"}
_RESOURCES = {  # section of a world's file → an entry of it that is nothing but its policy
    "Buckets": lambda parts, name, policy: {
        "Name": name, "Region": _region(parts), "CreationDate": UNDATED, "Policy": policy,
    },
    "Keys": lambda parts, name, policy: {
        "Region": _region(parts), "KeyId": name.removeprefix("key/"), "Policy": policy, "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled", "Enabled": True, "CreationDate": 0,
        "KeyMaterial": base64.b64encode(hashlib.sha256(name.encode()).digest()).decode(),
    },
    "Queues": lambda parts, name, policy: {
        "Region": _region(parts), "QueueName": name, "CreatedTimestamp": 0, "Policy": policy,
    },
    "Topics": lambda parts, name, policy: {
        "Region": _region(parts), "TopicName": name, "Policy": policy,
    },
    "Secrets": lambda parts, name, policy: {
        "Region": _region(parts), "Name": re.sub("^secret:|-[A-Za-z0-9]{6}$", "", name), "ARN": ":".join(parts),
        "ResourcePolicy": policy,
    },
}  # fmt: skip
