"""Where an SDK looks for credentials, and where it finds them: botocore's own list, asked in its own order.

https://docs.aws.amazon.com/boto3/latest/guide/credentials.html#configuring-credentials
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .look import table, verdict
from .page import Part
from .panel import Displayable

#: What each of botocore's providers reads, by its METHOD.
PLACES = {
    "env": "the variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    "assume-role": "a profile with role_arn: the SDK calls AssumeRole",
    "assume-role-with-web-identity": "a token file: the SDK calls AssumeRoleWithWebIdentity",
    "sso": "a profile of IAM Identity Center, after aws sso login",
    "login": "a session of the console, after aws login",
    "shared-credentials-file": "the file ~/.aws/credentials",
    "custom-process": "a profile with credential_process: another program",
    "config-file": "the file ~/.aws/config",
    "ec2-credentials-file": "a file that AWS_CREDENTIAL_FILE names, of old tools",
    "boto-config": "the file ~/.boto, of old tools",
    "container-role": "the address a container is given for its role",
    "iam-role": "the metadata service of an EC2 instance: the role on it",
}


@dataclass(frozen=True)
class Place:
    """One place of the chain: `access_key_id` is "" where there is nothing, None where nobody has looked."""

    method: str
    access_key_id: str | None

    @property
    def what(self) -> str:
        return PLACES.get(self.method, self.method)

    @property
    def outcome(self) -> Part | str:
        if self.access_key_id is None:
            return "not asked"
        return verdict("yes", f"found {self.access_key_id}") if self.access_key_id else verdict("none", "nothing")


@dataclass(frozen=True, repr=False)
class ProviderChain(Displayable):
    """The places in the order in which the SDK asks; the first that has credentials is the last that is asked."""

    places: tuple[Place, ...]

    def page(self) -> Part:
        rows = [(f"{number}. {place.what}", place.outcome) for number, place in enumerate(self.places, 1)]
        return table(("Place", "Credentials"), rows, "Where the SDK looks, one after the other")


def provider_chain(session: Any = None) -> ProviderChain:
    """Ask the credential providers of a `boto3.Session` (default: a new one of this process) until one has some."""
    if session is None:
        import boto3

        session = boto3.Session()
    core = getattr(session, "_session", session)
    return ProviderChain(tuple(_places(core.get_component("credential_provider").providers)))


def _places(providers: Any) -> Iterator[Place]:
    is_found = False
    for provider in providers:
        credentials = None if is_found else provider.load()
        key = "" if credentials is None else str(credentials.get_frozen_credentials().access_key)
        yield Place(provider.METHOD, None if is_found else key)
        is_found = is_found or bool(key)
