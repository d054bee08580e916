"""What does one policy allow that another does not? Exact, with a request that shows it.

New access is what the new policy allows and the old one does not. That is put to ``partial.possible`` with everything
open, once for each way in which actions can match the policies' patterns. Only the policies count, as IAM Access
Analyzer's custom policy checks have it (UG/access-analyzer-custom-policy-checks): not what else a request needs, such
as a role's trust policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from simlib.iam import service_data
from simlib.iam.decision import PolicySet
from simlib.iam.errors import RequestError
from simlib.iam.matching import Context, TooManyTexts, Wild, matcher, read, texts_by_match
from simlib.iam.partial import possible
from simlib.iam.policy import Policy
from simlib.iam.principals import identify, is_account_id
from simlib.iam.request import Request
from simlib.iam.statement import Statement
from simlib.iam.vocabulary import NEEDS_NO_PERMISSION

ACCOUNT = "111111111111"
ANYBODY, STRANGER = (f"arn:aws:iam::{account}:role/anybody" for account in (ACCOUNT, "999999999999"))
RESOURCES = ("arn:aws:*:*:*:?*", "*")  # of these patterns a witness has its resource: an ARN if there is one
MOST_TEXTS = 50_000  # ways to match the patterns of one service
_WORD = (Wild.ONE_IN_PART, Wild.ANY_IN_PART)
_ANY_ACTION = (*_WORD, ":", *_WORD)


class Witness(NamedTuple):
    """A request that is allowed: who asks, the action (in lower case), the resource, values of the condition keys that
    count, and the statement of the new policy that allows it."""

    principal: str
    action: str
    resource: str
    context: Context
    statement: Statement


def newly_allowed(new: Policy, old: Policy | None) -> Iterator[Witness]:
    """Requests that the policy ``new`` allows and ``old`` does not; with ``None`` any that it allows.

    One for each way in which actions match the policies' patterns, and for each caller that a resource's policies name.
    What needs too many combinations to look at is taken to be new (a choice).
    """
    policies = [new, *([old] if old else [])]
    for action in _actions(policies):
        for caller in _callers(policies):
            if witness := allowed(new, action, *RESOURCES, beyond=old, caller=caller):
                yield witness


def allowed(
    policy: Policy, action: str, *resources: str, beyond: Policy | None = None, caller: str = ANYBODY
) -> Witness | None:
    """A request for an action, on a resource of one of some patterns: ``policy`` allows it, ``beyond`` does not."""
    inside = identify(caller).has_account
    new, *old = [PolicySet((each,)) if inside else PolicySet(resource=each) for each in (policy, beyond) if each]
    for resource in resources:
        request = _request(caller, action, resource)
        allows = [each for each in policy.statements if each.effect == "Allow" and each.covers_action(request)]
        if not allows:
            break
        possibility = possible(request, new, resource_set=True, beyond=old[0] if old else None)
        if possibility.witness or possibility.depends_on is None:
            request.resource, request.values = possibility.witness or (resource, {})
            statement = next((each for each in allows if each.matches(request, False)), allows[0])
            return Witness(caller, action, request.resource, request.values, statement)
    return None


def _request(caller: str, action: str, resource: str) -> Request:
    """A request of which policies see nothing but who asks, the action and the resource."""
    request = Request(caller, action, resource, identify(caller).account or ACCOUNT)
    request.values, request.service, request.is_trust_question = {}, "", False
    return request


def _callers(policies: Iterable[Policy]) -> list[str]:
    """Whom it makes a difference to ask for: those that resource policies name, and a stranger."""
    named = [each.principals for policy in policies for each in policy.statements if each.principals is not None]
    texts = {name for principals in named for names in principals.names.values() for name in names}
    callers = []
    for text in sorted(texts - {"*"}):
        text = f"arn:aws:iam::{text}:root" if is_account_id(text) else text
        with suppress(RequestError):  # unique IDs and the like
            callers.append(identify(text.removesuffix(":root") + ":role/anybody" * text.endswith(":root")).arn)
    return [*callers, *(["anonymous", STRANGER] if named else [ANYBODY])]


def _actions(policies: Sequence[Policy]) -> Iterator[str]:
    """An action for each way to match the policies' patterns: one that AWS has, where one of its matches so.

    Service by service, for a pattern that names one cannot match another's actions.
    """
    named: dict[str, dict[str, None]] = {"": {}}  # patterns by prefix; those of any service: ""
    for each in [each for policy in policies for each in policy.statements]:
        for text in map(str.lower, each.actions.texts):
            prefix = text.partition(":")[0]
            named.setdefault("" if set(prefix) & set("*?") else prefix, {})[text] = None
    new = {text.partition(":")[0].lower() for each in policies[0].statements for text in each.actions.texts}
    wide = any(each.not_action for each in policies[0].statements) or not new <= named.keys()
    for prefix, own in named.items():
        if not wide and prefix not in new:
            continue  # of a service that only the old policy names nothing is new
        patterns = [read(text) for text in (*own, *(named[""] if prefix else ()))]
        within = (*prefix, ":", *_WORD) if prefix else _ANY_ACTION
        classes: dict[int, str] = {}
        with suppress(TooManyTexts):  # then AWS's own actions have to do
            classes = texts_by_match(patterns, within, most=MOST_TEXTS)
        globs, service = [matcher(pattern) for pattern in patterns], service_data.service(prefix)
        known = {f"{prefix}:{name}": None for name in (service.actions if service else ())}
        for action in known:
            matches = sum(1 << n for n, glob in enumerate(globs) if glob.matches(action, {}))
            if classes.get(matches, "") not in known:
                classes[matches] = action
        yield from (action for action in classes.values() if action not in NEEDS_NO_PERMISSION)
