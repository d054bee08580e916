"""The instance metadata service: what an EC2 instance can ask about itself, and where its role's credentials lie.

An instance never calls STS for its role. It reads ready-made credentials here, at 169.254.169.254; the EC2 service has
obtained them. The service is one function of a request and an instance, so that it serves botocore in process without
a socket as well as other processes over HTTP.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial, reduce
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from simlib.cloud.transport.wire import RawAnswer

if TYPE_CHECKING:
    from simlib.cloud.credentials.sessions import Session
    from simlib.cloud.storage.stored import StoredInstance

TOKEN = "x-aws-ec2-metadata-token"
TOKEN_TTL = "x-aws-ec2-metadata-token-ttl-seconds"
LONGEST_TTL = 21600
_TTL_LEFT = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"

# AWS promises fresh credentials at least five minutes before the old ones expire; it does not say when. The choice
# here: from half an hour before. botocore (which asks from 15 minutes before) then never receives credentials that it
# takes for stale.
RENEW_BEFORE = timedelta(minutes=30)

_VERSIONS = ("1.0", "latest")
_NO_ROLE = "Instance Profile does not contain a role."
_HELP = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc"
)

_NOT_SERVED = frozenset({"availability-zone", "launch-time", "user-data", "http-endpoint"})

Tree = dict[str, Any]  # directories are dicts, leaves are text, or make a document when they are asked for


class Unavailable(Exception):
    """EC2 cannot obtain credentials for the instance's role; the metadata document says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    @classmethod
    def untrusted(cls, role_name: str) -> Unavailable:
        """The role's trust policy does not name the service ec2.amazonaws.com."""
        message = f"EC2 cannot assume the role {role_name}. Please see documentation at {_HELP}."
        return cls("AssumeRoleUnauthorizedAccess", message)


class Metadata:
    """The metadata service of one instance: its tokens' secret and the credentials handed out last.

    `facts` is asked anew for each request (None when the instance is gone), `mint` opens a session for the instance's
    role (raising `Unavailable` where the role's trust policy does not let EC2), `now` is the simulated time.
    """

    def __init__(
        self, facts: Callable[[], StoredInstance | None], mint: Callable[[], Session], now: Callable[[], datetime]
    ) -> None:
        self._facts, self._mint, self.now = facts, mint, now
        self._lock = threading.Lock()
        self._role_name: str | None = None
        self._credentials: Session | None = None
        self.secret = secrets.token_bytes(32)

    def credentials(self, role_name: str) -> Session:
        """Credentials of the instance's role: those handed out before as long as they last, else fresh ones.

        As at AWS, a trust policy that changes is noticed at the next renewal, not before; credentials that still live
        are handed out until then.
        """
        with self._lock:
            current = self._credentials if self._role_name == role_name else None
            if current is None or current.expires - self.now() < RENEW_BEFORE:
                try:
                    current = self._mint()
                except Unavailable:
                    if current is None or current.expires <= self.now():
                        raise
                self._credentials, self._role_name = current, role_name
            return current

    def answer(self, method: str, path: str, headers: Mapping[str, str]) -> RawAnswer:
        """One request to the metadata service of an instance.

        `path` is what follows the address, with or without its first slash; names of `headers` in any case. Answers
        200, or AWS's own 400, 401, 403, 404 and 405; 503 when there is no running instance to ask.
        """
        sent = {name.lower(): value for name, value in headers.items()}
        parts = [unquote(part) for part in path.partition("?")[0].split("/") if part]
        facts = self._facts()
        if facts is None or not facts.running:
            return _page(HTTPStatus.SERVICE_UNAVAILABLE)
        if facts.details.get("http-endpoint") == "disabled":
            return _page(HTTPStatus.FORBIDDEN)
        if parts[1:] == ["api", "token"]:
            return self._token_answer(method, parts[0], sent, facts.instance_id)
        if method not in ("GET", "HEAD"):
            return _page(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD, OPTIONS"})
        left = self._seconds_left(sent[TOKEN], facts.instance_id) if TOKEN in sent else None
        if left is None and (TOKEN in sent or facts.http_tokens == "required"):
            return _page(HTTPStatus.UNAUTHORIZED)
        text = _look_up(parts, facts, self)
        if text is None:
            return _page(HTTPStatus.NOT_FOUND)
        kind = "application/octet-stream" if parts[1:] == ["user-data"] else "text/plain"
        more = {} if left is None else {_TTL_LEFT: str(left)}
        return _answer(HTTPStatus.OK, text, {"Content-Type": kind, "Accept-Ranges": "none", **more}, method)

    def _token_answer(self, method: str, version: str, sent: Mapping[str, str], instance_id: str) -> RawAnswer:
        """IMDSv2: a session begins with a PUT, which neither a browser's link nor a proxied request can make."""
        if method != "PUT":
            return _page(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "OPTIONS, PUT"})
        if "x-forwarded-for" in sent or version != "latest":
            return _page(HTTPStatus.FORBIDDEN)
        ttl = sent.get(TOKEN_TTL, "").strip()
        if not (ttl.isascii() and ttl.isdecimal() and len(ttl) < 9 and 1 <= int(ttl) <= LONGEST_TTL):
            return _page(HTTPStatus.BAD_REQUEST)
        token = self._token(self.now() + timedelta(seconds=int(ttl)), instance_id)
        return _answer(HTTPStatus.OK, token, {"Content-Type": "text/plain", _TTL_LEFT: ttl})

    def _token(self, expires: datetime, instance_id: str) -> str:
        """A token carries its own end and a seal of this instance's; nothing needs to be remembered."""
        end = round(expires.timestamp() * 1e6).to_bytes(8, "big")
        seal = hmac.digest(self.secret, instance_id.encode("utf-8") + end, hashlib.sha256)[:28]
        return base64.urlsafe_b64encode(b"\x01\0\0\0" + end + seal).decode("ascii")

    def _seconds_left(self, token: str, instance_id: str) -> int | None:
        """How long a token still lives; None when it was never given to this instance or has expired."""
        try:
            sent = token.strip().encode("ascii")
            expires = datetime.fromtimestamp(int.from_bytes(base64.urlsafe_b64decode(sent)[4:12], "big") / 1e6, UTC)
        except (ValueError, OverflowError, OSError):
            return None
        genuine = hmac.compare_digest(self._token(expires, instance_id).encode("ascii"), sent)
        left = (expires - self.now()).total_seconds()
        return int(left) if genuine and left > 0 else None


# -- the tree -------------------------------------------------------------------------------------------------------


def _look_up(parts: list[str], facts: StoredInstance, source: Metadata) -> str | None:
    if not parts:
        return "\n".join(_VERSIONS)
    node: Any = _tree(facts, source) if parts[0] in _VERSIONS else None
    for part in parts[1:]:
        node = node.get(part) if isinstance(node, dict) else None
    if isinstance(node, dict):
        return "\n".join(f"{name}/" if isinstance(node[name], dict) else name for name in sorted(node))
    return node if node is None or isinstance(node, str) else _document(node())


def _tree(facts: StoredInstance, source: Metadata) -> Tree:
    """Everything the instance can read. The entries of `details` are served under their own path, four are not."""
    details = facts.details
    address = details.get("local-ipv4", "")
    host = f"ip-{address.replace('.', '-')}.ec2.internal"
    zone = details.get("availability-zone", f"{facts.region}a")
    plain = {
        "ami-launch-index": "0", "ami-manifest-path": "(unknown)", "hostname": host, "instance-action": "none",
        "instance-id": facts.instance_id, "instance-life-cycle": "on-demand", "local-hostname": host,
        "placement/availability-zone": zone, "placement/region": facts.region, "profile": "default-hvm",
        "services/domain": "amazonaws.com", "services/partition": "aws",
    }  # fmt: skip
    tree: Tree = {}
    for path, text in {**plain, **details}.items():
        if path not in _NOT_SERVED and text:
            *directories, name = path.split("/")
            reduce(lambda place, directory: place.setdefault(directory, {}), directories, tree)[name] = text
    if facts.profile_arn:
        tree["iam"] = {"info": partial(_info, facts, source)}
        if facts.role:
            tree["iam"]["security-credentials"] = {facts.role.name: partial(_credentials, facts.role.name, source)}
    identity = {
        "accountId": facts.account, "architecture": "x86_64", "availabilityZone": zone, "billingProducts": None,
        "devpayProductCodes": None, "marketplaceProductCodes": None, "imageId": details.get("ami-id"),
        "instanceId": facts.instance_id, "instanceType": details.get("instance-type"), "kernelId": None,
        "pendingTime": details.get("launch-time") or None, "privateIp": address, "ramdiskId": None,
        "region": facts.region, "version": "2017-09-30",
    }  # fmt: skip
    root: Tree = {"meta-data": tree, "dynamic": {"instance-identity": {"document": lambda: identity}}}
    return {**root, **({"user-data": details["user-data"]} if details.get("user-data") else {})}


def _info(facts: StoredInstance, source: Metadata) -> Tree:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html"""
    profile = {"InstanceProfileArn": facts.profile_arn, "InstanceProfileId": facts.profile_id}
    message = {} if facts.role else {"Message": _NO_ROLE}
    return {"Code": "Success", "LastUpdated": _stamp(source.now()), **profile, **message}


def _credentials(role_name: str, source: Metadata) -> Tree:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html"""
    try:
        credentials = source.credentials(role_name)
    except Unavailable as refused:
        return {"Code": refused.code, "Message": refused.message, "LastUpdated": _stamp(source.now())}
    return {
        "Code": "Success",
        "LastUpdated": _stamp(credentials.issued_at),
        "Type": "AWS-HMAC",
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.session_token,
        "Expiration": _stamp(credentials.expires),
    }


# -- how answers look -----------------------------------------------------------------------------------------------


def _document(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, separators=(",", " : "))


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _answer(status: HTTPStatus, text: str, headers: dict[str, str], method: str = "GET") -> RawAnswer:
    body = text.encode("utf-8")
    sent = {"Server": "EC2ws", **headers, "Content-Length": str(len(body))}
    return RawAnswer(int(status), sent, b"" if method == "HEAD" else body)


def _page(status: HTTPStatus, headers: dict[str, str] | None = None) -> RawAnswer:
    title = f"{int(status)} - {status.phrase}"
    page = (
        '<?xml version="1.0" encoding="iso-8859-1"?>\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"\n'
        '\t"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">\n'
        f" <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n </body>\n</html>\n"
    )
    return _answer(status, page, {"Content-Type": "text/html", **(headers or {})})
