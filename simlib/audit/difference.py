"""What is different in the facts of one world before and after a call or an edit, and whom it can bear on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from simlib.audit.arns import Arns, account_of, principals_of
from simlib.audit.escalation import ROWS, TARGETED, actions_of
from simlib.audit.facts import Facts


class Difference:
    """Between two facts of one world.

    `targets`: roles and resources of which who gets in may be different; `actors`: who may reach something else.
    `is_everything`: so much is different that all has to be decided again.
    """

    def __init__(self, old: Facts, new: Facts) -> None:
        self.new, self.actors, self.targets, accounts = new, set[str](), set[str](), set[str]()
        self.is_everything = old.everywhere != new.everywhere
        for number in new.around:
            if old.around.get(number) != new.around[number]:
                accounts.add(number)
                self.targets |= {arn for each in (old, new) for arn in each.of_account.get(number, Arns()).arns}
        for one, other in _pairs(old.identities, new.identities):
            arn = (one or other).arn
            self.actors.add(arn)
            if not (one and other) or one.limits != other.limits:  # others may gain by what it limits
                self._near(arn, [(one or other).account], TARGETED)
            if not (one and other and one.trust is other.trust):
                self.targets.add(arn)
        for one, other in _pairs(old.things, new.things):
            self.targets.add((one or other).arn)
            if not (one and other) or (one.runs_as, one.about) != (other.runs_as, other.about):
                accounts.add((one or other).account)
        self.targets |= {arn for arn, each in new.things.items() if each.runs_as in self.actors}
        for facts in (old, new):
            for arn in self.targets:
                for kind, name in principals_of(facts.policy_of(arn)):
                    self.actors.add(name)
                    accounts |= self._whole_accounts(facts, arn, kind, name)
        for number in accounts & new.of_account.keys():
            self.actors |= set(new.of_account[number].arns)

    def _whole_accounts(self, facts: Facts, arn: str, kind: str, name: str) -> set[str]:
        """The accounts that it bears on as wholes when a policy names somebody."""
        if kind == "Service":
            runs = [row for row, about in ROWS.items() if about["on"] == "running" and about["service"] == name]
            self._near(arn, [facts.owner(arn)], TARGETED, runs)
        elif name == "*" and arn in facts.identities:
            self._near(arn, self.new.of_account, ["sts:AssumeRole"])
            return {facts.owner(arn)}  # who need no permission of their own
        elif name.isdigit() and arn in facts.identities:
            self._near(arn, [name], ["sts:AssumeRole"])
        elif name == "*":
            self.is_everything = True
        else:  # a session's role may have a path
            return set() if name in self.new.identities else {account_of(name)}
        return set()

    def _near(self, arn: str, accounts: Iterable[str], actions: Iterable[str], rows: Iterable[str] = ()) -> None:
        """Bears on whoever of some accounts may do one of the actions to a role, or what a row asks for."""
        only = Arns([arn])
        for each in (self.new.identities[who] for number in accounts if number in self.new.of_account
                     for who in self.new.of_account[number].arns):  # fmt: skip
            if each.speaks_of(only, actions) or any(all(map(each.patterns, actions_of(row))) for row in rows):
                self.actors.add(each.arn)


def _pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """What is not the same in both; None where it is not there."""
    for arn in old.keys() | new.keys():
        if old.get(arn) is not new.get(arn):
            yield old.get(arn), new.get(arn)
