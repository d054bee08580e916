"""Where a policy is stored, and the one call of AWS's API that puts a text there: a row of `WRITINGS` for each kind.

The same row says how the document is taken away, and which resource of Terraform's AWS provider it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simlib.cloud.inspection import Place

_POLICY = ("identity", "boundary")


@dataclass(frozen=True)
class Call:
    """A call of boto3: `client(service).operation(**parameters)`; `document` is the member that holds the text.

    A member within another is written with a point: "Attributes.Policy".
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    document: str = ""
    region: str = ""

    def given(self, text: str) -> dict[str, Any]:
        """The parameters, the text among them."""
        if not self.document:
            return dict(self.parameters)
        outer, _, inner = self.document.partition(".")
        return {**self.parameters, outer: {inner: text} if inner else text}


@dataclass(frozen=True)
class Resource:
    """A resource of Terraform's AWS provider: its type, its arguments, and the one that holds the document."""

    type: str
    arguments: Mapping[str, str]
    document: str = "policy"


@dataclass(frozen=True)
class Writing:
    """How documents of some kinds are written to owners of some shape. `{…}` are parts of the place, see `_parts`."""

    kinds: tuple[str, ...]
    owner: re.Pattern[str]
    call: Call
    terraform: Resource
    remove: Call | None = None  # None: AWS has no call that leaves nothing
    stored_as: str | None = None  # as in `validation.problems`


def _inline(what: str) -> Writing:
    """The inline policies of a user, a group or a role."""
    title = what.title()
    address = {f"{title}Name": "{name}", "PolicyName": "{policy}"}
    return Writing(
        ("identity",),
        re.compile(rf"arn:aws:iam::(?P<account>\d+):{what}/(?:.+/)?(?P<name>[^/]+)"),
        Call("iam", f"put_{what}_policy", address, "PolicyDocument"),
        Resource(f"aws_iam_{what}_policy", {"name": "{policy}", what: "{name}"}),
        Call("iam", f"delete_{what}_policy", address),
        what,
    )


def _attached(service: str, name: str, call: Call, terraform: Resource, remove: Call | None = None) -> Writing:
    """The policy of a resource of a service with a region."""
    owner = re.compile(rf"arn:aws:{service}:(?P<region>[^:]*):(?P<account>\d+):{name}")
    return Writing(("resource",), owner, call, terraform, remove)


WRITINGS = (
    _inline("user"),
    _inline("group"),
    _inline("role"),
    Writing(
        _POLICY,
        re.compile(r"arn:aws:iam::(?P<account>\d+):policy(?P<path>/(?:.+/)?)(?P<name>[^/]+)"),
        Call("iam", "create_policy_version", {"PolicyArn": "{arn}", "SetAsDefault": True}, "PolicyDocument"),
        Resource("aws_iam_policy", {"name": "{name}", "path": "{path}"}),
        stored_as="managed",
    ),
    Writing(
        ("trust",),
        re.compile(r"arn:aws:iam::(?P<account>\d+):role/(?:.+/)?(?P<name>[^/]+)"),
        Call("iam", "update_assume_role_policy", {"RoleName": "{name}"}, "PolicyDocument"),
        Resource("aws_iam_role", {"name": "{name}"}, "assume_role_policy"),
    ),
    Writing(
        ("resource",),
        re.compile(r"arn:aws:s3:::(?P<name>[^/]+)"),
        Call("s3", "put_bucket_policy", {"Bucket": "{name}"}, "Policy"),
        Resource("aws_s3_bucket_policy", {"bucket": "{name}"}),
        Call("s3", "delete_bucket_policy", {"Bucket": "{name}"}),
    ),
    _attached(
        "kms",
        "key/(?P<name>.+)",
        Call("kms", "put_key_policy", {"KeyId": "{name}", "PolicyName": "default"}, "Policy"),
        Resource("aws_kms_key_policy", {"key_id": "{name}"}),
    ),
    _attached(
        "sqs",
        "(?P<name>.+)",
        Call("sqs", "set_queue_attributes", {"QueueUrl": "{queue}"}, "Attributes.Policy"),
        Resource("aws_sqs_queue_policy", {"queue_url": "{queue}"}),
        Call("sqs", "set_queue_attributes", {"QueueUrl": "{queue}", "Attributes": {"Policy": ""}}),
    ),
    _attached(
        "sns",
        "(?P<name>.+)",
        Call("sns", "set_topic_attributes", {"TopicArn": "{arn}", "AttributeName": "Policy"}, "AttributeValue"),
        Resource("aws_sns_topic_policy", {"arn": "{arn}"}),
    ),
    _attached(
        "secretsmanager",
        "secret:(?P<name>.+)",
        Call("secretsmanager", "put_resource_policy", {"SecretId": "{arn}"}, "ResourcePolicy"),
        Resource("aws_secretsmanager_secret_policy", {"secret_arn": "{arn}"}),
        Call("secretsmanager", "delete_resource_policy", {"SecretId": "{arn}"}),
    ),
    _attached(
        "dynamodb",
        "table/(?P<name>.+)",
        Call("dynamodb", "put_resource_policy", {"ResourceArn": "{arn}"}, "Policy"),
        Resource("aws_dynamodb_resource_policy", {"resource_arn": "{arn}"}),
        Call("dynamodb", "delete_resource_policy", {"ResourceArn": "{arn}"}),
    ),
    Writing(
        ("scp", "rcp"),
        re.compile(r"arn:aws:organizations::(?P<account>\d+):policy/.+/(?P<type>[^/]+)/(?P<name>p-[^/]+)"),
        Call("organizations", "update_policy", {"PolicyId": "{name}"}, "Content"),
        Resource("aws_organizations_policy", {"name": "{name}", "type": "{type}"}, "content"),
    ),
)

# Why a document cannot be written, by the beginning of its owner or by its kind; the first that fits.
_READ_ONLY = (
    (re.compile(r"arn:aws:\w+::aws:"), "", "This policy is AWS's own. Attach another one in its place."),
    (re.compile(""), "session", "A session policy is given when the session begins, and stays as it is."),
    (
        re.compile(r"arn:aws:lambda:"),
        "",
        "A function's policy is written a statement at a time: lambda add_permission.",
    ),
    (re.compile(""), "boundary", "A boundary is a managed policy: make one with create_policy, then put it."),
    (re.compile(""), "", "The lab knows no call that stores a document here."),
)


@dataclass(frozen=True)
class Written:
    """A place, and how its document gets there and away; `reason` says why it does not, and then there is no `call`."""

    place: Place
    call: Call | None = None
    remove: Call | None = None
    terraform: Resource | None = None
    account: str = ""  # whose administrator may do it; "" where the ARN does not tell
    stored_as: str | None = None
    reason: str = ""

    @property
    def said(self) -> str:
        """The call in two words: "iam put_role_policy"."""
        return f"{self.call.service} {self.call.operation}" if self.call else ""


def writing(place: Place) -> Written:
    """How the document of a place is written."""
    for row in WRITINGS:
        found = row.owner.fullmatch(place.owner) if place.kind in row.kinds else None
        if found is None:
            continue
        parts = _parts(place, found.groupdict())
        return Written(
            place,
            _filled(row.call, parts),
            _filled(row.remove, parts) if row.remove else None,
            Resource(row.terraform.type, _fill(row.terraform.arguments, parts), row.terraform.document),
            parts.get("account", ""),
            row.stored_as,
        )
    reason = next(
        said for owner, kind, said in _READ_ONLY if owner.match(place.owner) and (not kind or kind == place.kind)
    )
    return Written(place, reason=reason)


def _parts(place: Place, found: Mapping[str, str]) -> Mapping[str, str]:
    """What a row may speak of: the parts of the owner's ARN, the whole of it, the policy's name, a queue's URL."""
    queue = "https://sqs.{region}.amazonaws.com/{account}/{name}"
    parts = {"arn": place.owner, "policy": place.name, "region": "", **found}
    parts["type"] = parts.get("type", "").upper()
    return parts | ({"queue": queue.format(**parts)} if ":sqs:" in place.owner else {})


def _filled(call: Call, parts: Mapping[str, str]) -> Call:
    return Call(call.service, call.operation, _fill(call.parameters, parts), call.document, parts["region"])


def _fill(given: Mapping[str, Any], parts: Mapping[str, str]) -> dict[str, Any]:
    return {name: value.format(**parts) if isinstance(value, str) else value for name, value in given.items()}


def title(place: Place) -> str:
    """What a document is called on a tab: "read-bucket", "trust policy of web-app", "policy of my-secure-bucket"."""
    owner = place.owner.rpartition(":")[2].rpartition("/")[2]
    if place.name:
        return place.name
    kinds = {"trust": "trust policy of ", "resource": "policy of "}  # others are documents of their own
    return f"{kinds.get(place.kind, '')}{owner}"
