"""One table of services: what a call is in the words of its policies, and in those of AWS's refusals.

Most of a row comes from AWS's Service Authorization Reference (`simlib.iam.service_data`) and the API's own model: an
action's resource types give the ARNs, and the call's members fill their placeholders by name – `StreamName` fills
`stream/${StreamName}`, an ARN that has the form of a resource type stands for itself. The rest is in `services.toml`.
What is not named is asked as the pattern of all such resources, `db:*`; where an action has no resource it is `*`.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jmespath

from simlib.cloud.permissions.permission import account_of
from simlib.cloud.storage import iam_entities, keys, resources
from simlib.cloud.storage.stored import as_list
from simlib.cloud.transport.calls import Call
from simlib.cloud.transport.protocols import signing_name
from simlib.iam import service_data

_EVERYWHERE = ("Partition", "Region", "Account")
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_GAP = re.compile(r"\{((?:[^{}]|\{[\d,]+\})+)\}")
_SUFFIXES = ("identifiers", "identifier", "names", "name", "arns", "arn", "ids", "id", "s")


@cache
def _table() -> Mapping[str, Any]:
    rows: dict[str, Any] = tomllib.loads(Path(__file__).with_name("services.toml").read_text(encoding="utf-8"))
    for facts in rows.values():
        # a line of these may be for several operations
        for column in facts.keys() & {"actions", "resources", "through", "more", "tag_on", "new", "within"}:
            facts[column] = {name: value for names, value in facts[column].items() for name in names.split()}
    return rows


@cache
def prefix_of(service: str) -> str:
    """The prefix of a service's actions ("cloudwatch" for monitoring's), by botocore's name of the service."""
    name = signing_name(service)
    return str(_table()["prefixes"].get(name.lower(), name))


@cache
def row(service: str) -> Mapping[str, Any]:
    """The table's row of a service by botocore's name."""
    return {**by_prefix(prefix_of(service).lower()), **by_prefix(service)}


def by_prefix(prefix: str) -> Mapping[str, Any]:
    """The table's row of a service by the prefix of its actions."""
    facts: Mapping[str, Any] = _table().get(prefix, {})
    return facts


def action_of(call: Call) -> str:
    """`service:Operation` as policies spell it."""
    actions = row(call.service).get("actions", {})
    action = actions.get(call.operation) or actions.get("*", call.operation)
    return f"{prefix_of(call.service)}:{call.model.http['method'] if action == '{method}' else action}"


def action_on(arn: str, name: str) -> str | None:
    """An action by its name; of "*:NAME" that action of the ARN's service which is called so, None where none is."""
    if not name.startswith("*:"):
        return name
    service, called = service_data.service(arn.split(":")[2]), re.compile(name.removeprefix("*:"))
    actions = (f"{service.prefix}:{each.name}" for each in service.actions.values()) if service else ()
    return next((action for action in actions if called.fullmatch(action.partition(":")[2])), None)


def calls_within(call: Call, account: str) -> Iterator[Call]:
    """The calls that a service makes for its caller, one for each set of values that their members have."""
    for name, members in row(call.service).get("within", {}).get(call.operation, {}).items():
        service, operation = name.split(":")
        for values in product(*(as_list(look_up(path, call, account)) for path in members.values())):
            parameters = dict(zip(members, values, strict=True))
            yield replace(call, service=service, operation=operation, parameters=parameters)


def passed_on(call: Call, account: str) -> str | None:
    """How a service tells that it may not make a call for its caller; None: in the other service's words."""
    return next(_texts_by(row(call.service).get("passed_on", "{null}"), call, account), None)


def with_inner(call: Call) -> Call:
    """A call with those members, too, that its members have and that count as its own."""
    inner = [search(path, call.parameters) or {} for path in row(call.service).get("inner", ())]
    return replace(call, parameters=ChainMap(dict(call.parameters), *inner)) if inner else call


def label(call: Call) -> str | None:
    """What the service's texts call the resource, if that is not its ARN."""
    return next(values_at(row(call.service).get("label", "null"), call.parameters), None)


def resources_of(call: Call, action: str, account: str) -> list[str]:
    """The ARNs of what a call acts on, `account` being the caller's; "*" for what has none."""
    facts = row(call.service)
    owner = str(call.parameters.get(facts.get("owner", ""), ""))
    if re.fullmatch(r"\d{12}", owner):  # says that, and names no resource
        account, parameters = owner, {**call.parameters, facts["owner"]: None}
        call = replace(call, parameters=parameters)
    forms = forms_of(action)
    listing = not forms and call.operation.startswith(("List", "Describe", "Get"))  # its members are no names
    if not forms and facts.get("none") == "kind" and facts.get("pattern", True):
        forms = tuple(form for form in every_form(prefix_of(call.service)) if form.is_of(call.operation))
    arns = arns_from_table(call, action, account)
    arns = arns or list(_by_reference(() if listing else forms, call, account))
    return [of_aws(arn, call.service) for arn in dict.fromkeys(arns)] or [_wildcard(forms, call, account)]


def arns_from_table(call: Call, action: str, account: str) -> list[str]:
    """The ARNs of a call's resources that the table itself writes."""
    templates = row(call.service).get("resources", {})
    ordinary = templates.get("*", ()) if forms_of(action) or reference_of(action) is None else ()
    fitting = templates.get(call.operation) or templates.get("**") or ordinary
    return [arn for template in fitting for arn in fill(template, call, account)]


def _wildcard(forms: tuple[Form, ...], call: Call, account: str) -> str:
    """What stands for the resources a call does not name."""
    facts, action = row(call.service), reference_of(action_of(call))
    needed = action.required_types if action else ()
    fitting = (form for form in forms if form.is_of(call.operation) or form.kind in needed)
    if facts.get("pattern", True) and (form := next(fitting, None)):
        return _PLACEHOLDER.sub(lambda name: _everywhere(call, account).get(name[1], "*"), form.text)
    return f"arn:aws:{prefix_of(call.service)}:{call.region}:{account}:*" if facts.get("none") == "arn" else "*"


def of_aws(arn: str, service: str) -> str:
    """The ARN without an account where the resource is AWS's own."""
    owned, parts = row(service).get("owned"), arn.split(":", 5)
    if owned and len(parts) == 6 and re.match(owned, parts[5]):
        parts[4] = ""
    return ":".join(parts)


# -- ARNs that the table writes --------------------------------------------------------------------------------------


def fill(template: str, call: Call, account: str) -> Iterator[str]:
    """The ARNs of a template of the table; none where one of its gaps stays empty."""
    for text in _texts_by(template, call, account):
        whole = text.startswith(("arn:", "+")) or text.isdigit()  # a telephone number is what SNS says it is
        yield text if whole else f"arn:aws:{prefix_of(call.service)}:{call.region}:{account}:{text}"


def _texts_by(template: str, call: Call, account: str) -> Iterator[str]:
    builtin = _builtin(call, account)
    if "path}" in template:
        path = call.path.removeprefix("/v2")
        builtin |= {"path": path, "encoded_path": path.replace("/", "%2F")}
    head, *rest = _pieces(template)
    choices = [list(_first(gap, call.parameters, builtin)) for gap in rest[::2]]
    for values in product(*choices):
        yield head + "".join(f"{value}{piece}" for value, piece in zip(values, rest[1::2], strict=True))


def look_up(path: str, call: Call, account: str) -> Any:
    """What the table says a value is: the ARNs of a template or of a type of resources ("arn of cluster"), what names
    are resolved as, or what a JMESPath finds."""
    of_kind = path.startswith("arn of ")
    if of_kind or "{" in path:
        arns = list(_arns_of_kind(path[7:], call, account) if of_kind else fill(path, call, account))
        return arns[0] if len(arns) == 1 else arns or None
    if " as " in path:
        return list(_first(path, call.parameters, _builtin(call, account)))
    return search(path, call.parameters)


def _builtin(call: Call, account: str) -> dict[str, str]:
    return {"region": call.region, "account": account, "operation": call.operation}


@cache
def _pieces(template: str) -> list[str]:
    """The text before the first gap, the gap, the text behind it, and so on."""
    return _GAP.split(template)


@cache
def _alternatives(gap: str) -> tuple[str | None, list[tuple[str, str]]]:
    """The paths of a gap, each with what the values there are names of; ":" or "/…/" before one that may be missing."""
    prefix = None
    if gap.startswith((":", "/")):
        prefix, gap = re.split(r"(?<=[:/])(?=\w+$)", gap)
    return prefix, [path.partition(" as ")[::2] for path in gap.split(" | ")]


def _first(gap: str, parameters: Any, builtin: Mapping[str, str]) -> Iterator[str]:
    """The values of the first alternative that has any."""
    prefix, alternatives = _alternatives(gap)
    for path, kind in alternatives:
        values = [builtin[path]] if path in builtin else list(values_at(path, parameters))
        if kind:
            place = builtin["region"], builtin["account"]
            values = [arn for value in values for arn in as_list(_RESOLVE[kind](value, *place))]
        if values:
            yield from (f"{prefix}{value}" for value in values) if prefix else values
            return
    if prefix:
        yield ""


def key_of(name: str, region: str, account: str) -> str:
    """A key of KMS by its ID, ARN or alias, there or not."""
    plain = name if name.startswith("alias/") else f"key/{name}"
    missing = name if name.startswith("arn:") else f"arn:aws:kms:{region}:{account}:{plain}"
    return keys.arn_of(name, region, account) or missing


def _secret(name: str, region: str, account: str) -> str:
    """The six characters of a secret that does not exist yet are asked about as `??????` (a choice)."""
    missing = name if name.startswith("arn:") else f"arn:aws:secretsmanager:{region}:{account}:secret:{name}-??????"
    return resources.secret_arn(name, region, account) or missing


def _of_iam(kind: str) -> Callable[[str, str, str], str]:
    return lambda name, _, account: iam_entities.arn_of(kind, name, account)


_RESOLVE: Mapping[str, Callable[[str, str, str], str | list[str] | None]] = {
    "key": key_of,
    "known-key": keys.arn_of,
    "grant": keys.of_grant,
    "ciphertext": lambda blob, region, _: keys.of_ciphertext(blob.encode("utf-8"), region),
    "secret": _secret,
    "every-secret": lambda _, *place: resources.secret_arns(*place),
    "user": _of_iam("user"),
    "group": _of_iam("group"),
    "role": _of_iam("role"),
    "instance-profile": _of_iam("instance-profile"),
    "security-group": resources.security_group_id,
    "vpc": resources.vpc_of_subnet,
    "launch-template": lambda name, *place: resources.launch_template({"LaunchTemplateName": name}, *place)[0],
}


def values_at(path: str, parameters: Any) -> Iterator[str]:
    """What a JMESPath finds in a call's parameters as texts; after `~` follows what of them is wanted."""
    expression, _, pattern = path.partition("~")
    for text in _texts(search(expression, parameters)):
        match = re.search(pattern, text) if pattern else None
        if match or not pattern:
            yield match[0] if match else text


def search(path: str, parameters: Any) -> Any:
    """What a JMESPath finds; names alone are looked up without it, which takes a fourth of the time."""
    if not path.replace(".", "").isidentifier():
        return _compile(path).search(parameters, _OPTIONS)
    for name in path.split("."):
        parameters = parameters.get(name) if hasattr(parameters, "get") else None
    return parameters


class _Functions(jmespath.functions.Functions):  # type: ignore[misc]
    @jmespath.functions.signature({"types": ["string", "null"]})  # type: ignore[untyped-decorator]
    def _func_from_json(self, text: str | None) -> Any:
        """`from_json(member)`: what a document in a member says; nothing where it is none."""
        with suppress(ValueError):
            return json.loads(text or "null")


_compile, _OPTIONS = cache(jmespath.compile), jmespath.Options(custom_functions=_Functions())


# -- ARNs by the reference -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Form:
    """The ARN of a resource type: its text, its own placeholders, and the pattern of such ARNs."""

    kind: str
    text: str
    placeholders: tuple[str, ...]
    pattern: re.Pattern[str]
    condition_keys: tuple[str, ...]

    def is_of(self, operation: str) -> bool:
        """Whether an operation is named for this type of resources: DescribeDBClusters for `cluster`."""
        names = {self.kind} | ({self.placeholders[0]} if len(self.placeholders) == 1 else set())
        return any(_stem(operation).endswith(_stem(name)) for name in names)

    @property
    def family(self) -> str:
        """The ARN up to the first name in it: of a table and its index the index says more."""
        return self.text.partition(f"${{{self.placeholders[0]}}}")[0] if self.placeholders else self.text


@cache
def reference_of(action: str) -> service_data.Action | None:
    """What the reference says of an action ("ec2:RunInstances")."""
    prefix, _, name = action.partition(":")
    service = service_data.service(prefix.lower())
    return service.actions.get(name.lower()) if service else None


@cache
def forms_of(action: str) -> tuple[Form, ...]:
    """The resource types of an action: first what it is named for, then what it needs, then what says most."""
    service, reference = service_data.service(action.partition(":")[0].lower()), reference_of(action)
    if service is None or reference is None:
        return ()
    forms = [_form(service.resource_types[kind]) for kind in reference.resource_types]
    order = {form: (not form.is_of(action), form.kind not in reference.required_types) for form in forms}
    return tuple(sorted(forms, key=lambda form: (*order[form], -len(form.placeholders))))


@cache
def every_form(prefix: str) -> tuple[Form, ...]:
    service = service_data.service(prefix.lower())
    return tuple(_form(kind) for kind in service.resource_types.values()) if service else ()


@cache
def _form(kind: service_data.ResourceType) -> Form:
    names = tuple(name for name in _PLACEHOLDER.findall(kind.arn) if name not in _EVERYWHERE)
    pattern = "".join(
        re.escape(piece) if index % 2 == 0 else ("[^:]*" if piece in _EVERYWHERE else ".+")
        for index, piece in enumerate(_PLACEHOLDER.split(kind.arn))
    )
    return Form(kind.name, kind.arn, names, re.compile(pattern), kind.condition_keys)


def _by_reference(forms: tuple[Form, ...], call: Call, account: str) -> Iterator[str]:
    """The ARNs a call names, and those that its other members fill; of one family the form that says most."""
    texts = [text for value in call.parameters.values() for text in _texts(value) if text.startswith("arn:")]
    named = {text: form for text in texts for form in forms if form.pattern.fullmatch(text)}
    parameters = {member: value for member, value in call.parameters.items() if not named.keys() & set(_texts(value))}
    main = next((form for form in forms if form.is_of(call.operation)), forms[0] if len(forms) == 1 else None)
    arns = {form: [arn for arn in named if named[arn] is form] for form in forms}
    done = {form.family for form in named.values()}
    for form in sorted(forms, key=lambda form: -len(form.placeholders)):
        if form.family in done or (named and not form.placeholders):
            continue
        if arns_of_form := list(_fill_form(form, call, account, parameters, main=form is main)):
            done.add(form.family)
            arns[form] += arns_of_form
    for form in set(named.values()):  # an ARN, and beside it a name: who knows which of the two is acted upon?
        arns[form] += [arn for arn in _fill_form(form, call, account, parameters, main=False) if arn not in arns[form]]
    ends = {} if "Tag" in call.operation else row(call.service).get("ends", {})
    for form in sorted(forms, key=lambda form: (bool(form.placeholders), form is not main, len(form.placeholders))):
        end = ends.get(form.kind, "")
        yield from (f"{arn.removesuffix(':*')}{end}" if end else arn for arn in arns[form])


def _fill_form(form: Form, call: Call, account: str, parameters: Mapping[str, Any], *, main: bool) -> Iterator[str]:
    """The form's ARNs; of what the call is about, `*` stands for what is not known of it."""
    choices = [list(_values(form, name, call, parameters, main=main)) for name in form.placeholders]
    if not all(choices):
        if not (main and any(choices) and row(call.service).get("pattern", True)):
            return
        choices = [values or ["*"] for values in choices]
    for values in product(*choices):
        owners = [account_of(text) for text in values if text.split(":")[2:3] == form.text.split(":")[2:3]]
        names = {
            **_everywhere(call, next(filter(None, owners), account)),
            **dict(zip(form.placeholders, map(_plain, values), strict=True)),
        }
        yield _PLACEHOLDER.sub(lambda name, names=names: names[name[1]], form.text)  # type: ignore[misc]


def _arns_of_kind(kind: str, call: Call, account: str) -> Iterator[str]:
    """The ARNs of the resources of a type that a call names: `ecs:cluster` is one, where the call has a name."""
    service = service_data.service(prefix_of(call.service).lower())
    assert service is not None, call.service
    return _fill_form(_form(service.resource_types[kind]), call, account, call.parameters, main=False)


def _everywhere(call: Call, account: str) -> dict[str, str]:
    return {"Partition": "aws", "Region": call.region, "Account": account}


def _values(form: Form, placeholder: str, call: Call, parameters: Mapping[str, Any], *, main: bool) -> Iterator[str]:
    """What a call's members say of a placeholder."""
    members = row(call.service).get("members", {})
    for path in members.get(f"{form.kind}.{placeholder}") or members.get(placeholder, ()):
        if values := list(_first(path, parameters, {})):
            yield from values
            return
    stems = {_stem(placeholder)} | ({_stem(form.kind)} if len(form.placeholders) == 1 else set())
    bare = {"name", "id"} if main and placeholder == form.placeholders[-1] else set()
    for member, value in parameters.items():
        if _stem(member) in stems or member.lower() in bare:
            yield from _texts(value)
            return
    for member, value in parameters.items() if bare else ():  # SourceDBSnapshotIdentifier, RuleName of a rule
        pairs = [sorted((_stem(member), name), key=len) for name in stems]
        if any(len(shorter) > 3 and longer.endswith(shorter) for shorter, longer in pairs):
            yield from _texts(value)


def _texts(value: Any) -> list[str]:
    if isinstance(value, bool) or value in (None, ""):
        return []
    if isinstance(value, str | int | bytes):
        return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []


def _plain(text: str) -> str:
    """A name, from an ARN or URL that ends with it."""
    if text.startswith("arn:"):
        return re.split("[:/]", text)[-1]
    return unquote(text.rstrip("/").rpartition("/")[2]) if text.startswith("https://") else text


def letters(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


@cache
def _stem(name: str) -> str:
    low = letters(name)
    return next((low[: -len(end)] for end in _SUFFIXES if low.endswith(end) and len(low) > len(end) + 1), low)
