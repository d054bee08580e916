"""Could a request be allowed? A decision while parts of the context, or of the resource, are left open.

This is partial evaluation. What is open takes every value that makes a difference: one text for each way in which texts
can meet the conditions (or patterns) that look at it, drawn from what the policies mention. The decision itself stays
``evaluation.evaluate``; here its statements match, do not match, or could do either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property, lru_cache
from itertools import chain, combinations, islice, pairwise, product
from typing import Any, NamedTuple

from simlib.iam.conditions import Condition, Operator, moment, network, number, scalar_text
from simlib.iam.decision import PolicySet
from simlib.iam.errors import RequestError
from simlib.iam.evaluation import evaluate
from simlib.iam.explanation import Evaluation
from simlib.iam.matching import Context, Patterns, TooManyTexts, Values, Variable, Wild, matcher, parse, texts_by_match
from simlib.iam.policy import Policy
from simlib.iam.request import Request
from simlib.iam.statement import Statement
from simlib.iam.vocabulary import IMPLICIT_DENY

DEPENDS = "DEPENDS"
MOST_ALTERNATIVES = 100
MOST = 1_000  # combinations of what is open; policies that need more are answered without a list
RESOURCE = "Resource"  # an open resource is one more key, which no policy can name: keys are in lower case
_MATCHES = Operator(RESOURCE, RESOURCE, "", if_exists=False, negated=False, when_absent=False)


class Term(NamedTuple):
    """A condition of a policy that holds or not. The operator ``Resource``: the resource matches a pattern."""

    operator: str
    key: str
    values: tuple[str, ...]
    holds: bool


class Possibility(NamedTuple):
    """What can be said of a request some of which is open.

    ``decision``: ``ALLOW``, ``IMPLICIT_DENY`` or ``EXPLICIT_DENY`` whatever is open turns out to be (``IMPLICIT_DENY``
    also where only some of it is denied explicitly), or ``DEPENDS``. Then ``depends_on`` are alternatives: the request
    is allowed exactly if every term of one of them is as it says. It is ``None`` where there are too many combinations
    to look at. ``evaluation`` is one with that decision; ``None`` where it depends. ``witness``: a resource, and values
    of open keys (none: without the key), for which the request is allowed; ``None`` where there are none.
    """

    decision: str
    depends_on: tuple[tuple[Term, ...], ...] | None
    evaluation: Evaluation | None
    witness: tuple[str, Context] | None = None


class _Problem:
    """One request, what is open of it, and the decision for each way in which the atoms can hold.

    An atom is a condition that looks at an open key, or the patterns of a ``Resource``; each is one bit.
    """

    def __init__(
        self,
        request: Request,
        policies: PolicySet,
        beyond: PolicySet | None,
        open_keys: Iterable[str] | None,
        resources: bool,
    ) -> None:
        self.request, self.policies, self.beyond = request, policies, beyond
        open_resource = {RESOURCE} if resources else set()
        self.keys = None if open_keys is None else open_resource.union(key.lower() for key in open_keys)
        self.context = request.values if resources else {**request.values, RESOURCE: request.resource}
        atoms: dict[tuple[Any, ...], Condition] = {}
        for policy in _flat((policies, beyond)):
            for statement in policy.candidates(request.folded_action):
                for each in self._atoms(statement):
                    atoms.setdefault((each.operator, each.name, each.values, each.variables), each)
        self.conditions = {1 << index: condition for index, condition in enumerate(atoms.values())}

    def _atoms(self, statement: Statement) -> list[Condition]:
        """The atoms a statement that covers the action hangs on; none where it cannot match."""
        if not (statement.names(self.request, True) or statement.names(self.request, False)):
            return []
        elements, atoms = [(condition, True) for condition in statement.conditions], []
        if (patterns := statement.resources) is not None:
            condition = Condition(
                _MATCHES, RESOURCE, tuple(patterns.texts), variables=patterns.variables, matcher=patterns
            )
            condition.key = RESOURCE
            elements.append((condition, not statement.not_resource))
        for condition, needed in elements:
            if self._open(condition):
                atoms.append(condition)
            elif condition.holds(self.context) is not needed:
                return []
        return atoms

    def _open(self, condition: Condition) -> frozenset[str]:
        keys = _keys(condition)
        return frozenset(keys.difference(self.context) if self.keys is None else keys & self.keys)

    @cached_property
    def groups(self) -> list[tuple[int, dict[int, Context]]]:
        """For each group of open keys that some atom looks at together: its atoms, and the ways in which they hold,
        each with values of the keys for which they do."""
        together: list[frozenset[str]] = []
        for keys in map(self._open, self.conditions.values()):
            apart = [group for group in together if not group & keys]
            together = [*apart, keys.union(*[group for group in together if group & keys])]
        within, groups = tuple(parse(self.request.resource)), []
        for keys in together:
            atoms = {bit: each for bit, each in self.conditions.items() if self._open(each) <= keys}
            groups.append((sum(atoms), _options(self.context, atoms, keys, within)))
        return groups

    def values(self, holding: int) -> tuple[str, dict[str, Values]]:
        """A resource, and values of open keys, for which these atoms hold, and no others."""
        values = {key: value for atoms, ways in self.groups for key, value in ways[holding & atoms].items()}
        return str(values.pop(RESOURCE, self.request.resource)), values

    def solve(self) -> dict[int, Evaluation]:
        """The decision for every way in which the atoms can hold. Raises ``TooManyTexts``."""
        decisions: dict[int, Evaluation] = {}
        for holding in map(sum, product(*[options for _, options in self.groups])):
            request = copy(self.request)
            request.resource, values = self.values(holding)
            request.values = {**request.values, **values}
            evaluation = evaluate(request, self.policies)._replace(request=self.request)
            if self.beyond and evaluation.allowed and evaluate(request, self.beyond).allowed:
                evaluation = evaluation._replace(effect=IMPLICIT_DENY)
            decisions[holding] = evaluation
            if len(decisions) > MOST:
                raise TooManyTexts
        return decisions

    def alternatives(self, allowed: Sequence[int], denied: Sequence[int]) -> tuple[tuple[Term, ...], ...]:
        """A list of conjunctions that together say when the request is allowed: none can be left out or shortened."""
        covered: dict[tuple[int, int], set[int]] = {}
        for holding in allowed:
            if not any(holding in others for others in covered.values()):
                atoms = sum(self.conditions)
                for bit in sorted(self.conditions, key=holding.__and__):  # what does not hold is left out first
                    if all((holding ^ other) & atoms & ~bit for other in denied):
                        atoms &= ~bit
                covered[atoms, holding & atoms] = {each for each in allowed if not (each ^ holding) & atoms}
            if len(covered) > MOST_ALTERNATIVES:
                raise TooManyTexts
        for each in sorted(covered, key=lambda each: -each[0].bit_count()):
            if covered[each] <= set().union(*[others for other, others in covered.items() if other != each]):
                del covered[each]
        terms = [
            tuple(
                Term(each.operator.name, each.name, each.values, bool(bit & holding))
                for bit, each in self.conditions.items()
                if bit & atoms
            )
            for atoms, holding in covered
        ]
        return tuple(sorted(terms, key=lambda each: (len(each), each)))


def _flat(layer: Any) -> Iterator[Policy]:
    """The policies of a layer, or of several."""
    return iter((layer,)) if isinstance(layer, Policy) else chain.from_iterable(map(_flat, layer or ()))


def _keys(condition: Condition) -> set[str]:
    """The keys a condition looks at: its own, and those of its variables."""
    return {condition.key, *(condition.matcher.keys if isinstance(condition.matcher, Patterns) else ())}


def possible(
    request: Request,
    policies: PolicySet,
    open_keys: Iterable[str] | None = None,
    *,
    resource_set: bool = False,
    beyond: PolicySet | None = None,
) -> Possibility:
    """Decide a request of which a part is open.

    ``open_keys``: condition keys that could have any value, several values, or none; ``None``: every key that the
    request does not have. ``resource_set``: the request's resource stands for every resource that matches it as a
    pattern. ``beyond``: only what these policies do not allow counts as allowed. Raises ``RequestError`` where such a
    set mixes what AWS decides differently.
    """
    try:
        if resource_set:
            _check_set(request)
        problem = _Problem(request, policies, beyond, open_keys, resource_set)
        decisions = problem.solve()
        allowed = [holding for holding, evaluation in decisions.items() if evaluation.allowed]
        witness = None
        if allowed:
            resource, values = problem.values(allowed[0])
            witness = resource, {key: value for key, value in values.items() if value != ()}
        effects = {evaluation.effect: evaluation for evaluation in reversed(decisions.values())}
        if allowed and len(effects) > 1:
            denied = [holding for holding, evaluation in decisions.items() if not evaluation.allowed]
            return Possibility(DEPENDS, problem.alternatives(allowed, denied), None, witness)
        decision = IMPLICIT_DENY if IMPLICIT_DENY in effects else next(iter(effects))
        return Possibility(decision, (), effects[decision], witness)
    except TooManyTexts:
        return Possibility(DEPENDS, None, None)


def _check_set(request: Request) -> None:
    parts = request.resource.split(":", 5)
    if request.resource_account is None and len(parts) == 6 and set("*?") & set(parts[4]):
        raise RequestError("resource_account", "a set of resources of more than one account needs this field")
    pieces = parse(request.resource)
    for kind in ("*:role/*", "*:key/*", "*:alias/aws/*") if request.service in ("sts", "kms") else ():
        if len(texts_by_match([parse(kind)], pieces)) == 2:
            raise RequestError(
                "resource", f"only some of these resources are {kind[2:-1]}…, which AWS decides otherwise"
            )


# --- what is open: one value for each way to meet the conditions ------------------------------------------------------


def _options(
    known: Context, atoms: Mapping[int, Condition], keys: frozenset[str], within: tuple[Any, ...]
) -> dict[int, Context]:
    """The ways in which the atoms of a group can hold together, and values of its keys for each.

    ``within``: the pattern of the open resources. Raises ``TooManyTexts``.
    """
    in_variables = {key for each in atoms.values() for key in _keys(each) - {each.key}}
    mentioned = {text: None for each in atoms.values() for text in each.values}  # each once, in this order
    for each in atoms.values():
        compared = [text for other in atoms.values() if other.key == each.key for text in other.values]
        actual = () if each.key in keys else known.get(each.key, ())
        mentioned |= dict.fromkeys(_fillings(each, [*compared, *((actual,) if isinstance(actual, str) else actual)]))

    def assigned(key: str, contexts: Iterable[Context]) -> Iterator[Context]:
        """The contexts, with every value of one more key that makes a difference."""
        conditions = [each for each in atoms.values() if each.key == key]
        for context in contexts:
            texts = _texts(conditions, context, within)
            values: list[Values] = [*texts]
            if key != RESOURCE:
                values += [(), *_lists([text for text in texts if text], conditions)]
            if key in in_variables:
                values += [*((text,) for text in texts), *(text for text in mentioned if text not in texts)]
            yield from ({**context, key: value} for value in values)

    contexts = [known]
    ordered = sorted(keys, key=lambda key: (key not in in_variables, key == RESOURCE, key))
    for key in ordered:
        contexts = list(islice(assigned(key, contexts), 10 * MOST + 1))
        if len(contexts) > 10 * MOST:
            raise TooManyTexts
    options: dict[int, Context] = {}
    for context in contexts:
        holding = sum(bit for bit, each in atoms.items() if each.holds(context))
        options.setdefault(holding, {key: context[key] for key in ordered})
    return options


def _fillings(condition: Condition, texts: Sequence[str]) -> Iterator[str]:
    """What a variable of a condition can stand for, so that what it is in becomes one of the texts."""
    patterns = condition.matcher
    for pieces in map(patterns.parse, patterns.texts) if isinstance(patterns, Patterns) else ():
        for index in [index for index, piece in enumerate(pieces) if isinstance(piece, Variable)]:
            gaps = [Wild.ANY if isinstance(piece, Variable) else piece for piece in pieces]
            before, behind = matcher(gaps[:index]), matcher(gaps[index + 1 :])
            for text in texts:
                starts = [at for at in range(len(text) + 1) if before.matches(text[:at], {})]
                ends = [at for at in reversed(range(len(text) + 1)) if behind.matches(text[at:], {})]
                runs = (text[start:end] for start in starts for end in ends if start <= end)
                yield from islice(runs, 4)  # where there are more, any is as good


@lru_cache(maxsize=256)
def _texts_by_match(patterns: tuple[Any, ...], within: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(texts_by_match(patterns, within, most=5 * MOST).values())


def _texts(conditions: Sequence[Condition], context: Context, within: tuple[Any, ...]) -> list[str]:
    """A text for each way to meet the conditions of one key, and the empty one."""
    matchers = [each.matcher for each in conditions if isinstance(each.matcher, Patterns)]
    patterns = tuple([tuple(pieces) for each in matchers for pieces in each.pieces(context)])
    if any(each.key == RESOURCE for each in conditions):
        return [*_texts_by_match(patterns, within)]
    values = [text for condition in conditions for text in condition.values]
    texts = ["", "AAAA", "true", "false", *values, *_texts_by_match(patterns, (Wild.ANY,))]
    texts += map(str.swapcase, texts[4:])
    numbers = sorted({float(each) for parse in (number, moment) for each in map(parse, values) if each is not None})
    around = [numbers[0] - 2, *numbers, numbers[-1] + 2] if numbers else []
    between = [(low + high) / 2 for low, high in pairwise(around)]
    texts += [scalar_text(each) or "" for each in (*numbers, *between)]
    for limit in filter(None, map(network, values)):
        behind = (int(limit.broadcast_address) + 1) % (1 << limit.max_prefixlen)
        texts += [str(limit.network_address), str(type(limit.network_address)(behind)), "0.0.0.0", "::"]
    distinct: dict[tuple[bool, ...], str] = {}
    for text in texts:
        distinct.setdefault((bool(text), *(condition.met(text, context) for condition in conditions)), text)
    return list(distinct.values())


def _lists(texts: Sequence[str], conditions: Sequence[Condition]) -> Iterator[tuple[str, ...]]:
    """Lists of several values: as many as conditions with ``ForAllValues`` or ``ForAnyValue`` could tell apart."""
    most = sum(bool(condition.operator.qualifier) for condition in conditions)
    for size in range(min(most, len(texts)) + 1):
        for subset in combinations(texts, size):
            yield (*subset, "", "")  # empty ones do not count there, and make it a list everywhere else
