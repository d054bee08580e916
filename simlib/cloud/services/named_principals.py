"""The principals that stored policies name: they must exist, and a deleted one stays behind as its unique ID.

AWS stores a user or role in a policy by its unique ID and shows it by its ARN. Here documents keep the ARN while the
principal lives; when it is deleted, every policy that names it gets its ID instead, when it is renamed, its new ARN.
The effect is the same, and nothing has to be translated for reading and deciding: an ID matches nobody, so a new user
or role of the old name is not trusted.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from simlib.cloud.storage import iam_entities
from simlib.cloud.storage.resources import policy_holders
from simlib.cloud.storage.stored import PARTITION, as_list

_ACCOUNT = re.compile(r"^\d{12}$|(?<=:)\d{12}(?=:)")


def replace(old: str, new: str) -> None:
    """Have every stored policy name the AWS principal `new` where it named `old`."""
    for owner, attribute in policy_holders():
        stored = getattr(owner, attribute)
        text = stored.decode("utf-8") if isinstance(stored, bytes) else stored
        if not isinstance(text, str) or old not in text:
            continue
        document = json.loads(text)
        if _rename(document, old, new):
            text = json.dumps(document)
            setattr(owner, attribute, text.encode("utf-8") if isinstance(stored, bytes) else text)


def principal_names(document: Any) -> Iterator[tuple[str, str]]:
    """Type and name of every principal in a document."""
    for principal in _principals(document):
        for kind, names in principal.items():
            yield from ((kind, name) for name in as_list(names) if isinstance(name, str))


def services_and_accounts(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """The services and the accounts that policies name, each once; what is put together by moto may be no document."""
    names: dict[str, dict[str, None]] = {"Service": {}, "AWS": {}}
    for text in texts:
        with suppress(ValueError, AttributeError):
            for kind, name in principal_names(json.loads(text)):
                names.get(kind, {})[name] = None
    accounts = [account[0] for name in names["AWS"] if (account := _ACCOUNT.search(name))]
    return list(names["Service"]), list(dict.fromkeys(accounts))


def _rename(document: Any, old: str, new: str) -> bool:
    """Change the names inside of `document`; False where none was there."""
    changed = False
    for principal in _principals(document):
        names = principal.get("AWS")
        if old in as_list(names):
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
    return [each for each in as_list(document.get("Statement", [])) if isinstance(each, dict)]


def exists(name: str) -> bool:
    """Whether an AWS principal of this name may be written into a policy.

    Accounts are taken to exist, those the world has not opened too: a choice, for AWS has more accounts than a lab.
    Users and roles must be there. Of sessions AWS does not say what it looks at; they pass. So do identity providers:
    AWS has been seen to save a role that trusts one which is not there.
    """
    parts = name.split(":", 5)
    if len(parts) < 6:
        return not name.startswith(("AIDA", "AROA"))
    resource = parts[5]
    if parts[1] != PARTITION:
        return False
    if parts[2] != "iam" or resource == "root":
        return True
    return not resource.startswith("group/") and iam_entities.entity_at(name) is not None
