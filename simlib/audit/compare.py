"""What does a new dump allow that an old one did not? Each answer with a request that shows it.

`Dump` is what of a world is kept for that, for one world is open at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from simlib.audit.escalation import Way, find
from simlib.audit.facts import Facts, Identity
from simlib.audit.grants import Question
from simlib.audit.refusal import spelled
from simlib.cloud.permissions.service_table import known
from simlib.iam import Policy, RequestError, service_data
from simlib.iam.difference import Witness, newly_allowed

if TYPE_CHECKING:
    from simlib.cloud import Cloud


MOST = 5  # requests of one user or role


class Change(NamedTuple):
    """Something that is allowed now: whose policy says so (an ARN), a sentence, and the request that shows it."""

    subject: str
    sentence: str
    principal: str = ""
    action: str = ""
    resource: str = ""


class Dump:
    """The policies of a world, and its ways to power."""

    def __init__(self, cloud: Cloud) -> None:
        self.facts, self.ways = Facts(cloud), [way for way in find(cloud) if way.id != "sts-001"]

    def since(self, old: Dump) -> Iterator[Change]:
        """What is allowed here and was not in an older dump; needs its own world to be open."""
        for arn, identity in self.facts.identities.items():
            yield from self._of_identity(identity, old.facts.identities.get(arn))
        for arn, thing in self.facts.things.items():
            before = old.facts.things.get(arn)
            yield from self._of_resource(arn, thing.policy, before.policy if before else None)
        known = {_key(way) for way in old.ways}
        yield from (
            Change(way.principal, f"new way to power: {way.sentence}") for way in self.ways if _key(way) not in known
        )

    def _of_identity(self, new: Identity, old: Identity | None) -> Iterator[Change]:
        if old is None:
            yield Change(new.arn, f"{new.arn} is new")
        yield from self._of_resource(new.arn, new.trust, old.trust if old else None)
        for kind in ("identity", "boundary"):
            one, other = new.merged(kind), old.merged(kind) if old else None
            if not one or (other and one.document == other.document) or (kind == "boundary" and not other):
                continue
            found = [
                each
                for each in newly_allowed(one, other, _known(one))
                if self._is_allowed(new.arn, each.action, each.resource, each.context)
            ]
            for each in sorted(found, key=_weight)[:MOST]:
                sentence = f"{new.arn} now may {spelled(each.action)} on {_on(each.resource)}{_under(each.context)}"
                yield Change(new.arn, sentence, new.arn, each.action, each.resource)
            if len(found) > MOST:
                yield Change(new.arn, f"{new.arn} now may {len(found) - MOST} more kinds of requests")

    def _of_resource(self, arn: str, new: Policy | None, old: Policy | None) -> Iterator[Change]:
        if new is None or (old and new.document == old.document):
            return
        for witness in newly_allowed(new, old):
            who = witness.principal
            resource = arn if new.kind == "trust" else witness.resource
            sentence = f"{arn} now lets {who} {spelled(witness.action)}{_under(witness.context)}"
            yield Change(arn, sentence, who, witness.action, resource)

    def _is_allowed(self, *request: object) -> bool:
        try:
            return self.facts.ask(Question(*request)).allowed  # type: ignore[arg-type]
        except RequestError:
            return False


def _key(way: Way) -> tuple[str, ...]:
    return way.id, way.principal, way.target, way.policy, way.thing


def _known(policy: Policy) -> set[str]:
    """The actions of the services that a policy names, in lower case."""
    prefixes = {text.partition(":")[0].lower() for each in policy.statements for text in each.actions.texts}
    services = filter(None, map(service_data.service, prefixes))
    return {f"{service.prefix}:{low}" for service in services for low in service.actions}


def _weight(witness: Witness) -> int:
    """What changes most comes first: permissions, then anything, then what only reads."""
    action = known(witness.action)
    return ("Permissions management", "Write", "Tagging", "Read", "List").index(action.access_level) if action else 5


def _on(resource: str) -> str:
    return "any resource" if resource.startswith("arn:aws:::") else resource


def _under(context: Mapping[str, object]) -> str:
    return f" if {', '.join(f'{key} is {value}' for key, value in context.items())}" if context else ""
