"""Why was I refused? An error text of AWS, a CloudTrail record or a decoded authorization message, explained.

`explain(text)` understands what AWS, its CLI and its SDKs print, bare or wrapped (JSON, XML, log lines), and answers
what was asked by whom on what, which kind of policy said no, what it cannot have been, what to look at first, and the
smallest statement that would allow it. Texts without an authorization in them are rows of `refusals.toml`.
AWS pages: UG/troubleshoot_access-denied, STS/API_DecodeAuthorizationMessage, CloudTrail's record contents.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.audit.arns import account_of, role_of
from simlib.cloud.permissions import service_table
from simlib.cloud.permissions.service_table import reference_of
from simlib.iam.errors import RequestError
from simlib.iam.principals import Kind, identify
from simlib.iam.vocabulary import EXPLICIT_DENY, IMPLICIT_DENY, POLICY_NAMES, TRUST_ACTIONS
from simlib.lessons import LESSONS

if TYPE_CHECKING:
    from simlib.cloud import Cloud
    from simlib.iam import Evaluation

LONGEST = 20_000  # characters of a text that are looked at; AWS's have fewer
_TABLES = tomllib.loads(Path(__file__).with_name("refusals.toml").read_text("utf-8"))
_MARGIN = re.compile(r"^[ \t]*(?:[│╷╵|>]|\d{4}-\d\d-\d\d[T ][\d:.,]+Z?|##\[\w+\])[ \t]*(?:##\[\w+\])?", re.MULTILINE)
_QUOTED = re.compile(r"`([^\s`']+)'")  # as SES prints names
_WRAPPING = [re.compile(pattern, re.DOTALL) for pattern in _TABLES["wrapping"]]


class NotARefusal(ValueError):
    """A text in which no refusal of AWS can be found."""


@dataclass(frozen=True)
class Refusal:
    """One refusal.

    `kind`: permission, trust, document, credentials, signature, missing, conflict, quota, configuration or request.
    `principal`, `action` and `resource` (ARNs where they can be completed, "" where the text does not have them):
    what was asked. `check_type`: the kind of policy that said no, as in `simlib.iam.Check`; `effect`: `IMPLICIT_DENY`,
    `EXPLICIT_DENY` or "" where AWS does not say; `policy`: the ARN of the policy that denies, where AWS names it.
    `allow_helps`: whether an Allow, added in the right place, would change the answer.
    `context`: the condition keys of a decoded message. `says`, `first`: sentences; `lesson`: a notebook's name.
    """

    text: str
    kind: str
    says: str
    first: str
    lesson: str
    code: str = ""
    operation: str = ""
    principal: str = ""
    action: str = ""
    resource: str = ""
    check_type: str = ""
    effect: str = ""
    policy: str = ""
    allow_helps: bool = False
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    @property
    def excluded(self) -> tuple[str, ...]:
        """What it cannot have been, in sentences."""
        if self.kind not in ("permission", "trust") or not self.effect:
            return ()
        if self.effect == EXPLICIT_DENY:
            return ("a missing Allow; no Allow overrides a Deny that matches.",)
        sentences = ["a Deny, in any policy: AWS would have named an explicit deny."]
        if self.check_type == "PRINCIPAL":
            sentences.append("a policy of the resource that lets the caller in by name.")
        return tuple(sentences)

    @property
    def statement(self) -> dict[str, Any] | None:
        """The smallest statement that would allow it, for the kind of policy in `check_type`; None where no Allow
        would help, or the text does not say what was asked."""
        if not self.allow_helps:
            return None
        trust = self.action.lower() in TRUST_ACTIONS and self.check_type == "RESOURCE"
        action = reference_of(self.action)
        resource = self.resource if self.resource and (action is None or action.resource_types) else "*"
        statement: dict[str, Any] = {"Effect": "Allow"}
        if self.check_type in ("RESOURCE", "VPC_ENDPOINT"):
            statement["Principal"] = _principal(self.principal)
        statement["Action"] = self.action
        return statement if trust else {**statement, "Resource": resource}

    @property
    def caution(self) -> str:
        """Why adding the statement may be unwise; "" where nothing speaks against it."""
        if self.statement is None:
            return ""
        action, wide = reference_of(self.action), self.statement.get("Resource") == "*"
        level = action.access_level if action else ""
        applies = {
            "handing": self.action.lower() in ("iam:passrole", "iam:createservicelinkedrole"),
            "permissions": level == "Permissions management",
            "wide": level in ("Write", "Tagging") and wide,
            "ceiling": self.check_type.endswith("CONTROL_POLICY") or self.check_type == "PERMISSIONS_BOUNDARY",
            "account": self.check_type == "RESOURCE" and role_of(self.principal).endswith(":root"),
        }
        if applies["handing"]:
            applies |= {"permissions": False, "wide": False}
        return " ".join(_TABLES["caution"][name] for name, does in applies.items() if does)

    def compare(self, cloud: Cloud) -> Evaluation | None:
        """The same request put to a world, such as the dump of the account; None where it has no such caller."""
        with suppress(LookupError):
            if self.principal and self.action:
                request = (self.principal, self.action, self.resource or "*")
                return cloud.inspect.ask(*request, circumstances=dict(self.context))
        return None

    def fields(self) -> dict[str, Any]:
        """All of it by name, as JSON can hold it."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        more = {"excluded": list(self.excluded), "statement": self.statement, "caution": self.caution}
        return {**values, "context": dict(self.context), **more}

    def explain(self) -> str:
        """All of it in sentences, one for each line."""
        lines = [self.says]
        if self.action:
            who = self.principal or "The caller"
            lines.insert(0, f"{who} asked for {self.action} on {self.resource or 'no particular resource'}.")
        lines += [f"Ruled out: {each}" for each in self.excluded]
        lines.append(f"Look first: {self.first}")
        if self.statement:
            lines += ["The smallest statement that would allow it:", json.dumps(self.statement, indent=2)]
        if self.caution:
            lines.append(f"But: {self.caution}")
        return "\n".join([*lines, f"Lesson: {self.lesson}"])

    def __repr__(self) -> str:
        return self.explain()


def explain(text: str) -> Refusal:
    """The refusal in a text. Raises `NotARefusal` where there is none."""
    messages = list(_messages(text))
    for reader in (_authorization, _row):
        for message in messages:
            if refusal := message if isinstance(message, Refusal) else reader(message):
                return refusal
    raise NotARefusal(
        "This is no error text of AWS that can be recognised: paste what AWS printed, from its first word on."
    )


# --- what a text is wrapped in ----------------------------------------------------------------------------------------


class _Message(NamedTuple):
    """A text that may be AWS's, and what its wrapping says besides."""

    text: str
    code: str = ""
    operation: str = ""
    principal: str = ""
    action: str = ""
    resource: str = ""


def _messages(text: str) -> Iterator[_Message | Refusal]:
    """Everything in a text that may be an error, the outermost first; a decoded authorization message is one."""
    plain = text.strip()
    with suppress(ValueError, RecursionError):
        if plain[:1] in ("{", "["):
            yield from _of_json(json.loads(plain))
            return
    plain = plain[:LONGEST].replace('\\"', '"').replace("\\n", "\n")  # JSON in a line of a log
    plain = _QUOTED.sub(r"\1", _MARGIN.sub("", plain).strip())
    for text in dict.fromkeys((plain, " ".join(plain.split()))):  # as it stands, and with lines joined
        for pattern in _WRAPPING:
            if match := pattern.search(text):
                groups = {name: unescape((value or "").strip()) for name, value in match.groupdict().items()}
                yield _Message(groups["text"], groups.get("code", ""), groups.get("operation", ""))
        yield _Message(text)


def _of_json(value: Any) -> Iterator[_Message | Refusal]:
    """Of CloudTrail's records, of an answer of AWS, or of a decoded authorization message."""
    if isinstance(value, str) and " " in value.strip():
        yield from _messages(value)
    if isinstance(value, list):
        for each in value:
            yield from _of_json(each)
    if not isinstance(value, dict):
        return
    texts = {name: each for name, each in value.items() if isinstance(each, str)}
    if "errorCode" in texts or "errorMessage" in texts:
        who = value["userIdentity"] if isinstance(value.get("userIdentity"), dict) else {}
        code, operation = texts.get("errorCode", "").removeprefix("Client."), texts.get("eventName", "")
        principal = str(who.get("arn") or who.get("invokedBy") or "")
        action = _logged(texts.get("eventSource", "").partition(".")[0], operation) if operation else ""
        arns = [str(each.get("ARN") or "") for each in value.get("resources") or () if isinstance(each, dict)]
        longest = max(arns, key=len, default="")  # of an object and its bucket the object
        resource = longest if all(map(longest.startswith, arns)) else ""
        yield _Message(texts.get("errorMessage") or code, code, operation, principal, action, resource)
    elif "explicitDeny" in value and isinstance(value.get("context"), dict):
        yield _decoded(value)
    elif "eventName" not in texts:  # or of a call that went well
        code = texts.get("__type") or texts.get("code") or texts.get("Code") or ""
        message = texts.get("message") or texts.get("Message") or ""
        if code or message:
            yield _Message(message, code.rpartition("#")[2])
        yield from _of_json(list(value.values()))


def _logged(source: str, operation: str) -> str:
    """The action of a record of CloudTrail: it names an API by its address, and some operations with their version."""
    prefix = service_table.by_prefix("prefixes").get(source, source)
    name = re.sub(r"(\d{8}(v\d)?|\d{4}_\d\d_\d\d)$", "", operation)
    return f"{prefix}:{service_table.by_prefix(prefix).get('actions', {}).get(name, name)}"


# --- what a text says -------------------------------------------------------------------------------------------------

_SHORT = {  # how IAM's texts begin that name a resource without its ARN (iam: "role reader")
    **{kind: f"{kind}/" for kind in ("user", "role", "group", "policy")},
    **{"instance profile": "instance-profile/", "mfa device": "mfa/", "virtual mfa": "mfa/"},
}
_KINDS = "|".join(_SHORT)
_REQUEST = re.compile(
    r"(?<!\S)(?P<principal>\S+) is not authorized to perform:? (?P<action>[\w-]+:\w+)(?: on this resource)?"
    rf"""(?: on resource:? (?P<resource>"[^"]*"|(?:(?:{_KINDS}) )?[^\s"']+))?"""
)
_ACTION = re.compile(r"(?:perform:?|allow the) (?P<action>[a-z\d-]+:[A-Z]\w+)")
_CHECKS = {name: check_type for check_type, name in POLICY_NAMES.items()} | {"role trust policy": "RESOURCE"}
_REASON = re.compile(
    r"[.,]? (?:because no (?P<lacking>[\w -]+?) allows the \S+ action"
    rf"|with an explicit deny(?: in an? (?P<denying>{'|'.join(sorted(_CHECKS, key=len, reverse=True))}))?"
    r"(?:: (?P<policy>arn:[^\s,)]+))?)"
)


def _authorization(message: _Message) -> Refusal | None:
    """The refusal in AWS's text about an authorization; other reasons are rows."""
    request = _REQUEST.search(message.text)
    reason = _REASON.match(message.text, request.end()) if request else None
    if request is None or (reason is None and message.text.startswith(" because ", request.end())):
        return None
    lacking, denying, policy = reason.groups() if reason else ("", "", "")
    effect = IMPLICIT_DENY if lacking else EXPLICIT_DENY if reason else ""
    check_type = _CHECKS.get(lacking or denying or "", "")
    return _permission(message, check_type, effect, policy=(policy or "").rstrip("."), **_names(request))


def _names(request: re.Match[str]) -> dict[str, Any]:
    """Who asked for what, on what."""
    principal, action = request["principal"], spelled(request["action"])
    resource = (request["resource"] or "").rstrip(".,;)").strip('"')
    return {"principal": principal, "action": action, "resource": _arn(resource, action, principal)}


def _decoded(value: Mapping[str, Any]) -> Refusal:
    request, context = value["context"], {}
    for each in _items(request, "conditions"):
        values = tuple(str(item.get("value")) for item in _items(each, "values"))
        context[str(each.get("key"))] = values[0] if len(values) == 1 else values
    principal = request.get("principal")
    return _permission(
        _Message(""),
        "",
        EXPLICIT_DENY if value["explicitDeny"] else IMPLICIT_DENY,
        principal=str(principal.get("arn", "")) if isinstance(principal, dict) else "",
        action=spelled(str(request.get("action", ""))),
        resource=str(request.get("resource", "")),
        policy=next((str(each["policy"]) for each in _items(value, "matchedStatements") if each.get("policy")), ""),
        context=context,
    )


def _items(value: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in one of the message's lists."""
    outer = value.get(name)
    items = outer.get("items") if isinstance(outer, dict) else None
    return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


def _permission(message: _Message, check_type: str, effect: str, **names: Any) -> Refusal:
    action, principal = names["action"], names["principal"]
    trust = action.lower() in TRUST_ACTIONS and check_type in ("", "RESOURCE")
    row = _TABLES["layer"]["TRUST" if trust and not effect else check_type or "UNKNOWN"]
    says = row["denies" if effect == EXPLICIT_DENY else "lacks"]
    words = {"holder": role_of(principal), "resource": names["resource"] or "the resource"}
    # credentials of GetFederationToken reach neither IAM nor STS: STS/API_GetFederationToken
    cannot = effect == EXPLICIT_DENY or (":federated-user/" in principal and action[:4] in ("iam:", "sts:"))
    row = {**row, "kind": "trust" if trust else "permission", "says": says}
    helps = bool(action) and not cannot
    return _refusal(message, row, words, check_type=check_type, effect=effect, allow_helps=helps, **names)


def _refusal(message: _Message, row: Mapping[str, str], words: Mapping[str, str], **more: Any) -> Refusal:
    says, first = (row[name].format(**words) for name in ("says", "first"))
    operation = message.operation or words.get("operation", "")
    known = {**message._asdict(), "operation": operation, **more}
    return Refusal(kind=row["kind"], says=says, first=first, lesson=LESSONS[row["lesson"]].name, **known)


def _row(message: _Message) -> Refusal | None:
    """The refusal of a text that has a row of its own, or whose error code has one."""
    for row in _TABLES["row"]:
        match = re.search(row.get("text", ""), message.text)
        if match and re.search(row.get("code", ""), message.code):
            words = {name: value or "" for name, value in match.groupdict().items()}
            if request := _REQUEST.search(message.text):
                return _refusal(message, row, words, **_names(request))
            alone = _ACTION.search(message.text)
            action = message.action or (spelled(alone["action"]) if alone else "")
            return _refusal(message, row, words, action=action)
    return None


# --- names ------------------------------------------------------------------------------------------------------------


def spelled(action: str) -> str:
    """An action in AWS's spelling: some services print it in lower case, or their own name in capitals."""
    reference = reference_of(action)
    return f"{action.partition(':')[0].lower()}:{reference.name}" if reference else action


def _arn(resource: str, action: str, principal: str) -> str:
    """The ARN of a resource that a text names in short; what cannot be completed stays as it is."""
    if resource in ("", "*") or resource.startswith("arn:"):
        return resource
    account = account_of(principal)
    kind, _, name = resource.rpartition(" ")
    if name.startswith("arn:"):
        return name
    service = action.partition(":")[0]
    if service == "iam" and kind in _SHORT:
        return f"arn:aws:iam::{account}:{_SHORT[kind]}{name}"
    if service == "secretsmanager" and not kind:
        return f"arn:aws:secretsmanager:*:{account}:secret:{name}-??????"
    return resource


def _principal(principal: str) -> Any:
    """How a statement names a caller."""
    try:
        caller = identify(principal)
    except RequestError:
        return {"AWS": principal}
    return "*" if caller.kind == Kind.ANONYMOUS else {caller.key: role_of(principal)}
