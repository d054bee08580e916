"""The principals that stored policies name: they must exist, and a deleted one stays behind as its unique ID.

AWS stores a user or role in a policy by its unique ID and shows it by its ARN. Here documents keep the ARN while the
principal lives; when it is deleted, every policy that names it gets its ID instead, when it is renamed, its new ARN.
The effect is the same, and nothing has to be translated for reading and deciding: an ID matches nobody, so a new user
or role of the old name is not trusted. Knows where moto keeps such policies.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from moto.iam.models import iam_backends

from simlib.cloud.storage.stored import PARTITION

# Where moto keeps policies that name principals: the module, its backends, the collection of resources, the attribute
# of each that holds the document as JSON text.
_HOMES = (
    ("moto.iam.models", "iam_backends", "roles", "assume_role_policy_document"),
    ("moto.s3.models", "s3_backends", "buckets", "policy"),
    ("moto.kms.models", "kms_backends", "keys", "policy"),
    ("moto.sqs.models", "sqs_backends", "queues", "policy"),
    ("moto.sns.models", "sns_backends", "topics", "policy"),
    ("moto.secretsmanager.models", "secretsmanager_backends", "secrets", "policy"),
)


def replace(old: str, new: str) -> None:
    """Have every stored policy name the AWS principal `new` where it named `old`."""
    for owner, attribute in _policies():
        stored = getattr(owner, attribute)
        text = stored.decode("utf-8") if isinstance(stored, bytes) else stored
        if not isinstance(text, str) or old not in text:
            continue
        document = json.loads(text)
        if _renamed(document, old, new):
            written = json.dumps(document)
            setattr(owner, attribute, written.encode("utf-8") if isinstance(stored, bytes) else written)


def named(document: Any) -> Iterator[tuple[str, str]]:
    """Type and name of every principal in a document."""
    for principal in _principals(document):
        for kind, names in principal.items():
            yield from ((kind, name) for name in listed(names) if isinstance(name, str))


def _renamed(document: Any, old: str, new: str) -> bool:
    """Change the names inside of `document`; False where none was there."""
    changed = False
    for principal in _principals(document):
        names = principal.get("AWS")
        if old in listed(names):
            principal["AWS"] = [new if name == old else name for name in names] if isinstance(names, list) else new
            changed = True
    return changed


def _principals(document: Any) -> Iterator[dict[str, Any]]:
    """Every `Principal` and `NotPrincipal` that is not a mere `*`."""
    for statement in statements(document):
        for element in ("Principal", "NotPrincipal"):
            if isinstance(statement.get(element), dict):
                yield statement[element]


def statements(document: Any) -> list[Any]:
    return [each for each in listed(document.get("Statement", [])) if isinstance(each, dict)]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def exists(name: str) -> bool:
    """Whether an AWS principal of this name may be written into a policy.

    Accounts are taken to exist, those the world has not opened too: a choice, for AWS has more accounts than a lab.
    Users and roles must be there. Of sessions AWS does not say what it looks at; they pass. So do identity providers:
    AWS has been seen to save a role that trusts one which is not there.
    """
    parts = name.split(":", 5)
    if len(parts) < 6:
        return not name.startswith(("AIDA", "AROA"))
    account, resource = parts[4], parts[5]
    if parts[1] != PARTITION:
        return False
    if parts[2] != "iam" or resource == "root":
        return True
    collection = {"user": "users", "role": "roles"}.get(resource.partition("/")[0])
    entities = getattr(iam_backends[account][PARTITION], collection) if collection and account in iam_backends else {}
    return any(entity.arn == name for entity in entities.values())


def _policies() -> Iterator[tuple[Any, str]]:
    """Everything that has a policy of its own, and the attribute that holds it."""
    for module, backends, collection, attribute in _HOMES:
        by_account = getattr(sys.modules.get(module), backends, {})
        for regions in list(by_account.values()):
            for backend in list(regions.values()):
                for owner in list(getattr(backend, collection).values()):
                    yield owner, attribute
