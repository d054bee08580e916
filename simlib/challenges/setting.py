"""A challenge's world, made by real calls, and the people in it, who act by steps.

A step is `[WHO, "service.operation", {parameters}, KEEP]`, as boto3 has them. WHO is a user who holds a key, an account
(its administrator), what an earlier step has kept, `SERVICE as ROLE` where the role trusts the service, or `nobody`.
KEEP is a name for whoever one is by the answer (`Setting.become`), or `name = a.path.in.the.answer`, which fills the
gap `{name}` from then on. A text in place of a step lets time pass, `"3 hours"` or until the next time of day,
`"at 09:30"`, UTC, or says where the next ones come from, `"from 198.51.100.66"`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import jmespath
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError, NoCredentialsError

from simlib.challenges.challenge import FORM, ChallengeFileError, did_you_mean
from simlib.challenges.seeds import GAP, fill
from simlib.challenges.statements import policy
from simlib.cloud import Cloud
from simlib.cloud.services import documents
from simlib.cloud.services.function_runtime import zip_archive

_TOKEN = re.compile(r"\{token:([^{}]+)\}")
_PAUSE = re.compile(r"(\d+) (minute|hour|day)s?")
_MOMENT = re.compile(r"at (\d\d):(\d\d)")
_STARTS = {  # the calls that start something: the one that tells of it, and its parameter that names it
    "codebuild:StartBuild": ("batch_get_projects", "names"),
    "ecs:RunTask": ("describe_task_definition", "taskDefinition"),
    "glue:StartJobRun": ("get_job", "JobName"),
    "sagemaker:CreateNotebookInstance": ("describe_notebook_instance", "NotebookInstanceName"),
}
_ITS_ROLE = "projects[0].serviceRole || taskDefinition.taskRoleArn || Job.Role || RoleArn"
_NOBODY = (LookupError, NoCredentialsError, CredentialRetrievalError)  # who one was is gone, so that nothing was called
_SHAPES = [[str, str, dict, str][:length] for length in (2, 3, 4)]  # of a call

Step = list[Any] | str


class NotYoursError(LookupError):
    """What was started runs what somebody else has written: one is not inside it."""


class Refused(Exception):
    """A step that did not succeed: which, what AWS said, and whether that was no, or something went wrong."""

    def __init__(self, step: Step, error: Exception, detail: str = "", *, denied: bool) -> None:
        super().__init__(f"{in_words(step)}: {error} {detail}".rstrip())
        self.step, self.error, self.denied = step, error, denied


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
        return replace(self, values=dict(self.values), people=dict(self.people))

    @contextmanager
    def rehearsal(self) -> Iterator[Setting]:
        """A copy to act in, of which nothing is left afterwards."""
        with self.world.rehearsal():
            yield self.copy()

    # -- acting --------------------------------------------------------------------------------------------------------

    def perform(self, steps: Iterable[Step]) -> list[Any]:
        """Make the calls one after the other and return the answers. Raises `Refused` at the first that AWS refuses."""
        answers = []
        for step in steps:
            if not isinstance(step, list) or [*map(type, step)] not in _SHAPES:
                self._pass(step)
                continue
            try:
                answers.append(self._call(*step))
            except ClientError as error:
                call = self.world.trail[-1]
                denied = call.refused and call.error_code != "NotImplemented"
                raise Refused(step, error, call.detail, denied=denied) from error
            except (BotoCoreError, LookupError) as error:
                raise Refused(step, error, denied=isinstance(error, _NOBODY)) from error
            except ValueError as error:
                raise ChallengeFileError(f"{in_words(step)}: {error}") from None
        return answers

    def _pass(self, step: Step) -> None:
        text = str(step)
        if pause := _PAUSE.fullmatch(text):
            self.world.clock.advance(**{f"{pause[2]}s": int(pause[1])})
        elif moment := _MOMENT.fullmatch(text):
            now = self.world.clock.now
            then = now.replace(hour=int(moment[1]), minute=int(moment[2]), second=0, microsecond=0)
            self.world.clock.advance(seconds=(then - now).total_seconds() % 86_400)
        elif text.startswith("from "):
            self.world.source_ip = fill(text.removeprefix("from "), self.values)
        else:
            wrong = f'{step!r} is no step. Write [WHO, "s3.get_object", {{ Bucket = … }}], '
            raise ChallengeFileError(f'{wrong}"3 hours", "at 09:30", or "from 192.0.2.1".')

    def _call(self, who: str, call: str, parameters: Mapping[str, Any] | None = None, keep: str = "") -> Any:
        service, _, method = call.partition(".")
        client = self._client(fill(who, self.values), service)
        if (operation := client.meta.method_to_api_mapping.get(method)) is None:
            meant = did_you_mean(call, [f"{service}.{each}" for each in client.meta.method_to_api_mapping])
            raise ChallengeFileError(f"{call!r} is no call of boto3.{meant or ' Write it as `s3.get_object`.'}")
        arguments = self._arguments(f"{service}:{operation}", parameters or {})
        answer = _plain(getattr(client, method)(**arguments))
        name, fills, path = keep.partition(" = ")
        if fills and jmespath.search(path, answer) is None:
            raise ChallengeFileError(f"The answer has no {path}; it has {', '.join(answer)}.")
        if fills:
            self.values[name] = str(jmespath.search(path, answer))
        elif keep:
            self.people[fill(name, self.values)] = self.become(answer)[1]
        return answer

    def _client(self, who: str, service: str) -> Any:
        if who == "nobody":
            return self.world.accounts[0].admin.client(service, config=Config(signature_version=UNSIGNED))
        someone = self.identity(who)
        key = (getattr(someone, "access_key_id", ""), service)
        if key not in self.clients or not key[0]:
            self.clients[key] = getattr(someone, "session", someone).client(service)
        return self.clients[key]

    def identity(self, who: str) -> Any:
        """Whoever acts under that name. Raises `ChallengeFileError` where there is nobody, `LookupError` if no more."""
        if who in self.people:
            return self.people[who]
        for account in self.world.accounts:
            if account.id == self.values.get(who):
                return account.admin
        service, works_as, role = who.rpartition(" as ")
        if works_as:
            return self._at_work(service, role)
        known = ", ".join([*self.people, *(each.name for each in self.world.accounts), "and SERVICE as ROLE"])
        raise ChallengeFileError(f"Nobody acts as {who!r} here; there are {known}. A user who does has `key = true`.")

    def name_of(self, who: Any) -> str:
        """What an identity is called, with its account where there are several."""
        principal = self.world.inspect.principal(who.access_key_id)
        account = f" ({self.world.account_name(principal.account)})" if len(self.world.accounts) > 1 else ""
        return f"{principal.name}{account}"

    def become(self, answer: Mapping[str, Any]) -> tuple[str, Any]:
        """Whoever one is by the answer to the last call, and where: by the credentials in it, on the machine or inside
        the build, task, job or notebook that it has started. Raises `ValueError` where it makes nobody of one."""
        if "Instances" in answer:
            machine = answer["Instances"][0]["InstanceId"]
            return f"on {machine}", self.world.instance(machine)
        event = self.world.trail[-1]
        if event.action not in _STARTS or event.refused:
            someone = self.world.sign_in(answer)
            return self.name_of(someone), someone
        method, parameter = _STARTS[event.action]
        name = event.resource.removesuffix(":*").rpartition("/")[2]
        admin = next(each.admin for each in self.world.accounts if each.id == event.resource.split(":")[4])
        with self.world.rehearsal():  # nobody has looked it up
            client = admin.client(event.service)
            answer = getattr(client, method)(**{parameter: [name] if parameter == "names" else name})
            if event.service == "codebuild" and not self._written_here(client, answer["projects"][0]):
                text = f"The build does what the source of {name} says, nothing of yours: you are not inside."
                raise NotYoursError(text)
        role = str(jmespath.search(_ITS_ROLE, answer)).rpartition("/")[2]
        service = "ecs-tasks" if event.service == "ecs" else event.service
        return f"in {name}", self._at_work(f"{service}.amazonaws.com", role)

    def _written_here(self, codebuild: Any, project: Mapping[str, Any]) -> bool:
        """Whether the last build of a project has commands that were written since play began: with the project, or for
        this build alone."""
        calls = {(each.action, each.resource, each.error_code) for each in self.world.trail.since(self.start)}
        if {(f"codebuild:{does}Project", project["arn"], "") for does in ("Create", "Update")} & calls:
            return True
        builds = codebuild.list_builds_for_project(projectName=project["name"])["ids"]
        last = max(codebuild.batch_get_builds(ids=builds)["builds"], key=lambda build: build["startTime"])
        return bool(last["source"] != project["source"])

    def _at_work(self, service: str, role: str) -> Any:
        """A session of a role that a service works with; it gets none where the trust policy is against it."""
        roles = (each.arn for each in self.world.inspect.principals() if each.kind == "role" and each.name == role)
        if (arn := next(roles, None)) is None:
            raise LookupError(f"there is no role {role}")
        if not self.world.inspect.ask(service, "sts:AssumeRole", arn).allowed:
            raise LookupError(f"{service} may not assume {role}")
        return self.world.holder(self.world.inspect.credentials(arn)[0])

    def _arguments(self, call: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters as boto3 takes them: gaps filled, a policy from its lines, code and tokens made."""
        known = fill(parameters, {**self.values, "now": f"{self.world.clock.now:%Y-%m-%dT%H:%M:%SZ}"})
        path, kind, _ = documents.document_in(call, known)
        member = path.rpartition(".")[2] or "Policy"  # of a session, which no call stores

        def argument(name: str, value: Any) -> Any:
            if name == member:
                value = policy(value, kind or "identity")
            if isinstance(value, Mapping):
                return {each: argument(each, inner) for each, inner in value.items()}
            if isinstance(value, list):
                return [argument("", inner) for inner in value]
            return self._text(value) if isinstance(value, str) else value

        return {name: argument(name, value) for name, value in known.items()}

    def _text(self, value: str) -> str | bytes:
        if value.startswith("zip:"):
            return zip_archive(value.removeprefix("zip:"))
        value = _TOKEN.sub(lambda token: self.token(token[1]), value)
        if gap := GAP.search(value):
            raise ChallengeFileError(f"Nothing fills the gap {gap[0]}; there are {', '.join(self.values)}.")
        return value

    def token(self, subject: str) -> str:
        """A token of GitHub's for a subject; only for one of the repositories that somebody here writes to."""
        if not subject.startswith(self.tokens):
            ours = " or ".join(self.tokens) or "none"
            raise LookupError(f"GitHub gives out no token for {subject!r} here. Subjects of ours begin with {ours}.")
        return self.world.oidc_provider().token(subject)


def in_words(step: Step) -> str:
    """A step in lines: "mira: sts.assume_role", its parameters, and what is kept of the answer."""
    if isinstance(step, str):
        return step
    parameters = (f"{name} = {_value(value)}" for name, value in dict[str, Any](*step[2:3]).items())
    return "\n  ".join([f"{step[0]}: {step[1]}", *parameters, *(f"→ {keep.partition(' = ')[0]}" for keep in step[3:])])


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(map(_value, value.values()))
    lines = [*map(str, value)] if isinstance(value, list) else str(value).removeprefix("zip:").splitlines()
    return "\n    ".join(["", *lines] if len(lines) > 1 else lines)  # of a policy, of code


def _plain(answer: Any) -> Any:
    """An answer whose streams are read; what is JSON in them is taken as that."""
    for name in {"Body", "Payload"} & set(answer or ()):
        answer[name] = answer[name].read().decode(errors="replace")
        with suppress(ValueError):
            answer[name] = json.loads(answer[name])
    return answer


# -- making the world --------------------------------------------------------------------------------------------------


def build(variant: Mapping[str, Any]) -> Setting:
    """Start a fresh world as a seeded file describes it, with its past in the trail.

    To mend and to explain, what does not work has just been tried. Raises `ChallengeFileError` where AWS would not have
    it so.
    """
    world = Cloud.start()
    setting, home = Setting(world, dict(variant["values"]), tokens=tuple(variant.get("tokens", ()))), world.source_ip
    try:
        lay_out_accounts(setting, variant)
        for step in variant.get("history", ()):
            for script in variant["keep"].values() if step == "everybody works" else [[step]]:
                setting.perform(script)
    except Refused as refused:
        raise ChallengeFileError(f"While its world was made, AWS refused {refused}") from refused
    world.source_ip = home
    outage = {"mend": variant.get("keep", {}).values(), "explain": [variant.get("ask", ())]}
    for script in outage.get(variant["kind"], ()):
        with suppress(Refused):
            setting.copy().perform(script)
    setting.start = world.trail.total
    return setting


def lay_out_accounts(setting: Setting, variant: Mapping[str, Any]) -> None:
    """The accounts of a file: first who is there, then what is there, in whose policies they are named."""
    accounts, organization = variant["accounts"], variant.get("organization", {})
    name_of = {account: content.get("name", account) for account, content in accounts.items()}
    office = organization.get("manager")
    for account, name in name_of.items():
        setting.world.account(name)
        if account == office:
            setting.perform([[account, "organizations.create_organization"]])
    for account in organization.get("members", ()):
        setting.world.account(name_of[account], organization=setting.world.account(name_of[office]))
    for tables in (FORM["identities"], FORM["resources"]):
        for account, content in accounts.items():
            setting.perform(_steps(account, tables, {**content, "account": {account: content}}, setting.values))
            if tables is FORM["resources"]:
                setting.perform([account, *call] for call in content.get("calls", ()))
    if office:
        unit_of = {member: unit for unit, members in organization.get("units", {}).items() for member in members}
        enable = ["RESOURCE_CONTROL_POLICY"] * ("rcp" in organization)  # SCPs are from the start
        guard_rails = {**organization, "moves": unit_of, "enable": enable}
        setting.perform(_steps(office, FORM["guard_rails"], {"organization": {office: guard_rails}}, setting.values))


def _steps(
    account: str, tables: Mapping[str, Any], content: Mapping[str, Any], values: Mapping[str, str]
) -> Iterator[Step]:
    """The calls that make an account's things and their facts, by some tables of `form.toml`."""
    for things, rows in tables.items():
        for name, facts in content.get(things, {}).items():
            for fact, calls in rows.items():
                for key, each in _entries(calls, facts.get(fact, not fact)):
                    arn = each if str(each).startswith("arn:") else f"arn:aws:iam::{values[account]}:policy/{each}"
                    parts = {"name": name, "key": key, "it": each, "each": each, "it_arn": arn, "each_arn": arn}
                    parts |= {"key_gap": f"{{{key}}}", "each_gap": f"{{{each}}}"}
                    parts["it_seconds"] = 3600 * each if isinstance(each, int) else each
                    yield from ([account, *fill(call, parts)] for call in calls)


def _entries(calls: list[Step], it: Any) -> Iterable[tuple[str, Any]]:
    """What the file says of a fact, by its key: one, none, or several where the calls are for `{each}`."""
    if not re.search("{(each|key)", str(calls)):
        return [("", it)] if it else []
    return it.items() if isinstance(it, Mapping) else [("", each) for each in it or ()]
