"""An identity: AWS credentials in hand, as a boto3 session."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.handlers import BUILTIN_HANDLERS
from botocore.hooks import HierarchicalEmitter

from simlib.cloud import ambient
from simlib.cloud.ambient import Folder, Hidden
from simlib.cloud.storage.tables import service_models

if TYPE_CHECKING:
    from simlib.cloud.machines.cli import Result


def _refuse_outside(request: Any, **_: Any) -> None:
    """Where no lab runs that answers: the lab's keys are shown to nobody else."""
    if not Hidden.active:
        raise RuntimeError(
            "This identity belongs to a lab that has been stopped, and it never talks to the real AWS. "
            "Start a Cloud and make a new one."
        )


@lru_cache(maxsize=1)
def _registered(_handlers: tuple[Any, ...]) -> HierarchicalEmitter:
    """botocore's handlers, to be copied: registering them one by one is most of what a session takes."""
    hooks = HierarchicalEmitter()
    botocore.session.Session(event_hooks=hooks)
    return hooks


class Identity:
    """Credentials, ready to make boto3 clients with.

    `session` is a plain `boto3.Session`; `client(service)` makes a client of it. Nothing else is hidden here: the
    same keys given to boto3 by hand do the same.
    """

    def __init__(self, access_key_id: str, secret_access_key: str, session_token: str | None, *, region: str) -> None:
        self.access_key_id = access_key_id
        self.secret_access_key = secret_access_key
        self.session_token = session_token
        self.region = region
        self._clients: dict[str, Any] = {}

    @cached_property
    def session(self) -> Any:
        """A `boto3.Session` with these credentials."""
        hooks = copy.copy(_registered(tuple(BUILTIN_HANDLERS)))
        core = botocore.session.Session(event_hooks=hooks, include_builtin_handlers=False)
        core.register_component("data_loader", service_models())
        core.register("before-send", _refuse_outside)
        keys = (self.access_key_id, self.secret_access_key, self.session_token)
        return boto3.Session(*keys, region_name=self.region, botocore_session=core)

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client; `options` are those of `boto3.Session.client`. Without any, always the same client."""
        if options:
            return self.session.client(service, **options)
        if service not in self._clients:
            self._clients[service] = self.session.client(service)
        return self._clients[service]

    def run(self, command: str | Sequence[str], stdin: str | bytes = "") -> Result:
        """Run an `aws …` command as this identity; what it printed is in `.stdout`, `.stderr`, `.returncode`.

        The real AWS CLI, on the lab's clock, in a home folder of this identity's own, which is empty at first and goes
        with it. Raises `ValueError` for what is not one command of the AWS CLI.
        """
        from simlib.cloud.machines import cli

        home = self._folder.path
        keys = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }
        own = {name: value for name, value in keys.items() if value}
        environment = {**ambient.machine(home), "AWS_DEFAULT_REGION": self.region, **own}

        def guard(session: Any) -> None:
            session.register("before-send", _refuse_outside)

        return cli.run(command, environment, folder=home, stdin=stdin, on_session=guard)

    @cached_property
    def _folder(self) -> Folder:
        return Folder("iam-lab-identity-")

    def __repr__(self) -> str:
        kind = "temporary" if self.session_token else "long-term"
        return f"Whoever signs with the {kind} key {self.access_key_id}."


def credentials_in(answer: Mapping[str, Any], region: str) -> Identity:
    """The identity whose credentials are somewhere in an AWS answer, in whichever spelling it uses.

    CreateAccessKey says `AccessKey`, STS `Credentials`, the metadata service `Token`. Raises `ValueError` where there
    are none.
    """
    for mapping in _mappings(answer):
        key = mapping.get("AccessKeyId") or mapping.get("accessKeyId")
        secret = mapping.get("SecretAccessKey") or mapping.get("secretAccessKey") or mapping.get("SecretKey")
        if key and secret:
            token = mapping.get("SessionToken") or mapping.get("sessionToken") or mapping.get("Token")
            return Identity(str(key), str(secret), str(token) if token else None, region=region)
    named = ", ".join(map(str, answer)) if isinstance(answer, Mapping) else type(answer).__name__
    raise ValueError(
        f"No credentials in this answer (it holds: {named or 'nothing'}). sign_in() wants what create_access_key, "
        "assume_role or get_session_token returned; list_access_keys never shows secrets."
    )


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from _mappings(inner)
