"""The gate pipe: AWS's checks in its order, what each lets through, and the one that decides.

Grants feed the pipe, ceilings narrow it. Of every gate it is said what flows above it and below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simlib.iam import Evaluation
from simlib.iam.decision import GRANTS
from simlib.iam.explanation import display_name
from simlib.iam.vocabulary import ALLOW, DELEGATES, EXPLICIT_DENY, IMPLICIT_DENY, NO_IMPACT

from ..look import drawing, fold, sign, tag, verdict
from ..page import Child, Part, code, el
from .answers import Answer, plain

GATES = {  # AWS's checks in AWS's order, as a learner reads them
    "RESOURCE_CONTROL_POLICY": "Resource control policies",
    "SERVICE_CONTROL_POLICY": "Service control policies",
    "VPC_ENDPOINT": "VPC endpoint policy",
    "RESOURCE": "Resource policy",
    "PRINCIPAL": "Identity policies",
    "PERMISSIONS_BOUNDARY": "Permissions boundary",
    "SESSION": "Session policy",
}
_STRENGTH = ("", NO_IMPACT, DELEGATES, ALLOW, IMPLICIT_DENY, EXPLICIT_DENY)
_SIGNS = {ALLOW: "yes", DELEGATES: "half", NO_IMPACT: "none", IMPLICIT_DENY: "no", EXPLICIT_DENY: "deny"}
_STATES = {"yes": "yes", "half": "half", "none": "none", "no": "no", "deny": "no"}


@dataclass(frozen=True)
class Gate:
    """One of AWS's checks: what it `means` ("" where there is no such policy), whether it decides, and why."""

    kind: str
    name: str
    means: str
    decides: bool = False
    because: str = ""

    @property
    def grants(self) -> bool:
        return self.kind in GRANTS

    def __str__(self) -> str:
        return f"{self.name}: {self.because}" + (" – decides" if self.decides else "")


SAYS = {  # the sign, what the side does, what its half of the bridge is
    "allows": ("yes", "allows it", "stands"),
    "delegates": ("half", "only delegates, to the caller’s account", "stands"),
    "denies": ("deny", "denies it", "denied"),
    "missing": ("no", "does not allow it", "missing"),
    "silent": ("none", "no statement applies, and none is needed", "not needed"),
}


@dataclass(frozen=True)
class Side:
    """One account's part of a decision: a key of `SAYS`, the policies asked there, and what is lacking or decides;
    `kinds` are its checks."""

    account: str
    who: str
    says: str
    kinds: tuple[str, ...]
    policies: tuple[str, ...] = ()
    because: str = ""

    @property
    def allowed(self) -> bool:
        return self.says in ("allows", "delegates", "silent")

    @property
    def verdict(self) -> Part:
        sign, words, _ = SAYS[self.says]
        return verdict(sign, f"{self.account} {words}")


def gates(answer: Answer, who: str) -> list[Gate]:
    """AWS's seven checks in its order, those for which nothing is attached included; exactly one decides."""
    evaluation = answer.evaluation
    if evaluation is None:
        return []
    decisive = evaluation.deciding.check
    granting = [each.check_type for each in answer.deciding]
    decides = decisive.check_type if decisive else next((kind for kind in reversed(GATES) if kind in granting), "")
    result = []
    for kind, name in GATES.items():
        checks = [check for check in evaluation.checks if check.check_type == kind]
        means = max((check.meaning for check in checks), key=_STRENGTH.index, default="")
        trust = kind == "RESOURCE" and evaluation.request.is_trust_question
        title = "Trust policy" if trust else name
        result.append(Gate(kind, title, means, kind == decides, _because(evaluation, kind, means, who)))
    return result


def _because(evaluation: Evaluation, kind: str, means: str, who: str) -> str:
    """Why a gate is as it is, in a sentence."""
    of_kind = [each for each in evaluation.statements if each.check_type == kind]
    matches = [each for each in of_kind if each.deciding is None and each.meaning == means]
    names = dict.fromkeys(display_name(each.policy) for each in of_kind)
    policies = ", ".join(names) or "The policy"
    if means == EXPLICIT_DENY:
        return f"{plain(matches[0].title)}. A Deny ends it, whatever else allows." if matches else "A Deny ends it."
    if means == IMPLICIT_DENY:
        near = [plain(each.sentence) for each in evaluation.near_misses if each.check_type == kind]
        return f"No statement allows it. {near[0]}." if near else "No statement allows it."
    if means == DELEGATES:
        return f"Names the account, not {who}. It only delegates: {who}’s own policies must allow it."
    if means == NO_IMPACT:
        return f"Says nothing about {who}, and need not."
    if kind in GRANTS:
        return f"{plain(matches[0].title)} allows it." if matches else "Allows it."
    return f"{policies} leave{'' if len(names) > 1 else 's'} it open." if means else ""


def pipe(answer: Answer, who: str, side: Side | None = None) -> Part:
    """The checks as a pipe, or those of one `side`; `who` is how the one who asks is called."""
    question = answer.question
    asks = el("div", el("b", who), " asks for ", code(question.action))
    if answer.evaluation is None:
        return el("p", asks, f"Refused before any policy is read. {answer.objection}")
    return el("ol.sl-pipe", _rows(answer, who, asks, side))


def _rows(answer: Answer, who: str, asks: Part, side: Side | None) -> Iterator[Part]:
    flow, absent, over = "open", list[str](), False
    yield el("li.sl-ask.a-open.b-open", _glyph("in"), asks)
    for gate in gates(answer, who):
        if side and gate.kind not in side.kinds:
            continue
        if not gate.means:
            absent.append(gate.name[0].lower() + gate.name[1:] if not gate.name.startswith("VPC") else gate.name)
            continue
        yield from _absent(absent, flow)
        absent, above = [], flow
        if gate.means in (IMPLICIT_DENY, EXPLICIT_DENY):
            passes = gate.grants and gate.means == IMPLICIT_DENY and not gate.decides and (not side or side.allowed)
            flow = flow if passes else "dry"
        elif gate.grants and flow != "dry":
            flow = {ALLOW: "fed", DELEGATES: "half"}.get(gate.means, flow)
        css = f"li.a-{above}.b-{flow}" + (".is-moot" if over else "")
        shape = _SIGNS[gate.means]
        if gate.decides:
            css += f".is-deciding.is-{'yes' if gate.means == ALLOW else 'no'}"
        mark = tag("decides", f".is-{'yes' if gate.means == ALLOW else 'no'}") if gate.decides else None
        kind = el("span.sl-kind", "Grant. " if gate.grants else "Ceiling. ")
        words = el("div.sl-gate", el("div", sign(shape), gate.name, mark), el("div", kind, gate.because))
        glyph = _STATES[shape] if gate.grants else ("shut" if flow == "dry" and above != "dry" else "open")
        yield el(css, _glyph("shut" if shape == "deny" else glyph), words)
        over = over or (gate.decides and gate.means != ALLOW)
    yield from _absent(absent, flow)
    end = side or answer
    yield el(f"li.sl-end.a-{flow}", _glyph("out") if end.allowed else el("span"), el("div", end.verdict))


def _absent(names: list[str], flow: str) -> Iterator[Part]:
    if names:
        yield el(f"li.sl-absent.a-{flow}.b-{flow}", el("span"), el("div", f"Not here: {', '.join(names)}"))


def _glyph(which: str) -> Part:
    tall = {"in": 28, "out": 24}.get(which, 28)
    return drawing("glyphs", which, "sl-glyph", f"0 0 40 {tall}")


def explanation(answer: Answer, who: str, key: str, side: Side | None = None) -> Child:
    """The pipe, and every statement that was asked, or those of one `side`; `key` tells it from others on the page."""
    statements = answer.evaluation.statements if answer.evaluation else ()
    of_side = (each for each in statements if not side or each.check_type in side.kinds)
    reasons = list(dict.fromkeys(plain(each.sentence) for each in of_side))
    listing = el("ul", [el("li", line) for line in reasons])
    every = fold("Every statement that was asked", listing, key=f"every-{key}") if reasons else None
    return pipe(answer, who, side), every
