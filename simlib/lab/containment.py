"""What a responder cuts off: access keys, machines, sessions and roles, each with the button that the console has.

`Containment` is plain Python. What it lists is read from the world without a call, so that the trail stays as it is;
what a button does are ordinary calls of the account's administrator.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.cloud.credentials.lifetimes import VALID

from .attempts import attempt
from .look import button, panel_card
from .page import Part, el
from .panel import Commands, Panel

if TYPE_CHECKING:
    from simlib.cloud import Cloud

REVOKED = "AWSRevokeOlderSessions"  # the console's name for the policy that revokes sessions
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html


@dataclass(frozen=True)
class Row:
    """A thing that can be cut off: what it is, what is known of it, and its buttons (command, label)."""

    value: str
    what: str
    known: str
    buttons: tuple[tuple[str, str], ...]


class Containment(Panel):
    """The keys of users, the running machines and the roles of some accounts, with buttons to cut each off.

    `accounts` are names; the administrators of the lab itself are left out. `note` says what came of the last button.
    """

    def __init__(self, world: Cloud, *, accounts: Sequence[str]) -> None:
        super().__init__()
        self.world, self.accounts, self.note = world, [world.account(name) for name in accounts], ""

    # -- what there is -------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[Row]:
        return [*self._keys(), *self._machines(), *self._roles()]

    def _keys(self) -> Iterator[Row]:
        last = {event.access_key_id: event for event in self.world.trail}
        for each in self.world.credentials():
            if each.expires or not self._mine(each.arn) or each.state(self.world.clock.now) != VALID:
                continue
            used = last.get(each.access_key_id)
            known = f"last used {used.when:%d %b %H:%M} UTC from {used.source_ip}" if used else "never used"
            what = f"key {each.access_key_id} of {self._called(each.arn)}, created {each.born:%d %b %Y}"
            yield Row(each.access_key_id, what, known, (("deactivate", "Deactivate"), ("delete_key", "Delete")))

    def _machines(self) -> Iterator[Row]:
        for arn in self.world.inspect.resources():
            instance_id = arn.rpartition(":instance/")[2]
            facts = self.world.instance_facts(instance_id) if instance_id != arn and self._mine(arn) else None
            if facts and facts.running:
                role = f"the role {facts.role.name}" if facts.role else "no role"
                yield Row(instance_id, f"machine {instance_id}", f"runs with {role}", (("terminate", "Terminate"),))

    def _roles(self) -> Iterator[Row]:
        now, credentials = self.world.clock.now, self.world.credentials()
        for role in self.world.inspect.principals():
            if role.kind != "role" or not self._mine(role.arn):
                continue
            session = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/"
            still = sum(each.arn.startswith(session) and each.state(now) == VALID for each in credentials)
            known = f"{still or 'no'} valid session{'' if still == 1 else 's'}"
            buttons = (("revoke", "Revoke active sessions"), ("delete_role", "Delete role"))
            yield Row(role.arn, f"role {self._called(role.arn)}", known, buttons)

    def _mine(self, arn: str) -> bool:
        return arn.split(":")[4] in {each.id for each in self.accounts} and not arn.endswith("user/lab-admin")

    def _called(self, arn: str) -> str:
        return f"{arn.rpartition('/')[2]} ({self.world.account_name(arn.split(':')[4])})"

    # -- the buttons ---------------------------------------------------------------------------------------------------

    def deactivate(self, access_key_id: str) -> None:
        """Make an access key inactive; it can be activated again."""
        key = self._key(access_key_id)
        self._do(
            f"deactivate {access_key_id}", self._iam(key["arn"]).update_access_key, **key["names"], Status="Inactive"
        )

    def delete_key(self, access_key_id: str) -> None:
        """Delete an access key."""
        key = self._key(access_key_id)
        self._do(f"delete {access_key_id}", self._iam(key["arn"]).delete_access_key, **key["names"])

    def terminate(self, instance_id: str) -> None:
        """Terminate an EC2 instance."""
        facts = self.world.instance_facts(instance_id)
        if facts is None:
            raise LookupError(f"There is no instance {instance_id}.")
        ec2 = self._admin(facts.account).client("ec2", region_name=facts.region)
        self._do(f"terminate {instance_id}", ec2.terminate_instances, InstanceIds=[instance_id])

    def revoke(self, arn: str) -> None:
        """Deny everything to the sessions of a role that began before now, as the console's button does."""
        older = {"DateLessThan": {"aws:TokenIssueTime": f"{self.world.clock.now:%Y-%m-%dT%H:%M:%SZ}"}}
        deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": older}
        document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        names = {"RoleName": arn.rpartition("/")[2], "PolicyName": REVOKED, "PolicyDocument": document}
        self._do(f"revoke the sessions of {self._called(arn)}", self._iam(arn).put_role_policy, **names)

    def delete_role(self, arn: str) -> None:
        """Delete a role, with its policies, and out of its instance profiles, as the console does."""
        self._do(f"delete the role {self._called(arn)}", self._deleted, iam=self._iam(arn), role=arn.rpartition("/")[2])

    def _deleted(self, iam: Any, role: str) -> None:
        of = {"RoleName": role}
        for name in iam.list_role_policies(**of)["PolicyNames"]:
            iam.delete_role_policy(**of, PolicyName=name)
        for policy in iam.list_attached_role_policies(**of)["AttachedPolicies"]:
            iam.detach_role_policy(**of, PolicyArn=policy["PolicyArn"])
        for profile in iam.list_instance_profiles_for_role(**of)["InstanceProfiles"]:
            iam.remove_role_from_instance_profile(**of, InstanceProfileName=profile["InstanceProfileName"])
        iam.delete_role(**of)

    def _key(self, access_key_id: str) -> dict[str, Any]:
        arn = next((each.arn for each in self.world.credentials() if each.access_key_id == access_key_id), "")
        if not arn or not self._mine(arn):
            raise LookupError(f"There is no access key {access_key_id} in these accounts.")
        return {"arn": arn, "names": {"UserName": arn.rpartition("/")[2], "AccessKeyId": access_key_id}}

    def _iam(self, arn: str) -> Any:
        return self._admin(arn.split(":")[4]).client("iam")

    def _admin(self, account: str) -> Any:
        return next(each.admin for each in self.accounts if each.id == account)

    def _do(self, what: str, call: Callable[..., Any], **names: Any) -> None:
        done = attempt(call, **names)
        self.note = f"Done: {what}." if done.allowed else f"AWS refused to {what}: {done.message}"
        self._draw()

    # -- as text and on the screen -------------------------------------------------------------------------------------

    def page(self) -> Part:
        rows = [
            el(
                "li.sl-req",
                el("span"),
                el("span.sl-what", el("b", row.what), el("br"), el("span.sl-dim.sl-small", row.known)),
                el("span.sl-ends", [button(do, label, value=row.value) for do, label in row.buttons], on="live"),
                key=row.value,
                text=f"{row.what}: {row.known}. {', '.join(f'.{do}({row.value!r})' for do, _ in row.buttons)}",
            )
            for row in self.rows
        ]
        note = el("p.sl-draft", self.note, role="status", key="note") if self.note else None
        return panel_card("Cut off", note, el("div.sl-pane", el("ul.sl-reqs", rows)))

    @property
    def commands(self) -> Commands:
        return {do: getattr(self, do) for do in ("deactivate", "delete_key", "terminate", "revoke", "delete_role")}

    def follow(self) -> None:
        self._draw()
