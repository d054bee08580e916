"""What a responder cuts off: access keys, machines, sessions and roles, each with the button that the console has.

`Containment` is plain Python. What it lists is read from the world without a call, so that the trail stays as it is;
what a button does are ordinary calls of the account's administrator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.cloud.credentials.lifetimes import INACTIVE, VALID
from simlib.cloud.world import ADMINISTRATOR

from .attempts import attempt
from .lesson_worlds import deny
from .look import button, notice, panel_card
from .page import Part, el
from .panel import Commands, Panel

if TYPE_CHECKING:
    from simlib.cloud import Cloud

REVOKED = "AWSRevokeOlderSessions"  # the console's name for the policy that revokes sessions
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html


@dataclass(frozen=True)
class Row:
    """A thing that can be cut off: its ID or ARN, what it is, what is known of it, its account, and its buttons
    (command, label)."""

    value: str
    what: str
    known: str
    account: str
    buttons: tuple[tuple[str, str], ...]
    owner: str = ""  # whose key it is


class Containment(Panel):
    """The keys of users, the running machines and the roles of some accounts, with buttons to cut each off.

    `accounts` are names; the administrators of the lab itself are left out. `note` says what came of the last button.
    The methods take the ID or the ARN of a row, and raise `LookupError` for others.
    """

    def __init__(self, world: Cloud, *, accounts: Sequence[str]) -> None:
        super().__init__()
        self.world, self.note = world, ""
        self.accounts = {each.id: each for each in map(world.account, accounts)}

    # -- what there is -------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[Row]:
        return [*self._keys(), *self._machines(), *self._roles()]

    def _keys(self) -> Iterator[Row]:
        last_calls = {event.access_key_id: event for event in self.world.trail}
        buttons = {VALID: ("deactivate", "Deactivate"), INACTIVE: ("activate", "Activate")}
        for each in self.world.credentials():
            state = each.state(self.world.clock.now)
            if each.expires or not self._is_shown(each.arn) or state not in buttons:
                continue
            call, owner = last_calls.get(each.access_key_id), each.arn.rpartition("/")[2]
            facts = f"last used {call.when:%d %b %H:%M} UTC from {call.source_ip}" if call else "never used"
            what = f"key {each.access_key_id} of {self._title(each.arn)}, created {each.born:%d %b %Y}"
            facts = f"inactive, {facts}" if state == INACTIVE else facts
            yield Row(each.access_key_id, what, facts, each.account, (buttons[state], ("delete_key", "Delete")), owner)

    def _machines(self) -> Iterator[Row]:
        for arn in self.world.inspect.resources():
            _, machine, name = arn.rpartition(":instance/")
            facts = self.world.instance_facts(name) if machine and self._is_shown(arn) else None
            if facts and facts.running:
                words = f"runs with the role {facts.role.name}" if facts.role else "runs with no role"
                yield Row(name, f"machine {name}", words, facts.account, (("terminate", "Terminate"),))

    def _roles(self) -> Iterator[Row]:
        now, credentials = self.world.clock.now, self.world.credentials()
        buttons = (("revoke", "Revoke active sessions"), ("delete_role", "Delete role"))
        for role in self.world.inspect.principals():
            if role.kind != "role" or not self._is_shown(role.arn):
                continue
            session = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/"
            valid = sum(each.arn.startswith(session) and each.state(now) == VALID for each in credentials)
            facts = f"{valid or 'no'} valid session{'' if valid == 1 else 's'}"
            yield Row(role.arn, f"role {self._title(role.arn)}", facts, role.account, buttons, role.name)

    def _is_shown(self, arn: str) -> bool:
        return arn.split(":")[4] in self.accounts and not arn.endswith(f"user/{ADMINISTRATOR}")

    def _title(self, arn: str) -> str:
        return f"{arn.rpartition('/')[2]} ({self.world.account_name(arn.split(':')[4])})"

    # -- the buttons ---------------------------------------------------------------------------------------------------

    def deactivate(self, access_key_id: str) -> None:
        """Make an access key inactive; it can be activated again."""
        self._turn(access_key_id, "deactivate", "Inactive")

    def activate(self, access_key_id: str) -> None:
        """Make an inactive access key active again."""
        self._turn(access_key_id, "activate", "Active")

    def _turn(self, access_key_id: str, verb: str, status: str) -> None:
        row, iam = self._row(access_key_id)
        names = {"UserName": row.owner, "AccessKeyId": access_key_id}
        self._do(f"{verb} {access_key_id}", iam.update_access_key, **names, Status=status)

    def delete_key(self, access_key_id: str) -> None:
        """Delete an access key."""
        row, iam = self._row(access_key_id)
        names = {"UserName": row.owner, "AccessKeyId": access_key_id}
        self._do(f"delete {access_key_id}", iam.delete_access_key, **names)

    def terminate(self, instance_id: str) -> None:
        """Terminate an EC2 instance."""
        row, facts = self._row(instance_id)[0], self.world.instance_facts(instance_id)
        ec2 = self.accounts[row.account].admin.client("ec2", region_name=facts.region if facts else None)
        self._do(f"terminate {instance_id}", ec2.terminate_instances, InstanceIds=[instance_id])

    def revoke(self, arn: str) -> None:
        """Deny everything to the sessions of a role that began before now, as the console's button does."""
        row, iam = self._row(arn)
        older = {"DateLessThan": {"aws:TokenIssueTime": f"{self.world.clock.now:%Y-%m-%dT%H:%M:%SZ}"}}
        names = {"RoleName": row.owner, "PolicyName": REVOKED, "PolicyDocument": deny("*", Condition=older)}
        self._do(f"revoke the sessions of {self._title(arn)}", iam.put_role_policy, **names)

    def delete_role(self, arn: str) -> None:
        """Delete a role, with its policies, and out of its instance profiles, as the console does."""
        row, iam = self._row(arn)
        of = {"RoleName": row.owner}

        def deleted() -> None:
            for name in iam.list_role_policies(**of)["PolicyNames"]:
                iam.delete_role_policy(**of, PolicyName=name)
            for policy in iam.list_attached_role_policies(**of)["AttachedPolicies"]:
                iam.detach_role_policy(**of, PolicyArn=policy["PolicyArn"])
            for profile in iam.list_instance_profiles_for_role(**of)["InstanceProfiles"]:
                iam.remove_role_from_instance_profile(**of, InstanceProfileName=profile["InstanceProfileName"])
            iam.delete_role(**of)

        self._do(f"delete the role {self._title(arn)}", deleted)

    def _row(self, value: str) -> tuple[Row, Any]:
        """A row, and IAM as the administrator of its account."""
        row = next((each for each in self.rows if each.value == value), None)
        if row is None:
            raise LookupError(f"There is nothing of the name {value} to cut off in these accounts.")
        return row, self.accounts[row.account].admin.client("iam")

    def _do(self, what: str, call: Callable[..., Any], **names: Any) -> None:
        outcome = attempt(call, **names)
        self.note = f"Done: {what}." if outcome.allowed else f"AWS refused to {what}: {outcome.message}"
        self._draw()

    # -- as text and on the screen -------------------------------------------------------------------------------------

    def page(self) -> Part:
        """Where a row goes, its focus goes to the row above or to the one that takes its place."""
        rows = [
            el(
                "li.sl-req",
                el("span.sl-what", el("b", row.what, el("br"), el("span.sl-dim.sl-small", row.known))),
                el(
                    "span.sl-ends",
                    [
                        button(do, label, value=row.value, data_at=f"{at} {column}", key=f"at-{at}-{column}")
                        for column, (do, label) in enumerate(row.buttons)
                    ],
                    on="live",
                ),
                key=row.value,
                text=f"{row.what}: {row.known}. {', '.join(f'.{do}({row.value!r})' for do, _ in row.buttons)}",
            )
            for at, row in enumerate(self.rows)
        ]
        nothing = el("p.sl-dim", "There is nothing left to cut off.", tabindex="-1", data_home=True)
        listed = el("ul.sl-reqs", rows) if rows else nothing
        return panel_card("Keys, machines and roles", notice(self.note), el("div.sl-pane", listed))

    @property
    def commands(self) -> Commands:
        return {
            do: getattr(self, do)
            for do in ("deactivate", "activate", "delete_key", "terminate", "revoke", "delete_role")
        }

    def follow(self) -> None:
        self._draw()
