"""What the lab changes in moto while a world is open: it decides, hides, numbers and remembers otherwise.

`CHANGES` has a row for each name of moto's or botocore's that stands for something else meanwhile.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cache, lru_cache, wraps
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import botocore.session
import requests
from botocore import hooks

from simlib.cloud import moto_names as moto
from simlib.cloud.storage.tables import service_models

# Prefixes of unique IDs, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
_ID_PREFIXES = {"User": "AIDA", "Group": "AGPA", "InstanceProfile": "AIPA", "ManagedPolicy": "ANPA"}


def unique_id(account: str, prefix: str, length: int = 21) -> str:
    """An identifier in AWS's form; access keys have 20 characters, other IDs 21."""
    return str(moto.generate_access_key_id_from_account_id(account, prefix, length))


def _with_unique_id(name: str) -> Any:
    original, prefix = getattr(moto, name).__init__, _ID_PREFIXES[name]

    @wraps(original)
    def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.id = unique_id(self.account_id if self.account_id.isdigit() else "0" * 12, prefix)

    return initialise


@cache
def aws_managed_policies() -> tuple[Any, ...]:
    """AWS's own 1,500 managed policies, read once for all accounts and worlds (measured: 0.2 s).

    Each document becomes a text as soon as it is read: all of them at once as objects would take 13 MB more.
    """
    policies = json.loads(
        moto.aws_managed_policies_data,
        object_hook=lambda mapping: json.dumps(mapping) if "Statement" in mapping else mapping,
    )
    return tuple(
        moto.AWSManagedPolicy(
            name,
            account_id="aws",
            region="us-east-1",
            default_version_id=each["DefaultVersionId"],
            path=each["Path"],
            document=each["Document"],
            create_date=datetime.fromisoformat(each["CreateDate"]),
            update_date=datetime.fromisoformat(each["UpdateDate"]),
        )
        for name, each in policies.items()
    )


def own_copy(policy: Any) -> Any:
    """A managed policy of AWS's that counts its own attachments. (`copy.copy` takes five times as long.)"""
    own = object.__new__(type(policy))
    own.__dict__ = policy.__dict__.copy()
    return own


@staticmethod  # type: ignore[misc]
def _untracked(cls: type, *_: Any, **__: Any) -> Any:
    """A new object that moto's list of all objects ever made does not hold on to: what is replaced is freed."""
    return object.__new__(cls)


def _refuse_to_mock(*_: Any, **__: Any) -> None:
    raise RuntimeError(
        "mock_aws would empty this world: the lab is a mocked AWS already, and every boto3 client meets it. Leave "
        "mock_aws out, or stop() the Cloud first."
    )


def model_for_moto(service: str, kind: str) -> Any:
    """An API model with what moto adds to it; all else is shared with the clients."""
    if service in ("s3", "s3control"):  # a client rewrites addresses in these, so moto has its own
        return moto.create_loader().load_service_model(service, kind)
    model = service_models().load_service_model(service, kind)
    version = service_models().determine_latest_version(service, kind)
    for extra in moto.create_loader()._find_extras(service, kind, version):
        model = _merged(model, extra["merge"])
    return model


def _merged(model: Any, more: Any) -> Any:
    if not (isinstance(model, Mapping) and isinstance(more, Mapping)):
        return more
    return {**model, **{name: _merged(model.get(name), value) for name, value in more.items()}}


# S3 encrypts all new objects, and no bucket can be without: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
_ENCRYPTION = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}}

_names_each_time = moto.XFormedAttributePicker.get_possible_keys
_names: dict[tuple[str, Any], tuple[str, ...]] = {}


def _names_in_an_answer(picker: Any, context: Any) -> Iterator[str]:
    """Under which names moto looks for a member of an answer; for a dict the API's model alone says so."""
    if type(context.obj) is not dict or picker.alias_providers is not moto.DEFAULT_ALIAS_PROVIDERS:
        yield from _names_each_time(picker, context)
        return
    member = context.key, context.shape
    if member not in _names:
        _names[member] = tuple(dict.fromkeys(_names_each_time(picker, context)))
    yield from _names[member]


_accepts_kwargs = lru_cache(512)(hooks.accepts_kwargs)  # 143 handlers a session, and sessions go

# What moto and botocore work out anew each time, though it never changes
REMEMBERED = (
    (hooks, "accepts_kwargs", lambda handler: _accepts_kwargs(getattr(handler, "__func__", handler))),
    (moto.responses, "method_names_from_class", cache(moto.method_names_from_class)),
    (moto.XFormedAttributePicker, "get_possible_keys", _names_in_an_answer),
)
CHANGES = (
    *REMEMBERED,
    (moto.MockAWS, "start", _refuse_to_mock),
    (moto.BaseModel, "__new__", _untracked),
    (moto.IAMBackend, "_init_aws_policies", lambda _: [*map(own_copy, aws_managed_policies())]),
    (botocore.session, "create_loader", lambda *_: service_models()),
    (moto.utils, "_load_service_model", model_for_moto),
    # IAM writes down whole seconds
    (moto.iam_models, "utcnow", lambda: datetime.now(UTC).replace(tzinfo=None, microsecond=0)),
    (moto.IAMPolicyDocumentValidator, "validate", lambda _: None),  # `documents` has decided
    (moto.IAMTrustPolicyDocumentValidator, "validate", lambda _: None),
    (moto.kms_responses, "validate_policy", lambda *_: None),  # a Deny would be everybody's, whomever it names
    (moto.FakeBucket, "encryption", property(
        lambda bucket: vars(bucket).get("_encryption") or _ENCRYPTION,
        lambda bucket, chosen: vars(bucket).update(_encryption=chosen),
    )),
    *((getattr(moto, name), "__init__", _with_unique_id(name)) for name in _ID_PREFIXES),
)  # fmt: skip
_CONFIGURATION: dict[str, Any] = {"batch": {"use_docker": False}, "lambda": {"use_docker": False}}


def make(stack: ExitStack) -> None:
    """Make all of them; the stack undoes them."""
    stack.enter_context(patch.dict(moto.default_user_config, _CONFIGURATION))
    for owner, name, instead in CHANGES:
        stack.enter_context(patch.object(owner, name, instead, create=name == "encryption"))


def _delivered(*args: Any, **kwargs: Any) -> Any:
    """What moto hears when it would send something: accepted, and gone nowhere."""
    return SimpleNamespace(status_code=200, ok=True, text="", content=b"", headers={}, json=dict)


_SILENCED = SimpleNamespace(
    post=_delivered, get=_delivered, put=_delivered, request=_delivered, exceptions=requests.exceptions
)


def silence(stack: ExitStack) -> None:
    """Take the network from moto's modules: SNS, Firehose and others would really POST."""
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.") and isinstance(module, ModuleType) and vars(module).get("requests") is requests:
            stack.enter_context(patch.object(module, "requests", _SILENCED))
