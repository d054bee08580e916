"""Ways to power: who can become more than they are, by which permissions, as the gate itself decides.

A `Finder` looks for every row of `escalation.toml` in a world, such as a dump of an account that `Cloud.load` has
opened; boundaries, SCPs, conditions and denies count. `walking.walk` performs what is found.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from simlib.audit.arns import Arns, account_of, name_of
from simlib.audit.facts import EVERYTHING, Facts, Identity
from simlib.audit.grants import NOTHING, Grant, only_if
from simlib.cloud.inspection import Place
from simlib.cloud.permissions.service_table import reference_of
from simlib.cloud.storage import iam_entities
from simlib.cloud.storage.stored import cached_policy
from simlib.iam import Evaluation, service_data

ROWS: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
REGION = "us-east-1"
#: What is done to somebody whose permissions are gained.
TARGETED = tuple(dict.fromkeys(["iam:PassRole", *(ask.partition(" ")[0] for row in ROWS.values() for ask in row["asks"]
                                                  if ask.endswith(" {target}"))]))  # fmt: skip
#: What a service starts that runs as a role.
COMPUTE = {"ec2": "machine", "lambda": "function", "ecs-tasks": "task of ECS", "cloudformation": "stack",
           "codebuild": "build", "glue": "Glue job", "sagemaker": "SageMaker job"}  # fmt: skip
#: What somebody with any permission can do, and the call that shows it: action, resource, method, parameters.
PROOFS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("iam:CreateGroup", "arn:aws:iam::{account}:group/proof", "create_group", {"GroupName": "proof"}),
    ("s3:CreateBucket", "arn:aws:s3:::proof-of-any-permission", "create_bucket", {"Bucket": "proof-of-any-permission"}),
    ("sns:CreateTopic", f"arn:aws:sns:{REGION}:{{account}}:proof", "create_topic", {"Name": "proof"}),
    ("sqs:CreateQueue", f"arn:aws:sqs:{REGION}:{{account}}:proof", "create_queue", {"QueueName": "proof"}),
    ("kms:CreateKey", "*", "create_key", {}),
    ("ec2:CreateKeyPair", f"arn:aws:ec2:{REGION}:{{account}}:key-pair/proof", "create_key_pair", {"KeyName": "proof"}),
)


@dataclass(frozen=True, repr=False)
class Way:
    """One way to power.

    `id`: the row; `principal`: the ARN of who has it; `target`: the ARN of the user, role or group whose permissions
    are gained, or through whom any permission is; `policy` and `thing`: the managed policy that is rewritten, the
    function or instance that is used, "" where there is none. `asks`: every action, with the resource it was allowed
    on. `needs`: what else has to be so, in words: conditions to meet, and what the world does not hold.
    `whole`: the gain is everything the account's root user may do. `evaluations`: the decisions on `asks`.
    """

    id: str
    principal: str
    target: str
    policy: str
    thing: str
    asks: tuple[tuple[str, str], ...]
    needs: tuple[str, ...] = ()
    whole: bool = False
    evaluations: tuple[Evaluation, ...] = field(default=(), compare=False)

    @property
    def is_supposed(self) -> bool:
        """Whether it takes a machine, function or stack that the world does not hold, but a dump may not show."""
        return ROWS[self.id]["on"] == "running" and not self.thing

    @property
    def gains(self) -> str:
        """``any``: any permission, as far as boundary and SCPs let it; ``target``: what the target may do."""
        return str(ROWS[self.id]["gains"])

    def __repr__(self) -> str:
        return self.sentence

    @property
    def does(self) -> str:
        """What is done: "makes an access key for alice"."""
        names = {
            "target": Name(self.target),
            "policy": Name(self.policy),
            "thing": self.thing or f"a {compute_of(ROWS[self.id])}",
        }
        return str(ROWS[self.id]["title"].format(**names))

    @property
    def actions(self) -> str:
        return ", ".join(dict.fromkeys(action for action, _ in self.asks))

    @property
    def summary(self) -> str:
        """What is done, by which actions, under which conditions."""
        return f"{self.does} ({self.actions}){only_if(self.needs)}"

    @property
    def sentence(self) -> str:
        """Who does what."""
        return f"{name_of(self.principal)} of account {account_of(self.principal)} {self.summary}"


def compute_of(row: Mapping[str, Any]) -> str:
    prefix = str(row.get("service", "")).partition(".")[0]
    return COMPUTE.get(prefix, f"thing of {prefix}")


@cache
def actions_of(row: str) -> list[str]:
    return [ask.partition(" ")[0] for ask in ROWS[row]["asks"]]


class Name(str):
    """An ARN; its last part is its `name`."""

    @property
    def name(self) -> str:
        return name_of(self)


class Target(NamedTuple):
    """Whom or what a row is about: a user, role or group, a managed policy, a thing; and what is not there for it."""

    arn: str
    policy: str = ""
    thing: str = ""
    missing: tuple[str, ...] = ()


class Finder:
    """Looks for the rows in what is known of a world."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.proofs, self.trust_of = cache(self._proofs), cache(self._trust_of)
        self.running = Arns.by((f"{each.service} {each.runs_as}", each.arn) for each in facts.things.values()
                               if each.runs_as)  # fmt: skip

    def lacking(self, who: str, account: str, instead: Mapping[Place, Any] = NOTHING) -> Iterator[tuple[str, str]]:
        """What the account's root user may do and somebody may not; nothing of it where they are an administrator."""
        return (ask for ask in self.proofs(account) if self.facts.grant(who, *ask, instead=instead) is None)

    def _proofs(self, account: str) -> list[tuple[str, str]]:
        """What the account's root user may do."""
        asks = [(action, resource.format(account=account)) for action, resource, *_ in PROOFS]
        return [ask for ask in asks if self.facts.grant(f"arn:aws:iam::{account}:root", *ask)]

    def administrator(self, who: str, identity: Identity) -> tuple[str, ...] | None:
        """The conditions under which somebody may do all that the root user may, mostly none; None where they may not.

        A service-linked role is nobody's to use.
        """
        if identity.is_service_linked or not identity.patterns(PROOFS[0][0]):
            return None
        needs: dict[str, None] = {}
        for ask in self.proofs(identity.account):
            grant = self.facts.grant(who, *ask)
            if grant is None:
                return None
            needs |= dict.fromkeys(grant.needs)
        return tuple(needs)

    def ways(self, caller: Identity, who: str = "", *, brief: bool = False) -> Iterator[Way]:
        """The ways of a user or role, asked as `who`, a session of it say, where that is somebody else.

        `brief`: of who can have any permission there is, nothing more but the roles they may assume.
        """
        who = who or caller.arn
        rows = {} if caller.is_service_linked else ROWS
        if self.administrator(who, caller) is not None:
            rows = {"sts-001": ROWS["sts-001"]} if brief else {}
        lacking: list[tuple[str, str]] | None = None
        owns = False
        for name, row in rows.items():
            # who a trust policy names needs no permission of its own to assume the role
            if name != "sts-001" and ((brief and owns) or not all(map(caller.patterns, actions_of(name)))):
                continue
            for target in self._targets(caller, row):
                asks = tuple(_asks(row, caller, target))
                grants = self._grants(who, row, asks, target.arn)
                if grants is None:
                    continue
                whole = False
                if row["gains"] == "any":
                    lacking = list(self.lacking(who, caller.account)) if lacking is None else lacking
                    holder = caller.arn if row["on"] in ("self", "policy", "group") else target.arn
                    more = {Place(holder, "identity", "more"): cached_policy(EVERYTHING, "identity", "more")}
                    missing = set(self.lacking(holder, caller.account, more))
                    if missing.issuperset(lacking):
                        continue
                    whole = not missing
                    owns = owns or whole
                needs = dict.fromkeys([*(each for grant in grants for each in grant.needs), *target.missing])
                evaluations = tuple(grant.evaluation for grant in grants)
                yield Way(name, who, *target[:3], asks, tuple(needs), whole, evaluations)

    def _targets(self, caller: Identity, row: Mapping[str, Any]) -> Iterator[Target]:
        """Whom or what a row could be about."""
        on, service = row["on"], row.get("service", "")
        if on == "self" and caller.kind == row["who"]:
            yield Target(caller.arn)
        elif on == "policy":
            yield from (Target(caller.arn, policy) for policy in caller.managed)
        elif on in ("group", "other group") and caller.kind == "user":
            groups = self.facts.groups[caller.account]
            yield from (Target(group) for group in groups if (group in caller.stored.groups) is (on == "group"))
        elif on in ("user", "role", "role policy"):
            changes = any(ask.startswith("iam:") and ask.endswith(" {target}") for ask in row["asks"])
            for each in self._others(caller, row):
                fits = each.kind == on.split()[0] and each is not caller and self._fits(row, each, caller)
                if fits and not (changes and each.is_of_aws):
                    yield from (Target(each.arn, policy) for policy in (each.managed if on == "role policy" else [""]))
        elif on == "passed":
            for each in self._trusting(caller, service, caller.patterns("iam:PassRole")):
                if self._fits(row, each, caller) and not each.is_of_aws:
                    yield Target(each.arn)
        elif on == "running":
            for each in self._trusting(caller, service, ["*"]):
                things = self.running.get(f"{service.partition('.')[0]} {each.arn}", Arns()).arns
                yield from [Target(each.arn, thing=thing) for thing in things] or [
                    Target(each.arn, missing=(f"a {compute_of(row)} runs as it",))
                ]

    def _others(self, caller: Identity, row: Mapping[str, Any]) -> Iterator[Identity]:
        """Whom an action of the row on its target may mean; of several actions, one that few are open to."""
        actions = [ask.partition(" ")[0] for ask in row["asks"] if ask.endswith(" {target}")]
        if "sts:AssumeRole" in actions:
            arns = self.assumable(caller)
        else:
            arns = self.facts.of_account[caller.account].all_matching(caller.patterns(actions[0]))
        return (self.facts.identities[arn] for arn in arns)

    def assumable(self, caller: Identity) -> dict[str, None]:
        """Roles that name the caller, and those that leave it to its account, whose policies then name the role."""
        trusting, own = self.facts.trusting, f":{caller.account}:"
        names = (caller.arn, f"arn:aws:iam::{caller.account}:role/{caller.name}")  # or a session of it
        roles = dict.fromkeys(arn for name in names if name in trusting for arn in trusting[name].arns)
        roles |= dict.fromkeys(arn for arn in trusting.get("*", Arns()).arns if own in arn)
        patterns = caller.patterns("sts:AssumeRole")
        for name in (caller.account, "*"):
            roles |= trusting.get(name, Arns()).all_matching(patterns)
        return roles

    def _trusting(self, caller: Identity, service: str, patterns: Iterable[str]) -> Iterator[Identity]:
        for arn in self.facts.trusting.get(service, Arns()).all_matching(patterns):
            each = self.facts.identities[arn]
            if each.account == caller.account and each is not caller and self.trust_of(service, arn):
                yield each

    def _trust_of(self, service: str, role: str) -> Grant | None:
        """The decision by which a service may assume a role."""
        return self.facts.grant(service, "sts:AssumeRole", role)

    def _fits(self, row: Mapping[str, Any], target: Identity, caller: Identity) -> bool:
        """Whether the target has what a row needs of it besides permissions."""
        backend, needs = iam_entities.backend(target.account), row.get("needs")
        if needs in ("no password", "a password"):
            anybody = any(user.password for user in backend.users.values())
            return not anybody or bool(backend.users[target.name].password) is (needs == "a password")
        if row.get("service") == "ec2.amazonaws.com":
            profiles = backend.instance_profiles.values()
            profile = f"arn:aws:iam::{target.account}:instance-profile/new"
            return any(target.arn in [role.arn for role in each.roles] for each in profiles) or all(
                self.facts.ask(caller.arn, action, profile).allowed
                for action in ("iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile")
            )
        return True

    def _grants(
        self, who: str, row: Mapping[str, Any], asks: Iterable[tuple[str, str]], target: str
    ) -> list[Grant] | None:
        """The decisions that allow all of it; None where one does not, whatever conditions are met."""
        instead: dict[Place, Any] = {}
        if rewrites_trust(row):
            instead = {Place(target, "trust"): cached_policy(trust(who), "trust", "the rewritten trust policy")}
            asks = [*asks, ("sts:AssumeRole", target)]
        grants = []
        for action, resource in asks:
            context = {"iam:PassedToService": row["service"]} if action == "iam:PassRole" else NOTHING
            grant = self.facts.grant(who, action, resource, context, instead)
            if grant is None:
                return None
            grants.append(grant)
        return grants


def rewrites_trust(row: Mapping[str, Any]) -> bool:
    return "{trust}" in str(row.get("walk"))


def trust(arn: str) -> str:
    """A trust policy that lets somebody in."""
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _asks(row: Mapping[str, Any], caller: Identity, target: Target) -> Iterator[tuple[str, str]]:
    """Every action with the resource it is asked on."""
    if row["on"] == "passed":
        yield "iam:PassRole", target.arn
    words = {"self": caller.arn, "target": target.arn, "policy": target.policy, "thing": target.thing}
    for ask in row["asks"]:
        action, _, resource = ask.partition(" ")
        filled = resource.format(**words)
        yield from ((action, each) for each in ([filled] if filled else _new_resources(action, caller.account)))


def _new_resources(action: str, account: str) -> list[str]:
    """The ARNs of what an action makes or is done to, as far as its name is free; `*` where it takes none."""
    service, about = service_data.service(action.partition(":")[0].lower()), reference_of(action)
    if service is None or about is None or not about.resource_types:
        return ["*"]
    words = {"Partition": "aws", "Region": REGION, "Account": account}
    forms = [service.resource_types[kind].arn for kind in about.required_types or about.resource_types[:1]]
    return [re.sub(r"\$\{(\w+)\}", lambda gap: words.get(gap[1], "new"), form) for form in forms]
