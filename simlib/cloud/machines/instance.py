"""An EC2 instance, used from inside: its SDK session, its AWS CLI, its metadata service.

None of it opens a socket. The session's credentials come through botocore's own provider for instances, which asks the
metadata service of `metadata.py` directly and asks again as the clock moves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from simlib.cloud import ambient
from simlib.cloud.ambient import Folder
from simlib.cloud.machines import cli
from simlib.cloud.machines.cli import Result
from simlib.cloud.machines.metadata import LONGEST_TTL, TOKEN, TOKEN_TTL, Metadata, Unavailable
from simlib.cloud.storage.tables import service_models
from simlib.cloud.transport.wire import Body

if TYPE_CHECKING:
    from simlib.cloud.clock import Clock
    from simlib.cloud.credentials.sessions import Session
    from simlib.cloud.storage.stored import StoredInstance


class Text(str):
    """An answer of the metadata service: text that shows itself as it is, with its HTTP `status`."""

    status: int

    def __new__(cls, text: str, status: int) -> Text:
        new = super().__new__(cls, text)
        new.status = status
        return new

    def __repr__(self) -> str:
        return str(self)

    def json(self) -> Any:
        """The document in it; raises `ValueError` when it holds none."""
        return json.loads(self)


class World(Protocol):
    """What an instance needs of the world it is in."""

    @property
    def clock(self) -> Clock: ...
    def instance_facts(self, instance_id: str) -> StoredInstance | None: ...
    def mint_instance_session(self, instance_id: str) -> Session: ...


class Instance:
    """A running EC2 instance. Raises `LookupError` when the world has none of that ID."""

    def __init__(self, world: World, instance_id: str) -> None:
        self.id = instance_id
        self.variables: dict[str, str] = {}  # what has been exported on it, for the programs that start afterwards
        self._world = world
        if self._facts() is None:
            raise LookupError(
                f"There is no instance {instance_id!r} in this world. The answer of run_instances has the ID, as "
                'answer["Instances"][0]["InstanceId"].'
            )

        def mint() -> Session:
            try:
                return world.mint_instance_session(instance_id)
            except LookupError as gone:
                raise Unavailable("InstanceProfileNotFound", str(gone)) from gone

        self.metadata = Metadata(self._facts, mint, lambda: world.clock.now)

    # -- from inside -------------------------------------------------------------------------------------------------

    @cached_property
    def session(self) -> Any:
        """A `boto3.Session` as a program on the instance has it: credentials of its role, refreshing themselves.

        `variables` and files in `home` come before the role, as everywhere; nothing of the learner's own environment or
        profiles counts here.
        """
        import boto3
        from botocore import credentials as providers
        from botocore import session as sessions

        session = sessions.Session()
        _configure(session, self.environment, self.home)
        resolver = providers.CredentialResolver(
            [
                providers.EnvProvider(environ=self.environment),
                providers.SharedCredentialProvider(str(self.home / ".aws" / "credentials"), profile_name="default"),
                providers.InstanceMetadataProvider(iam_role_fetcher=_fetcher(self.metadata)),
            ]
        )
        session.register_component("credential_provider", resolver)
        session.register_component("data_loader", service_models())
        return boto3.Session(botocore_session=session, region_name=self._running.region)

    def run(self, command: str | Sequence[str], stdin: str | bytes = "") -> Result:
        """Run an `aws …` command on the instance and return what it printed: `.stdout`, `.stderr`, `.returncode`.

        The real AWS CLI, with the instance's own environment, home folder and credentials, on the lab's clock. `stdin`
        is what the command can read. Raises `ValueError` for what is not one command of the AWS CLI.
        """
        from botocore.exceptions import ProfileNotFound

        _ = self._running

        def use_our_metadata(session: Any) -> None:
            with suppress(ProfileNotFound):  # `aws configure --profile new` is right to name one that is not there yet
                provider = session.get_component("credential_provider").get_provider("iam-role")
                provider._role_fetcher = _fetcher(self.metadata)

        return cli.run(command, self.environment, folder=self.home, stdin=stdin, on_session=use_our_metadata)

    def curl(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        token: bool = True,
    ) -> Text:
        """Ask the instance's metadata service, as `curl http://169.254.169.254/PATH` on the instance would.

        A session token (IMDSv2) is fetched first, as the SDKs do. `token=False` asks without one (IMDSv1). To take
        both steps by hand:

            token = web.curl("latest/api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
            web.curl("latest/meta-data/", headers={"X-aws-ec2-metadata-token": token})
        """
        _ = self._running
        parts = urlsplit(path)
        place = parts.path if parts.scheme else path
        sent = dict(headers or {})
        by_hand = method != "GET" or any(name.lower() == TOKEN for name in sent)
        if token and not by_hand:
            opened = self.metadata.answer("PUT", "latest/api/token", {TOKEN_TTL: str(LONGEST_TTL)})
            if opened.status == 200:
                sent[TOKEN] = opened.body.decode("ascii")
        answer = self.metadata.answer(method, place, sent)
        return Text(answer.body.decode("utf-8", "replace"), answer.status)

    # -- its surroundings --------------------------------------------------------------------------------------------

    @property
    def home(self) -> Path:
        """The instance's home folder, where its commands run: what they download lies here."""
        return self._folder.path

    @property
    def environment(self) -> dict[str, str]:
        """All that a program on the instance finds in its environment."""
        return {
            **ambient.machine(self.home),
            "AWS_DEFAULT_REGION": self._running.region,
            "USER": "ec2-user",
            **self.variables,
        }

    @cached_property
    def _folder(self) -> Folder:
        return Folder("iam-lab-instance-")

    def _facts(self) -> StoredInstance | None:
        return self._world.instance_facts(self.id)

    @property
    def _running(self) -> StoredInstance:
        facts = self._facts()
        if facts is None or not facts.running:
            raise RuntimeError(f"{self.id} is not running, so nothing can be done on it. start_instances starts it.")
        return facts

    def __repr__(self) -> str:
        facts = self._facts()
        if facts is None:
            return f"<Instance {self.id}, gone>"
        role = f"role {facts.role.name}" if facts.role else "no role"
        return f"<Instance {self.id}, {'running' if facts.running else 'not running'}, {role}>"


class _Wire:
    """Stands where botocore's fetcher has its HTTP session: hands the request to the metadata service."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    def send(self, request: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        headers = {str(name): str(value) for name, value in request.headers.items()}
        answer = self._metadata.answer(request.method, urlsplit(request.url).path, headers)
        return AWSResponse(request.url, answer.status, answer.headers, Body(answer.body))


def _fetcher(metadata: Metadata) -> Any:
    """botocore's own fetcher of instance credentials, without its socket."""
    from botocore.utils import InstanceMetadataFetcher

    fetcher: Any = InstanceMetadataFetcher(env={})
    fetcher._session = _Wire(metadata)
    return fetcher


def _configure(session: Any, environment: Mapping[str, str], home: Path) -> None:
    """Let a botocore session read its settings from `environment` and `home`, not from this process."""
    from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConfigChainFactory

    chains = ConfigChainFactory(session=session, environ=environment)
    store = session.get_component("config_store")
    for name, (in_file, in_environment, default, conversion) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        store.set_config_provider(name, chains.create_config_chain(name, in_environment, in_file, default, conversion))
    session.set_config_variable("config_file", str(home / ".aws" / "config"))
    session.set_config_variable("credentials_file", str(home / ".aws" / "credentials"))
