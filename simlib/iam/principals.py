"""Who asks, and how a policy's ``Principal`` names them (UG/reference_policies_elements_principal)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from simlib.iam.errors import RequestError


class Named(IntEnum):
    """How a statement's ``Principal`` names the caller; a higher value leaves less for the caller's own policies to
    say.

    In the caller's own account (UG/reference_policies_evaluation-logic_policy-eval-denyallow): naming the ``ACCOUNT``
    delegates to its identity policies; the ``ROLE`` of a session, or the user a federated session came from, spares
    them, but boundary and session policy still limit; naming the caller ``ITSELF`` or ``EVERYONE`` is limited by
    neither. For a bare ``*`` without condition AWS leaves the last point open; here it is as with a condition (a
    choice).
    """

    NOT = 0
    ACCOUNT = 1
    ROLE = 2
    ITSELF = 3
    EVERYONE = 4


class Kind(IntEnum):
    """The kinds of caller."""

    USER = 1
    ROLE = 2  # a role without a known session
    SESSION = 3
    FEDERATED_USER = 4
    ROOT = 5
    PROVIDER = 6  # web identity or SAML
    SERVICE = 7
    ANONYMOUS = 8
    CANONICAL = 9  # known by an S3 canonical user ID only


# Looking up a member of an enumeration takes Python 3.11 longer than comparing it.
NOT, ACCOUNT, ROLE, ITSELF, EVERYONE = Named
ROOT = Kind.ROOT
NONE: Mapping[str, Any] = MappingProxyType({})


#: The condition keys AWS derives from the principal, as AWS spells them (UG/reference_policies_condition-keys).
SPELLING = {
    key.lower(): key for key in ("aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:username")
}


class Caller(NamedTuple):
    """The principal of a request.

    ``names``: under which names a ``Principal`` of type ``key`` may mean this caller, and what each means.
    ``derived``: the condition keys AWS derives from the principal, in lower case.
    """

    arn: str
    kind: Kind
    key: str = "AWS"
    account: str | None = None
    names: Mapping[str, Named] = NONE
    derived: Mapping[str, str] = NONE
    service_linked: bool = False

    @property
    def has_account(self) -> bool:
        """Whether the caller is a user, role, session or root user of an account, not somebody from outside."""
        return self.kind <= ROOT

    @property
    def context(self) -> dict[str, str]:
        """The condition keys AWS derives from the principal, in AWS's spelling."""
        return {SPELLING[key]: value for key, value in self.derived.items()}


@lru_cache(maxsize=2048)  # callers ask more than once
def identify(principal: str, source: str | None = None) -> Caller:
    """The caller that a scenario's ``principal`` means.

    ``source`` is where a session came from: the role's ARN with its path, or the federating user's ARN.
    Raises ``RequestError`` where there is no such kind of principal.
    """
    if principal == "anonymous":
        return Caller("anonymous", Kind.ANONYMOUS, derived={"aws:principaltype": "Anonymous"})
    if principal in BUILT_IN_PROVIDERS:
        return _outsider(principal, Kind.PROVIDER, "Federated")
    if principal.startswith("arn:"):
        return _identify_arn(principal, source)
    if is_service(principal):
        return _outsider(principal, Kind.SERVICE, "Service")
    if _CANONICAL.fullmatch(principal):
        return _outsider(principal, Kind.CANONICAL, "CanonicalUser")
    raise RequestError("principal", f"{principal[:200]!r} is neither an ARN, a service's name nor 'anonymous'")


def is_service(name: str) -> bool:
    """Whether a text has the form of a service principal, such as ``ec2.amazonaws.com``."""
    return _SERVICE.fullmatch(name) is not None


def is_account_id(name: str) -> bool:
    return len(name) == 12 and name.isascii() and name.isdigit()


def _outsider(name: str, kind: Kind, key: str, account: str | None = None) -> Caller:
    """A caller without identity policies of its own."""
    return Caller(name, kind, key, account, {name: Named.ITSELF})


def _identify_arn(arn: str, source: str | None) -> Caller:
    parts = arn.split(":", 5)
    if len(parts) < 6:
        raise RequestError("principal", f"{arn[:200]!r} is not an ARN of six parts")
    _, partition, service, _, account, resource = parts
    kind, _, name = resource.partition("/")
    if not is_account_id(account) or (kind != "root" and not name):
        raise RequestError("principal", f"{arn[:200]!r} is not the ARN of a principal of an account")

    def of(kind: Kind, type_: str, names: dict[str, Named], linked: bool = False, **more: str) -> Caller:
        derived = {"aws:principalarn": arn, "aws:principalaccount": account, "aws:principaltype": type_}
        derived |= {f"aws:{key}": value for key, value in more.items()}
        names = {account: ACCOUNT, f"arn:{partition}:iam::{account}:root": ACCOUNT, **names}
        return Caller(arn, kind, "AWS", account, names, derived, linked)

    match service, kind:
        case "iam", "root" if resource == "root":
            return of(ROOT, "Account", {})
        case "iam", "user":
            return of(Kind.USER, "User", {arn: ITSELF}, username=name.rpartition("/")[2])
        case "iam", "role":
            return of(Kind.ROLE, "AssumedRole", {arn: ROLE}, name.startswith("aws-service-role/"))
        case "sts", "assumed-role" if name.count("/") == 1:
            role_name = name.partition("/")[0]
            role = source or f"arn:{partition}:iam::{account}:role/{role_name}"
            if not role.startswith(f"arn:{partition}:iam::{account}:role/") or role.rpartition("/")[2] != role_name:
                raise RequestError("role_arn", f"{role[:200]!r} is not the role of the session {arn[:200]!r}")
            linked = ":role/aws-service-role/" in role
            return of(Kind.SESSION, "AssumedRole", {role: ROLE, arn: ITSELF}, linked, principalarn=role)
        case "sts", "federated-user":
            return of(Kind.FEDERATED_USER, "FederatedUser", ({source: ROLE} if source else {}) | {arn: ITSELF})
        case "iam", "oidc-provider" | "saml-provider":
            return _outsider(arn, Kind.PROVIDER, "Federated", account)
    raise RequestError("principal", f"{arn[:200]!r} is not the ARN of a user, role, session, provider or account")


# --- how principals are written -------------------------------------------------------------------------------------

PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f")
_IN = f"arn:(?:{'|'.join(PARTITIONS)})"
_NAME = r"[\w+=,.@\-]"
_AWS = re.compile(
    rf"\*|\d{{12}}|A[A-Z0-9]{{15,127}}|{_IN}:iam::\d{{12}}:(?:root|(?:user|role)/(?:[!-)+->@-~]+/)?{_NAME}{{1,128}})"
    rf"|{_IN}:sts::\d{{12}}:(?:assumed-role/(?:{_NAME}|[*?])+/(?:{_NAME}|[*?])+|federated-user/{_NAME}+)"
    rf"|{_IN}:iam::cloudfront:user/CloudFront Origin Access Identity \w+",
    re.ASCII,
)
_SERVICE = re.compile(r"(?:[a-z0-9\-]+\.)+(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal|aws)")
_FEDERATED = re.compile(rf"(?:[A-Za-z0-9\-]+\.)+[A-Za-z]{{2,}}|{_IN}:iam::\d{{12}}:(?:saml-provider|oidc-provider)/.+")
_CANONICAL = re.compile(r"[0-9a-f]{64}")

#: Type of principal → how it is written, and the finding where it is not (UG/reference_policies_elements_principal).
#: Parts of a name cannot be wildcards; ``assumed-role/R/*`` can be written and matches no session. A unique ID
#: (``AIDA…``, ``AROA…``) is what AWS leaves in a policy of a deleted user or role; it matches nobody.
FORMS: dict[str, tuple[re.Pattern[str], Callable[[str], str]]] = {
    "AWS": (_AWS, lambda text: f"{'unsupported-wildcard-in' if set('*?') & set(text) else 'invalid'}-principal"),
    "Service": (_SERVICE, lambda _: "invalid-service-principal-format"),
    "Federated": (_FEDERATED, lambda _: "invalid-federated-principal-syntax-in-role-trust-policy"),
    "CanonicalUser": (_CANONICAL, lambda _: "invalid-principal"),
}

#: Identity providers that are named by a domain, not by an ARN (the same page).
BUILT_IN_PROVIDERS = ("accounts.google.com", "www.amazon.com", "graph.facebook.com", "cognito-identity.amazonaws.com")


class Principals(NamedTuple):
    """A ``Principal`` or ``NotPrincipal`` element, prepared: names by their type (``AWS``, ``Service``, …)."""

    everyone: bool
    names: Mapping[str, frozenset[str]]

    def naming(self, caller: Caller) -> Named:
        """How a ``Principal`` names the caller."""
        if self.everyone:
            return EVERYONE
        listed, freest = self.names.get(caller.key), NOT
        if listed:
            for name, how in caller.names.items():
                if how > freest and name in listed:
                    freest = how
        return freest

    def leaves_out(self, caller: Caller) -> bool:
        """Whether a ``NotPrincipal`` spares the caller: only if it lists the account, and the role, and the session.

        UG/reference_policies_elements_notprincipal: AWS may look at the account first, then the role, then the session,
        and without the account it "might" deny; here it always does (a choice). Where a federated user came from does
        not count.
        """
        if self.everyone:
            return True
        listed = self.names.get(caller.key, frozenset())
        needed = set(caller.names.values()) - ({ROLE} if caller.kind == Kind.FEDERATED_USER else set())
        return bool(needed) and needed <= {how for name, how in caller.names.items() if name in listed}
