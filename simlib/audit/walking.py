"""Ways to power, walked: real calls of who has the way, in a rehearsal, and whether they led where they should."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from simlib.audit.arns import account_of, name_of
from simlib.audit.escalation import PROOFS, REGION, ROWS, Finder, Name, Way, trust
from simlib.audit.facts import EVERYTHING, Facts
from simlib.cloud.services.function_runtime import zip_archive
from simlib.cloud.storage import iam_entities

if TYPE_CHECKING:
    from simlib.cloud import Cloud

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_CODE = "import boto3\n\n\ndef handler(event, context):\n    return boto3.client('sts').get_caller_identity()['Arn']\n"


class Walk(NamedTuple):
    """What came of performing a way: whether it led to the gain, and where it did not, why."""

    done: bool
    reason: str
    calls: tuple[str, ...]

    def __repr__(self) -> str:
        outcome = f"Walked: {self.reason}." if self.done else f"Not walked: {self.reason}."
        return f"{outcome} Calls: {', '.join(self.calls) or 'none'}."


def walk(cloud: Cloud, way: Way) -> Walk:
    """Perform a way by real calls of its principal, in a rehearsal; nothing of it is left afterwards."""
    row = ROWS[way.id]
    if way.needs:
        return Walk(False, f"it hangs on more than permissions: {' and '.join(way.needs)}", ())
    if "walk" not in row:
        service = row.get("service", "").partition(".")[0]
        return Walk(False, f"the lab runs nothing in {service} that would act as the role in this way", ())
    with cloud.rehearsal():
        return _Walker(cloud, way, row).walk()


class _Walker:
    def __init__(self, cloud: Cloud, way: Way, row: Mapping[str, Any]) -> None:
        self.cloud, self.way, self.row = cloud, way, row
        self.account, self.calls = account_of(way.principal), list[str]()

    def walk(self) -> Walk:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            finder = Finder(Facts(self.cloud, [self.account]))
            lacking = set(finder.lacking(self.way.principal, self.account)) if self.row["gains"] == "any" else set()
            key, secret, token = self._credentials()
            session = boto3.Session(key, secret, token, region_name=REGION)
            answer: Any = {}
            for service, operation, parameters in self.row["walk"]:
                filled = self._fill(parameters)
                if None in filled.values():
                    continue
                answer = self._call(session, service, operation, filled)
            reached = self._become(session, answer)
            if reached is None:
                return self._walk(True, "the password is set; the lab has no console to sign in to")
            return self._proved(reached, lacking)
        except (ClientError, BotoCoreError, LookupError, ValueError) as error:
            return self._walk(False, str(error))

    def _credentials(self) -> tuple[str, str, str | None]:
        """Of the principal; a user without a key gets one for the rehearsal."""
        try:
            return self.cloud.inspect.credentials(self.way.principal)
        except LookupError:
            iam_entities.backend(self.account).create_access_key(name_of(self.way.principal))
            return self.cloud.inspect.credentials(self.way.principal)

    def _call(self, session: Any, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        from botocore import xform_name

        self.calls.append(f"{service}:{operation}")
        return getattr(session.client(service), xform_name(operation))(**parameters)

    def _fill(self, value: Any) -> Any:
        """A parameter of a row's call with this way's names in it; `{key}` and its like stand for what is made here."""
        if isinstance(value, dict):
            return {name: self._fill(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._fill(each) for each in value]
        if not isinstance(value, str) or value.startswith('{"'):
            return value
        recipes: dict[str, Callable[[], Any]] = {
            "{code}": lambda: zip_archive(_CODE),
            "{key}": self._key,
            "{profile}": self._profile,
            "{everything}": lambda: EVERYTHING,
            "{trust}": lambda: trust(self.way.principal),
        }
        if value in recipes:
            return recipes[value]()
        names = {"self": self.way.principal, "target": self.way.target, "policy": self.way.policy}
        words = {word: Name(arn) for word, arn in (*names.items(), ("thing", self.way.thing))}
        return value.format(**words, administrator=ADMINISTRATOR)

    def _key(self) -> str | None:
        """One of the target's access keys, where it has two."""
        keys = iam_entities.backend(self.account).users[name_of(self.way.target)].access_keys
        return str(keys[0].access_key_id) if len(keys) > 1 else None

    def _profile(self) -> str:
        """The instance profile that holds the role; one is made where there is none yet."""
        backend = iam_entities.backend(self.account)
        for profile in backend.instance_profiles.values():
            if self.way.target in [each.arn for each in profile.roles]:
                return str(profile.arn)
        profile = backend.create_instance_profile("new", "/", [], [])
        backend.add_role_to_instance_profile("new", name_of(self.way.target))
        return str(profile.arn)

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
                name = name_of(self.way.thing) if self.way.thing else "new"
                return json.loads(self._call(session, "lambda", "Invoke", {"FunctionName": name})["Payload"].read())
            case "console":
                return None
        return boto3.Session(*self._credentials(), region_name=REGION)

    def _proved(self, reached: Any, lacking: set[tuple[str, str]]) -> Walk:
        """Whether who was reached is the target, or can do what the principal could not."""
        row, target, become = self.row, name_of(self.way.target), self.row.get("become")
        if row["gains"] == "any":
            who = self.way.target if become else self.way.principal
            for action, resource, method, parameters in PROOFS:
                ask = (action, resource.format(account=self.account))
                if ask in lacking and self.cloud.inspect.ask(who, *ask).allowed:
                    getattr(reached.client(action.partition(":")[0]), method)(**parameters)
                    self.calls.append(action)
                    return self._walk(True, f"{name_of(who)} now may {action}")
            return self._walk(False, "nothing more is allowed afterwards")
        if row["on"] == "other group":
            return self._walk(True, f"is in the group {target}")
        if row["on"] in ("running", "passed") and not become:
            service = row["service"].partition(".")[0]
            return self._walk(True, f"{service} has what acts as {target}; the lab goes no further there")
        arn = reached if isinstance(reached, str) else reached.client("sts").get_caller_identity()["Arn"]
        return self._walk(arn == self.way.target or f":assumed-role/{target}/" in arn, f"calls as {arn}")

    def _walk(self, done: bool, reason: str) -> Walk:
        return Walk(done, reason, tuple(self.calls))
