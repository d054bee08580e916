"""What a service refuses about a document that is written well: what it names is not there, or has no place in it.

The tables are in `document_rules.toml`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from botocore.session import get_session

from simlib.cloud.services import named_principals
from simlib.cloud.services.documents import TABLES
from simlib.cloud.services.named_principals import statements
from simlib.cloud.storage.iam_entities import is_in_awss_policies
from simlib.cloud.storage.stored import PARTITION, as_list
from simlib.iam import Problem, service_data

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_COMPARISON = re.compile(r"(?:For(?:All|Any)Values?:)?String(?:Equals|Like|EqualsIgnoreCase)", re.IGNORECASE)
_WEB_IDENTITY = "sts:assumerolewithwebidentity"


class Document(NamedTuple):
    """A document, the parser that is to save it, and the name of the bucket it is for, if it is for one."""

    document: Mapping[str, Any]
    parser: str
    bucket: str = ""


def problems(written: Document) -> Iterator[Problem]:
    """What the parser refuses, each with the code by which `refusal_texts` finds its words."""
    for rule in _RULES.get(written.parser, (_principals,)):
        yield from rule(written)


def _partitions(written: Document) -> Iterator[Problem]:
    """Accounts of the partition `aws` do not save ARNs of another one, nor what is no partition yet."""
    for arn in _texts(written.document, "Resource", "NotResource"):
        if arn.startswith("arn:") and arn.split(":")[1] not in (PARTITION, "*"):
            yield Problem("Statement.Resource", f"{arn} is of another partition.", arn, code="invalid-partition")


def _principals(written: Document) -> Iterator[Problem]:
    for kind, name in named_principals.principal_names(written.document):
        at, is_arn = f"Statement.Principal.{kind}", name.startswith("arn:")
        if kind == "Service" and not _is_service(name):
            yield Problem(at, f"No service is called {name}.", name, code="invalid-service-principal-format")
        elif kind == "Federated" and is_arn and name.split(":")[1] != PARTITION:
            code = "invalid-federated-principal-syntax-in-role-trust-policy"
            yield Problem(at, f"{name} is of another partition.", name, code=code)
        elif kind == "AWS" and not named_principals.exists(name):
            yield Problem(at, f"{name} does not exist.", name, code="invalid-principal")


def _is_service(name: str) -> bool:
    """Whether a service principal may exist. A Region and what a service puts before its name are not looked at."""
    table = TABLES["service-principals"]
    if not name.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return name in table["also"] or name.endswith((".aws.internal", ".aws"))
    labels = [label for label in name.partition(".amazonaws.com")[0].split(".") if not _REGION.fullmatch(label)]
    prefix = labels[-1] if labels else ""
    return prefix not in table["never"] and (prefix in _service_names() or is_in_awss_policies(name))


@cache
def _service_names() -> frozenset[str]:
    session = get_session()
    endpoints = session.get_component("data_loader").load_data("endpoints")["partitions"][0]["services"]
    also = TABLES["service-principals"]["also"]
    return frozenset((*service_data.services(), *session.get_available_services(), *endpoints, *also))


def _shared_providers(written: Document) -> Iterator[Problem]:
    """Trust in a provider that many share must say whom of its users it means; AWS looks at the first value only.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
    """
    for statement in statements(written.document):
        principal = statement.get("Principal")
        providers = as_list(principal.get("Federated", [])) if isinstance(principal, dict) else []
        for provider in providers if statement["Effect"] == "Allow" and _is_for_web_identity(statement) else ():
            issuer = provider.partition(":oidc-provider/")[2] or provider
            claims = [c if ":" in c else f"{issuer}:{c}" for c in TABLES["shared-providers"].get(issuer, ())]
            if claims and not any(_is_scoped(statement.get("Condition", {}), claim) for claim in claims):
                code, needed = "missing-condition-key-for-oidc-principal", " or ".join(claims)
                yield Problem("Statement.Condition", f"Everybody at {issuer} comes in.", provider, needed, code=code)


def _is_for_web_identity(statement: Mapping[str, Any]) -> bool:
    element = "Action" if "Action" in statement else "NotAction"
    matches = any(fnmatch.fnmatchcase(_WEB_IDENTITY, action.lower()) for action in as_list(statement[element]))
    return matches is (element == "Action")


def _is_scoped(condition: Mapping[str, Mapping[str, Any]], claim: str) -> bool:
    for operator, comparisons in condition.items():
        for key, values in comparisons.items() if _COMPARISON.fullmatch(operator) else ():
            if key.lower() == claim.lower() and str(next(iter(as_list(values)), "")).strip("*? "):
                return True
    return False


def _actions(written: Document) -> Iterator[Problem]:
    known = [each.lower() for each in TABLES["actions"][written.parser]]
    for action in _texts(written.document, "Action", "NotAction"):
        if action.lower() not in known and f"{action.partition(':')[0].lower()}:*" not in known:
            yield Problem("Statement.Action", f"{action} has no place here.", action, code="invalid-action")


def _bucket(written: Document) -> Iterator[Problem]:
    """A bucket's policy speaks of that bucket and its objects."""
    for arn in _texts(written.document, "Resource", "NotResource"):
        head = arn.partition("/")[0]
        if "$" not in head and not fnmatch.fnmatchcase(f"arn:{PARTITION}:s3:::{written.bucket}", head):
            yield Problem("Statement.Resource", f"{arn} is not of {written.bucket}.", arn, code="invalid-resource")


def _s3_words(written: Document) -> Iterator[Problem]:
    """S3 saves its own actions and condition keys only, and a key only with an action that can have it."""
    s3 = service_data.service("s3")
    assert s3 is not None, "the data about services lacks S3"
    for statement in statements(written.document):
        actions = []
        for pattern in _texts({"Statement": statement}, "Action", "NotAction"):
            matching = [each for name, each in s3.actions.items() if fnmatch.fnmatchcase(f"s3:{name}", pattern.lower())]
            actions += matching
            if not matching and pattern != "*":
                yield Problem("Statement.Action", f"S3 has no action {pattern}.", pattern, code="invalid-action")
        for key in [key.lower() for comparisons in statement.get("Condition", {}).values() for key in comparisons]:
            if key.startswith("s3:") and service_data.key_type(key) is None:
                yield Problem("Statement.Condition", f"S3 has no key {key}.", key, code="invalid-service-condition-key")
            elif key.startswith("s3:") and "Action" in statement and not any(_has(s3, each, key) for each in actions):
                yield Problem("Statement.Condition", f"No action here has {key}.", key, code="key-without-action")


def _has(service: service_data.Service, action: service_data.Action, key: str) -> bool:
    kinds = [service.resource_types[name].condition_keys for name in action.resource_types]
    return any(fnmatch.fnmatchcase(key, each.lower()) for each in chain(action.condition_keys, *kinds))


def _version(written: Document) -> Iterator[Problem]:
    if written.document.get("Version") != "2012-10-17":
        yield Problem("Version", "A control policy has the version 2012-10-17.", code="old-version")


def _texts(document: Mapping[str, Any], *elements: str) -> Iterator[str]:
    for statement in statements(document):
        for element in elements:
            yield from as_list(statement.get(element, []))


_RULES: Mapping[str, tuple[Callable[[Document], Iterator[Problem]], ...]] = {
    "identity": (_partitions,),
    "session": (_partitions,),
    "trust": (_principals, _shared_providers),
    "s3": (_principals, _bucket, _s3_words),
    "sqs": (_principals, _actions),
    "sns": (_principals, _actions),
    "ecr": (_principals, _actions),
    "organizations": (_version,),
}
