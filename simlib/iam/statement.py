"""The one reader of policies: a document of any kind becomes statements, or problems with their places.

What is wrong with the language is reported here and nowhere else. The engine stops at the first problem (`Reporter`);
the validator collects them all and goes on with what is left (`findings.Report`). What a service refuses besides when
a document is saved, and what it saves though it cannot work, are findings of the validator.
AWS pages: UG/reference_policies_grammar, UG/reference_policies_elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.iam.conditions import OPERATOR_NAMES, Condition, operator, scalar_text
from simlib.iam.matching import Patterns
from simlib.iam.principals import FORMS, ITSELF, NOT, Named, Principals, misnamed

if TYPE_CHECKING:
    from simlib.iam.json_text import Path
    from simlib.iam.request import Request

CURRENT_VERSION = "2012-10-17"
OLD_VERSION = "2008-10-17"  # also what a document without a Version means: no policy variables
VERSIONS = (CURRENT_VERSION, OLD_VERSION)
DOCUMENT_ELEMENTS = ("Version", "Id", "Statement")
STATEMENT_ELEMENTS = (
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"),
)
OBJECT = (dict, Mapping)  # what JSON reads is looked at first: the question costs less so
LIST = (list, tuple)
Texts = list[tuple["Path", str]]
"""Strings of a document, each with the way to it."""

_DOCUMENT = frozenset(DOCUMENT_ELEMENTS)
_IN_ANY = frozenset(("Sid", "Effect", "Condition"))
_ACTION = re.compile(r"\*|(?:\*|[A-Za-z0-9.\-]+):[^:]+")
_RUN_TOGETHER = re.compile(r"([a-z0-9\-]{1,40})[./ ]?([A-Z][A-Za-z*]{1,60})?")
_RESOURCE = re.compile(r"\*|arn:[^:]*:[^:*?$]*(?::.*)?|execute-api:/.*", re.DOTALL)


class Kind(NamedTuple):
    """A kind of policy: what it is called, and which elements its statements must have, may have or may not have."""

    name: str
    principal: bool  # must have, or may not have
    resource: bool | None = True  # must have, may not have; None: may leave out, for the resource it is attached to
    not_principal: bool = False  # may have
    idle: bool = False  # may lack Action and Resource, and then says nothing

    def shapes(self) -> dict[frozenset[str], tuple[str, str, str]]:
        """What a statement may consist of: how it names principals, actions and resources ("": not at all)."""
        principals = ("Principal", *["NotPrincipal"] * self.not_principal) if self.principal else ("",)
        actions = ("Action", "NotAction", *[""] * self.idle)
        resources = ("",) if self.resource is False else ("Resource", "NotResource", *[""] * (self.resource is None))
        return {frozenset(shape) - {""}: shape for shape in product(principals, actions, resources)}


KINDS = {
    "identity": Kind("An identity-based policy", principal=False),
    "boundary": Kind("A permissions boundary", principal=False),
    "session": Kind("A session policy", principal=False),
    "scp": Kind("A service control policy", principal=False),
    "rcp": Kind("A resource control policy", principal=True),
    "resource": Kind("A resource-based policy", principal=True, resource=None, not_principal=True),
    "trust": Kind("A trust policy", principal=True, resource=False),
    "key": Kind("A key policy", principal=True, resource=None, not_principal=True, idle=True),
    "endpoint": Kind("A VPC endpoint policy", principal=True, resource=None, not_principal=True),
}
_SHAPES = {name: kind.shapes() for name, kind in KINDS.items()}
_ADVICE = "remove it; to say who may use a role or a resource is for trust and resource-based policies"
_FORBIDDEN = {  # element a kind of policy has not → what is reported, and what would be right
    ("trust", "Resource"): ("role-trust-policy-syntax-error-resource", "remove it"),
    ("trust", "NotResource"): ("role-trust-policy-syntax-error-resource", "remove it"),
    ("trust", "NotPrincipal"): ("role-trust-policy-syntax-error-notprincipal", "use Principal"),
    ("rcp", "NotPrincipal"): ("rcp-syntax-error-principal", 'use "Principal": "*" and a condition'),
    ("scp", "Principal"): ("scp-syntax-error-principal", _ADVICE),
    ("scp", "NotPrincipal"): ("scp-syntax-error-principal", _ADVICE),
}


class Unreadable(Exception):
    """A document that nothing can be decided by; a second reading with a `Report` says where it is wrong."""


class Reporter:
    """Whom the reader tells its problems: this one stops at the first, `findings.Report` collects them all."""

    def add(self, code: str, path: Path, value: Any = None, suggestion: str | None = None, **words: Any) -> None:
        raise Unreadable(code)

    def did_you_mean(self, word: Any, known: Iterable[str]) -> str | None:
        return None


class Comparison(NamedTuple):
    """One key of one operator of a Condition, with the values it is compared with."""

    path: Path  # to the key
    operator: str  # as written
    key: str
    values: list[tuple[Path, Any]]


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

    def covers_action(self, request: Request) -> bool:
        """Action, or NotAction (UG/reference_policies_elements_notaction); letter case does not matter."""
        return self.actions.matches(request.folded_action, request.values) is not self.not_action

    def covers_resource(self, request: Request) -> bool:
        """Resource, or NotResource; a policy without either speaks of the resource it is attached to."""
        return self.resources is None or (
            self.resources.matches(request.resource, request.values) is not self.not_resource
        )

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

    def matches(self, request: Request, bounded: bool) -> Named:
        """``Named.NOT`` unless every element of the statement fits the request."""
        values, resources = request.values, self.resources
        if self.actions.matches(request.folded_action, values) is self.not_action:
            return NOT
        if resources is not None and resources.matches(request.resource, values) is self.not_resource:
            return NOT
        for condition in self.conditions:
            if not condition.holds(values):
                return NOT
        return self.names(request, bounded)

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

    @property
    def comparisons(self) -> list[Comparison]:
        """Every key of every operator, unknown operators included."""
        block = self.document.get("Condition")
        written = [
            (name, key, value, (*self.path, "Condition", name, key))
            for name, keys in (block.items() if isinstance(block, OBJECT) else ())
            for key, value in (keys.items() if isinstance(keys, OBJECT) else ())
            if isinstance(name, str) and isinstance(key, str)
        ]
        return [
            Comparison(path, name, key, [item for item in _items(value, path) if scalar_text(item[1]) is not None])
            for name, key, value, path in written
        ]


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
        self.kind, self.report = kind, report
        self.shapes = _SHAPES[kind]
        self.variables = False

    def read(self, document: Any) -> list[Statement]:
        """The statements of a document."""
        if not isinstance(document, OBJECT):
            self.wrong_type((), "A policy", "an object", document)
            return []
        if not _DOCUMENT.issuperset(document):
            self.unknown_elements(document, (), DOCUMENT_ELEMENTS, "A policy")
        version = document.get("Version", OLD_VERSION)
        self.variables = version == CURRENT_VERSION
        if not isinstance(version, str):
            self.wrong_type(("Version",), "Version", "a string", version)
        elif version not in VERSIONS:
            self.report.add("invalid-version", ("Version",), version, f"did you mean {CURRENT_VERSION}?")
        if not isinstance(document.get("Id", ""), str):
            self.wrong_type(("Id",), "Id", "a string", document["Id"])
        statements = document.get("Statement")
        if isinstance(statements, OBJECT):
            return [self.statement(statements, 0, ("Statement",))]
        if not isinstance(statements, LIST):
            if "Statement" not in document:
                self.report.add("missing-statement", (), None, 'add "Statement": [{"Effect": …, "Action": …}]')
                return []
            self.wrong_type(("Statement",), "Statement", "an object or a list of objects", statements)
            return []
        read = []
        for index, each in enumerate(statements):
            if isinstance(each, OBJECT):
                read.append(self.statement(each, index, ("Statement", index)))
            else:
                self.wrong_type(("Statement", index), "A statement", "an object", each)
        return read

    def statement(self, document: Mapping[str, Any], index: int, path: Path) -> Statement:
        statement = Statement(document, index, path)
        shape = self.shapes.get(frozenset(document) - _IN_ANY)
        principal, action, resource = shape or self.misshapen(document, path)
        statement.effect = self.effect(document, path)
        statement.sid = document.get("Sid")
        if "Sid" in document and not isinstance(statement.sid, str):
            self.wrong_type((*path, "Sid"), "Sid", "a string", statement.sid)
        statement.not_principal, statement.not_action = principal == "NotPrincipal", action == "NotAction"
        statement.not_resource = resource == "NotResource"
        statement.principals = self.principals(document[principal], (*path, principal)) if principal else None
        statement.actions = self.actions(document[action], path, action) if action else NOTHING
        statement.resources = self.resources(document[resource], path, resource) if resource else None
        if not resource and self.kind == "key":
            statement.resources = NOTHING  # KMS/key-policy-overview: such a statement is saved, and has no effect
        block = document.get("Condition", {})
        statement.conditions = tuple(self.conditions(block, (*path, "Condition"))) if block != {} else ()
        if statement.not_principal and statement.effect == "Allow":
            at = (*path, "NotPrincipal")
            self.report.add("allow-with-not-principal", at, document["NotPrincipal"], "use Principal", name=True)
        if self.kind == "rcp":
            self.resource_control(statement)
        return statement

    def misshapen(self, document: Mapping[str, Any], path: Path) -> tuple[str, str, str]:
        """Report which elements are too many, too few or unknown; what can be gone on with."""
        kind, report = KINDS[self.kind], self.report
        self.unknown_elements(document, path, STATEMENT_ELEMENTS, "A statement")
        chosen = []
        for one in ("Principal", "Action", "Resource"):
            other = f"Not{one}"
            if one in document and other in document:
                advice = f"remove {other}, or make two statements"
                words = {"one": one, "other": other}
                report.add("unsupported-element-combination", (*path, other), None, advice, name=True, **words)
            chosen.append(one if one in document else other if other in document else "")
        allowed = {element for shape in self.shapes for element in shape}
        for element in ("Principal", "NotPrincipal", "Resource", "NotResource", "NotAction"):
            if element in document and element not in allowed:
                code, advice = _FORBIDDEN.get((self.kind, element), ("unsupported-principal", _ADVICE))
                at, value = (*path, element), document[element]
                report.add(code, at, value, advice, name=True, kind=kind.name, shows=element)
        principal, action, resource = (element if element in allowed else "" for element in chosen)
        if kind.principal and not chosen[0]:
            report.add("missing-principal", path, None, 'add "Principal": …', kind=kind.name)
        if not action:
            report.add("missing-action", path, None, 'add "Action": …')
        if kind.resource and not resource:
            report.add("missing-resource", path, None, 'add "Resource": …')
        return principal, action, resource

    def effect(self, document: Mapping[str, Any], path: Path) -> str:
        effect = document.get("Effect")
        if effect == "Allow" or effect == "Deny":
            return str(effect)
        if "Effect" not in document:
            self.report.add("missing-effect", path, None, 'add "Effect": "Allow" or "Effect": "Deny"')
        elif not isinstance(effect, str):
            self.wrong_type((*path, "Effect"), "Effect", "a string", effect)
        else:
            advice = self.report.did_you_mean(effect, ("Allow", "Deny"))
            self.report.add("invalid-effect", (*path, "Effect"), effect, advice)
        return ""

    def texts(self, value: Any, path: Path, what: str) -> Sequence[tuple[Path, str]]:
        """A string or a list of strings, each with the way to it; what is neither is reported."""
        if isinstance(value, str):
            return [(path, value)]
        if not isinstance(value, LIST):
            self.wrong_type(path, what, "a string or a list of strings", value)
            return []
        texts = []
        for index, text in enumerate(value):
            at = (*path, index)
            if isinstance(text, str):
                texts.append((at, text))
            else:
                self.wrong_type(at, f"Each item of {what}", "a string", text)
        return texts

    def actions(self, value: Any, path: Path, element: str) -> Patterns:
        """``*`` or ``service:Name``, with wildcards in the name only; letter case does not matter."""
        if value == "*":
            return EVERYTHING
        texts = []
        for at, text in self.texts(value, (*path, element), element):
            texts.append(text.lower())
            if _ACTION.fullmatch(text):
                continue
            service, colon, name = text.partition(":")
            if not colon or not name or ":" in name:
                parts = _RUN_TOGETHER.fullmatch(text)
                advice = f"did you mean {parts[1]}:{parts[2] or '*'}?" if parts else None
                self.report.add("action-format", at, text, advice)
            else:
                advice = "write the service out; wildcards go after the colon"
                self.report.add("action-vendor", at, text, advice, shows=service)
        return Patterns(texts)

    def resources(self, value: Any, path: Path, element: str) -> Patterns:
        """``*`` or ARNs, with no wildcard in the service. Short ones are completed with ``*`` (a choice)."""
        if value == "*":
            return EVERYTHING
        texts = []
        for at, text in self.texts(value, (*path, element), element):
            if _RESOURCE.fullmatch(text):
                if text.startswith("execute-api:/"):  # apigateway/api-gateway-control-access-using-iam: in short
                    text = f"arn:*:execute-api:*:*:*{text.removeprefix('execute-api:')}"
                colons = text.count(":")
                texts.append(text if colons > 4 or text == "*" else text + ":*" * (5 - colons))
            elif not text.startswith("arn:"):
                bucket, service = text.startswith("s3://"), text.startswith("aws:")
                arn = f"arn:aws:s3:::{text[5:]}" if bucket else f"arn:{text}" if service else ""
                self.report.add("invalid-arn-prefix", at, text, f"did you mean {arn}?" if arn else None)
            else:
                self.report.add("arn-service", at, text)
        return Patterns(texts, variables=self.variables, arn=True)

    def principals(self, value: Any, path: Path) -> Principals:
        if value == "*":
            return Principals(True, {})
        if not isinstance(value, OBJECT):
            advice = f'did you mean {{"AWS": "{value}"}}?' if isinstance(value, str) else None
            self.report.add("invalid-principal-format", path, value, advice)
            return Principals(False, {})
        names, everyone = {}, False
        for key, content in value.items():
            if key not in FORMS:
                advice = self.report.did_you_mean(key, FORMS)
                self.report.add("invalid-principal-key", (*path, str(key)), key, advice, name=True)
                continue
            texts = self.texts(content, (*path, key), f"The {key} principal")
            for at, text in texts:
                if not FORMS[key].fullmatch(text):
                    code, advice = misnamed(key, text)
                    self.report.add(code, at, text, advice)
            names[key] = frozenset([text for _, text in texts])
            everyone = everyone or (key == "AWS" and "*" in names[key])
        return Principals(everyone, names)

    def conditions(self, block: Any, path: Path) -> Iterator[Condition]:
        if not isinstance(block, OBJECT):
            self.wrong_type(path, "Condition", "an object of operators", block)
            return
        for name, keys in block.items():
            known, at = operator(name), (*path, name)
            if known is None:
                self.unknown_operator(str(name), at)
            if not isinstance(keys, OBJECT):
                self.wrong_type(at, f"What follows {name}", "an object of condition keys", keys)
                continue
            for key, value in keys.items():
                if not isinstance(key, str):
                    self.wrong_type((*at, str(key)), "A condition key", "a string", key)
                    continue
                wanted = []
                for way, each in _items(value, (*at, key)):
                    text = scalar_text(each)
                    if text is None:
                        self.wrong_type(way, "A condition's value", "a string, a number, true or false", each)
                    else:
                        wanted.append(text)
                if known is not None:
                    yield Condition(known, key, wanted, variables=self.variables)

    def unknown_operator(self, name: str, path: Path) -> None:
        if name.rpartition(":")[2] == "NullIfExists":
            self.report.add("null-with-if-exists", path, name, "did you mean Null?", name=True)
        else:
            guess = self.report.did_you_mean(name, OPERATOR_NAMES)
            self.report.add("invalid-condition-operator", path, name, guess, name=True)

    def resource_control(self, statement: Statement) -> None:
        """Resource control policies deny, to everybody; only ``RCPFullAWSAccess`` allows
        (Organizations/orgs_manage_policies_rcps_syntax)."""
        document, path = statement.document, statement.path
        if document.get("Principal", "*") != "*":
            advice, at = 'use "Principal": "*" and a condition', (*path, "Principal")
            self.report.add("rcp-syntax-error-principal", at, document["Principal"], advice, name=True)
        if statement.not_action:
            at = (*path, "NotAction")
            self.report.add("rcp-syntax-error-notaction", at, document["NotAction"], "use Action", name=True)
        everything = all(document.get(name) in ("*", ["*"], ("*",)) for name in ("Action", "Resource"))
        if statement.effect == "Allow" and not (everything and "Condition" not in document):
            self.report.add("rcp-syntax-error-allow", (*path, "Effect"), "Allow", "use Deny")

    # -- what is wrong in many places

    def unknown_elements(self, elements: Mapping[str, Any], path: Path, known: tuple[str, ...], where: str) -> None:
        of_document = known is DOCUMENT_ELEMENTS
        elsewhere = STATEMENT_ELEMENTS if of_document else DOCUMENT_ELEMENTS
        for name in elements:
            if name not in known:
                advice = f"{name} belongs in {'a statement' if of_document else 'the document'}"
                guess = advice if name in elsewhere else self.report.did_you_mean(name, known)
                self.report.add("invalid-policy-element", (*path, str(name)), name, guess, name=True, where=where)

    def wrong_type(self, path: Path, what: str, wanted: str, value: Any) -> None:
        names = ((str, "a string"), (bool, "true or false"), ((int, float), "a number"), (LIST, "a list"))
        kind = next((name for types, name in (*names, (OBJECT, "an object")) if isinstance(value, types)), "null")
        self.report.add("data-type-mismatch", path, value, what=what, wanted=wanted, found=kind)


EVERYTHING = Patterns(["*"])
NOTHING = Patterns([])
