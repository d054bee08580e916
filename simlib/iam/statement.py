"""A statement of a policy, read once and prepared (UG/reference_policies_elements)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.iam.conditions import Condition, operator, scalar_text
from simlib.iam.matching import Patterns
from simlib.iam.principals import ITSELF, NOT, Named, Principals, is_account_id, is_canonical_id, is_service

if TYPE_CHECKING:
    from simlib.iam.request import Request

CURRENT_VERSION = "2012-10-17"
OLD_VERSION = "2008-10-17"  # also what a document without a Version means: no policy variables
DOCUMENT_ELEMENTS = ("Version", "Id", "Statement")
STATEMENT_ELEMENTS = (
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"),
)
PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
OBJECT = (dict, Mapping)  # what JSON reads is looked at first: the question costs less so
_KNOWN_TO_DOCUMENTS = frozenset(DOCUMENT_ELEMENTS)


EVERYTHING = Patterns(["*"])


class Kind(NamedTuple):
    """A kind of policy: what it is called, and which elements its statements must have, may have or may not have."""

    name: str
    principal: bool  # must have, or may not have
    resource: bool | None = True  # must have, may not have; None: may leave out, for the resource it is attached to
    not_principal: bool = False  # may have


KINDS = {
    "identity": Kind("An identity-based policy", principal=False),
    "boundary": Kind("A permissions boundary", principal=False),
    "session": Kind("A session policy", principal=False),
    "scp": Kind("A service control policy", principal=False),
    "rcp": Kind("A resource control policy", principal=True),
    "resource": Kind("A resource-based policy", principal=True, resource=None, not_principal=True),
    "trust": Kind("A trust policy", principal=True, resource=False),
    "endpoint": Kind("A VPC endpoint policy", principal=True, resource=None, not_principal=True),
}


_IN_ANY = frozenset(("Sid", "Effect", "Condition"))


def _shapes(kind: Kind) -> dict[frozenset[str], tuple[str, str, str]]:
    """What a statement may consist of besides: how it names principals, actions and resources ("": not at all)."""
    principals = ("Principal", *["NotPrincipal"] * kind.not_principal) if kind.principal else ("",)
    resources = ("",) if kind.resource is False else ("Resource", "NotResource", *[""] * (kind.resource is None))
    shapes = product(principals, ("Action", "NotAction"), resources)
    return {frozenset(shape) - {""}: shape for shape in shapes}


SHAPES = {name: _shapes(kind) for name, kind in KINDS.items()}


class Unreadable(Exception):
    """A document that nothing can be decided by; `validation` says where it is wrong, and what would be right."""


class Statement:
    """One statement, prepared. ``document`` is the statement as written, ``index`` its place in the policy, from 0.

    Raises ``Unreadable`` where it is none of this kind of policy.
    """

    __slots__ = (
        *("index", "sid", "effect", "document", "actions", "not_action", "resources", "not_resource"),
        *("principals", "not_principal", "conditions"),
    )

    def __init__(self, written: Any, index: int, kind: str, variables: bool) -> None:
        shape = SHAPES[kind].get(frozenset(written) - _IN_ANY) if isinstance(written, OBJECT) else None
        if shape is None:
            raise Unreadable
        principal, action, resource = shape
        self.index = index
        self.document: Mapping[str, Any] = written
        self.effect: str = written.get("Effect", "")
        self.sid: str | None = written.get("Sid")
        if self.effect not in ("Allow", "Deny") or ("Sid" in written and not isinstance(self.sid, str)):
            raise Unreadable
        self.not_principal = principal == "NotPrincipal"
        if self.not_principal and self.effect == "Allow":
            raise Unreadable
        self.not_action = action == "NotAction"
        self.not_resource = resource == "NotResource"
        self.principals = _principals(written[principal]) if principal else None
        self.actions = _actions(written[action])
        self.resources = _resources(written[resource], variables) if resource else None
        self.conditions = tuple(_conditions(written["Condition"], variables)) if "Condition" in written else ()
        if kind == "rcp":
            _check_rcp(self)

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
        if not self.covers_action(request) or not self.covers_resource(request):
            return NOT
        for condition in self.conditions:
            if not condition.holds(request.values):
                return NOT
        return self.names(request, bounded)


def read_statements(document: Any, kind: str) -> list[Statement]:
    """Prepare every statement of a document. Raises ``Unreadable`` where there is something that is no policy."""
    if not isinstance(document, OBJECT) or not _KNOWN_TO_DOCUMENTS.issuperset(document):
        raise Unreadable
    version = document.get("Version", OLD_VERSION)
    if version not in (CURRENT_VERSION, OLD_VERSION) or not isinstance(document.get("Id", ""), str):
        raise Unreadable
    written, variables = document.get("Statement"), version == CURRENT_VERSION
    if isinstance(written, (list, tuple)):
        return [Statement(each, index, kind, variables) for index, each in enumerate(written)]
    return [Statement(written, 0, kind, variables)]


def _texts(value: Any) -> Sequence[str]:
    """A list of texts."""
    if not isinstance(value, (list, tuple)):
        raise Unreadable
    for each in value:
        if not isinstance(each, str):
            raise Unreadable
    return value


def _actions(value: Any) -> Patterns:
    """``*`` or ``service:Name``, with wildcards in the name only; letter case does not matter."""
    if value == "*":
        return EVERYTHING
    texts = []
    for text in (value,) if isinstance(value, str) else _texts(value):
        if text != "*":
            service, _, name = text.partition(":")
            if not service or not name or (service != "*" and ("*" in service or "?" in service)):
                raise Unreadable
        texts.append(text.lower())
    return Patterns(texts)


def _resources(value: Any, variables: bool) -> Patterns:
    """``*`` or ARNs, with no wildcard in the service; AWS completes short ones (UG/reference-arns)."""
    if value == "*":
        return EVERYTHING
    completed = []
    for text in (value,) if isinstance(value, str) else _texts(value):
        if text != "*":
            colons = text.count(":")
            if not text.startswith("arn:"):
                raise Unreadable
            if colons > 2 and ("*" in (service := text.split(":", 3)[2]) or "?" in service):
                raise Unreadable
            if colons < 5:
                text += ":*" * (5 - colons)
        completed.append(text)
    return Patterns(completed, variables=variables, arn=True)


def _principals(value: Any) -> Principals:
    if value == "*":
        return Principals(True, {})
    if not isinstance(value, OBJECT):
        raise Unreadable
    names, everyone = {}, False
    for key, listed in value.items():
        texts = (listed,) if isinstance(listed, str) else _texts(listed)
        if key not in PRINCIPAL_TYPES or not all(_is_principal(key, text) for text in texts):
            raise Unreadable
        everyone = everyone or (key == "AWS" and "*" in texts)
        names[key] = frozenset(texts)
    return Principals(everyone, names)


def _is_principal(key: str, text: str) -> bool:
    """Whether a text names a principal. Parts of a name cannot be wildcards (UG/reference_policies_elements_principal).

    ``assumed-role/R/*`` can be written; it matches no session. A unique ID (``AIDA…``, ``AROA…``) is what AWS leaves
    in a policy of a deleted user or role; it matches nobody.
    """
    if key == "Service":
        return is_service(text)
    if key == "CanonicalUser":
        return is_canonical_id(text)
    if "*" in text or "?" in text:
        return key == "AWS" and (text == "*" or ":assumed-role/" in text)
    if text.startswith("arn:"):
        return text.count(":") >= 5
    if key == "Federated":
        return is_service(text)
    return is_account_id(text) or (len(text) >= 16 and text.isascii() and text.isalnum() and text.isupper())


def _conditions(block: Any, variables: bool) -> Iterator[Condition]:
    if not isinstance(block, OBJECT):
        raise Unreadable
    for name, keys in block.items():
        known = operator(name)
        if known is None or not isinstance(keys, OBJECT):
            raise Unreadable
        for key, value in keys.items():
            if not isinstance(key, str):
                raise Unreadable
            wanted = [_scalar(each) for each in (value if isinstance(value, (list, tuple)) else (value,))]
            yield Condition(known, key, wanted, variables=variables)


def _scalar(value: Any) -> str:
    """A condition value as text: JSON's true, false and numbers may stand without quotes."""
    text = scalar_text(value)
    if text is None:
        raise Unreadable
    return text


def _check_rcp(statement: Statement) -> None:
    """Resource control policies deny, to everybody; only ``RCPFullAWSAccess`` allows (Organizations/…rcps_syntax)."""
    written = statement.document
    everything = all(written.get(name) in ("*", ["*"], ("*",)) for name in ("Action", "Resource"))
    if written["Principal"] != "*" or statement.not_action:
        raise Unreadable
    if statement.effect == "Allow" and not (everything and "Condition" not in written):
        raise Unreadable
