"""While the lab runs, the learner's own AWS is out of sight - and comes back exactly as it was.

Three doors lead from a notebook to the real AWS, and all are closed here:

- what this process finds by itself: `AWS_*` variables, profiles, cached logins, the metadata address;
- what a child process inherits (`!aws s3 ls`, `%%bash`): it is given empty files of the lab's and a loopback endpoint;
- what this process opens all the same (an old client, `urllib` on an AWS address): refused, with a sentence.

What the learner sets *after* the start counts: lessons about stale variables and profiles need it.
"""

from __future__ import annotations

import http.client
import importlib
import os
import shlex
import shutil
import site
import socket
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch
from urllib.parse import urlsplit

from simlib.cloud.browser import in_browser

REGION = "us-east-1"

_PREFIXES = ("AWS_", "BOTO")

# What a program needs of the machine it runs on, whatever the platform; nothing of this is AWS's or the learner's.
_OF_THE_MACHINE = (
    "PATH", "PATHEXT", "SYSTEMROOT", "WINDIR", "COMSPEC", "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL", "TZ",
)  # fmt: skip

_AWS_DOMAINS = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "amazonwebservices.com.cn",
    "api.aws",
    "on.aws",
    "aws.dev",
    "awsapps.com",
    "signin.aws.amazon.com",
    "signin.amazonaws.cn",
    "console.aws.amazon.com",
)

# Instance metadata (v4, v6), and what hands credentials to containers in ECS and EKS.
_METADATA = frozenset(
    ip_address(text) for text in ("169.254.169.254", "fd00:ec2::254", "169.254.170.2", "169.254.170.23", "fd00:ec2::23")
)


class OutOfReach(socket.gaierror):
    """Something in this process asked for the real AWS while the lab runs. Nothing was sent."""

    def __init__(self, host: str) -> None:
        super().__init__(
            getattr(socket, "EAI_NONAME", -2),
            f"The lab never goes to the real AWS, so {host} was not contacted. Use a client made after Cloud.start() "
            "(every boto3 client made then meets the lab), or leave the lab with its stop() first.",
        )


def is_metadata_address(host: str) -> bool:
    """Whether `host` is an address where AWS hands credentials to a machine, however it is spelled."""
    try:
        address = ip_address(host)
    except ValueError:
        try:  # 2852039166 and 0xa9fea9fe are 169.254.169.254 too
            address = ip_address(socket.inet_aton(host))
        except (OSError, ValueError):
            return False
    return (getattr(address, "ipv4_mapped", None) or address) in _METADATA  # ::ffff:169.254.169.254


def is_aws(host: str) -> bool:
    """Whether `host` is a name under one of AWS's domains."""
    name = host.lower().rstrip(".")
    return any(name == domain or name.endswith("." + domain) for domain in _AWS_DOMAINS)


def _refuse(host: Any) -> None:
    text = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host or "")
    text = text.strip("[]").partition("%")[0]
    if is_aws(text) or is_metadata_address(text):
        raise OutOfReach(text)


class Folder:
    """A temporary folder, gone with this object or after `remove()`; a forked child leaves its parent's alone."""

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self.remove = weakref.finalize(self, _remove, self.path, os.getpid())


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)


class Hidden:
    """The learner's AWS, put away. `restore()` brings it back; doing so twice changes nothing.

    `endpoint_url` is the lab's loopback address, for children and presigned URLs; None where there is none (a
    browser). If anything fails, all is put back and the error raised. `folder` is a temporary folder of the lab's own,
    with the empty `config` and `credentials` files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name: a learner
    may write profiles into them.
    """

    active: ClassVar[set[Hidden]] = set()

    def __init__(self, endpoint_url: str | None = None) -> None:
        with ExitStack() as undo:
            Hidden.active.add(self)
            undo.callback(Hidden.active.discard, self)
            self._temporary = Folder("iam-lab-")
            undo.callback(self._temporary.remove)
            self.folder = self._temporary.path
            for name in ("config", "credentials"):
                (self.folder / name).touch(mode=0o600)
            self._hide_variables(undo, endpoint_url)
            self._hide_caches(undo)
            if in_browser():
                self._stay_in_one_thread(undo)
            else:
                self._prepare_children(undo)
            self._guard(undo)
            self._undo = undo.pop_all()

    def restore(self) -> None:
        """Undo everything: also what the learner changed in the hidden variables meanwhile."""
        self._undo.close()

    def _hide_variables(self, undo: ExitStack, endpoint_url: str | None) -> None:
        remembered = {name: value for name, value in os.environ.items() if name.startswith(_PREFIXES)}

        def forget() -> None:
            for name in [name for name in os.environ if name.startswith(_PREFIXES)]:
                del os.environ[name]

        undo.callback(os.environ.update, remembered)
        undo.callback(forget)
        forget()
        os.environ.update(environment(self.folder, endpoint_url))

    def _hide_caches(self, undo: ExitStack) -> None:
        boto3 = importlib.import_module("boto3")
        undo.enter_context(patch.object(boto3, "DEFAULT_SESSION", None))
        for module, owner in (("botocore.tokens", "SSOTokenProvider"), ("botocore.credentials", "SSOProvider")):
            provider = getattr(importlib.import_module(module), owner)
            undo.enter_context(patch.object(provider, "_SSO_TOKEN_CACHE_DIR", str(self.folder / "sso-cache")))

    def _stay_in_one_thread(self, undo: ExitStack) -> None:
        """Uploads and downloads of files, boto3's and the AWS CLI's, go part by part instead of side by side."""
        futures = importlib.import_module("s3transfer.futures")
        undo.enter_context(patch.object(futures.BoundedExecutor, "EXECUTOR_CLS", futures.NonThreadedExecutor))

    def _prepare_children(self, undo: ExitStack) -> None:
        """A child's `aws` is the lab's own, and no proxy stands between a child and the loopback endpoint."""
        _extend(undo, "PATH", [str(write_aws(self.folder))], os.pathsep)
        proxied = any(name.lower().endswith("_proxy") and name.lower() != "no_proxy" for name in os.environ)
        if proxied:
            for name in [name for name in ("no_proxy", "NO_PROXY") if name in os.environ] or ["no_proxy", "NO_PROXY"]:
                _extend(undo, name, ["127.0.0.1", "localhost"], ",")

    def _guard(self, undo: ExitStack) -> None:
        """Stop this process on its way to the real AWS.

        `socket.getaddrinfo` is what urllib, http.client, urllib3, requests, botocore and asyncio pass on their way
        out, unless they have an address already: that a socket shows. Behind a proxy it is the tunnel's name instead;
        and a client from before the start may still hold an open connection, so botocore's own way out is watched too.
        """
        session = importlib.import_module("botocore.httpsession").URLLib3Session

        def host_of(request: Any) -> str | None:
            host = urlsplit(request.url).hostname
            # For a metadata address botocore must see a failed look-up: then it goes on to the next provider.
            return None if host and is_metadata_address(host) else host

        def host_in(connection: Any, *arguments: Any) -> Any:
            address = arguments[-1] if arguments else None
            return address[0] if isinstance(address, tuple) and address else None

        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
            _watch(undo, socket, name, lambda host, *rest, **named: host)
        for name in ("connect", "connect_ex", "sendto", "sendmsg"):
            if hasattr(socket.socket, name):  # Windows has no sendmsg
                _watch(undo, socket.socket, name, host_in)
        _watch(undo, http.client.HTTPConnection, "set_tunnel", lambda connection, host, *rest, **named: host)
        _watch(undo, session, "send", lambda session, request: host_of(request))


def environment(folder: Path, endpoint_url: str | None) -> dict[str, str]:
    """The variables with which any SDK, in this process or another, finds the lab and nothing else."""
    variables = {
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "BOTO_CONFIG": str(folder / "config"),  # or botocore would look into ~/.boto
        "AWS_LOGIN_CACHE_DIRECTORY": str(folder / "login-cache"),
        "AWS_CLI_HISTORY_FILE": str(folder / "history.db"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_DEFAULT_REGION": REGION,
    }
    if endpoint_url:
        variables["AWS_ENDPOINT_URL"] = endpoint_url
    return variables


def machine(home: Path) -> dict[str, str]:
    """The environment of a program with that home folder: what the machine gives it, and nothing of the learner's."""
    variables = {name: os.environ[name] for name in _OF_THE_MACHINE if name in os.environ}
    return {**variables, "HOME": str(home), "USERPROFILE": str(home)}


def of_the_lab() -> dict[str, str]:
    """The variables with which a child finds the lab that runs."""
    return {name: os.environ[name] for name in environment(Path(), "…") if name in os.environ}


def _watch(undo: ExitStack, owner: Any, name: str, host_of: Callable[..., Any]) -> None:
    """Let `owner.name` refuse when the host in its arguments is AWS's."""
    original, inherited = getattr(owner, name), name not in vars(owner)
    watching = True

    def watched(*arguments: Any, **named: Any) -> Any:
        if watching:
            _refuse(host_of(*arguments, **named))
        return original(*arguments, **named)

    watched.__name__, watched.__doc__, watched.__wrapped__ = name, original.__doc__, original  # type: ignore[attr-defined]

    def release() -> None:
        nonlocal watching
        watching = False  # for whoever wrapped or kept ours meanwhile
        if getattr(owner, name) is watched:
            delattr(owner, name) if inherited else setattr(owner, name, original)

    setattr(owner, name, watched)
    undo.callback(release)


def _extend(undo: ExitStack, variable: str, entries: Iterable[str], separator: str) -> None:
    """Put entries in front of a list in the environment; undone by taking them out, whatever else it holds by then."""
    present = os.environ.get(variable)
    known = present.split(separator) if present else []
    added = [entry for entry in entries if entry not in known]

    def remove() -> None:
        now = os.environ.get(variable)
        if now is None:
            return
        rest = [entry for entry in now.split(separator) if entry not in added]
        if rest or present is not None:
            os.environ[variable] = separator.join(rest)
        else:
            del os.environ[variable]

    os.environ[variable] = separator.join([*added, *known])
    undo.callback(remove)


def write_aws(folder: Path) -> Path:
    """An `aws` for other processes: this Python's AWS CLI, whose caches stay in `folder`. Returns the folder it is in.

    The one found by PATH may be too old to know AWS_ENDPOINT_URL (before 1.29 and 2.13), and would go to the real AWS.
    So would any version 1 with SQS, RDS, EMR or Health: for them it puts an address of its own before the variable's,
    but not before the option's.
    """
    home, programs = folder / "home", folder / "bin"
    for place in (home, programs):
        place.mkdir(exist_ok=True)
    start = "import sys; sys.argv[0] = 'aws'; from awscli.clidriver import main; sys.exit(main())"
    if os.name == "nt":
        command = f'"{sys.executable}" -c "{start}" --endpoint-url "%AWS_ENDPOINT_URL%" %*'
        text = f'@echo off\r\nsetlocal\r\nset "USERPROFILE={home}"\r\n{command}\r\n'
        (programs / "aws.cmd").write_text(text, encoding="utf-8", newline="")
        return programs
    program = programs / "aws"
    variables = {"HOME": str(home), "PYTHONUSERBASE": site.getuserbase()}
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    command = f'exec {shlex.quote(sys.executable)} -c {shlex.quote(start)} --endpoint-url "$AWS_ENDPOINT_URL"'
    program.write_text(f'#!/bin/sh\n{settings} {command} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return programs
