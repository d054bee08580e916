"""A world as the audit reads it, once: everybody and everything in it with their policies, and somebody to ask.

Which questions are worth asking is found in the policies' own texts, a guess on the wide side; the gate's own decision
answers each of them, with every policy of the world that bears on it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simlib.audit.arns import Arns, listed, name_of, principals_of, role_of
from simlib.audit.grants import NOTHING, Grant, Instead, grant_of
from simlib.cloud.credentials.lifetimes import VALID, Credential
from simlib.cloud.inspection import Place
from simlib.cloud.storage import buckets, iam_entities, resources
from simlib.cloud.storage.organizations import membership
from simlib.cloud.storage.resources import tags_of
from simlib.cloud.storage.stored import StoredDocument, StoredIdentity, cached_policy
from simlib.iam import Evaluation, Policy, PolicyError, PolicySet, Request, evaluate

if TYPE_CHECKING:
    from simlib.cloud import Cloud

#: Circumstances of a dump, which does not say from where its people ask: a condition on that is kept as a need.
ANYWHERE: Mapping[str, Any] = MappingProxyType({"aws:SourceIp": None})
EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
ANYBODY = "anybody"  # a role of an account that nobody here can look into
_SURROUNDINGS = ("aws:currenttime", "aws:epochtime", "aws:securetransport", "aws:sourceip", "aws:useragent",
                 "aws:requestedregion", "aws:viaawsservice", "aws:resource")  # fmt: skip
#: AWS's own accounts that deliver logs and reports: number → the service, and the actions its page lets them have.
DELIVERIES = {
    number: (service, frozenset(map(str.lower, row["actions"])))
    for service, row in tomllib.loads(Path(__file__).with_name("aws_accounts.toml").read_text("utf-8")).items()
    for number in (*row.get("accounts", ()), *row["as_quoted"])
}
_OF_MANY = ("scp", "rcp", "session")  # kinds of documents that bear on more than their owner


@dataclass(frozen=True, eq=False)
class Identity:
    """A user or a role: the documents that count for it by their places, and what is stored of it."""

    stored: StoredIdentity
    documents: Mapping[Place, Policy]
    arn: str
    account: str
    name: str
    _patterns: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)  # by action

    @classmethod
    def from_stored(cls, stored: StoredIdentity) -> Identity:
        trust = (StoredDocument(f"{stored.arn} (trust policy)", stored.trust_policy),) if stored.trust_policy else ()
        bound = (stored.permissions_boundary,) if stored.permissions_boundary else ()
        kinds = {"identity": stored.documents, "boundary": bound, "trust": trust}
        texts = [(kind, each) for kind, documents in kinds.items() for each in documents]
        places = [Place(stored.arn, kind) if kind == "trust" else each.place(kind) for kind, each in texts]
        policies = [_policy(each.text, kind, each.name) for kind, each in texts]
        prepared = {place: policy for place, policy in zip(places, policies, strict=True) if policy}
        return cls(stored, prepared, stored.arn, stored.account, stored.name)

    @property
    def kind(self) -> str:
        """``user`` or ``role``."""
        return "role" if ":role/" in self.arn else "user"

    @property
    def trust(self) -> Policy | None:
        return self.documents.get(Place(self.arn, "trust"))

    @cached_property
    def trusts(self) -> list[str]:
        """Whom its trust policy names (see `named`), of sessions their roles."""
        return [role_of(name) for _, name in principals_of(self.trust)]

    @property
    def is_service_linked(self) -> bool:
        """UG/id_roles_create-service-linked-role: its service alone uses, passes and changes it."""
        return ":role/aws-service-role/" in self.arn

    @property
    def is_of_aws(self) -> bool:
        """Whether only AWS itself may change and pass it: service-linked, or of a permission set.

        https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
        """
        return self.is_service_linked or ":role/aws-reserved/" in self.arn

    def of_kind(self, kind: str) -> list[Policy]:
        return [policy for place, policy in self.documents.items() if place.kind == kind]

    @cached_property
    def limits(self) -> tuple[Any, ...]:
        """What counts for those, too, who gain by it: what limits it, and managed policies they may rewrite."""
        denies = [each.document for one in self.of_kind("identity") for each in one.statements if each.effect == "Deny"]
        return self.stored.tags, denies, [each.document for each in self.of_kind("boundary")], self.managed

    @property
    def managed(self) -> list[str]:
        """The managed policies of its own account, directly or by a group."""
        owners = dict.fromkeys(place.owner for place in self.documents if place.kind == "identity")
        return [arn for arn in owners if arn.startswith(f"arn:aws:iam::{self.account}:policy/")]

    def patterns(self, action: str) -> tuple[str, ...]:
        """The resources that its Allow statements for an action name, each once; `*` alone where one names all."""
        if action not in self._patterns:
            name = self.name if self.kind == "user" else "${aws:username}"
            texts = {text.replace("${aws:username}", name): None for policy in self.of_kind("identity")
                     for each in policy.candidates(action.lower()) if each.effect == "Allow"
                     for text in listed(each.document.get("Resource", "*"))}  # fmt: skip
            self._patterns[action] = ("*",) if "*" in texts else tuple(texts)
        return self._patterns[action]

    def speaks_of(self, only: Arns, actions: Iterable[str]) -> bool:
        """Whether it may do one of some actions to something, as far as its own policies' texts go."""
        return any(only.all_matching(patterns) for patterns in map(self.patterns, actions) if patterns)


@dataclass(frozen=True)
class LiveCredential:
    """A key or a session that is good now: whom it acts as, until when (None: no end), and whether it is less.

    `narrowed`: it may do less than the user or role behind it, so that it is asked about by itself.
    """

    key_id: str
    arn: str
    behind: str
    expires: datetime | None
    narrowed: bool


@dataclass(frozen=True)
class Thing:
    """A resource; a machine or a function may run as a role. `about`: what else about it counts in decisions."""

    arn: str
    account: str
    policy: Policy | None
    runs_as: str
    about: tuple[Any, ...]

    @property
    def service(self) -> str:
        return self.arn.split(":")[2]


class Facts:
    """A world at one moment. `names` are all its accounts, `accounts` those that may be looked into (number: name).

    `circumstances` are condition keys of every request; `instead` are documents that count in place of stored ones.
    What is as it was in `before`, earlier facts of the same world, is taken from there, so that it is the same object.
    """

    def __init__(
        self,
        cloud: Cloud,
        accounts: Iterable[str] | None = None,
        circumstances: Mapping[str, Any] = NOTHING,
        before: Facts | None = None,
    ) -> None:
        self.cloud, self.look, self.circumstances, self.instead = cloud, cloud.inspect, dict(circumstances), NOTHING
        stored, known = self.look.identities(), {account.id: account.name for account in cloud.accounts}
        self.names = {number: known.get(number, number) for number in stored}
        ours = self.names if accounts is None else accounts
        self.accounts = {number: self.names.get(number, number) for number in ours}
        identities: Mapping[str, Identity] = before.identities if before else {}
        things: Mapping[str, Thing] = before.things if before else {}
        self.identities: dict[str, Identity] = {}
        for each in chain.from_iterable(stored.get(number, ()) for number in self.accounts):
            old = identities.get(each.arn)
            self.identities[each.arn] = old if old and old.stored == each else Identity.from_stored(each)
        self.things: dict[str, Thing] = {}
        for arn in [arn for number in self.accounts if number in stored for arn in resources.resource_arns(number)]:
            thing = self._thing(arn)
            self.things[arn] = things[arn] if things.get(arn) == thing else thing
        self.credentials = tuple(self._live_credentials())
        self.around = {number: _around(number) for number in self.accounts if number in self.names}
        ahead = round((cloud.clock.now - cloud.clock.real_now).total_seconds())
        self.everywhere: tuple[Any, ...] = (ahead, cloud.source_ip, self.circumstances, self.names, self.accounts, {})

    def edited(self, instead: Instead) -> Facts:
        """The same world with some documents in place of stored ones; None takes one away."""
        copy = object.__new__(Facts)
        derived = ("trusting", "lets_in", "of_service")
        copy.__dict__.update({name: value for name, value in vars(self).items() if name not in derived})
        copy.instead, copy.identities, copy.things = instead, dict(self.identities), dict(self.things)
        wide = {place: policy for place, policy in instead.items() if place.kind in _OF_MANY}
        copy.everywhere = (*self.everywhere[:-1], wide)
        for arn, each in self.identities.items():
            own = (arn, *each.stored.groups)
            if any(place in each.documents or place.owner in own for place in instead):
                all_of_it = {**each.documents, **instead}.items()
                mine = {p: policy for p, policy in all_of_it if policy and (p in each.documents or p.owner in own)}
                copy.identities[arn] = replace(each, documents=mine)
        for place, policy in instead.items():
            if place.kind == "resource" and place.owner in self.things:
                copy.things[place.owner] = replace(self.things[place.owner], policy=policy)
        return copy

    # -- in other orders -----------------------------------------------------------------------------------------------

    @cached_property
    def of_account(self) -> dict[str, Arns]:
        """The users and roles of each account."""
        return Arns.by((each.account, each.arn) for each in self.identities.values())

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """The ARNs of the groups of each account that is looked into."""
        return {number: [str(group.arn) for group in iam_entities.backend(number).groups.values()]
                for number in self.around}  # fmt: skip

    @cached_property
    def trusting(self) -> dict[str, Arns]:
        """The roles that trust somebody, by the name in the trust policy."""
        return Arns.by((name, each.arn) for each in self.identities.values() for name in each.trusts)

    @cached_property
    def of_service(self) -> dict[str, Arns]:
        """The resources of each service."""
        return Arns.by((each.service, each.arn) for each in self.things.values())

    @cached_property
    def lets_in(self) -> dict[str, Arns]:
        """The resources whose own policies let somebody in, by the name there."""
        named = {each.arn: principals_of(each.policy) for each in self.things.values()}
        return Arns.by((role_of(name), arn) for arn, names in named.items() for _, name in names)

    def policy_of(self, arn: str) -> Policy | None:
        """The trust policy of a role, or the resource's own."""
        identity, thing = self.identities.get(arn), self.things.get(arn)
        return identity.trust if identity else thing.policy if thing else None

    def owner(self, arn: str) -> str:
        """The account of a user, role or resource; "" where it is not there."""
        holder = self.identities.get(arn) or self.things.get(arn)
        return holder.account if holder else ""

    def place_of(self, policy: Policy, evaluation: Evaluation) -> Place | None:
        """Where a policy that has decided is stored; None for one of AWS's, which nobody here can edit."""
        resource = self.things.get(evaluation.resource) or self.things.get(evaluation.resource.rpartition("/")[0])
        if resource and resource.policy is policy:
            return Place(resource.arn, "resource")
        for arn in (evaluation.request.caller.derived.get("aws:principalarn"), evaluation.resource):
            identity = self.identities.get(arn or "")
            for place, stored in identity.documents.items() if identity else ():
                if stored is policy and not place.owner.startswith("arn:aws:iam::aws:"):
                    return place
        return None

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask(
        self, who: str, action: str, resource: str, context: Mapping[str, Any] = NOTHING, instead: Instead = NOTHING
    ) -> Evaluation:
        """The gate's decision; `context`: condition keys beside the world's, `instead`: documents beside the stored."""
        around, documents = {**self.circumstances, **context}, {**self.instead, **instead}
        return self.look.ask(who, action, resource, circumstances=around, instead=documents)

    def layers(self, arn: str) -> list[tuple[Policy, ...]]:
        """The policies of a user, role or root user: its own, its boundary, the SCPs of each level. Each has to allow;
        the root user needs none of its own."""
        request, policies = self.ask(arn, "iam:GetUser", "*")[:2]
        bound = [(policies.permissions_boundary,)] if policies.permissions_boundary else []
        return [policies.identity, *bound, *(() if request.caller.service_linked else policies.scps)]

    def grant(
        self, who: str, action: str, resource: str, context: Mapping[str, Any] = NOTHING, instead: Instead = NOTHING
    ) -> Grant | None:
        """The decision that allows, as it is or under conditions that the caller could meet; None where none does."""
        return grant_of(self.ask(who, action, resource, context, instead))

    def grant_outside(self, who: str, action: str, resource: str, owner: str, acting: str = "") -> Grant | None:
        """The same of somebody we cannot look into, as if their own account allowed them everything.

        With `acting`, an account, it is what an AWS service does for them.
        """
        inside = self.ask(f"arn:aws:iam::{owner}:root", action, resource)
        context = {key: value for key, value in inside.request.context.items() if key.lower().startswith(_SURROUNDINGS)}
        if acting:  # the second is what SNS calls the first in its own default policies
            context |= {"aws:SourceAccount": acting, "aws:SourceOwner": acting}
        own = (cached_policy(EVERYTHING, "identity", "everything"),)
        policies = PolicySet(identity=own, resource=inside.policies.resource, rcps=inside.policies.rcps)
        return grant_of(evaluate(Request(who, action, resource, resource_account=owner, context=context), policies))

    # -- reading -------------------------------------------------------------------------------------------------------

    def _thing(self, arn: str) -> Thing:
        document, bucket = self.look.document(Place(arn, "resource")), arn.removeprefix("arn:aws:s3:::")
        kind = "key" if ":kms:" in arn else "resource"
        about = (buckets.bucket_tags(bucket), buckets.public_access_block(bucket)) if bucket != arn else (tags_of(arn),)
        policy = _policy(document.text, kind, arn) if document else None
        return Thing(arn, self.look.owner(arn), policy, _runs_as(self.cloud, arn), about)

    def _live_credentials(self) -> Iterator[LiveCredential]:
        """Keys and sessions that are good now."""
        behind = {f"arn:aws:iam::{each.account}:role/{each.name}": each.arn for each in self.identities.values()
                  if each.kind == "role"} | {arn: arn for arn in self.identities}  # fmt: skip
        now = self.cloud.clock.now
        for each in self.cloud.credentials():
            arn = behind.get(role_of(each.issued_to if ":federated-user/" in each.arn else each.arn))
            if arn and each.state(now) == VALID:
                yield LiveCredential(each.access_key_id, each.arn, arn, each.expires, self._is_less(each))

    def _is_less(self, credential: Credential) -> bool:
        if credential.kind in ("GetSessionToken", "GetFederationToken"):
            return True
        own = self.look.documents(credential.access_key_id) if credential.expires else ()
        return any(each.place.kind == "session" for each in own)

    @property
    def are_over(self) -> bool:
        """Whether one of the sessions has ended since."""
        return any(each.expires and each.expires <= self.cloud.clock.now for each in self.credentials)


def merged(policies: Iterable[Policy], kind: str) -> Policy:
    """Policies that act as one, as one: without any, it allows nothing."""
    statements = [each for policy in policies for each in policy.statements]
    document = {"Version": "2012-10-17", "Statement": [each.document for each in statements]}
    return Policy(document, kind, kind, statements)


def _around(account: str) -> tuple[Any, ...]:
    """What else of an account counts for everybody in it: its organization, groups, passwords, instance profiles."""
    backend = iam_entities.backend(account)
    passwords = [user.name for user in backend.users.values() if user.password]
    profiles = [(each.arn, [role.arn for role in each.roles]) for each in backend.instance_profiles.values()]
    return membership(account), list(backend.groups), passwords, profiles


def _policy(text: str, kind: str, name: str) -> Policy | None:
    try:
        return cached_policy(text, kind, name)
    except PolicyError:  # put together by the mock, not by a caller: what nobody can read allows nothing
        return None


def _runs_as(cloud: Cloud, arn: str) -> str:
    """The role that an instance or a function runs as."""
    if ":instance/" in arn and (machine := cloud.instance_facts(name_of(arn))):
        return machine.role.arn if machine.role and machine.running else ""
    if ":function:" in arn and (function := resources.thing_of(arn)):
        return str(function.role)
    return ""
