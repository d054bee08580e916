"""What the lab adds to moto, in four tables by "service:Operation", to which every module here adds its own.

`BEFORE` is checked once the call is allowed and before anything is done, under "service:*" for all calls of a service;
`ANSWERS` are calls the lab answers itself; `AFTER` completes what moto has done and may replace its answer, `FAILED`
what moto would not do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simlib.cloud.call_context import CallContext, DeferredAnswer
from simlib.cloud.services import (
    access_analyzer,
    authorization_details,
    credential_report,
    event_history,
    functions,
    iam_calls,
    iam_listings,
    iam_rules,
    mfa,
    organization_calls,
    organization_rules,
    resource_policies,
    s3_calls,
    simulator,
    sts,
    workloads,
)
from simlib.cloud.transport.wire import RawAnswer

_MODULES = (access_analyzer, authorization_details, credential_report, event_history, functions, iam_calls,
            iam_listings, iam_rules, mfa, organization_calls, organization_rules, resource_policies, s3_calls,
            simulator, sts, workloads)  # fmt: skip


def _joined(table: str) -> dict[str, Any]:
    return {name: entry for module in _MODULES for name, entry in getattr(module, table, {}).items()}


ANSWERS: Mapping[str, Callable[[CallContext], Mapping[str, Any] | DeferredAnswer]] = _joined("ANSWERS")
BEFORE: Mapping[str, Callable[[CallContext], None]] = _joined("BEFORE")
AFTER: Mapping[str, Callable[[CallContext, RawAnswer], RawAnswer]] = _joined("AFTER")
FAILED: Mapping[str, Callable[[CallContext, RawAnswer], RawAnswer]] = _joined("FAILED")
