"""What does a new dump allow that an old one did not? Each answer is a sentence with a request that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from simlib.audit.arns import account_of, grouped
from simlib.audit.escalation import Way
from simlib.audit.exposure import Audit, in_words
from simlib.audit.facts import EVERYTHING, Facts, merged
from simlib.audit.refusal import spelled
from simlib.cloud.permissions.service_table import reference_of
from simlib.cloud.storage.stored import cached_policy
from simlib.iam import Policy, RequestError
from simlib.iam.difference import Witness, newly_allowed
from simlib.iam.vocabulary import RCP_SERVICES

MOST = 5  # requests of one user or role
_WEIGHT = ("Permissions management", "Write", "Tagging", "Read", "List")  # access levels: what changes most comes first


class State(NamedTuple):
    """What is compared of a world; it stays when the world is closed.

    `layers`: of every user, role and root user by ARN the policies each of which has to allow – its own, its boundary,
    the SCPs of each level. `rcps`: of every account what its RCPs leave. `own`: of roles and resources the policy that
    lets others in, with the denies of the RCPs over it.
    """

    layers: Mapping[str, tuple[Policy, ...]]
    rcps: Mapping[str, Policy]
    own: Mapping[str, Policy]
    ways: tuple[Way, ...]

    @classmethod
    def of(cls, audit: Audit) -> State:
        facts, everything = audit.facts, cached_policy(EVERYTHING, "identity", "everything")
        roots = [f"arn:aws:iam::{account}:root" for account in facts.accounts]
        layers = {
            arn: (everything if arn in roots else merged(own, "identity"), *(merged(each, "scp") for each in ceilings))
            for arn in [*roots, *facts.identities]
            for own, *ceilings in [facts.layers(arn)]
        }
        levels = {account_of(arn): facts.ask(arn, "iam:GetUser", "*").policies.rcps for arn in roots}
        rcps = {account: merged([everything, *chain(*each)], "rcp") for account, each in levels.items()}
        own = {arn: merged((policy, *_denies(rcps[facts.owner(arn)])), "resource")
               for arn in [*facts.identities, *facts.things] if (policy := facts.policy_of(arn))}  # fmt: skip
        return cls(layers, rcps, own, tuple(audit.ways))


def _denies(policy: Policy) -> list[Policy]:
    return [Policy(policy.document, policy.kind, "", [each for each in policy.statements if each.effect == "Deny"])]


def newly_possible(audit: Audit, old: State) -> Iterator[str]:
    """What is allowed in a world that is open and was not in another one."""
    new = State.of(audit)
    identities = audit.facts.identities
    yield from (f"{arn} is new" for arn in identities if arn not in old.layers)
    known = [arn for arn in new.layers if arn in identities or arn in old.layers]
    sentences = (((sentence, account_of(arn)), arn) for arn in known
                 for sentence in _of_principal(audit.facts, arn, new, old))  # fmt: skip
    for (sentence, _), arns in grouped(sentences).items():
        yield f"{arns[0] if len(arns) == 1 else in_words(arns)} {sentence}"
    for arn, policy in new.own.items():
        before = old.own.get(arn)
        for each in newly_allowed(policy, before) if not (before and policy.document == before.document) else ():
            yield f"{arn} now lets {each.principal} {spelled(each.action)}{_under(each.context)}"
    ways = set(map(_key, old.ways))
    yield from (f"new way to power: {way.sentence}" for way in new.ways if _key(way) not in ways)


def _of_principal(facts: Facts, arn: str, new: State, old: State) -> Iterator[str]:
    """What is allowed of which a policy of the old layers, where it is not among the new ones, has held back."""
    account, (own, *ceilings) = account_of(arn), new.layers[arn]
    before = [*old.layers.get(arn, [merged((), "identity")]), *([old.rcps[account]] if account in old.rcps else [])]
    documents = [each.document for each in (own, *ceilings, new.rcps[account])]
    witnesses: dict[str, Witness] = {}
    for lost in [each for each in before if each.document not in documents]:
        values = facts.ask(arn, "iam:GetUser", "*").request.values
        of_caller = {key: value for key, value in values.items() if key.startswith(("aws:principal", "aws:user"))}
        for each in newly_allowed(own, lost, ceilings, of_caller):
            if (lost.kind != "rcp" or each.action.partition(":")[0] in RCP_SERVICES) and _is_allowed(facts, arn, each):
                witnesses[each.action] = each
    for each in sorted(witnesses.values(), key=_weight)[:MOST]:
        where = "any resource" if each.resource.startswith("arn:aws:::") else each.resource
        yield f"now may {spelled(each.action)} on {where}{_under(each.context)}"
    if len(witnesses) > MOST:
        yield f"now may {len(witnesses) - MOST} more kinds of requests"


def _is_allowed(facts: Facts, who: str, witness: Witness) -> bool:
    try:
        return facts.ask(who, witness.action, witness.resource, witness.context).allowed
    except RequestError:
        return False


def _key(way: Way) -> tuple[str, ...]:
    return way.id, way.principal, way.target, way.policy, way.thing


def _weight(witness: Witness) -> int:
    action = reference_of(witness.action)
    return _WEIGHT.index(action.access_level) if action else len(_WEIGHT)


def _under(context: Mapping[str, object]) -> str:
    return f" if {', '.join(f'{key} is {value}' for key, value in context.items())}" if context else ""
