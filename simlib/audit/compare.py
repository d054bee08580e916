"""What does a new dump allow that an old one did not? Each answer is a sentence with a request that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simlib.audit.escalation import Way
from simlib.audit.exposure import Audit
from simlib.audit.facts import Facts, Identity
from simlib.audit.grants import Question
from simlib.audit.refusal import spelled
from simlib.cloud.permissions.service_table import known
from simlib.iam import Policy, RequestError
from simlib.iam.difference import Witness, newly_allowed

MOST = 5  # requests of one user or role
_WEIGHT = ("Permissions management", "Write", "Tagging", "Read", "List")  # access levels: what changes most comes first


def newly_possible(new: Audit, old: Audit) -> Iterator[str]:
    """What is allowed in a world that is open and was not in another one, whose ways have been looked for before."""
    for arn, identity in new.facts.identities.items():
        yield from _of_identity(new.facts, identity, old.facts.identities.get(arn))
    for arn, thing in new.facts.things.items():
        yield from _of_policy(arn, thing.policy, old.facts.policy_of(arn))
    ways = set(map(_key, old.ways))
    yield from (f"new way to power: {way.sentence}" for way in new.ways if _key(way) not in ways)


def _of_identity(facts: Facts, new: Identity, old: Identity | None) -> Iterator[str]:
    if old is None:
        yield f"{new.arn} is new"
    yield from _of_policy(new.arn, new.trust, old.trust if old else None)
    own = new.merged("identity")
    pairs = [(own, old.merged("identity") if old else None)]
    if old and (bound := old.merged("boundary")):  # one that is gone no longer holds anything back
        pairs.append((new.merged("boundary") or own, bound))
    witnesses: dict[str, Witness] = {}
    for one, other in pairs:
        if one and not (other and one.document == other.document):
            found = newly_allowed(one, other)
            witnesses |= {each.action: each for each in found if _is_allowed(facts, new.arn, each)}
    for each in sorted(witnesses.values(), key=_weight)[:MOST]:
        where = "any resource" if each.resource.startswith("arn:aws:::") else each.resource
        yield f"{new.arn} now may {spelled(each.action)} on {where}{_under(each.context)}"
    if len(witnesses) > MOST:
        yield f"{new.arn} now may {len(witnesses) - MOST} more kinds of requests"


def _of_policy(arn: str, new: Policy | None, old: Policy | None) -> Iterator[str]:
    """Of a trust policy, or of a resource's."""
    for each in newly_allowed(new, old) if new and not (old and new.document == old.document) else ():
        yield f"{arn} now lets {each.principal} {spelled(each.action)}{_under(each.context)}"


def _is_allowed(facts: Facts, who: str, witness: Witness) -> bool:
    try:
        return facts.ask(Question(who, witness.action, witness.resource, witness.context)).allowed
    except RequestError:
        return False


def _key(way: Way) -> tuple[str, ...]:
    return way.id, way.principal, way.target, way.policy, way.thing


def _weight(witness: Witness) -> int:
    action = known(witness.action)
    return _WEIGHT.index(action.access_level) if action else len(_WEIGHT)


def _under(context: Mapping[str, object]) -> str:
    return f" if {', '.join(f'{key} is {value}' for key, value in context.items())}" if context else ""
