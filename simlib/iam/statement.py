"""A statement of a policy, read once and prepared (UG/reference_policies_elements)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.iam.conditions import Condition, operator
from simlib.iam.errors import PolicyError, Problem
from simlib.iam.matching import Patterns
from simlib.iam.principals import Named, Principals, is_account_id, is_canonical_id, is_service

if TYPE_CHECKING:
    from simlib.iam.request import Request

CURRENT_VERSION = "2012-10-17"
OLD_VERSION = "2008-10-17"  # also what a document without a Version means: no policy variables
POLICY_ELEMENTS = frozenset(("Version", "Id", "Statement"))
STATEMENT_ELEMENTS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")


class Kind(NamedTuple):
    """Which elements a kind of policy must have, may have or may not have."""

    principal: bool  # must have, or may not have
    resource: bool | None = True  # must have, may not have; None: may leave out, for the resource it is attached to
    not_principal: bool = False  # may have


KINDS = {
    "identity": Kind(principal=False),
    "boundary": Kind(principal=False),
    "session": Kind(principal=False),
    "scp": Kind(principal=False),
    "rcp": Kind(principal=True),
    "resource": Kind(principal=True, resource=None, not_principal=True),
    "endpoint": Kind(principal=True, resource=None, not_principal=True),
    "trust": Kind(principal=True, resource=False),
}


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement, prepared. ``document`` is the statement as written, ``index`` its place in the policy, from 0."""

    index: int
    sid: str | None
    effect: str  # "Allow" or "Deny"
    actions: Patterns
    not_action: bool
    resources: Patterns | None
    not_resource: bool
    principals: Principals | None
    not_principal: bool
    conditions: tuple[Condition, ...]
    document: Mapping[str, Any]

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
            return Named.ITSELF
        if self.not_principal:
            return Named.NOT if not bounded and self.principals.leaves_out(request.caller) else Named.ITSELF
        return self.principals.naming(request.caller)

    def matches(self, request: Request, bounded: bool) -> Named:
        """``Named.NOT`` unless every element of the statement fits the request."""
        if not self.covers_action(request) or not self.covers_resource(request):
            return Named.NOT
        for condition in self.conditions:
            if not condition.holds(request.values):
                return Named.NOT
        return self.names(request, bounded)


def read_statements(document: Any, kind: str) -> list[Statement]:
    """Check and prepare every statement of a document. Raises ``PolicyError`` at the first place that is wrong."""
    if not isinstance(document, Mapping):
        raise _wrong("", "a policy is a JSON object", document)
    for name in document:
        if name not in POLICY_ELEMENTS:
            raise _wrong(_shown(name), "a policy has no such element", document[name])
    version = document.get("Version", OLD_VERSION)
    if version not in (CURRENT_VERSION, OLD_VERSION):
        raise _wrong("Version", f"the version is {CURRENT_VERSION!r} or {OLD_VERSION!r}", version)
    if not isinstance(document.get("Id", ""), str):
        raise _wrong("Id", "an Id is text", document["Id"])
    if "Statement" not in document:
        raise _wrong("", "a policy needs a Statement", None)
    written = document["Statement"]
    if isinstance(written, Mapping):
        return [_read(written, 0, "Statement", KINDS[kind], kind, version == CURRENT_VERSION)]
    if not isinstance(written, (list, tuple)):
        raise _wrong("Statement", "Statement is an object or a list of objects", written)
    return [
        _read(statement, index, f"Statement[{index}]", KINDS[kind], kind, version == CURRENT_VERSION)
        for index, statement in enumerate(written)
    ]


def _read(written: Any, index: int, path: str, allowed: Kind, kind: str, variables: bool) -> Statement:
    if not isinstance(written, Mapping):
        raise _wrong(path, "a statement is a JSON object", written)
    for name in written:
        if name not in STATEMENT_ELEMENTS:
            raise _wrong(f"{path}.{_shown(name)}", "a statement has no such element", written[name])
    effect, sid = written.get("Effect"), written.get("Sid")
    if "Effect" not in written:
        raise _wrong(path, "a statement needs an Effect", None)
    if effect not in ("Allow", "Deny"):
        raise _wrong(f"{path}.Effect", 'Effect is "Allow" or "Deny"', effect)
    if "Sid" in written and not isinstance(sid, str):
        raise _wrong(f"{path}.Sid", "a Sid is text", sid)
    principal = _one_of(written, "Principal", path, needed=allowed.principal)
    if principal == "NotPrincipal" and (effect == "Allow" or not allowed.not_principal):
        message = "NotPrincipal is only for Deny, and only in a resource-based policy"
        raise _wrong(f"{path}.NotPrincipal", message, written[principal])
    action = _one_of(written, "Action", path, needed=True) or "Action"
    resource = _one_of(written, "Resource", path, needed=allowed.resource)
    if kind == "rcp":
        _check_rcp(written, path)
    return Statement(
        index,
        sid,
        effect,
        _actions(written[action], f"{path}.{action}"),
        action == "NotAction",
        _resources(written[resource], f"{path}.{resource}", variables) if resource else None,
        resource == "NotResource",
        _principals(written[principal], f"{path}.{principal}") if principal else None,
        principal == "NotPrincipal",
        tuple(_conditions(written["Condition"], f"{path}.Condition", variables)) if "Condition" in written else (),
        written,
    )


def _check_rcp(written: Mapping[str, Any], path: str) -> None:
    """Resource control policies deny, to everybody; only ``RCPFullAWSAccess`` allows (Organizations/…rcps_syntax)."""
    if written["Principal"] != "*":
        raise _wrong(f"{path}.Principal", 'the Principal of a resource control policy is "*"', written["Principal"])
    if "NotAction" in written:
        raise _wrong(f"{path}.NotAction", "a resource control policy has no NotAction", written["NotAction"])
    everything = [_listed(written.get(name)) for name in ("Action", "Resource")] == [("*",), ("*",)]
    if written["Effect"] == "Allow" and not (everything and "Condition" not in written):
        raise _wrong(f"{path}.Effect", "a resource control policy denies; only RCPFullAWSAccess allows", "Allow")


def _one_of(written: Mapping[str, Any], name: str, path: str, *, needed: bool | None) -> str | None:
    """Which of an element and its Not-form the statement has. ``needed``: None means that it may have neither."""
    negative = f"Not{name}"
    if name in written and negative in written:
        raise _wrong(f"{path}.{negative}", f"a statement has either {name} or {negative}", written[negative])
    found = name if name in written else negative if negative in written else None
    if found is None and needed:
        raise _wrong(path, f"a statement of this policy needs {name} or {negative}", None)
    if found is not None and needed is False:
        raise _wrong(f"{path}.{found}", f"this kind of policy has no {found}", written[found])
    return found


def _texts(value: Any, path: str) -> Sequence[str]:
    """One text or a list of texts."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, (list, tuple)):
        raise _wrong(path, "this is a text or a list of texts", value)
    for index, each in enumerate(value):
        if not isinstance(each, str):
            raise _wrong(f"{path}[{index}]", "this is a text", each)
    return value


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def _at(path: str, value: Any, index: int) -> str:
    return path if isinstance(value, str) else f"{path}[{index}]"


def _actions(value: Any, path: str) -> Patterns:
    texts = _texts(value, path)
    found = (_action_patterns if _is_short(texts) else _action_patterns.__wrapped__)(tuple(texts))
    if isinstance(found, int):
        message = 'an action is "*" or like "s3:GetObject", with no wildcard in "s3"'
        raise _wrong(_at(path, value, found), message, texts[found])
    return found


def _resources(value: Any, path: str, variables: bool) -> Patterns:
    texts = _texts(value, path)
    found = (_resource_patterns if _is_short(texts) else _resource_patterns.__wrapped__)(tuple(texts), variables)
    if isinstance(found, int):
        message = 'a resource is "*" or an ARN that begins like "arn:aws:s3:", with no wildcard in "s3"'
        raise _wrong(_at(path, value, found), message, texts[found])
    return found


def _is_short(texts: Sequence[str]) -> bool:
    """Whether these are worth keeping: what is said once is often said again."""
    return len(texts) <= 8 and all(len(text) < 256 for text in texts)


@lru_cache(maxsize=2048)
def _action_patterns(texts: tuple[str, ...]) -> Patterns | int:
    """Actions in lower case, prepared; or the place of the first that is none."""
    for index, text in enumerate(texts):
        service, colon, name = text.partition(":")
        wild = ("*" in service and service != "*") or "?" in service
        if text != "*" and (wild or not (colon and name and service)):
            return index
    return Patterns([text.lower() for text in texts])


@lru_cache(maxsize=2048)
def _resource_patterns(texts: tuple[str, ...], variables: bool) -> Patterns | int:
    """Resources, prepared; or the place of the first that is none. AWS completes short ARNs (UG/reference-arns)."""
    completed = []
    for index, text in enumerate(texts):
        parts = text.split(":", 5)
        if text != "*" and (parts[0] != "arn" or len(parts) == 1):
            return index
        if len(parts) > 3 and ("*" in parts[2] or "?" in parts[2]):
            return index
        completed.append(text + ":*" * (6 - len(parts)) if text != "*" else text)
    return Patterns(completed, variables=variables, arn=True)


def _principals(value: Any, path: str) -> Principals:
    if value == "*":
        return Principals(True, {})
    if not isinstance(value, Mapping):
        raise _wrong(path, 'a principal is "*" or an object such as {"AWS": "arn:…"}', value)
    names, everyone = {}, False
    for key, listed in value.items():
        if key not in PRINCIPAL_TYPES:
            raise _wrong(f"{path}.{_shown(key)}", f"the types of principals are {', '.join(PRINCIPAL_TYPES)}", listed)
        texts = _texts(listed, f"{path}.{key}")
        for index, text in enumerate(texts):
            if not _is_principal(key, text):
                raise _wrong(_at(f"{path}.{key}", listed, index), f"this is not a principal of the type {key}", text)
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


def _conditions(block: Any, path: str, variables: bool) -> Iterator[Condition]:
    if not isinstance(block, Mapping):
        raise _wrong(path, "a Condition is an object of operators", block)
    for name, keys in block.items():
        known = operator(name) if isinstance(name, str) else None
        if known is None:
            raise _wrong(f"{path}.{_shown(name)}", "there is no such condition operator", name)
        if not isinstance(keys, Mapping):
            raise _wrong(f"{path}.{name}", "an operator holds an object of condition keys", keys)
        for key, value in keys.items():
            if not isinstance(key, str):
                raise _wrong(f"{path}.{name}", "a condition key is a text", key)
            wanted = [
                _scalar(each, f"{path}.{name}.{key}")
                for each in (value if isinstance(value, (list, tuple)) else [value])
            ]
            yield Condition(known, key, wanted, variables=variables)


def _scalar(value: Any, path: str) -> str:
    """A condition value as text: JSON's true, false and numbers may stand without quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if (isinstance(value, int) and value.bit_length() < 1024) or isinstance(value, float):
        return str(value)
    raise _wrong(path, "a condition value is a text, a number, true or false", value)


def _wrong(path: str, message: str, value: Any) -> PolicyError:
    return PolicyError([Problem(path, message, value, code="policy-grammar")])


def _shown(name: Any) -> str:
    """A name from the document, fit to stand in a path."""
    return name[:80] if isinstance(name, str) else type(name).__name__
