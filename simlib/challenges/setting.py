"""A challenge's world, made by real calls, and the people in it, who act by steps.

A step is `[WHO, "service.operation", {parameters}, KEEP]`, as boto3 has them. WHO is a user who holds a key, an account
(its administrator), what an earlier step has kept, `SERVICE as ROLE` where the role trusts the service, or `nobody`.
KEEP is a name for the credentials in the answer, for the machine it has started, or `name = a.path.in.the.answer`,
which fills the gap `{name}` from then on. A text in place of a step lets time pass, `"3 hours"` or until the next time
of day, `"at 09:30"`, UTC, or says where the next ones come from, `"from 198.51.100.66"`.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import boto3
import jmespath
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from simlib.challenges.challenge import ChallengeFileError
from simlib.challenges.seeds import GAP, filled
from simlib.challenges.statements import policy
from simlib.cloud import Cloud
from simlib.cloud.credentials.issuer import GITHUB

HOME = "203.0.113.10"
_TOKEN = re.compile(r"\{token:([^{}]+)\}")
_POLICIES = ("PolicyDocument", "AssumeRolePolicyDocument", "Policy", "Content")
_PAUSE = re.compile(r"(\d+) (minute|hour|day)s?")
_MOMENT = re.compile(r"at (\d\d):(\d\d)")

Step = list[Any] | str


class Refused(Exception):
    """A step that did not succeed: which, and what AWS said."""

    def __init__(self, step: Step, error: Exception) -> None:
        super().__init__(f"{told(step)}: {error}")
        self.step, self.error = step, error


@dataclass
class Setting:
    """A world with the people of a challenge in it; `values` fill the gaps of its file. `start` is when play began."""

    world: Cloud
    values: dict[str, str]
    people: dict[str, Any] = field(default_factory=dict, repr=False)
    tokens: tuple[str, ...] = ()  # what the subjects begin with for which somebody here gets a token
    start: int = 0
    clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)  # made once for each key

    def copy(self) -> Setting:
        """For a rehearsal: what is kept there is forgotten with it."""
        return Setting(self.world, dict(self.values), dict(self.people), self.tokens, self.start, self.clients)

    # -- acting --------------------------------------------------------------------------------------------------------

    def perform(self, steps: Iterable[Step]) -> list[Any]:
        """Make the calls one after the other and return the answers. Raises `Refused` at the first that AWS refuses."""
        answers = []
        for step in steps:
            if isinstance(step, str):
                self._pass(step)
                continue
            try:
                answers.append(self._call(*step))
            except (ClientError, BotoCoreError, LookupError) as error:
                raise Refused(step, error) from error
        return answers

    def _pass(self, text: str) -> None:
        if pause := _PAUSE.fullmatch(text):
            self.world.clock.advance(**{f"{pause[2]}s": int(pause[1])})
        elif moment := _MOMENT.fullmatch(text):
            now = self.world.clock.now
            then = now.replace(hour=int(moment[1]), minute=int(moment[2]), second=0, microsecond=0)
            self.world.clock.advance(seconds=(then - now).total_seconds() % 86_400)
        elif text.startswith("from "):
            self.world.source_ip = filled(text.removeprefix("from "), self.values)
        else:
            raise ChallengeFileError(f'{text!r} is no step: write a call, "3 hours", "at 09:30", or "from 192.0.2.1".')

    def _call(self, who: str, call: str, parameters: Mapping[str, Any] | None = None, keep: str = "") -> Any:
        service, _, operation = call.partition(".")
        method = getattr(self._client(filled(who, self.values), service), operation, None)
        if method is None:
            raise ChallengeFileError(f"{call!r} is no call of boto3. Write it as `s3.get_object`.")
        answer = _plain(method(**self._arguments(parameters or {}, _kind(service, operation))))
        if keep:
            self._keep(keep, answer)
        return answer

    def _client(self, who: str, service: str) -> Any:
        if who == "nobody":
            anybody = self.world.accounts[0].admin
            return anybody.client(service, config=Config(signature_version=UNSIGNED))
        someone = self.identity(who)
        key = (getattr(someone, "access_key_id", ""), service)
        if key not in self.clients or not key[0]:
            self.clients[key] = someone.client(service)
        return self.clients[key]

    def identity(self, who: str) -> Any:
        """Whoever acts under that name. Raises `ChallengeFileError` where there is nobody, `LookupError` if no more."""
        if who in self.people:
            return self.people[who]
        if who in self.values and re.fullmatch(r"\d{12}", self.values[who]):
            return next(each.admin for each in self.world.accounts if each.id == self.values[who])
        service, _, role = who.rpartition(" as ")
        if service:
            return self._at_work(service, role)
        known = ", ".join([*self.people, *(each.name for each in self.world.accounts)])
        raise ChallengeFileError(f"Nobody acts under the name {who!r} here; there are {known}, or SERVICE as ROLE.")

    def _at_work(self, service: str, role: str) -> Any:
        """A session of a role that a service works with; it gets none where the trust policy is against it."""
        roles = (each.arn for each in self.world.inspect.principals() if each.kind == "role" and each.name == role)
        if (arn := next(roles, None)) is None:
            raise LookupError(f"there is no role {role}")
        if not self.world.inspect.ask(service, "sts:AssumeRole", arn).allowed:
            raise LookupError(f"{service} may not assume {role}")
        return boto3.Session(*self.world.inspect.credentials(arn), region_name="us-east-1")

    def _arguments(self, parameters: Mapping[str, Any], kind: str) -> dict[str, Any]:
        now = {"now": f"{self.world.clock.now:%Y-%m-%dT%H:%M:%SZ}"}
        known = filled(parameters, self.values | now)
        return {
            name: policy(value, kind)
            if name in _POLICIES and not str(value).startswith('{"')
            else self._argument(value)
            for name, value in known.items()
        }

    def _argument(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {each: self._argument(inner) for each, inner in value.items()}
        if isinstance(value, list):
            return [self._argument(inner) for inner in value]
        if not isinstance(value, str):
            return value
        if value.startswith("zip:"):
            return code(value.removeprefix("zip:"))
        value = _TOKEN.sub(lambda found: self.token(found[1]), value)
        if gap := GAP.search(value):
            raise ChallengeFileError(f"Nothing fills the gap {gap[0]}; there are {', '.join(self.values)}.")
        return value

    def token(self, subject: str) -> str:
        """A token of GitHub's for a subject; only for one of the repositories that somebody here writes to."""
        if not subject.startswith(self.tokens):
            ours = " or ".join(self.tokens) or "none"
            raise LookupError(f"GitHub gives out no token for {subject!r} here. Subjects of ours begin with {ours}.")
        return self.world.oidc_provider().token(subject)

    def _keep(self, keep: str, answer: Any) -> None:
        name, equals, path = keep.partition(" = ")
        if equals:
            self.values[name] = str(jmespath.search(path, answer))
        elif isinstance(answer, Mapping) and "Instances" in answer:
            self.people[name] = self.world.instance(answer["Instances"][0]["InstanceId"]).session
        else:
            self.people[name] = self.world.sign_in(answer)


def _kind(service: str, operation: str) -> str:
    """What kind of policy a call takes."""
    if service == "organizations":
        return "scp"
    if operation in ("create_role", "update_assume_role_policy"):
        return "trust"
    return "identity" if service in ("iam", "sts") else "resource"


def told(step: Step) -> str:
    """A step in a line: "mira: sts.assume_role RoleArn=…"."""
    if isinstance(step, str):
        return step
    parameters = step[2] if len(step) > 2 else {}
    return f"{step[0]}: {step[1]} {', '.join(f'{name}={value}' for name, value in parameters.items())}".strip()


def code(source: str) -> bytes:
    """A function's code as Lambda takes it: a zip file with `index.py`."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", source)
    return archive.getvalue()


def _plain(answer: Any) -> Any:
    """An answer whose streams are read; what is JSON in them is taken as that."""
    for name in {"Body", "Payload"} & set(answer or ()):
        answer[name] = answer[name].read().decode(errors="replace")
        with suppress(ValueError):
            answer[name] = json.loads(answer[name])
    return answer


# -- making the world --------------------------------------------------------------------------------------------------


def build(variant: Mapping[str, Any]) -> Setting:
    """Start a fresh world as a seeded file describes it. Raises `ChallengeFileError` where AWS would not have it so."""
    world = Cloud.start()
    setting = Setting(world, dict(variant["values"]), tokens=tuple(variant.get("tokens", ())))
    try:
        lay_out_accounts(setting, variant)
        for step in variant.get("history", ()):
            scripts = variant["keep"].values() if step == "everybody works" else [[step]]
            for script in scripts:
                setting.perform(script)
    except Refused as refused:
        raise ChallengeFileError(f"While its world was made, AWS refused {refused}") from refused
    except (ClientError, BotoCoreError) as error:
        raise ChallengeFileError(f"While its world was made, AWS said: {error}") from error
    world.source_ip = HOME
    setting.start = world.trail.total
    return setting


def lay_out_accounts(setting: Setting, variant: Mapping[str, Any]) -> None:
    """The accounts of a file, with who and what is in them."""
    world, accounts = setting.world, variant["accounts"]
    organization = variant.get("organization", {})
    office = organization.get("manager")
    for account, content in accounts.items():
        made = world.account(content.get("name", account))
        if account == office:
            made.admin.client("organizations").create_organization()
    for account, content in accounts.items():
        if office and account != office and account in organization.get("members", ()):
            manager = world.account(accounts[office].get("name", office))
            world.account(content.get("name", account), organization=manager)
    for account, content in accounts.items():
        iam = setting.identity(account).client("iam")
        if content.get("github"):
            iam.create_open_id_connect_provider(Url=GITHUB, ClientIDList=["sts.amazonaws.com"])
        for name, lines in content.get("policies", {}).items():
            iam.create_policy(PolicyName=name, PolicyDocument=policy(lines))
        for kind in ("group", "user", "role"):
            for name, facts in content.get(f"{kind}s", {}).items():
                _identity(setting, iam, setting.values[account], kind, name, facts)
    for account, content in accounts.items():
        admin = setting.identity(account)
        for role, facts in content.get("roles", {}).items():  # whom it names is there by now
            admin.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=policy(facts["trust"], "trust"))
        for bucket, facts in content.get("buckets", {}).items():
            _bucket(admin.client("s3"), bucket, facts)
        setting.perform([account, *call] for call in content.get("calls", ()))
    if office:
        _guard_rails(setting, office, organization)


def _identity(setting: Setting, iam: Any, number: str, kind: str, name: str, facts: Mapping[str, Any]) -> None:
    """A group, user or role with its policies; a user's key is held by somebody of that name."""
    of = {f"{kind.title()}Name": name}
    more: dict[str, Any] = {"Path": facts.get("path", "/")}
    if kind == "role":
        nobody = policy("Allow sts:AssumeRole for ec2.amazonaws.com", "trust")
        more |= {"AssumeRolePolicyDocument": nobody, "MaxSessionDuration": 3600 * facts.get("hours", 1)}
    if "tags" in facts:
        more["Tags"] = [{"Key": key, "Value": value} for key, value in facts["tags"].items()]
    if "boundary" in facts:
        more["PermissionsBoundary"] = f"arn:aws:iam::{number}:policy/{facts['boundary']}"
    getattr(iam, f"create_{kind}")(**of, **more)
    own = {name: facts["policy"]} if "policy" in facts else {}
    for title, lines in {**own, **facts.get("policies", {})}.items():
        getattr(iam, f"put_{kind}_policy")(**of, PolicyName=title, PolicyDocument=policy(lines))
    for attached in facts.get("attach", ()):
        arn = attached if attached.startswith("arn:") else f"arn:aws:iam::{number}:policy/{attached}"
        getattr(iam, f"attach_{kind}_policy")(**of, PolicyArn=arn)
    for group in facts.get("groups", ()):
        iam.add_user_to_group(GroupName=group, UserName=name)
    if facts.get("profile"):
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    if facts.get("key"):
        setting.people[name] = setting.world.sign_in(iam.create_access_key(UserName=name))


def _bucket(s3: Any, name: str, facts: Mapping[str, Any]) -> None:
    s3.create_bucket(Bucket=name)
    for key, text in facts.get("files", {}).items():
        s3.put_object(Bucket=name, Key=key, Body=text.encode())
    if facts.get("public"):
        s3.delete_public_access_block(Bucket=name)
    if "policy" in facts:
        s3.put_bucket_policy(Bucket=name, Policy=policy(facts["policy"], "resource"))


def _guard_rails(setting: Setting, office: str, organization: Mapping[str, Any]) -> None:
    """Units with their accounts, and SCPs and RCPs at the root, at units and at accounts."""
    client = setting.identity(office).client("organizations")
    root = client.list_roots()["Roots"][0]["Id"]
    places = {"root": root, **setting.values}
    for unit, members in organization.get("units", {}).items():
        made = client.create_organizational_unit(ParentId=root, Name=unit)["OrganizationalUnit"]["Id"]
        places[unit] = made
        for member in members:
            client.move_account(AccountId=setting.values[member], SourceParentId=root, DestinationParentId=made)
    for kind, name in (("scp", "SERVICE_CONTROL_POLICY"), ("rcp", "RESOURCE_CONTROL_POLICY")):
        if kind == "rcp" and kind in organization:  # SCPs are enabled from the start
            client.enable_policy_type(RootId=root, PolicyType=name)
        for place, lines in organization.get(kind, {}).items():
            made = client.create_policy(Name=f"{kind}-{place}", Description="", Type=name, Content=policy(lines, kind))
            client.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=places[place])


@contextmanager
def rehearsal(setting: Setting) -> Iterator[Setting]:
    """A copy to act in, of which nothing is left afterwards."""
    where = setting.world.source_ip
    try:
        with setting.world.rehearsal():
            yield setting.copy()
    finally:
        setting.world.source_ip = where
