"""Ways to power: who can become more than they are, by which permissions, decided by the engine and really walked.

`find(cloud)` looks for every row of `escalation.toml` in a world, such as a dump of an account that `Cloud.load` has
opened; boundaries, SCPs, conditions and denies count, for the gate's own decision is what counts. `walk(cloud, way)`
then performs the calls in a rehearsal, which leaves no trace, and says whether they led where they should.
"""

from __future__ import annotations

import io
import json
import re
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.cloud.inspection import Place
from simlib.cloud.storage import iam_entities, resources
from simlib.cloud.storage.stored import parsed
from simlib.iam import service_data
from simlib.iam.partial import possible

if TYPE_CHECKING:
    from simlib.cloud import Cloud
    from simlib.iam import Evaluation

ROWS: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
REGION = "us-east-1"
#: What somebody with any permission can do, and how that is shown: action, resource, client, method.
PROOFS = (
    ("iam:ListUsers", "arn:aws:iam::{account}:user/", "iam", "list_users"),
    ("s3:ListAllMyBuckets", "*", "s3", "list_buckets"),
    ("ec2:DescribeInstances", "*", "ec2", "describe_instances"),
    ("kms:ListKeys", "*", "kms", "list_keys"),
    ("secretsmanager:ListSecrets", "*", "secretsmanager", "list_secrets"),
    ("dynamodb:ListTables", "*", "dynamodb", "list_tables"),
)
_CODE = "import boto3\n\n\ndef handler(event, context):\n    return boto3.client('sts').get_caller_identity()['Arn']\n"


@dataclass(frozen=True, repr=False)
class Way:
    """One way to power.

    `id`: the row; `principal`: the ARN of who has it; `target`: the ARN of the user, role or group whose permissions
    are gained, or through whom any permission is; `policy` and `thing`: the managed policy that is rewritten, the
    function or instance that is used, "" where there is none. `asks`: every action, with the resource it was allowed
    on. `assumed`: what else has to be so: conditions to meet, and what the world does not hold.
    """

    id: str
    principal: str
    target: str
    policy: str
    thing: str
    asks: tuple[tuple[str, str], ...]
    assumed: str = ""

    @property
    def gains(self) -> str:
        """``any``: any permission, as far as boundary and SCPs let it; ``target``: what the target may do."""
        return str(ROWS[self.id]["gains"])

    def __repr__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        """Who does what, by which actions."""
        names = {"target": Name(self.target), "policy": Name(self.policy), "thing": self.thing or "something"}
        asks = ", ".join(dict.fromkeys(action for action, _ in self.asks))
        also = f"; {self.assumed}" if self.assumed else ""
        who = f"{_name(self.principal)} of account {_account(self.principal)}"
        return f"{who} {ROWS[self.id]['title'].format(**names)} ({asks}){also}"


class Walk(NamedTuple):
    """What came of performing a way: whether it led to the gain, and where it did not, why."""

    done: bool
    reason: str
    calls: tuple[str, ...]

    def __repr__(self) -> str:
        outcome = f"Walked: {self.reason}." if self.done else f"Not walked: {self.reason}."
        return f"{outcome} Calls: {', '.join(self.calls) or 'none'}."


class Name(str):
    """An ARN; its last part is its `name`."""

    @property
    def name(self) -> str:
        return _name(self)


def _name(arn: str) -> str:
    return arn.rpartition("/" if "/" in arn else ":")[2]


def find(cloud: Cloud, only: Iterable[str] = ()) -> list[Way]:
    """Every way of every user and role of a world; `only`: of these ARNs. Administrators have none left to go."""
    finder, wanted = _Finder(cloud), set(only)
    people = [each for each in finder.identities.values() if each.kind in ("user", "role")]
    return [way for each in people if not wanted or each.arn in wanted for way in finder.ways(each)]


def escalations(cloud: Cloud) -> list[Way]:
    """Every way but plain assuming, which trust policies are there for."""
    return [way for way in find(cloud) if way.id != "sts-001"]


class _Identity:
    """A user, role or group with its policies, read once."""

    def __init__(self, arn: str, kind: str, account: str, texts: Mapping[Place, str]) -> None:
        self.arn, self.kind, self.account, self.texts = arn, kind, account, texts

    @cached_property
    def allows(self) -> list[Any]:
        policies = [parsed(text, "identity", "") for place, text in self.texts.items() if place.kind == "identity"]
        return [each for policy in policies for each in policy.statements if each.effect == "Allow"]

    def could(self, action: str, resource: str = "") -> bool:
        """Whether some Allow speaks of the action and the resource; conditions and denies are left to the decision."""
        low = action.lower()
        covering = [each for each in self.allows if each.actions.matches(low, {}) is not each.not_action]
        if not resource:
            return bool(covering)
        resources = [(each.resources, each.not_resource) for each in covering]
        return any(
            texts is None or texts.variables or texts.matches(resource, {}) is not excepted
            for texts, excepted in resources
        )

    @property
    def trusted(self) -> set[str]:
        """Whom the trust policy may let in, as it names them; ``*`` where it names whom it does not let in."""
        policies = [parsed(text, "trust", "") for place, text in self.texts.items() if place.kind == "trust"]
        allows = [each for policy in policies for each in policy.statements if each.effect == "Allow"]
        names = {
            name for each in allows if each.principals for listed in each.principals.names.values() for name in listed
        }
        return names | {"*" for each in allows if each.principals and each.principals.everyone}


class _Finder:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.look = cloud, cloud.inspect
        self.identities: dict[str, _Identity] = {}
        self.trusts: dict[tuple[str, str], bool] = {}
        for each in self.look.principals():
            if each.kind in ("user", "role"):
                texts = {document.place: document.text for document in self.look.documents(each.arn)}
                self.identities[each.arn] = _Identity(each.arn, each.kind, each.account, texts)
        self.things = [(arn, role) for arn in self.look.resources() if (role := _runs_as(cloud, arn))]
        self.groups = {
            group.arn: frozenset(user.arn for user in group.users)
            for account in {each.account for each in self.identities.values()}
            for group in iam_entities.backend(account).groups.values()
        }
        self.by_account: dict[str, list[_Identity]] = {}
        for identity in self.identities.values():
            self.by_account.setdefault(identity.account, []).append(identity)
        self.trusting: dict[str, list[_Identity]] = {}  # by a name in trust policies
        for identity in self.identities.values():
            for name in identity.trusted:
                session = re.fullmatch(r"arn:aws:sts::(\d+):assumed-role/([^/]+)/.*", name)
                self.trusting.setdefault(":".join(session.groups()) if session else name, []).append(identity)

    def allowed(self, who: str, action: str, resource: str, instead: Any = MappingProxyType({})) -> bool:
        return self.look.ask(who, action, resource, instead=instead).allowed

    def ways(self, caller: _Identity) -> Iterator[Way]:
        lacking = self.lacks(caller.arn, caller.account)
        if not lacking:
            return
        for name, row in ROWS.items():
            actions = [ask.partition(" ")[0] for ask in row["asks"]]
            # who a trust policy names needs no permission of its own to assume the role
            if name != "sts-001" and not all(caller.could(action) for action in actions):
                continue
            for target, policy, thing, assumed in self._targets(caller, row):
                asks = tuple(_asks(row, caller, target, policy, thing))
                allowance = self._allowance(caller, row, asks, target)
                if allowance is not None and self._is_gain(caller, row, target, lacking):
                    also = "; ".join(filter(None, (allowance, assumed)))
                    yield Way(name, caller.arn, target, policy, thing, asks, also)

    def lacks(self, arn: str, account: str) -> list[tuple[str, str, str, str]]:
        """The proofs that somebody does not have yet; an administrator has them all."""
        return [proof for proof in PROOFS if not self.allowed(arn, proof[0], proof[1].format(account=account))]

    def _targets(self, caller: _Identity, row: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
        """Whom or what a row could be about: target, policy, thing, and what would have to be there."""
        on, service = row["on"], row.get("service", "")
        if on == "self" and caller.kind == row["who"]:
            yield caller.arn, "", "", ""
        elif on == "policy":
            yield from ((caller.arn, policy, "", "") for policy in _managed(caller))
        elif on in ("group", "other group"):
            for group, users in self.groups.items():
                if (
                    _account(group) == caller.account
                    and caller.kind == "user"
                    and (caller.arn in users) is (on == "group")
                ):
                    yield group, "", "", ""
        elif on in ("user", "role", "role policy"):
            kind = on.split()[0]
            others = (
                self.by_account[caller.account] if kind == "user" or _rewrites_trust(row) else self._open_to(caller)
            )
            for each in others:
                if each.kind == kind and each is not caller and self._fits(row, each):
                    policies = _managed(each) if on == "role policy" else [""]
                    yield from ((each.arn, policy, "", "") for policy in policies)
        elif on == "passed":
            yield from (
                (each.arn, "", "", "") for each in self._trusting(caller, service) if self._fits(row, each, caller)
            )
        elif on == "running":
            known = [
                (arn, role) for arn, role in self.things if role in self.identities and _account(role) == caller.account
            ]
            for each in self._trusting(caller, service):
                things = [
                    arn for arn, role in known if role == each.arn and arn.split(":")[2] == service.partition(".")[0]
                ]
                for thing in things:
                    yield each.arn, "", thing, ""
                if not things:
                    yield each.arn, "", "", f"if there is something of {service} that runs as it"

    def _fits(self, row: Mapping[str, Any], target: _Identity, caller: _Identity | None = None) -> bool:
        """Whether the target has what a row needs of it besides permissions."""
        backend, needs = iam_entities.backend(target.account), row.get("needs")
        if needs in ("no password", "a password"):
            anybody = any(user.password for user in backend.users.values())
            return not anybody or bool(backend.users[_name(target.arn)].password) is (needs == "a password")
        if row.get("service") == "ec2.amazonaws.com" and caller is not None:
            has_profile = any(
                target.arn in [role.arn for role in each.roles] for each in backend.instance_profiles.values()
            )
            profile = f"arn:aws:iam::{target.account}:instance-profile/new"
            return has_profile or all(
                self.allowed(caller.arn, action, profile)
                for action in ("iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile")
            )
        return True

    def _open_to(self, caller: _Identity) -> list[_Identity]:
        """Roles whose trust policy names the caller, its account, or everybody."""
        sessions = f"{caller.account}:{_name(caller.arn)}"
        names = (caller.arn, caller.account, f"arn:aws:iam::{caller.account}:root", "*", sessions)
        return list({each.arn: each for name in names for each in self.trusting.get(name, ())}.values())

    def _trusting(self, caller: _Identity, service: str) -> Iterator[_Identity]:
        for each in self.trusting.get(service, ()):
            if each.account == caller.account and each is not caller:
                key = (service, each.arn)
                if key not in self.trusts:
                    self.trusts[key] = self.allowed(service, "sts:AssumeRole", each.arn)
                if self.trusts[key]:
                    yield each

    def _allowance(
        self, caller: _Identity, row: Mapping[str, Any], asks: Iterable[tuple[str, str]], target: str
    ) -> str | None:
        """None where some of it is not allowed; "" where all is, or the conditions under which it would be."""
        edited = {Place(target, "trust"): parsed(_trust(caller.arn), "trust", "")} if _rewrites_trust(row) else {}
        terms: list[str] = []
        for action, resource in [*asks, *([("sts:AssumeRole", target)] if edited else [])]:
            if action != "sts:AssumeRole" and not caller.could(action, resource):
                return None
            context = {"iam:PassedToService": row.get("service", "")} if action == "iam:PassRole" else {}
            evaluation = self.look.ask(caller.arn, action, resource, circumstances=context, instead=edited)
            if not evaluation.allowed:
                open_terms = _conditions(evaluation)
                if not open_terms:
                    return None
                terms += open_terms
        return f"if {' and '.join(dict.fromkeys(terms))}" if terms else ""

    def _is_gain(self, caller: _Identity, row: Mapping[str, Any], target: str, lacking: Iterable[Any]) -> bool:
        """Whether there is more to have: with any policy of its own, or as the target."""
        if row["gains"] != "any":
            return True
        holder = caller.arn if row["on"] in ("self", "policy", "group") else target
        more = {Place(holder, "identity", "more"): parsed(EVERYTHING, "identity", "more")}
        return any(self.allowed(holder, each[0], each[1].format(account=caller.account), more) for each in lacking)


def _rewrites_trust(row: Mapping[str, Any]) -> bool:
    return "{trust}" in str(row.get("walk"))


def _conditions(evaluation: Evaluation) -> list[str]:
    """What a refused request would have to bring along to be allowed: the shortest list of conditions."""
    alternatives = possible(evaluation.request, evaluation.policies).depends_on
    if not alternatives:
        return []
    return [
        f"{each.key} {'meets' if each.holds else 'does not meet'} {each.operator} {', '.join(each.values)}"
        for each in min(alternatives, key=len)
    ]


def _asks(row: Mapping[str, Any], caller: _Identity, target: str, policy: str, thing: str) -> Iterator[tuple[str, str]]:
    """Every action with the resource it is asked on."""
    if row["on"] == "passed":
        yield "iam:PassRole", target
    words = {"self": caller.arn, "target": target, "policy": policy, "thing": thing}
    for ask in row["asks"]:
        action, _, resource = ask.partition(" ")
        if resource and (filled := resource.format(**words)):
            yield action, filled
        else:
            yield from ((action, each) for each in _new_resources(action, caller.account))


def _new_resources(action: str, account: str) -> list[str]:
    """The ARNs of what an action makes or is done to, as far as its name is free; `*` where it takes none."""
    prefix, _, name = action.lower().partition(":")
    service = service_data.service(prefix)
    known = service.actions.get(name) if service else None
    if service is None or known is None or not known.resource_types:
        return ["*"]
    words = {"Partition": "aws", "Region": REGION, "Account": account}
    arns = []
    for kind in known.required_types or known.resource_types[:1]:
        parts = service.resource_types[kind].arn.split("${")
        filled = [words.get(part.partition("}")[0], "new") + part.partition("}")[2] for part in parts[1:]]
        arns.append(parts[0] + "".join(filled))
    return arns


def _managed(identity: _Identity) -> list[str]:
    """The managed policies of its own account that somebody has, directly or by a group."""
    owners = dict.fromkeys(place.owner for place in identity.texts if place.kind == "identity")
    return [arn for arn in owners if arn.startswith(f"arn:aws:iam::{identity.account}:policy/")]


def _account(arn: str) -> str:
    return arn.split(":")[4]


def _runs_as(cloud: Cloud, arn: str) -> str:
    """The role that an instance or a function runs as."""
    if ":instance/" in arn and (machine := cloud.instance_facts(_name(arn))):
        return machine.role.arn if machine.role and machine.running else ""
    if ":function:" in arn and (function := resources.thing_of(arn)):
        return str(function.role)
    return ""


def _trust(arn: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


# --- walking ----------------------------------------------------------------------------------------------------------


def walk(cloud: Cloud, way: Way) -> Walk:
    """Perform a way by real calls of its principal, in a rehearsal; nothing of it is left afterwards."""
    row = ROWS[way.id]
    if way.assumed:
        return Walk(False, f"it hangs on more than permissions: {way.assumed}", ())
    if "walk" not in row:
        service = row.get("service", "").partition(".")[0]
        return Walk(False, f"the lab runs nothing in {service} that would act as the role in this way", ())
    with cloud.rehearsal():
        return _Walker(cloud, way, row).walk()


class _Walker:
    def __init__(self, cloud: Cloud, way: Way, row: Mapping[str, Any]) -> None:
        self.cloud, self.way, self.row = cloud, way, row
        self.account, self.calls = _account(way.principal), list[str]()

    def walk(self) -> Walk:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            lacking = _Finder(self.cloud).lacks(self.way.principal, self.account)
            key, secret, token = self._credentials()
            session = boto3.Session(key, secret, token, region_name=REGION)
            answer: Any = {}
            for service, operation, parameters in self.row["walk"]:
                filled = self._filled(parameters)
                if None in filled.values():
                    continue
                answer = self._call(session, service, operation, filled)
            reached = self._become(session, answer)
            if reached is None:
                return Walk(True, "the password is set; the lab has no console to sign in to", tuple(self.calls))
            return self._proved(reached, lacking)
        except (ClientError, BotoCoreError, LookupError, ValueError) as error:
            return Walk(False, str(error), tuple(self.calls))

    def _credentials(self) -> tuple[str, str, str | None]:
        """Of the principal; a user without a key gets one for the rehearsal."""
        try:
            return self.cloud.inspect.credentials(self.way.principal)
        except LookupError:
            iam_entities.backend(self.account).create_access_key(_name(self.way.principal))
            return self.cloud.inspect.credentials(self.way.principal)

    def _call(self, session: Any, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        from botocore import xform_name

        self.calls.append(f"{service}:{operation}")
        return getattr(session.client(service), xform_name(operation))(**parameters)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        if not isinstance(value, str) or value.startswith('{"'):
            return value
        way = self.way
        late: dict[str, Any] = {
            "{code}": self._code,
            "{key}": self._key,
            "{profile}": self._profile,
            "{everything}": lambda: EVERYTHING,
            "{trust}": lambda: _trust(way.principal),
        }
        if value in late:
            return late[value]()
        words = {
            "self": Name(way.principal),
            "target": Name(way.target),
            "policy": Name(way.policy),
            "thing": Name(way.thing),
        }
        return value.format(**words, administrator=ADMINISTRATOR)

    def _code(self) -> bytes:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("index.py", _CODE)
        return archive.getvalue()

    def _key(self) -> str | None:
        """One of the target's access keys, where it has two."""
        keys = iam_entities.backend(self.account).users[_name(self.way.target)].access_keys
        return str(keys[0].access_key_id) if len(keys) > 1 else None

    def _profile(self) -> str:
        """The instance profile that holds the role; one is made where there is none yet."""
        backend, role = iam_entities.backend(self.account), _name(self.way.target)
        for profile in backend.instance_profiles.values():
            if self.way.target in [each.arn for each in profile.roles]:
                return str(profile.arn)
        made = backend.create_instance_profile("new", "/", [], [])
        backend.add_role_to_instance_profile("new", role)
        return str(made.arn)

    def _become(self, session: Any, answer: Any) -> Any:
        """A boto3 session of whoever has been reached, or their ARN; None where there is nothing to show it by."""
        import boto3

        match self.row.get("become", ""):
            case "key":
                return self.cloud.sign_in(answer).session
            case "assume":
                parameters = {"RoleArn": self.way.target, "RoleSessionName": "walk"}
                return self.cloud.sign_in(self._call(session, "sts", "AssumeRole", parameters)).session
            case "instance":
                return self.cloud.instance(answer["Instances"][0]["InstanceId"]).session
            case "function":
                name = _name(self.way.thing) if self.way.thing else "new"
                return json.loads(self._call(session, "lambda", "Invoke", {"FunctionName": name})["Payload"].read())
            case "console":
                return None
        return boto3.Session(*self._credentials(), region_name=REGION)

    def _proved(self, reached: Any, lacking: list[tuple[str, str, str, str]]) -> Walk:
        """Whether who was reached is the target, or can do what the principal could not."""
        if self.row["gains"] == "any":
            for action, resource, service, method in lacking:
                who = self.way.principal if not self.row.get("become") else self.way.target
                if self.cloud.inspect.ask(who, action, resource.format(account=self.account)).allowed:
                    getattr(reached.client(service), method)()
                    self.calls.append(action)
                    return Walk(True, f"{_name(who)} now may {action}", tuple(self.calls))
            return Walk(False, "nothing more is allowed afterwards", tuple(self.calls))
        if self.row["on"] == "other group":
            return Walk(True, f"is in the group {_name(self.way.target)}", tuple(self.calls))
        if self.row["on"] in ("running", "passed") and not self.row.get("become"):
            service = self.row["service"].partition(".")[0]
            reason = f"{service} has what acts as {_name(self.way.target)}; the lab goes no further there"
            return Walk(True, reason, tuple(self.calls))
        arn = reached if isinstance(reached, str) else reached.client("sts").get_caller_identity()["Arn"]
        is_target = arn == self.way.target or f":assumed-role/{_name(self.way.target)}/" in arn
        return Walk(is_target, f"calls as {arn}", tuple(self.calls))
