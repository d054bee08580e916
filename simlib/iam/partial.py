"""Could a request be allowed? A decision while parts of the context, or of the resource, are left open.

This is partial evaluation. What is open takes every value that makes a difference: one text for each way in which texts
can meet the conditions (or patterns) that look at it, drawn from what the policies mention. The decision itself stays
``evaluation.evaluate``; here its statements match, do not match, or could do either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, reduce
from itertools import combinations, islice, pairwise
from operator import or_
from typing import Any, NamedTuple

from simlib.iam.conditions import Condition, moment, network, number, scalar_text
from simlib.iam.decision import PolicySet
from simlib.iam.errors import RequestError
from simlib.iam.evaluation import evaluate
from simlib.iam.explanation import Evaluation
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
from simlib.iam.vocabulary import ALLOW, EXPLICIT_DENY, IMPLICIT_DENY

DEPENDS = "DEPENDS"
MOST_ALTERNATIVES = 100
MOST = 1_000  # combinations of what is open; policies that need more are answered without a list
Part = tuple[int, int]  # of what is open, one bit for each atom: those that are known, and those of them that hold
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
    """A statement as far as it is known: it matches if the atoms of ``needs`` hold, or do not, as said there."""

    __slots__ = ("needs", "problem", "statement")

    def __init__(self, statement: Statement, needs: Part, problem: _Problem) -> None:
        self.statement = statement
        self.needs = needs
        self.problem = problem

    def __getattr__(self, name: str) -> Any:
        return getattr(self.statement, name)

    def is_met(self) -> bool | None:
        atoms, holding = self.needs
        known, known_holding = self.problem.known
        if (holding ^ known_holding) & atoms & known:
            return False
        return None if atoms & ~known else True

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
        self.known: Part = (0, 0)
        self.hopeful = False
        session = (policies.session,) if isinstance(policies.session, Policy) else policies.session
        self.policies = PolicySet(*[self._reduced(layer) for layer in policies._replace(session=session)])
        self.allowed: list[Part] = []
        self.denied: list[Part] = []
        self.evaluations: list[Evaluation] = []  # one for each of these parts

    @cached_property
    def groups(self) -> list[tuple[int, list[int]]]:
        """For each group of open keys that some atom looks at together: its atoms, and the ways in which they hold."""
        groups = []
        for keys in _connected([atom.open for atom in self.atoms]):
            atoms = {1 << index: atom for index, atom in enumerate(self.atoms) if atom.open <= keys}
            groups.append((sum(atoms), _options(self.request, atoms, keys)))
        return groups

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

    def _needs(self, statement: Statement) -> Part | None:
        """The atoms a statement hangs on; ``None`` where it cannot match."""
        known, holding = 0, 0
        atoms = [(self._condition(each), True) for each in statement.conditions]
        if statement.resources is not None:
            atoms.append((self._resource(statement.resources), not statement.not_resource))
        for atom, wanted in atoms:
            if not atom.open:
                if atom.holds(self.request.values, self.request.resource) is not wanted:
                    return None
                continue
            same = [index for index, each in enumerate(self.atoms) if each[:3] == atom[:3]]
            bit = 1 << (same[0] if same else len(self.atoms))
            if not same:
                self.atoms.append(atom)
            known, holding = known | bit, holding | bit * wanted
        return known, holding

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
        found.append(self.known)
        self.evaluations.append(evaluation)
        if len(self.evaluations) > MOST:
            raise TooManyTexts

    def _split(self) -> None:
        before, holding = self.known
        undecided = reduce(or_, (each.needs[0] for each in self.statements if each.is_met() is None)) & ~before
        group, options = max(self.groups, key=lambda group: (group[0] & undecided).bit_count())
        for option in sorted({option & undecided for option in options}):
            self.known = before | group & undecided, holding | option
            self.solve()
        self.known = before, holding

    def is_possible(self, part: Part) -> bool:
        """Whether some value of what is open makes the atoms so."""
        known, holding = part
        return all(any(not (option ^ holding) & known & atoms for option in options) for atoms, options in self.groups)

    def alternatives(self) -> tuple[tuple[Term, ...], ...]:
        """A list of conjunctions that together say when the request is allowed: none can be left out or shortened."""
        found: list[Part] = []
        for part in self.allowed:
            if not any(self._covers(each, part) for each in found):
                found.append(self._shortened(part))
            if len(found) > MOST_ALTERNATIVES:
                raise TooManyTexts
        covered = [{part for part in self.allowed if self._covers(each, part)} for each in found]
        for index in sorted(range(len(found)), key=lambda index: -found[index][0].bit_count()):
            if covered[index] <= set().union(*covered[:index], *covered[index + 1 :]):
                covered[index] = set()
        kept = [each for each, parts in zip(found, covered, strict=True) if parts]
        return tuple(sorted(map(self._terms, kept), key=lambda terms: (len(terms), terms)))

    def _terms(self, part: Part) -> tuple[Term, ...]:
        known, holding = part
        numbered = [(1 << index, atom.term) for index, atom in enumerate(self.atoms)]
        return tuple([term._replace(holds=bool(bit & holding)) for bit, term in numbered if bit & known])

    def _shortened(self, part: Part) -> Part:
        """The fewest of a part's atoms that still say it is allowed; that something does not hold is left out first."""
        known, holding = part
        for bit in sorted(_bits(known), key=lambda bit: bool(holding & bit)):
            if not any(self._meet((known & ~bit, holding & ~bit), other) for other in self.denied):
                known, holding = known & ~bit, holding & ~bit
        return known, holding

    def _meet(self, one: Part, other: Part) -> bool:
        clash = (one[1] ^ other[1]) & one[0] & other[0]
        return not clash and self.is_possible((one[0] | other[0], one[1] | other[1]))

    def _covers(self, wide: Part, part: Part) -> bool:
        return not any(self._meet((bit, ~wide[1] & bit), part) for bit in _bits(wide[0]))


def _bits(number: int) -> list[int]:
    return [1 << index for index in range(number.bit_length()) if number >> index & 1]


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


def _options(request: Request, atoms: Mapping[int, _Atom], keys: frozenset[str]) -> list[int]:
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

    found: set[int] = set()
    order = sorted(keys, key=lambda key: (key not in in_variables, key == RESOURCE, key))
    for count, (context, resource) in enumerate(assignments(order, request.values)):
        if count == 10 * MOST:
            raise TooManyTexts
        found.add(sum(bit for bit, atom in atoms.items() if atom.holds(context, resource)))
    return list(found)


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
