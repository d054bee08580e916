"""EC2's encoded authorization failure message: sealed, for DecodeAuthorizationMessage to open.

https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from simlib.cloud.credentials.sessions import Caller
from simlib.cloud.transport.answers import Refusal
from simlib.iam import Evaluation


@cache
def _seal() -> Any:
    from cryptography.fernet import Fernet  # late: only EC2's refusals need it

    return Fernet(Fernet.generate_key())


def encode(evaluation: Evaluation, caller: Caller) -> str:
    """A denied decision as EC2 appends it to its refusal: nobody reads it without permission."""
    return str(_seal().encrypt(json.dumps(_members(evaluation, caller)).encode()).decode("ascii"))


def decode(message: str) -> str:
    """What was sealed, as JSON text; raises AWS's refusal of anything else."""
    from cryptography.fernet import InvalidToken

    try:
        return str(_seal().decrypt(message.encode()).decode("utf-8"))
    except InvalidToken as error:
        raise Refusal("InvalidAuthorizationMessageException", "Message is not valid.", 400) from error


def _members(evaluation: Evaluation, caller: Caller) -> dict[str, Any]:
    """The members that the documentation's example has."""
    denying = [
        {"statementId": each.statement.sid or "", "effect": "DENY", "policy": each.policy.name}
        for each in evaluation.deciding.statements
    ]
    conditions = [
        {"key": key, "values": {"items": [{"value": item} for item in _listed(value)]}}
        for key, value in evaluation.context.items()
    ]
    name = caller.arn.rpartition("/")[2]
    return {
        "allowed": False,
        "explicitDeny": evaluation.effect == "EXPLICIT_DENY",
        "matchedStatements": {"items": denying},
        "failures": {"items": []},
        "context": {
            "principal": {"id": caller.user_id, "name": name, "arn": caller.arn},
            "action": evaluation.action,
            "resource": evaluation.resource,
            "conditions": {"items": conditions},
        },
    }


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(item) for item in value]
