"""What the lab adds to moto, in four tables by "service:Operation".

`BEFORE` is checked once the call is allowed and before anything is done, under "service:*" for all calls of a service;
`ANSWERS` are calls the lab answers itself; `AFTER` completes what moto has done, and may replace its answer.
`INSTEAD` says what to do in place of what the lab does not offer.
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
)
from simlib.cloud.transport.wire import RawAnswer

Answer = Callable[[CallContext], Mapping[str, Any] | DeferredAnswer]
Check = Callable[[CallContext], None]
Completion = Callable[[CallContext, RawAnswer], RawAnswer]

ANSWERS: Mapping[str, Answer] = {
    **sts.ANSWERS, **iam_calls.ANSWERS, **iam_listings.ANSWERS, **credential_report.ANSWERS,
    **simulator.ANSWERS, **s3_calls.ANSWERS, **functions.ANSWERS, **authorization_details.ANSWERS,
    **access_analyzer.ANSWERS, **event_history.ANSWERS,
}  # fmt: skip
BEFORE: Mapping[str, Check] = {
    **sts.BEFORE, **iam_rules.BEFORE, **iam_calls.BEFORE, **mfa.BEFORE, **organization_rules.BEFORE,
    **resource_policies.BEFORE, **s3_calls.BEFORE, **functions.BEFORE,
}  # fmt: skip
INSTEAD: Mapping[str, str] = {**sts.INSTEAD, **organization_calls.INSTEAD, **s3_calls.INSTEAD}
AFTER: Mapping[str, Completion] = {
    **iam_calls.AFTER,
    **iam_listings.AFTER,
    **mfa.AFTER,
    **organization_calls.AFTER,
    **resource_policies.AFTER,
    **s3_calls.AFTER,
}
