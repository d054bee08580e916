"""The one reader of policies: a document of any kind becomes statements, or problems with their places.

What is wrong with the language is reported here and nowhere else. The engine stops at the first problem (`Reporter`);
the validator collects them all and goes on with what is left (`findings.Report`). What a service refuses besides when
a document is saved, and what it saves though it cannot work, are findings of the validator.
AWS pages: UG/reference_policies_grammar, UG/reference_policies_elements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.iam.conditions import BY_NAME, Condition, scalar_text
from simlib.iam.errors import Path
from simlib.iam.matching import RESOURCE, Patterns
from simlib.iam.principals import FORMS, ITSELF, NONE, NOT, Named, Principals

if TYPE_CHECKING:
    from simlib.iam.request import Request

CURRENT_VERSION = "2012-10-17"
OLD_VERSION = "2008-10-17"  # also what a document without a Version means: no policy variables
VERSIONS = (CURRENT_VERSION, OLD_VERSION)
DOCUMENT_ELEMENTS = ("Version", "Id", "Statement")
_PRINCIPAL, _EITHER = ("Principal",), ("Principal", "NotPrincipal")
_ACTIONS, _RESOURCES = ("Action", "NotAction"), ("Resource", "NotResource")
_ATTACHED = (*_RESOURCES, "")  # without one it is the resource that the policy is attached to
STATEMENT_ELEMENTS = ("Sid", "Effect", *_EITHER, *_ACTIONS, *_RESOURCES, "Condition")
OBJECT = (dict, Mapping)  # what JSON reads is looked at first: the question costs less so
LIST = (list, tuple)
Texts = list[tuple[Path, str]]
"""Strings of a document, each with the way to it."""

_DOCUMENT = frozenset(DOCUMENT_ELEMENTS)
_ACTION = re.compile(r"\*|(?:\*|[A-Za-z0-9.\-]+):[^:]+")
_VENDOR = re.compile(r"[^:]*:[^:]+")
_RESOURCE = re.compile(r"\*|arn:[^:]*:[^:*?$]*(?::.*)?|execute-api:/.*", re.DOTALL)


class Kind(NamedTuple):
    """A kind of policy: what it is called, and how its statements may name principals, actions and resources ("": not
    at all)."""

    name: str
    principal: tuple[str, ...] = ("",)
    action: tuple[str, ...] = _ACTIONS
    resource: tuple[str, ...] = _RESOURCES

    @property
    def elements(self) -> set[str]:
        return {"Sid", "Effect", "Condition", *self.principal, *self.action, *self.resource} - {""}


KINDS = {
    "identity": Kind("An identity-based policy"),
    "boundary": Kind("A permissions boundary"),
    "session": Kind("A session policy"),
    "scp": Kind("A service control policy"),
    "rcp": Kind("A resource control policy", _PRINCIPAL),
    "resource": Kind("A resource-based policy", _EITHER, resource=_ATTACHED),
    "trust": Kind("A trust policy", _PRINCIPAL, resource=("",)),
    "key": Kind("A key policy", _EITHER, (*_ACTIONS, ""), _ATTACHED),  # without both it says nothing
    "endpoint": Kind("A VPC endpoint policy", _EITHER, resource=_ATTACHED),
}


_SHAPES: dict[tuple[str, ...], tuple[str, ...]] = {}  # a kind and elements that it may have, once they were seen
_FORBIDDEN = {  # element a kind of policy has not → what is reported
    ("trust", "Resource"): "role-trust-policy-syntax-error-resource",
    ("trust", "NotResource"): "role-trust-policy-syntax-error-resource",
    ("trust", "NotPrincipal"): "role-trust-policy-syntax-error-notprincipal",
    ("rcp", "NotPrincipal"): "rcp-syntax-error-principal",
    ("scp", "Principal"): "scp-syntax-error-principal",
    ("scp", "NotPrincipal"): "scp-syntax-error-principal",
}


class Unreadable(Exception):
    """A document that nothing can be decided by; a second reading with a `Report` says where it is wrong."""


class Reporter:
    """Whom the reader tells its problems: this one stops at the first, `findings.Report` collects them all."""

    def add(self, code: str, path: Path, value: Any = None, *, known: Iterable[str] = (), **words: Any) -> None:
        raise Unreadable(code)


class Statement:
    """One statement, prepared. ``document`` is the statement as written, ``index`` its place in the policy, from 0.

    Where the reader found problems, what is wrong is not among the prepared parts.
    """

    __slots__ = (
        *("index", "path", "sid", "effect", "document", "actions", "not_action", "resources", "not_resource"),
        *("principals", "not_principal", "conditions"),
    )
    sid: str | None
    effect: str
    actions: Patterns
    not_action: bool
    resources: Patterns | None  # None: the resource that the policy is attached to
    not_resource: bool
    principals: Principals | None  # None: who the policy is attached to
    not_principal: bool
    conditions: tuple[Condition, ...]

    def __init__(self, document: Mapping[str, Any], index: int, path: Path) -> None:
        self.document, self.index, self.path = document, index, path

    # -- the engine's side

    def covers_action(self, action: str) -> bool:
        """Action, or NotAction (UG/reference_policies_elements_notaction), of an action in lower case."""
        return self.actions.matches(action, NONE) is not self.not_action

    def names(self, request: Request, bounded: bool) -> Named:
        """How Principal or NotPrincipal names the caller; a policy without either speaks of who it is attached to.

        ``bounded``: the caller has a permissions boundary, and is then never spared by a NotPrincipal
        (UG/reference_policies_elements_notprincipal).
        """
        if self.principals is None:
            return ITSELF
        if self.not_principal:
            return NOT if not bounded and self.principals.leaves_out(request.caller) else ITSELF
        return self.principals.naming(request.caller)

    def fits(self, request: Request, bounded: bool) -> Named:
        """``Named.NOT`` unless every element of the statement fits the request.

        It is only asked of statements that cover the action.
        """
        values, resources = request.values, self.resources
        if resources is not None and resources.matches(request.resource, values) is self.not_resource:
            return NOT
        for condition in self.conditions:
            if not condition.holds(values):
                return NOT
        return ITSELF if self.principals is None else self.names(request, bounded)

    def demands(self, keys: Collection[str], fixed: Callable[[str, str], bool]) -> bool:
        """Whether a condition demands one of some keys, with values of which each is ``fixed``, asked with its key."""
        conditions = [each for each in self.conditions if each.demands and each.key in keys]
        return any(all(fixed(each.key, value) for value in each.values) for each in conditions)

    # -- the validator's side: what is well formed, with the way to it

    def texts(self, element: str) -> Texts:
        """The strings of ``Action``, ``NotAction``, ``Resource`` or ``NotResource``."""
        path = (*self.path, element)
        return [(at, text) for at, text in _items(self.document.get(element, ()), path) if isinstance(text, str)]

    @property
    def principal_texts(self) -> list[tuple[Path, str, str]]:
        """Way, type (``AWS``, ``Service``, …, or ``*`` for ``"Principal": "*"``) and name of each principal."""
        element = "NotPrincipal" if "NotPrincipal" in self.document else "Principal"
        path, written = (*self.path, element), self.document.get(element)
        if written == "*":
            return [(path, "*", "*")]
        types = written.items() if isinstance(written, OBJECT) else ()
        return [
            (at, key, text)
            for key, value in types
            if key in FORMS
            for at, text in _items(value, (*path, key))
            if isinstance(text, str)
        ]

    def values(self, condition: Condition) -> list[tuple[Path, Any]]:
        """The values of a condition, as written."""
        written, path = self.document["Condition"][condition.operator.name][condition.name], self.place(condition)
        return [item for item in _items(written, path) if scalar_text(item[1]) is not None]

    def place(self, condition: Condition) -> Path:
        return (*self.path, "Condition", condition.operator.name, condition.name)


def _wrong_action(text: str) -> str:
    return "action-vendor" if _VENDOR.fullmatch(text) else "action-format"


def _wrong_resource(text: str) -> str:
    return "arn-service" if text.startswith("arn:") else "invalid-arn-prefix"


def _completed(resource: str) -> str:
    """A short ARN is completed with ``*`` (a choice)."""
    if resource.startswith("execute-api:/"):  # apigateway/api-gateway-control-access-using-iam: in short
        resource = f"arn:*:execute-api:*:*:*{resource.removeprefix('execute-api:')}"
    colons = resource.count(":")
    return resource if colons > 4 or resource == "*" else resource + ":*" * (5 - colons)


def _items(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """One value, or those of a list, with the way to each."""
    if isinstance(value, LIST):
        for index, item in enumerate(value):
            yield (*path, index), item
    else:
        yield path, value


class Reader:
    """Reads documents of one kind and reports what is no policy of that kind; makes its statements where it can."""

    def __init__(self, kind: str, report: Reporter) -> None:
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        self.kind, self.problem = kind, report.add

    def read(self, document: Any) -> list[Statement]:
        """The statements of a document."""
        if not isinstance(document, OBJECT):
            self.wrong_type((), "A policy", "an object", document)
            return []
        if not _DOCUMENT.issuperset(document):
            self.unknown_elements(document, (), DOCUMENT_ELEMENTS, "A policy")
        version = self.text(document, "Version", ())
        self.variables = version == CURRENT_VERSION
        if version is not None and version not in VERSIONS:
            self.problem("invalid-version", ("Version",), version)
        self.text(document, "Id", ())
        if "Statement" not in document:
            self.problem("missing-statement", ())
            return []
        written, statements = document["Statement"], []
        if not isinstance(written, (*OBJECT, *LIST)):
            self.wrong_type(("Statement",), "Statement", "an object or a list of objects", written)
            return []
        for index, (path, each) in enumerate(_items(written, ("Statement",))):
            if isinstance(each, OBJECT):
                statements.append(self.statement(each, index, path))
            else:
                self.wrong_type(path, "A statement", "an object", each)
        return statements

    def statement(self, document: Mapping[str, Any], index: int, path: Path) -> Statement:
        statement = Statement(document, index, path)
        principal, action, resource = _SHAPES.get((self.kind, *document)) or self.shape(document, path)
        effect = document.get("Effect")
        statement.effect = effect if effect == "Allow" or effect == "Deny" else self.wrong_effect(document, path)
        statement.sid = self.text(document, "Sid", path)
        statement.not_principal, statement.not_action = principal == "NotPrincipal", action == "NotAction"
        statement.not_resource = resource == "NotResource"
        statement.principals = self.principals(document, principal, path) if principal else None
        statement.actions = self.actions(document, action, path) if action else NOTHING
        statement.resources = self.resources(document, resource, path) if resource else None
        if not resource and self.kind == "key":
            statement.resources = NOTHING  # KMS/key-policy-overview: such a statement is saved, and has no effect
        block = document.get("Condition", {})
        statement.conditions = tuple(self.conditions(block, (*path, "Condition"))) if block != {} else ()
        if statement.not_principal and statement.effect == "Allow":
            self.problem("allow-with-not-principal", (*path, "NotPrincipal"), "NotPrincipal")
        if self.kind == "rcp":
            self.resource_control(statement)
        return statement

    def shape(self, document: Mapping[str, Any], path: Path) -> tuple[str, ...]:
        """How a statement names principals, actions and resources; reports what is too much, too little or unknown."""
        kind = KINDS[self.kind]
        self.unknown_elements(document, path, STATEMENT_ELEMENTS, "A statement")
        shape, sound = [], kind.elements.issuperset(document)
        for one, allowed in zip(("Principal", "Action", "Resource"), kind[1:], strict=True):
            there = [element for element in (one, f"Not{one}") if element in document]
            if len(there) == 2:
                self.problem("unsupported-element-combination", (*path, there[1]), there[1], one=one)
            if not there and "" not in allowed:
                self.problem(f"missing-{one.lower()}", path)
            for each in there:
                if each not in allowed:
                    code = _FORBIDDEN.get((self.kind, each), "unsupported-principal")
                    self.problem(code, (*path, each), each)
            shape.append(there[0] if there and there[0] in allowed else "")
            sound = sound and len(there) < 2 and shape[-1] in allowed
        if sound:
            _SHAPES[self.kind, *document] = tuple(shape)
        return tuple(shape)

    def wrong_effect(self, document: Mapping[str, Any], path: Path) -> str:
        if "Effect" not in document:
            self.problem("missing-effect", path)
        elif (effect := self.text(document, "Effect", path)) is not None:
            self.problem("invalid-effect", (*path, "Effect"), effect, known=("Allow", "Deny"))
        return ""

    def text(self, elements: Mapping[str, Any], name: str, path: Path) -> str | None:
        """The value of an element that may be left out, and is a string."""
        value = elements.get(name)
        if isinstance(value, str):
            return value
        if name in elements:
            self.wrong_type((*path, name), name, "a string", value)
        return None

    def texts(
        self, elements: Mapping[str, Any], name: str, path: Path, form: re.Pattern[str], code: Callable[[str], str]
    ) -> Sequence[str]:
        """A string or a list of strings, each of a form; ``code`` names what is wrong with one of another form."""
        value = elements[name]
        texts = (value,) if isinstance(value, str) else value
        if isinstance(texts, LIST):
            try:
                if all(map(form.fullmatch, texts)):  # most are good, and need no places
                    return texts
            except TypeError:
                pass  # some are no strings
        what = f"The {name} principal" if name in FORMS else name
        if not isinstance(texts, LIST):
            self.wrong_type((*path, name), what, "a string or a list of strings", value)
            return ()
        good = []
        for at, text in _items(value, (*path, name)):
            if not isinstance(text, str):
                self.wrong_type(at, f"Each item of {what}", "a string", text)
            elif form.fullmatch(text):
                good.append(text)
            else:
                self.problem(code(text), at, text)
        return good

    def actions(self, statement: Mapping[str, Any], element: str, path: Path) -> Patterns:
        """``*`` or ``service:Name``, with wildcards in the name only; letter case does not matter."""
        if statement[element] == "*":
            return EVERYTHING
        return Patterns([text.lower() for text in self.texts(statement, element, path, _ACTION, _wrong_action)])

    def resources(self, statement: Mapping[str, Any], element: str, path: Path) -> Patterns:
        """``*`` or ARNs, with no wildcard in the service."""
        if statement[element] == "*":
            return EVERYTHING
        texts = self.texts(statement, element, path, _RESOURCE, _wrong_resource)
        return Patterns([_completed(text) for text in texts], RESOURCE, variables=self.variables)

    def principals(self, statement: Mapping[str, Any], element: str, path: Path) -> Principals:
        value, names = statement[element], {}
        if value == "*":
            return Principals(True, {})
        if not isinstance(value, OBJECT):
            self.problem("invalid-principal-format", (*path, element), value)
            return Principals(False, {})
        for key in value:
            if key in FORMS:
                names[key] = frozenset(self.texts(value, key, (*path, element), *FORMS[key]))
            else:
                self.problem("invalid-principal-key", (*path, element, str(key)), key, known=FORMS)
        return Principals("*" in names.get("AWS", ()), names)

    def conditions(self, block: Any, path: Path) -> Iterator[Condition]:
        if not isinstance(block, OBJECT):
            self.wrong_type(path, "Condition", "an object of operators", block)
            return
        for name, keys in block.items():
            known, at = BY_NAME.get(name), (*path, name)
            # AWS does not look at the name of an operator that compares nothing
            if known is None and (keys != {} or not isinstance(name, str)):
                nothing = str(name).rpartition(":")[2] == "NullIfExists"
                code = "null-with-if-exists" if nothing else "invalid-condition-operator"
                self.problem(code, at, str(name), known=BY_NAME)
            if not isinstance(keys, OBJECT):
                self.wrong_type(at, f"What follows {name}", "an object of condition keys", keys)
                continue
            for key, value in keys.items():
                if not isinstance(key, str):
                    self.wrong_type((*at, str(key)), "A condition key", "a string", key)
                    continue
                texts = [scalar_text(each) for each in (value if isinstance(value, LIST) else (value,))]
                for (way, each), text in zip(_items(value, (*at, key)), texts, strict=True) if None in texts else ():
                    if text is None:
                        self.wrong_type(way, "A condition's value", "a string, a number, true or false", each)
                if known is not None:
                    values = tuple([text for text in texts if text is not None])
                    yield Condition(known, key, values, variables=self.variables)

    def resource_control(self, statement: Statement) -> None:
        """Resource control policies deny, to everybody; only ``RCPFullAWSAccess`` allows
        (Organizations/orgs_manage_policies_rcps_syntax)."""
        document, path = statement.document, statement.path
        if document.get("Principal", "*") != "*":
            self.problem("rcp-syntax-error-principal", (*path, "Principal"), "Principal")
        if statement.not_action:
            self.problem("rcp-syntax-error-notaction", (*path, "NotAction"), "NotAction")
        everything = all(document.get(name) in ("*", ["*"], ("*",)) for name in ("Action", "Resource"))
        if statement.effect == "Allow" and not (everything and "Condition" not in document):
            self.problem("rcp-syntax-error-allow", (*path, "Effect"), "Allow")

    def unknown_elements(self, elements: Mapping[str, Any], path: Path, known: tuple[str, ...], where: str) -> None:
        for name in elements:
            if name not in known:
                self.problem("invalid-policy-element", (*path, str(name)), name, known=known, where=where)

    def wrong_type(self, path: Path, what: str, expected: str, value: Any) -> None:
        names = ((str, "a string"), (bool, "true or false"), ((int, float), "a number"), (LIST, "a list"))
        kind = next((name for types, name in (*names, (OBJECT, "an object")) if isinstance(value, types)), "null")
        self.problem("data-type-mismatch", path, value, what=what, expected=expected, found=kind)


EVERYTHING = Patterns(["*"])
NOTHING = Patterns([])
