"""What moto and botocore work out anew each time, though it never changes, is kept. Knows the inside of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, lru_cache
from typing import Any
from unittest.mock import patch

from botocore import hooks
from moto.core import responses
from moto.core.serialize import DEFAULT_ALIAS_PROVIDERS, AttributePickerContext, XFormedAttributePicker
from moto.core.utils import method_names_from_class

_names_each_time = XFormedAttributePicker.get_possible_keys
_names: dict[tuple[str, Any], tuple[str, ...]] = {}


def _names_in_an_answer(picker: XFormedAttributePicker, context: AttributePickerContext) -> Iterator[str]:
    """Under which names moto looks for a member of an answer; for a dict the API's model alone says so."""
    if type(context.obj) is not dict or picker.alias_providers is not DEFAULT_ALIAS_PROVIDERS:
        yield from _names_each_time(picker, context)
        return
    member = context.key, context.shape
    if member not in _names:
        _names[member] = tuple(dict.fromkeys(_names_each_time(picker, context)))
    yield from _names[member]


_KEPT = (
    (hooks, "accepts_kwargs", hooks.accepts_kwargs, lru_cache(512)(hooks.accepts_kwargs)),  # by 143 handlers a session
    (responses, "method_names_from_class", method_names_from_class, cache(method_names_from_class)),
    (XFormedAttributePicker, "get_possible_keys", _names_each_time, _names_in_an_answer),
)


@contextmanager
def remembered() -> Iterator[None]:
    """moto and botocore keep what they would work out anew."""
    with ExitStack() as patches:
        for owner, name, _, kept in _KEPT:
            patches.enter_context(patch.object(owner, name, kept))
        yield


@contextmanager
def forgetful() -> Iterator[None]:
    """moto as it comes, inside `remembered`: what its own speed is measured by."""
    for owner, name, anew, _ in _KEPT:
        setattr(owner, name, anew)
    try:
        yield
    finally:
        for owner, name, _, kept in _KEPT:
            setattr(owner, name, kept)
