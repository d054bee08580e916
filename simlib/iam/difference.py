"""What does one policy allow that another does not? Exact, with a request that shows it.

New access is what the new policy allows and the old one does not. That is put to ``partial.possible`` with everything
open, once for each way in which actions can match the policies' patterns. Only the policies count, as IAM Access
Analyzer's custom policy checks have it (UG/access-analyzer-custom-policy-checks): not what else a request needs, such
as a role's trust policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import NamedTuple

from simlib.iam import service_data
from simlib.iam.decision import PolicySet
from simlib.iam.errors import RequestError
from simlib.iam.matching import Context, TooManyTexts, Wild, matcher, parse, texts_by_match
from simlib.iam.partial import possible
from simlib.iam.policy import Policy
from simlib.iam.principals import identify, is_account_id
from simlib.iam.request import Request
from simlib.iam.statement import Statement
from simlib.iam.vocabulary import NEEDS_NO_PERMISSION

ACCOUNT = "111111111111"
ANYBODY, STRANGER = (f"arn:aws:iam::{account}:role/anybody" for account in (ACCOUNT, "999999999999"))
RESOURCES = ("arn:aws:*:*:*:?*", "*")  # of these patterns a witness has its resource: an ARN if there is one
NOTHING: Context = MappingProxyType({})
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


def newly_allowed(
    new: Policy, old: Policy | None, ceilings: Sequence[Policy] = (), known: Context = NOTHING
) -> Iterator[Witness]:
    """Requests that the policy ``new`` and every one of the ``ceilings`` allow and ``old`` does not; with ``None`` any.

    One for each way in which actions match the policies' patterns, and for each caller that a resource's policies name.
    ``known``: the condition keys (in lower case) whose values are not open. What needs too many combinations to look at
    is taken to be new (a choice).
    """
    policies = [new, *([old] if old else []), *ceilings]
    for action in _actions(policies, old):
        for caller in _callers(policies):
            if witness := allowed(new, action, *RESOURCES, beyond=old, caller=caller, ceilings=ceilings, known=known):
                yield witness


def allowed(
    policy: Policy,
    action: str,
    *resources: str,
    beyond: Policy | None = None,
    caller: str = ANYBODY,
    ceilings: Sequence[Policy] = (),
    known: Context = NOTHING,
) -> Witness | None:
    """A request for an action, on a resource of one of some patterns: ``policy`` allows it, ``beyond`` does not."""
    if beyond and _allows_all(beyond, _request(caller, action, "*")):
        return None
    inside, levels = identify(caller).has_account, tuple((each,) for each in ceilings)
    grants, *old = [PolicySet((each,)) if inside else PolicySet(resource=each) for each in (policy, beyond) if each]
    for resource in resources:
        request = _request(caller, action, resource, known)
        allows = [each for each in policy.candidates(request.folded_action) if each.effect == "Allow"]
        if not allows:
            break
        new = grants._replace(scps=levels)
        possibility = possible(request, new, resource_set=True, beyond=old[0] if old else None)
        if possibility.witness or possibility.depends_on is None:
            request.resource, context = possibility.witness or (resource, {})
            request.values = {**known, **context}
            statement = next((each for each in allows if each.fits(request, False)), allows[0])
            return Witness(caller, action, request.resource, context, statement)
    return None


def _allows_all(policy: Policy, request: Request) -> bool:
    """Whether every request for an action is allowed, whatever its resource and context."""
    covering = policy.candidates(request.folded_action)
    wide = (each.resources is None or ("*" in each.resources.texts and not each.not_resource) for each in covering)
    free = [each for each, is_wide in zip(covering, wide, strict=True) if is_wide and each.principals is None]
    return all(each.effect == "Allow" for each in covering) and any(not each.conditions for each in free)


def _request(caller: str, action: str, resource: str, known: Context = NOTHING) -> Request:
    """A request of which policies see nothing but who asks, the action, the resource and what is known."""
    request = Request(caller, action, resource, identify(caller).account or ACCOUNT)
    request.values, request.service, request.is_trust_question = known, "", False
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


def _actions(policies: Sequence[Policy], old: Policy | None) -> Iterator[str]:
    """An action for each way to match the policies' patterns: one that AWS has, where one of its matches so.

    Service by service, for a pattern that names one cannot match another's actions; without those of which ``old``
    allows everything.
    """
    texts = {text.lower() for each in (old.statements if old else ()) for text in each.actions.texts} - {"*"}
    named_by_old = {text.partition(":")[0] for text in texts}
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
        alike = prefix and not any(fnmatchcase(prefix, each) for each in named_by_old)
        if old and alike and _allows_all(old, _request(ANYBODY, f"{prefix}:Any", "*")):
            continue
        patterns = [parse(text) for text in (*own, *(named[""] if prefix else ()))]
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
