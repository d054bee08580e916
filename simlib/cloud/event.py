"""One call, as the trail keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simlib.cloud.credentials.sessions import Session
from simlib.iam import Evaluation


@dataclass(frozen=True, slots=True)
class Event:
    """One call.

    `decision` is "ALLOW" or what refused it: "IMPLICIT_DENY", "EXPLICIT_DENY" (the policies), "UNAUTHENTICATED" (the
    credentials), "INVALID" (the request). `error_code` is AWS's code where the answer was an error of any kind.
    """

    number: int
    when: datetime
    who: str
    action: str
    resource: str
    decision: str
    error_code: str = ""
    error_message: str = ""
    request_id: str = ""
    account: str = ""
    access_key_id: str = ""
    service: str = ""
    operation: str = ""
    region: str = ""
    user_id: str = ""
    user_agent: str = ""
    source_ip: str = ""
    session: Session | None = None
    situation: str = ""
    detail: str = ""
    evaluations: tuple[Evaluation, ...] = ()
    authorization_id: str = ""
    show_parameters: Callable[[], Mapping[str, Any] | None] = field(default=lambda: None, repr=False, compare=False)

    @property
    def parameters(self) -> Mapping[str, Any] | None:
        """Those of the call as CloudTrail shows them; None where it has none. Worked out when they are looked at."""
        return self.show_parameters()

    @property
    def refused(self) -> bool:
        """Whether it was the gate that said no, not the service about its own affairs."""
        return self.decision != "ALLOW"

    def __repr__(self) -> str:
        outcome = self.decision if not self.error_code else f"{self.decision} ({self.error_code})"
        return (
            f"{self.when:%Y-%m-%d %H:%M:%S}  {short_arn(self.who):<44}  {self.action:<28}  {self.resource}  {outcome}"
        )


def short_arn(arn: str) -> str:
    """ "111111111111 user/alice" – an ARN without what is the same in all of them."""
    parts = arn.split(":", 5)
    return f"{parts[4]} {parts[5]}" if len(parts) == 6 else arn
