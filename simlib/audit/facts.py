"""A world as the audit reads it, once: everybody and everything in it with their policies, and somebody to ask.

Which questions are worth asking is found in the policies' own texts, a guess on the wide side; the gate's own decision
answers each of them, with every policy of the world that bears on it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.cloud.credentials.lifetimes import VALID, Credential
from simlib.cloud.inspection import Document, Place
from simlib.cloud.storage import iam_entities, resources
from simlib.cloud.storage.stored import parsed
from simlib.iam import Evaluation, Policy, PolicyError, PolicySet, Request, Statement, evaluate
from simlib.iam.partial import Term, possible
from simlib.iam.principals import Kind

if TYPE_CHECKING:
    from simlib.cloud import Cloud

Instead = Mapping[Place, Policy | None]
NOTHING: Mapping[Any, Any] = MappingProxyType({})
#: Circumstances of a dump, which does not say from where its people ask: a condition on that is kept as a need.
ANYWHERE: Mapping[str, Any] = MappingProxyType({"aws:SourceIp": None})
EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
ANYBODY = "anybody"  # a role of an account that nobody here can look into
_MFA = ("aws:multifactorauthpresent", "aws:multifactorauthage")
_SURROUNDINGS = ("aws:currenttime", "aws:epochtime", "aws:securetransport", "aws:sourceip", "aws:useragent",
                 "aws:requestedregion", "aws:viaawsservice", "aws:resource")  # fmt: skip
_GAP = re.compile(r"\$\{[^}]*\}|[*?]")


@dataclass(frozen=True, eq=False)
class Identity:
    """A user or a role, the documents that count for it by their places, and the ARNs of a user's groups."""

    arn: str
    kind: str
    account: str
    name: str
    documents: Mapping[Place, Policy]
    groups: tuple[str, ...] = ()

    @property
    def trust(self) -> Policy | None:
        return self.documents.get(Place(self.arn, "trust"))

    @property
    def managed(self) -> list[str]:
        """The managed policies of its own account, directly or by a group."""
        owners = dict.fromkeys(place.owner for place in self.documents if place.kind == "identity")
        return [arn for arn in owners if arn.startswith(f"arn:aws:iam::{self.account}:policy/")]

    def patterns(self, action: str) -> list[str]:
        """The resources that its Allow statements for an action name, each once; `*` alone where one names all."""
        low, texts = action.lower(), dict[str, None]()
        for place, policy in self.documents.items():
            for each in policy.candidates(low) if place.kind == "identity" else ():
                if each.effect == "Allow" and each.actions.matches(low, {}) is not each.not_action:
                    texts |= dict.fromkeys(listed(each.document.get("Resource", "*")))
        if self.kind == "user":
            texts = dict.fromkeys(text.replace("${aws:username}", self.name) for text in texts)
        return ["*"] if "*" in texts else list(texts)


@dataclass(frozen=True)
class Held:
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
    """A resource; a machine or a function may run as a role."""

    arn: str
    account: str
    policy: Policy | None
    runs_as: str

    @property
    def service(self) -> str:
        return self.arn.split(":")[2]


class Grant(NamedTuple):
    """A decision that allows, and the conditions it takes, in words."""

    evaluation: Evaluation
    needs: tuple[str, ...] = ()


class Arns:
    """ARNs in order, so that those a pattern may mean are found without looking at all the others."""

    def __init__(self, arns: Iterable[str] = ()) -> None:
        self.arns = sorted(set(arns))
        self._meant: dict[str, Sequence[str]] = {}

    def meant(self, pattern: str) -> Sequence[str]:
        """Those a pattern may mean, in order; a variable in it may be any text."""
        if pattern == "*":
            return self.arns
        if pattern not in self._meant:
            gap = _GAP.search(pattern)
            head = pattern[: gap.start()] if gap else pattern
            low, high = bisect_left(self.arns, head), bisect_left(self.arns, head + "\U0010ffff")
            fits = _reader(pattern).fullmatch
            self._meant[pattern] = [arn for arn in self.arns[low:high] if fits(arn)]
        return self._meant[pattern]

    def all_meant(self, patterns: Iterable[str]) -> dict[str, None]:
        return dict.fromkeys(arn for pattern in patterns for arn in self.meant(pattern))

    def holders(self, pattern: str) -> Iterable[str]:
        """Those that a pattern means, or a part of: a bucket, for a pattern of its objects."""
        cuts = [match.start() for match in re.finditer("[/:]", pattern)]
        return self.all_meant([pattern, *(pattern[:cut] for cut in cuts if cut > len("arn:aws:s3:::"))])


@lru_cache(maxsize=4096)
def _reader(pattern: str) -> re.Pattern[str]:
    """The pattern where every gap, variables too, takes any text."""
    gaps = ["." if gap == "?" else ".*" for gap in _GAP.findall(pattern)]
    texts = map(re.escape, _GAP.split(pattern))
    return re.compile("".join(chain(*zip(texts, [*gaps, ""], strict=True))), re.DOTALL)


def listed(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


def name_of(arn: str) -> str:
    return arn.rpartition("/" if "/" in arn else ":")[2]


def account_of(name: str) -> str:
    """The account of an ARN, or of a principal of a policy; "" where it has none."""
    return name if name.isdigit() else name.split(":")[4] if name.count(":") >= 5 else ""


def named(policy: Policy | None) -> Iterator[tuple[str, str]]:
    """Whom the Allow statements of a trust or resource policy name: the type and the name, each once.

    An account is its number; a session is its role, `111111111111:name`.
    """
    names: dict[tuple[str, str], None] = {}
    for each in policy.statements if policy else ():
        if each.effect == "Allow" and each.principals is not None:
            if each.principals.everyone:
                names["AWS", "*"] = None
            for kind, texts in each.principals.names.items():
                names |= dict.fromkeys((kind, _short(text)) for text in texts)
    yield from names


def _short(name: str) -> str:
    session = re.fullmatch(r"arn:aws:sts::(\d+):assumed-role/([^/]+)/.*", name)
    return ":".join(session.groups()) if session else account_of(name) if name.endswith(":root") else name


class Facts:
    """A world at one moment. `names` are all its accounts, `accounts` those that may be looked into (number: name).

    `circumstances` are condition keys of every request; `instead` are documents that count in place of stored ones.
    """

    def __init__(
        self, cloud: Cloud, accounts: Iterable[str] | None = None, circumstances: Mapping[str, Any] = NOTHING
    ) -> None:
        self.cloud, self.look, self.circumstances, self.instead = cloud, cloud.inspect, dict(circumstances), NOTHING
        principals = self.look.principals()
        known = {account.id: account.name for account in cloud.accounts}
        self.names = {each.account: known.get(each.account, each.account) for each in principals if each.kind == "root"}
        ours = self.names if accounts is None else accounts
        self.accounts = {number: self.names.get(number, number) for number in ours}
        self.groups = {
            str(group.arn): frozenset(str(user.arn) for user in group.users)
            for account in self.accounts
            if account in self.names
            for group in iam_entities.backend(account).groups.values()
        }
        belongs: dict[str, list[str]] = {}
        for group, users in self.groups.items():
            for user in users:
                belongs.setdefault(user, []).append(group)
        self.identities = {
            each.arn: Identity(each.arn, each.kind, each.account, each.name, self._documents(each.arn),
                               tuple(belongs.get(each.arn, ())))
            for each in principals if each.kind in ("user", "role") and each.account in self.accounts
        }  # fmt: skip
        self.things = {
            arn: Thing(arn, owner, self._documents(arn).get(Place(arn, "resource")), _runs_as(cloud, arn))
            for arn in self.look.resources()
            if (owner := self.look.owner(arn)) in self.accounts and ":iam:" not in arn
        }
        self.held = tuple(self._held())

    def edited(self, instead: Instead) -> Facts:
        """The same world with some documents in place of stored ones; None takes one away."""
        copy = object.__new__(Facts)
        kept = {name: value for name, value in vars(self).items() if name not in ("trusting", "lets_in")}
        copy.__dict__.update(kept, instead=instead, identities=dict(self.identities), things=dict(self.things))
        for arn in [arn for arn, each in self.identities.items() if self.bears(instead, each)]:
            each = self.identities[arn]
            own = {arn, *each.groups}
            documents = {
                place: policy
                for place, policy in {**each.documents, **instead}.items()
                if policy is not None and (place in each.documents or place.owner in own)
            }
            copy.identities[arn] = replace(each, documents=documents)
        for place in instead:
            if place.kind == "resource" and place.owner in self.things:
                copy.things[place.owner] = replace(self.things[place.owner], policy=instead[place])
        return copy

    @staticmethod
    def bears(places: Iterable[Place], identity: Identity) -> bool:
        """Whether one of these documents is one of an identity's, or would be."""
        own = (identity.arn, *identity.groups)
        return any(place in identity.documents or place.owner in own for place in places)

    # -- in other orders -----------------------------------------------------------------------------------------------

    @cached_property
    def of_account(self) -> dict[str, Arns]:
        """The users and roles of each account."""
        return grouped((each.account, each.arn) for each in self.identities.values())

    @cached_property
    def trusting(self) -> dict[str, Arns]:
        """The roles that trust somebody, by the name in the trust policy."""
        return grouped((name, each.arn) for each in self.identities.values() for _, name in named(each.trust))

    @cached_property
    def lets_in(self) -> dict[str, Arns]:
        """The resources whose own policies let somebody in, by the name there."""
        return grouped((name, each.arn) for each in self.things.values() for _, name in named(each.policy))

    def place_of(self, policy: Policy, evaluation: Evaluation) -> Place | None:
        """Where a policy that has decided is stored; None for one of AWS's, which nobody here can edit."""
        asked = self.things.get(evaluation.resource) or self.things.get(evaluation.resource.rpartition("/")[0])
        if asked and asked.policy is policy:
            return Place(asked.arn, "resource")
        for arn in (evaluation.request.caller.derived.get("aws:principalarn"), evaluation.resource):
            identity = self.identities.get(arn or "")
            for place, known in identity.documents.items() if identity else ():
                if known is policy and not place.owner.startswith("arn:aws:iam::aws:"):
                    return place
        return None

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask(
        self,
        who: str,
        action: str,
        resource: str,
        context: Mapping[str, Any] = NOTHING,
        instead: Instead = NOTHING,
    ) -> Evaluation:
        around = {**self.circumstances, **context}
        both = {**self.instead, **instead} if instead else self.instead
        return self.look.ask(who, action, resource, circumstances=around, instead=both)

    def grant(
        self,
        who: str,
        action: str,
        resource: str,
        context: Mapping[str, Any] = NOTHING,
        instead: Instead = NOTHING,
    ) -> Grant | None:
        """The decision that allows, as it is or under conditions that the caller could meet; None where none does."""
        evaluation = self.ask(who, action, resource, context, instead)
        return Grant(evaluation) if evaluation.allowed else under_conditions(evaluation)

    def grant_outside(self, who: str, action: str, resource: str, owner: str) -> Grant | None:
        """The same of somebody we cannot look into, as if their own account allowed them everything."""
        inside = self.ask(f"arn:aws:iam::{owner}:root", action, resource)
        context = {key: value for key, value in inside.request.context.items() if key.lower().startswith(_SURROUNDINGS)}
        own = (parsed(EVERYTHING, "identity", "everything"),)
        policies = PolicySet(identity=own, resource=inside.policies.resource, rcps=inside.policies.rcps)
        evaluation = evaluate(Request(who, action, resource, resource_account=owner, context=context), policies)
        return Grant(evaluation) if evaluation.allowed else under_conditions(evaluation)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _documents(self, arn: str) -> dict[Place, Policy]:
        return {
            each.place: policy
            for each in self.look.documents(arn)
            if each.place.kind in ("identity", "boundary", "trust", "resource") and (policy := _policy(each))
        }

    def _held(self) -> Iterator[Held]:
        """Keys and sessions that are good now."""
        behind = {(each.account, each.kind, each.name): each.arn for each in self.identities.values()}
        now = self.cloud.clock.now
        for each in self.cloud.credentials():
            arn = behind.get(_holder(each))
            if arn and each.state(now) == VALID:
                yield Held(each.access_key_id, each.arn, arn, each.expires, self._is_less(each))

    def _is_less(self, credential: Credential) -> bool:
        if credential.kind in ("GetSessionToken", "GetFederationToken"):
            return True
        own = self.look.documents(credential.access_key_id) if credential.expires else ()
        return any(each.place.kind == "session" for each in own)

    @property
    def are_over(self) -> bool:
        """Whether one of the sessions has ended since."""
        return any(held.expires and held.expires <= self.cloud.clock.now for held in self.held)


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, Arns]:
    groups: dict[str, list[str]] = {}
    for key, arn in pairs:
        groups.setdefault(key, []).append(arn)
    return {key: Arns(arns) for key, arns in groups.items()}


def _policy(document: Document) -> Policy | None:
    try:
        return parsed(document.text, document.place.kind, document.name)
    except PolicyError:  # put together by the mock, not by a caller: what nobody can read allows nothing
        return None


def _holder(credential: Credential) -> tuple[str, str, str]:
    """The user or role that a key or a session stands for: its account, kind and name."""
    arn = credential.issued_to if ":federated-user/" in credential.arn else credential.arn
    kind, _, path = arn.split(":", 5)[-1].partition("/")
    name = path.partition("/")[0] if kind == "assumed-role" else path.rpartition("/")[2]
    return credential.account, "role" if kind == "assumed-role" else kind, name


def _runs_as(cloud: Cloud, arn: str) -> str:
    """The role that an instance or a function runs as."""
    if ":instance/" in arn and (machine := cloud.instance_facts(name_of(arn))):
        return machine.role.arn if machine.role and machine.running else ""
    if ":function:" in arn and (function := resources.thing_of(arn)):
        return str(function.role)
    return ""


# -- conditions that somebody could meet -------------------------------------------------------------------------------


def under_conditions(evaluation: Evaluation) -> Grant | None:
    """The decision on a refused request that brings what policies ask for: MFA, an external ID, claims of a token.

    What AWS knows of a caller by itself (its organization, its tags) nobody can bring, and a role's session has no MFA.
    """
    request, policies = evaluation.request, evaluation.policies
    mentioned = {each.key for statement in _statements(policies, request) for each in statement.conditions}
    fixed = ("aws:principal", "aws:resource", *(_MFA if request.caller.kind != Kind.USER else ()))
    open_keys = [key for key in mentioned - set(request.values) if not key.startswith(fixed)]
    if not open_keys:
        return None
    possibility = possible(request, policies, open_keys)
    if not possibility.depends_on or possibility.witness is None:
        return None
    context = {**request.context, **possibility.witness[1]}
    again = Request(request.principal, request.action, request.resource, request.resource_account, context,
                    request.role_arn)  # fmt: skip
    shortest = min(possibility.depends_on, key=lambda terms: len(terms))
    return Grant(evaluate(again, policies), tuple(dict.fromkeys(map(words, shortest))))


def words(term: Term) -> str:
    """A condition in words: "MFA", "sts:ExternalId is acme", "aws:SourceIp is in 192.0.2.0/24"."""
    operator = term.operator.rpartition(":")[2].removesuffix("IfExists")
    if term.key.lower() in _MFA:
        return "MFA"
    negated = ("Not" in operator) is term.holds
    verb = {"StringLike": "like ", "StringNotLike": "like ", "ArnLike": "like ", "ArnNotLike": "like ",
            "IpAddress": "in ", "NotIpAddress": "in "}.get(operator, "")  # fmt: skip
    if not verb and not operator.startswith(("String", "Arn", "Bool")):
        return f"{term.key} {'meets' if term.holds else 'does not meet'} {term.operator} {', '.join(term.values)}"
    return f"{term.key} is {'not ' if negated else ''}{verb}{' or '.join(term.values)}"


def _statements(policies: PolicySet, request: Request) -> Iterator[Statement]:
    """Those of every layer that could speak of the request's action."""
    layers: list[Any] = list(policies)
    while layers:
        layer = layers.pop()
        if isinstance(layer, Policy):
            yield from layer.candidates(request.folded_action)
        elif isinstance(layer, tuple):
            layers += layer
