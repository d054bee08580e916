"""Why was I refused? An error text of AWS in, an explanation out."""

from __future__ import annotations

from simlib.audit import refusal
from simlib.cloud import Cloud


class ExplainedRefusal:
    """What a text says, and, where the open world has its caller, which statement decides there."""

    def __init__(self, text: str) -> None:
        self.refusal = refusal.explain(text)
        self.evaluation = self.refusal.compare(Cloud.running) if Cloud.running else None

    def __repr__(self) -> str:
        words = [self.refusal.explain()]
        if self.evaluation is not None:
            words += ["", f"In this world: {self.evaluation.explain()}"]
        return "\n".join(words)


def refused(text: str) -> ExplainedRefusal:
    """Explain an error text of any AWS service, a CloudTrail record or a decoded authorization message.

    Raises `simlib.audit.refusal.NotARefusal`, a `ValueError`, where the text is none of these.
    """
    return ExplainedRefusal(text)
