"""Could a request be allowed? A decision while parts of the context, or of the resource, are left open.

This is partial evaluation. What is open takes every value that makes a difference: one text for each way in which texts
can meet the conditions (or patterns) that look at it, drawn from what the policies mention. The decision itself stays
``evaluation.evaluate``; here its statements match, do not match, or could do either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, reduce
from itertools import combinations, islice, pairwise
from typing import Any, NamedTuple

from simlib.iam.conditions import Condition, moment, network, number, scalar_text
from simlib.iam.errors import RequestError
from simlib.iam.evaluation import ALLOW, EXPLICIT_DENY, IMPLICIT_DENY, Evaluation, PolicySet, evaluate
from simlib.iam.matching import (
    Context,
    Glob,
    Patterns,
    Piece,
    TooManyTexts,
    Values,
    Variable,
    Wild,
    covers,
    meets,
    read,
    texts_by_match,
)
from simlib.iam.policy import Policy
from simlib.iam.principals import NOT, Named
from simlib.iam.request import Request
from simlib.iam.statement import Statement

DEPENDS = "DEPENDS"
MOST_ALTERNATIVES = 100
MOST = 1_000  # combinations of what is open; policies that need more are answered without a list
RESOURCE = "Resource"  # stands among the open keys for an open resource; keys are in lower case


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
    to look at. ``evaluation`` is one with that decision; ``None`` where it depends.
    """

    decision: str
    depends_on: tuple[tuple[Term, ...], ...] | None
    evaluation: Evaluation | None


class _Atom(NamedTuple):
    """Something that holds or not: a condition, or that the patterns of a ``Resource`` match."""

    term: Term
    variables: bool
    open: frozenset[str]  # the keys that are open of all it looks at
    condition: Condition | None
    patterns: Patterns | None

    @property
    def subject(self) -> str:
        return self.condition.key if self.condition else RESOURCE

    def pieces(self, context: Context) -> list[list[Piece]]:
        return self.patterns.pieces(context) if self.patterns else []

    def holds(self, context: Context, resource: str) -> bool:
        if self.condition:
            return self.condition.holds(context)
        return self.patterns is None or self.patterns.matches(resource, context)


class _Statement:
    """A statement as far as it is known: it matches if its atoms are as ``needs`` says."""

    __slots__ = ("needs", "problem", "statement")

    def __init__(self, statement: Statement, needs: Mapping[int, bool], problem: _Problem) -> None:
        self.statement = statement
        self.needs = needs
        self.problem = problem

    def __getattr__(self, name: str) -> Any:
        return getattr(self.statement, name)

    def is_met(self) -> bool | None:
        known = self.problem.known
        left = [known.get(atom) for atom, wanted in self.needs.items() if known.get(atom) is not wanted]
        return None if left and all(each is None for each in left) else not left

    def matches(self, request: Request, bounded: bool) -> Named:
        met = self.is_met()
        if met is None:
            met = self.problem.hopeful is (self.statement.effect == "Allow")
        return self.statement.names(request, bounded) if met else NOT


class _Policy(Policy):
    """The statements of a policy that could match."""

    __slots__ = ("likely",)

    def __init__(self, policy: Policy, likely: list[_Statement]) -> None:
        self.document, self.kind, self.name = policy.document, policy.kind, policy.name
        self.version, self.statements = policy.version, policy.statements
        self.likely = likely

    def candidates(self, action: str) -> Sequence[Statement]:
        return self.likely  # type: ignore[return-value]


class _Problem:
    """One request, what is open of it, and the decision for each part of what it could be."""

    def __init__(self, request: Request, policies: PolicySet, open_keys: Iterable[str] | None, resources: bool) -> None:
        self.request = request
        self.keys = None if open_keys is None else {key.lower() for key in open_keys}
        self.resources = resources
        self.atoms: list[_Atom] = []
        self.statements: list[_Statement] = []
        self.known: dict[int, bool] = {}
        self.hopeful = False
        session = (policies.session,) if isinstance(policies.session, Policy) else policies.session
        self.policies = PolicySet(*[self._reduced(layer) for layer in policies._replace(session=session)])
        self.allowed: list[dict[int, bool]] = []
        self.denied: list[dict[int, bool]] = []
        self.evaluations: list[Evaluation] = []  # one for each of these parts

    @cached_property
    def groups(self) -> list[list[dict[int, bool]]]:
        """The ways in which atoms can hold together: for each group of open keys all of its own."""
        return [
            _options(self.request, {index: atom for index, atom in enumerate(self.atoms) if atom.open <= keys}, keys)
            for keys in _connected([atom.open for atom in self.atoms])
        ]

    def _reduced(self, layer: Any) -> Any:
        if not isinstance(layer, Policy):
            return tuple([self._reduced(each) for each in layer]) if isinstance(layer, tuple) else layer
        likely = []
        for statement in layer.candidates(self.request.folded_action):
            named = statement.names(self.request, True) or statement.names(self.request, False)
            if named and statement.covers_action(self.request):
                needs = self._needs(statement)
                if needs is not None:
                    likely.append(_Statement(statement, needs, self))
        self.statements += likely
        return _Policy(layer, likely)

    def _needs(self, statement: Statement) -> dict[int, bool] | None:
        """The atoms a statement hangs on; ``None`` where it cannot match."""
        needs: dict[int, bool] = {}
        atoms = [(self._condition(each), True) for each in statement.conditions]
        if statement.resources is not None:
            atoms.append((self._resource(statement.resources), not statement.not_resource))
        for atom, wanted in atoms:
            if not atom.open:
                if atom.holds(self.request.values, self.request.resource) is not wanted:
                    return None
                continue
            same = (index for index, each in enumerate(self.atoms) if each[:3] == atom[:3])
            index = next(same, len(self.atoms))
            if index == len(self.atoms):
                self.atoms.append(atom)
            if needs.setdefault(index, wanted) is not wanted:
                return None
        return needs

    def _condition(self, condition: Condition) -> _Atom:
        term = Term(condition.operator.name, condition.name, condition.wanted, True)
        patterns = condition.patterns
        keys = self._open({condition.key, *(patterns.keys if patterns else ())})
        return _Atom(term, condition.variables, keys, condition, patterns)

    def _resource(self, patterns: Patterns) -> _Atom:
        term = Term(RESOURCE, RESOURCE, tuple(patterns.texts), True)
        keys = self._open(patterns.keys) | ({RESOURCE} if self.resources else frozenset())
        return _Atom(term, patterns.variables, keys, None, patterns)

    def _open(self, keys: Iterable[str]) -> frozenset[str]:
        known = self.request.values
        return frozenset(key for key in keys if (key not in known if self.keys is None else key in self.keys))

    def solve(self) -> None:
        """Split what is open until the decision is the same for all of a part. Raises ``TooManyTexts``."""
        self.hopeful = False
        if (evaluation := evaluate(self.request, self.policies)).effect == ALLOW:
            found = self.allowed
        else:
            self.hopeful = True
            evaluation = evaluate(self.request, self.policies)
            if evaluation.effect == ALLOW:
                self._split()
                return
            found = self.denied
        found.append(dict(self.known))
        self.evaluations.append(evaluation)
        if len(self.evaluations) > MOST:
            raise TooManyTexts

    def _split(self) -> None:
        undecided = {atom for each in self.statements if each.is_met() is None for atom in each.needs}
        undecided -= set(self.known)
        group = max(self.groups, key=lambda options: len(undecided & set(options[0])))
        for part in sorted({tuple([(atom, option[atom]) for atom in option if atom in undecided]) for option in group}):
            self.known |= part
            self.solve()
            for atom, _ in part:
                del self.known[atom]

    def is_possible(self, known: Mapping[int, bool]) -> bool:
        """Whether some value of what is open makes the atoms so."""
        return all(
            any(all(known.get(atom, holds) is holds for atom, holds in option.items()) for option in options)
            for options in self.groups
        )

    def alternatives(self) -> tuple[tuple[Term, ...], ...]:
        """A list of conjunctions that together say when the request is allowed: none can be left out or shortened."""
        found: list[dict[int, bool]] = []
        for part in self.allowed:
            if not any(self._covers(each, part) for each in found):
                found.append(self._shortened(part))
            if len(found) > MOST_ALTERNATIVES:
                raise TooManyTexts
        covered = [{n for n, part in enumerate(self.allowed) if self._covers(each, part)} for each in found]
        for index in sorted(range(len(found)), key=lambda index: -len(found[index])):
            others = [each for n, each in enumerate(covered) if n != index]
            if covered[index] <= set().union(*others):
                covered[index] = set()
        kept = [each for each, parts in zip(found, covered, strict=True) if parts]
        terms = [tuple([self.atoms[atom].term._replace(holds=each[atom]) for atom in sorted(each)]) for each in kept]
        return tuple(sorted(terms, key=lambda each: (len(each), each)))

    def _shortened(self, part: Mapping[int, bool]) -> dict[int, bool]:
        """The fewest of a part's atoms that still say it is allowed; that something does not hold is left out first."""
        kept = dict(part)
        for atom in sorted(part, key=lambda atom: part[atom]):
            rest = {each: holds for each, holds in kept.items() if each != atom}
            if not any(self._meet(rest, other) for other in self.denied):
                kept = rest
        return kept

    def _meet(self, one: Mapping[int, bool], other: Mapping[int, bool]) -> bool:
        return all(one.get(atom, holds) is holds for atom, holds in other.items()) and self.is_possible(
            {**one, **other}
        )

    def _covers(self, wide: Mapping[int, bool], part: Mapping[int, bool]) -> bool:
        return not any(self._meet({atom: not holds}, part) for atom, holds in wide.items())


def possible(
    request: Request, policies: PolicySet, open_keys: Iterable[str] | None = None, *, resource_set: bool = False
) -> Possibility:
    """Decide a request of which a part is open.

    ``open_keys``: condition keys that could have any value, several values, or none; ``None``: every key that the
    request does not have. ``resource_set``: the request's resource stands for every resource that matches it as a
    pattern. Raises ``RequestError`` where such a set mixes what AWS decides differently.
    """
    try:
        if resource_set:
            _check_set(request)
        problem = _Problem(request, policies, open_keys, resource_set)
        problem.solve()
        if not problem.denied:
            return Possibility(ALLOW, (), problem.evaluations[0])
        if not problem.allowed:
            effects = [evaluation.effect for evaluation in problem.evaluations]
            decision = IMPLICIT_DENY if IMPLICIT_DENY in effects else EXPLICIT_DENY
            return Possibility(decision, (), problem.evaluations[effects.index(decision)])
        return Possibility(DEPENDS, problem.alternatives(), None)
    except TooManyTexts:
        return Possibility(DEPENDS, None, None)


def _check_set(request: Request) -> None:
    parts = request.resource.split(":", 5)
    if request.resource_account is None and len(parts) == 6 and set("*?") & set(parts[4]):
        raise RequestError("resource_account", "a set of resources of more than one account needs this field")
    pieces = read(request.resource)
    for kind in ("*:role/*", "*:key/*", "*:alias/aws/*") if request.service in ("sts", "kms") else ():
        if meets(read(kind), pieces) and not covers([read(kind)], pieces):
            raise RequestError(
                "resource", f"only some of these resources are {kind[2:-1]}…, which AWS decides otherwise"
            )


# --- what is open: one value for each way to meet the conditions ------------------------------------------------------


def _connected(sets: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """The open keys in groups: keys that one condition looks at together are in the same group."""
    groups: list[frozenset[str]] = []
    for each in sets:
        touching = [group for group in groups if group & each]
        groups = [group for group in groups if not group & each] + [reduce(frozenset.union, touching, each)]
    return groups


def _options(request: Request, atoms: Mapping[int, _Atom], keys: frozenset[str]) -> list[dict[int, bool]]:
    """The ways in which the atoms of a group can hold together. Raises ``TooManyTexts``."""
    in_variables = {key for atom in atoms.values() for key in atom.open if key != atom.subject}
    mentioned = [text for atom in atoms.values() for text in atom.term.values]
    fillings = [text for atom in atoms.values() for text in _fillings(atom, request, atoms.values())]

    def assignments(keys: Sequence[str], context: Context) -> Iterator[tuple[Context, str]]:
        """Contexts and resources in which the keys have every value that makes a difference."""
        if not keys:
            yield context, request.resource
            return
        key, *others = keys
        concerned = [atom for atom in atoms.values() if atom.subject == key]
        if key == RESOURCE:
            patterns = tuple([tuple(map(tuple, atom.pieces(context))) for atom in concerned])
            yield from ((context, text) for text in _texts_by_match(patterns, tuple(read(request.resource))))
            return
        conditions = [atom.condition for atom in concerned if atom.condition]
        values: list[Values | None] = [None, *_texts(conditions, context)]
        values += _lists([value for value in values if isinstance(value, str) and value], conditions)
        if key in in_variables:
            values += [(value,) for value in values if isinstance(value, str)]
            values += [text for text in dict.fromkeys([*mentioned, *fillings]) if text not in values]
        known = {name: value for name, value in context.items() if name != key}
        for value in values:
            yield from assignments(others, known if value is None else {**known, key: value})

    found: dict[tuple[bool, ...], dict[int, bool]] = {}
    order = sorted(keys, key=lambda key: (key not in in_variables, key == RESOURCE, key))
    for count, (context, resource) in enumerate(assignments(order, request.values)):
        if count == 10 * MOST:
            raise TooManyTexts
        option = {index: atom.holds(context, resource) for index, atom in atoms.items()}
        found.setdefault(tuple(option.values()), option)
    return list(found.values())


def _fillings(atom: _Atom, request: Request, others: Iterable[_Atom]) -> Iterator[str]:
    """What a variable in the texts of a condition can stand for, so that one of them is what it is compared with."""
    known = request.resource if atom.subject == RESOURCE else request.values.get(atom.subject, ())
    texts = [] if atom.subject in atom.open else [*((known,) if isinstance(known, str) else known)]
    texts += [text for other in others if other.subject == atom.subject for text in other.term.values]
    for pieces in map(atom.patterns.read, atom.patterns.texts) if atom.patterns else ():
        for index in [index for index, piece in enumerate(pieces) if isinstance(piece, Variable)]:
            gaps = [Wild.ANY if isinstance(piece, Variable) else piece for piece in pieces]
            before, behind = Glob(gaps[:index]), Glob(gaps[index + 1 :])
            for text in texts:
                starts = [at for at in range(len(text) + 1) if before.matches(text[:at], {})]
                ends = [at for at in reversed(range(len(text) + 1)) if behind.matches(text[at:], {})]
                runs = (text[start:end] for start in starts for end in ends if start <= end)
                yield from islice(runs, 4)  # where there are more, any is as good


@lru_cache(maxsize=256)
def _texts_by_match(patterns: tuple[Any, ...], within: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(texts_by_match(patterns, within, most=5 * MOST).values())


def _texts(conditions: Sequence[Condition], context: Context) -> list[str]:
    """A text for each way to meet the conditions of one key, and the empty one."""
    patterns = [tuple(map(tuple, each.patterns.pieces(context))) for each in conditions if each.patterns]
    wanted = [text for condition in conditions for text in condition.wanted]
    texts = ["", "AAAA", "true", "false", *wanted, *_texts_by_match(tuple(patterns), (Wild.ANY,))]
    texts += map(str.swapcase, texts[4:])
    numbers = sorted({float(each) for read in (number, moment) for each in map(read, wanted) if each is not None})
    between = [(low + high) / 2 for low, high in pairwise(numbers)]
    ends = [numbers[0] - 1, numbers[-1] + 1] if numbers else []
    texts += [scalar_text(each) or "" for each in (*numbers, *between, *ends)]
    for limit in filter(None, map(network, wanted)):
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
        for chosen in combinations(texts, size):
            yield (*chosen, "", "")  # empty ones do not count there, and make it a list everywhere else
