"""What the lab adds to moto, in three tables by "service:Operation".

`ANSWERS` are calls the lab answers itself; `BEFORE` is checked, once the call is allowed and before moto stores
anything; `AFTER` completes what moto has done, and may replace its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import iam_calls, organization_calls, s3_calls, simulator, sts
from .desk import Desk
from .wire import RawAnswer

Answer = Callable[[Desk], Mapping[str, Any]]
Check = Callable[[Desk], None]
Completion = Callable[[Desk, RawAnswer], RawAnswer]

ANSWERS: Mapping[str, Answer] = {**sts.ANSWERS, **iam_calls.ANSWERS, **simulator.ANSWERS}
BEFORE: Mapping[str, Check] = {**iam_calls.BEFORE, **organization_calls.BEFORE}
AFTER: Mapping[str, Completion] = {**iam_calls.AFTER, **organization_calls.AFTER, **s3_calls.AFTER}
