"""What IAM's rules (rules.toml) ask about what moto stores, and whose names in policies change with a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simlib.cloud.call_context import CallContext
from simlib.cloud.services import named_principals
from simlib.cloud.services.rules import CallFacts, checks
from simlib.cloud.storage.iam_entities import backend, entity, rename_user

# The collections in which moto keeps the kinds of entities.
_KEPT = {"User": "users", "Group": "groups", "Role": "roles", "InstanceProfile": "instance_profiles",
         "Policy": "managed_policies"}  # fmt: skip
_HOLDERS = ("User", "Role", "Group")


class _Iam(CallFacts):
    """What a call names, as moto keeps it: None where it names none, or none is there."""

    user: Any
    holder: Any

    def __init__(self, context: CallContext) -> None:
        super().__init__(context)
        self.moto = backend(self.account)
        self.user, self.group, self.role, self.profile = (
            entity(self.account, _KEPT[kind], str(self[f"{kind}Name"])) if self[f"{kind}Name"] else None
            for kind in ("User", "Group", "Role", "InstanceProfile")
        )
        self.policy, self.boundary = map(
            self.moto.managed_policies.get, (self["PolicyArn"], self["PermissionsBoundary"])
        )
        self.device = self.moto.virtual_mfa_devices.get(self["SerialNumber"])
        self.key = self.moto.access_keys.get(self["AccessKeyId"])
        self.kind = next((kind for kind in _HOLDERS if self[f"{kind}Name"]), "")
        self.noun, self.holder = self.kind.lower(), getattr(self, self.kind.lower(), None)

    @property
    def names(self) -> list[str]:
        """Those of the kind that a call makes or renames; AWS's own policies have theirs to themselves."""
        collection = getattr(self.moto, _KEPT[self.operation[6:]])
        return [each.name for each in collection.values() if not each.arn.startswith("arn:aws:iam::aws:")]

    @property
    def is_taken(self) -> bool:
        """Names differ in more than their capitals; what is renamed may keep its own."""
        own = self[f"{self.operation[6:]}Name"]
        new = self[f"New{self.operation[6:]}Name"] if self.operation.startswith("Update") else own
        return str(new).lower() in {name.lower() for name in self.names if new is own or name != own}

    @property
    def groups(self) -> list[Any]:
        return [group for group in self.moto.groups.values() if self.user in group.users]

    @property
    def profiles(self) -> list[Any]:
        return [profile for profile in self.moto.instance_profiles.values() if self.role in profile.roles]

    @property
    def is_bounding(self) -> bool:
        bounded = (*self.moto.users.values(), *self.moto.roles.values())
        return any(getattr(each, "permissions_boundary_arn", None) == self["PolicyArn"] for each in bounded)

    @property
    def tag_keys(self) -> set[str]:
        return {tag["Key"].lower() for tag in (*(self.holder.tags or ()), *self["Tags"])}

    @property
    def inline_size(self) -> int:
        """How many bytes of inline policies there will be, which share one quota; white space is not counted."""
        from simlib.iam import json_text, validation  # late: only writing needs it

        kept = {**self.holder.policies, self["PolicyName"]: self["PolicyDocument"]}
        located = [json_text.parse(str(text)) for text in kept.values()]
        return sum(validation.size(document.value, document) for document in located)

    @property
    def provider(self) -> Any:
        name = str(self["Url"]).removeprefix("https://").rstrip("/")
        arn = self["OpenIDConnectProviderArn"] or f"arn:aws:iam::{self.account}:oidc-provider/{name}"
        return self.moto.open_id_providers.get(arn)


def _forget(context: CallContext) -> None:
    """Policies that name whom a call deletes get the unique ID instead."""
    named_principals.replace(_Iam(context).holder.arn, _Iam(context).holder.id)


def _rename(context: CallContext) -> None:
    """Policies that name a user follow its new name and path."""
    facts = _Iam(context)
    user, old = facts.user, facts.user.arn
    named_principals.replace(
        old, rename_user(user, str(facts["NewPath"] or user.path), str(facts["NewUserName"] or user.name))
    )


BEFORE: Mapping[str, Callable[[CallContext], None]] = {
    **checks("iam", _Iam),
    **checks("ec2", _Iam),
    "iam:DeleteUser": _forget,
    "iam:DeleteRole": _forget,
    "iam:UpdateUser": _rename,
}
